"""Ramps of a detector whose response bends, made with numpy alone."""

from __future__ import annotations

import numpy as np
from ramp_scene import ramp, reference

from jwrules.products.kinds import Linearity, Ramp

FULL_WELL = 60000.0


def response(light: np.ndarray) -> np.ndarray:
    """Return what is read of the light (DN): 8 % less at full well, and the more bent the fuller."""
    full = light / FULL_WELL
    return np.asarray(light * (1 - 0.05 * full - 0.03 * full**3))


def curved(frames: int, ngroups: int = 9, pixels: int = 40) -> tuple[Ramp, Linearity, np.ndarray]:
    """Return ramps of many rates up to 90 % of full well, polynomials in both directions, and the linear truth."""
    ends = np.linspace(0.05, 0.9, pixels) * FULL_WELL
    light = np.arange(1, ngroups * frames + 1)[:, np.newaxis] / (ngroups * frames) * ends
    truth, read = (values.reshape(ngroups, frames, 1, pixels).mean(axis=1) for values in (light, response(light)))
    grid = np.linspace(0, FULL_WELL, 3000)
    straight = np.polynomial.Polynomial.fit(response(grid), grid, 6, domain=[]).coef
    bent = np.polynomial.Polynomial.fit(grid, response(grid), 6, domain=[]).coef
    cubes = {name: np.tile(terms[:, None, None], (1, 1, pixels)) for name, terms in (("c", straight), ("i", bent))}
    curve = reference(Linearity, coeffs=cubes["c"], inv_coeffs=cubes["i"] if frames > 1 else None)
    return ramp(read, NFRAMES=frames), curve, truth[np.newaxis]
