"""The plan: which products are made, from which members, with which options and reference files.

`of(settings, directory)` makes it; `prepare(config)` makes it for the rules, with what they need beside it.
"""

from jwrules.plan.choose import Choice, Planner
from jwrules.plan.make import make
from jwrules.plan.rows import STAGES, Job, LeftOut, Plan
from jwrules.plan.settings import RUN_FILE, Settings, read, references_or_default
from jwrules.plan.state import Is, State, States
from jwrules.plan.workspace import cache_of, exposures, lay_out, of, planner, prepare, shared, states

__all__ = [
    "RUN_FILE",
    "STAGES",
    "Choice",
    "Is",
    "Job",
    "LeftOut",
    "Plan",
    "Planner",
    "Settings",
    "State",
    "States",
    "cache_of",
    "exposures",
    "lay_out",
    "make",
    "of",
    "planner",
    "prepare",
    "read",
    "references_or_default",
    "shared",
    "states",
]
