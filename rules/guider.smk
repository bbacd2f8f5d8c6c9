rule guider:
    input:
        uncal=said("guider", "science"),
    output:
        cal="results/{guide_star}_cal.fits",
    log:
        "logs/guider/{guide_star}.log",
    benchmark:
        "logs/guider/{guide_star}.tsv"
    resources:
        mem_mb=more("guider", "mem_mb"),
        runtime=more("guider", "runtime"),
    params:
        steps=said("guider", "steps"),
        references=said("guider", "links"),
        release=PLAN.release,
    message:
        "Reads of a guide star to count rates: {wildcards.guide_star}"
    shell:
        "jwrules guider {input.uncal:q} --output results"
        " --threads {threads} --steps {params.steps:q} --reference {params.references:q} 2> {log:q}"
