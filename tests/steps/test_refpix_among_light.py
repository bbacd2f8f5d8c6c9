"""IRS2 readout: frames that interleave light and reference pixels become frames of the detector."""

from dataclasses import replace

import numpy as np
import pytest
from interleaved_scene import exposure, reference_file, stored

from jwrules.errors import CannotRun, DataFault, ReferenceFault
from jwrules.kernels.irs2_layout import Layout
from jwrules.products.flags import DQ
from jwrules.steps.refpix import Params, refpix

LAYOUT = Layout()
CLEAN = reference_file()


def corrected(product=None, reference=CLEAN, **params):
    product = exposure(stored("NRS1"), "NRS1") if product is None else product
    return refpix(product, Params(**params), refpix=reference)


@pytest.fixture(scope="module")
def usual():
    return corrected()


def struck(row=1000, excess=40.0):
    """An exposure with a pair of reference pixels that is too high."""
    product = exposure(stored("NRS1"), "NRS1")
    row = row + (LAYOUT.interleaved[row:] > 0).argmax()
    product.data[0, :, row : row + 2] += np.array([excess, -excess]).reshape(2, 1, 1)
    return product, row


def test_the_result_has_frames_of_the_detector(usual):
    assert usual.data.shape == usual.groupdq.shape == (1, 2, 2048, 2048)
    assert usual.pixeldq.shape == (2048, 2048)


def test_flags_stay_with_their_pixels():
    product = exposure(stored("NRS1"), "NRS1")
    product.pixeldq[LAYOUT.light[300], 7] = DQ.HOT
    product.groupdq[0, 1, LAYOUT.light[300], 7] = DQ.SATURATED
    result = corrected(product)
    assert result.pixeldq[300, 7] == DQ.HOT
    assert result.groupdq[0, :, 300, 7].tolist() == [0, DQ.SATURATED]
    assert np.count_nonzero(result.pixeldq) == np.count_nonzero(result.groupdq) == 1


def test_a_suspect_pair_plays_no_part_unless_the_limit_is_high(usual):
    product, _ = struck()
    other = [corrected(struck(excess=excess)[0]).data for excess in (40.0, 80.0)]
    assert np.allclose(*other, atol=1e-3)
    assert not np.allclose(corrected(product, ovr_corr_mitigation_ftr=1e6).data, other[0], atol=0.1)


def test_kept_reference_pixels_are_flagged_where_they_are_suspect():
    product, row = struck()
    result = corrected(product, preserve_irs2_refpix=True, ovr_corr_mitigation_ftr=6.0)
    assert result.data.shape == (1, 2, 3200, 2048)
    assert np.all(result.pixeldq[row : row + 2] == DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE)
    assert np.flatnonzero(result.pixeldq.any(axis=1)).tolist() == [row, row + 1]


def test_light_is_the_same_whether_reference_pixels_are_kept_or_not(usual):
    assert np.array_equal(corrected(preserve_irs2_refpix=True).data[:, :, LAYOUT.light], usual.data)


def test_the_means_of_the_ends_may_be_taken_off_first(usual):
    product = exposure(stored("NRS1"), "NRS1")
    ends = corrected(product, irs2_mean_subtraction=True).data[..., 4:2044, [0, 1, 2, 3, -4, -3, -2, -1]]
    usual_ends = usual.data[..., 4:2044, [0, 1, 2, 3, -4, -3, -2, -1]]
    assert np.abs(ends.mean(axis=(2, 3))).max() < 0.2 * np.abs(usual_ends.mean(axis=(2, 3))).max()


def test_even_and_odd_pixels_have_means_of_their_own_if_asked():
    def difference(**params):
        product = exposure(stored("NRS1"), "NRS1")
        even = LAYOUT.parity()
        product.data[:, :, even] += 20.0
        data = corrected(product, irs2_mean_subtraction=True, **params).data[0, :, :, :4]
        return np.mean(data[:, 0:512:2]) - np.mean(data[:, 1:512:2])

    assert abs(difference()) < 0.5
    assert abs(difference(odd_even_columns=False)) > 15


def test_a_flag_on_a_pixel_that_sees_light_does_not_condemn_its_row(usual):
    product = exposure(stored("NRS1"), "NRS1")
    product.pixeldq[LAYOUT.light[100], 1] = DQ.BAD_REF_PIXEL
    result = corrected(product)
    assert np.array_equal(result.data, usual.data)
    assert np.count_nonzero(result.pixeldq) == 1


def test_pixels_that_the_file_lists_are_not_used():
    product = exposure(stored("NRS1"), "NRS1")
    product.data[:, 1, 648:650] += 3.0
    listed = reference_file((1, 1, 1))
    clean = corrected(reference=listed)
    assert np.allclose(corrected(product, listed).data, clean.data, atol=1e-3)


def test_blocks_of_integrations_give_what_the_exposure_gives():
    frames = np.stack([stored("NRS1"), stored("NRS1")[::-1]])
    frames[1, :, 700] += 500
    whole = refpix(exposure(frames, "NRS1"), refpix=CLEAN)
    measure, correct = refpix.parts
    assert measure.waits(whole.meta)
    assert correct.axes(whole.meta) == "frames"
    blocks, notes = [exposure(frames[i : i + 1], "NRS1") for i in range(2)], {}
    for block in blocks:
        notes = measure(replace(block, notes=notes), Params()).notes
    parts = [correct(replace(block, notes=notes), Params(), refpix=CLEAN, sirskernel=None) for block in blocks]
    assert np.array_equal(np.concatenate([part.data for part in parts]), whole.data)


def test_without_its_reference_file_it_cannot_run():
    with pytest.raises(CannotRun, match="refpix"):
        corrected(reference=None)


def test_a_file_for_another_readout_is_refused():
    with pytest.raises(ReferenceFault, match="2916352 are expected"):
        corrected(reference=replace(CLEAN, table=CLEAN.table[:100]))


def test_frames_that_do_not_interleave_as_the_keywords_say_are_refused():
    product = exposure(np.zeros((1, 1, 3200, 64)), "NRS1")
    with pytest.raises(DataFault, match="NRS_NORM=16"):
        refpix(product, refpix=CLEAN)
