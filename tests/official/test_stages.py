"""Whole stages against the official pipeline: the same ramps, reference files and options.

With the options of `_alike` both do the same, and products agree to rounding. With the recipe's own options we differ
on purpose; each docstring says in what, and docs/accuracy.md shows who is closer to the truth.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS, FITSFixedWarning
from difference import extensions, flags, in_errors, keywords, relative, without_value
from scipy.ndimage import binary_dilation
from side_by_side import ASSOCIATION, LONG, MOSAIC, SHORT

from jwrules.products.flags import DQ
from tests.demo import measure

pytest.importorskip("jwst", reason="jwst is not installed")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("default")]

EXPOSURES = [f"{name}_{suffix}.fits" for name in (SHORT, LONG) for suffix in ("rate", "rateints", "cal")]
CRF = [SHORT.replace("_00001_", f"_0000{k}_") + "_o001_crf.fits" for k in (1, 2, 3, 4)]
MODELS = {"rate": "ImageModel", "rateints": "CubeModel", "cal": "ImageModel", "crf": "ImageModel"}
MODELS |= {"i2d": "ImageModel", "segm": "SegmentationMapModel"}
PRODUCTS = [*EXPOSURES, f"{SHORT}_i2d.fits", CRF[0], f"{MOSAIC}_i2d.fits", f"{MOSAIC}_segm.fits"]


# With the same options


@pytest.mark.parametrize("name", EXPOSURES)
def test_exposures_are_the_same(both, name):
    ours, official = both.pair(name, "_alike")
    assert flags(ours, official) == {}
    assert without_value(ours, official) == 0
    assert in_errors(ours, official).largest < 1e-3


@pytest.mark.parametrize("extension", ["ERR", "VAR_POISSON", "VAR_RNOISE"])
@pytest.mark.parametrize("name", EXPOSURES)
def test_errors_are_the_same(both, name, extension):
    assert relative(*both.pair(name, "_alike"), extension).largest < 1e-4


@pytest.mark.parametrize("name", [f"{SHORT}_i2d.fits", f"{LONG}_i2d.fits", f"{MOSAIC}_i2d.fits"])
def test_resampled_images_are_the_same(both, name):
    """Up to a shift of 2e-5 pixel: the official step lays its grid after S_REGION, which has nine decimals."""
    ours, official = both.pair(name, "_alike")
    found = in_errors(ours, official)
    assert without_value(ours, official) == 0
    assert found.median <= 1e-4
    assert found.p99 <= 1e-3
    for extension in ("ERR", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "WHT"):
        assert relative(ours, official, extension).p99 <= 1e-4


@pytest.mark.parametrize("name", CRF)
def test_outliers_are_the_same(both, name):
    ours, official = both.pair(name, "_alike")
    assert flags(ours, official) == {}
    assert in_errors(ours, official).largest == 0


def test_sources_are_the_same(both):
    ours, official = (QTable.read(path) for path in both.pair(f"{MOSAIC}_cat.ecsv", "_alike"))
    assert ours.colnames == official.colnames
    assert len(ours) == len(official) > 50
    assert ours["sky_centroid"].separation(official["sky_centroid"]).mas.max() < 0.01
    for name in ("aper30_flux", "aper_total_flux", "aper_total_abmag", "isophotal_flux", "CI_50_30", "aper70_flux_err"):
        np.testing.assert_allclose(_plain(ours[name]), _plain(official[name]), rtol=1e-4, err_msg=name)


def test_sources_own_the_same_pixels(both):
    ours, official = (fits.getdata(path) for path in both.pair(f"{MOSAIC}_segm.fits", "_alike"))
    assert np.array_equal(ours, official)


def _plain(column) -> np.ndarray:
    return np.asarray(getattr(column, "value", column), float)


# As the recipe has it


@pytest.mark.parametrize("name", EXPOSURES)
def test_flags_differ_by_jumps_and_by_what_is_taken_for_a_snowball(both, name):
    """The official search for snowballs takes five pixels near an edge for one, and lets saturated stars grow.

    We leave out a group that saturates in part, and what spills from it (`saturation.partial_search`): all ramps that
    we alone give no rate are beside a pixel where that happened.
    `jump.statistic=official`, `jump.expand_large_events=false`, `saturation.partial_search=official`: none differs.
    """
    ours, official = both.pair(name)
    found, size = flags(ours, official), fits.getdata(ours, "DQ").size
    near = _beside_partly_saturated(both.truth, name.rpartition("_")[0], fits.getdata(ours, "DQ").shape)
    assert set(found) <= {"JUMP_DET", "SATURATED", "DO_NOT_USE"}
    assert sum(found["JUMP_DET"]) < 0.02 * size
    for flag in (DQ.SATURATED, DQ.DO_NOT_USE):
        assert found.get(str(flag.name), (0, 0))[1] < 2e-4 * size
        ours_alone = fits.getdata(ours, "DQ") & ~fits.getdata(official, "DQ") & flag > 0
        assert np.all(near[ours_alone])


def _beside_partly_saturated(truth: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return which pixels are one, or beside one, that saturates before the end of a group."""
    where, found = fits.getdata(truth / f"{name}_truth.fits", "SATURATED"), np.zeros(shape[-2:], bool)
    where = where[where["partly"] != where["wholly"]]
    found[where["y"], where["x"]] = True
    return np.broadcast_to(binary_dilation(found, np.ones((3, 3))), shape)


def _struck(truth: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return where rays struck an exposure: (nints, ny, nx), or (ny, nx) in any integration."""
    hits, struck = fits.getdata(truth / f"{name}_truth.fits", "COSMIC"), np.zeros(shape, bool)
    struck[(hits["integration"], hits["y"], hits["x"])[-len(shape) :]] = True
    return struck


@pytest.mark.parametrize("name", [SHORT, LONG])
def test_jumps_that_the_official_pipeline_alone_flags_are_hardly_any(both, name):
    """Nothing struck 98 % of them: `jump.statistic` weighs the others, in the noise of that comparison.

    They are several times as many as those that we alone flag.
    """
    ours, official = (fits.getdata(path, "DQ") & DQ.JUMP_DET > 0 for path in both.pair(f"{name}_rateints.fits"))
    struck = _struck(both.truth, name, ours.shape)
    theirs_alone, ours_alone = official & ~ours, ours & ~official
    assert np.mean(struck[theirs_alone]) < 0.02
    assert np.count_nonzero(theirs_alone) > 3 * np.count_nonzero(ours_alone)
    assert np.count_nonzero(theirs_alone & struck) < 0.02 * np.count_nonzero(official & struck)


@pytest.mark.parametrize("name", EXPOSURES)
def test_rates_differ_by_their_weights(both, name):
    """Half of those with the same flags by less than 1/10 ERR, 99 % by less than 1/2, from weighting groups otherwise.

    The official weights come from the signal of each ramp itself, and its photon noise from the median difference of
    the same ramp, so that value, weight and ERR share their noise. `ramp_fit.weighting=official` does the same.
    """
    found = in_errors(*both.pair(name), same_flags=True)
    assert 0.001 < found.median < 0.1
    assert found.p99 < 0.5


@pytest.mark.parametrize(("name", "plane"), [(SHORT, "RATE"), (LONG, "RATE"), (SHORT, "CAL"), (LONG, "CAL")])
def test_our_errors_tell_the_truth_more_closely(both, name, plane):
    suffix = {"RATE": "rate", "CAL": "cal"}[plane]
    ours, official = (measure.exposure(path, both.truth, plane) for path in both.pair(f"{name}_{suffix}.fits"))
    ours, official = (abs(measure.scatter(one.pull()) - 1) for one in (ours, official))
    assert ours < official < 0.1


def test_our_outliers_are_a_few_others(both):
    """`noise=expected` sees cosmic rays that hide behind their own noise; `blur=2` spares the cores of stars.

    `outlier_detection.noise=own`, `outlier_detection.blur=0`: none differs.
    """
    counts = [flags(*both.pair(name)).get("OUTLIER", (0, 0)) for name in CRF]
    assert 0 < np.sum(counts) < 1e-4 * 4 * 640**2


def test_our_stars_lie_closer_to_the_truth(both):
    """Within 0.5 mas; the official ones are off by one to several.

    Ours are placed by a fit of a Gaussian, false matches are left out by medians first, and a star in several exposures
    is matched with the catalogue once, at its mean place. The official steps take the finder's positions, which pixels
    attract, leave out by the rms, which false matches enlarge, and of one star in several exposures always take that
    with the lowest coordinate. `tweakreg.centroid=finder`, `tweakreg.clip=rms` and `source_catalog.centroid=finder` do
    as the official pipeline, but for the last, which is worth 1.5 mas here.
    """
    paths = both.pair(f"{MOSAIC}_cat.ecsv")
    ours, official = (_offset(measure.photometry(path, both.truth, "F200W")) for path in paths)
    assert ours < 0.5
    assert ours < official < 10


def _offset(stars: measure.Photometry) -> float:
    return float(np.hypot(np.median(stars.dra), np.median(stars.ddec)))


def test_stars_have_their_flux_in_both(both):
    """To one percent; apertures on positions that differ by a tenth of a pixel change the median by less than half."""
    paths = both.pair(f"{MOSAIC}_cat.ecsv")
    ours, official = (np.nanmedian(measure.photometry(path, both.truth, "F200W").flux) for path in paths)
    assert abs(ours) <= 0.01
    assert abs(ours - official) < 0.005


# What the files say of themselves

ONLY_OFFICIAL = {"CAL_VER", "CAL_VCS", "CRDS_VER", "CRDS_CTX"}
"""The release and the context."""
ONLY_OURS = {"JWRULES", "JWRECIPE", "S_BKDSUB", "S_BADRMP", "S_ERRINI", "ASNTABLE", "ASNPOOL"}
"""The release; background says that it had nothing to do; two steps that are ours alone."""
DIFFERENT = {"DATE", "JWRECIPE", "PRIMECRS", "EXTNCRS", "ASNTABLE", "ASNPOOL", "BKGLEVEL", "CRDS_VER", "CRDS_CTX"}
"""Of a directory of reference files we say that it is no context; the official pipeline names one all the same."""


@pytest.mark.parametrize("name", [*EXPOSURES, f"{SHORT}_i2d.fits", CRF[0]])
def test_primary_keywords_are_carried_over(both, name):
    ours, official = (keywords(path, 0) for path in both.pair(name))
    missing = {key for key in set(official) - set(ours) if official[key] != "N/A"}
    assert missing <= ONLY_OFFICIAL | {"ASNTABLE", "ASNPOOL"}
    assert set(ours) - set(official) <= ONLY_OURS
    shared = set(ours) & set(official) - DIFFERENT
    assert {key: ours[key] for key in shared if _said(ours[key]) != _said(official[key])} == {}


def _said(value):
    """Reference files by their names, as the official pipeline was given paths; numbers to ten digits."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return Path(value.removeprefix("crds://")).name if isinstance(value, str) and "/" in value else value


@pytest.mark.parametrize("name", [f"{SHORT}_rate.fits", f"{LONG}_rate.fits"])
def test_the_rate_of_cosmic_rays_is_that_of_the_jumps_found(both, name):
    """The same with the same options, an eighth less with the recipe's: fewer are false."""
    ours, official = (keywords(path, 0)["PRIMECRS"] for path in both.pair(name, "_alike"))
    assert ours == pytest.approx(official, rel=1e-9)
    ours, official = (keywords(path, 0)["PRIMECRS"] for path in both.pair(name))
    assert 0.7 * official < ours < official


@pytest.mark.parametrize("name", EXPOSURES)
def test_science_keywords_are_carried_over(both, name):
    """SIP keywords in the last digits; ours have the terms of order 1 of the inverse too, and LONPOLE, LATPOLE."""
    ours, official = (keywords(path, "SCI") for path in both.pair(name, "_alike"))
    more = {"AP_0_1", "AP_1_0", "BP_0_1", "BP_1_0", "LONPOLE", "LATPOLE", "SIPMXERR", "SIPIVERR"}
    assert set(official) <= set(ours)
    assert set(ours) - set(official) <= more
    for key, value in official.items():
        assert ours[key] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), key


@pytest.mark.parametrize("name", PRODUCTS)
def test_extensions_are_those_of_the_official_pipeline(both, name):
    ours, official = (extensions(path) for path in both.pair(name))
    assert ours == official


@pytest.mark.parametrize("name", PRODUCTS)
def test_data_models_open_our_products(both, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with datamodels.open(str(both.pair(name)[0])) as model:
            model.validate()
            assert type(model).__name__ == model.meta.model_type == MODELS[Path(name).stem.rsplit("_", 1)[1]]
            assert np.isfinite(model.data).any()


@pytest.mark.parametrize("name", [one for one in PRODUCTS if "_rate" not in one])
def test_both_kinds_of_coordinates_agree(both, name):
    """The gwcs that data models find, and the FITS keywords that everything else reads."""
    path = both.pair(name)[0]
    with datamodels.open(str(path)) as model, fits.open(path) as hdus:
        x, y = (axis.ravel() for axis in np.meshgrid(*(np.linspace(4, n - 5, 30) for n in model.data.shape[::-1])))
        sky = model.meta.wcs(x, y, with_bounding_box=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FITSFixedWarning)
            projection = WCS(hdus["SCI"].header, hdus)
        back = projection.all_world2pix(*sky, 0)
    assert np.hypot(back[0] - x, back[1] - y).max() < 0.01


@pytest.mark.parametrize("name", [f"{SHORT}_cal.fits", f"{LONG}_cal.fits"])
def test_pixels_fall_where_they_do_in_the_official_pipeline(both, name):
    ours, official = (datamodels.open(str(path)).meta.wcs for path in both.pair(name))
    x, y = np.random.default_rng(1).uniform(0, 255, (2, 100))
    np.testing.assert_allclose(ours(x, y), official(x, y), rtol=0, atol=1e-12)
    assert ours.available_frames == official.available_frames


def test_official_tools_read_our_associations(both):
    from jwst.associations import load_asn
    from jwst.associations.load_as_asn import LoadAsLevel2Asn

    with (both.folder / ASSOCIATION).open() as file:
        (product,) = load_asn(file)["products"]
    assert product["name"] == MOSAIC
    assert [member["expname"] for member in product["members"]] == [f"{name[:-14]}_cal.fits" for name in CRF]
    of_one = LoadAsLevel2Asn.load(str(both.folder / ASSOCIATION).replace("image3", "image2"))
    assert [member["exptype"] for member in of_one["products"][0]["members"]] == ["science"]


def test_the_catalogue_is_a_table(both):
    """What the official stage 3 makes of our `_cal` files and association has the same columns with the same units."""
    ours, official = (QTable.read(path) for path in both.pair(f"{MOSAIC}_cat.ecsv"))
    assert ours.colnames == official.colnames
    units = {name: (ours[name].unit, official[name].unit) for name in ours.colnames if hasattr(ours[name], "unit")}
    assert {name for name, (one, other) in units.items() if (one or "") != (other or "")} == set()
