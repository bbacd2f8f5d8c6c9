"""What ramp_fit does on request against the official pipeline: likelihood, segments, lost charge, chosen groups."""

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise
from test_detector1_steps import datamodels, found_jumps, official_ramp, saturated, scene

from jwrules.products.flags import DQ
from jwrules.steps.ramp_fit import Params, ramp_fit

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]

PLANES = {"data": "slope", "err": "err", "var_poisson": "var_poisson", "var_rnoise": "var_rnoise"}
JUMP = np.uint8(DQ.JUMP_DET)


def official_fit(product, references, algorithm="OLS_C", *, suppress=True, optional=False):
    """Return the model, and the arrays of exposure, integrations and segments of the official ramp fit."""
    from stcal.ramp_fitting import ramp_fit as official

    model, gain, readnoise = official_ramp(product), references["gain"].data.copy(), references["readnoise"].data.copy()
    flags = datamodels.dqflags.pixel
    found = official.ramp_fit(
        model, optional, readnoise, gain, algorithm, "optimal", "none", flags, suppress_one_group=suppress
    )
    return model, *found


def assert_planes(ours, theirs, where, rtol=1e-5):
    for name, official in PLANES.items():
        mine, other = getattr(ours, name)[where], theirs[official][where]
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("scene_of", "least"),
    [
        ({"ngroups": 8}, 0.999),
        ({"ngroups": 4, "nints": 1}, 0.999),
        ({"ngroups": 6, "frames": 8, "gap": 2}, 0.999),
        ({"ngroups": 20, "struck": 0.1, "nints": 3}, 0.97),
        ({"ngroups": 6, "frames": 8, "gap": 2, "zeroframe": True}, 0.98),
    ],
)
def test_likelihood_with_official_weighting(scene_of, least):
    product = saturated(scene(**scene_of))
    references = gain_and_readnoise(product.pixeldq.shape)
    if product.zeroframe is not None:
        # where it is 0, saturated, the official fit takes it for a read of 0 DN
        product.zeroframe[product.zeroframe == 0] = 5000.0
    model, whole, each, _ = official_fit(product, references, "LIKELY")
    ours = ramp_fit(product, Params(algorithm="LIKELY", weighting="official"), **references)
    # ramps with other jumps are those where a division by zero ends the official search, see the next test
    alike = ((product.groupdq ^ model.groupdq) & JUMP == 0).all(axis=1)
    assert np.count_nonzero(model.groupdq & JUMP) > 100
    assert alike.mean() > least
    valued = np.isfinite(each["slope"]) & np.isfinite(ours.rateints.data) & alike
    assert np.mean(np.isfinite(each["slope"]) != np.isfinite(ours.rateints.data)) < 0.001
    assert_planes(ours.rateints, each, valued, rtol=2e-4)
    assert np.array_equal(ours.rateints.dq[valued], each["dq"][valued])
    everywhere = alike.all(axis=0) & np.isfinite(whole["slope"]) & np.isfinite(ours.rate.data)
    assert_planes(ours.rate, whole, everywhere, rtol=2e-4)


def test_a_jump_that_the_official_search_leaves_after_a_division_by_zero():
    from stcal.ramp_fitting import likely_fit as official

    rates = np.array([-1.093457, 1.0136719, -0.05996094, -0.50341797, 77.57051, 82.22524, -0.9243652])[:, None]
    read_times = [np.array([10.0 * (g + 1)]) for g in range(8)]
    left, _ = official.mask_jumps(rates, official.Covar(read_times), np.array([8 / 2**0.5]), np.array([2.0]))
    assert left.ravel().tolist() == [1, 1, 1, 1, 1, 0, 1]
    product = scene(nints=1, ngroups=8, ny=1, nx=1)
    product.data[0, :, 0, 0] = np.concatenate([[0], 10 * rates.ravel()]).cumsum()
    product.groupdq[:], product.pixeldq[:] = 0, 0
    ramp_fit(product, Params(algorithm="LIKELY", weighting="official"), **gain_and_readnoise((1, 1)))
    assert np.flatnonzero(product.groupdq).tolist() == [5, 6]


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize(
    "scene_of", [{"ngroups": 8}, {"ngroups": 2}, {"ngroups": 5, "frames": 4, "gap": 1}, {"ngroups": 20, "struck": 0.1}]
)
def test_segments_and_jumps_with_official_weighting(scene_of, suppress):
    product = saturated(scene(zeroframe=not suppress, **scene_of))
    references = gain_and_readnoise(product.pixeldq.shape)
    product = found_jumps(product, references) if scene_of["ngroups"] > 2 else product
    *_, theirs = official_fit(product, references, suppress=suppress, optional=True)
    params = Params(weighting="official", save_opt=True, suppress_one_group=suppress)
    ours = ramp_fit(product, params, **references).fitopt
    used = (product.pixeldq & np.uint32(DQ.DO_NOT_USE)) == 0
    assert ours.slope.shape == theirs["slope"].shape
    for name, other in theirs.items():
        if other.size:
            mine = getattr(ours, name)
            assert mine.shape == other.shape
            np.testing.assert_allclose(mine[..., used], other[..., used], rtol=1e-4, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("nints", [1, 2])
def test_groups_that_lost_charge_count_for_the_read_variance(nints):
    product = saturated(scene(nints=nints, ngroups=10))
    references = gain_and_readnoise(product.pixeldq.shape)
    product = found_jumps(product, references)
    lost = np.random.default_rng(6).integers(3, 30, (nints, 1, *product.pixeldq.shape)) <= np.arange(10)[:, None, None]
    lost &= (product.groupdq & np.uint8(DQ.DO_NOT_USE)) == 0
    product.groupdq[lost] |= np.uint8(DQ.CHARGELOSS | DQ.DO_NOT_USE)
    _, whole, each, _ = official_fit(product, references)
    ours = ramp_fit(product, Params(weighting="official"), **references)
    assert lost.any(axis=(0, 1)).mean() > 0.2
    for mine, theirs in ((ours.rate, whole), (ours.rateints, each)):
        assert_planes(mine, theirs, np.isfinite(mine.data) & np.isfinite(theirs["slope"]))
    unbiased = ramp_fit(product, **references)
    valued = np.isfinite(unbiased.rateints.data)
    np.testing.assert_allclose(unbiased.rateints.var_rnoise[valued], each["var_rnoise"][valued], rtol=1e-5)


@pytest.mark.parametrize(("first", "last"), [(2, None), (None, 5), (1, 6), (3, 40)])
def test_groups_outside_first_and_last_are_left_out(first, last):
    from jwst.ramp_fitting.ramp_fit_step import set_groupdq

    product = found_jumps(saturated(scene(ngroups=9)), gain_and_readnoise((40, 60)))
    references, expected = gain_and_readnoise(product.pixeldq.shape), official_ramp(product)
    set_groupdq(first, last, 9, expected.groupdq, datamodels.dqflags.group)
    ours = ramp_fit(product, Params(weighting="official", firstgroup=first, lastgroup=last), **references)
    assert np.array_equal(product.groupdq, expected.groupdq)
    _, whole, _, _ = official_fit(product, references)
    assert_planes(ours.rate, whole, np.isfinite(ours.rate.data))


def test_the_zero_frame_gives_a_rate_to_ramps_that_saturate_in_the_first_group():
    product = scene(nints=2, ngroups=6, frames=4, gap=1, zeroframe=True, rate=np.full((40, 60), 3000.0), struck=0.0)
    product.groupdq[:, :, :20] |= np.uint8(DQ.SATURATED)
    references = gain_and_readnoise(product.pixeldq.shape)
    _, whole, each, _ = official_fit(product, references, suppress=False)
    ours = ramp_fit(product, Params(weighting="official", suppress_one_group=False), **references)
    used = (product.pixeldq & np.uint32(DQ.DO_NOT_USE)) == 0
    used[20:] = False
    assert np.isfinite(ours.rate.data[used]).mean() > 0.99
    assert_planes(ours.rate, whole, used & np.isfinite(ours.rate.data))
    assert_planes(ours.rateints, each, used & np.isfinite(ours.rateints.data))
    assert np.isnan(ramp_fit(product, Params(weighting="official"), **references).rate.data[used]).all()
