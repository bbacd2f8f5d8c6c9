rule guider:
    input:
        uncal=said("guider", "science"),
    output:
        cal="results/{guide_star}_cal.fits",
    log:
        "logs/guider/{guide_star}.log",
    benchmark:
        "logs/guider/{guide_star}.tsv"
    wildcard_constraints:
        guide_star=PLAN.made("guider"),
    resources:
        mem_mb=more("guider", "mem_mb"),
        runtime=more("guider", "runtime"),
    params:
        options=said("guider", "options"),
        told=told("guider"),
    message:
        "Reads of a guide star to count rates: {wildcards.guide_star}"
    shell:
        "jwrules guider {input.uncal:q} --threads {threads} --memory {resources.mem_mb}M {params.options:q} {params.told:q} 2> {log:q}"
