"""Simple improved reference subtraction: the drift along the readout by kernels from a file."""

import numpy as np
import pytest
from ramp_scene import meta, ramp

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.products.kinds import SirsKernel
from jwrules.steps.refpix import Params, refpix

SHAPE, WAVES = (2048, 2048), 65
PLAIN = {"refpix_algorithm": "sirs", "gaussmooth": 0.05, "halfwidth": 20}


def flat(**keywords):
    """A full frame at 0, its border of reference pixels."""
    product = ramp(np.zeros((1, 1, *SHAPE)), **({"FASTAXIS": 1, "SLOWAXIS": 2} | keywords))
    product.pixeldq[:4], product.pixeldq[-4:] = DQ.REFERENCE_PIXEL, DQ.REFERENCE_PIXEL
    product.pixeldq[:, :4], product.pixeldq[:, -4:] = DQ.REFERENCE_PIXEL, DQ.REFERENCE_PIXEL
    return product


def kernels(left=(1, 1, 1, 1), right=(0, 0, 0, 0), shape="point", detector="nrcalong"):
    """Kernels that give each amplifier a share of the left and of the right side: of a row, or of the rows around."""
    wave = np.ones(WAVES) if shape == "point" else np.exp(-((np.arange(WAVES) / 12) ** 2))
    tree = {detector: {"gamma": np.outer(left, wave) + 0j, "zeta": np.outer(right, wave) + 0j}}
    return SirsKernel(meta=meta(), tree=tree)


def drifting(**keywords):
    """Rows that drift, at the left side as well as at the right, and in the light."""
    product = flat(**keywords)
    product.data[...] += wave()[:, np.newaxis]
    return product


def wave():
    """A drift that is 0 at the ends and on average."""
    rows = np.arange(2048.0)
    return (5 * np.sin(rows / 3) * (rows > 10) * (rows < 2038)).astype(np.float32)


def light(product, kernel, **params):
    return refpix(product, Params(**(PLAIN | params)), sirskernel=kernel).data[0, 0]


def test_the_side_pixels_of_a_row_are_taken_off_through_the_kernel_of_each_amplifier():
    data = light(drifting(), kernels(left=(1, 0.5, 0, 0), right=(0, 0, 0.25, 0)))
    left = [
        1 - np.dot(data[100:1900, 512 * k + 10], wave()[100:1900]) / np.sum(wave()[100:1900] ** 2) for k in range(4)
    ]
    assert np.allclose(left, [1, 0.5, 0.25, 0], atol=0.01)


@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (-1, 2), (1, -2), (2, 1), (-2, -1)])
def test_amplifiers_count_in_the_order_of_readout(fast, slow):
    product = flat(FASTAXIS=fast, SLOWAXIS=slow)
    along = wave()[:: 1 if slow > 0 else -1]
    product.data[...] += along[:, np.newaxis] if abs(slow) == 2 else along
    data = light(product, kernels(left=(1, 0, 0, 0)))
    data = data if abs(fast) == 1 else data.T
    corrected = [np.abs(data[20:-20, 512 * k + 10]).max() < 0.2 for k in range(4)]
    assert corrected == [True, False, False, False][:: 1 if fast > 0 else -1]


def test_a_struck_side_pixel_is_left_out_unless_the_limit_is_high():
    def row(**params):
        product = drifting()
        product.data[0, 0, 1000, 1] += 4000
        return abs(light(product, kernels(), **params)[1000, 700])

    assert row() < 0.5
    assert row(sigreject=1e6) > 500


def test_the_gaussian_smooths_the_kernels():
    """A wave of 6π pixels is damped to exp(−1/2) by a Gaussian of 3 pixels."""
    left = [np.abs(light(drifting(), kernels(), gaussmooth=sigma)[100:1900, 700]).max() for sigma in (0.05, 3.0)]
    assert left[0] < 0.2
    assert left[1] == pytest.approx(5 * (1 - np.exp(-0.5)), rel=0.02)


def test_a_short_kernel_forgets_the_rows_beyond():
    wide, short = (light(spiked(), kernels(shape="broad"), sigreject=1e6, halfwidth=half) for half in (30, 2))
    assert abs(wide[1004, 700] - short[1004, 700]) > 0.1


def spiked():
    product = drifting()
    product.data[0, 0, 1000, :4] += 40.0
    return product


def test_without_the_file_or_the_detector_in_it_the_median_serves(caplog):
    median = refpix(drifting(), Params()).data
    for kernel in (None, kernels(detector="nrca1")):
        assert np.array_equal(refpix(drifting(), Params(**PLAIN), sirskernel=kernel).data, median)
    assert "no kernels for NRCALONG" in caplog.text


def test_without_side_pixels_the_drift_is_left():
    data = light(drifting(), kernels(), use_side_ref_pixels=False)
    assert np.allclose(data[100:1900, 700], wave()[100:1900], atol=0.01)


def test_a_kernel_longer_than_that_of_the_file_cannot_be():
    with pytest.raises(CannotRun, match="halfwidth=65"):
        light(flat(), kernels(), halfwidth=65)


def test_first_frames_are_corrected_too():
    product = drifting()
    product = type(product)(**(vars(product) | {"zeroframe": product.data[:, 0] + 1}))
    result = refpix(product, Params(**PLAIN), sirskernel=kernels())
    assert np.abs(result.zeroframe[0, 100:1900, 700]).max() < 0.2


def test_blocks_of_rows_give_what_the_frame_gives():
    measure, correct = refpix.parts
    for axes in ({"FASTAXIS": 1, "SLOWAXIS": 2}, {"FASTAXIS": -2, "SLOWAXIS": -1}):
        whole = refpix(drifting(**axes), Params(**PLAIN), sirskernel=kernels(left=(1, 0.5, 0, 0))).data[0, 0]
        product = measure(drifting(**axes), Params(**PLAIN), sirskernel=kernels(left=(1, 0.5, 0, 0)))
        rows = slice(700, 1300)
        part = ramp(drifting(**axes).data[:, :, rows], **axes, SUBSTRT2=701)
        for name, note in product.notes.items():
            cut = note.array[..., rows] if note.axes.endswith("y") else note.array
            part = part.noting(name, cut, note.axes)
        assert np.array_equal(correct(part, Params(**PLAIN)).data[0, 0], whole[rows])
