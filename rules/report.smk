# Every final product has a picture in the report.
rule picture_mosaic:
    input:
        i2d="results/{product}_i2d.fits",
        cat="results/{product}_cat.ecsv",
    output:
        report(
            "pictures/{product}_i2d.png",
            caption="../docs/report/mosaic.rst",
            category=said("image3", "target"),
            subcategory="Mosaics and catalogues",
            labels=said("image3", "labels"),
        ),
    log:
        "logs/picture/{product}_i2d.log",
    wildcard_constraints:
        product=PLAN.names("image3", "i2d", "cat", "segm"),
    shell:
        "jwrules picture {input.i2d:q} --catalog {input.cat:q} --output {output:q} 2> {log:q}"


rule picture_mosaic_alone:
    input:
        i2d="results/{product}_i2d.fits",
    output:
        report(
            "pictures/{product}_i2d.png",
            caption="../docs/report/mosaic.rst",
            category=said("image3", "target"),
            subcategory="Mosaics and catalogues",
            labels=said("image3", "labels"),
        ),
    log:
        "logs/picture/{product}_i2d.log",
    wildcard_constraints:
        product=PLAN.names("image3", "i2d"),
    shell:
        "jwrules picture {input.i2d:q} --output {output:q} 2> {log:q}"


use rule picture_mosaic_alone as picture_segments with:
    input:
        i2d="results/{product}_segm.fits",
    output:
        report(
            "pictures/{product}_segm.png",
            caption="../docs/report/segments.rst",
            category=said("image3", "target"),
            subcategory="Segmentation",
            labels=said("image3", "labels"),
        ),
    log:
        "logs/picture/{product}_segm.log",
    wildcard_constraints:
        product=PLAN.names("image3", "i2d", "cat", "segm"),


use rule picture_mosaic_alone as picture_exposure with:
    input:
        i2d="results/{exposure}_i2d.fits",
    output:
        report(
            "pictures/{exposure}_i2d.png",
            caption="../docs/report/exposure.rst",
            category=said("image2", "target"),
            subcategory="Calibrated exposures",
            labels=said("image2", "labels"),
        ),
    log:
        "logs/picture/{exposure}_i2d.log",
    wildcard_constraints:
        exposure=PLAN.names("image2", "cal", "i2d"),
