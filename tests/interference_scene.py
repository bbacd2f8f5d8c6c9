"""Ramps of MIRI with a wave of known shape, height and phase, from the time at which each pixel is read."""

import numpy as np
from ramp_scene import meta, ramp

from jwrules.products.kinds import Emicorr

ROW, FRAME, HERTZ = 28, 8512, 390.625
PERIOD = 100_000 / HERTZ  # 256 ticks of 10 µs
SLOT = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "SUB64", "READPATT": "FAST", "NSAMPLES": 1}


def shape(phase):
    """A wave of period 1 that is not a sine."""
    return np.sin(2 * np.pi * phase) + 0.3 * np.sin(4 * np.pi * phase + 1.0)


def reference(points=500, hertz=HERTZ, amplitude=1.0, **cases):
    """A reference file with that wave alone, for the fast SUB64; `cases` are more subarrays."""
    values = amplitude * shape((np.arange(points) + 0.5) / points)
    fast = {"rowclocks": ROW, "frameclocks": FRAME, "freqs": {"FAST": ["Hz390"], "SLOW": {"MIRIFULONG": ["Hz390"]}}}
    frequencies = {"Hz390": {"frequency": hertz, "phase_amplitudes": values}}
    return Emicorr(meta=meta(), tree={"frequencies": frequencies, "subarray_cases": {"SUB64": fast} | cases})


def turns(nints, ngroups, ny, nx, *, sample=1, row=ROW, frame=FRAME, between=0, hertz=HERTZ):
    """How many periods have passed, at each pixel, since the first pixel of the exposure."""
    group = ny * row + (1024 - ny) * 7
    ticks = np.arange(nints)[:, None, None, None] * (ngroups * group + between)
    ticks = ticks + np.arange(ngroups)[:, None, None] * group + np.arange(ny)[:, None] * row
    return (ticks + np.arange(nx) // 4 * sample) * hertz / 100_000


def exposure(size=(1, 8, 32, 72), *, height=5.0, phase=0.2, noise=0.0, between=0, seed=1, **keywords):
    """Return a ramp of straight lines with the wave in it, and the ramp without."""
    random = np.random.default_rng(seed)
    _, ngroups, ny, nx = size
    slopes = random.uniform(1, 20, (ny, nx))
    clean = random.uniform(3000, 5000, (ny, nx)) + slopes * np.arange(ngroups)[:, None, None]
    clean = np.broadcast_to(clean, size) + random.normal(0, noise, size) if noise else np.broadcast_to(clean, size)
    height = np.reshape(height, (-1, 1, 1, 1))
    wave = height * shape(turns(*size, between=between) + phase)
    return ramp(clean + wave, **(SLOT | keywords)), clean
