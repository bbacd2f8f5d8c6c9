rule image2:
    input:
        rate=said("image2", "science"),
        background=said("image2", "background"),
    output:
        cal="results/{exposure}_cal.fits",
        i2d="results/{exposure}_i2d.fits",
    log:
        "logs/image2/{exposure}.log",
    benchmark:
        "logs/image2/{exposure}.tsv"
    wildcard_constraints:
        exposure=PLAN.made("image2", "cal", "i2d"),
    resources:
        mem_mb=more("image2", "mem_mb"),
        runtime=more("image2", "runtime"),
    params:
        options=said("image2", "options"),
        told=told("image2"),
    message:
        "Count rates to a calibrated image: {wildcards.exposure}"
    shell:
        "jwrules image2 {input.rate:q} --background {input.background:q} --save-bsub --threads {threads}"
        " {params.options:q} {params.told:q} 2> {log:q}"


use rule image2 as image2_unresampled with:
    output:
        cal="results/{exposure}_cal.fits",
    wildcard_constraints:
        exposure=PLAN.made("image2", "cal"),


use rule image2 as image2_background with:
    output:
        cal="results/{exposure}_cal.fits",
        i2d="results/{exposure}_i2d.fits",
        bsub="results/{exposure}_bsub.fits",
    wildcard_constraints:
        exposure=PLAN.made("image2", "cal", "i2d", "bsub"),
