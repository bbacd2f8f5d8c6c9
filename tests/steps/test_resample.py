"""Images added up on one grid."""

from dataclasses import replace

import gwcs
import imaging_scene
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS as FitsWCS

from jwrules.errors import CannotRun, RecipeFault
from jwrules.products.kinds import Image
from jwrules.steps.resample import Params, resample
from jwrules.wcs import footprint

SHAPE = (60, 60)
DITHERS = [(0.0, 0.0), (0.21, -0.4), (-0.33, 0.17)]


def image(data, number=1, east=0.0, north=0.0, **keywords) -> Image:
    made = imaging_scene.exposure(data, number, pointing=imaging_scene.offset(east, north), noise=0.01)
    sci = made.meta.sci.copy()
    sci["XPOSURE"] = 100.0
    primary = made.meta.primary.copy()
    primary.update({"TMEASURE": 90.0, "DURATION": 110.0, "EXPSTART": 60000.0 + number, "EXPMID": 60000.5 + number})
    primary.update(keywords)
    return replace(made, data=np.asarray(data, np.float32), meta=replace(made.meta, primary=primary, sci=sci))


def star(x=30.0, y=30.0):
    return imaging_scene.stars(SHAPE, np.array([x]), np.array([y]), np.array([100.0]), 2.5)


def dithered(level=1.0, **keywords):
    data = np.full(SHAPE, level)
    return tuple(image(data, k + 1, e, n, **keywords) for k, (e, n) in enumerate(DITHERS))


def flux(mosaic):
    return float(np.nansum(mosaic.data, dtype=np.float64) * mosaic.meta["PIXAR_SR"])


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, 0.5), (0.31, -0.72), (-0.93, 0.11)])
def test_flux_is_conserved_for_any_shift(shift):
    one = image(star(30 + shift[0], 30 + shift[1]))
    expected = 100.0 * (imaging_scene.SCALE / 206264.806) ** 2
    assert flux(resample((one,))) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("options", [{"pixel_scale_ratio": 0.5}, {"pixel_scale": 0.1}, {"rotation": 20.0}])
def test_flux_is_conserved_on_any_grid(options):
    mosaic = resample((image(star()),), Params(**options))
    assert flux(mosaic) == pytest.approx(100.0 * (imaging_scene.SCALE / 206264.806) ** 2, rel=1e-4)


def test_a_star_stays_where_it_is_on_the_sky():
    one = image(star(20.3, 41.6))
    mosaic = resample((one,), Params(rotation=0.0))
    y, x = np.indices(mosaic.data.shape)
    weight = np.nan_to_num(mosaic.data)
    center = (weight * x).sum() / weight.sum(), (weight * y).sum() / weight.sum()
    assert mosaic.wcs(*center) == pytest.approx(one.wcs(20.3, 41.6), abs=1e-4 * imaging_scene.SCALE / 3600)


def test_the_surface_brightness_of_the_sky_stays_whatever_the_pixels():
    for ratio in (0.6, 1.0, 2.0):
        data = resample(dithered(3.0), Params(pixel_scale_ratio=ratio)).data
        assert data[np.isfinite(data)] == pytest.approx(3.0, rel=1e-5)


def test_the_sky_that_still_stands_in_an_image_is_taken_out():
    still, gone = (dithered(3.0, BKGLEVEL=1.0, BKGSUB=subtracted) for subtracted in (False, True))
    assert np.nanmedian(resample(still).data) == pytest.approx(2.0)
    assert np.nanmedian(resample(gone).data) == pytest.approx(3.0)


def test_context_tells_who_has_weight_where():
    images = dithered()
    mosaic = resample(images)
    target = mosaic.wcs
    for k, one in enumerate(images):
        x, y = target.invert(*one.wcs(30.0, 30.0))
        assert mosaic.context[0, round(float(y)), round(float(x))] == 0b111
        alone = resample((one,), Params(output_shape=mosaic.data.shape[::-1], **_at(mosaic)))
        assert np.array_equal((mosaic.context[0] >> k) & 1, alone.weight > 0)


def _at(mosaic):
    transform = mosaic.wcs.forward_transform
    return {"crpix": tuple(transform.crpix.value), "crval": tuple(transform.crval.value)}


def test_twice_the_signal_gives_twice_the_image():
    one, two = (resample(tuple(image(f * star(), k + 1, *d) for k, d in enumerate(DITHERS))) for f in (1, 2))
    assert two.data == pytest.approx(2 * one.data, rel=1e-5, abs=1e-6, nan_ok=True)


def test_the_error_of_the_mean_of_three_is_smaller_by_the_root_of_three():
    mosaic = resample(dithered())
    deep = mosaic.context[0] == 0b111
    inner = deep & np.roll(deep, 2, 0) & np.roll(deep, -2, 0) & np.roll(deep, 2, 1) & np.roll(deep, -2, 1)
    assert mosaic.err[inner] == pytest.approx(0.01 / np.sqrt(3), rel=1e-5)
    assert np.array_equal(np.isnan(mosaic.err), mosaic.weight == 0)


def test_the_noisier_image_counts_less():
    noisy, quiet = image(np.full(SHAPE, 4.0), 1), image(np.full(SHAPE, 8.0), 2)
    noisy = replace(noisy, var_rnoise=3 * noisy.var_rnoise)
    assert np.nanmedian(resample((noisy, quiet)).data) == pytest.approx(7.0)
    assert np.nanmedian(resample((noisy, quiet), Params(weight_type=None)).data) == pytest.approx(6.0)


def test_the_longer_image_counts_more_by_measurement_time():
    images = (image(np.full(SHAPE, 4.0), 1), image(np.full(SHAPE, 8.0), 2, TMEASURE=270.0))
    assert np.nanmedian(resample(images, Params(weight_type="exptime")).data) == pytest.approx(7.0)


def test_the_exposure_time_serves_where_the_measurement_time_is_missing():
    images = (image(np.full(SHAPE, 4.0), 1, TMEASURE=100.0), image(np.full(SHAPE, 8.0), 2, TMEASURE=None))
    assert np.nanmedian(resample(images, Params(weight_type="exptime")).data) == pytest.approx(6.0)


def test_an_unusable_pixel_never_shows():
    bad = imaging_scene.without(image(np.ones(SHAPE)), 30, 30, 1e6)
    mosaic = resample((bad,), Params(pixel_scale_ratio=0.5))
    assert np.nanmax(mosaic.data) == pytest.approx(1.0)
    assert np.isnan(mosaic.data[55:65, 55:65]).any()


def test_good_bits_decide_which_flags_do_harm():
    one = image(np.ones(SHAPE))
    jumps = replace(one, dq=np.full(SHAPE, 4, np.uint32))
    assert np.nanmedian(resample((jumps,)).data) == pytest.approx(1.0)
    assert not resample((jumps,), Params(good_bits="~DO_NOT_USE+JUMP_DET")).weight.any()


def test_fillval_is_given_to_empty_pixels():
    mosaic = resample((image(np.ones(SHAPE)),), Params(fillval=-7, rotation=0.0))
    assert mosaic.data[0, 0] == -7
    with pytest.raises(RecipeFault, match="fillval is 'blank'"):
        resample((image(np.ones(SHAPE)),), Params(fillval="blank"))


def test_what_is_not_asked_for_is_not_made():
    spare = resample(dithered(), Params(enable_ctx=False, enable_err=False))
    assert (spare.context, spare.err, spare.var_rnoise) == (None, None, None)
    quiet = resample(dithered(), Params(report_var=False))
    assert quiet.var_rnoise is None
    assert np.isfinite(quiet.err).any()


def test_the_flat_variance_is_part_of_the_error():
    one = replace(image(np.ones(SHAPE)), var_flat=np.full(SHAPE, 3e-4, np.float32))
    mosaic = resample((one,))
    assert np.nanmedian(mosaic.err) == pytest.approx(0.02, rel=1e-5)
    assert np.nanmedian(mosaic.var_flat) == pytest.approx(3e-4, rel=1e-5)


def test_the_header_and_the_gwcs_say_the_same():
    mosaic = resample(dithered())
    x, y = np.array([0.0, 33.0, 60.0]), np.array([5.0, 12.0, 57.0])
    assert isinstance(mosaic.wcs, gwcs.WCS)
    sky = FitsWCS(mosaic.meta.sci).all_pix2world(x, y, 0)
    assert np.abs(np.array(sky) - mosaic.wcs(x, y, with_bounding_box=False)).max() < 1e-11
    assert mosaic.meta["CTYPE1"] == "RA---TAN"


def test_keywords_of_one_detector_are_gone():
    meta = resample(dithered(BKGLEVEL=1.0)).meta
    assert not {"V2_REF", "ROLL_REF", "VPARITY", "BKGLEVEL"} & {*meta.primary, *meta.sci}


def test_times_are_added_up_once_for_each_exposure():
    images = dithered()
    other_detector = replace(images[0], meta=images[0].meta.updated(DETECTOR="NRCBLONG"))
    meta = resample((*images, other_detector)).meta
    assert meta["NDRIZ"] == 3
    assert (meta["XPOSURE"], meta["TMEASURE"], meta["DURATION"]) == (300.0, 270.0, 330.0)
    assert (meta["EXPSTART"], meta["EXPMID"]) == (60001.0, pytest.approx(60002.25))
    assert meta["DETECTOR"] == "MULTIPLE"


def test_the_table_of_headers_has_a_row_for_each_image():
    headers = resample(dithered()).headers
    assert list(headers["EXPOSURE"]) == ["00001", "00002", "00003"]
    assert resample(dithered(), Params(blendheaders=False)).headers is None
    assert resample(dithered()[:1]).headers is None


def test_the_drizzling_is_recorded():
    meta = resample(dithered(), Params(pixfrac=0.8, pixel_scale_ratio=0.5)).meta
    assert (meta["RESWHT"], meta["PIXFRAC"], meta["PXSCLRT"]) == ("ivm", 0.8, 0.5)
    assert meta["PIXAR_A2"] == pytest.approx((imaging_scene.SCALE / 2) ** 2, rel=1e-5)


def test_s_region_is_what_the_images_cover_together():
    images = dithered()
    (outline,) = footprint.from_s_region(resample(images).meta["S_REGION"])
    one = footprint.area(footprint.corners(images[0].wcs))
    assert one < footprint.area(outline) < 3 * one
    assert len(outline) > 4


def test_images_apart_have_an_outline_each():
    images = (image(np.ones(SHAPE)), image(np.ones(SHAPE), 2, 8.0, 0.0))
    mosaic = resample(images)
    assert len(footprint.from_s_region(mosaic.meta["S_REGION"])) == 2


def test_an_image_without_wcs_is_named():
    with pytest.raises(CannotRun, match=r"00001_nrcalong_cal.fits has no WCS"):
        resample((replace(image(np.ones(SHAPE)), wcs=None),))


def test_a_mosaic_of_no_size_is_refused():
    with pytest.raises(CannotRun, match="pixel_scale"):
        resample((image(np.ones(SHAPE)),), Params(pixel_scale=100.0))


def test_the_images_are_not_written_into():
    images = dithered()
    for one in images:
        for array in (one.data, one.err, one.dq, one.var_rnoise):
            array.flags.writeable = False
    resample(images)


def test_a_product_of_it_can_be_written_as_fits():
    mosaic = resample(dithered())
    fits.BinTableHDU(mosaic.headers).verify("exception")
    fits.PrimaryHDU(header=mosaic.meta.primary).verify("exception")
    fits.ImageHDU(mosaic.data, header=mosaic.meta.sci).verify("exception")
