import numpy as np
import pytest

from jwrules.kernels import flicker_fourier as kernel

DAMPED = kernel.Fit(1e-2, 0)
RANDOM = np.random.default_rng(1)


def test_slow_waves_of_a_line_are_found_through_a_mask():
    wave = 5 * np.cos(2 * np.pi * np.arange(2048) / 700) * np.ones((40, 1))
    usable = RANDOM.random(wave.shape) > 0.4
    noise = kernel.whole_frame((wave + RANDOM.normal(0, 1, wave.shape)) * usable, usable, DAMPED)
    assert np.std((noise - wave)[12:-12]) < 0.4


def test_fast_waves_are_left():
    wave = 5 * np.cos(2 * np.pi * np.arange(2048) / 128) * np.ones((40, 1))
    assert np.abs(kernel.whole_frame(wave, np.ones(wave.shape, bool), DAMPED)).max() < 0.1


def test_a_long_gap_does_not_let_the_fit_run_away():
    usable = np.zeros((40, 2048), bool)
    usable[:, :300] = True
    noise = kernel.whole_frame(RANDOM.normal(0, 1, usable.shape), usable, DAMPED)
    assert np.abs(noise).max() < 20


def test_outliers_of_a_line_do_not_count():
    image = RANDOM.normal(0, 1, (40, 2048))
    image[20, 500] = 1e6
    assert np.abs(kernel.whole_frame(image, np.ones(image.shape, bool), DAMPED)).max() < 2


def test_lines_without_pixels_have_no_noise():
    image, usable = RANDOM.normal(0, 1, (40, 2048)), np.zeros((40, 2048), bool)
    assert not kernel.whole_frame(image, usable, DAMPED).any()
    assert not kernel.subarray(image, usable, (1061, 1211, 49943, 49957), DAMPED).any()


def test_the_alternation_of_pixels_is_found_in_a_subarray():
    image = np.where(np.arange(256) % 2, 3.0, -3.0) * np.ones((16, 1))
    noise = kernel.subarray(image, np.ones(image.shape, bool), (1061, 1211, 49943, 49957), DAMPED)
    assert np.std(noise - image) < 0.5


@pytest.mark.parametrize("cutoff", [(150, 200, 49943, 49957), (1061, 1211, 49943, 49957)])
def test_the_cutoff_says_which_waves_are_taken_off(cutoff):
    time = 1e-5 * (268 * np.arange(64)[:, np.newaxis] + np.arange(256))
    image = np.sin(2 * np.pi * 500 * time)
    left = np.std(image - kernel.subarray(image, np.ones(image.shape, bool), cutoff, DAMPED))
    assert (left < 0.2) == (cutoff[0] > 500)


def test_a_few_pixels_tell_nothing_of_a_subarray():
    image, usable = np.ones((16, 256)), RANDOM.random((16, 256)) < 0.03
    assert not kernel.subarray(image, usable, (1061, 1211, 49943, 49957), DAMPED).any()
