"""Pictures that fall on a detector: what of it is lit how brightly, without a model of the sky or the optics.

A picture is an array (ny, nx) in which 1 fills a pixel within an integration; it is smooth where it is not dark, its
brightest pixels saturate, and much of it is faint.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SKY = 0.01


def _grid(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.indices(shape, sparse=True)
    return y, x


def _profile(distance: np.ndarray, width: float) -> np.ndarray:
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


def none(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Nothing: a dark exposure."""
    return np.zeros(shape)


def star(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return one star in the middle, with a halo; two pixels or so saturate."""
    y, x = _grid(shape)
    away = np.hypot(y - shape[0] / 2 + 0.7, x - shape[1] / 2 + 0.2)
    return SKY + 1.6 * _profile(away, 1.1) + 0.08 * _profile(away, 5.0)


def stars(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return stars all over the place."""
    picture = np.full(shape, SKY)
    y, x = _grid(shape)
    for _ in range(max(8, shape[0] * shape[1] // 12_000)):
        away = np.hypot(y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1]))
        picture += 10 ** rng.uniform(-2, 0.5) * _profile(away, 1.2)
    return picture


def ring(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return what passes a coronagraph: a ring of light around a dark middle."""
    y, x = _grid(shape)
    up, right = y - shape[0] / 2, x - shape[1] / 2
    lobes = 1 + 0.8 * np.cos(4 * np.arctan2(up, right))
    return SKY + 0.35 * _profile(np.hypot(up, right) - 12, 5.0) * lobes


def spectrum(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return one spectrum along the rows; a little of its middle saturates."""
    y, x = _grid(shape)
    along = 0.25 + 0.95 * _profile(x - 0.45 * shape[1], 0.12 * shape[1])
    return SKY + along * _profile(y - shape[0] / 2, 1.4)


def trace(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return two spectra that bend, the second one fainter."""
    y, x = _grid(shape)
    bend = 0.2 * shape[0] * (x / shape[1] - 0.5) ** 2
    first = (0.2 + 0.9 * _profile(x - 0.4 * shape[1], 0.15 * shape[1])) * _profile(y - 0.3 * shape[0] - bend, 6.0)
    return SKY + first + 0.15 * _profile(y - 0.6 * shape[0] + 2 * bend, 6.0)


def spectra(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return spectra along the rows, of many brightnesses."""
    picture = np.full(shape, SKY)
    y, x = _grid(shape)
    for _ in range(max(3, shape[0] // 40)):
        along = 1 + 0.3 * np.sin(2 * np.pi * (x / shape[1] + rng.uniform()))
        picture += 10 ** rng.uniform(-2, 0.2) * along * _profile(y - rng.uniform(0, shape[0]), 1.4)
    return picture


def slices(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return the slices of an integral field, along the columns, with gaps between them."""
    y, x = _grid(shape)
    within = np.clip(1.4 - np.abs(x % 30 - 15) / 10, 0, 1)
    return SKY + 0.3 * within * (1 + 0.8 * np.sin(2 * np.pi * y / 90)) + 0.8 * _profile(x - shape[1] / 3, 2.0)


def prism(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return one spectrum along the columns, bright at one end."""
    y, x = _grid(shape)
    along = 1.2 * np.exp(-3.0 * y / shape[0])
    return 2 * SKY + along * _profile(x - 0.53 * shape[1], 1.6)


PICTURES: dict[str, Callable[[tuple[int, int], np.random.Generator], np.ndarray]] = {
    one.__name__: one for one in (none, star, stars, ring, spectrum, trace, spectra, slices, prism)
}
