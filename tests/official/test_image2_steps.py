"""Stage 2 of images against the official pipeline, on the same arrays and the same reference files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Mapping, Polynomial2D, Shift
from astropy.wcs import WCS as FitsWCS

from jwrules.products.kinds import Area, Distortion, FilterOffset, Flat, Image, Meta, Photom, Rate
from jwrules.products.reference import open_reference
from jwrules.steps.assign_wcs import assign_wcs
from jwrules.steps.background import background
from jwrules.steps.flat_field import flat_field
from jwrules.steps.photom import photom
from jwrules.steps.resample import Params, resample
from jwrules.wcs import footprint

datamodels = pytest.importorskip("stdatamodels.jwst.datamodels", reason="jwst is not installed")
pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("default")]

SHAPE = (240, 256)
FLIGHT = "data/miri_flight_references/flt9/jwst_miri_"
ARRAYS = ("data", "err", "dq", "var_poisson", "var_rnoise")
PRIMARY = {
    "TELESCOP": "JWST",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCALONG",
    "FILTER": "F356W",
    "PUPIL": "CLEAR",
    "EXP_TYPE": "NRC_IMAGE",
    "SUBARRAY": "FULL",
    "SUBSTRT1": 1,
    "SUBSTRT2": 1,
    "SUBSIZE1": 256,
    "SUBSIZE2": 240,
    "MODULE": "A",
    "CHANNEL": "LONG",
    "EXPSTART": 60000.0,
    "EXPMID": 60000.01,
    "EXPEND": 60000.02,
    "EFFEXPTM": 300.0,
    "DURATION": 310.0,
    "TMEASURE": 290.0,
    "PROGRAM": "01234",
    "OBSERVTN": "001",
    "VISIT": "001",
    "VISITGRP": "02",
    "SEQ_ID": "1",
    "ACT_ID": "01",
    "FASTAXIS": 1,
    "SLOWAXIS": -2,
}
SCI = {
    "V2_REF": 85.0,
    "V3_REF": -490.0,
    "VPARITY": -1,
    "V3I_YANG": 0.4,
    "RA_REF": 359.9995,
    "DEC_REF": -41.0,
    "ROLL_REF": 133.0,
    "VA_SCALE": 0.99993,
    "WCSAXES": 2,
    "XPOSURE": 300.0,
    "BUNIT": "DN/s",
}


def rate(number: int = 1, level: float = 1.0, **pointing: float) -> Rate:
    """Sky and stars in DN/s, with noise, NaN and flags."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    stars = sum(f * np.exp(-((x - a) ** 2 + (y - b) ** 2) / 3) for a, b, f in rng.uniform(5, 230, (40, 3)))
    poisson, rnoise = (stars + level) / 500, rng.uniform(0.5, 2, SHAPE) * 1e-3
    err = np.sqrt(poisson + rnoise)
    dq = rng.choice([0, 4, 1 << 11, 1, 1 << 9], p=[0.95, 0.02, 0.01, 0.01, 0.01], size=SHAPE).astype(np.uint32)
    data = stars + level + rng.normal(0, err)
    data[(dq & 1) > 0] = np.nan
    meta = Meta(
        primary=fits.Header(PRIMARY | {"EXPOSURE": f"{number:05d}"}),
        sci=fits.Header(SCI | pointing),
        source=f"jw01234001001_02101_{number:05d}_nrcalong_rate.fits",
    )
    arrays = [np.asarray(a, np.float32) for a in (data, err, poisson, rnoise)]
    return Rate(meta=meta, data=arrays[0], err=arrays[1], dq=dq, var_poisson=arrays[2], var_rnoise=arrays[3])


def official(image: Rate | Image):
    """The same arrays and keywords as a datamodel."""
    hdus = [fits.PrimaryHDU(header=image.meta.primary), fits.ImageHDU(image.data, header=image.meta.sci, name="SCI")]
    model = datamodels.ImageModel(fits.HDUList(hdus))
    for name in (*ARRAYS, "var_flat"):
        if getattr(image, name, None) is not None:
            setattr(model, name, getattr(image, name).copy())
    model.meta.filename = image.meta.source
    model.meta.wcs = getattr(image, "wcs", None)
    return model


def in_errors(ours, theirs, error) -> tuple[float, float]:
    """Median and 99th percentile of the absolute difference in units of the error; NaN must be in the same places."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    difference = abs(ours - theirs)[np.isfinite(ours)] / error[np.isfinite(ours)]
    return float(np.median(difference)), float(np.percentile(difference, 99))


def agree(ours, model, largest: float) -> None:
    error = np.asarray(model.err, float)
    for name in ("data", "err"):
        assert max(in_errors(getattr(ours, name), getattr(model, name), error)) < largest
    for name in ("var_poisson", "var_rnoise", "var_flat"):
        if getattr(ours, name) is not None:
            assert max(in_errors(getattr(ours, name), getattr(model, name), error**2)) < largest
    if hasattr(ours, "dq"):
        assert np.array_equal(ours.dq, model.dq)


@pytest.fixture(scope="module")
def references(tmp_path_factory) -> dict[str, Path]:
    """Reference files written by the official package."""
    folder = tmp_path_factory.mktemp("references")
    paths = {name: folder / f"{name}.fits" for name in ("flat", "photom", "area")}
    paths |= {name: folder / f"{name}.asdf" for name in ("distortion", "filteroffset")}
    _save_distortion(paths["distortion"])
    asdf.AsdfFile({"filters": [_offset("F200W", 9.0), _offset("F356W", 0.7)]}).write_to(paths["filteroffset"])
    _save_flat(paths["flat"])
    _save_photom(paths["photom"])
    area = datamodels.PixelAreaModel(data=np.random.default_rng(8).uniform(0.9, 1.1, SHAPE).astype("f4"))
    area.meta.photometry.pixelarea_steradians, area.meta.photometry.pixelarea_arcsecsq = 9.3e-14, 3.96e-3
    area.save(paths["area"])
    return paths


def _save_distortion(path: Path) -> None:
    bend = [Polynomial2D(3, c1_0=-0.063, c2_0=4e-7, c1_1=2e-7, c3_0=1e-10), Polynomial2D(3, c0_1=0.063, c0_2=-6e-7)]
    model = Shift(-128) & Shift(-120) | Mapping((0, 1, 0, 1)) | bend[0] & bend[1] | Shift(85.0) & Shift(-490.0)
    model.inverse = Shift(-85.0) & Shift(490.0)
    distortion = datamodels.DistortionModel(model=model)
    distortion.save(path)


def _offset(name: str, columns: float) -> dict[str, object]:
    return {"filter": name, "pupil": "CLEAR", "column_offset": columns, "row_offset": -0.4}


def _save_flat(path: Path) -> None:
    rng = np.random.default_rng(7)
    flat = datamodels.FlatModel(SHAPE)
    flat.data, flat.err = rng.normal(1, 0.05, SHAPE).astype("f4"), np.full(SHAPE, 0.004, "f4")
    flat.data[3, 4], flat.data[5, 6] = np.nan, 0
    flat.dq = np.zeros(SHAPE, "u4")
    flat.dq[7, 8], flat.dq[9, 10], flat.dq[11, 12] = 1 << 18, 1, 1 << 25
    flat.meta.instrument.name, flat.meta.instrument.detector = "NIRCAM", "NRCALONG"
    flat.meta.subarray.xstart = flat.meta.subarray.ystart = 1
    flat.meta.subarray.ysize, flat.meta.subarray.xsize = SHAPE
    flat.save(path)


def _save_photom(path: Path) -> None:
    rows = [("F200W", "CLEAR", 1.7, 0.1), ("F356W", "CLEAR", 0.42, 0.01)]
    model = datamodels.NrcImgPhotomModel()
    model.meta.instrument.name, model.meta.reftype, model.meta.useafter = "NIRCAM", "photom", "2022-01-01T00:00:00"
    model.meta.description, model.meta.author, model.meta.pedigree = "Made for a test", "nobody", "DUMMY"
    model.phot_table = np.array(rows, dtype=model.get_dtype("phot_table"))
    times = [(*row[:2], 59000.0, loss) for row, loss in zip(rows, (0.01, 0.03), strict=True)]
    decline = np.array(times, dtype=model.get_dtype("timecoeff_linear"))
    model.timecoeff_linear = decline
    model.save(path)


@pytest.fixture(scope="module")
def assigned(references) -> tuple[Image, object]:
    """Our image after assign_wcs, and the official one."""
    from jwst.assign_wcs.assign_wcs import load_wcs
    from jwst.assign_wcs.util import update_fits_wcsinfo

    exposure = rate()
    model = load_wcs(official(exposure), {name: str(references[name]) for name in ("distortion", "filteroffset")})
    update_fits_wcsinfo(model)
    return assign_wcs(exposure, **_trees(references)), model


def _trees(references) -> dict[str, object]:
    kinds = {"distortion": Distortion, "filteroffset": FilterOffset}
    return {name: open_reference(references[name], kind, Meta(), SHAPE) for name, kind in kinds.items()}


def test_assign_wcs_finds_the_same_sky(assigned):
    ours, model = assigned
    y, x = np.mgrid[: SHAPE[0] : 7, : SHAPE[1] : 7].astype(float)
    assert np.abs(np.array(ours.wcs(x, y)) - np.array(model.meta.wcs(x, y))).max() < 1e-9
    assert ours.meta["S_REGION"] == model.meta.wcsinfo.s_region


def test_the_headers_of_both_say_the_same_to_readers_of_fits(assigned, tmp_path):
    ours, model = assigned
    model.save(tmp_path / "official_cal.fits")
    header = fits.getheader(tmp_path / "official_cal.fits", "SCI")
    x, y = np.random.default_rng(0).uniform(0, 240, (2, 50))
    sky = FitsWCS(ours.meta.sci).all_pix2world(x, y, 0)
    assert np.abs(np.array(sky) - FitsWCS(header).all_pix2world(x, y, 0)).max() * 3600 < 0.01 * 0.063


def test_flat_field_divides_in_the_same_way(assigned, references):
    from jwst.flatfield.flat_field import do_correction

    ours, _ = assigned
    model, _ = do_correction(official(ours), flat=datamodels.FlatModel(references["flat"]))
    agree(flat_field(ours, flat=_opened(references, "flat")), model, largest=1e-5)


def _opened(references, name):
    kinds = {"flat": Flat, "photom": Photom, "area": Area}
    return open_reference(references[name], kinds[name], rate().meta, SHAPE)


def test_photom_finds_the_same_factor(assigned, references):
    from jwst.photom.photom import DataSet

    flattened = flat_field(assigned[0], flat=_opened(references, "flat"))
    model = DataSet(official(flattened)).apply_photom(str(references["photom"]), str(references["area"]))
    ours = photom(flattened, photom=_opened(references, "photom"), area=_opened(references, "area"))
    agree(ours, model, largest=1e-5)
    assert ours.meta["PHOTMJSR"] == pytest.approx(model.meta.photometry.conversion_megajanskys, rel=1e-7)
    assert ours.meta["PHOTUJA2"] == pytest.approx(model.meta.photometry.conversion_microjanskys, rel=1e-7)
    assert (ours.meta["PIXAR_SR"], ours.meta["PIXAR_A2"]) == (9.3e-14, 3.96e-3)
    assert np.array_equal(ours.area, model.area)
    assert ours.meta["BUNIT"] == model.meta.bunit_data


def test_background_is_the_same_mean_but_its_error_is_added():
    from jwst.background.background_sub import background_sub

    skies = tuple(rate(number, level=0.8) for number in (2, 3, 4))
    model = official(rate())
    _, model = background_sub(model, [official(sky) for sky in skies], 3.0, None)
    ours = background(rate(), background=skies)
    everywhere = np.isfinite(ours.data) & ((ours.dq & 1) == 0)
    assert np.max(abs(ours.data - model.data)[everywhere] / model.err[everywhere]) < 1e-3
    grown = np.sqrt(rate().err ** 2 + sum(sky.err**2 for sky in skies) / 9)
    assert ours.err[everywhere] == pytest.approx(grown[everywhere], rel=1e-5)
    assert np.array_equal(ours.dq | 1, model.dq | 1)


def calibrated(references, number: int = 1, **pointing: float) -> Image:
    image = assign_wcs(rate(number, **pointing), **_trees(references))
    image = flat_field(image, flat=_opened(references, "flat"))
    return photom(image, photom=_opened(references, "photom"), area=_opened(references, "area"))


OPTIONS = [
    {},
    {"weight_type": "exptime", "pixfrac": 0.7, "kernel": "turbo"},
    {"pixel_scale": 0.04, "rotation": 0.0},
    {"pixel_scale_ratio": 1.7, "output_shape": (120, 130), "crpix": (50.0, 60.0), "crval": (359.9995, -41.0)},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_resample_makes_the_same_mosaic(references, options):
    """The official grid comes from S_REGION, nine decimals of a degree: 3e-5 pixel, which shows on stars."""
    from jwst.datamodels import ModelLibrary
    from jwst.resample import ResampleStep

    dithers = [{}, {"RA_REF": 359.9998, "DEC_REF": -41.0003}, {"ROLL_REF": 133.2, "RA_REF": 0.0001}]
    images = tuple(calibrated(references, k + 1, **dither) for k, dither in enumerate(dithers))
    images = tuple(replace(i, meta=i.meta.updated(BKGLEVEL=0.1 * k)) for k, i in enumerate(images))
    listed = {name: list(v) if isinstance(v, tuple) else v for name, v in options.items()}
    model = ResampleStep(**listed).process(ModelLibrary([official(i) for i in images]))
    ours = resample(images, Params(**options))
    assert np.array_equal(ours.context, model.con)
    agree(ours, model, largest=1e-3 if "crval" in options else 1e-2)
    assert _covered(ours.meta["S_REGION"]) == pytest.approx(_covered(model.meta.wcsinfo.s_region), rel=1e-4)
    assert in_errors(ours.weight, model.wht, np.asarray(model.wht, float).clip(1e-9))[1] < 1e-4
    keywords = {"NDRIZ": "resample.pointings", "PXSCLRT": "resample.pixel_scale_ratio"}
    keywords |= {"XPOSURE": "exposure.exposure_time", "TMEASURE": "exposure.measurement_time"}
    keywords |= {"CRPIX1": "wcsinfo.crpix1", "CRVAL2": "wcsinfo.crval2", "PC1_2": "wcsinfo.pc1_2"}
    keywords |= {"PIXAR_SR": "photometry.pixelarea_steradians", "DURATION": "exposure.duration"}
    for keyword, attribute in keywords.items():
        assert ours.meta[keyword] == pytest.approx(model[f"meta.{attribute}"], rel=1e-5), keyword


def _covered(s_region: str) -> float:
    return sum(footprint.area(polygon) for polygon in footprint.from_s_region(s_region))


@pytest.mark.parametrize(("name", "start"), [("FULL", (1, 1)), ("BRIGHTSKY", (457, 51))])
def test_flight_references_of_miri_give_the_same_sky(shared, name, start):
    from jwst.assign_wcs.assign_wcs import load_wcs

    paths = {"distortion": shared / f"{FLIGHT}imager_distortion_flt9.asdf"}
    paths |= {"filteroffset": shared / f"{FLIGHT}filteroffset_full_flt9.asdf"}
    shape = (1024, 1032) if name == "FULL" else (512, 512)
    changed = {
        "INSTRUME": "MIRI",
        "DETECTOR": "MIRIMAGE",
        "FILTER": "F1130W",
        "EXP_TYPE": "MIR_IMAGE",
        "SUBARRAY": name,
    }
    changed |= {"SUBSTRT1": start[0], "SUBSTRT2": start[1], "SUBSIZE1": shape[1], "SUBSIZE2": shape[0]}
    header = fits.Header(PRIMARY | changed)
    del header["PUPIL"]
    miri = Meta(primary=header, sci=fits.Header(SCI | {"V2_REF": -453.559, "V3_REF": -373.814, "V3I_YANG": 4.835}))
    blank = np.zeros(shape, np.float32)
    exposure = Rate(meta=miri, data=blank, err=blank, dq=blank.astype("u4"), var_poisson=blank, var_rnoise=blank)
    ours = assign_wcs(exposure, **_trees(paths)).wcs
    model = load_wcs(official(exposure), {reftype: str(path) for reftype, path in paths.items()})
    y, x = np.mgrid[: shape[0] : 60, : shape[1] : 60].astype(float)
    assert np.abs(np.array(ours(x, y)) - np.array(model.meta.wcs(x, y))).max() < 1e-9
    assert ours.bounding_box.bounding_box(order="F") == model.meta.wcs.bounding_box.bounding_box(order="F")
