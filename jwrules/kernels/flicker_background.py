"""Which pixels of an image show nothing but background, and how bright that is."""

from __future__ import annotations

import threading
import warnings

import numpy as np

from jwrules.kernels import order
from jwrules.kernels.compiled import compiled

LIMIT, LARGEST_BOX, HISTOGRAM_BINS = 3.0, 32, 2000


def clip(
    image: np.ndarray, usable: np.ndarray, lower: float, upper: float, *, below: bool = False, histogram: bool = False
) -> None:
    """Take pixels of `image` out of `usable` (both (ny, nx)), in place: those `lower` σ below or `upper` σ above.

    Centre and σ are the median and the deviation that clipping at 3 σ leaves. With `below` σ is that of the numbers
    below the centre, which diffuse light does not widen; with `histogram` both are those of a Gaussian fitted to
    the histogram of the values.
    """
    mean, middle, sigma = _statistics(image, usable, below)
    if np.isnan(middle):
        return
    center = middle
    if histogram:
        center, sigma = _gaussian(image[usable].astype(np.float64), mean, sigma)
    _keep(image, usable, center - lower * sigma, center + upper * sigma)


@compiled
def _statistics(image: np.ndarray, usable: np.ndarray, below: bool) -> tuple[float, float, float]:
    """Return mean, median and deviation of the usable pixels after clipping."""
    numbers = np.empty(image.size, image.dtype)
    n = _collect(image, usable, numbers)
    if n == 0:
        return np.nan, np.nan, np.nan
    buckets = order.gather(numbers, n)
    mean, middle, sigma = order.clipped(buckets, 0, n, LIMIT)
    if below:
        sigma = order.clipped_below(buckets, 0, n, middle, LIMIT)
    return mean, middle, sigma


@compiled
def _collect(image: np.ndarray, usable: np.ndarray, numbers: np.ndarray) -> int:
    n = 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            numbers[n] = image[y, x]
            n += usable[y, x]
    return n


@compiled
def _keep(image: np.ndarray, usable: np.ndarray, low: float, high: float) -> None:
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            usable[y, x] &= low <= np.float64(image[y, x]) <= high


def _gaussian(values: np.ndarray, mean: float, sigma: float) -> tuple[float, float]:
    """Return centre and width of a Gaussian fitted to the histogram of `values`; mean and sigma where it fails."""
    if not sigma > 0:
        return mean, sigma
    from scipy.optimize import curve_fit  # takes longer to load than most kernels, and few need it

    counts, edges = np.histogram(values, bins=HISTOGRAM_BINS, range=(mean - 4 * sigma, mean + 4 * sigma))
    x = (edges[1:] + edges[:-1]) / 2
    guess = (counts.max(), x[counts.argmax()], sigma)
    bounds = [(0, x[0], 0), (np.inf, x[-1], x[-1] - x[0])]
    try:
        found, _ = curve_fit(_bell, x, counts, p0=guess, bounds=bounds)
    except (RuntimeError, ValueError):
        return mean, sigma
    return float(found[1]), float(found[2])


def _bell(x: np.ndarray, height: float, center: float, width: float) -> np.ndarray:
    return height * np.exp(-(((x - center) / width) ** 2) / 2)


def backdrop(rate: np.ndarray, dark: np.ndarray, n_sigma: float, *, histogram: bool = False) -> np.ndarray:
    """Return where rates (ny, nx) show background: where it is `dark`, without what stands out by `n_sigma`."""
    dark = dark & np.isfinite(rate) & (rate != 0)
    if n_sigma > 0:
        clip(rate, dark, LIMIT, n_sigma, histogram=histogram)
    return dark


def subtract_median(image: np.ndarray, usable: np.ndarray, n_sigma: float) -> float:
    """Take the median of the background off `image`, in place, and light off `usable`; return it.

    Both (ny, nx); `usable` loses what is beyond 3 σ of the centre, then what is beyond `n_sigma` after subtraction.
    """
    return float(_subtract_median(image, usable, n_sigma))


@compiled
def _subtract_median(image: np.ndarray, usable: np.ndarray, n_sigma: float) -> float:
    numbers = np.empty(image.size, image.dtype)
    n = _collect(image, usable, numbers)
    if n == 0:
        return 0.0
    buckets = order.gather(numbers, n)
    low, high = _bounds(buckets, 0, n, LIMIT)
    first, last = order.below(buckets, low, False), order.below(buckets, high, True)
    level = np.float32(order.median(buckets, first, last))
    if n_sigma > 0:
        nearer = _bounds(buckets, first, last, n_sigma)
        low, high = max(low, nearer[0]), min(high, nearer[1])
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            usable[y, x] &= low <= np.float64(image[y, x]) <= high
            image[y, x] -= level
    return np.float64(level)


@compiled
def _bounds(buckets: order.Buckets, first: int, last: int, limit: float) -> tuple[float, float]:
    """Return the bounds `limit` σ about the centre, σ from the numbers below it alone."""
    center = order.clipped(buckets, first, last, LIMIT)[1]
    reach = limit * order.clipped_below(buckets, first, last, center, LIMIT)
    return center - reach, center + reach


_ALONE = threading.Lock()
"""What is warned of is the same for all threads of a process: one at a time changes it, and puts it back."""


def model(image: np.ndarray, usable: np.ndarray, box: tuple[int, int] | None = None) -> np.ndarray | float:
    """Return a smooth background of `image` (ny, nx), from the medians of boxes; the median where there are too few.

    `usable` loses what is beyond 3 σ of the centre. Without `box` it is the largest up to 32 pixels that divides the
    image evenly.
    """
    from astropy.stats import SigmaClip
    from astropy.utils.exceptions import AstropyUserWarning
    from photutils.background import Background2D, MedianBackground

    clip(image, usable, LIMIT, LIMIT, below=True)
    size = box or tuple(max(k for k in range(1, LARGEST_BOX + 1) if n % k == 0) for n in image.shape)
    options = {"sigma_clip": SigmaClip(sigma=LIMIT, maxiters=order.ROUNDS), "bkg_estimator": MedianBackground()}
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyUserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return np.asarray(Background2D(image, size, filter_size=(5, 5), mask=~usable, **options).background)
        except ValueError:
            return float(np.nanmedian(image[usable])) if usable.any() else 0.0


def without_holes(flat: np.ndarray) -> np.ndarray:
    """Return the flat field with a smooth response where it is 0 or has no value."""
    known = np.isfinite(flat) & (flat != 0)
    if known.all():
        return flat
    smooth = np.broadcast_to(model(flat, known.copy()), flat.shape)
    return np.where(known, flat, smooth).astype(np.float32)
