"""The drift along the readout by convolution of the side reference pixels: simple improved reference subtraction.

For every amplifier a kernel of its own turns the pixels at the start of the rows into what it has drifted, another one
those at the end.
"""

from __future__ import annotations

import numpy as np

BORDER = 4
DEVIATIONS_TO_SIGMA = 1.48


def kernels(transforms: np.ndarray, smoothing: float, halfwidth: int) -> np.ndarray:
    """Return the kernels (namplifiers, 2·halfwidth + 1) of which the transforms (namplifiers, nwaves) are given.

    They are smoothed with a Gaussian of `smoothing` pixels (σ).
    """
    middle = transforms.shape[1] - 1
    whole = np.fft.fftshift(np.fft.irfft(transforms, axis=1), axes=1)
    away = np.arange(-halfwidth, halfwidth + 1)
    bell = np.exp(-(away**2) / (2 * smoothing**2))
    cut = whole[:, middle - halfwidth : middle + halfwidth + 1]
    return np.array([np.convolve(kernel, bell / bell.sum(), mode="same") for kernel in cut])


def drifts(planes: np.ndarray, by_column: np.ndarray, left: np.ndarray, right: np.ndarray, limit: float) -> np.ndarray:
    """Return what each amplifier and row (n, namplifiers, nrows) of `planes` (n, nrows, ncolumns) is too high.

    Columns are too high `by_column` (n, ncolumns). Pixels beyond `limit` σ of the median of their side are left out.
    """
    result = np.empty((len(planes), len(left), planes.shape[1]), np.float32)
    for plane, offsets, drift in zip(planes, by_column, result, strict=True):
        ends = ((plane[:, :BORDER] - offsets[:BORDER], left), (plane[:, -BORDER:] - offsets[-BORDER:], right))
        drift[...] = sum(_drift(pixels, kernels, limit) for pixels, kernels in ends)
    return result


def _drift(pixels: np.ndarray, kernels: np.ndarray, limit: float) -> np.ndarray:
    middle = np.median(pixels)
    away = np.abs(pixels - middle)
    good = away <= limit * DEVIATIONS_TO_SIGMA * np.median(away)
    share, level = good.mean(axis=1), np.where(good, pixels, 0).mean(axis=1, dtype=np.float64)
    whole, known, signal = (_convolved(one, kernels) for one in (np.ones_like(share), share, level))
    return np.divide(signal * whole, known, out=np.zeros_like(signal), where=known != 0)


def _convolved(rows: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    return np.array([np.convolve(rows, kernel, mode="same") for kernel in kernels])


def subtract(planes: np.ndarray, drifts: np.ndarray, amplifier: np.ndarray, *, of_columns: bool) -> None:
    """Take what each amplifier has drifted (n, namplifiers, k) off `planes` (n, ny, nx), in place.

    `amplifier` is that of each column, and k counts rows, or the other way round.
    """
    for number in range(drifts.shape[1]):
        owned = np.flatnonzero(amplifier == number)
        if owned.size:
            part = slice(owned[0], owned[-1] + 1)
            if of_columns:
                planes[:, :, part] -= drifts[:, number, :, np.newaxis]
            else:
                planes[:, part, :] -= drifts[:, number, np.newaxis, :]
