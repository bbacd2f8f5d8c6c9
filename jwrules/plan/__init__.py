"""The plan: which products are made, from which members, with which options and reference files.

`of(settings, directory)` makes it; `prepare(config)` makes it for the rules, with what they need beside it.
"""

from jwrules.plan.choose import Choice, Planner
from jwrules.plan.make import make
from jwrules.plan.rows import STAGES, Job, LeftOut, Plan
from jwrules.plan.settings import RUN_FILE, Settings, read, references_or_default
from jwrules.plan.workspace import cache_of, exposures, of, planner, prepare

__all__ = [
    "RUN_FILE",
    "STAGES",
    "Choice",
    "Job",
    "LeftOut",
    "Plan",
    "Planner",
    "Settings",
    "cache_of",
    "exposures",
    "make",
    "of",
    "planner",
    "prepare",
    "read",
    "references_or_default",
]
