"""What only people ask of a job: where each option comes from, and why each reference file was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from jwrules import names
from jwrules.plan.choose import Planner
from jwrules.plan.rows import Job
from jwrules.pool import Pool
from jwrules.recipes import ResolvedStep


@dataclass(frozen=True)
class Option:
    """A parameter that is not the declared default, and where its value comes from."""

    step: str
    parameter: str
    value: Any
    default: Any
    origin: str


@dataclass(frozen=True)
class Details:
    """Options that are not the default, and for each type of reference file why that one was chosen."""

    options: tuple[Option, ...]
    why: Mapping[str, str]


class Teller:
    """Tells the details of jobs, by the header of their first exposure."""

    def __init__(self, planner: Planner, pool: Pool) -> None:
        self._planner = planner
        self._headers = {names.stem(row["filename"]): row.header for row in pool.files}

    def of(self, job: Job) -> Details:
        """Return the details of a job."""
        header = self._headers[names.stem(PurePath(job.science[0]).name)]
        options = tuple(one for step in self._planner.resolve(job.stage, header) for one in _options(step))
        why = {kind: self._why(kind, chosen.name, header) for kind, chosen in job.references.items()}
        return Details(options, why)

    def _why(self, kind: str, chosen: str, header: Mapping[str, Any]) -> str:
        verdicts = self._planner.references.explain(kind, header)
        said = next((why for name, why in verdicts if name == chosen), "chosen")
        others = [(name, why) for name, why in verdicts if name != chosen]
        return said if said != "chosen" else _before(others)


def _before(others: Sequence[tuple[str, str]]) -> str:
    """Return what a file was chosen before: the next best, and why that is not it."""
    if not others:
        return "the only one of its type"
    name, why = others[0]
    more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
    verdict, _, reason = why.partition(": ")
    if verdict == "ruled out":
        return f"the only one that fits; {name}: {reason.partition('; ')[0]}{more}"
    return f"before {name}{more}: {reason}"


def _options(step: ResolvedStep) -> Iterator[Option]:
    if step.skip:
        yield Option(step.step, "skip", True, False, step.origins["skip"])
        return
    for name, value in step.changed.items():
        yield Option(step.step, name, value, step.defaults[name], step.params[name].origin)
    if step.if_impossible != "stop":
        yield Option(step.step, "if_impossible", step.if_impossible, "stop", step.origins["if_impossible"])
