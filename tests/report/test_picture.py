"""Pictures show the sky's noise and do not burn the stars out."""

import numpy as np
import pytest
from astropy.io import fits as pyfits
from astropy.table import Table

from jwrules.errors import DataFault
from jwrules.report import picture


def _sky():
    rng = np.random.default_rng(2)
    image = rng.normal(5.0, 0.1, (200, 300)).astype("f4")
    image[100, 150] = 5000.0
    image[:20] = np.nan
    return image


def _product(path, data):
    pyfits.HDUList([pyfits.PrimaryHDU(), pyfits.ImageHDU(data, name="SCI")]).writeto(path)
    return path


def test_the_stretch_spans_the_noise_and_leaves_room_above():
    norm = picture.stretch(_sky())
    assert 4.7 < norm.vmin < 4.85
    assert norm.vmax >= 5.0 + 29 * 0.1
    assert 0.05 < float(norm(5.0)) < 0.4


def test_an_image_without_a_good_pixel_still_draws(tmp_path):
    product = _product(tmp_path / "a_i2d.fits", np.full((20, 20), np.nan, "f4"))
    assert picture.run(product, None, tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_the_catalogue_is_drawn_over_the_image(tmp_path):
    product = _product(tmp_path / "a_i2d.fits", _sky())
    catalog = tmp_path / "a_cat.ecsv"
    Table({"xcentroid": [150.0], "ycentroid": [100.0], "is_extended": [False]}).write(catalog)
    plain = picture.run(product, None, tmp_path / "plain.png").read_bytes()
    assert picture.run(product, catalog, tmp_path / "marked.png").read_bytes() != plain


def test_block_averaging_keeps_the_mean():
    image = np.arange(4000 * 8, dtype="f8").reshape(8, 4000)
    assert picture._reduced(image).mean() == pytest.approx(image.mean())


def test_a_file_without_an_image_is_refused(tmp_path):
    pyfits.PrimaryHDU().writeto(tmp_path / "a_i2d.fits")
    with pytest.raises(DataFault, match="no image to draw"):
        picture.run(tmp_path / "a_i2d.fits", None, tmp_path / "a.png")


def test_an_image_on_the_sky_has_axes_on_the_sky(tmp_path):
    header = pyfits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 80.0, "CRVAL2": -69.0})
    header.update({"CRPIX1": 100, "CRPIX2": 100, "CDELT1": -1e-5, "CDELT2": 1e-5, "CUNIT1": "deg", "CUNIT2": "deg"})
    image = picture._figure(_sky(), header).axes[0]
    assert image.get_xlabel() == "RA (ICRS)"
