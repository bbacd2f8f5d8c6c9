from dataclasses import replace

import numpy as np
import pytest
from flicker_scene import segment
from ramp_scene import gain_and_readnoise, noisy, ramp, reference

from jwrules.errors import CannotRun
from jwrules.kernels import picture_frame as kernel
from jwrules.products.flags import DQ
from jwrules.products.kinds import PictureFrame
from jwrules.steps.declare import Skip
from jwrules.steps.picture_frame import Params, picture_frame

NIRSPEC = {"INSTRUME": "NIRSPEC", "SUBARRAY": "FULL", "EXP_TYPE": "NRS_IFU", "FASTAXIS": 2, "SLOWAXIS": 1}
SIDE = 2048
REFERENCES = gain_and_readnoise((SIDE, SIDE))


@pytest.fixture(scope="module")
def glow():
    """The shape of the frame: 1 at the border of the detector, 0 in its middle."""
    y, x = np.indices((SIDE, SIDE), sparse=True)
    edge = np.minimum(np.minimum(y, SIDE - 1 - y), np.minimum(x, SIDE - 1 - x))
    return np.exp(-edge / 100).astype(np.float32)


def frames(glow, nints=1):
    """Two groups; the second one has gained 5 DN, and a glow of 6 DN."""
    random = np.random.default_rng(1)
    data = random.normal(100, 3, (nints, 2, SIDE, SIDE)).astype(np.float32)
    data[:, 1] += 5 + 6 * glow
    return ramp(data, **NIRSPEC)


def corrected(product, glow, **params):
    return picture_frame(product, Params(**params), pictureframe=reference(PictureFrame, data=glow), **REFERENCES)


def test_the_frame_and_the_level_are_taken_off_all_groups_but_the_first(glow):
    product = frames(glow)
    first = product.data[0, 0].copy()
    result = corrected(product, glow).data[0]
    assert np.array_equal(result[0], first)
    rise = result[1] - result[0]
    assert np.median(rise[4:75]) == pytest.approx(0, abs=0.5)
    assert np.median(rise[1000:1040, 1000:1040]) == pytest.approx(0, abs=0.5)


def test_light_does_not_count(glow):
    product = frames(glow)
    product.data[0, 1, 300:900, 200:1800] += 500
    result = corrected(product, glow).data[0]
    assert np.median((result[1] - result[0])[1200:1800, 300:1700]) == pytest.approx(0, abs=0.5)


def test_what_counts_as_light_is_up_to_the_caller(glow):
    product = frames(glow)
    usual = corrected(replace(product, data=product.data.copy()), glow).data
    assert not np.array_equal(usual, corrected(product, glow, n_sigma=1.0).data)


def test_where_light_is_known_to_fall_is_left_out_if_asked(glow):
    def middle(**params):
        product = frames(glow)
        product.pixeldq[100:1960, 100:1960] = DQ.MSA_FAILED_OPEN
        product.data[0, 1, 100:1960, 100:1960] += 3
        result = corrected(product, glow, n_sigma=0.0, **params).data[0]
        return np.median((result[1] - result[0])[200:900, 200:900])

    assert middle() == pytest.approx(3, abs=0.5)
    assert middle(mask_science_regions=False) == pytest.approx(0, abs=0.5)


def test_official_weights_give_other_drafts():
    product = ramp(noisy(2.0, (1, 6, 8, 8)), **NIRSPEC)
    notes = [
        picture_frame.parts[0](product, Params(weighting=weighting), **gain_and_readnoise((8, 8))).notes["rate"].array
        for weighting in ("unbiased", "official")
    ]
    np.testing.assert_allclose(*notes, atol=0.2)
    assert not np.array_equal(*notes)


ALL = {"save_mask": True, "save_correction": True}


def test_the_ramp_before_and_the_correction_are_the_ramp_after(glow):
    product = frames(glow)
    before = product.data.copy()
    after = corrected(product, glow, n_sigma=0.0, **ALL)
    correction = after.beside["pctfrm_correction"].data
    np.testing.assert_array_equal(correction, after.data - before)
    assert not correction[:, 0].any()
    assert np.ptp(correction[:, 1]) == pytest.approx(6 * np.ptp(glow), rel=0.1)
    assert np.median(correction[:, 1, 1000:1040, 1000:1040]) == pytest.approx(-5, abs=0.5)


def test_the_mask_is_one_where_there_is_background(glow):
    product = frames(glow)
    product.data[0, 1, 300:900, 200:1800] += 500
    product.pixeldq[1200:1300] = DQ.MSA_FAILED_OPEN
    mask = corrected(replace(product, meta=product.meta.updated_sci(BUNIT="DN")), glow, **ALL).beside["pctfrm_mask"]
    assert (mask.model, mask.data.shape, set(np.unique(mask.data))) == ("ImageModel", (SIDE, SIDE), {0, 1})
    assert not mask.data[300:900, 200:1800].any()
    assert not mask.data[1200:1300].any()
    assert mask.data[1300:1900].mean() > 0.9
    assert "BUNIT" not in mask.meta.sci


def test_only_what_is_asked_for_is_written_and_it_changes_nothing_of_the_ramp(glow):
    found = [corrected(frames(glow), glow, **options) for options in ({}, {"save_mask": True}, ALL)]
    assert [[*one.beside] for one in found] == [[], ["pctfrm_mask"], ["pctfrm_mask", "pctfrm_correction"]]
    for one in found[1:]:
        np.testing.assert_array_equal(one.data, found[0].data)


@pytest.mark.parametrize("other", [{"INSTRUME": "NIRCAM"}, {"SUBARRAY": "ALLSLITS"}])
def test_other_exposures_have_no_picture_frame(other):
    with pytest.raises(Skip, match="full frames of NIRSpec"):
        picture_frame.parts[0](ramp(np.zeros((2, 4, 4)), **(NIRSPEC | other)), Params(), **gain_and_readnoise((4, 4)))


def test_one_group_shows_none():
    with pytest.raises(Skip, match="one group"):
        picture_frame.parts[0](ramp(np.zeros((1, 4, 4)), **NIRSPEC), Params(), **gain_and_readnoise((4, 4)))


def test_a_frame_without_contrast_cannot_be_scaled(glow):
    with pytest.raises(CannotRun, match="made for a test has the level"):
        corrected(frames(glow), np.ones_like(glow))


def test_a_detector_full_of_light_cannot_be_measured(glow):
    product = frames(glow)
    product.pixeldq[...] = DQ.MSA_FAILED_OPEN
    with pytest.raises(Skip, match="no background"):
        corrected(product, glow)


def test_segments_of_an_exposure_are_corrected_as_the_whole_to_the_bit(glow):
    draft, rest = picture_frame.parts
    known = {"pictureframe": reference(PictureFrame, data=glow), **REFERENCES}
    noted = draft(frames(glow, nints=2), Params(), **REFERENCES)
    params = Params(save_correction=True)
    parts = [rest(segment(noted, i, i + 1), params, **known) for i in (0, 1)]
    whole = rest(replace(noted, data=noted.data.copy()), params, **known)
    assert np.array_equal(np.concatenate([one.data for one in parts]), whole.data)
    corrections = [one.beside["pctfrm_correction"].data for one in parts]
    assert np.array_equal(np.concatenate(corrections), whole.beside["pctfrm_correction"].data)


def test_the_median_of_a_region_passes_over_pixels_without_value():
    data = np.arange(8, dtype=np.float32).reshape(1, 2, 1, 4)
    data[0, 1] = [[10, 21, 32, np.nan]]
    regions = np.array([[[True, True, True, True]], [[False, True, False, True]], [[False, False, False, True]]])
    assert kernel.levels(data, regions)[0, 1, :2].tolist() == [20, 20]
    assert np.isnan(kernel.levels(data, regions)[0, 1, 2])
