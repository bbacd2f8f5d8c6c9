import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS as FitsWCS
from numpy.polynomial.polynomial import polyval2d

from jwrules.wcs import sip


def test_the_approximation_goes_there_and_back(make_wcs, bent):
    wcs = make_wcs(bent)
    plain = FitsWCS(sip.approximated(fits.Header(), wcs))
    x, y = np.random.default_rng(0).uniform(0, 63, (2, 40))
    sky = wcs(x, y)
    assert np.abs(np.array(plain.all_pix2world(x, y, 0)) - sky).max() * 3600 / 0.03 < 0.01
    u, v = np.array(plain.wcs_world2pix(*sky, 0)) - (plain.wcs.crpix - 1)[:, None]
    back = [u + polyval2d(u, v, plain.sip.ap), v + polyval2d(u, v, plain.sip.bp)] + (plain.wcs.crpix - 1)[:, None]
    assert np.abs(back - np.array([x, y])).max() < 0.01


def test_the_errors_reached_are_told(make_wcs, bent):
    header = sip.approximated(fits.Header(), make_wcs(bent), degree=1, inv_degree=1)
    assert header["SIPMXERR"] > 0.05
    assert sip.approximated(fits.Header(), make_wcs(bent))["SIPMXERR"] < 0.01


def test_without_inverse_there_is_none(make_wcs, bent):
    assert "AP_ORDER" not in sip.approximated(fits.Header(), make_wcs(bent), max_inv_pix_error=None)


def test_the_terms_of_first_order_of_the_inverse_are_kept(make_wcs, bent):
    header = sip.approximated(fits.Header(), make_wcs(bent))
    assert {"AP_1_0", "AP_0_1", "BP_1_0", "BP_0_1"} <= set(header)


def test_keywords_of_an_older_wcs_are_replaced():
    old = fits.Header({"CRPIX1": 5.0, "CDELT1": 1.0, "PC1_1": 1.0, "A_3_0": 1e-9, "SIPMXERR": 0.1, "TARGNAME": "M1"})
    header = sip.replaced(old, fits.Header({"CRPIX1": 7.0, "CTYPE1": "RA---TAN", "MJDREF": 0.0}))
    assert dict(header) == {"TARGNAME": "M1", "CRPIX1": 7.0, "CTYPE1": "RA---TAN"}
    assert old["CRPIX1"] == 5.0


@pytest.mark.parametrize("ra", [0.0, 359.9999])
def test_right_ascension_zero_is_no_obstacle(make_wcs, bent, ra):
    wcs = make_wcs(bent, RA_REF=ra)
    plain = FitsWCS(sip.approximated(fits.Header(), wcs))
    x, y = np.array([0.0, 63.0]), np.array([5.0, 40.0])
    difference = (np.array(plain.all_pix2world(x, y, 0)) - wcs(x, y) + 180) % 360 - 180
    assert np.abs(difference).max() * 3600 / 0.03 < 0.01
