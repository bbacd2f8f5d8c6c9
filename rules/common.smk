# The plan, and how a rule looks up what it says of one job.
from jwrules import names, plan

PLAN = plan.prepare(config)


wildcard_constraints:
    exposure=names.EXPOSURE,
    guide_star=names.GUIDE_STAR,
    acid=names.ACID,
    product=names.PRODUCT,


def said(stage, field):
    return lambda wildcards: PLAN.said(stage, wildcards[0], field)


# A job that is tried again gets twice, then three times the memory and time that the plan gives it.
def more(stage, field):
    return lambda wildcards, attempt: attempt * PLAN.said(stage, wildcards[0], field)


def crf_folder(wildcards):
    return PLAN.crf_folder(wildcards.exposure, wildcards.acid)


def targets(wildcards):
    return PLAN.targets()
