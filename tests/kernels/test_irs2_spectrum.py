"""Spectra of series in time, against transforms of the whole series by numpy."""

import numpy as np
import pytest

from jwrules.kernels import irs2_spectrum as kernel

PERIOD, LINES = 22, 16
TRANSFORM = kernel.Transform(PERIOD, LINES)


def series(seed=1):
    """A series, and the same (period, lines)."""
    whole = np.random.default_rng(seed).normal(0, 3, PERIOD * LINES).astype(np.float32)
    return whole, np.ascontiguousarray(whole.reshape(LINES, PERIOD).T)


def whole_of(array):
    return array.T.ravel()


def spectrum(folded):
    return TRANSFORM.within_lines(TRANSFORM.over_lines(folded))


def test_the_transform_is_that_of_the_whole_series():
    whole, folded = series()
    waves = np.arange(PERIOD * LINES).reshape(PERIOD, LINES)[:, : LINES // 2 + 1]
    assert np.allclose(spectrum(folded), np.fft.fft(whole)[waves], atol=1e-4)


def test_back_and_forth_nothing_changes():
    _, folded = series()
    back = TRANSFORM.series(TRANSFORM.half_of(spectrum(folded)))
    assert np.allclose(back, folded, atol=1e-5)


def test_weights_do_what_they_do_to_the_real_part():
    whole, folded = series()
    random = np.random.default_rng(2)
    given = (random.normal(size=whole.size) + 1j * random.normal(size=whole.size)).astype(np.complex64)
    weighted = spectrum(folded) * TRANSFORM.weights(given)
    assert np.allclose(
        whole_of(TRANSFORM.series(TRANSFORM.half_of(weighted))), np.fft.ifft(np.fft.fft(whole) * given).real, atol=1e-4
    )


def test_two_series_are_combined_wave_by_wave():
    one, other = np.full((2, 3), 2 + 1j, np.complex64), np.full((2, 3), 1j, np.complex64)
    kernel.combine(one, np.full((2, 3), 3, np.complex64), other, np.full((2, 3), 2j, np.complex64))
    assert np.allclose(one, 3 * (2 + 1j) + 2j * 1j)


def test_the_filter_passes_slow_and_alternating_waves():
    """712 × 2048 pixels in steps of 22: waves up to 30268 pass, none from 35268 on; 729088 is the fastest."""
    passed = np.zeros(712 * 2048)
    waves = np.arange(712 * 2048).reshape(712, 2048)[:, :1025]
    passed[waves] = passed[-waves] = kernel.slow_and_alternating(712, 2048, 22)
    assert passed[[0, 30268, 729088 - 30268, 729088]].tolist() == [1, 1, 1, 1]
    assert passed[[35268, 300000, 729088 - 35269]].tolist() == [0, 0, 0]
    assert passed[32768] == pytest.approx(0.5)


def test_threads_change_nothing(monkeypatch):
    folded = np.random.default_rng(1).normal(0, 3, (712, 256)).astype(np.float32)
    transform = kernel.Transform(712, 256)

    def made(threads):
        monkeypatch.setattr(kernel, "allowed_threads", lambda: threads)
        half = transform.over_lines(folded)
        return half.copy(), transform.series(transform.half_of(transform.within_lines(half)))

    assert all(np.array_equal(a, b) for a, b in zip(made(1), made(3), strict=True))
