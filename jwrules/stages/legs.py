"""In which order a chain of steps goes through the blocks of an exposure.

A leg is a run of parts of steps that work on blocks of one kind, whole frames or whole ramps: each block goes through
all of them before the next one is read. Parts that take any block go with those that follow them up the ramps.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from jwrules.errors import RecipeFault
from jwrules.products.kinds import Meta, Slopes
from jwrules.products.stripes import is_superstriped
from jwrules.stages.chain import SKIPPED_BY_RECIPE, Call, Inputs, attempt
from jwrules.steps import find, named
from jwrules.steps.declare import Part, Step


@dataclass(frozen=True)
class Turn:
    """One part of a step as a recipe calls it; `part` is None where the step is only to be recorded as skipped."""

    step: Any
    call: Call
    part: Part | None
    number: int = 0
    last: bool = True
    reason: str = ""

    @cached_property
    def params(self) -> Any:
        """The parameters of the step."""
        return self.step.params(**self.call.params)

    @property
    def margin(self) -> int:
        """How many rows and columns beside a pixel decide on it."""
        return self.part.rows(self.params) if self.part else 0

    def along(self, meta: Meta) -> str:
        """Which blocks the part works on."""
        return self.part.axes(meta) if self.part else "samples"

    def touches(self, what: str) -> bool:
        """Whether the part writes into `what`, "data" or "flags"."""
        changes = self.part.touches(self.params) if self.part else "nothing"
        return changes in ("all", what) or (what == "flags" and changes == "flags and first frames")

    def makes_counts(self, with_first_frames: bool) -> bool:
        """Whether the part writes into the counts, or the first frames where there are any."""
        changes = self.part.touches(self.params) if self.part else "nothing"
        return changes == "all" or (with_first_frames and changes == "flags and first frames")


@dataclass(frozen=True)
class Leg:
    """Parts that blocks of one kind go through one after the other."""

    along: str
    turns: tuple[Turn, ...]

    @property
    def flags_suffice(self) -> bool:
        """Whether no part reads the counts."""
        parts = [(turn.part, turn.params) for turn in self.turns if turn.part]
        return bool(parts) and all(part.flags_suffice(params) for part, params in parts)

    @property
    def spares_saturated(self) -> bool:
        """Whether no part reads the counts of saturated groups."""
        active = [turn for turn in self.turns if turn.part and turn.step.takes is not Slopes]
        return all(turn.part.spares_saturated for turn in active if turn.part)

    @property
    def margin(self) -> int:
        """How many rows and columns beside its own a block needs, for all parts together."""
        return sum(turn.margin for turn in self.turns)


def turns(calls: Sequence[Call], meta: Meta, inputs: Inputs) -> list[Turn]:
    """Return the parts of all steps in their order; `inputs(step, params)` opens what decides on the rounds."""
    found: list[Turn] = []
    for call in calls:
        if call.skip:
            found.append(Turn(named(call.step), call, None, reason=SKIPPED_BY_RECIPE))
            continue
        step = find(call.step)
        params = step.params(**call.params)
        rounds, reason = _rounds(step, call, params, meta, inputs)
        if reason:
            found.append(Turn(step, call, None, reason=reason))
            continue
        parts = [part for part in step.parts if part.when(params)]
        mine = [Turn(step, call, part, number, last=False) for number in range(rounds) for part in parts]
        found += [*mine[:-1], replace(mine[-1], last=True)]
    return found


def _rounds(step: Step, call: Call, params: Any, meta: Meta, inputs: Inputs) -> tuple[int, str]:
    """Return how often the parts of a step are run, or why it is skipped."""
    if step.rounds is None:
        return 1, ""
    return attempt(step, call, lambda: step.times(meta, params, **inputs(step, params)))


def legs(turns: Sequence[Turn], meta: Meta) -> list[Leg]:
    """Return the legs that these turns make."""
    found: list[list[Turn]] = [[]]
    kinds = [""]
    for turn in turns:
        kind = turn.along(meta)
        waits = found[-1] and found[-1][-1].part is not None and found[-1][-1].part.waits(meta)
        if waits or (kind != "samples" and kinds[-1] not in ("", kind)):
            follows = _trailing(found[-1], meta) if kind == "ramps" and not waits else []
            del found[-1][len(found[-1]) - len(follows) :]
            found.append(follows)
            kinds.append("")
        found[-1].append(turn)
        kinds[-1] = kinds[-1] or ("" if kind == "samples" else kind)
    return [Leg(kind or "ramps", tuple(leg)) for kind, leg in zip(kinds, found, strict=True) if leg]


def _trailing(turns: Sequence[Turn], meta: Meta) -> list[Turn]:
    """Return the parts at the end that take any block."""
    n = 0
    while n < len(turns) and turns[-1 - n].along(meta) == "samples":
        n += 1
    return list(turns[len(turns) - n :])


def check(calls: Sequence[Call], meta: Meta, saved: Collection[str]) -> None:
    """Refuse chains that leave superstripes side by side, or save them so; `saved` names steps."""
    if not is_superstriped(meta):
        return
    steps = [call.step for call in calls if not call.skip]
    if "refpix" not in steps:
        raise RecipeFault(
            f"{meta.source}: SSTR_NST = {meta['SSTR_NST']}: superstripes are put together by refpix, which the recipe"
            " leaves out; put it in"
        )
    if early := [step for step in steps[: steps.index("refpix")] if step in saved]:
        raise RecipeFault(
            f"--save: {', '.join(early)} of a superstripe exposure ({meta.source}) cannot be saved: its frames are put"
            " together by refpix; save that, or what comes after it"
        )


def again(done: Sequence[Turn], leg: Leg, meta: Meta, what: str) -> bool:
    """Return whether blocks of `leg` can go through the parts that are `done` once more, to get `what` back."""
    return all(turn.along(meta) in ("samples", leg.along) for turn in done if turn.touches(what))
