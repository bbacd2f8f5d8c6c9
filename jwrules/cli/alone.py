"""What Snakemake keeps of jobs that shared a process: of each what it would keep had the job run alone.

Else the workflow without batches would find rule, input and params of every product of a batch changed, and make it
again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jwrules.plan import Job, Plan, waves

_BATCH = re.compile(r"(?P<stage>\w+)_batch(?P<number>\d+)_\d+jobs")
"""The name of the rule of a batch (rules/batch.smk)."""
_PLAN = "PLAN"
"""What rules/common.smk calls the plan."""


class _Alone:
    """A job of Snakemake as it would be for one job of a batch; all else is that of the batch."""

    def __init__(self, batch: Any, job: Job) -> None:
        members, products = {path for _, path in job.members}, set(job.products)
        self._batch = batch
        self.rule = batch.rule.workflow.get_rule(job.stage)
        self.input = [path for path in batch.input if path in members]
        self.output = [path for path in batch.output if path in products]
        self.log = [waves.log(job)]
        self.non_derived_params = [job.options]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)


def _each(job: Any) -> list[Any]:
    """Return the jobs of a batch as if each were alone; any other job by itself."""
    named = _BATCH.fullmatch(job.rule.name)
    plan = job.rule.workflow.globals.get(_PLAN)
    if not named or not isinstance(plan, Plan):
        return [job]
    key = (named["stage"], int(named["number"]))
    names = [name for batch in plan.batches if (batch.stage, batch.number) == key for name in batch.jobs]
    return [_Alone(job, plan.job(named["stage"], name)) for name in names]


@contextmanager
def kept() -> Iterator[None]:
    """Let Snakemake keep what it notes of a finished batch job by job, meanwhile."""
    from snakemake.persistence import PersistenceBase

    before = PersistenceBase.finished

    async def finished(self: Any, job: Any) -> None:
        for one in _each(job):
            await before(self, one)

    PersistenceBase.finished = finished
    try:
        yield
    finally:
        PersistenceBase.finished = before
