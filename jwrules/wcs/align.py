"""Move images so that their stars fall on each other, or on a catalogue: corrections in the tangent plane of V2, V3.

Matching and fitting are those of the library tweakwcs; a correction becomes the frame `v2v3corr` of the WCS. Images of
one group (detectors of one exposure) are moved together. What could not be aligned is not moved, and lends none of its
stars to the reference catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.table import Table
from gwcs import WCS
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from tweakwcs.correctors import JWSTWCSCorrector
from tweakwcs.linearfit import NotEnoughPointsError, SingularMatrixError
from tweakwcs.matchutils import MatchSourceConfusionError, XYXYMatch
from tweakwcs.wcsimage import RefCatalog, WCSGroupCatalog, WCSImageCatalog

from jwrules.wcs import footprint, overlap
from jwrules.wcs.pointing import Pointing


@dataclass(frozen=True, kw_only=True)
class Field:
    """An image to be aligned: name, group, WCS, pointing, and pixel coordinates x, y (n,) of its stars, 0-based."""

    name: str
    group: str
    wcs: WCS
    pointing: Pointing
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How stars are matched (arcsec) and what is fitted to the matches.

    Matches farther off than `sigma` times the scatter are left out, `nclip` times. The scatter is the rms; in that a
    false match hides behind another, so where `clip` is `robust` those far from the median offset are left out before,
    and the scatter is the mean absolute error.
    """

    searchrad: float
    separation: float
    tolerance: float
    use2dhist: bool = True
    xoffset: float = 0.0
    yoffset: float = 0.0
    minobj: int = 15
    fitgeometry: str = "rshift"
    nclip: int = 3
    sigma: float = 3.0
    clip: str = "robust"

    def farthest(self) -> float:
        """Return how far an image may be moved, arcsec; a larger move comes from a wrong match."""
        start = self.searchrad if self.use2dhist else max(abs(self.xoffset), abs(self.yoffset))
        return 2 * (start + self.tolerance)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """What became of an image: its WCS, and why it was not moved (`reason`) or how well it fits.

    matches: stars behind the fit; rms: scatter of these, arcsec; moved: displacement of the image centre, arcsec.
    """

    wcs: WCS
    aligned: bool
    reason: str = ""
    matches: int = 0
    rms: float = 0.0
    moved: float = 0.0


def relative(
    fields: Sequence[Field], rules: Rules, *, expand: bool = False, keep_order: bool = False
) -> list[Solution]:
    """Return for each image its WCS aligned with the others; the group all others are aligned with stays in place.

    That is the first group by name, or as given where `keep_order`; with `expand` the one with most overlap, and the
    stars of each aligned group join the reference catalogue, so that groups that do not overlap the first are
    reached too.
    """
    groups = _groups(fields, keep_order)
    anchor = groups[0] if keep_order or not expand else max(groups, key=lambda one: one.shared(groups))
    placed = {anchor.name: Solution(wcs=anchor.fields[0].wcs, aligned=True, reason="the others are aligned with it")}
    reference, others = RefCatalog(anchor.stars), [group for group in groups if group is not anchor]
    if expand:
        _align_one_by_one(others, [anchor], reference, rules, placed, keep_order)
    else:
        placed |= {group.name: _align(group, reference, rules) for group in others}
    return _solutions(fields, groups, placed)


def _align_one_by_one(
    pending: list[_Group],
    tied: list[_Group],
    reference: RefCatalog,
    rules: Rules,
    placed: dict[str, Solution],
    keep_order: bool,
) -> None:
    """Align group by group with a catalogue that grows; what fails is tried again when it has grown."""
    while pending:
        order = pending if keep_order else sorted(pending, key=lambda one: -one.shared(tied))
        group = _first_aligned(order, reference, rules, placed)
        if group is None:
            return
        pending.remove(group)
        tied.append(group)
        reference.expand_catalog(group.unmatched())


def absolute(fields: Sequence[Field], radec: np.ndarray, rules: Rules) -> list[Solution]:
    """Return for each image its WCS aligned with the positions `radec` (n, 2), degrees; each group moves on its own."""
    fields = _each_star_once(fields, 0.25 * rules.tolerance)
    groups = _groups(fields, keep_order=True)
    reference = RefCatalog(Table(radec, names=["RA", "DEC"]))
    return _solutions(fields, groups, {group.name: _align(group, reference, rules) for group in groups})


def _each_star_once(fields: Sequence[Field], radius: float) -> list[Field]:
    """Replace the stars of a group that lie within `radius` arcsec of each other by one at their mean place.

    Of several the matching would always take the one with the lowest coordinate, and so move the group.
    """
    group = np.array([field.group for field in fields for _ in field.x])
    if not len(group):
        return list(fields)
    stars = np.concatenate([_directions(field) for field in fields])
    pairs = KDTree(stars).query_pairs(np.deg2rad(radius / 3600), output_type="ndarray")
    pairs = pairs[group[pairs[:, 0]] == group[pairs[:, 1]]]
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(stars), len(stars)))
    _, names = connected_components(links, directed=False)
    _, first, members = np.unique(names, return_index=True, return_inverse=True)
    means = np.stack([np.bincount(members, axis) for axis in stars.T], axis=-1)
    return [_with_stars(*one) for one in _split(fields, first, means)]


def _split(fields: Sequence[Field], first: np.ndarray, means: np.ndarray) -> Iterator[tuple[Field, np.ndarray]]:
    """Give each mean place to the image that has the first star behind it."""
    ends = np.cumsum([len(field.x) for field in fields])
    owner = np.searchsorted(ends, first, side="right")
    for number, field in enumerate(fields):
        yield field, means[owner == number]


def _with_stars(field: Field, directions: np.ndarray) -> Field:
    if not len(directions):
        return replace(field, x=np.empty(0), y=np.empty(0))
    x, y = field.wcs.invert(*overlap.radec(directions).T, with_bounding_box=False)
    return replace(field, x=x, y=y)


def _directions(field: Field) -> np.ndarray:
    return footprint.unit_vectors(footprint.sky(field.wcs, field.x, field.y))


def _groups(fields: Sequence[Field], keep_order: bool) -> list[_Group]:
    """The groups by name or in their order, those without stars last."""
    with_stars = {field.group for field in fields if len(field.x)}
    names = dict.fromkeys(field.group for field in fields)
    order = sorted(names, key=lambda name: (name not in with_stars, "" if keep_order else name))
    return [_Group([field for field in fields if field.group == name]) for name in order]


class _Group:
    """Images that move together."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = fields
        self.name = fields[0].group
        self.borders = [footprint.corners(field.wcs) for field in fields]
        self.restart()

    def restart(self) -> None:
        """Take back any correction."""
        images = [_catalog(field) for field in self.fields]
        self.catalog = WCSGroupCatalog(images, name=self.name, bb_policy=0)

    @property
    def stars(self) -> Table:
        return self.catalog.catalog

    def shared(self, others: Sequence[_Group]) -> float:
        """Area on the sky that the group shares with others."""
        pairs = ((a, b) for other in others if other is not self for a in self.borders for b in other.borders)
        return sum(overlap.area(a, b) for a, b in pairs)

    def unmatched(self) -> Table:
        """The stars that the reference catalogue did not have."""
        return self.catalog.get_unmatched_cat()

    def wcses(self) -> Iterator[WCS]:
        """The corrected WCS of each image."""
        for field, image in zip(self.fields, self.catalog, strict=True):
            wcs = image.corrector.wcs
            wcs.array_shape = field.wcs.array_shape
            yield wcs


def _catalog(field: Field) -> WCSImageCatalog:
    where = field.pointing
    angles = {"v2_ref": float(where.v2), "v3_ref": float(where.v3), "roll_ref": float(where.roll)}
    stars = Table({"x": np.asarray(field.x, float), "y": np.asarray(field.y, float)}, meta={"name": field.name})
    return WCSImageCatalog(stars, JWSTWCSCorrector(field.wcs, angles), name=field.name, group_id=field.group)


class _Match:
    """The matching of tweakwcs; counts what it finds, each star once."""

    def __init__(self, rules: Rules) -> None:
        names = ("searchrad", "separation", "use2dhist", "tolerance", "xoffset", "yoffset")
        self.find = XYXYMatch(**{name: getattr(rules, name) for name in names})
        self.robust = rules.clip == "robust"
        self.count = 0

    def __call__(self, reference: Table, stars: Table, **scale: Any) -> tuple[np.ndarray, np.ndarray]:
        theirs, ours = (np.asarray(index, dtype=int) for index in self.find(reference, stars, **scale))
        _, first = np.unique(ours, return_index=True)
        _, second = np.unique(theirs[first], return_index=True)
        theirs, ours = theirs[first[second]], ours[first[second]]
        if self.robust and len(ours):
            kept = _alike(reference[theirs], stars[ours])
            theirs, ours = theirs[kept], ours[kept]
        self.count = len(ours)
        return theirs, ours


def _alike(reference: Table, stars: Table) -> np.ndarray:
    """Tell which matches have an offset like the others: within seven standard deviations of the median, by medians.

    Wide enough for what a rotation or a scale adds across the field, which the fit has yet to find.
    """
    offsets = np.array([reference[axis] - stars[axis] for axis in ("TPx", "TPy")])
    off = np.abs(offsets - np.median(offsets, axis=1, keepdims=True))
    spread = 1.4826 * np.median(off, axis=1, keepdims=True)
    return np.asarray((off <= 7 * np.maximum(spread, np.finfo(np.float32).eps)).all(axis=0))


def _first_aligned(
    groups: Sequence[_Group], reference: RefCatalog, rules: Rules, placed: dict[str, Solution]
) -> _Group | None:
    """Align the first group for which that works; what became of each is noted in `placed`."""
    for group in groups:
        placed[group.name] = _align(group, reference, rules)
        if placed[group.name].aligned:
            return group
    return None


def _align(group: _Group, reference: RefCatalog, rules: Rules) -> Solution:
    unmoved = Solution(wcs=group.fields[0].wcs, aligned=False)
    if not len(group.stars):
        return replace(unmoved, reason="no stars were found in it")
    group.restart()
    match = _Match(rules)
    scatter = "mae" if rules.clip == "robust" else "rmse"
    options = {
        "sigma": (rules.sigma, scatter),
        "minobj": rules.minobj,
        "fitgeom": rules.fitgeometry,
        "nclip": rules.nclip,
    }
    try:
        done = group.catalog.align_to_ref(reference, match=match, **options)
    except (MatchSourceConfusionError, NotEnoughPointsError, SingularMatrixError) as reason:
        return replace(unmoved, reason=f"the matched stars admit no fit ({reason})", matches=match.count)
    if not done:
        few = f"{match.count} of its {len(group.stars)} stars match, {rules.minobj} are needed"
        return replace(unmoved, reason=few, matches=match.count)
    moved = _displacement(group)
    if moved > rules.farthest():
        return replace(unmoved, reason=f"it would move by {moved:.2f} arcsec, more than {rules.farthest():.2f}")
    fit = group.catalog[0].fit_info
    return replace(unmoved, aligned=True, matches=int(fit["fitmask"].sum()), rms=float(fit["rmse"]), moved=moved)


def _displacement(group: _Group) -> float:
    """The largest displacement of a corner, arcsec."""
    before = footprint.unit_vectors(np.concatenate(group.borders))
    after = footprint.unit_vectors(np.concatenate([footprint.corners(wcs) for wcs in group.wcses()]))
    return float(np.rad2deg(2 * np.arcsin(0.5 * np.linalg.norm(after - before, axis=1).max())) * 3600)


def _solutions(fields: Sequence[Field], groups: Sequence[_Group], placed: dict[str, Solution]) -> list[Solution]:
    moved = {
        id(field): wcs
        for group in groups
        if placed[group.name].aligned and placed[group.name].matches
        for field, wcs in zip(group.fields, group.wcses(), strict=True)
    }
    return [replace(placed[field.group], wcs=moved.get(id(field), field.wcs)) for field in fields]
