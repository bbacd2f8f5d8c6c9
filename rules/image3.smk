rule association:
    input:
        ".jwrules/associations/{association}_asn.json",
    output:
        "results/{association}_asn.json",
    log:
        "logs/association/{association}.log",
    wildcard_constraints:
        association=PLAN.written,
    shell:
        "cp {input:q} {input:q}.part 2> {log:q} && mv {input:q}.part {output:q} 2>> {log:q}"


rule image3:
    input:
        association=said("image3", "association"),
        members=said("image3", "science"),
    output:
        i2d="results/{product}_i2d.fits",
        cat="results/{product}_cat.ecsv",
        segm="results/{product}_segm.fits",
        crf=directory(".jwrules/crf/{product}"),
    log:
        "logs/image3/{product}.log",
    benchmark:
        "logs/image3/{product}.tsv"
    wildcard_constraints:
        product=PLAN.made("image3", "i2d", "cat", "segm"),
    resources:
        mem_mb=more("image3", "mem_mb"),
        runtime=more("image3", "runtime"),
    params:
        options=said("image3", "options"),
        told=told("image3"),
    message:
        "Calibrated images to a mosaic and a catalogue: {wildcards.product}"
    shell:
        "jwrules image3 {input.association:q} --crf {output.crf:q} --threads {threads} {params.options:q} {params.told:q} 2> {log:q}"


use rule image3 as image3_mosaic with:
    output:
        i2d="results/{product}_i2d.fits",
        crf=directory(".jwrules/crf/{product}"),
    wildcard_constraints:
        product=PLAN.made("image3", "i2d"),


# An association has as many flagged exposures as members: they are made in a folder and linked from it, or copied
# where `results` is on another disk.
rule crf:
    input:
        crf=crf_folder,
    output:
        crf="results/{exposure}_{acid}_crf.fits",
    log:
        "logs/crf/{exposure}_{acid}.log",
    wildcard_constraints:
        exposure=".+",
    params:
        made=lambda wildcards, input: f"{input.crf}/{wildcards.exposure}_{wildcards.acid}_crf.fits",
    shell:
        "ln -f {params.made:q} {output.crf:q} 2> {log:q}"
        " || {{ cp {params.made:q} {output.crf:q}.part 2>> {log:q} && mv {output.crf:q}.part {output.crf:q} 2>> {log:q}; }}"
