"""The sources of a mosaic."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable, Table
from imaging_scene import mosaic, stars

from jwrules.errors import CannotRun, HeaderFault, RecipeFault
from jwrules.products import tables
from jwrules.products.kinds import AbVegaOffset, Apcorr, Meta
from jwrules.steps.source_catalog import Params, source_catalog

SHAPE = (200, 200)
FWHM = 2.3
NOISE = 0.02


def _grid():
    rng = np.random.default_rng(1)
    x, y = (axis.ravel() + rng.uniform(-0.5, 0.5, 36) for axis in np.mgrid[20:190:30, 20:190:30][::-1].astype(float))
    return x, y, rng.uniform(50, 500, 36)


def _apcorr(wide=False):
    """Circles of a Gaussian star, widened by the pixel and by the edge of the circle that pixels blur."""
    sigma = np.sqrt((FWHM / 2.3548) ** 2 + 2 / 12)
    energies = np.array([0.3, 0.5, 0.7])
    radii = sigma * np.sqrt(-2 * np.log(1 - energies))
    rows = [("F356W", "CLEAR", e, r, 1 / e, 9.0, 13.0) for e, r in zip(energies, radii, strict=True)]
    dtype = [("filter", "S12"), ("pupil", "S15")]
    dtype += [(name, "f4") for name in ("eefraction", "radius", "apcorr", "skyin", "skyout")]
    return Apcorr(meta=Meta(source="apcorr.fits"), table=fits.BinTableHDU(np.array(rows, dtype=dtype)).data)


def _catalogue(data, params=None, **keywords):
    sources = source_catalog(mosaic(data, noise=NOISE, **keywords), params, apcorr=_apcorr())
    return sources.catalog, sources.segmentation


def _matched(catalog, x, y):
    return np.hypot(catalog["xcentroid"][:, None] - x, catalog["ycentroid"][:, None] - y).argmin(axis=0)


@pytest.fixture(scope="module")
def field():
    x, y, flux = _grid()
    image = mosaic(stars(SHAPE, x, y, flux, FWHM) + 1, noise=NOISE)
    catalog = source_catalog(image, apcorr=_apcorr()).catalog
    return x, y, flux * 1e6 * image.meta["PIXAR_SR"], catalog[_matched(catalog, x, y)]


def test_every_star_is_found_once(field):
    x, y, _, catalog = field
    assert len(set(catalog["label"])) == len(x)
    assert np.hypot(catalog["xcentroid"] - x, catalog["ycentroid"] - y).max() < 0.05


def test_total_fluxes_are_right_within_one_percent(field):
    _, _, flux, catalog = field
    ratio = catalog["aper_total_flux"].to_value("Jy") / flux
    assert np.median(ratio) == pytest.approx(1, abs=0.01)
    assert np.std(ratio) < 0.015


def test_errors_are_those_of_the_pixels_in_the_circle(field):
    *_, catalog = field
    error = (
        NOISE * np.sqrt(np.pi) * _apcorr().table["radius"][0] * 1e6 * mosaic(np.ones((2, 2)), noise=1).meta["PIXAR_SR"]
    )
    np.testing.assert_allclose(catalog["aper30_flux_err"].to_value("Jy"), error, rtol=1e-4)


def test_stars_are_not_extended_and_a_galaxy_is():
    # a star has the ratios 5 / 3 and 7 / 5, a flat source those of the areas, ln 2 / ln (10/7) = 1.94 and 1.74
    x, y, flux = _grid()
    image = stars(SHAPE, x, y, flux, FWHM)
    image[80:120, 80:120] = stars(SHAPE, [100.0], [100.0], 5000.0, 14.0)[80:120, 80:120]
    catalog, _ = _catalogue(image, Params(ci1_star_threshold=1.8, ci2_star_threshold=1.57))
    places = catalog[catalog["is_extended"]]
    assert np.hypot(places["xcentroid"] - 100, places["ycentroid"] - 100).tolist() == [pytest.approx(0, abs=1)]


@pytest.mark.parametrize(("centroid", "largest"), [("fit", 0.01), ("finder", 0.05)])
def test_positions_of_bright_stars_are_good_to_a_fraction_of_a_pixel(centroid, largest):
    x, y, flux = _grid()
    catalog, _ = _catalogue(stars(SHAPE, x, y, 10 * flux, FWHM), Params(centroid=centroid))
    catalog = catalog[_matched(catalog, x, y)]
    assert np.hypot(catalog["xcentroid"] - x, catalog["ycentroid"] - y).max() < largest


def test_positions_on_the_sky_are_those_of_the_wcs(field):
    x, y, _, catalog = field
    where = mosaic(np.ones(SHAPE), noise=0).wcs.pixel_to_world(x, y)
    assert catalog["sky_centroid"].separation(where).arcsec.max() < 0.005


def test_magnitudes_follow_the_flux():
    x, y, flux = _grid()
    image = mosaic(stars(SHAPE, x, y, flux, FWHM), noise=NOISE)
    table = Table({"filter": ["F356W"], "pupil": ["CLEAR"], "abvega_offset": [1.5]})
    offset = AbVegaOffset(meta=Meta(), tree={"abvega_offset": table})
    catalog = source_catalog(image, apcorr=_apcorr(), abvegaoffset=offset).catalog
    expected = 8.9 - 2.5 * np.log10(catalog["aper_total_flux"].to_value("Jy"))
    np.testing.assert_allclose(catalog["aper_total_abmag"], expected)
    np.testing.assert_allclose(catalog["aper_total_vegamag"], expected - 1.5)


def test_without_vega_offset_vega_magnitudes_are_unknown(field):
    *_, catalog = field
    assert np.isnan(catalog["aper_total_vegamag"]).all()


def test_twice_the_light_is_twice_the_flux():
    x, y, flux = _grid()
    image = mosaic(stars(SHAPE, x, y, flux, FWHM), noise=NOISE)
    once, twice = (
        source_catalog(replace(image, data=k * image.data, err=k * image.err), apcorr=_apcorr()).catalog for k in (1, 2)
    )
    for name in ("aper50_flux", "aper_total_flux_err", "isophotal_flux", "aper_bkg_flux"):
        np.testing.assert_allclose(twice[name].value, 2 * once[name].value, rtol=1e-6)


def test_a_uniform_sky_changes_no_flux():
    x, y, flux = _grid()
    image = mosaic(stars(SHAPE, x, y, flux, FWHM), noise=NOISE)
    dark, bright = (source_catalog(replace(image, data=image.data + sky), apcorr=_apcorr()).catalog for sky in (0, 4))
    np.testing.assert_allclose(dark["aper_total_flux"], bright["aper_total_flux"], rtol=1e-4)


def test_pixels_without_weight_never_matter():
    x, y, flux = _grid()
    image = mosaic(stars(SHAPE, x, y, flux, FWHM), noise=NOISE)
    weight = image.weight.copy()
    weight[:10] = 0
    results = []
    for value in (1e6, np.nan):
        data = image.data.copy()
        data[:10] = value
        results.append(source_catalog(replace(image, data=data, weight=weight), apcorr=_apcorr()).catalog)
    np.testing.assert_array_equal(results[0]["aper_total_flux"], results[1]["aper_total_flux"])


def test_two_runs_give_the_same_catalogue(tmp_path):
    x, y, flux = _grid()
    written = []
    for name in ("one.ecsv", "two.ecsv"):
        catalog, _ = _catalogue(stars(SHAPE, x, y, flux, FWHM))
        written.append(tables.write(tmp_path / name, catalog, {}).read_bytes())
    assert written[0] == written[1]


def test_the_segmentation_map_holds_the_labels_and_the_place_on_the_sky():
    x, y, flux = _grid()
    catalog, segmentation = _catalogue(stars(SHAPE, x, y, flux, FWHM))
    assert segmentation.data.dtype == np.uint32
    assert set(np.unique(segmentation.data)) == {0, *catalog["label"]}
    assert segmentation.wcs is not None
    assert "BUNIT" not in segmentation.meta.sci
    at = np.rint(catalog["ycentroid"]).astype(int), np.rint(catalog["xcentroid"]).astype(int)
    np.testing.assert_array_equal(segmentation.data[at], catalog["label"])


def test_an_empty_field_gives_an_empty_catalogue_with_every_column(field, tmp_path):
    *_, full = field
    empty, segmentation = _catalogue(np.zeros(SHAPE))
    assert len(empty) == 0
    assert empty.colnames == full.colnames
    assert not segmentation.data.any()
    again = QTable.read(tables.write(tmp_path / "empty_cat.ecsv", empty, {}))
    assert again.colnames == full.colnames


def test_a_mosaic_without_data_gives_an_empty_catalogue():
    image = mosaic(np.zeros(SHAPE), noise=NOISE)
    blank = replace(image, data=np.full(SHAPE, np.nan, np.float32), err=np.full(SHAPE, np.nan, np.float32))
    assert len(source_catalog(blank, apcorr=_apcorr()).catalog) == 0


@pytest.mark.parametrize("finder", ["iraf", "dao"])
def test_the_finders_of_point_sources_serve_too(finder):
    x, y, flux = _grid()
    options = Params(starfinder=finder, kernel_fwhm=2.5, roundlo=-1.0, roundhi=1.0, sharplo=0.0, snr_threshold=10.0)
    catalog, segmentation = _catalogue(stars(SHAPE, x, y, flux, FWHM), options)
    assert len(catalog) == len(x)
    assert np.isnan(catalog["semimajor_sigma"]).all()
    assert isinstance(catalog["sky_centroid"], SkyCoord)
    assert not segmentation.data.any()


def test_the_catalogue_tells_its_apertures(field):
    *_, catalog = field
    assert catalog.meta["aperture_params"]["aperture_ee"] == [30, 50, 70]
    assert catalog["aper30_flux"].info.description == "Flux within the circle of 30% encircled energy"
    assert all(catalog[name].info.description for name in catalog.colnames)


def test_energies_that_do_not_increase_are_refused():
    with pytest.raises(RecipeFault, match="must increase"):
        _catalogue(np.zeros(SHAPE), Params(aperture_ee1=50, aperture_ee2=30))


def test_a_mosaic_in_other_units_is_refused():
    image = mosaic(np.zeros(SHAPE), noise=NOISE)
    with pytest.raises(CannotRun, match="BUNIT is 'DN/s'"):
        source_catalog(replace(image, meta=image.meta.updated(BUNIT="DN/s")), apcorr=_apcorr())


def test_a_mosaic_without_pixel_area_is_refused():
    image = mosaic(np.zeros(SHAPE), noise=NOISE)
    bare = Meta(primary=image.meta.primary, sci=fits.Header({"BUNIT": "MJy/sr"}), source="x_i2d.fits")
    with pytest.raises(HeaderFault, match=r"x_i2d\.fits: the keyword PIXAR_SR is missing"):
        source_catalog(replace(image, meta=bare), apcorr=_apcorr())


def test_a_mosaic_without_errors_is_refused():
    with pytest.raises(CannotRun, match="enable_err"):
        source_catalog(replace(mosaic(np.zeros(SHAPE), noise=NOISE), err=None), apcorr=_apcorr())
