"""The mid-infrared detector does what it is said to do, apart from noise."""

from dataclasses import replace

import numpy as np
import pytest

from jwrules.simulate import miri
from jwrules.simulate.mid_infrared import expose, make, wave
from jwrules.simulate.miri import EFFECTS, MIRIMAGE, SUB128
from jwrules.simulate.nircam import Readout

CALM = replace(EFFECTS, residue=(0.0, 1.0), lag=(0.0, 1.0), settling=((0.0, 0.0), 1.0), wave=(0.0, 390.625), last=0.0)
CALM = replace(CALM, showers=(0.0, 1.0, 1.0))
READOUT = Readout("FASTR1", 1, 0, 6, 2)


def exposed(effects=CALM, electrons=0.0, readout=READOUT, **changes):
    chip = make(MIRIMAGE, SUB128, 1, effects)
    quiet = replace(chip.pixels, noise=chip.pixels.noise * 0, dark=chip.pixels.dark * 0, **changes)
    chip = replace(chip, pixels=quiet)
    return chip, expose(chip, readout, np.full(SUB128.shape, electrons), np.random.default_rng(1))


def test_the_frame_times_are_the_documented_ones():
    assert miri.FULL.frame_time == pytest.approx(2.77504)
    assert SUB128.frame_time == pytest.approx(0.11904)


def test_in_the_dark_without_effects_the_counts_stay_where_they_are():
    _, exposure = exposed(readout=Readout("FASTR1", 1, 0, 60, 2))
    struck = np.ptp(exposure.ramp.astype(int), axis=1).max(axis=0) > 0
    assert struck.mean() < 0.01
    assert len(exposure.cosmic) >= struck.sum() > 0


def test_light_adds_up_at_its_rate_outside_of_reference_pixels():
    chip, exposure = exposed(electrons=50_000.0, bend=np.zeros(SUB128.shape, np.float32))
    rise = (exposure.ramp[0, -1].astype(float) - exposure.ramp[0, 0]) * chip.pixels.gain / (5 * SUB128.frame_time)
    assert np.median(rise[:, 4:]) == pytest.approx(50_000.0, rel=0.001)
    assert np.median(rise[:, :4]) == 0


def test_the_reset_leaves_a_residue_that_dies_out():
    chip, exposure = exposed(replace(CALM, residue=(50.0, 1.0)))
    fall = np.median(exposure.ramp.astype(float) - chip.level, axis=(2, 3))
    expected = np.outer([0.6, 1.0], 50.0 * np.exp(-np.arange(6))) * np.median(chip.trouble)
    assert np.allclose(fall - fall[:, -1:], expected - expected[:, -1:], atol=1.5)


def test_the_second_integration_lags_behind_the_first():
    still = {"bend": np.zeros(SUB128.shape, np.float32)}
    _, exposure = exposed(replace(CALM, lag=(0.02, 1.0)), electrons=80_000.0, **still)
    counts = np.median(exposure.ramp.astype(float)[:, :, :, 4:], axis=(2, 3))
    gathered = 80_000.0 * SUB128.frame_time * 6 / 4.1
    assert counts[0, 0] - counts[1, 0] == pytest.approx(0.02 * gathered, rel=0.05)


def test_half_of_the_rows_lose_counts_in_the_last_frame():
    _, exposure = exposed(replace(CALM, last=60.0))
    lost = np.median(exposure.ramp[:, -2].astype(int) - exposure.ramp[:, -1], axis=(0, 2))
    assert sorted(set(lost.tolist())) == [0, 60]
    assert np.count_nonzero(lost) == 64


def test_the_interference_comes_back_after_its_period():
    seen = wave(EFFECTS, SUB128, 0)
    period = round(1e5 / EFFECTS.wave[1])
    assert np.allclose(seen, wave(EFFECTS, SUB128, 4 * period))
    assert not np.allclose(seen, wave(EFFECTS, SUB128, period // 2))
    assert np.all(seen[:, ::4] == seen[:, 3::4])
    assert 5 < np.abs(seen).max() < 10


def test_a_pixel_that_is_sampled_nine_times_hears_the_interference_nine_times_as_long():
    slow, fast = (wave(EFFECTS, replace(SUB128, row_ticks=0), 0, samples)[0, ::4] for samples in (9, 1))
    assert np.allclose(slow[:3], fast[[0, 9, 18]])


def test_a_shower_lifts_a_disc():
    readout = Readout("FASTR1", 1, 0, 40, 4)
    chip, exposure = exposed(replace(CALM, showers=(20.0, 9.0, 30.0)), readout=readout)
    one = exposure.showers[0]
    y, x = np.indices(SUB128.shape)
    inside = (np.hypot(y - one["y"], x - one["x"]) < one["radius"] - 1) & ~chip.pixels.reference
    ramp = exposure.ramp[one["integration"]].astype(int)
    rise = ramp[one["group"]] - ramp[max(one["group"] - 1, 0)]
    assert np.median(rise[inside]) == pytest.approx(one["height"], rel=0.1) or one["group"] == 0


def test_the_same_seed_gives_the_same_exposure():
    assert np.array_equal(exposed(EFFECTS)[1].ramp, exposed(EFFECTS)[1].ramp)
