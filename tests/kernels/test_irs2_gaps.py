"""Gaps of the reference output of IRS2 frames, against filters by numpy."""

import numpy as np

from jwrules.kernels import compiled, irs2_gaps
from jwrules.kernels.irs2_spectrum import Transform, slow_and_alternating

PERIOD, LINES = 22, 16
TRANSFORM = Transform(PERIOD, LINES)


def test_gaps_are_filled_with_what_the_filter_passes():
    time = np.arange(PERIOD * LINES)
    slow = np.cos(2 * np.pi * 2 * time / time.size).astype(np.float32)
    folded = np.ascontiguousarray(slow.reshape(LINES, PERIOD).T)
    holed, held = folded.copy(), np.r_[:9, 12:PERIOD]
    holed[9:12] = 0
    waves = np.minimum(time, time.size - time).reshape(PERIOD, LINES)[:, : LINES // 2 + 1]
    half = TRANSFORM.over_lines(holed)
    irs2_gaps.Filling(held, (waves < 6).astype(np.float32)).fill(half)
    filled = TRANSFORM.series(half)
    assert np.allclose(filled[held], folded[held], atol=1e-5)
    assert np.abs(filled - folded).max() < 0.05 * np.abs(holed - folded).max()


def test_filling_is_what_filtering_whole_transforms_gives():
    random = np.random.default_rng(3)
    folded = random.normal(0, 3, (PERIOD, LINES)).astype(np.float32)
    held, passed = np.r_[:5, 8:14, 17:PERIOD], random.random((PERIOD, LINES // 2 + 1))
    passed = np.where(np.arange(PERIOD)[:, np.newaxis] % 3 == 0, passed, 0).astype(np.float32)
    half = TRANSFORM.over_lines(folded)
    expected = half.copy()
    for _ in range(irs2_gaps.ROUNDS):
        filtered = np.fft.ifft(np.fft.fft(expected, axis=0) * passed, axis=0)
        filtered[held] = half[held]
        expected = filtered
    irs2_gaps.Filling(held, passed).fill(half)
    assert np.allclose(half, expected, atol=1e-4)
    assert not np.allclose(half, TRANSFORM.over_lines(folded), atol=1e-2)


def test_threads_change_nothing(monkeypatch):
    folded = np.random.default_rng(1).normal(0, 3, (712, 256)).astype(np.float32)
    half = Transform(712, 256).over_lines(folded)
    filling = irs2_gaps.Filling(np.arange(500), slow_and_alternating(712, 256, 22))

    def made(threads):
        monkeypatch.setattr(compiled, "allowed_threads", lambda: threads)
        filled = half.copy()
        filling.fill(filled)
        return filled

    assert np.array_equal(made(1), made(3))
