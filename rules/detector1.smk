rule detector1:
    input:
        uncal=said("detector1", "science"),
    output:
        rate="results/{exposure}_rate.fits",
        rateints="results/{exposure}_rateints.fits",
    log:
        "logs/detector1/{exposure}.log",
    benchmark:
        "logs/detector1/{exposure}.tsv"
    wildcard_constraints:
        exposure=PLAN.made("detector1"),
    resources:
        mem_mb=more("detector1", "mem_mb"),
        runtime=more("detector1", "runtime"),
    params:
        options=said("detector1", "options"),
        told=told("detector1"),
    message:
        "Ramps to count rates: {wildcards.exposure}"
    shell:
        "jwrules detector1 {input.uncal:q} --threads {threads} --memory {resources.mem_mb}M {params.options:q} {params.told:q} 2> {log:q}"
