"""Electronic noise that pixels share."""

import numpy as np
import pytest

from jwrules.simulate import drifts, instruments, nircam
from jwrules.simulate.instruments import NIS, NRS1, NRS2
from jwrules.simulate.nircam import Window
from jwrules.simulate.noise import Noise

STRIPE = Window("SUBGRISM64", 0, 0, 2048, 64, 4)


def drift(detector=nircam.NRCALONG, window=STRIPE, seed=0):
    return drifts.Drift(detector, window, Noise(np.random.default_rng(seed)))


def test_every_amplifier_has_an_offset_for_its_odd_and_one_for_its_even_columns():
    step = drift().step()
    for amplifier in range(4):
        part = step[:, 512 * amplifier : 512 * (amplifier + 1)]
        assert len(np.unique(part)) == 2
        assert np.ptp(part[:, ::2]) == np.ptp(part[:, 1::2]) == 0
    assert len(np.unique(step)) == 8


def test_a_window_read_through_one_output_has_one_amplifier():
    corner = Window("SUB640", 0, 1408, 640, 640, 1)
    assert len(np.unique(drift(nircam.NRCB1, corner).step())) == 2


@pytest.mark.parametrize("detector", [nircam.NRCB1, nircam.NRCALONG, NRS1, NRS2, NIS])
def test_amplifiers_lie_side_by_side_across_the_readout(detector):
    window = instruments.shortened(instruments.window(detector.instrument, "FULL"), 1 << 15)
    step = drifts.to_readout(drift(detector, window).step(), detector)
    assert step.shape == (16, 2048)
    assert np.ptp(step, axis=0).max() == 0
    assert [len(np.unique(step[:, 512 * k : 512 * (k + 1)])) for k in range(4)] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("detector", "corner"), [(nircam.NRCALONG, (0, -1)), (nircam.NRCB1, (-1, 0)), (NRS1, (0, 0)), (NRS2, (-1, -1))]
)
def test_the_first_pixel_read_lies_in_a_corner_that_the_axes_tell(detector, corner):
    frame = np.zeros((3, 5))
    frame[0, 0] = 1.0
    turned = drifts.to_science(frame, detector)
    assert turned[corner] == 1.0
    assert np.array_equal(drifts.to_readout(turned, detector), frame)


def test_the_amplifiers_wander_from_group_to_group():
    wandering = drift()
    assert not np.allclose(wandering.step(), wandering.step(), atol=0.05)


def test_one_over_f_noise_has_the_variance_that_is_stated():
    noise = [drift(seed=seed).one_over_f() for seed in range(6)]
    assert np.var(noise) == pytest.approx(drifts.variance(), rel=0.1)


def test_one_over_f_noise_makes_stripes_along_the_rows():
    noise = drift().one_over_f()
    assert noise.mean(axis=1).std() > 5 * noise.mean(axis=0).std()


def test_the_amplifiers_share_part_of_the_noise():
    noise = drift().one_over_f()
    shared = np.corrcoef(noise[:, :512].ravel(), noise[:, 512:1024].ravel())[0, 1]
    expected = drifts.COMMON**2 / drifts.variance()
    assert shared == pytest.approx(expected, abs=0.1)
