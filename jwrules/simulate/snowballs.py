"""Snowballs: particles that fill a disc of pixels at once, and leave charge in a wide ring around it."""

from __future__ import annotations

import numpy as np

from jwrules.simulate.pixels import Pixels

CORE = (2.0, 6.0)
HALO = (2.5, 4.0)
BRIGHT, FAINT = 4000.0, 30.0
"""Charge (electron) at the inner and at the outer edge of the ring."""

SNOWBALL = [("integration", "i4"), ("group", "i4"), ("frame", "i4"), ("y", "f4"), ("x", "f4"), ("core", "f4"),
            ("halo", "f4")]  # fmt: skip
TOUCHED = [("integration", "i4"), ("group", "i4"), ("frame", "i4"), ("y", "i4"), ("x", "i4"), ("electrons", "f4"),
           ("is_core", "?")]  # fmt: skip


def fall(pixels: Pixels, per_million: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the snowballs that come by, and every charge that they leave; so many are expected per 10^6 pixels.

    Each has a core, a disc of pixels that it fills, and a halo, in which the charge falls by powers towards its edge
    (radii in pixels). Without any no random number is drawn.
    """
    ny, nx = pixels.window.shape
    number = rng.poisson(per_million * ny * nx / 1e6) if per_million else 0
    events, touched = np.zeros(number, SNOWBALL), [np.zeros(0, TOUCHED)]
    for event in events:
        event["y"], event["x"], event["core"] = rng.uniform(0, ny), rng.uniform(0, nx), rng.uniform(*CORE)
        event["halo"] = event["core"] * rng.uniform(*HALO)
        touched.append(_touched(pixels, event, rng))
    return events, np.concatenate(touched)


def _touched(pixels: Pixels, event: np.void, rng: np.random.Generator) -> np.ndarray:
    y, x = np.indices(pixels.window.shape, sparse=True)
    radius = np.hypot(y - event["y"], x - event["x"])
    rows, columns = np.nonzero((radius < event["halo"]) & ~pixels.reference)
    away = radius[rows, columns]
    core = away < event["core"]
    outwards = np.clip((away - event["core"]) / (event["halo"] - event["core"]), 0, 1)
    ring = rng.poisson(BRIGHT * (FAINT / BRIGHT) ** outwards)
    well = 1.5 * pixels.well[rows, columns] * pixels.gain[rows, columns]
    touched = np.zeros(len(rows), TOUCHED)
    touched["y"], touched["x"], touched["is_core"] = rows, columns, core
    touched["electrons"] = np.where(core, well, ring)
    return touched
