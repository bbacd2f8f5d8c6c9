"""Pixels that the other exposures do not confirm."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from imaging_scene import flat, observed, offset, random_stars

from jwrules.errors import CannotRun, RecipeFault
from jwrules.products.flags import DQ
from jwrules.steps.declare import Skip
from jwrules.steps.outlier_detection import Params, outlier_detection

SHAPE = (120, 120)
DITHERS = ((0.0, 0.0), (0.4321, -0.31), (-0.512, 0.2345), (0.333, 0.517))
NOISE = 0.1
PER_SIGNAL = 1 / 200  # Poisson variance of a unit of signal
SKY, FLUX = random_stars(60, 3.4, seed=5)
OFFICIAL = {"blur": 0.0, "noise": "own"}


@cache
def _exposures(fwhm=2.3, brightness=1.0):
    """Four dithered exposures of stars with read and Poisson noise."""
    images = []
    for k, dither in enumerate(DITHERS):
        clean = observed(SKY, brightness * FLUX, k + 1, dither=dither, fwhm=fwhm, shape=SHAPE, noise=0.0)
        images.append(_noisy(clean, k))
    return tuple(images)


def _noisy(clean, seed):
    poisson = PER_SIGNAL * np.clip(clean.data, 0, None)
    variance = poisson + NOISE**2
    data = clean.data + np.random.default_rng(seed).normal(size=clean.data.shape) * np.sqrt(variance)
    return _with_signal(replace(clean, var_rnoise=np.full_like(clean.data, NOISE**2)), data)


def _with_signal(image, data, per_signal=PER_SIGNAL):
    """The image with these data, and with the errors that a pipeline makes of them."""
    poisson = per_signal * np.clip(data, 0, None)
    err = np.sqrt(poisson + image.var_rnoise)
    return replace(
        image, data=data.astype(np.float32), var_poisson=poisson.astype(np.float32), err=err.astype(np.float32)
    )


def _hit(image, places, charge, per_signal=PER_SIGNAL):
    data = image.data.copy()
    for row, column in places:
        data[row, column] += charge
    return _with_signal(image, data, per_signal)


def _outliers(images):
    return [(image.dq & DQ.OUTLIER) != 0 for image in images]


def _dark_places(images, number=0):
    """Pixels far from all stars."""
    x, y = images[number].wcs.invert(*SKY.T, with_bounding_box=False)
    grid = [(row, column) for row in range(20, 100, 8) for column in range(20, 100, 8)]
    return [(r, c) for r, c in grid if np.hypot(x - c, y - r).min() > 6]


def _cores(image):
    x, y = image.wcs.invert(*SKY.T, with_bounding_box=False)
    columns, rows = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (columns > 3) & (columns < SHAPE[1] - 4) & (rows > 3) & (rows < SHAPE[0] - 4)
    mask = np.zeros(SHAPE, bool)
    for dy, dx in np.ndindex(3, 3):
        mask[rows[inside] + dy - 1, columns[inside] + dx - 1] = True
    return mask


def test_cosmic_rays_in_one_of_four_dithers_are_flagged_in_that_one():
    images = list(_exposures())
    places = _dark_places(images)
    images[0] = _hit(images[0], places, charge=15 * NOISE)
    found = _outliers(outlier_detection(tuple(images)))
    assert len(places) > 20
    assert np.mean([found[0][place] for place in places]) > 0.95
    assert found[0].sum() <= len(places) + 2
    assert max(mask.sum() for mask in found[1:]) <= 2


@pytest.mark.parametrize("fwhm", [1.1, 1.6, 2.3])
def test_cores_of_stars_are_no_outliers_however_coarsely_they_are_sampled(fwhm):
    images = _exposures(fwhm, brightness=5.0)
    found = np.array(_outliers(outlier_detection(images)))
    cores = np.array([_cores(image) for image in images])
    assert np.mean(found[cores]) < 1e-3
    assert np.mean(found[~cores]) < 1e-3


def test_the_official_settings_flag_cores_of_undersampled_stars():
    images = _exposures(1.1, brightness=5.0)
    found, cores = (
        np.array(_outliers(outlier_detection(images, Params(**OFFICIAL)))),
        np.array(list(map(_cores, images))),
    )
    assert np.mean(found[cores]) > 0.02


def test_a_cosmic_ray_does_not_hide_behind_its_own_noise():
    # with a Poisson variance of 0.2 a unit, 3.0 are 30 sigma of the empty pixel, and 3 / sqrt(0.61) = 3.8 of their own
    images = [_with_signal(image, image.data, per_signal=0.2) for image in _exposures()]
    place = _dark_places(images)[3]
    images[0] = _hit(images[0], [place], charge=3.0, per_signal=0.2)
    assert not _outliers(outlier_detection(tuple(images), Params(**OFFICIAL)))[0][place]
    assert _outliers(outlier_detection(tuple(images)))[0][place]


def test_flagged_pixels_are_not_to_be_used_and_hold_no_value():
    images = list(_exposures())
    place = _dark_places(images)[0]
    images[0] = _hit(images[0], [place], charge=5.0)
    flagged = outlier_detection(tuple(images))[0]
    assert flagged.dq[place] == DQ.OUTLIER | DQ.DO_NOT_USE
    for array in (flagged.data, flagged.err, flagged.var_poisson, flagged.var_rnoise):
        assert np.isnan(array[place])


def test_the_input_is_left_alone():
    images = _exposures()
    before = [image.data.copy() for image in images]
    outlier_detection(images)
    np.testing.assert_array_equal(before, [image.data for image in images])


def test_the_order_of_exposures_does_not_matter():
    images = list(_exposures())
    images[2] = _hit(images[2], _dark_places(images, 2)[:5], charge=3.0)
    forwards, rotated = (
        _outliers(outlier_detection(tuple(images))),
        _outliers(outlier_detection((*images[1:], images[0]))),
    )
    assert np.sum(np.array(forwards) != np.array([rotated[-1], *rotated[:-1]])) <= 2


def test_pixels_not_to_be_used_never_matter():
    images = list(_exposures())
    results = []
    for value in (1e9, np.nan):
        data, dq = images[1].data.copy(), images[1].dq.copy()
        data[50:53, 50:53], dq[50:53, 50:53] = value, DQ.DO_NOT_USE
        results.append(_outliers(outlier_detection((images[0], replace(images[1], data=data, dq=dq), *images[2:]))))
    np.testing.assert_array_equal(*results)
    assert not results[0][1][50:53, 50:53].any()


def test_a_sky_that_differs_is_no_outlier_where_its_level_is_known():
    levels = (0.0, 2.0, 1.0, 3.0)
    images = tuple(
        replace(i, data=i.data + np.float32(level), meta=i.meta.updated(BKGLEVEL=level, BKGSUB=False))
        for i, level in zip(_exposures(), levels, strict=True)
    )
    with_sky, without = (np.array(_outliers(outlier_detection(some))) for some in (images, _exposures()))
    assert np.sum(with_sky != without) <= 2


def test_undithered_exposures_are_compared_pixel_by_pixel():
    images = [flat(1.0, k + 1, noise=0.1) for k in range(4)]
    data = images[2].data.copy()
    data[10, 20] += 1.0
    images[2] = replace(images[2], data=data)
    found = _outliers(outlier_detection(tuple(images), Params(resample_data=False)))
    assert found[2][10, 20]
    assert sum(mask.sum() for mask in found) == 1


def test_undithered_exposures_of_different_shape_cannot_be_compared():
    images = (flat(1.0, 1), observed(SKY, FLUX, 2, shape=SHAPE))
    with pytest.raises(CannotRun, match=r"\(60, 60\), \(120, 120\)"):
        outlier_detection(images, Params(resample_data=False))


def test_detectors_of_one_exposure_make_one_resampled_image():
    # the second detector is hit where it alone sees the sky in its exposure; three others confirm that nothing is there
    first = [flat(0.0, k + 1, pointing=offset(0.2 * k, 0.1)) for k in range(4)]
    other = [flat(0.0, k + 1, pointing=offset(3.0 + 0.2 * k, 0.1)) for k in range(4)]
    data = other[1].data.copy()
    data[30, 30] += 5
    other[1] = replace(other[1], data=data)
    found = _outliers(outlier_detection((*first, *other)))
    assert found[5][30, 30]
    assert sum(mask.sum() for mask in found) <= 2


def test_a_single_exposure_is_skipped():
    with pytest.raises(Skip, match="one exposure only"):
        outlier_detection(_exposures()[:1])


@pytest.mark.parametrize("text", ["5", "5 4 3", "five four"])
def test_thresholds_are_two_numbers(text):
    with pytest.raises(RecipeFault, match=f"snr is '{text}'"):
        outlier_detection(_exposures(), Params(snr=text))
