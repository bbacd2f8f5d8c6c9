"""Ramps of a detector whose response bends, made with numpy alone."""

from __future__ import annotations

import numpy as np
from ramp_scene import ramp, reference

from jwrules.products.kinds import Linearity, Ramp

FULL_WELL = 60000.0


STRAIGHT = np.array([0, 1, 0.06 / FULL_WELL, 0, 0.04 / FULL_WELL**3])
"""The polynomial from what is read to the light, lowest order first."""


def response(light: np.ndarray) -> np.ndarray:
    """Return what is read of the light (DN): up to 9 % less, and the more bent the fuller."""
    read = light.copy()
    for _ in range(60):
        read = light / (1 + np.polynomial.polynomial.polyval(read, STRAIGHT[2:]) * read)
    return np.asarray(read)


def curved(frames: int, ngroups: int = 9, pixels: int = 40) -> tuple[Ramp, Linearity, np.ndarray]:
    """Return ramps of many rates up to 90 % of full well, polynomials in both directions, and the linear truth."""
    ends = np.linspace(0.05, 0.9, pixels) * FULL_WELL
    light = np.arange(1, ngroups * frames + 1)[:, np.newaxis] / (ngroups * frames) * ends
    truth, read = (values.reshape(ngroups, frames, 1, pixels).mean(axis=1) for values in (light, response(light)))
    grid = np.linspace(1, 1.1 * FULL_WELL, 3000) / FULL_WELL
    share = np.polynomial.polynomial.polyfit(grid, response(grid * FULL_WELL) / (grid * FULL_WELL), 6)
    bent = np.concatenate([[0], share / FULL_WELL ** np.arange(7)])
    cubes = {name: np.tile(terms[:, None, None], (1, 1, pixels)) for name, terms in (("c", STRAIGHT), ("i", bent))}
    curve = reference(Linearity, coeffs=cubes["c"], inv_coeffs=cubes["i"] if frames > 1 else None)
    return ramp(read, NFRAMES=frames), curve, truth[np.newaxis]
