from dataclasses import replace

import numpy as np
import pytest
from linearity_scene import curved
from ramp_scene import one_pixel, ramp, reference

from jwrules.products.flags import DQ
from jwrules.products.kinds import Linearity
from jwrules.steps.linearity import linearity


def polynomials(*terms, **more):
    """Polynomials of a row of pixels: for each pixel its coefficients, lowest order first."""
    return reference(Linearity, coeffs=np.array(terms, np.float32).T[:, np.newaxis, :], **more)


def test_the_polynomial_of_each_pixel_is_applied_to_its_counts():
    result = linearity(ramp([[[2.0, 2.0]], [[3.0, 3.0]]]), linearity=polynomials([1, 2, 3], [0, 1, 0]))
    # 1 + 2x + 3x² at 2 and 3, and the identity
    assert result.data[0, :, 0, 0].tolist() == [17.0, 34.0]
    assert result.data[0, :, 0, 1].tolist() == [2.0, 3.0]
    assert not result.pixeldq.any()


def test_saturated_groups_are_left_as_they_are():
    product = one_pixel([2.0, 3.0])
    product.groupdq[0, 1] = DQ.SATURATED | DQ.DO_NOT_USE
    assert linearity(product, linearity=polynomials([0, 2, 0])).data.ravel().tolist() == [4.0, 3.0]


def test_pixels_without_a_usable_polynomial_are_left_and_flagged():
    bad = polynomials([0, np.nan, 1], [0, 0, 1], [0, 2, 1], [0, 2, 0], dq=[[0, 0, DQ.NO_LIN_CORR, DQ.NONLINEAR]])
    result = linearity(ramp([[[5.0, 5.0, 5.0, 5.0]]]), linearity=bad)
    assert result.data.ravel().tolist() == [5.0, 5.0, 5.0, 10.0]
    assert result.pixeldq.ravel().tolist() == [DQ.NO_LIN_CORR] * 3 + [DQ.NONLINEAR]


def test_the_first_frame_is_corrected_and_no_value_stays_no_value():
    product = ramp(np.ones((1, 1, 2)), zeroframe=[[[0.0, 3.0]]])
    assert linearity(product, linearity=polynomials([7, 2], [7, 2])).zeroframe.ravel().tolist() == [0.0, 13.0]


CURVE = 2e-6  # read = x − CURVE x²


def bent(x):
    return x - CURVE * x**2


def straightening(inverse=True):
    read = np.linspace(0, 45000, 2000)
    straight = (1 - np.sqrt(1 - 4 * CURVE * read)) / (2 * CURVE)
    coeffs = np.polynomial.polynomial.Polynomial.fit(read, straight, 8, domain=[]).coef
    return polynomials(coeffs, **({"inv_coeffs": np.reshape([0, 1, -CURVE], (3, 1, 1))} if inverse else {}))


def test_frames_that_were_averaged_after_they_were_bent_come_out_on_a_straight_line():
    frames = 500.0 * np.arange(1, 81)
    groups = bent(frames).reshape(10, 8).mean(axis=1)
    truth = frames.reshape(10, 8).mean(axis=1)
    by_frame = linearity(one_pixel(groups, NFRAMES=8), linearity=straightening())
    by_group = linearity(one_pixel(groups, NFRAMES=8), linearity=straightening(inverse=False))
    assert np.abs(by_frame.data.ravel() - truth).max() < 0.3
    assert np.abs(by_group.data.ravel() - truth).max() > 2.0


def test_a_single_averaged_group_is_corrected_as_it_was_read():
    groups = [bent(4000.0)]
    averaged = linearity(one_pixel(groups, NFRAMES=8), linearity=straightening()).data
    assert averaged.tolist() == linearity(one_pixel(groups), linearity=straightening()).data.tolist()


@pytest.mark.parametrize("frames", [1, 4, 8])
def test_what_is_left_of_the_bend_is_less_than_a_five_hundredth(frames):
    product, curve, truth = curved(frames)
    assert np.abs(product.data / truth - 1).max() > 0.05
    assert np.abs(linearity(product, linearity=curve).data / truth - 1).max() < 0.002


def test_frames_are_corrected_up_to_the_group_that_saturates():
    product, curve, truth = curved(8)
    product.groupdq[:, 6:] = DQ.SATURATED
    product.data[:, 6:] = 60000.0
    result = linearity(product, linearity=curve).data
    assert np.abs(result / truth - 1)[:, :6].max() < 0.002
    assert np.all(result[:, 6:] == 60000.0)


@pytest.mark.parametrize("usable", [0, 1, 2])
def test_frames_of_ramps_that_soon_saturate_are_corrected_without_a_line_to_go_by(usable):
    product, curve, truth = curved(4)
    product.groupdq[:, usable:] = DQ.SATURATED
    before = product.data.copy()
    result = linearity(product, linearity=curve).data
    assert np.array_equal(result[:, usable:], before[:, usable:])
    assert np.all(np.abs(result / truth - 1)[:, :usable] < 0.02)


def test_a_pixel_without_a_usable_inverse_is_flagged():
    product, curve, _ = curved(4, pixels=3)
    inverse = curve.inv_coeffs.copy()
    inverse[2, 0, 0], inverse[1, 0, 1] = np.nan, 0
    result = linearity(product, linearity=replace(curve, inv_coeffs=inverse))
    assert result.pixeldq[0].tolist() == [DQ.NO_LIN_CORR, DQ.NO_LIN_CORR, 0]
    assert np.isfinite(result.data).all()
