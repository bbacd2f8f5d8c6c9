"""Showers in noise of known level: a disc in which every pixel rises by 2 sigma, in one group."""

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, ramp

from jwrules.products.flags import DQ
from jwrules.steps.jump import Params, jump

SIZE = (2, 8, 90, 90)
SIGMA = 8.5  # of a difference, DN: read noise 8 and the photons of 20 DN at 2 electron/DN
GROUP, Y, X, RADIUS = 4, 50, 40, 12
LOOKING = Params(find_showers=True, time_masked_after_shower=0.0)
DISTANCE = np.hypot(*np.ogrid[-Y : SIZE[2] - Y, -X : SIZE[3] - X])
DISC = DISTANCE < RADIUS


def scene(height=2.0, seed=3, **keywords):
    """Ramps of 2 DN/s with a shower of this height (sigma) in the first integration."""
    product = ramp(noisy(2.0, SIZE, seed=seed) + 1000, **keywords)
    product.data[0, GROUP:, DISC] += height * SIGMA
    return product


def found(product, params=LOOKING):
    """Where jumps are flagged that are not without looking for showers."""
    references = gain_and_readnoise(SIZE[2:])
    alone = jump(ramp(product.data, **dict(product.meta.primary)), **references).groupdq & DQ.JUMP_DET
    return (jump(product, params, **references).groupdq & DQ.JUMP_DET) > alone


def test_a_shower_is_flagged_where_and_when_it_falls():
    flagged = found(scene())
    struck = flagged[0, GROUP] | (jump(scene(), **gain_and_readnoise(SIZE[2:])).groupdq[0, GROUP] != 0)
    assert np.mean(struck[DISC]) > 0.9
    assert not flagged[0, GROUP, DISTANCE > RADIUS + 7].any()
    assert not flagged[1].any()
    assert not np.delete(flagged[0], GROUP, axis=0).any()


def test_nobody_looks_unless_asked():
    assert not found(scene(), Params()).any()


def test_noise_alone_is_no_shower():
    assert not found(scene(height=0.0)).any()


def test_a_shower_is_counted():
    product = jump(scene(), LOOKING, **gain_and_readnoise(SIZE[2:]))
    # one event in 14 intervals of 10 s and 90 x 90 pixels
    assert product.meta["EXTNCRS"] == pytest.approx(1e6 / (10.0 * 14 * 90 * 90))


@pytest.mark.parametrize(("seconds", "groups"), [(0.0, 1), (9.0, 1), (15.0, 2), (1000.0, 4)])
def test_what_follows_is_flagged_for_a_time(seconds, groups):
    flagged = found(scene(), Params(find_showers=True, time_masked_after_shower=seconds))[0, :, DISC].mean(axis=0)
    assert (flagged > 0.5).nonzero()[0].tolist() == list(range(GROUP, GROUP + groups))


def test_pixels_whose_rate_would_change_by_more_than_a_shower_can_explain_keep_their_flags():
    # 17 DN in one of seven intervals of 10 s change the rate by 0.28 DN/s; noise adds to that
    usual = found(scene())[0, GROUP, DISC].mean()
    strict = found(scene(), Params(find_showers=True, time_masked_after_shower=0.0, max_shower_amplitude=0.05))
    assert strict[0, GROUP, DISC].mean() < 0.3 * usual


@pytest.mark.parametrize(
    "stricter", [{"extend_snr_threshold": 2.5}, {"extend_min_area": 2000}], ids=lambda settings: next(iter(settings))
)
def test_a_shower_must_be_strong_and_large(stricter):
    assert not found(scene(), Params(find_showers=True, **stricter)).any()


@pytest.mark.parametrize(
    ("setting", "more"),
    [({"extend_ellipse_expand_ratio": 1.6}, True), ({"max_extended_radius": 5}, False)],
    ids=lambda value: str(value),
)
def test_how_far_it_is_flagged_can_be_set(setting, more):
    usual = np.count_nonzero(found(scene())[0, GROUP])
    set_so = np.count_nonzero(
        found(scene(), Params(find_showers=True, time_masked_after_shower=0.0, **setting))[0, GROUP]
    )
    assert set_so > 1.5 * usual if more else 0 < set_so < 0.5 * usual


@pytest.mark.parametrize("ring", [{"extend_inner_radius": 6.0}, {"extend_outer_radius": 8.0}], ids=str)
def test_the_ring_decides_what_is_averaged(ring):
    usual, other = found(scene()), found(scene(), Params(find_showers=True, time_masked_after_shower=0.0, **ring))
    assert np.any(usual != other)


def test_pixels_without_gain_reference_pixels_and_flagged_groups_tell_nothing():
    product = scene(height=0.0)
    wild = np.hypot(*np.ogrid[-20:70, -20:70]) < 15
    product.data[0, 3:, wild] += 100.0
    product.pixeldq[wild] = DQ.REFERENCE_PIXEL
    product.groupdq[0, 5, DISC] = DQ.SATURATED
    product.data[0, 5, DISC] += 20.0
    references = gain_and_readnoise(SIZE[2:])
    references["gain"].data.flags.writeable = True
    references["gain"].data[70:, :20] = -1.0
    before = jump(ramp(product.data), **references).meta["EXTNCRS"]
    assert before == jump(product, LOOKING, **references).meta["EXTNCRS"] == 0


def test_a_few_differences_do_not_tell_a_shower(caplog):
    product = ramp(noisy(2.0, (1, 8, 20, 20)) + 1000)
    jump(product, Params(find_showers=True, extend_snr_threshold=0.0), **gain_and_readnoise((20, 20)))
    assert "fewer than 10 differences" in caplog.text
    assert product.meta.get("EXTNCRS") in (None, 0)


def test_many_integrations_are_compared_with_each_other():
    size = (12, 4, 60, 60)
    product = ramp(noisy(2.0, size, seed=5) + 1000)
    product.data[:, 2:] += 50.0  # the same in all integrations: no shower
    disc = np.hypot(*np.ogrid[-30:30, -30:30]) < 10
    product.data[7, 2:, disc] += 3 * SIGMA
    params = Params(find_showers=True, time_masked_after_shower=0.0, minimum_sigclip_groups=12)
    flags = jump(product, params, **gain_and_readnoise(size[2:])).groupdq & DQ.JUMP_DET
    assert np.mean(flags[7, 2, disc] != 0) > 0.8
    assert np.mean(flags[6, 2, disc] != 0) < 0.1


def test_a_pixel_without_read_noise_does_not_spoil_those_around_it():
    whole = jump(scene(), LOOKING, **gain_and_readnoise(SIZE[2:])).groupdq
    noise = np.full(SIZE[2:], 8.0)
    noise[Y, X + 40] = np.nan
    product = jump(scene(), LOOKING, **gain_and_readnoise(SIZE[2:], readnoise=noise))
    assert product.pixeldq[Y, X + 40] == DQ.DO_NOT_USE
    other = (product.groupdq != whole).any(axis=(0, 1))
    other[Y - 1 : Y + 2, X + 39 : X + 42] = False  # its own jumps, and those of its neighbours
    assert not other.any()
