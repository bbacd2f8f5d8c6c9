"""Where the pixels of an image look."""

import logging
from dataclasses import replace

import imaging_scene
import numpy as np
import pytest
from astropy.modeling.models import Mapping, Polynomial2D, Scale, Shift
from astropy.wcs import WCS as FitsWCS

from jwrules.errors import CannotRun
from jwrules.products.kinds import Distortion, FilterOffset, Rate
from jwrules.steps.assign_wcs import Params, assign_wcs
from jwrules.wcs import footprint

SHAPE = (200, 220)


def rate(**keywords):
    image = imaging_scene.exposure(np.zeros(SHAPE), 1)
    meta = image.meta.updated_sci(**keywords)
    return Rate(meta=meta, data=image.data, err=image.err, dq=image.dq, var_poisson=image.err, var_rnoise=image.err)


def distortion(bend=3e-5):
    """Up to a third of a pixel of quadratic and cubic distortion; no analytic inverse."""
    x = Polynomial2D(3, c1_0=1, c2_0=bend, c1_1=-bend / 2, c3_0=1e-8)
    y = Polynomial2D(3, c0_1=1, c0_2=-bend, c1_1=bend / 3)
    scale = Scale(-imaging_scene.SCALE) & Scale(imaging_scene.SCALE)
    aperture = Shift(imaging_scene.POINTING["V2_REF"]) & Shift(imaging_scene.POINTING["V3_REF"])
    return Distortion(
        meta=imaging_scene.exposure(np.zeros((2, 2))).meta,
        tree={"model": Shift(-110) & Shift(-100) | Mapping((0, 1, 0, 1)) | x & y | scale | aperture},
    )


def test_the_arrays_go_through_untouched():
    before = rate()
    after = assign_wcs(before, distortion=distortion())
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
        assert getattr(after, name) is getattr(before, name)


def test_the_reference_point_is_where_the_header_says():
    wcs = assign_wcs(rate(), distortion=distortion()).wcs
    assert wcs(110, 100) == pytest.approx((80.0, -69.5), abs=1e-10)


def test_plain_fits_readers_find_the_sky_to_a_hundredth_of_a_pixel():
    image = assign_wcs(rate(), distortion=distortion())
    plain = FitsWCS(image.meta.sci)
    x, y = np.random.default_rng(0).uniform(0, 199, (2, 100))
    ra, dec = image.wcs(x, y)
    back_x, back_y = plain.all_world2pix(ra, dec, 0)
    assert plain.wcs.ctype[0] == "RA---TAN-SIP"
    assert max(abs(back_x - x).max(), abs(back_y - y).max()) < 0.01
    sky = np.array(plain.all_pix2world(x, y, 0)) - (ra, dec)
    assert np.abs(sky).max() * 3600 < 0.01 * imaging_scene.SCALE


def test_the_reference_pixel_of_the_header_is_kept():
    image = assign_wcs(rate(CRPIX1=30.0, CRPIX2=40.0, CDELT1=1.0, PC1_1=1.0), distortion=distortion())
    assert (image.meta["CRPIX1"], image.meta["CRPIX2"]) == (30.0, 40.0)
    assert "CDELT1" not in image.meta.sci
    assert "PC1_1" not in image.meta.sci


def test_without_approximation_the_linear_keywords_stay():
    image = assign_wcs(rate(CDELT1=1.0), Params(sip_approx=False), distortion=distortion())
    assert "A_ORDER" not in image.meta.sci
    assert image.meta["CDELT1"] == 1.0


def test_the_degree_can_be_chosen():
    image = assign_wcs(rate(), Params(sip_degree=3, sip_inv_degree=2), distortion=distortion())
    assert (image.meta["A_ORDER"], image.meta["AP_ORDER"]) == (3, 2)


def test_an_accuracy_that_cannot_be_reached_is_logged(caplog):
    with caplog.at_level(logging.WARNING, logger="jwrules"):
        assign_wcs(rate(), Params(sip_max_pix_error=1e-15), distortion=distortion(bend=1e-3))
    assert "SIP approximation" in caplog.text


def test_s_region_is_the_outline_of_the_image():
    image = assign_wcs(rate(), distortion=distortion())
    (corners,) = footprint.from_s_region(image.meta["S_REGION"])
    assert corners == pytest.approx(footprint.corners(image.wcs), abs=1e-9)


def test_the_filter_offset_is_used_where_it_is_given():
    rows = [{"filter": "F356W", "pupil": "CLEAR", "column_offset": 1.5, "row_offset": -2.5}]
    offsets = FilterOffset(meta=rate().meta, tree={"filters": rows})
    moved = assign_wcs(rate(), distortion=distortion(), filteroffset=offsets).wcs
    assert moved(108.5, 102.5) == pytest.approx((80.0, -69.5), abs=1e-10)


def test_spectra_are_refused():
    spectrum = replace(rate(), meta=rate().meta.updated(EXP_TYPE="NRC_WFSS"))
    with pytest.raises(CannotRun, match=r"NRC_WFSS.*NRC_IMAGE"):
        assign_wcs(spectrum, distortion=distortion())
