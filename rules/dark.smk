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
        mem_mb=said("dark", "mem_mb"),
        runtime=said("dark", "runtime"),
    params:
        steps=said("dark", "steps"),
        references=said("dark", "links"),
        release=PLAN.release,
        context=context,
    message:
        "Ramps of a dark exposure to corrected ones: {wildcards.exposure}"
    shell:
        "jwrules dark {input.uncal:q} --output results"
        " --threads {threads} --memory {resources.mem_mb}M --steps {params.steps:q} --reference {params.references:q}"
        " --context {params.context:q} 2> {log:q}"
