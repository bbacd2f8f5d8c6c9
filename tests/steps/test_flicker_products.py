"""What clean_flicker_noise is asked to write beside the ramp: mask, background and noise."""

from dataclasses import replace

import numpy as np
import pytest
from flicker_scene import exposure, segment, transposed
from ramp_scene import gain_and_readnoise, noisy, ramp, reference

from jwrules.products.flags import DQ
from jwrules.products.kinds import BackgroundMask, Flat
from jwrules.steps.clean_flicker_noise import Params, clean_flicker_noise

NIRCAM = {"EXP_TYPE": "NRC_IMAGE", "FASTAXIS": 1, "SLOWAXIS": 2}
NIRSPEC = {"EXP_TYPE": "NRS_FIXEDSLIT", "INSTRUME": "NIRSPEC", "SUBARRAY": "SUB32", "DETECTOR": "NRS1"}
ALL = {"save_mask": True, "save_background": True, "save_noise": True}
WAYS = {
    "draft": {},
    "previous": {"against": "previous"},
    "model": {"against": "previous", "background_method": "model"},
    "each integration": {"single_mask": False},
    "median image": {"background_method": "median_image"},
    "flat": {"apply_flat_field": True},
    "waves": {"fit_method": "fft"},
}


def made(way):
    """A ramp that is spoilt in some places; for waves one of NIRSpec, whose lines are columns."""
    product = exposure((64, 96), nints=3, ngroups=4, sigma=20.0, NINTS=3).ramp
    product = transposed(product, **NIRSPEC) if way == "waves" else product
    random = np.random.default_rng(7)
    product.groupdq[random.random(product.groupdq.shape) < 0.02] |= np.uint8(DQ.JUMP_DET)
    product.data[:, :, 3, 5] = np.nan
    product.data[1, :, 7, 9] = np.nan
    return product


def references(product):
    response = np.linspace(0.7, 1.3, product.pixeldq.shape[1]) * np.ones(product.pixeldq.shape)
    flat = reference(Flat, data=response, err=0 * response)
    return gain_and_readnoise(product.pixeldq.shape) | {"flat": flat}


def clean(product, **params):
    return clean_flicker_noise(product, Params(**(ALL | params)), **references(product))


def flat_sky(background=1.0, ngroups=4, **keywords):
    """A ramp that gains 10 DN a group everywhere, with little noise; a star covers 10 x 10 pixels."""
    product = ramp(noisy(background, (2, ngroups, 64, 96), gain=1e6, readnoise=1.0, seed=3), **(NIRCAM | keywords))
    product.data[:, :, 20:30, 40:50] += 500.0 * np.arange(1, ngroups + 1)[:, np.newaxis, np.newaxis]
    return product


@pytest.mark.parametrize("way", WAYS)
def test_the_ramp_before_and_the_noise_are_the_ramp_after(way):
    product = made(way)
    before = product.data.copy()
    after = clean(product, **WAYS[way])
    noise = after.beside["flicker_noise"].data
    np.testing.assert_allclose(before + noise, after.data, rtol=1e-6, atol=1e-3)
    assert np.nanstd(noise[:, 1:]) > 2


@pytest.mark.parametrize("way", WAYS)
def test_what_is_written_changes_nothing_of_the_ramp(way):
    asked = clean(made(way), **WAYS[way])
    plain = clean(made(way), **(WAYS[way] | dict.fromkeys(ALL, False)))
    assert plain.beside == {}
    np.testing.assert_array_equal(asked.data, plain.data)


@pytest.mark.parametrize("one", ["save_mask", "save_background", "save_noise"])
def test_only_what_is_asked_for_is_written(one):
    found = clean(flat_sky(), **(dict.fromkeys(ALL, False) | {one: True})).beside
    assert list(found) == [
        {"save_mask": "mask"}.get(one, one.replace("save_", "flicker_").replace("background", "bkg"))
    ]


@pytest.mark.parametrize("single", [True, False])
def test_the_mask_is_one_where_there_is_background(single):
    mask = clean(flat_sky(), single_mask=single).beside["mask"].data
    assert mask.shape == ((64, 96) if single else (2, 64, 96))
    assert not mask[..., 20:30, 40:50].any()
    assert mask[..., 40:, :].mean() > 0.9
    assert set(np.unique(mask)) == {0, 1}


def test_the_mask_is_of_the_kind_that_goes_with_its_shape():
    kinds = {single: clean(flat_sky(), single_mask=single).beside["mask"] for single in (True, False)}
    assert [kinds[True].model, kinds[False].model] == ["ImageModel", "CubeModel"]


def test_a_mask_has_no_unit():
    product = flat_sky()
    beside = clean(replace(product, meta=product.meta.updated_sci(BUNIT="DN"))).beside
    assert "BUNIT" not in beside["mask"].meta.sci
    assert beside["flicker_noise"].meta.sci["BUNIT"] == "DN"


@pytest.mark.parametrize("against", ["draft", "previous"])
@pytest.mark.parametrize("method", ["median", "model"])
def test_the_background_is_what_came_in_since_the_group_before(against, method):
    level = clean(flat_sky(), against=against, background_method=method).beside["flicker_bkg"].data
    assert level.shape == (2, 4, 64, 96)
    assert not level[:, 0].any()
    np.testing.assert_allclose(level[:, 1:], 10.0, atol=0.5)


def test_the_background_is_that_of_the_mean_pixel_where_the_flat_is_applied():
    product = flat_sky()
    product.data[...] *= references(product)["flat"].data
    level = clean(product, apply_flat_field=True).beside["flicker_bkg"].data
    np.testing.assert_allclose(level[:, 1:], 10.0, atol=0.5)


def test_without_a_background_none_is_left_in_the_ramp():
    assert not clean(flat_sky(), background_method=None).beside["flicker_bkg"].data.any()


def test_the_background_of_a_median_image_is_the_typical_group():
    """The light of the second integration is half that of the first; the star alone tells so."""
    product = flat_sky(background=0.0)
    product.data[1] /= 2
    level = clean(product, background_method="median_image").beside["flicker_bkg"].data
    star = level[:, :, 22:28, 42:48].mean(axis=(2, 3))
    np.testing.assert_allclose(star, [[500, 1000, 1500, 2000], [250, 500, 750, 1000]], rtol=0.01)


def in_blocks(product, params, edges, **inputs):
    """The ramp as a whole, and in segments between edges, after both parts of the step."""
    draft, rest = clean_flicker_noise.parts
    noted = draft(product, params, **inputs)
    blocks = [replace(segment(noted, *edge), corner=(edge[0], 0, 0)) for edge in edges]
    return rest(noted, params, **inputs), [rest(one, params, **inputs) for one in blocks]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("own", [False, True], ids=["no mask", "mask of each"])
def test_segments_give_the_bits_of_the_whole(way, own):
    product = made(way)
    planes = np.random.default_rng(5).random((3, *product.pixeldq.shape)) < 0.4
    inputs = references(product) | {"pastasoss": None, "user_mask": reference(BackgroundMask, data=planes)}
    inputs |= {} if own else {"user_mask": None}
    whole, blocks = in_blocks(product, Params(**(ALL | WAYS[way])), ((0, 1), (1, 3)), **inputs)
    for name, one in whole.beside.items():
        pieces = [block.beside[name].data for block in blocks]
        together = np.concatenate(pieces) if one.data.ndim > 2 else pieces[0]
        np.testing.assert_array_equal(together, one.data, err_msg=name)


NAMED = {"mask_science_regions": True, "fit_method": "fft", **dict.fromkeys(ALL, False)}


def test_who_asks_for_slits_to_be_masked_is_told_that_they_are_not(caplog):
    clean(made("waves"), **NAMED)
    assert "does not mask the slits and slices of NRS_FIXEDSLIT" in caplog.text
    assert "--reference user_mask=FILE" in caplog.text


def test_nothing_is_told_where_a_mask_is_given_or_nobody_asks(caplog):
    product = made("waves")
    mask = reference(BackgroundMask, data=np.ones(product.pixeldq.shape))
    clean_flicker_noise(product, Params(**NAMED), **references(product), user_mask=mask)
    clean(made("waves"), fit_method="fft")
    assert caplog.text == ""


def test_shutters_that_are_stuck_open_and_fixed_slits_are_masked_all_the_same():
    product = transposed(exposure((128, 1200), ngroups=3).ramp, **(NIRSPEC | {"EXP_TYPE": "NRS_MSASPEC"}))
    product.pixeldq[:20] = DQ.MSA_FAILED_OPEN
    mask = clean(product, mask_science_regions=True).beside["mask"].data
    assert not mask[:20].any()
    assert not mask[922:1116].any()
    assert mask[20:922].mean() > 0.8
