"""Ramps with flicker (1/f) noise of known size, made with numpy alone: sky, stars, an extended source, white noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ramp_scene import ramp

from jwrules.products.kinds import Note, Ramp

OVERHEAD = 12
"""Pixels that pass between two lines."""


@dataclass(frozen=True)
class Scene:
    """An exposure, its true rates (DN/s), and the noise that it would have without flicker."""

    ramp: Ramp
    truth: np.ndarray
    white: Ramp
    sky: float


def flicker(random: np.random.Generator, lines: int, length: int, sigma: float) -> np.ndarray:
    """Return 1/f noise (lines, length) of one amplifier, in order of readout, with the deviation `sigma`."""
    n = lines * (length + OVERHEAD)
    frequency = np.fft.rfftfreq(n)
    amplitude = np.zeros(frequency.size)
    amplitude[1:] = frequency[1:] ** -0.5
    waves = amplitude * (random.normal(size=frequency.size) + 1j * random.normal(size=frequency.size))
    stream = np.fft.irfft(waves, n)
    return (sigma * stream / stream.std()).reshape(lines, -1)[:, :length]


def frame(random: np.random.Generator, shape: tuple[int, int], sigma: float, amplifiers: int) -> np.ndarray:
    """Return the flicker of one frame whose rows are lines; each amplifier has its own, of adjacent columns."""
    lines, nx = shape
    return np.hstack([flicker(random, lines, nx // amplifiers, sigma) for _ in range(amplifiers)])


def light(shape: tuple[int, int], sky: float, stars: int, extended: float, seed: int) -> np.ndarray:
    """Return rates (DN/s): sky, stars, and an exponential disc of 20 pixels across (its half-light diameter)."""
    random = np.random.default_rng(seed)
    y, x = np.indices(shape)
    image = np.full(shape, sky)
    for flux, v, u in zip(
        10 ** random.uniform(1, 4, stars), *(random.uniform(0, n, stars) for n in shape), strict=True
    ):
        image += flux / (2 * np.pi) * np.exp(-((y - v) ** 2 + (x - u) ** 2) / 2)
    radius = np.hypot(*(i - n // 2 for i, n in zip((y, x), shape, strict=True)))
    return image + extended * np.exp(-radius / (10 / 1.678))


def exposure(
    shape: tuple[int, int] = (256, 256),
    *,
    nints: int = 1,
    ngroups: int = 5,
    sigma: float = 3.0,
    amplifiers: int = 1,
    sky: float = 1.0,
    stars: int = 40,
    extended: float = 3.0,
    gain: float = 2.0,
    readnoise: float = 8.0,
    tgroup: float = 40.0,
    seed: int = 1,
    **keywords: Any,
) -> Scene:
    """Return a scene whose lines are rows."""
    random = np.random.default_rng(seed)
    truth = light(shape, sky, stars, extended, seed)
    photons = random.poisson(truth * gain * tgroup, (nints, ngroups, *shape)).cumsum(axis=1) / gain
    white = photons + random.normal(0, readnoise / np.sqrt(2), photons.shape)
    noise = [frame(random, shape, sigma, amplifiers) for _ in range(nints * ngroups)]
    data = white + np.reshape(noise, photons.shape)
    known = {"TFRAME": tgroup, "TGROUP": tgroup, "EXP_TYPE": "NRC_IMAGE", "FASTAXIS": 1, "SLOWAXIS": 2} | keywords
    return Scene(ramp(data, **known), truth, ramp(white, **known), sky)


def segment(product: Ramp, first: int, last: int) -> Ramp:
    """Return some integrations of an exposure, as a step on frames is handed them."""
    notes = {k: Note(n.array[first:last] if n.axes[0] == "i" else n.array, n.axes) for k, n in product.notes.items()}
    return replace(product, data=product.data[first:last].copy(), groupdq=product.groupdq[first:last], notes=notes)


def band(product: Ramp, first: int, last: int) -> Ramp:
    """Return some rows of an exposure, as a step on ramps is handed them."""
    data, groupdq = (np.ascontiguousarray(one[:, :, first:last]) for one in (product.data, product.groupdq))
    return replace(product, data=data, groupdq=groupdq, pixeldq=product.pixeldq[first:last])


def transposed(made: Ramp, **keywords: Any) -> Ramp:
    """Return the exposure as a detector has it whose lines are columns."""
    turned = ramp(np.swapaxes(made.data, 2, 3), **(dict(made.meta.primary) | {"FASTAXIS": 2, "SLOWAXIS": 1} | keywords))
    turned.groupdq[...] = np.swapaxes(made.groupdq, 2, 3)
    return turned


def rate(made: Ramp) -> np.ndarray:
    """Return the slope of every pixel (DN/s) over all integrations: ramps without flags are fitted by least squares."""
    groups = made.data.mean(axis=0, dtype=np.float64)
    time = float(made.meta["TGROUP"]) * np.arange(len(groups))
    time -= time.mean()
    return np.tensordot(time, groups, 1) / (time @ time)


def line_rms(scene: Scene, cleaned: Ramp, amplifiers: int = 1) -> float:
    """Return the scatter of the means of the lines of each amplifier, in units of what white noise alone leaves."""
    return _scatter_of_lines(rate(cleaned) - scene.truth, amplifiers) / _scatter_of_lines(
        rate(scene.white) - scene.truth, amplifiers
    )


def _scatter_of_lines(residual: np.ndarray, amplifiers: int) -> float:
    means = residual.reshape(len(residual), amplifiers, -1).mean(axis=2)
    return float(np.std(means - means.mean(axis=0)))


def bias(scene: Scene, cleaned: Ramp, radius: float = 10.0) -> float:
    """Return by how much the extended source is too bright against its surroundings, as a share of its flux.

    What white noise does to it is not counted.
    """
    y, x = np.indices(scene.truth.shape, sparse=True)
    distance = np.hypot(y - scene.truth.shape[0] // 2, x - scene.truth.shape[1] // 2)
    inside, around = distance <= radius, (distance > 60) & (distance < 100)
    error = rate(cleaned) - rate(scene.white)
    flux = float((scene.truth[inside] - scene.sky).sum())
    return float((error[inside] - np.median(error[around])).sum()) / flux
