"""Large events, which strike many pixels at once: regions of a mask, the ellipses with their moments, their growth.

A region is described by the ellipse that has its second moments: axes of 4 √λ - 1 pixels with the eigenvalues λ of the
covariance of the coordinates. Source: JWST documentation, CALWEBB_DETECTOR1, jump detection.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jwrules.kernels.compiled import compiled


class Shape(NamedTuple):
    """An ellipse: centre (pixel), lengths of its axes (pixel), angle from the y axis to the major axis, towards x."""

    x: float
    y: float
    minor: float
    major: float
    angle: float

    def draw(self, minor: float, major: float, plane: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns inside the ellipse of this place and angle with these axes, in whole pixels."""
        return _inside(round(self.x), round(self.y), round(minor / 2), round(major / 2), self.angle, *plane)

    def holds(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which of the points (n,) lie in the ellipse."""
        dx, dy = x - self.x, y - self.y
        along = dy * np.cos(self.angle) + dx * np.sin(self.angle)
        across = dy * np.sin(self.angle) - dx * np.cos(self.angle)
        return np.asarray(
            (2 * along) ** 2 * self.minor**2 + (2 * across) ** 2 * self.major**2 <= (self.minor * self.major) ** 2
        )


class Rules(NamedTuple):
    """What makes a snowball and how far it is flagged: areas in pixel², lengths in pixels, times in groups."""

    min_jump_area: float
    min_sat_area: float
    expand_factor: float
    sat_required: bool
    min_sat_axis: float
    sat_expand: float
    edge: int
    max_axis: float
    groups_next_integration: int


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
    for ramp in flags:
        former, core = core, np.zeros_like(core)
        for g in range(1, len(ramp)):
            events += _flag_group(ramp, g, rules, bits, core)
        _mask_former(ramp, former, rules, bits)
    return events, core


def _flag_group(ramp: np.ndarray, g: int, rules: Rules, bits: Bits, core: np.ndarray) -> int:
    saturating = shapes(_newly(ramp, g, bits), rules.min_sat_area)
    soon = shapes(_newly(ramp, g + 1, bits), rules.min_sat_area) if g + 1 < len(ramp) else []
    struck = shapes((ramp[g] & bits.jump) != 0, rules.min_jump_area)
    if rules.sat_required:
        x, y = (np.array([getattr(one, axis) for one in [*saturating, *soon]]) for axis in "xy")
        struck = [s for s in struck if _at_edge(s, rules, ramp.shape[1]) or s.holds(x, y).any()]
        for shape in saturating:
            _grow_core(ramp, g, shape, rules, bits, core)
    for shape in struck:
        _grow(ramp[g], shape, rules, bits)
    return len(struck)


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


def shapes(mask: np.ndarray, min_area: float) -> list[Shape]:
    """Return the ellipses of the regions of `mask` (touching corners connect) that cover `min_area`, holes included."""
    return [Shape(*row) for row in _regions(mask, min_area).tolist()]


@compiled
def _regions(mask: np.ndarray, min_area: float) -> np.ndarray:
    ny, nx = mask.shape
    total = 0
    for y in range(ny):
        for x in range(nx):
            total += mask[y, x]
    seen = np.zeros(mask.shape, np.bool_)
    ys, xs = np.empty(total, np.int64), np.empty(total, np.int64)
    found, ellipses = 0, np.empty((total, 5))
    for y in range(ny):
        for x in range(nx):
            if mask[y, x] and not seen[y, x]:
                n = _collect(mask, seen, y, x, ys, xs)
                if n >= min_area or _filled_area(ys[:n], xs[:n]) >= min_area:
                    _describe(ys[:n], xs[:n], ellipses[found])
                    found += 1
    return ellipses[:found]


@compiled
def _collect(mask: np.ndarray, seen: np.ndarray, y: int, x: int, ys: np.ndarray, xs: np.ndarray) -> int:
    """Write the pixels of the region of `mask` that (y, x) belongs to into `ys` and `xs`; return how many."""
    ny, nx = mask.shape
    ys[0], xs[0], n, k = y, x, 1, 0
    seen[y, x] = True
    while k < n:
        for v in range(max(ys[k] - 1, 0), min(ys[k] + 2, ny)):
            for u in range(max(xs[k] - 1, 0), min(xs[k] + 2, nx)):
                if mask[v, u] and not seen[v, u]:
                    seen[v, u] = True
                    ys[n], xs[n] = v, u
                    n += 1
        k += 1
    return n


@compiled
def _filled_area(ys: np.ndarray, xs: np.ndarray) -> int:
    """Return the area of a region with its holes, which are what no way over edges and corners leads out of."""
    y0, x0 = ys.min() - 1, xs.min() - 1
    ny, nx = ys.max() - y0 + 2, xs.max() - x0 + 2
    outside, seen = np.ones((ny, nx), np.bool_), np.zeros((ny, nx), np.bool_)
    for k in range(ys.size):
        outside[ys[k] - y0, xs[k] - x0] = False
    room = np.empty((2, ny * nx), np.int64)
    return ny * nx - _collect(outside, seen, 0, 0, room[0], room[1])


@compiled
def _describe(ys: np.ndarray, xs: np.ndarray, ellipse: np.ndarray) -> None:
    y, x = ys.mean(), xs.mean()
    vyy, vxx, vxy = 0.0, 0.0, 0.0
    for k in range(ys.size):
        vyy += (ys[k] - y) ** 2
        vxx += (xs[k] - x) ** 2
        vxy += (ys[k] - y) * (xs[k] - x)
    vyy, vxx, vxy = vyy / ys.size, vxx / ys.size, vxy / ys.size
    middle, half = (vyy + vxx) / 2, np.sqrt(((vyy - vxx) / 2) ** 2 + vxy**2)
    ellipse[0], ellipse[1] = x, y
    ellipse[2] = 4 * np.sqrt(max(middle - half, 0.0)) - 1
    ellipse[3] = 4 * np.sqrt(middle + half) - 1
    ellipse[4] = np.arctan2(2 * vxy, vyy - vxx) / 2


@compiled
def _inside(x: int, y: int, minor: int, major: int, angle: float, ny: int, nx: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of a plane inside an ellipse with these half axes."""
    reach = max(minor, major)
    ys, xs = np.empty((2 * reach + 1) ** 2, np.int64), np.empty((2 * reach + 1) ** 2, np.int64)
    n, sine, cosine = 0, np.sin(angle), np.cos(angle)
    if min(minor, major) > 0:
        for v in range(max(y - reach, 0), min(y + reach + 1, ny)):
            for u in range(max(x - reach, 0), min(x + reach + 1, nx)):
                along = ((v - y) * cosine + (u - x) * sine) / major
                across = ((v - y) * sine - (u - x) * cosine) / minor
                if along**2 + across**2 < 1:
                    ys[n], xs[n] = v, u
                    n += 1
    return ys[:n], xs[:n]
