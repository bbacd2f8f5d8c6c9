"""What a person asks for beyond a template: another readout, more of the effects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from jwrules.errors import WorkflowFault
from jwrules.simulate import irs2, miri, stored
from jwrules.simulate.instruments import FULL, READ_PATTERNS
from jwrules.simulate.nircam import Extras, Pointing, Readout

LONGEST = 2 * 10**9
"""Bytes of a raw file, about; longer exposures come in segments."""
EFFECTS = tuple(one.name for one in fields(Extras))


@dataclass(frozen=True)
class Wishes:
    """Groups, integrations and read pattern instead of those of the template; effects by name."""

    groups: int | None = None
    integrations: int | None = None
    pattern: str | None = None
    effects: Mapping[str, float] = field(default_factory=dict)

    def granted(self, pointing: Pointing) -> Pointing:
        """Return the pointing as asked for; WorkflowFault where that cannot be."""
        readout = pointing.readout
        if self.pattern:
            readout = patterned(pointing.detector.instrument, self.pattern, readout.groups, readout.integrations)
        readout = replace(
            readout,
            groups=self.groups or readout.groups,
            integrations=self.integrations or readout.integrations,
        )
        pointing = _timed(replace(pointing, readout=readout, extras=self._extras(pointing.extras)))
        return replace(pointing, mode=replace(pointing.mode, segments=_segments(pointing)))

    def _extras(self, usual: Extras) -> Extras:
        if unknown := sorted(set(self.effects) - set(EFFECTS)):
            raise WorkflowFault(f"{unknown} cannot be asked for; the effects are: {', '.join(EFFECTS)}")
        kinds = {name: type(getattr(usual, name)) for name in self.effects}
        return replace(usual, **{name: kinds[name](value) for name, value in self.effects.items()})


def patterned(instrument: str, pattern: str, groups: int, integrations: int) -> Readout:
    """Return the readout in a pattern of the instrument; WorkflowFault for one that it does not have."""
    known = READ_PATTERNS[instrument]
    if pattern not in known:
        raise WorkflowFault(f"read pattern {pattern!r} is none of {instrument}; there are: {', '.join(known)}")
    frames, gap, *samples = known[pattern]
    return Readout(pattern, frames, gap, groups, integrations, *samples)


def _segments(pointing: Pointing) -> int:
    """Return in how many files the exposure is cut: as the template has it, more where they would be very long."""
    readout = pointing.readout
    rows, columns = stored.way(readout.pattern).shape(pointing.window)
    size = 2 * readout.integrations * readout.groups * rows * columns
    return min(max(pointing.mode.segments, math.ceil(size / LONGEST)), readout.integrations)


def _timed(pointing: Pointing) -> Pointing:
    """Return the pointing with the time that its read pattern takes for a row."""
    window, pattern = pointing.window, pointing.readout.pattern
    if (pattern.startswith("SLOW") or pattern in irs2.PATTERNS) and window.name != "FULL":
        raise WorkflowFault(f"read pattern {pattern} reads the full frame only, not {window.name}")
    if pattern in irs2.PATTERNS:
        return replace(pointing, window=replace(FULL["NIRSPEC"], pause=irs2.pause()))
    if not isinstance(window, miri.Window):
        return pointing
    ticks = miri.SLOW_ROW if pattern.startswith("SLOW") else miri.window(window.name).row_ticks
    return replace(pointing, window=replace(window, row_ticks=ticks))
