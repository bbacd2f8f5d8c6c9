import logging

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, one_pixel, ramp

from jwrules.products.flags import DQ
from jwrules.steps.bad_ramp import Params, bad_ramp
from jwrules.steps.declare import Skip

BAD = int(DQ.UNRELIABLE_SLOPE)


def flagged(product, **params):
    """Where pixels are flagged, (ny, nx)."""
    done = bad_ramp(product, Params(**params), **gain_and_readnoise(product.pixeldq.shape))
    return (done.pixeldq & BAD) > 0


def bent(rate, shape, bend, **keywords):
    """Ramps whose rate falls by `bend` of itself from the first group to the last."""
    ngroups = shape[1]
    straight = noisy(rate, shape, **keywords)
    time = np.arange(ngroups) / (ngroups - 1)
    loss = -bend / 2 * (time**2 - time) * rate * 10 * (ngroups - 1)
    return straight + loss[:, None, None].astype(np.float32)


@pytest.mark.parametrize(("frames", "gap"), [(1, 0), (8, 2)])
@pytest.mark.parametrize("rate", [0.2, 20.0, 2000.0])
def test_straight_ramps_are_not_flagged(rate, frames, gap):
    data = noisy(rate, (1, 8, 100, 100), frames=frames, gap=gap)
    product = ramp(data, NFRAMES=frames, GROUPGAP=gap, TFRAME=10 / (frames + gap))
    assert flagged(product, min_departure=0.0).sum() <= 1


def test_bent_ramps_are_flagged():
    assert flagged(ramp(bent(500.0, (1, 10, 20, 20), 0.3))).all()


def test_how_far_a_ramp_must_depart_is_a_parameter():
    # a rate that falls by 6 % departs by 6 % / √12 = 1.7 % rms
    data = bent(4000.0, (1, 10, 20, 20), 0.06)
    assert flagged(ramp(data), min_departure=0.0).all()
    assert flagged(ramp(data), min_departure=0.01).mean() > 0.95
    assert not flagged(ramp(data), min_departure=0.03).any()


def test_the_threshold_is_that_of_a_normal_distribution():
    # of straight ramps as many are beyond two sigma as of a normal distribution: 2.3 %
    product = ramp(noisy(20.0, (1, 9, 200, 200)))
    assert np.isclose(flagged(product, threshold=2.0, min_departure=0.0).mean(), 0.0228, rtol=0.12)


def test_a_missed_cosmic_ray_makes_a_single_integration_bad_and_spares_one_of_many():
    struck = 50.0 * np.arange(10.0) + np.where(np.arange(10) > 4, 3000.0, 0.0)
    assert flagged(one_pixel(struck)).all()
    many = np.tile((50.0 * np.arange(10.0))[None, :, None, None], (3, 1, 1, 1))
    many[1, :, 0, 0] = struck
    assert not flagged(ramp(many)).any()
    many[2, :, 0, 0] = struck
    assert flagged(ramp(many)).all()


@pytest.mark.parametrize("flag", [DQ.JUMP_DET, DQ.SATURATED])
def test_what_is_flagged_already_is_left_out(flag):
    product = one_pixel(50.0 * np.arange(10.0) + np.where(np.arange(10) > 4, 3000.0, 0.0))
    product.groupdq[0, 5 if flag == DQ.JUMP_DET else slice(5, None)] |= np.uint8(flag)
    assert not flagged(product).any()


def test_a_group_flagged_as_jump_and_more_spoils_what_follows_too():
    counts = 50.0 * np.arange(10.0)
    counts[5] += 3000
    product = one_pixel(counts)
    product.groupdq[0, 5] = DQ.JUMP_DET | DQ.DO_NOT_USE
    assert not flagged(product).any()


def test_pixels_that_are_not_to_be_used_are_not_looked_at():
    product = ramp(bent(500.0, (1, 10, 2, 2), 0.5))
    product.pixeldq[0, 0] = DQ.DO_NOT_USE
    assert flagged(product).ravel().tolist() == [False, True, True, True]


def test_rates_and_groups_stay_as_they_are(caplog):
    caplog.set_level(logging.INFO, logger="jwrules")
    product = ramp(bent(500.0, (1, 10, 3, 4), 0.5))
    data, groupdq = product.data.copy(), product.groupdq.copy()
    assert flagged(product).all()
    assert np.array_equal(product.data, data)
    assert np.array_equal(product.groupdq, groupdq)
    assert "12 pixels" in caplog.text


def test_two_groups_are_always_straight():
    with pytest.raises(Skip, match="2 groups"):
        flagged(one_pixel([0.0, 50.0]))


def test_dark_current_is_part_of_the_noise():
    # 1000 electron/s of dark, subtracted: what is left scatters by 5 DN/s, ten times more than its own photons explain
    random = np.random.default_rng(4)
    photons = random.poisson(10020.0, (1, 8, 60, 60)) - 10000.0
    product = ramp(photons.cumsum(axis=1) / 2)
    plain = flagged(product, min_departure=0.0).mean()
    product = ramp(product.data)
    product = type(product)(**(vars(product) | {"average_dark": np.full((60, 60), 1000.0, np.float32)}))
    assert plain > 0.9
    assert flagged(product, min_departure=0.0).mean() < 0.001
