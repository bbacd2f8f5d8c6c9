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
    resources:
        mem_mb=more("detector1", "mem_mb"),
        runtime=more("detector1", "runtime"),
    params:
        steps=said("detector1", "steps"),
        references=said("detector1", "links"),
        release=PLAN.release,
    message:
        "Ramps to count rates: {wildcards.exposure}"
    shell:
        "jwrules detector1 {input.uncal:q} --output results"
        " --threads {threads} --memory {resources.mem_mb}M --steps {params.steps:q} --reference {params.references:q} 2> {log:q}"
