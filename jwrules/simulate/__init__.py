"""Ramps and reference files with known truth; shares no kernel with the steps that it scores."""

from __future__ import annotations

from pathlib import Path

TEMPLATES = ("nircam_imaging", "miri_imaging")
SIZES = ("small", "full")


def run(template: str, directory: Path, size: str = "small", seed: int = 1) -> None:
    """Write `directory`/uncal, /references and /truth for a simulated program of this observing template.

    The same seed gives the same files. Raises WorkflowFault for a template or size that is not known.
    """
    from jwrules.errors import WorkflowFault
    from jwrules.simulate import campaign

    for what, value, known in (("template", template, TEMPLATES), ("size", size, SIZES)):
        if value not in known:
            raise WorkflowFault(f"{what} {value!r} cannot be simulated; there are: {', '.join(known)}")
    campaign.simulate(Path(directory), size, seed, "MIRI" if template == "miri_imaging" else "NIRCAM")
