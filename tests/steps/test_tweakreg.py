"""Images are moved until their stars agree."""

from dataclasses import replace
from functools import cache
from urllib.error import URLError

import numpy as np
import pytest
from astropy.table import Table
from astropy.wcs import WCS
from imaging_scene import SCALE, detector_wcs, observed, offset, random_stars

from jwrules.errors import CannotRun, RecipeFault
from jwrules.products import catalog
from jwrules.products.kinds import Meta
from jwrules.steps.declare import Skip
from jwrules.steps.tweakreg import Params, tweakreg
from jwrules.wcs import footprint

SKY, FLUX = random_stars(40, 7.0, seed=3)
DITHERS = ((0.0, 0.0), (0.4, -0.3), (-0.5, 0.2), (0.3, 0.5))
ERRORS = ((0.0, 0.0), (0.05, -0.08), (-0.09, 0.03), (0.07, 0.06))  # arcsec
DENSE = {"separation": 0.6, "tolerance": 0.3}


@cache
def _exposures(errors=ERRORS, **options):
    return tuple(
        observed(SKY, FLUX, k + 1, dither=d, error=e, **options)
        for k, (d, e) in enumerate(zip(DITHERS, errors, strict=False))
    )


def _miss(image, number, dithers=DITHERS, errors=ERRORS):
    """How far the corners are from where they ought to be, mas."""
    (east, north), (wrong_east, wrong_north) = dithers[number], errors[number]
    true = detector_wcs(image.data.shape, pointing=offset(east + wrong_east, north + wrong_north))
    return np.rad2deg(np.linalg.norm(_directions(image) - _directions(replace(image, wcs=true)), axis=1).max()) * 3.6e6


def _directions(image):
    return footprint.unit_vectors(footprint.corners(image.wcs))


@pytest.mark.parametrize("finder", ["iraf", "segmentation"])
def test_pointing_errors_are_taken_out_to_a_hundredth_of_a_pixel(finder):
    aligned = tweakreg(_exposures(), Params(starfinder=finder, **DENSE))
    assert max(_miss(image, k) for k, image in enumerate(aligned)) < 0.01 * SCALE * 1e3


def test_undersampled_stars_are_aligned_within_two_milliarcseconds():
    aligned = tweakreg(_exposures(fwhm=1.2), Params(roundhi=0.5, **DENSE))
    assert max(_miss(image, k) for k, image in enumerate(aligned)) < 2


def test_the_fitted_positions_are_better_than_those_of_the_finder():
    images = _exposures(fwhm=2.0)
    fitted, found = (tweakreg(images, Params(centroid=how, **DENSE)) for how in ("fit", "finder"))
    assert max(map(_miss, fitted, range(4))) < 0.5 * max(map(_miss, found, range(4)))


def test_a_shift_of_half_an_arcsec_is_recovered():
    errors = ((0.0, 0.0), (0.5, -0.4))
    aligned = tweakreg(_exposures(errors), Params(**DENSE))
    assert _miss(aligned[1], 1, errors=errors) < 0.02 * SCALE * 1e3


def test_the_headers_follow_the_wcs():
    moved = tweakreg(_exposures()[:2], Params(**DENSE))[1]
    (corners,) = footprint.from_s_region(moved.meta["S_REGION"])
    np.testing.assert_allclose(corners, footprint.corners(moved.wcs), atol=1e-8)
    sky = WCS(moved.meta.sci).pixel_to_world_values([10, 150], [20, 180])
    np.testing.assert_allclose(np.array(sky), moved.wcs([10, 150], [20, 180]), atol=0.01 * SCALE / 3600)


def test_the_correction_is_a_frame_of_its_own():
    moved = tweakreg(_exposures()[:2], Params(**DENSE))[1]
    assert moved.wcs.available_frames == ["detector", "v2v3", "v2v3vacorr", "v2v3corr", "world"]
    assert moved.wcs.array_shape == moved.data.shape
    assert moved.wcs.bounding_box is not None


def test_the_order_of_exposures_does_not_matter():
    images = _exposures()
    forwards, backwards = tweakreg(images, Params(**DENSE)), tweakreg(images[::-1], Params(**DENSE))
    for one, other in zip(forwards, backwards[::-1], strict=True):
        np.testing.assert_allclose(footprint.corners(one.wcs), footprint.corners(other.wcs), atol=1e-12)


def test_the_input_keeps_its_wcs():
    images = _exposures()[:2]
    before = [footprint.corners(image.wcs) for image in images]
    tweakreg(images, Params(**DENSE))
    np.testing.assert_array_equal(before, [footprint.corners(image.wcs) for image in images])


def test_pixels_not_to_be_used_never_matter():
    images = _exposures()
    results = []
    for value in (1e6, np.nan):
        data, dq = images[1].data.copy(), images[1].dq.copy()
        data[::7, ::7], dq[::7, ::7] = value, 1
        moved = tweakreg((images[0], replace(images[1], data=data, dq=dq)), Params(minobj=10, **DENSE))[1]
        results.append(footprint.corners(moved.wcs))
    np.testing.assert_array_equal(*results)


def test_detectors_of_one_exposure_move_together():
    ahead, behind = (3.0, 0.0), (-3.0, 0.0)
    first = [observed(SKY, FLUX, 1, dither=d) for d in (ahead, behind)]
    second = [observed(SKY, FLUX, 2, dither=d, error=ERRORS[1]) for d in (ahead, behind)]
    aligned = tweakreg((*first, *second), Params(**DENSE))
    assert max(_miss(i, k, (ahead, behind), [ERRORS[1]] * 2) for k, i in enumerate(aligned[2:])) < 1
    apart = [np.subtract(*(_directions(image) for image in pair)) for pair in (second, aligned[2:])]
    np.testing.assert_allclose(np.linalg.norm(apart[0], axis=1), np.linalg.norm(apart[1], axis=1), rtol=1e-9)


def _with_a_stranger(number=1):
    """Four exposures, one of which looks at other stars."""
    images = list(_exposures())
    sky, flux = random_stars(40, 7.0, seed=99)
    images[number] = observed(sky, flux, number + 1, dither=DITHERS[number])
    return tuple(images)


@pytest.mark.parametrize("options", [{}, {"expand_refcat": True}, {"expand_refcat": True, "enforce_user_order": True}])
def test_an_exposure_that_does_not_match_stays_and_spoils_no_other(options, caplog):
    aligned = tweakreg(_with_a_stranger(), Params(**DENSE, **options))
    assert _miss(aligned[1], 1, errors=((0, 0),) * 4) == 0
    right = np.array([aligned[k].wcs(100, 100) for k in (0, 2, 3)])
    true = [detector_wcs((200, 200), pointing=offset(*np.add(DITHERS[k], ERRORS[k])))(100, 100) for k in (0, 2, 3)]
    apart = (right - true) - (right - true)[0]
    assert np.abs(apart).max() * 3.6e6 < 6  # RA is not multiplied by cos(dec) = 0.35: 2 mas
    assert "00002_nrcalong_cal.fits was NOT aligned" in caplog.text
    assert "15 are needed" in aligned[1].provenance["declined"]["tweakreg"]


def test_a_field_beyond_the_first_is_reached_through_its_neighbour():
    sky, flux = random_stars(400, 18.0, seed=4)
    dithers, errors = ((-8.0, 0.0), (8.0, 0.0), (0.0, 0.0)), ((0.0, 0.0), (0.06, 0.05), (-0.05, 0.07))
    images = tuple(
        observed(sky, flux, k + 1, dither=d, error=e) for k, (d, e) in enumerate(zip(dithers, errors, strict=True))
    )
    options = Params(expand_refcat=True, enforce_user_order=True, minobj=6, separation=0.5, tolerance=0.2)
    aligned = tweakreg(images, options)
    assert _miss(aligned[1], 1, dithers, errors) < 4
    assert _miss(aligned[2], 2, dithers, errors) < 4


def _truth(tmp_path, count=40):
    path = tmp_path / "truth.ecsv"
    Table({"RA": SKY[:count, 0], "DEC": SKY[:count, 1]}).write(path)
    return str(path)


def test_a_catalogue_takes_out_the_error_that_all_share(tmp_path):
    errors = tuple((east + 0.04, north + 0.06) for east, north in ERRORS)
    abs_dense = {f"abs_{name}": value for name, value in DENSE.items()}
    aligned = tweakreg(_exposures(errors), Params(abs_refcat=_truth(tmp_path), **DENSE, **abs_dense))
    assert max(_miss(image, k, errors=errors) for k, image in enumerate(aligned)) < 1
    assert aligned[0].wcs.name == "FIT-LVL3-truth.ecsv"


def test_stars_seen_in_several_exposures_do_not_pull_them_to_one_side(tmp_path):
    # each star is seen four times with a scatter of 4 mas or so: the mean of forty such stars is good to half of one
    aligned = tweakreg(_exposures(noise=1.0), Params(abs_refcat=_truth(tmp_path), **DENSE))
    true = [detector_wcs((200, 200), pointing=offset(*np.add(d, e))) for d, e in zip(DITHERS, ERRORS, strict=True)]
    centers = [np.subtract(image.wcs(100, 100), wcs(100, 100)) for image, wcs in zip(aligned, true, strict=True)]
    assert abs(np.mean(centers, axis=0)[1]) * 3.6e6 < 1.0


def test_false_matches_with_the_catalogue_do_not_pull(tmp_path):
    path = _truth(tmp_path)
    places = Table.read(path)
    places["DEC"][:3] += 0.15 / 3600
    places.write(path, overwrite=True)
    misses = {}
    for clip in ("robust", "rms"):
        aligned = tweakreg(_exposures(), Params(abs_refcat=path, clip=clip, **DENSE))
        misses[clip] = max(_miss(image, k) for k, image in enumerate(aligned))
    assert misses["robust"] < 1
    assert misses["rms"] > 5 * misses["robust"]


def test_a_single_exposure_is_aligned_with_a_catalogue(tmp_path):
    errors = (ERRORS[1],)
    (aligned,) = tweakreg(
        _exposures(errors), Params(abs_refcat=_truth(tmp_path), abs_separation=0.6, abs_tolerance=0.3)
    )
    assert _miss(aligned, 0, errors=errors) < 1


def test_a_catalogue_that_does_not_match_stops(tmp_path):
    with pytest.raises(CannotRun, match=r"do not fit the catalogue abs_refcat \(5 stars\)"):
        tweakreg(_exposures(), Params(abs_refcat=_truth(tmp_path, count=5), **DENSE))


def test_a_single_exposure_without_catalogue_is_skipped():
    with pytest.raises(Skip, match="one exposure only"):
        tweakreg(_exposures()[:1])


def test_exposures_without_stars_are_skipped():
    images = _exposures()[:2]
    with pytest.raises(Skip, match="fewer than two exposures have stars"):
        tweakreg(images, Params(snr_threshold=1e6))


def test_too_few_matches_everywhere_is_a_skip_that_names_each_exposure():
    with pytest.raises(Skip, match=r"00002_nrcalong_cal\.fits: \d+ of its \d+ stars match, 50 are needed"):
        tweakreg(_exposures()[:2], Params(minobj=50, **DENSE))


def test_a_separation_that_confuses_stars_is_refused():
    with pytest.raises(RecipeFault, match=r"separation is 0\.7 and tolerance 0\.7"):
        tweakreg(_exposures(), Params(separation=0.7))


def test_gaia_without_a_network_says_so(monkeypatch):
    def offline(*_, **__):
        raise URLError("name not known")

    monkeypatch.setattr(catalog, "urlopen", offline)
    with pytest.raises(CannotRun, match="GAIADR3 is asked for over the network"):
        tweakreg(_exposures()[:1], Params(abs_refcat="GaiaDR3"))


def test_gaia_is_asked_for_the_field_at_the_epoch_and_stars_without_motion_are_left_out(monkeypatch):
    asked = []

    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def read(self):
            return b"# Gaia\nra,dec,pmra,pmdec\n80.0,-69.5,1.0,2.0\n80.1,-69.5,,\n"

    monkeypatch.setattr(catalog, "urlopen", lambda url, timeout: asked.append(url) or Answer())
    found = catalog.gaia("GAIADR3", (80.0, -69.5), 0.01, 2026.0)
    assert found.tolist() == [[80.0, -69.5]]
    assert "RA=80.0&DEC=-69.5&EPOCH=2026.0&SR=0.01&FORMAT=CSV&CAT=GAIADR3" in asked[0]


def test_a_missing_pointing_keyword_is_named():
    first, second = _exposures()[:2]
    sci = second.meta.sci.copy()
    del sci["ROLL_REF"]
    lame = replace(second, meta=Meta(primary=second.meta.primary, sci=sci, source=second.meta.source))
    with pytest.raises(Exception, match="ROLL_REF is missing"):
        tweakreg((first, lame))
