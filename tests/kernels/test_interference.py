import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from jwrules.kernels import interference_folded as folded
from jwrules.kernels import interference_joint as joint
from jwrules.kernels.interference import Clock, Wave, phase_indices, starts, subtract

CLOCK = Clock(pixel=1, row=10, group=100, integration=5)
COUNTING = Wave(8.0, np.arange(8, dtype=np.float32), 8.0)  # what is taken off is the tick modulo 8


def test_a_pixel_sees_the_wave_at_the_tick_at_which_it_is_read():
    integration = np.zeros((2, 2, 8), np.float32)
    subtract(integration, CLOCK, COUNTING, 0.0)
    # ticks 0 and 1 in the first row, 10 and 11 in the second; 100 later in the second group; four outputs together
    assert (-integration[0, :, ::4]).tolist() == [[0, 1], [2, 3]]
    assert (-integration[1, :, ::4]).tolist() == [[4, 5], [6, 7]]
    assert np.all(integration[..., :4] == integration[..., :1])


def test_a_later_start_turns_the_wave():
    integration = np.zeros((1, 1, 8), np.float32)
    subtract(integration, CLOCK, COUNTING, 7 / 8)
    assert (-integration[0, 0, ::4]).tolist() == [7, 0]


def test_pixels_are_sorted_by_phase():
    assert phase_indices(CLOCK, 8.0, 0.0, 2, 2, 4).tolist() == [[0, 0], [1, 1]]


def test_integrations_start_after_all_groups_and_the_ticks_between():
    # three groups of 100 ticks and 5 more are 38 periods of 8 and one tick
    assert starts(CLOCK, 8.0, 3, 3) == pytest.approx([0, 1 / 8, 2 / 8])


def test_the_curve_of_a_wave_is_periodic_and_smooth():
    places = (np.arange(50) + 0.5) / 50
    curve = joint.Curve.through(np.sin(2 * np.pi * places))
    phases = np.linspace(-1, 2, 301)
    assert np.allclose(curve.at(phases), np.sin(2 * np.pi * phases), atol=1e-5)


def test_the_curve_of_a_wave_is_the_periodic_spline_of_scipy():
    places = (np.arange(6) + 0.5) / 5
    spline = CubicSpline(places, [2.0, -1.0, 0.5, 3.0, -2.0, 2.0], bc_type="periodic")
    phases = np.linspace(-1, 2, 301)
    assert joint.Curve.through(np.array([2.0, -1.0, 0.5, 3.0, -2.0])).at(phases) == pytest.approx(
        spline(phases), abs=1e-12
    )


def test_a_folded_wave_stands_for_each_tick_of_its_period():
    wave = folded.wave_of(np.array([1.0, 3.0]), 4.0)
    assert wave.table.tolist() == [1, 1, 3, 3]


def test_a_known_shape_is_turned_and_scaled_to_the_folded_one():
    shape = np.array([0.0, 1.0, 0.0, 0.0])
    assert folded.wave_of(np.roll(7 * shape, 2), 4.0, shape).table == pytest.approx([0, 0, 0, 7])
    assert folded.wave_of(np.roll(7 * shape, 2), 4.0, shape, scaled=False).table == pytest.approx([0, 0, 0, 1])


FOUR = np.array([3.0, 1.0, -2.0, 1.0])
"""One period of a wave, 1/4 a part: its odd part, which alternates from group to group if these last n + 1/2 periods,
is 2.5, 0, -2.5, 0; the even part 0.5, 1, 0.5, 1."""


def waves(group, phase, height=1.0):
    """Amplitude and phase found in three groups of `group` ticks with that wave of 8 ticks; one pixel a part."""
    curve, parts = joint.Curve.through(FOUR), (np.arange(joint.BINS) + 0.5) / joint.BINS
    ramps = height * np.array([[curve.at(parts + phase + group / 8 * g) for g in range(3)]])
    sums = joint.Sums(ramps, np.ones((1, joint.BINS)))
    (amplitude,), (found,) = joint.fits(sums, Clock(1, 10, group, 0), 8.0, FOUR, together=True)
    return pytest.approx(amplitude, abs=1e-3), pytest.approx(found, abs=1e-3)


@pytest.mark.parametrize("phase", [0.1, 0.4, 0.6, 0.9])
def test_of_a_wave_and_its_negative_half_a_period_later_the_one_as_in_the_file_is_taken(phase):
    # 12 ticks are one and a half periods: the rises of both are the same
    assert waves(12, phase) == (1.0, phase)


def test_a_wave_that_is_upside_down_is_known_where_the_ramps_tell():
    # 10 ticks are one and a quarter periods
    assert waves(10, 0.4, height=-2.0) == (-2.0, 0.4)


def test_a_wave_that_is_the_same_in_every_group_is_not_seen():
    assert waves(16, 0.4) == (0.0, 0.0)


@pytest.mark.parametrize(("cycles", "expected"), [(3, 1), (30, 3), (1000, 9), (None, 9)])
def test_whole_integrations_hold_the_periods_that_are_asked_for(cycles, expected):
    # 10 groups of 10 ticks an integration, 9 of them; 30 periods of 8 ticks are 240 ticks
    assert folded.integrations_for(cycles, 8.0, 10.0, 10, 9) == expected
