"""The correction of interleaved frames, with few lines and weights that can be followed by hand."""

import numpy as np
import pytest

from jwrules.kernels import irs2
from jwrules.kernels.irs2_layout import Layout
from jwrules.kernels.irs2_suspects import replacements

LAYOUT = Layout(lines=16)
WAVES = LAYOUT.period * LAYOUT.lines
NO_BAD = np.zeros(LAYOUT.rows, bool)


def corrected(data, output=0.0, pixels=0.0, layout=LAYOUT, bad=NO_BAD, keep=False):
    """Frames after a correction with the same weight for all waves."""
    weights = [[np.full(WAVES, weight, np.complex64)] * 4 for weight in (output, pixels)]
    frames = np.array(data, np.float32, ndmin=4)
    return irs2.Correction(layout, replacements(bad, layout), weights, keep=keep).apply(frames)[0]


def two(frame):
    """Two frames whose deviations from their mean are ± `frame`; ends of the series are even."""
    frame = frame.copy()
    frame[:, :4] = frame[:, -4:] = 0
    return np.stack([1000 - frame, 1000 + frame])


def noise(seed=1):
    return np.random.default_rng(seed).normal(0, 5, (LAYOUT.rows, LAYOUT.lines))


def test_without_weights_the_light_stays_as_it_is():
    data = two(noise())
    assert np.allclose(corrected(data), data[:, LAYOUT.light], atol=1e-3)


def test_the_memory_of_the_frames_is_used_again():
    frames = np.array(two(noise()), np.float32, ndmin=4)
    result = irs2.Correction(
        LAYOUT, replacements(NO_BAD, LAYOUT), [[np.zeros(WAVES, np.complex64)] * 4] * 2, keep=False
    )
    assert np.shares_memory(result.apply(frames), frames)


def test_what_the_reference_output_shows_at_the_time_is_taken_off():
    frame = noise()
    for output in range(1, 5):
        frame[LAYOUT.row[output]] = frame[LAYOUT.row[0]]
    assert np.allclose(corrected(two(frame), output=1.0), 1000, atol=1e-3)


def test_reference_pixels_are_taken_off_the_light_around_their_step():
    frame = np.zeros((LAYOUT.rows, LAYOUT.lines))
    step = LAYOUT.row[3][28:32]
    frame[step, 8] = [4, 8, 16, 32]
    after = corrected(two(frame), pixels=1.0)[1] - 1000
    rows = np.searchsorted(LAYOUT.light, LAYOUT.row[3][[27, 32]])
    # they stand for times 29 to 36 by turns (1, 3, 1, 3, 2, 4, 2, 4); light is read at the first and the last of these
    assert np.allclose(after[rows, 8], [-4, -32], atol=1e-3)
    after[rows, 8] = 0
    assert np.abs(after).max() < 1e-3


def test_a_straight_line_in_time_is_taken_off_by_the_ends():
    time = np.zeros((LAYOUT.rows, LAYOUT.lines))
    time[LAYOUT.row] = LAYOUT.time[:, np.newaxis] + LAYOUT.period * np.arange(LAYOUT.lines)
    data = np.stack([1000 - 2 - 1e-3 * time, 1000 + 2 + 1e-3 * time])
    assert np.allclose(corrected(data), 1000, atol=1e-2)


def test_the_other_detector_is_the_same_turned_round():
    data = two(noise())
    turned = Layout(backwards=True, lines=16)
    both = corrected(data, 0.4, 0.7), corrected(data[:, ::-1, ::-1].copy(), 0.4, 0.7, layout=turned)
    assert np.allclose(both[0], both[1][:, ::-1, ::-1], atol=1e-3)


def test_bad_reference_pixels_play_no_part():
    clean, bad = noise(), NO_BAD.copy()
    bad[[668, 108]] = True
    struck = clean.copy()
    struck[[668, 108]] += 1e4
    both = [corrected(two(frame), 0.4, 0.7, bad=bad) for frame in (clean, struck)]
    assert np.array_equal(both[0], both[1])


def test_one_without_any_good_one_near_counts_as_no_deviation():
    bad = NO_BAD.copy()
    bad[np.flatnonzero(LAYOUT.interleaved)] = True
    data = two(noise())
    assert np.allclose(corrected(data, pixels=0.7, bad=bad), data[:, LAYOUT.light], atol=1e-3)


def test_kept_reference_pixels_are_corrected_without_their_mean_and_the_reference_output_with_it():
    frame = noise()
    for output in range(1, 5):
        frame[LAYOUT.row[output]] = frame[LAYOUT.row[0]]
    data = two(frame)
    plain, kept = corrected(data), corrected(data, keep=True)
    assert np.allclose(kept[:, LAYOUT.light], plain, atol=1e-3)
    pixels, read = LAYOUT.row[1:][:, LAYOUT.is_reference].ravel(), LAYOUT.row[0][~LAYOUT.is_reference]
    assert np.allclose(kept[:, pixels], data[:, pixels] - 1000, atol=1e-3)
    assert np.allclose(kept[:, read], data[:, read], atol=1e-3)


def test_a_single_frame_shows_no_deviation():
    data = 1000 + noise()
    assert np.allclose(corrected(data, 0.4, 0.7)[0], data[LAYOUT.light], atol=1e-3)


@pytest.mark.parametrize("keep", [False, True])
def test_each_integration_is_judged_on_its_own(keep):
    one, other = two(noise(1)), two(noise(2)) + 500
    weights = [[np.full(WAVES, 0.5, np.complex64)] * 4] * 2
    both = irs2.Correction(LAYOUT, replacements(NO_BAD, LAYOUT), weights, keep=keep)
    together = both.apply(np.stack([one, other]).astype(np.float32))
    assert np.array_equal(together[1], corrected(other, 0.5, 0.5, keep=keep))
