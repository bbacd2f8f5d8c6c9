"""Find the sky levels that make overlapping images agree, and write them down or subtract them.

`match` compares the sky of every pair of exposures where they overlap on the sky and solves for the levels that make
all pairs agree, in the sense of least squares; only differences are known, so one level is zero: the lowest
(`match_down`) or the highest. `local` measures every exposure on its own, `global` gives all of them the lowest of
these, `global+match` matches first and then takes out the lowest common level, `user` takes the levels from a file.
Images of one exposure in several detectors share their level. An image that overlaps no other keeps no level.
The level is stored in BKGLEVEL and left in the image unless `subtract` is set (BKGSUB). The default statistic, the
mode, scatters by a tenth of the noise of a pixel or so; the median is steadier where the sky is empty.
Source: JWST documentation, Sky Matching step.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels.sky_levels import Sky, match
from jwrules.products import bits, catalog, exposures
from jwrules.products.kinds import Image, Images
from jwrules.steps.declare import Skip, par, step
from jwrules.wcs.overlap import outline, overlap

log = logging.getLogger("jwrules")

_METHODS = ("match", "local", "global", "global+match", "user")


@dataclass(frozen=True, kw_only=True)
class Params:
    """What is measured, where, and what is done with it."""

    skymethod: str = par("match", "how the sky levels are found", choices=_METHODS)
    match_down: bool = par(True, "match to the exposure with the lowest sky, else to the highest")
    subtract: bool = par(False, "subtract the levels from the images")
    skylist: str | None = par(None, "file of lines 'image level' for the method user", file=True)
    stepsize: int | None = par(None, "distance of the vertices of the outlines; none: corners only", unit="pixel", ge=1)
    skystat: str = par("mode", "statistic of the sky", choices=("mode", "median", "midpt", "mean"))
    dqbits: str | None = par("~DO_NOT_USE+NON_SCIENCE", "DQ flags that do no harm, or after ~ those that do")
    lower: float | None = par(None, "pixels below are not used", unit="of the image")
    upper: float | None = par(None, "pixels above are not used", unit="of the image")
    nclip: int = par(5, "number of clippings", ge=0)
    lsigma: float = par(4.0, "clipping below the mean", unit="sigma", ge=0)
    usigma: float = par(4.0, "clipping above the mean", unit="sigma", ge=0)
    binwidth: float = par(0.1, "bins of the histogram for mode and midpt", unit="sigma", gt=0)


@step(status="S_SKYMAT")
def skymatch(images: Images, params: Params) -> Images:
    """Return the images with BKGMETH, BKGLEVEL and BKGSUB, and without that sky where `subtract` is set."""
    for image in images:
        _check(image, params)
    if params.skymethod == "user":
        return tuple(_with(image, level, params) for image, level in zip(images, _listed(images, params), strict=True))
    groups = list(exposures.groups(images).values())
    if len(groups) == 1 and params.skymethod == "match":
        raise Skip("there is one exposure only, nothing to match it with")
    levels = _levels([_Patch(image, params) for image in images], groups, params)
    of_image = {index: level for group, level in zip(groups, levels, strict=True) for index in group}
    return tuple(_with(image, of_image[index], params) for index, image in enumerate(images))


def _check(image: Image, params: Params) -> None:
    """Images whose sky was already subtracted are matched further; the other way round the levels are lost."""
    if image.meta.get("BKGSUB") and not params.subtract:
        raise CannotRun(f"{image.meta.source}: its sky was subtracted before (BKGSUB=T); set 'subtract: true'")


class _Patch:
    """The usable pixels of an image, and where they are."""

    def __init__(self, image: Image, params: Params) -> None:
        self.data, self.wcs, self.name = image.data, image.wcs, image.meta.source
        self.usable = bits.good(image.dq, params.dqbits) & np.isfinite(image.data)
        self.border = outline(image.wcs, image.data.shape, params.stepsize)

    def values(self, others: Sequence[_Patch]) -> np.ndarray:
        """The usable pixels that one of the others covers."""
        covered = [overlap(self.wcs, self.data.shape, self.border, other.border) for other in others]
        return self.data[np.logical_or.reduce(covered) & self.usable]


def _levels(patches: Sequence[_Patch], groups: Sequence[list[int]], params: Params) -> np.ndarray:
    """The level of each group; NaN where it cannot be told."""
    sky = Sky(
        statistic=params.skystat,
        lower=params.lower,
        upper=params.upper,
        clips=params.nclip,
        lower_sigma=params.lsigma,
        upper_sigma=params.usigma,
        bin_width=params.binwidth,
    )
    members = [[patches[index] for index in group] for group in groups]
    if params.skymethod == "match":
        return _matched(members, sky, params)
    own = np.array([min(_finite(sky.level(p.data[p.usable])[0] for p in group), default=np.nan) for group in members])
    if params.skymethod == "local":
        return own
    matched = (
        np.nan_to_num(_matched(members, sky, params)) if params.skymethod == "global+match" else np.zeros(len(own))
    )
    return matched + min(_finite(own - matched), default=np.nan)


def _finite(values: object) -> list[float]:
    return [value for value in values if np.isfinite(value)]  # type: ignore[attr-defined]


def _matched(members: Sequence[Sequence[_Patch]], sky: Sky, params: Params) -> np.ndarray:
    shape = (len(members), len(members))
    levels, counts = np.full(shape, np.nan), np.zeros(shape)
    for i, j in np.ndindex(shape):
        if i != j:
            levels[i, j], counts[i, j] = _shared(members[i], members[j], sky)
    deltas = match(levels, counts)
    for group, delta in zip(members, deltas, strict=True):
        if np.isnan(delta):
            log.warning("skymatch: %s overlaps no other exposure, its sky is not matched", _names(group))
    reference = np.min if params.match_down else np.max
    return deltas - reference(_finite(deltas) or [0.0])


def _shared(group: Sequence[_Patch], others: Sequence[_Patch], sky: Sky) -> tuple[float, float]:
    """Sky of a group where the others overlap it, and the pixels behind it."""
    found = [sky.level(patch.values(others)) for patch in group]
    pixels = sum(count for _, count in found)
    return (sum(level * count for level, count in found if count) / pixels, pixels) if pixels else (np.nan, 0.0)


def _names(group: Sequence[_Patch]) -> str:
    return ", ".join(patch.name for patch in group)


def _listed(images: Images, params: Params) -> list[float]:
    if params.skylist is None:
        raise CannotRun("'skymethod: user' needs the file 'skylist' with lines 'image level'")
    levels = {_stem(name): level for name, level in catalog.sky_levels(params.skylist).items()}
    missing = [image.meta.source for image in images if _stem(image.meta.source) not in levels]
    if missing:
        raise CannotRun(f"{params.skylist} has no line for {', '.join(missing)}")
    return [levels[_stem(image.meta.source)] for image in images]


def _stem(name: str) -> str:
    """The file name without its suffix: jw..._nrca1_cal.fits and jw..._nrca1_rate.fits are one image."""
    return Path(name).stem.rpartition("_")[0] or Path(name).stem


def _with(image: Image, level: float, params: Params) -> Image:
    if not np.isfinite(level):
        return exposures.declined(image, "skymatch", "no sky level could be told: too few usable or shared pixels")
    before = image.meta.get("BKGLEVEL", 0.0) if image.meta.get("BKGSUB") else 0.0
    keywords = {"BKGMETH": params.skymethod, "BKGLEVEL": float(before + level), "BKGSUB": params.subtract}
    log.info("skymatch: %s: sky level %.6g", image.meta.source, keywords["BKGLEVEL"])
    data = image.data - np.float32(level) if params.subtract else image.data
    return replace(image, data=data, meta=image.meta.updated(**keywords))
