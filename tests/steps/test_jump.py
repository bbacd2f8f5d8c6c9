from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import snowball_scene
from ramp_scene import gain_and_readnoise, noisy, one_pixel, ramp

from jwrules.products.flags import DQ
from jwrules.steps.declare import Skip
from jwrules.steps.jump import Params, jump

JUMP = DQ.JUMP_DET
GAIN, READNOISE = 2.0, 8.0


def searched(product, **params):
    return jump(product, Params(**params), **gain_and_readnoise(product.pixeldq.shape, GAIN, READNOISE))


def flags(product):
    return product.groupdq[0, :, 0, 0].tolist()


def sigma(rate, seconds=10.0):
    """Expected noise of a difference, in DN."""
    return np.sqrt(rate * seconds * GAIN + (READNOISE * GAIN) ** 2) / GAIN


def noise_of_height(rate, ngroups, seconds=10.0):
    """The least noise, in DN, with which reads of unknown pedestal and rate tell how high a step before group 2 is."""
    groups = np.arange(ngroups)
    light = np.minimum.outer(groups, groups) * rate * seconds / GAIN
    weights = np.linalg.inv(light + np.eye(ngroups) * READNOISE**2 / 2)
    model = np.stack([np.ones(ngroups), groups, groups >= 2], axis=1)
    return np.sqrt(np.linalg.inv(model.T @ weights @ model)[2, 2])


def line(ngroups, rate=10.0):
    return 10.0 * rate * np.arange(ngroups)


def struck_line(ngroups, group, height):
    return line(ngroups) + np.where(np.arange(ngroups) >= group, height, 0.0)


@pytest.mark.parametrize(("ngroups", "threshold"), [(12, 4.0), (8, 4.0), (4, 5.0), (3, 6.0)])
def test_a_jump_is_flagged_just_above_the_threshold_and_not_just_below(ngroups, threshold):
    # the photons that are expected are those of the mean difference, with the jump
    for factor, flag in ((1.01, JUMP), (0.99, 0)):
        height = threshold * sigma(10.0)
        for _ in range(50):
            height = threshold * noise_of_height(10.0 + height / 10 / (ngroups - 1), ngroups)
        expected = [flag if g == 2 else 0 for g in range(ngroups)]
        assert flags(searched(one_pixel(struck_line(ngroups, 2, factor * height)))) == expected


@pytest.mark.parametrize(("sigmas", "expected"), [(4.2, [10]), (3.8, [])])
def test_all_reads_tell_of_a_jump_that_its_difference_alone_would_not(sigmas, expected):
    # of 19 differences of reads the middle one has (C⁻¹)ᵢᵢ = 10 and (C⁻¹ 1)ᵢ = 100, of 1330 in all
    height = sigmas * sigma(0.0) / np.sqrt(10 - 100**2 / 1330)
    product = one_pixel(struck_line(20, 10, height) - line(20))
    assert np.flatnonzero(flags(searched(deepcopy(product)))).tolist() == expected
    assert not any(flags(searched(product, statistic="mean")))


def test_the_plain_mean_hardly_sees_slow_changes_of_the_rate():
    released = 50.0 * (1 - np.exp(-3 * np.arange(20) / 20))[:, None, None]
    data = noisy(0.5, (1, 20, 100, 100), seed=20) + released
    alone = {"flag_4_neighbors": False, "flag_rests": False}
    weighed, plain = (searched(ramp(data), statistic=way, **alone).groupdq > 0 for way in ("calibrated", "mean"))
    assert 0.04 < weighed.any(axis=1).mean() < 0.08
    assert plain.any(axis=1).mean() < 0.005


@pytest.mark.parametrize(("ngroups", "threshold"), [(12, 4.0), (8, 4.0), (4, 5.0), (3, 6.0)])
def test_officially_the_median_is_compared_with(ngroups, threshold):
    # on a noiseless line the median difference is that of the line, and its noise is known
    for factor, flag in ((1.01, JUMP), (0.99, 0)):
        height = factor * threshold * sigma(10.0)
        expected = [flag if g == 2 else 0 for g in range(ngroups)]
        assert flags(searched(one_pixel(struck_line(ngroups, 2, height)), statistic="official")) == expected


def test_officially_many_differences_are_judged_at_once():
    # up by as much as all others go down, and 3 σ: without signs that is no jump
    counts = -struck_line(8, 3, 0.0)
    product = one_pixel(counts + np.where(np.arange(8) >= 4, 200.0 + 3 * sigma(10.0), 0.0))
    assert JUMP not in flags(searched(product, statistic="official"))
    assert JUMP in flags(searched(product, statistic="official", min_diffs_single_pass=5))


def test_thresholds_follow_the_parameters():
    counts = struck_line(8, 3, 5 * sigma(10.0))
    assert JUMP in flags(searched(one_pixel(counts)))
    assert JUMP not in flags(searched(one_pixel(counts), rejection_threshold=5.1))


@pytest.mark.parametrize("ngroups", [6, 20])
def test_two_jumps_in_a_ramp_are_both_found(ngroups):
    counts = struck_line(ngroups, 2, 4000.0) + np.where(np.arange(ngroups) >= 4, 300.0, 0.0)
    assert [g for g, flag in enumerate(flags(searched(one_pixel(counts)))) if flag] == [2, 4]


@pytest.mark.parametrize("ngroups", [4, 5])
def test_of_few_differences_two_that_rise_are_jumps_and_not_the_others(ngroups):
    # a ray within group 1 is in two differences alike
    counts = struck_line(ngroups, 1, 2000.0) + np.where(np.arange(ngroups) >= 2, 2000.0, 0.0)
    assert np.flatnonzero(flags(searched(one_pixel(counts)))).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("sigmas", "frames", "expected"), [(20, 8, [3, 4, 5]), (60, 8, [4]), (20, 4, [4]), (10, 1, [4])]
)
def test_both_sides_of_a_jump_are_flagged_that_may_hide_the_lower_part(sigmas, frames, expected):
    # a seventh of 42 sigma is 6, a third of 18 too: two more than the threshold
    height = sigmas * np.sqrt(100 / GAIN + READNOISE**2 / frames)
    product = one_pixel(struck_line(9, 4, height), NFRAMES=frames)
    assert np.flatnonzero(flags(searched(deepcopy(product)))).tolist() == expected
    assert np.flatnonzero(flags(searched(product, flag_rests=False))).tolist() == [4]


def test_where_both_parts_of_a_ray_are_found_no_more_is_flagged():
    counts = struck_line(9, 4, 100.0) + np.where(np.arange(9) >= 5, 60.0, 0.0)
    assert np.flatnonzero(flags(searched(one_pixel(counts, NFRAMES=8)))).tolist() == [4, 5]


def test_what_a_neighbour_has_flagged_hides_no_rest():
    data = np.tile(struck_line(9, 4, 120.0).reshape(1, 9, 1, 1), (1, 1, 1, 2))
    data[0, 5:, 0, 1] += 300.0
    result = searched(ramp(data, NFRAMES=8))
    assert np.flatnonzero(result.groupdq[0, :, 0, 0]).tolist() == [3, 4, 5]


@pytest.mark.parametrize(("ngroups", "expected"), [(3, [1]), (4, [2]), (5, [1, 2, 3])])
def test_a_ramp_is_left_a_difference(ngroups, expected):
    counts = struck_line(ngroups, expected[len(expected) // 2], 120.0)
    assert np.flatnonzero(flags(searched(one_pixel(counts, NFRAMES=8)))).tolist() == expected


def test_groups_that_are_not_usable_have_no_jumps():
    product = one_pixel(struck_line(8, 3, 4000.0))
    product.groupdq[0, 3] = DQ.DO_NOT_USE
    assert flags(searched(product)) == [0, 0, 0, DQ.DO_NOT_USE, 0, 0, 0, 0]


def test_other_integrations_help_to_tell_what_is_usual():
    # two groups differ by 1000 DN in one integration; the other three integrations show what the pixel does
    data = np.tile(line(3).reshape(1, 3, 1, 1), (4, 1, 1, 1))
    data[2, 2] += 1000
    assert np.argwhere(searched(ramp(data)).groupdq).tolist() == [[2, 2, 0, 0]]


@pytest.mark.parametrize(("height", "expected"), [(5.0, 1), (50.0, 5), (2000.0, 1)])
def test_neighbours_of_medium_jumps_are_flagged(height, expected):
    data = np.tile(line(8).reshape(1, 8, 1, 1), (1, 1, 5, 5))
    data[0, 4:, 2, 2] += height * sigma(10.0)
    result = searched(ramp(data))
    assert np.count_nonzero(result.groupdq == JUMP) == expected
    assert not np.count_nonzero(searched(ramp(data), flag_4_neighbors=False).groupdq == JUMP) > 1


def test_neighbours_are_the_same_where_whole_frames_tell_them_and_ramps_need_no_margin():
    random, shape = np.random.default_rng(6), (2, 6, 30, 30)
    data = noisy(20.0, shape, seed=5)
    data += np.cumsum(np.where(random.random(shape) < 0.02, 10 ** random.uniform(2, 4, shape), 0), axis=1)
    product, later = ramp(data), {"expand_large_events": True, "min_jump_area": 1e4}
    product.groupdq[random.random(shape) < 0.02] = DQ.DO_NOT_USE
    at_once = searched(deepcopy(product)).groupdq
    alone = searched(deepcopy(product), flag_4_neighbors=False).groupdq
    assert np.count_nonzero(at_once & JUMP) > 2 * np.count_nonzero(alone & JUMP)
    assert np.array_equal(searched(deepcopy(product), **later).groupdq, at_once)
    assert [jump.parts[0].rows(Params(**one)) for one in ({}, later)] == [1, 0]


def test_neighbours_that_are_saturated_or_bad_stay_so():
    data = np.tile(line(8).reshape(1, 8, 1, 1), (1, 1, 3, 3))
    data[0, 4:, 1, 1] += 50 * sigma(10.0)
    product = ramp(data)
    product.groupdq[0, :, 0, 1], product.groupdq[0, 4:, 1, 0] = DQ.DO_NOT_USE, DQ.SATURATED
    result = searched(product).groupdq[0, 4]
    assert result.tolist() == [[0, DQ.DO_NOT_USE, 0], [DQ.SATURATED, JUMP, JUMP], [0, JUMP, 0]]


def test_groups_after_a_strong_jump_are_flagged_for_the_asked_time():
    product = one_pixel(struck_line(9, 3, 500.0))
    result = searched(product, after_jump_flag_dn1=400.0, after_jump_flag_time1=25.0)
    assert np.flatnonzero(flags(result)).tolist() == [3, 4, 5]
    weak = searched(one_pixel(struck_line(9, 3, 300.0)), after_jump_flag_dn1=400.0, after_jump_flag_time1=25.0)
    assert np.flatnonzero(flags(weak)).tolist() == [3]


def test_long_series_are_clipped_at_their_own_scatter():
    random = np.random.default_rng(1)
    data = random.normal(0, 2.0, (120, 3, 2, 3)).cumsum(axis=1)
    data[60, 1:, 1, 1] += 20.0  # ten times the scatter, though not much for the read noise
    assert np.argwhere(searched(ramp(data)).groupdq).tolist() == [[60, 1, 1, 1]]
    assert not searched(ramp(data[:99])).groupdq.any()


@pytest.mark.parametrize(("shape", "usable"), [((1, 2, 1, 1), 2), ((1, 4, 1, 1), 2)])
def test_too_few_groups_are_skipped(shape, usable):
    left_out = np.zeros(shape[:2], bool)
    left_out[:, usable:] = True
    product = replace(ramp(np.zeros(shape)), left_out=left_out)
    with pytest.raises(Skip, match=str(usable)):
        searched(product)


def test_a_pixel_without_gain_says_so():
    product = one_pixel(struck_line(8, 3, 4000.0))
    result = jump(product, **gain_and_readnoise((1, 1), gain=np.nan))
    assert result.pixeldq[0, 0] == DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE
    assert not result.groupdq.any()


@pytest.mark.parametrize("ngroups", [5, 9, 15])
@pytest.mark.parametrize("rate", [0.5, 20.0])
def test_cosmic_rays_above_six_sigma_are_found_and_few_others(ngroups, rate):
    shape = (1, ngroups, 200, 200)
    random = np.random.default_rng(ngroups)
    hits = random.random(shape) < 0.01
    hits[:, 0] = False
    hits &= np.cumsum(hits, axis=1) == 1
    heights = np.where(hits, random.uniform(6, 60, shape) * sigma(rate), 0.0)
    data = noisy(rate, shape, gain=GAIN, readnoise=READNOISE, seed=ngroups) + heights.cumsum(axis=1)
    found = searched(ramp(data), flag_4_neighbors=False).groupdq == JUMP
    assert found[hits].mean() >= 0.99
    assert found[~hits].mean() < 2e-3


@pytest.mark.parametrize("ngroups", [10, 20])
@pytest.mark.parametrize("rate", [0.5, 300.0])
def test_a_threshold_of_three_sigma_finds_jumps_of_five(ngroups, rate):
    shape = (1, ngroups, 200, 200)
    when = np.random.default_rng(ngroups).integers(1, ngroups, shape[2:])
    groups = np.arange(ngroups)[:, np.newaxis, np.newaxis]
    data = noisy(rate, shape, gain=GAIN, readnoise=READNOISE, seed=ngroups)
    data[0] += np.where(groups >= when, 5 * sigma(rate), 0.0)
    found = searched(ramp(data), rejection_threshold=3.0, flag_4_neighbors=False, flag_rests=False).groupdq == JUMP
    assert found[0][groups == when].mean() >= 0.95


def test_the_rate_of_cosmic_rays_is_that_per_thousand_pixels_and_second():
    data = np.tile(line(8).reshape(1, 8, 1, 1), (1, 1, 5, 5))
    data[0, 4:, 2, 2] += 3000.0
    result = searched(ramp(data))
    # one ray in 25 pixels and seven intervals of 10 s
    assert np.isclose(result.meta["PRIMECRS"], 1000 / (25 * 70))
    assert result.meta["EXTNCRS"] == 0


def snowball(ny=80, nx=80, y=40, x=40, radius=6):
    """A disc of jumps around a saturated core, in group 4 of 8."""
    rows, columns = np.ogrid[:ny, :nx]
    distance = np.hypot(rows - y, columns - x)
    product = ramp(np.tile(line(8).reshape(1, 8, 1, 1), (2, 1, ny, nx)))
    product.data[0, 4:, distance < radius] += 5000.0
    product.groupdq[0, 4:, distance < 3] = DQ.SATURATED
    return product, distance


def test_a_snowball_is_flagged_over_twice_its_radius_and_its_core_grows():
    product, distance = snowball()
    result = searched(product, expand_large_events=True)
    plane = result.groupdq[0, 4]
    assert np.all(plane[(distance > 5) & (distance < 10)] == JUMP)
    assert not plane[distance > 14].any()
    assert np.all(result.groupdq[0, 7, distance < 4] == DQ.SATURATED)
    assert not (result.groupdq[0, 5, distance > 6] & JUMP).any()
    assert np.isclose(result.meta["EXTNCRS"], 1e6 / (10.0 * 14 * 6400))


def test_the_core_of_a_snowball_is_masked_in_the_next_integration_for_the_asked_time():
    product, distance = snowball()
    result = searched(product, expand_large_events=True, snowball_time_masked_next_int=40)
    core = result.groupdq[1, :, distance < 2]
    assert np.all(core == np.array([0, JUMP, JUMP, JUMP, 0, 0, 0, 0]))
    ignored = searched(snowball()[0], expand_large_events=True, mask_snowball_core_next_int=False)
    assert not ignored.groupdq[1].any()


def test_a_large_event_without_a_saturated_core_counts_only_at_the_edge():
    def jumps(**where):
        product, distance = snowball(**where)
        product.groupdq[:] = 0
        result = searched(product, expand_large_events=True)
        return np.count_nonzero(result.groupdq[0, 4] == JUMP), np.count_nonzero(distance < 7)

    inside, small = jumps()
    assert inside <= small
    edge, small = jumps(x=10)
    assert edge > 2 * small


def test_the_cores_of_snowballs_do_not_lose_their_bad_pixels():
    product, _ = snowball()
    product.groupdq[0, :, 40, 40] |= np.uint8(DQ.DO_NOT_USE)
    result = searched(product, expand_large_events=True)
    assert np.all(result.groupdq[0, :, 40, 40] & np.uint8(DQ.DO_NOT_USE))


@pytest.mark.parametrize("statistic", ["calibrated", "mean"])
@pytest.mark.parametrize("rate", [0.5, 100.0])
@pytest.mark.parametrize(("ngroups", "frames", "gap"), [(3, 1, 0), (4, 4, 1), (5, 1, 0), (10, 8, 12), (20, 1, 0)])
def test_noise_is_flagged_as_often_as_the_threshold_says(ngroups, frames, gap, rate, statistic):
    side = int(np.sqrt(1e6 / (ngroups * (frames + gap))))
    data = noisy(rate, (1, ngroups, side, side), frames=frames, gap=gap, seed=ngroups)
    limits = dict.fromkeys(("", "four_group_", "three_group_"), 3.0)
    params = {f"{name}rejection_threshold": limit for name, limit in limits.items()}
    params |= {"flag_4_neighbors": False, "flag_rests": False, "statistic": statistic}
    found = searched(ramp(data, NFRAMES=frames, GROUPGAP=gap), **params).groupdq[:, 1:] == JUMP
    stated = 0.0026998 * found.size
    assert np.count_nonzero(found) < 1.2 * stated + 3 * np.sqrt(stated)
    # of two differences that differ the higher one alone is flagged
    assert np.count_nonzero(found) > (0.4 if ngroups == 3 else 0.8) * stated - 3 * np.sqrt(stated)


def banded(product, bands, **params):
    """The flags of the rows of each band, found in it with a row more on both sides."""
    references = gain_and_readnoise(product.pixeldq.shape, GAIN, READNOISE)
    part, ny = jump.parts[0], product.pixeldq.shape[0]
    assert part.along == "ramps"
    flags, found = [], 0
    for start, stop in bands:
        low, high = max(start - 1, 0), min(stop + 1, ny)
        band = ramp(product.data[:, :, low:high])
        band.groupdq[...] = product.groupdq[:, :, low:high]
        band = replace(band, own=(slice(start - low, stop - low), slice(None)))
        cut = {name: replace(one, data=one.data[low:high]) for name, one in references.items()}
        result = part(band, Params(**params), **cut)
        flags.append(result.groupdq[:, :, result.own[0]])
        found += result.counts["found"]
    return np.concatenate(flags, axis=2), found


@pytest.mark.parametrize("shape", [(2, 8, 21, 30), (1, 14, 21, 30), (101, 4, 21, 10)])
@pytest.mark.parametrize("statistic", ["calibrated", "mean", "official"])
def test_bands_of_rows_with_a_margin_give_what_the_whole_gives(shape, statistic):
    random = np.random.default_rng(3)
    data = noisy(20.0, shape, seed=3)
    data += np.cumsum(np.where(random.random(shape) < 0.02, 10 ** random.uniform(1.5, 4, shape), 0), axis=1)
    product = ramp(data)
    product.groupdq[random.random(shape) < 0.01] = DQ.SATURATED
    options = {"after_jump_flag_dn1": 100.0, "after_jump_flag_time1": 20.0, "statistic": statistic}
    flags, found = banded(product, [(0, 1), (1, 9), (9, 10), (10, 21)], **options)
    whole = jump.parts[0](product, Params(**options), **gain_and_readnoise(shape[2:], GAIN, READNOISE))
    assert np.count_nonzero(flags & JUMP) > 100
    assert np.array_equal(flags, whole.groupdq)
    assert found == whole.counts["found"]


@pytest.mark.parametrize("search", ["linked", "official"])
def test_segments_of_integrations_give_what_the_whole_gives(search):
    whole, _ = snowball()
    whole = ramp(np.concatenate([whole.data, whole.data[1:]]))
    whole.groupdq[:2] = snowball()[0].groupdq
    whole.groupdq[0, 4:] |= np.where(whole.data[0, 4:] > 4000, JUMP, 0).astype(np.uint8)
    part, params = (
        jump.parts[2],
        Params(expand_large_events=True, snowball_time_masked_next_int=40, snowball_search=search),
    )
    references, notes, pieces = gain_and_readnoise(whole.pixeldq.shape), {}, []
    for integration in range(3):
        piece = ramp(whole.data[integration])
        piece.groupdq[...] = whole.groupdq[integration]
        piece = part(replace(piece, notes=notes), params, **references)
        notes = piece.notes
        pieces.append(piece.groupdq)
    together = part(whole, params, **references).groupdq
    assert np.array_equal(np.concatenate(pieces), together)
    assert np.count_nonzero(together[1, 1:4] == JUMP) > 20
    assert not together[1, 4:].any()
    assert not together[2].any()


@pytest.mark.parametrize("statistic", ["calibrated", "mean", "official"])
@pytest.mark.parametrize("nints", [1, 100])
def test_ramps_that_tell_nothing_have_no_jumps(nints, statistic):
    data = np.tile(struck_line(6, 3, 4000.0).reshape(1, 6, 1, 1), (nints, 1, 1, 5))
    product = ramp(data)
    product.groupdq[..., 0], product.groupdq[..., 1] = DQ.DO_NOT_USE, DQ.SATURATED
    product.groupdq[:, 1:, :, 2] = DQ.SATURATED
    product.data[..., 3] = np.nan
    references = gain_and_readnoise((1, 5))
    references["gain"] = replace(references["gain"], data=np.array([[2, 2, 2, 2, -1.0]], np.float32))
    before = product.groupdq.copy()
    result = jump(product, Params(statistic=statistic), **references)
    assert np.array_equal(result.groupdq, before)
    assert result.pixeldq[0].tolist() == [0, 0, 0, 0, DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE]


@pytest.mark.parametrize("ngroups", [1, 2])
def test_one_or_two_groups_are_skipped(ngroups):
    with pytest.raises(Skip, match="from three on"):
        searched(ramp(np.zeros((1, ngroups, 2, 2))))


@pytest.mark.parametrize("readout", snowball_scene.READOUTS)
def test_snowballs_are_found_in_all_readouts_and_common_rays_are_none(readout):
    found, areas, right, total = [], [], 0, 0
    params = {"expand_large_events": True, "mask_snowball_core_next_int": False}
    for seed in (1, 2, 3):
        scene = snowball_scene.scene(readout, seed=seed)
        alone = searched(deepcopy(scene.ramp)).groupdq & JUMP
        flags = searched(scene.ramp, **params).groupdq
        struck = (flags & (JUMP | DQ.SATURATED)) > 0
        seen = [one for one in scene.snowballs if one.area.sum() >= 30]
        found += [one.seen(struck) >= 0.9 for one in seen]
        areas += [area for one in seen for area in one.areas(struck)]
        one_right, one_total = scene.judge((flags & JUMP) > alone)
        right, total = right + one_right, total + one_total
    assert np.mean(found) >= 0.9
    assert right >= 0.9 * total
    assert 1.0 <= np.median(areas) <= 1.5


@pytest.mark.parametrize("search", ["linked", "official"])
@pytest.mark.parametrize(
    "setting",
    [
        {"min_jump_area": 200.0},
        {"min_sat_area": 60.0},
        {"sat_required_snowball": False},
        {"edge_size": 0},
        {"expand_factor": 3.0},
        {"max_extended_radius": 6},
        {"min_sat_radius_extend": 9.0},
        {"sat_expand": 4},
        {"mask_snowball_core_next_int": False},
        {"snowball_time_masked_next_int": 30},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_every_setting_of_snowballs_does_something(setting, search):
    def flagged(**settings):
        product, _ = snowball()
        edge, _ = snowball(x=6, radius=9)
        product.data[0, 6:, :, :30] += np.where(edge.data[0, 5, :, :30] > 4000, 5000.0, 0.0)
        product.data[1, 4:, 30:36, 60:66] += 5000.0
        params = {"expand_large_events": True, "snowball_search": search, "snowball_time_masked_next_int": 60}
        return searched(product, **(params | settings)).groupdq

    assert not np.array_equal(flagged(), flagged(**setting))


def test_a_snowball_while_a_group_is_read_is_flagged_in_both_differences():
    product, distance = snowball()
    product = ramp(product.data, NFRAMES=4)
    product.data[0, 4, distance < 6] -= 2500.0  # half of the frames of group 4 came before it
    product.groupdq[0, 5:, distance < 3] = DQ.SATURATED
    result = searched(product, expand_large_events=True, mask_snowball_core_next_int=False).groupdq[0]
    around = (distance > 5) & (distance < 11)
    assert np.all(result[4:6, around] == JUMP)
    assert not (result[[3, 6, 7]][:, around] & JUMP).any()


def test_a_star_that_saturates_is_no_snowball():
    product, _ = snowball()
    product.data[...] = ramp(np.tile(line(8).reshape(1, 8, 1, 1), (2, 1, 80, 80))).data
    before = product.groupdq.copy()
    assert np.array_equal(searched(product, expand_large_events=True).groupdq, before)
    grown = searched(product, expand_large_events=True, snowball_search="official").groupdq
    assert np.count_nonzero(grown[0, 7] & DQ.SATURATED) > np.count_nonzero(before[0, 7])


def test_a_common_ray_at_the_edge_is_no_snowball():
    product = ramp(np.tile(line(8).reshape(1, 8, 1, 1), (1, 1, 60, 60)))
    product.data[0, 4:, 10, 10:13] += 60 * sigma(10.0)
    alone = searched(deepcopy(product)).groupdq
    assert np.array_equal(searched(deepcopy(product), expand_large_events=True).groupdq, alone)
    official = searched(product, expand_large_events=True, snowball_search="official").groupdq
    assert np.count_nonzero(official) > np.count_nonzero(alone)
