import numpy as np
from scipy.ndimage import binary_dilation

from jwrules.kernels import saturation, saturation_irs2

RANDOM = np.random.default_rng(3)
THRESHOLD = RANDOM.uniform(5e4, 6e4, (20, 30)).astype(np.float32)
RAMP = RANDOM.uniform(0, 2e4, (5, 20, 30)).cumsum(axis=0).astype(np.float32)


def test_the_first_saturated_group_is_that_of_a_plain_search():
    above = RAMP >= THRESHOLD
    plain = np.where(above.any(axis=0), above.argmax(axis=0), 5)
    assert np.array_equal(saturation.first_saturated(RAMP, THRESHOLD), plain)


def test_growing_the_first_group_is_dilating_every_group():
    first = saturation.first_saturated(RAMP, THRESHOLD)
    grown = saturation.grow(first, 2)
    for g in range(5):
        assert np.array_equal(grown <= g, binary_dilation(first <= g, np.ones((5, 5))))


def test_the_number_of_threads_changes_nothing(monkeypatch):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 3)
    many = saturation.first_saturated(RAMP, THRESHOLD)
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 1)
    one = saturation.first_saturated(RAMP, THRESHOLD)
    assert np.array_equal(many, one)


def test_among_reference_pixels_single_frames_do_not_tell_of_the_bias():
    light, bits = np.arange(2, 22), saturation_irs2.Bits(2, 65)
    ramp = np.zeros((5, 24, 30), np.float32)
    ramp[:, light] = RAMP
    found = []
    for bias in (0.0, RANDOM.uniform(0, 3e4, THRESHOLD.shape)):
        flags = np.zeros(ramp.shape, np.uint8)
        saturation_irs2.flag(ramp, flags, light, THRESHOLD, bias, 1, 1, bits)
        found.append(flags)
    assert np.array_equal(*found)
    assert (found[0][2, light] == 2).any()
