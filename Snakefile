# The workflow in one page: ramps to count rates (detector1), to calibrated images (image2), to mosaics and
# catalogues (image3), and a picture of each; dark and guide-star exposures have a stage of their own. What is to be
# made, from what and how is the plan's (jwrules/plan).
from snakemake.utils import min_version

min_version("9.0")


report: "docs/report.rst"


# For those who run jobs in containers (--sdm apptainer): the image that Containerfile makes.
container: "docker://jwrules/jwrules:0.1.0"


include: "rules/common.smk"
include: "rules/detector1.smk"
include: "rules/dark.smk"
include: "rules/guider.smk"
include: "rules/image2.smk"
include: "rules/image3.smk"
include: "rules/report.smk"
include: "rules/batch.smk"


localrules:
    all,
    association,
    crf,


rule all:
    default_target: True
    input:
        targets,
