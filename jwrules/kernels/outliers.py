"""Pixels that stand out of what the other exposures of the same sky show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.stats import sigma_clip
from drizzle.resample import blot_image
from scipy import ndimage

_STRIP = 64
_BRIGHT = 10.0
_ENOUGH = 10


@dataclass(frozen=True, kw_only=True)
class Cutout:
    """One resampled exposure, float32, on the part of the common grid that it covers; NaN where it has no value."""

    data: np.ndarray
    rows: slice
    columns: slice


def lowest_weight(weight: np.ndarray, share: float) -> float:
    """Return `share` times the mean of the weights (any shape) that are not 0, clipped 5 times at 3 sigma."""
    known = weight[np.isfinite(weight) & (weight != 0)]
    if not known.size:
        return 0.0
    return share * float(np.mean(sigma_clip(known, sigma=3, maxiters=5, masked=False), dtype=np.float64))


def median(cutouts: Sequence[Cutout], shape: tuple[int, int]) -> np.ndarray:
    """Return the median (ny, nx) of the cutouts that have a value, NaN where none has.

    It is made strip by strip, so that no more is held at once than the cutouts themselves.
    """
    result = np.full(shape, np.nan, np.float32)
    for start in range(0, shape[0], _STRIP):
        stop = min(start + _STRIP, shape[0])
        layers = [
            _strip(one, start, stop, shape[1]) for one in cutouts if one.rows.start < stop and one.rows.stop > start
        ]
        if layers:
            result[start:stop] = nan_median(np.stack(layers))
    return result


def _strip(cutout: Cutout, start: int, stop: int, width: int) -> np.ndarray:
    strip = np.full((stop - start, width), np.nan, np.float32)
    first, last = max(start, cutout.rows.start), min(stop, cutout.rows.stop)
    part = cutout.data[first - cutout.rows.start : last - cutout.rows.start]
    strip[first - start : last - start, cutout.columns] = part
    return strip


def nan_median(stack: np.ndarray) -> np.ndarray:
    """Return the median along the first axis of what is a number, NaN where nothing is."""
    ordered = np.sort(stack, axis=0)
    count = np.isfinite(stack).sum(axis=0)
    low, high = (np.maximum(count - 1, 0) // 2)[None], (count // 2)[None].clip(max=len(stack) - 1)
    middle = [np.take_along_axis(ordered, np.where(count > 0, index, 0), axis=0)[0] for index in (low, high)]
    return np.where(count > 0, 0.5 * (middle[0] + middle[1]), np.float32(np.nan))


def blot(data: np.ndarray, pixmap: np.ndarray) -> np.ndarray:
    """Return the values of `data` (ny, nx) at the places x, y of `pixmap` (my, mx, 2), by linear interpolation.

    It is NaN where one of the four pixels around a place has no value: the library would take the others for it, and
    show a star at the edge as less than it is.
    """
    result = np.full(pixmap.shape[:2], np.nan, np.float32)
    places = np.where(np.isnan(pixmap), -1.0, pixmap)
    blot_image(data=data, pixmap=places, out_img=result, fillval=np.nan, iscale=1.0, interp="linear")
    return np.where(_surrounded(np.isfinite(data), places), result, np.float32(np.nan))


def _surrounded(known: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Whether the four pixels around each place are known."""
    whole = np.pad(known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:], ((1, 2), (1, 2)))
    low = np.floor(places).astype(int) + 1
    columns, rows = np.clip(low[..., 0], 0, whole.shape[1] - 1), np.clip(low[..., 1], 0, whole.shape[0] - 1)
    return whole[rows, columns]


def steepness(image: np.ndarray) -> np.ndarray:
    """Return the largest difference of each pixel (ny, nx) to one of its four neighbours, NaN for NaN pixels."""
    result = np.where(np.isnan(image), np.float32(np.nan), np.float32(0))
    rows, columns = np.abs(np.diff(image, axis=0)), np.abs(np.diff(image, axis=1))
    for part, difference in (
        (result[1:], rows),
        (result[:-1], rows),
        (result[:, 1:], columns),
        (result[:, :-1], columns),
    ):
        np.fmax(part, difference, out=part)
    return result


def outstanding(
    data: np.ndarray,
    noise: np.ndarray,
    expected: np.ndarray,
    sigmas: tuple[float, float],
    slopes: tuple[float, float],
    steep: np.ndarray,
    allowance: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Return which pixels (ny, nx) differ too much from what is `expected` of them.

    A pixel may differ by `sigmas` times its noise, plus `slopes` times the steepness `steep` of the scene, plus an
    `allowance`. Pixels beyond that with the first factors are outliers, and so are their neighbours beyond it with the
    second ones. NaN is no outlier; unknown noise counts as none.
    Source: JWST documentation, outlier detection step, imaging data.
    """
    difference, noise = np.abs(data - expected), np.nan_to_num(noise)
    certain = difference > slopes[0] * steep + sigmas[0] * noise + allowance
    near = ndimage.maximum_filter(certain, size=3, mode="nearest")
    return near & (difference > slopes[1] * steep + sigmas[1] * noise + allowance)


def noise_of(data: np.ndarray, err: np.ndarray, var_poisson: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return the error (ny, nx) that a pixel would have without what it shows in excess of the expected.

    The light of a cosmic ray raises the Poisson variance of its own pixel, and so hides it. The variance grows with the
    signal at a rate that is read off the bright pixels of the image, whatever background was taken off before; without
    some of these the error stays as it is.
    """
    per_signal = _growth(data, err, var_poisson)
    less = np.clip(per_signal * (data - expected), 0.0, var_poisson)
    return np.sqrt(np.maximum(err**2 - np.nan_to_num(less), 0.0))


def _growth(data: np.ndarray, err: np.ndarray, var_poisson: np.ndarray) -> float:
    known = np.isfinite(data) & np.isfinite(err) & np.isfinite(var_poisson)
    if not known.any():
        return 0.0
    sky, variance = np.median(data[known]), np.median(var_poisson[known])
    bright = known & (data - sky > _BRIGHT * err)
    if np.count_nonzero(bright) < _ENOUGH:
        return 0.0
    return max(0.0, float(np.median((var_poisson[bright] - variance) / (data[bright] - sky))))


def window(pixmaps: Sequence[np.ndarray], shape: tuple[int, int], ratio: float) -> tuple[slice, slice] | None:
    """Return the rows and columns of a grid of `shape` (ny, nx) on which images can fall, None where they miss it.

    `pixmaps` (my, mx, 2) are the places x, y of their pixels, `ratio` the size of a pixel of the grid over theirs.
    """
    margin = int(np.ceil(2 / ratio)) + 1
    ranges = []
    for axis, size in ((1, shape[0]), (0, shape[1])):
        reach = np.concatenate([pixmap[..., axis].ravel() for pixmap in pixmaps])
        if not np.isfinite(reach).any():
            return None
        low, high = int(np.floor(np.nanmin(reach))) - margin, int(np.ceil(np.nanmax(reach))) + margin
        ranges.append(slice(max(0, low), min(size, high + 1)))
    return None if any(one.stop <= one.start for one in ranges) else (ranges[0], ranges[1])
