"""Every branch of the official saturation step, on arrays that reach it; flags agree to the bit."""

from dataclasses import replace

import numpy as np
import pytest
from ramp_scene import ramp, reference
from test_detector1_steps import assert_same, official_ramp, official_reference

from jwrules.products import kinds
from jwrules.products.flags import DQ
from jwrules.steps.saturation import Params, saturation

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

SHAPE = (25, 31)


def ramps(ngroups, nints=2, frames=4, low=2, high=4.7):
    """Ramps from a bias of 1e4 DN, over decades of brightness, with leaps, clipped by the converter."""
    random = np.random.default_rng(ngroups)
    rates = 10 ** random.uniform(low, high, (nints, 1, *SHAPE))
    data = 1e4 + rates * np.arange(1, ngroups + 1)[:, np.newaxis, np.newaxis]
    leaps = np.where(random.random(data.shape) < 0.1, random.uniform(0, 6e4, data.shape), 0)
    data = np.clip(data + leaps.cumsum(axis=1), 0, 65535).round()
    data[random.random(data.shape) < 0.01] = 0
    return ramp(data, NFRAMES=frames, zeroframe=np.minimum(data[:, 0] * 1.1, 65535))


def thresholds(value=6e4, share=0.02):
    random = np.random.default_rng(5)
    data = np.where(random.random(SHAPE) < share, np.nan, random.uniform(value - 5e3, value, SHAPE))
    return reference(kinds.Saturation, data=data, dq=np.where(random.random(SHAPE) < share, DQ.NO_SAT_CHECK, 0))


def check(product, limits, *, bias=1e4, pixels=1, readpatt=True):
    """Compare with the official step; return our flags."""
    from jwst.saturation import saturation as official

    superbias = None if bias is None else reference(kinds.Superbias, data=np.full(product.pixeldq.shape, bias))
    theirs = official.flag_saturation(
        official_ramp(product),
        official_reference(datamodels.SaturationModel, limits),
        pixels,
        readpatt,
        bias_model=None if superbias is None else official_reference(datamodels.SuperBiasModel, superbias),
    )
    params = Params(n_pix_grow_sat=pixels, use_readpatt=readpatt, partial_search="official")
    ours = saturation(product, params, saturation=limits, superbias=superbias)
    assert_same(ours, theirs)
    return ours.groupdq


@pytest.mark.parametrize("ngroups", [1, 2, 3, 7])
@pytest.mark.parametrize("frames", [1, 2, 8])
def test_few_groups(ngroups, frames):
    assert np.count_nonzero(check(ramps(ngroups, frames=frames), thresholds()) & np.uint8(DQ.SATURATED)) > 20


def test_groups_of_which_some_frames_are_saturated():
    flags = check(ramps(8), thresholds())
    before = flags[:, :-1] & ~flags[:, 1:] & np.uint8(DQ.DO_NOT_USE)
    assert np.count_nonzero(before & ~(flags[:, :-1] & np.uint8(DQ.AD_FLOOR))) > 20


@pytest.mark.parametrize("bias", [1e4, None])
def test_leaps_in_the_second_group(bias):
    data = np.full((1, 4, *SHAPE), 1.4e4)
    data[:, 1], data[:, 2:] = np.random.default_rng(1).uniform(1.4e4, 5e4, SHAPE), 6.5e4
    flags = check(ramp(data, NFRAMES=4), thresholds(share=0), bias=bias, pixels=0)
    struck = np.count_nonzero(flags[0, 1] & np.uint8(DQ.DO_NOT_USE))
    suspect = np.count_nonzero(data[0, 1] >= 5.5e4 * 6.5 / 8)
    assert (struck > 2 * suspect) == (bias is not None)


def test_a_leap_in_the_second_group_without_a_read_pattern():
    check(ramps(5), thresholds(), readpatt=False)


def test_the_ceiling_of_the_converter():
    limits = reference(kinds.Saturation, data=np.full(SHAPE, 65535.0))
    flags = check(ramps(6), limits)
    assert np.count_nonzero(flags[:, -1] & np.uint8(DQ.SATURATED)) > 20


def test_saturated_from_the_first_group_and_everywhere():
    flags = check(ramp(np.full((2, 5, *SHAPE), 65535.0), NFRAMES=4), thresholds())
    assert np.all(flags & np.uint8(DQ.SATURATED))


def test_nothing_saturated():
    assert not np.any(check(ramp(np.full((2, 5, *SHAPE), 1e4), NFRAMES=4), thresholds()) & np.uint8(DQ.SATURATED))


def test_no_pixel_checked():
    assert not np.any(check(ramps(5), thresholds(share=1.0)) & np.uint8(DQ.SATURATED))


def test_unusable_pixels():
    product = ramps(5)
    bad = np.random.default_rng(3).random(SHAPE) < 0.3
    product.groupdq[:, :, bad] = DQ.DO_NOT_USE
    check(product, thresholds())


@pytest.mark.parametrize(("shape", "pixels"), [((1, 31), 0), ((25, 1), 0), ((3, 3), 1), ((25, 9), 4)])
def test_areas_as_narrow_as_the_spill(shape, pixels):
    product = ramps(5)
    rows, columns = shape
    product = replace(
        product,
        data=product.data[..., :rows, :columns].copy(),
        groupdq=product.groupdq[..., :rows, :columns].copy(),
        pixeldq=product.pixeldq[:rows, :columns].copy(),
        zeroframe=product.zeroframe[..., :rows, :columns].copy(),
    )
    limits = thresholds()
    cut = reference(kinds.Saturation, data=limits.data[:rows, :columns], dq=limits.dq[:rows, :columns])
    check(product, cut, pixels=pixels)


def test_a_subarray_is_cut_out_of_the_files_of_the_whole_detector():
    from jwst.saturation import saturation as official

    product = ramps(5)
    product = replace(product, meta=product.meta.updated(SUBSTRT1=41, SUBSTRT2=101))
    random = np.random.default_rng(8)
    frame = reference(kinds.Saturation, {"SUBSTRT1": 1, "SUBSTRT2": 1}, data=random.uniform(4e4, 6e4, (2048, 2048)))
    model = official_reference(datamodels.SaturationModel, frame)
    theirs = official.flag_saturation(official_ramp(product), model, 1, True)
    rows, columns = slice(100, 100 + SHAPE[0]), slice(40, 40 + SHAPE[1])
    cut = reference(kinds.Saturation, data=frame.data[rows, columns])
    assert_same(saturation(product, Params(partial_search="official"), saturation=cut), theirs)
