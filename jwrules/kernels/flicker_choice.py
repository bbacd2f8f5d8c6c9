"""Which background and which lines suit an image, from its own look: the heuristics of the official pipeline.

The image is cleaned for a trial; how much of it is light, how it slopes, and how its amplifiers differ, decides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from astropy.stats import sigma_clipped_stats

from jwrules.kernels import flicker, flicker_background

FULL, AMPLIFIERS = 2048, 4


class Limits(NamedTuple):
    """What is much: share of light, offset of amplifiers, slopes where offsets are small and large, and so on.

    `ratio` is that of the slopes along both axes, `scatter` that of the channel's profile about a line; offsets and
    slopes are DN/s and DN/s per pixel.
    """

    light: float
    offset: float
    slope_low_offset: float
    slope_high_offset: float
    ratio: float
    scatter: float


NIRCAM = Limits(0.1, 0.07, 1e-5, 1e-5, 3.0, 0.02)
NIRISS = Limits(0.07, 0.07, 1e-5, 1e-4, 5.0, 0.02)


class Look(NamedTuple):
    """What was measured, in the units of Limits."""

    light: float
    offset: float
    slope: float
    ratio: float
    scatter: float


def choose(look: Look, limits: Limits) -> tuple[str, bool]:
    """Return the background ('median' or 'model') and whether amplifiers are to be looked at one by one."""
    lit, offset = look.light >= limits.light, look.offset >= limits.offset
    steep = look.slope >= (limits.slope_high_offset if offset else limits.slope_low_offset)
    if lit:
        return ("model" if steep else "median"), False
    if offset:
        return "median", True
    very_steep = look.slope >= limits.slope_high_offset
    model = very_steep or (look.slope >= limits.slope_low_offset and look.ratio < limits.ratio)
    return ("model" if model else "median"), bool(look.offset > 0 and look.scatter >= limits.scatter)


def look(rate: np.ndarray, flat: np.ndarray, lines: flicker.Lines) -> Look:
    """Return what a draft rate (ny, nx) looks like after a trial cleaning, over the flat (ny, nx; empty: none)."""
    image, background = _cleaned(rate / flat if flat.size else rate.copy(), lines)
    smooth = flicker_background.model(image, background)
    image = np.where(background, image, smooth)
    with np.errstate(divide="ignore", invalid="ignore"):
        across, along = (np.nanmean(_middle(one, 3, 8), axis=0) for one in (image, image.T))
        _, slope_x, scatter_x = _line(across)
        _, slope_y, _ = _line(along)
        slopes = np.abs([slope_x, slope_y])
        ratio = float(slopes.max() / slopes.min())
    if lines.rows:
        offset, scatter = _largest_offset(across), scatter_x
    else:
        offset, scatter = _largest_offset(along), _line(np.nanmean(_rows(image, 10, 11, 12), axis=0))[2]
    return Look(float(np.mean(~background)), offset, float(slopes.max()), ratio, scatter)


def _cleaned(image: np.ndarray, lines: flicker.Lines) -> tuple[np.ndarray, np.ndarray]:
    """Return the image without the medians of its lines, and where it shows background."""
    no_value = np.isnan(image)
    usable = ~no_value
    image[no_value] = 0
    flicker_background.clip(image, usable, 3.0, 2.0)
    level = flicker_background.subtract_median(image, usable, 0.0)
    flicker_background.clip(image, usable, 3.0, 2.0, below=True)
    excess = np.zeros((1, image.shape[0 if lines.rows else 1]))
    flicker.stripes(image, usable, lines._replace(parts=1), excess)
    image -= (excess.T if lines.rows else excess).astype(np.float32)
    image += np.float32(level)
    image[no_value] = np.nan
    return image, usable


def _middle(image: np.ndarray, first: int, of: int) -> np.ndarray:
    return _rows(image, first, of - first, of)


def _rows(image: np.ndarray, first: int, last: int, of: int) -> np.ndarray:
    return image[round(first * len(image) / of) : round(last * len(image) / of)]


def _line(profile: np.ndarray) -> tuple[float, float, float]:
    """Return intercept, slope and scatter of a straight line through the finite values of a profile."""
    x, y = np.flatnonzero(np.isfinite(profile)), profile[np.isfinite(profile)]
    fit = np.polynomial.Polynomial.fit(x, y, deg=1)
    intercept, slope = (*fit.convert().coef, 0.0)[:2]
    return float(intercept), float(slope), float(sigma_clipped_stats(y - fit(x), sigma=10.0)[2])


def _largest_offset(profile: np.ndarray) -> float:
    """Return the largest difference of neighbouring amplifiers, 0 for a subarray."""
    if profile.size != FULL:
        return 0.0
    means = [sigma_clipped_stats(part, sigma=3.0)[0] for part in np.split(profile, AMPLIFIERS)]
    return float(np.abs(np.diff(means)).max())
