"""Sky levels that make overlapping exposures agree."""

from dataclasses import replace

import numpy as np
import pytest
from imaging_scene import column, flat, offset, without

from jwrules.errors import CannotRun
from jwrules.steps.declare import Skip
from jwrules.steps.skymatch import Params, skymatch

LEVELS = (3.0, 1.0, 2.5)


def _dithered(noise=0.0):
    return tuple(flat(level, k + 1, pointing=offset(0.7 * k, -0.4 * k), noise=noise) for k, level in enumerate(LEVELS))


@pytest.mark.parametrize("skystat", ["mode", "median", "midpt", "mean"])
def test_known_skies_are_recovered_exactly(skystat):
    matched = skymatch(_dithered(), Params(skystat=skystat))
    np.testing.assert_allclose(column(matched, "BKGLEVEL"), [2.0, 0.0, 1.5], atol=1e-6)


def test_the_median_of_noisy_skies_is_good_to_the_noise_of_the_mean():
    matched = skymatch(_dithered(noise=0.1), Params(skystat="median"))
    np.testing.assert_allclose(column(matched, "BKGLEVEL"), [2.0, 0.0, 1.5], atol=0.02)


def test_matching_up_leaves_the_brightest_sky_alone():
    matched = skymatch(_dithered(), Params(match_down=False))
    np.testing.assert_allclose(column(matched, "BKGLEVEL"), [0.0, -2.0, -0.5], atol=1e-6)


def test_levels_are_written_down_and_the_images_left_alone():
    images = _dithered()
    matched = skymatch(images)
    assert matched[0].data is images[0].data
    assert column(matched, "BKGSUB") == [False] * 3
    assert column(matched, "BKGMETH") == ["match"] * 3


@pytest.mark.parametrize(
    ("method", "left"),
    [("match", [1.0] * 3), ("local", [0.0] * 3), ("global", [2.0, 0.0, 1.5]), ("global+match", [0] * 3)],
)
def test_what_is_left_after_subtraction(method, left):
    matched = skymatch(_dithered(), Params(skymethod=method, subtract=True))
    np.testing.assert_allclose([np.median(image.data) for image in matched], left, atol=1e-6)
    assert column(matched, "BKGSUB") == [True] * 3


def test_matching_again_keeps_the_sum_of_what_was_subtracted():
    once = skymatch(_dithered(), Params(subtract=True))
    twice = skymatch(once, Params(subtract=True))
    np.testing.assert_allclose(column(twice, "BKGLEVEL"), column(once, "BKGLEVEL"), atol=1e-6)


def test_images_of_subtracted_sky_are_not_measured_without_subtraction():
    with pytest.raises(CannotRun, match="BKGSUB"):
        skymatch(skymatch(_dithered(), Params(subtract=True)))


def test_the_order_of_exposures_does_not_matter():
    images = _dithered(noise=0.1)
    forwards, backwards = skymatch(images), skymatch(images[::-1])
    np.testing.assert_allclose(column(forwards, "BKGLEVEL"), column(backwards, "BKGLEVEL")[::-1], atol=1e-9)


def test_pixels_not_to_be_used_never_matter():
    images = _dithered(noise=0.1)
    levels = []
    for value in (1e9, -1e9, np.nan):
        spoilt = (without(images[0], 30, 30, value), *images[1:])
        levels.append(column(skymatch(spoilt), "BKGLEVEL"))
    assert levels[0] == levels[1] == levels[2]


def test_detectors_of_one_exposure_share_their_level():
    one, two, three = _dithered()
    other = replace(one, wcs=flat(0, 1, pointing=offset(3.0, 0.0)).wcs)  # the same exposure, another detector
    matched = skymatch((one, other, two, three))
    np.testing.assert_allclose(column(matched, "BKGLEVEL"), [2.0, 2.0, 0.0, 1.5], atol=1e-6)


def test_an_image_far_away_keeps_no_level(caplog):
    images = (*_dithered(), flat(9.0, 4, pointing=offset(3600.0, 0.0)))
    matched = skymatch(images)
    assert column(matched, "BKGLEVEL")[3] is None
    assert "overlaps no other exposure" in caplog.text


def test_a_single_exposure_is_skipped():
    with pytest.raises(Skip, match="one exposure"):
        skymatch(_dithered()[:1])


def test_levels_given_by_the_user_are_taken(tmp_path):
    images = _dithered()
    lines = [f"{image.meta.source.replace('_cal', '_rate')} {k}.5" for k, image in enumerate(images)]
    (tmp_path / "skies.txt").write_text("# image level\n" + "\n".join(lines))
    matched = skymatch(images, Params(skymethod="user", skylist=str(tmp_path / "skies.txt"), subtract=True))
    assert column(matched, "BKGLEVEL") == [0.5, 1.5, 2.5]
    np.testing.assert_allclose([np.median(image.data) for image in matched], [2.5, -0.5, 0.0], atol=1e-6)


def test_an_image_missing_from_the_users_list_is_named(tmp_path):
    (tmp_path / "skies.txt").write_text("jw00001001001_02101_00001_nrcalong_cal.fits 1\n")
    with pytest.raises(CannotRun, match="00002_nrcalong_cal"):
        skymatch(_dithered(), Params(skymethod="user", skylist=str(tmp_path / "skies.txt")))
