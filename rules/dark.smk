rule dark:
    input:
        uncal=said("dark", "science"),
    output:
        dark="results/{exposure}_dark.fits",
    log:
        "logs/dark/{exposure}.log",
    benchmark:
        "logs/dark/{exposure}.tsv"
    resources:
        mem_mb=more("dark", "mem_mb"),
        runtime=more("dark", "runtime"),
    params:
        steps=said("dark", "steps"),
        references=said("dark", "links"),
        release=PLAN.release,
    message:
        "Ramps of a dark exposure to corrected ones: {wildcards.exposure}"
    shell:
        "jwrules dark {input.uncal:q} --output results"
        " --threads {threads} --memory {resources.mem_mb}M --steps {params.steps:q} --reference {params.references:q} 2> {log:q}"
