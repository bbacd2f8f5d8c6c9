"""Options that nothing comes of: they are for a step that is skipped."""

from __future__ import annotations

from collections.abc import Iterable

from jwrules.recipes.cards import UNIVERSAL
from jwrules.recipes.recipe import ResolvedStep, of_stage
from jwrules.recipes.settings import Setting


def idle(stage: str, steps: Iterable[ResolvedStep], overrides: Iterable[Setting]) -> dict[str, str]:
    """Return what is to be said of each skipped step of `stage` for which run file or --set give parameters.

    The keys are 'step', or 'stage.step' where the options say for which stage they are.
    """
    skipped = {step.step: step for step in steps if step.skip}
    given: dict[str, list[Setting]] = {}
    for one in of_stage(overrides, stage):
        if one.step in skipped and one.parameter not in UNIVERSAL:
            given.setdefault(f"{one.stage}.{one.step}".lstrip("."), []).append(one)
    return {key: _words(key, its, skipped[its[0].step]) for key, its in given.items()}


def _words(key: str, given: Iterable[Setting], step: ResolvedStep) -> str:
    named = ", ".join(dict.fromkeys(f"{one.origin} {key}.{one.parameter}" for one in given))
    return (
        f"{named}: nothing comes of it, because {step.step} is skipped (skip: true, {step.origins['skip']});"
        f" --set {step.step}.skip=false has it run"
    )
