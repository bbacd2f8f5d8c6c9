"""Ramps and reference files with known truth; shares no kernel with the steps that it scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

SIZES = ("tiny", "small", "full")
"""`tiny` has too few pixels for anything but trying whether things run; whole programs are then as when `small`."""
PROGRAMS = {"nircam_imaging": "NIRCAM", "miri_imaging": "MIRI"}
"""Templates of which a whole program is made, for all stages, and their instruments."""


def names() -> list[str]:
    """Return the observing templates that can be simulated."""
    from jwrules.simulate.templates import BY_NAME

    return sorted({*PROGRAMS, *BY_NAME})


def run(
    template: str,
    directory: Path,
    size: str = "small",
    seed: int = 1,
    groups: int | None = None,
    integrations: int | None = None,
    pattern: str | None = None,
    subarray: str | None = None,
    effects: Mapping[str, float] | None = None,
) -> None:
    """Write `directory`/uncal, /references and /truth for exposures of this observing template.

    Those in PROGRAMS are for all stages, the others for stage 1. `groups`, `integrations`, `pattern` and, for stage
    1, `subarray` replace those of the template; `effects` are numbers for the fields of `nircam.Extras`. The same seed
    gives the same files. Raises WorkflowFault for what is not known.
    """
    from jwrules.errors import WorkflowFault
    from jwrules.simulate import campaign, stage1
    from jwrules.simulate.templates import BY_NAME
    from jwrules.simulate.wishes import Wishes

    for what, value, known in (("template", template, names()), ("size", size, SIZES)):
        if value not in known:
            raise WorkflowFault(f"{what} {value!r} cannot be simulated; there are: {', '.join(known)}")
    wishes = Wishes(groups, integrations, pattern, effects or {})
    if template in PROGRAMS and subarray:
        raise WorkflowFault(f"{template} has subarrays of its own: {subarray!r} cannot be asked for")
    if template in PROGRAMS:
        campaign.simulate(Path(directory), size, seed, PROGRAMS[template], wishes)
    else:
        rows = [replace(row, subarray=subarray or row.subarray) for row in BY_NAME[template]]
        stage1.simulate(Path(directory), rows, size, seed, wishes)
