"""Large events, which strike many pixels at once: which regions are one, and how far around it is flagged.

A snowball has a core that saturates and a halo of jumps. Where groups average frames it may come while one is read:
then the differences before and after that group have a part of it each, and the core is full in the latter only. So
the two are looked at together, and the core, where no jump is told from saturation, belongs to the region of jumps. At
the edge a core is missed only by regions that reach it and are too wide for a common ray. The official way looks at
each group for itself: for the centre of a core of this group or the next in a region of jumps. Source: JWST
documentation, CALWEBB_DETECTOR1, jump detection.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.ellipses import Shape, shapes

BORDER = 6.0
"""How near to the edge an event reaches it (pixel)."""

WIDTH_OF_CORE, WIDTH_AT_EDGE, WIDTH_AT_END = 3.2, 5.0, 6.0
"""How wide the core of an event is, with its rim, and events without a core are (pixel); common rays are not."""

HIDDEN = 1.15
"""How much larger an event is than it seems that shows in two differences."""


class Rules(NamedTuple):
    """What makes a snowball and how far it is flagged: areas in pixel², lengths in pixels, times in groups.

    `averaged` tells that groups average frames, so that an event may come while one is read.
    """

    min_jump_area: float
    min_sat_area: float
    expand_factor: float
    sat_required: bool
    min_sat_axis: float
    sat_expand: float
    edge: int
    max_axis: float
    groups_next_integration: int
    averaged: bool
    official: bool


class Bits(NamedTuple):
    """Which bits of a group tell that it is saturated, and that there is a jump before it."""

    saturated: int
    jump: int


def flag(flags: np.ndarray, core: np.ndarray, rules: Rules, bits: Bits) -> tuple[int, np.ndarray]:
    """Flag the surroundings of large events in `flags` (nints, ngroups, ny, nx) in place; return how many there are.

    `core` (ny, nx) tells which pixels were saturated cores in the integration before; those of the last one are
    returned too.
    """
    events = 0
    flag_group = _flag_group_officially if rules.official else _flag_group
    for ramp in flags:
        former, core = core, np.zeros_like(core)
        continued: list[Part] = []
        for g in range(1, len(ramp)):
            found, continued = flag_group(ramp, g, rules, bits, core, continued)
            events += found
        _mask_former(ramp, former, rules, bits)
    return events, core


class Part(NamedTuple):
    """What is known of an event that goes on in the next group: its core, and the ellipses to be flagged there too."""

    core: Shape
    ellipses: list[Shape]


def _flag_group_officially(
    ramp: np.ndarray, g: int, rules: Rules, bits: Bits, core: np.ndarray, continued: list[Part]
) -> tuple[int, list[Part]]:
    saturating = _saturating(ramp, g, rules, bits)
    soon = _saturating(ramp, g + 1, rules, bits)
    struck = shapes((ramp[g] & bits.jump) != 0, rules.min_jump_area)
    if rules.sat_required:
        x, y = (np.array([getattr(one, axis) for one in [*saturating, *soon]]) for axis in "xy")
        struck = [s for s in struck if _at_edge(s, rules, ramp.shape[1]) or s.holds(x, y).any()]
        for shape in saturating:
            _grow_core(ramp, g, shape, rules, bits, core)
    for shape in struck:
        _grow(ramp[g], shape, rules, bits)
    return len(struck), continued


def _flag_group(
    ramp: np.ndarray, g: int, rules: Rules, bits: Bits, core: np.ndarray, continued: list[Part]
) -> tuple[int, list[Part]]:
    """Flag the events that show in group g; return how many began there, and those that go on in the next one."""
    saturating, soon = (
        [one for one in _saturating(ramp, group, rules, bits) if _is_wide(one, ramp)] for group in (g, g + 1)
    )
    events, going_on, following = 0, list[Part](), None
    ellipses = [one for part in continued for one in part.ellipses]
    for shape in _struck(ramp, g, rules, bits):
        now, later = _held(shape, saturating), _held(shape, soon)
        if rules.sat_required and not (now or later or _lacks_core(shape, ramp, g, rules)):
            continue
        events += not _held(shape, [part.core for part in continued])
        ellipses.append(_rounded(shape, ramp, rules))
        for one in now:
            _grow_core(ramp, g, one, rules, bits, core)
        if rules.averaged and not now and g + 1 < len(ramp):
            following = _struck(ramp, g + 1, rules, bits) if following is None else following
            going_on += _part(ellipses[-1], following, later)
    for shape in [*ellipses, *(one for part in going_on for one in part.ellipses)]:
        _grow(ramp[g], shape, rules, bits)
    return events, going_on


def _struck(ramp: np.ndarray, g: int, rules: Rules, bits: Bits) -> list[Shape]:
    """Return the regions of jumps in a group, each with the saturated core that it surrounds."""
    jumps = (ramp[g] & bits.jump) != 0
    return shapes(jumps | _newly(ramp, g, bits), rules.min_jump_area, jumps)


def _is_wide(core: Shape, ramp: np.ndarray) -> bool:
    """Common rays saturate narrow regions; of a core that the edge cuts the length tells."""
    _, ny, nx = ramp.shape
    cut = min(core.x, nx - 1 - core.x, core.y, ny - 1 - core.y) < core.minor / 2 + 1
    return (core.major if cut else core.minor) > WIDTH_OF_CORE


def _held(shape: Shape, others: list[Shape]) -> list[Shape]:
    return [
        other for other in others if shape.is_near(other) and shape.holds(np.array([other.x]), np.array([other.y]))[0]
    ]


def _lacks_core(shape: Shape, ramp: np.ndarray, g: int, rules: Rules) -> bool:
    """The core of an event may lie beyond the edge that it reaches, or may not have been full when the ramp ended."""
    if _reaches_edge(shape, ramp, rules) and shape.minor >= WIDTH_AT_EDGE:
        return True
    return rules.averaged and g == len(ramp) - 1 and shape.minor >= WIDTH_AT_END


def _reaches_edge(shape: Shape, ramp: np.ndarray, rules: Rules) -> bool:
    _, ny, nx = ramp.shape
    distance = min(shape.x, nx - 1 - shape.x, shape.y, ny - 1 - shape.y)
    return distance < min(rules.edge, shape.major / 2 + BORDER)


def _rounded(shape: Shape, ramp: np.ndarray, rules: Rules) -> Shape:
    """Return a shape as if the edge did not cut it: events are about as wide as long."""
    return shape._replace(minor=shape.major) if _reaches_edge(shape, ramp, rules) else shape


def _part(shape: Shape, following: list[Shape], cores: list[Shape]) -> list[Part]:
    """Return an event that came while a group was read, of which the difference before and that after have a part.

    Where halos fall with the square of the radius the areas of the two add up; two jumps in a row hide each other.
    """
    core = cores[0] if cores else shape._replace(minor=0.0, major=0.0)
    rest = next((other for other in following if _held(other, [core]) or _held(shape, [other])), None)
    if rest is None and not cores:
        return []
    other = rest or core
    minor, major = (
        HIDDEN * float(np.sqrt(max(a**2 + b**2 - c**2, a**2)))
        for a, b, c in ((shape.minor, other.minor, core.minor), (shape.major, other.major, core.major))
    )
    return [Part(core, [other, shape._replace(minor=minor, major=major)])]


def _saturating(ramp: np.ndarray, g: int, rules: Rules, bits: Bits) -> list[Shape]:
    return shapes(_newly(ramp, g, bits), rules.min_sat_area) if g < len(ramp) else []


def _newly(ramp: np.ndarray, g: int, bits: Bits) -> np.ndarray:
    return (ramp[g] & ~ramp[g - 1] & np.uint8(bits.saturated)) != 0


def _at_edge(shape: Shape, rules: Rules, ny: int) -> bool:
    """Near an edge the saturated core may lie outside."""
    low, high = min(shape.x, shape.y), max(shape.x, shape.y)
    return low < rules.edge or high > max(0, ny - rules.edge)


def _grow_core(ramp: np.ndarray, g: int, shape: Shape, rules: Rules, bits: Bits, core: np.ndarray) -> None:
    """Flag a wide saturated core and its rim as saturated to the end of the ramp, and note the core itself."""
    if shape.minor <= rules.min_sat_axis:
        return
    minor, major = (min(axis + rules.sat_expand, rules.max_axis) for axis in (shape.minor, shape.major))
    rows, columns = shape.draw(minor, major, core.shape)
    ramp[g:, rows, columns] = ramp[g:, rows, columns] & np.uint8(~bits.jump & 0xFF) | np.uint8(bits.saturated)
    core[shape.draw(shape.minor, shape.major, core.shape)] = True


def _grow(plane: np.ndarray, shape: Shape, rules: Rules, bits: Bits) -> None:
    """Flag an event as a jump over its surroundings; both axes grow by as much as the minor one."""
    more = (rules.expand_factor - 1) * shape.minor
    minor, major = (2 * round(min(axis + more, rules.max_axis) / 2) for axis in (shape.minor, shape.major))
    rows, columns = shape.draw(minor, major, plane.shape)
    open_still = (plane[rows, columns] & bits.saturated) == 0
    plane[rows[open_still], columns[open_still]] |= np.uint8(bits.jump)


def _mask_former(ramp: np.ndarray, former: np.ndarray, rules: Rules, bits: Bits) -> None:
    """Charge that a saturated core left behind is released in the next integration: its groups count as jumps."""
    if former.any():
        ramp[1 : rules.groups_next_integration, former] |= np.uint8(bits.jump)
