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
        mem_mb=said("guider", "mem_mb"),
        runtime=said("guider", "runtime"),
    params:
        steps=said("guider", "steps"),
        references=said("guider", "links"),
        release=PLAN.release,
        context=context,
    message:
        "Reads of a guide star to count rates: {wildcards.guide_star}"
    shell:
        "jwrules guider {input.uncal:q} --output results"
        " --threads {threads} --steps {params.steps:q} --reference {params.references:q}"
        " --context {params.context:q} 2> {log:q}"
