"""Fitted rates against the truth of simulated ramps, decade by decade."""

from functools import cache

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, ramp

from jwrules.products.flags import DQ
from jwrules.steps.jump import jump
from jwrules.steps.ramp_fit import Params, ramp_fit

SIDE = 200
GAIN = 2.0
ALGORITHMS = pytest.mark.parametrize("algorithm", ["OLS_C", "LIKELY"])
DECADES = pytest.mark.parametrize("rate", [0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4])  # electron/s


@cache
def groups_of(rate, groups):
    data = noisy(rate / GAIN, (1, groups, SIDE, SIDE), gain=GAIN, seed=groups)
    data.flags.writeable = False
    return data


def fitted(product, algorithm="OLS_C"):
    rate = ramp_fit(product, Params(algorithm=algorithm), **gain_and_readnoise(product.pixeldq.shape, GAIN)).rate
    return rate.data.astype(float), rate.err.astype(float)


@ALGORITHMS
@DECADES
@pytest.mark.parametrize("groups", [2, 5, 20, 100])
def test_rates_are_true_in_every_decade(algorithm, rate, groups):
    value, _ = fitted(ramp(groups_of(rate, groups)), algorithm)
    error = value - rate / GAIN
    assert abs(error.mean()) <= max(1e-3 * rate / GAIN, 0.02 * error.std())


@ALGORITHMS
@DECADES
@pytest.mark.parametrize("groups", [6, 30])
def test_rates_cut_by_a_cosmic_ray_are_true(algorithm, rate, groups):
    random = np.random.default_rng(groups)
    after = np.arange(groups)[:, None, None] >= random.integers(1, groups, (SIDE, SIDE))
    product = ramp(groups_of(rate, groups) + after * random.lognormal(6.5, 1.3, (SIDE, SIDE)))
    product.groupdq[0, 1:][after[1:] & ~after[:-1]] = DQ.JUMP_DET
    error = fitted(product, algorithm)[0] - rate / GAIN
    assert abs(error.mean()) <= max(3e-3 * rate / GAIN, 0.02 * error.std())


@ALGORITHMS
@pytest.mark.parametrize("rate", [0.1, 1.0, 10.0, 100.0, 1e3, 1e4])
@pytest.mark.parametrize("groups", [5, 20])
def test_errors_say_how_rates_scatter(algorithm, rate, groups):
    value, err = fitted(ramp(groups_of(rate, groups)), algorithm)
    pull = (value - rate / GAIN) / err
    # ERR follows the value: its photons alone make the mean -1 / (2 gain seconds sigma)
    inevitable = -1 / (2 * GAIN * 10 * (groups - 1) * err.mean())
    assert abs(pull.mean() - inevitable) < 0.02
    assert 0.95 < pull.std() < 1.05
    if rate >= 100:
        assert abs(pull.mean()) < 0.02


@cache
def sky():
    """Faint sky read as MEDIUM8, 7 groups; every tenth pixel is struck, in any frame, mostly within a group."""
    side, electrons, gain = 500, 0.45, 2.05
    readout = {"frames": 8, "gap": 2, "tgroup": 42.0, "gain": gain, "readnoise": 11.0 * 2**0.5 / gain}
    data, random = noisy(electrons / gain, (1, 7, side, side), **readout), np.random.default_rng(7)
    hit, frame = random.random((side, side)) < 0.1, random.integers(10, 61, (side, side))
    charge = random.lognormal(np.log(1300), 1.3, (side, side)) * random.choice([1, 0.5, 0.1], (side, side))
    charge = hit * np.clip(charge, 60, 9e4) / gain
    for g in range(7):
        data[0, g] += charge * np.clip(10 * g + 8 - frame, 0, 8) / 8
    return data, hit


@pytest.mark.parametrize("finder", ["jump", "LIKELY"])
def test_at_a_faint_sky_ramps_cut_by_cosmic_rays_are_true(finder):
    data, hit = sky()
    product = ramp(data, NFRAMES=8, GROUPGAP=2, TFRAME=4.2, TGROUP=42.0)
    references = gain_and_readnoise(hit.shape, 2.05, 11.0 * 2**0.5 / 2.05)
    product = jump(product, **references) if finder == "jump" else product
    rate = ramp_fit(product, Params(algorithm="OLS_C" if finder == "jump" else "LIKELY"), **references).rate
    found = (product.groupdq & np.uint8(DQ.JUMP_DET)).any(axis=(0, 1))
    cut = hit & found & np.isfinite(rate.data)
    error = rate.data[cut].astype(float) * 2.05 / 0.45 - 1
    assert found[hit].mean() > 0.95
    assert abs(error.mean()) < 3e-3 + 3 * error.std() / cut.sum() ** 0.5


def test_likelihood_takes_no_noise_for_a_cosmic_ray():
    data, hit = sky()
    product = ramp(data, NFRAMES=8, GROUPGAP=2, TFRAME=4.2, TGROUP=42.0)
    ramp_fit(product, Params(algorithm="LIKELY"), **gain_and_readnoise(hit.shape, 2.05, 11.0 * 2**0.5 / 2.05))
    found = (product.groupdq & np.uint8(DQ.JUMP_DET)).any(axis=(0, 1))
    # 4.5 sigma on either side, eleven ways: 7.5e-5 if all were independent
    assert found[~hit].mean() < 2e-4
