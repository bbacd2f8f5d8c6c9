# The plan, and how a rule looks up what it says of one job.
from jwrules import names, plan

PLAN = plan.prepare(config, workflow.configfiles)


wildcard_constraints:
    exposure=names.EXPOSURE,
    guide_star=names.GUIDE_STAR,
    acid=names.ACID,
    product=names.PRODUCT,


def said(stage, field):
    return lambda wildcards: PLAN.said(stage, wildcards[0], field)


# It takes the input and has no use for it: so Snakemake does not count it, and the same reference files under the next
# context make nothing anew.
def told(stage):
    return lambda wildcards, input: PLAN.said(stage, wildcards[0], "told")


# A job that is tried again gets twice, then three times the memory and time that the plan gives it.
def more(stage, field):
    return lambda wildcards, attempt: attempt * PLAN.said(stage, wildcards[0], field)


def crf_folder(wildcards):
    return PLAN.crf_folder(wildcards.exposure, wildcards.acid)


def targets(wildcards):
    return PLAN.targets()
