rule dark:
    input:
        uncal=said("dark", "science"),
    output:
        dark="results/{exposure}_dark.fits",
    log:
        "logs/dark/{exposure}.log",
    benchmark:
        "logs/dark/{exposure}.tsv"
    wildcard_constraints:
        exposure=PLAN.made("dark"),
    resources:
        mem_mb=more("dark", "mem_mb"),
        runtime=more("dark", "runtime"),
    params:
        options=said("dark", "options"),
        told=told("dark"),
    message:
        "Ramps of a dark exposure to corrected ones: {wildcards.exposure}"
    shell:
        "jwrules dark {input.uncal:q} --threads {threads} --memory {resources.mem_mb}M {params.options:q} {params.told:q} 2> {log:q}"
