"""Three ways to find flicker noise and to take it off a ramp, for clean_flicker_noise, and what is written of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jwrules.kernels import flicker as kernel
from jwrules.kernels import flicker_background, flicker_ramps, typical_ramp
from jwrules.products.flags import DQ
from jwrules.products.illumination import Sky
from jwrules.products.kinds import (
    FlickerBackground,
    FlickerNoise,
    Product,
    Ramp,
    ShownBackground,
    ShownBackgrounds,
)
from jwrules.steps.parts.flicker_readout import waves

if TYPE_CHECKING:
    from jwrules.steps.clean_flicker_noise import Params

UNUSABLE = int(DQ.DO_NOT_USE | DQ.JUMP_DET)


class View(NamedTuple):
    """How groups are looked at: where there may be background, the flat or nothing, lines, how light is told."""

    sky: Sky
    response: np.ndarray
    lines: kernel.Lines
    method: kernel.Method


def against_draft(ramp: Ramp, view: View, params: Params, levels: np.ndarray) -> np.ndarray:
    """Clean groups of what draft rates do not let expect; return where (n, ny, nx) there is background."""
    sky, response = view.sky, view.response
    rates = _rates(ramp) / response if response.size else _rates(ramp)
    method = view.method._replace(n_sigma=sky.n_sigma)
    found = [
        flicker_ramps.scene(rate, one, view.lines, method, histogram=params.fit_histogram)
        for rate, one in sky.of(rates)
    ]
    scene, background = np.array([one.rates for one in found]), np.array([one.background for one in found])
    scene = scene * response if response.size else scene
    seconds, unusable = float(ramp.meta["TGROUP"]), UNUSABLE | int(DQ.SATURATED)
    flicker_ramps.subtract(ramp.data, ramp.groupdq, scene, background, response, view.lines, seconds, unusable)
    for i in range(len(levels)):
        levels[i, 1:] = found[min(i, len(found) - 1)].level * np.float32(seconds)
    return background


def against_previous(ramp: Ramp, view: View, params: Params, levels: np.ndarray) -> np.ndarray:
    """Clean groups of the noise in their differences; return where (n, ny, nx) there is background."""
    background = _backdrops(ramp, view, params)
    measured = ramp.data, ramp.groupdq, background, view.response
    if params.fit_method == "fft":

        def noise_of(image: np.ndarray, usable: np.ndarray) -> np.ndarray:
            return waves(image, usable, ramp.meta, params.weighting)

        kernel.clean(*measured, view.method, UNUSABLE, levels, noise_of)
    else:
        excess = kernel.excess(*measured, view.lines, view.method, UNUSABLE, levels)
        kernel.subtract(ramp.data, excess, view.response, view.lines)
    return background


def against_typical(ramp: Ramp, view: View, params: Params, levels: np.ndarray) -> np.ndarray:
    """Clean groups of what the median integration does not have; return where (n, ny, nx) there is background."""
    background, typical, rate = _backdrops(ramp, view, params), ramp.notes["typical"], ramp.notes["typical rate"]
    light = ~_backdrop(rate.array, view.sky.common, view, params)
    scales = typical_ramp.scales(_rates(ramp), rate.array, light)
    excess = kernel.excess_beyond(ramp.data, typical.array, scales, background, view.response, view.lines)
    kernel.subtract(ramp.data, excess, view.response, view.lines)
    for i in range(len(levels)):
        levels[i] = np.float32(scales[i]) * typical.array
    return background


def beside(
    ramp: Ramp, params: Params, background: np.ndarray, levels: np.ndarray, before: np.ndarray
) -> dict[str, Product]:
    """Return what is to be written of a cleaned ramp, by suffix; what `before` holds is written over.

    `background` (ny, nx), or of each integration, shows where there is some, `levels` how bright it is.
    """
    found: dict[str, Product] = {}
    if params.save_mask:
        kind = ShownBackgrounds if background.ndim == 3 else ShownBackground
        found["mask"] = kind(data=background.astype(np.float32), meta=ramp.meta.without_sci("BUNIT"))
    if params.save_background:
        found["flicker_bkg"] = FlickerBackground(data=levels, meta=ramp.meta)
    if params.save_noise:
        found["flicker_noise"] = FlickerNoise(data=np.subtract(ramp.data, before, out=before), meta=ramp.meta)
    return found


def _rates(ramp: Ramp) -> np.ndarray:
    note = ramp.notes["rates" if "rates" in ramp.notes else "rate"]
    return note.array.reshape(-1, *ramp.data.shape[2:])


def _backdrops(ramp: Ramp, view: View, params: Params) -> np.ndarray:
    return np.array([_backdrop(rate, one, view, params) for rate, one in view.sky.of(_rates(ramp))])


def _backdrop(rate: np.ndarray, dark: np.ndarray, view: View, params: Params) -> np.ndarray:
    rate = rate / view.response if view.response.size else rate
    return flicker_background.backdrop(rate, dark, view.sky.n_sigma, histogram=params.fit_histogram)
