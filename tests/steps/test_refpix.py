import numpy as np
import pytest
from ramp_scene import ramp

from jwrules.products.flags import DQ
from jwrules.steps.declare import Skip
from jwrules.steps.refpix import Params, _measure, refpix

FULL = (2048, 2048)


def flat(shape=FULL, level=100.0, groups=1, **keywords):
    """Ramps of an even level, with the border of the detector marked as reference pixels."""
    product = ramp(np.full((1, groups, *shape), level, np.float32), **({"FASTAXIS": 1, "SLOWAXIS": 2} | keywords))
    rows = product.meta["SUBSTRT2"] - 1 + np.arange(shape[0])
    columns = product.meta["SUBSTRT1"] - 1 + np.arange(shape[1])
    border = [(axis < 4) | (axis >= 2044) for axis in (rows, columns)]
    product.pixeldq[border[0][:, np.newaxis] | border[1]] = DQ.REFERENCE_PIXEL
    return product


def test_offsets_of_amplifiers_and_of_odd_columns_are_taken_off():
    product = flat()
    amplifier = np.repeat([10.0, 20.0, 30.0, 40.0], 512)
    product.data[...] += amplifier + np.where(np.arange(2048) % 2, 5.0, -5.0)
    assert np.abs(refpix(product).data).max() < 1e-3


def test_without_parity_odd_and_even_columns_keep_their_difference():
    product = flat()
    product.data[..., 1::2] += 8.0
    data = refpix(product, Params(odd_even_columns=False, use_side_ref_pixels=False)).data[0, 0]
    assert np.allclose(data[10], np.where(np.arange(2048) % 2, 4.0, -4.0))


def test_light_on_the_detector_is_left():
    product = flat()
    product.data[0, 0, 900:1000, 700:800] += 555.0
    data = refpix(product).data[0, 0]
    assert np.allclose(data[900:1000, 700:800], 555.0)
    assert np.abs(data[1000:]).max() < 1e-3


def drift(rows):
    return 3.0 * np.sin(rows / 200.0)


@pytest.mark.parametrize(("fast", "slow"), [(1, 2), (-1, 2), (1, -2), (-1, -2), (2, 1), (-2, 1), (2, -1), (-2, -1)])
def test_a_slow_drift_along_the_readout_is_taken_off_in_every_orientation(fast, slow):
    product = flat(level=0.0, FASTAXIS=fast, SLOWAXIS=slow)
    along = drift(np.arange(2048.0))[:: 1 if slow > 0 else -1]
    product.data[...] += along[:, np.newaxis] if abs(slow) == 2 else along
    offset = np.repeat([10.0, 20.0, 30.0, 40.0], 512)[:: 1 if fast > 0 else -1]
    product.data[...] += offset if abs(fast) == 1 else offset[:, np.newaxis]
    data = refpix(product).data[0, 0]
    # rows are mirrored at the ends, where the median is that of rows 3 further in: 3 × 3/200 DN
    assert np.abs(data).max() < 0.046
    assert np.abs(data[6:-6, 6:-6]).max() < 1e-3


def test_the_drift_is_scaled_by_the_side_gain_or_left():
    def rest(**params):
        product = flat(level=0.0)
        product.data[...] += drift(np.arange(2048.0))[:, np.newaxis] - drift(np.arange(2048.0))[[0, -1]].mean()
        return np.ptp(refpix(product, Params(**params)).data[0, 0])

    whole = rest(use_side_ref_pixels=False)
    assert rest() < 0.01 * whole
    assert np.isclose(rest(side_gain=0.5), 0.5 * whole, rtol=0.02)
    assert np.isclose(rest(side_gain=0.0), whole)


def test_reference_pixels_that_are_bad_or_struck_do_not_count():
    product = flat()
    product.data[0, 0, 1, 100:140], product.data[0, 0, 2, 600] = 5e4, 5e4
    product.pixeldq[1, 100:140] |= np.uint32(DQ.DO_NOT_USE)
    product.data[0, 0, 1000, 2] = 5e4
    data = refpix(product).data[0, 0]
    assert np.abs(data[10:2000, 10:2000]).max() < 1e-3


def test_an_end_without_usable_reference_pixels_leaves_it_to_the_other():
    product = flat()
    product.pixeldq[:4] |= np.uint32(DQ.DO_NOT_USE)
    product.data[0, 0, :4] = 7e4
    assert np.abs(refpix(product, Params(use_side_ref_pixels=False)).data[0, 0, 4:]).max() < 1e-3


def test_a_subarray_of_one_amplifier_uses_its_flagged_reference_pixels_by_parity_of_the_detector():
    product = flat((64, 64), NOUTPUTS=1, SUBSTRT1=101, SUBSTRT2=1)
    product.data[..., 1::2] += 8.0
    assert np.abs(refpix(product).data).max() < 1e-3


def test_a_stripe_of_four_amplifiers_uses_the_sides_that_it_holds():
    product = flat((64, 2048), level=0.0, NOUTPUTS=4, SUBSTRT1=1, SUBSTRT2=1001)
    along = drift(1000.0 + np.arange(64))
    product.data[...] += along[:, np.newaxis]
    # medians of windows that the stripe cuts off at its ends are those of the rows it has
    assert np.abs(refpix(product).data[0, 0, 6:-6]).max() < 1e-2


def test_a_subarray_without_reference_pixels_is_skipped():
    with pytest.raises(Skip, match="no usable reference pixels"):
        refpix(flat((64, 64), NOUTPUTS=1, SUBSTRT1=101, SUBSTRT2=101))


def test_the_first_frame_is_corrected_and_no_value_stays_no_value():
    product = flat((64, 64), NOUTPUTS=1, SUBSTRT1=101, SUBSTRT2=1)
    zeroframe = np.full((1, 64, 64), 50.0, np.float32)
    zeroframe[0, 30, 30] = 0
    product = type(product)(**(vars(product) | {"zeroframe": zeroframe}))
    result = refpix(product).zeroframe
    assert np.abs(result).max() < 1e-3
    assert result[0, 30, 30] == 0


def test_groups_are_corrected_each_on_its_own():
    product = flat((64, 64), groups=3, NOUTPUTS=1, SUBSTRT1=101, SUBSTRT2=1)
    product.data[0] += np.array([0.0, 100.0, -30.0]).reshape(3, 1, 1)
    assert np.abs(refpix(product).data).max() < 1e-3


def test_edgeless_subarrays_of_nirspec_use_their_first_and_last_columns():
    product = flat((32, 64), NOUTPUTS=1, SUBARRAY="SUB32", SUBSTRT1=1001, SUBSTRT2=1001, INSTRUME="NIRSPEC")
    product.data[..., 4:-4] += 33.0
    data = refpix(product).data[0, 0]
    assert np.allclose(data[:, 4:-4], 33.0, atol=1e-3)
    assert np.abs(data[:, :4]).max() < 1e-3


def test_an_amplifier_without_usable_pixels_of_one_parity_is_left_alone():
    product = flat()
    product.pixeldq[:4, 513:1024:2] |= np.uint32(DQ.DO_NOT_USE)
    product.pixeldq[2044:, 513:1024:2] |= np.uint32(DQ.DO_NOT_USE)
    data = refpix(product, Params(use_side_ref_pixels=False)).data[0, 0]
    assert np.allclose(data[:, 512:1024], 100.0)
    assert np.abs(data[:, :512]).max() < 1e-3


def test_a_subarray_that_does_not_lie_on_the_detector_is_skipped():
    product = ramp(np.zeros((1, 1, 64, 64)), NOUTPUTS=1, SUBSTRT1=2001, SUBSTRT2=1, FASTAXIS=1, SLOWAXIS=2)
    with pytest.raises(Skip, match="does not lie on the detector"):
        refpix(product)


def test_what_is_noted_of_a_frame_grows_with_its_rows_only():
    noted = _measure(flat((64, 2048), SUBSTRT2=100, NOUTPUTS=4, groups=3), Params()).notes
    per_group = sum(note.array[0, 0].size for note in noted.values() if note.axes.startswith("ig"))
    assert per_group <= 64 + 4 * 2
