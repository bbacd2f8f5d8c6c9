"""The reference files that the simulator writes."""

from pathlib import Path

import asdf
import numpy as np
import pytest
from astropy.io import fits

from jwrules.simulate import nircam, program, transforms
from jwrules.simulate.optics import MIDDLE

MODELS = {
    "mask": "MaskModel",
    "saturation": "SaturationModel",
    "superbias": "SuperBiasModel",
    "linearity": "LinearityModel",
    "dark": "DarkModel",
    "gain": "GainModel",
    "readnoise": "ReadnoiseModel",
    "ipc": "IPCModel",
    "flat": "FlatModel",
    "photom": "NrcImgPhotomModel",
    "area": "PixelAreaModel",
    "distortion": "DistortionModel",
    "filteroffset": "FilteroffsetModel",
    "apcorr": "NrcImgApcorrModel",
    "abvegaoffset": "ABVegaOffsetModel",
}


def reference(simulated: Path, reftype: str) -> Path:
    (path,) = (simulated / "references").glob(f"jwst_nircam_{reftype}_*")
    return path


@pytest.mark.parametrize("reftype", MODELS)
def test_the_official_data_model_takes_each_reference_without_a_warning(simulated, reftype):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    with getattr(datamodels, MODELS[reftype])(reference(simulated, reftype), strict_validation=True) as model:
        model.validate()
        assert model.meta.reftype.lower() == reftype
        assert model.meta.instrument.name == "NIRCAM"


@pytest.mark.parametrize("reftype", sorted(set(MODELS) - {"distortion", "filteroffset", "abvegaoffset"}))
def test_each_fits_reference_says_what_crds_selects_by(simulated, reftype):
    header = fits.getheader(reference(simulated, reftype))
    for keyword in ("REFTYPE", "INSTRUME", "DETECTOR", "USEAFTER", "PEDIGREE", "AUTHOR", "DESCRIP", "HISTORY"):
        assert header[keyword]
    assert header["USEAFTER"] < "2025-03-14"


def test_the_private_bits_of_the_mask_become_the_official_flags(simulated):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    stored = fits.getdata(reference(simulated, "mask"), "DQ")
    with datamodels.MaskModel(reference(simulated, "mask")) as model:
        official = datamodels.dqflags.pixel
        outer = model.dq[-4:]
        assert np.all(outer & official["REFERENCE_PIXEL"])
        assert np.all(outer & official["NON_SCIENCE"])
        assert not np.any(outer & official["DO_NOT_USE"])
        assert not np.array_equal(stored, model.dq)


def test_files_of_the_full_frame_are_there_to_be_cut(simulated):
    for reftype in ("gain", "area"):
        with fits.open(reference(simulated, reftype)) as hdus:
            assert hdus["SCI"].shape == (2048, 2048)
            assert (hdus[0].header["SUBSTRT1"], hdus[0].header["SUBSIZE2"]) == (1, 2048)


def test_files_of_the_window_say_where_it_lies(simulated):
    header = fits.getheader(reference(simulated, "superbias"))
    where = [header[keyword] for keyword in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")]
    assert where == [1, 2048 - 96 + 1, 128, 96]


def test_the_dark_grows_by_its_rate_in_every_frame(simulated):
    with fits.open(reference(simulated, "dark")) as hdus:
        ramp, header = hdus["SCI"].data, hdus[0].header
        assert len(ramp) == header["NGROUPS"] == 6
        assert np.allclose(ramp, ramp[0] * np.arange(1, 7)[:, None, None], rtol=1e-5)


def test_the_distortion_goes_there_and_back_to_a_ten_thousandth_of_a_pixel():
    for detector in (nircam.NRCB1, nircam.NRCALONG):
        model = transforms.distortion_model(detector)
        x, y = np.meshgrid(np.linspace(0, 2047, 12), np.linspace(0, 2047, 12))
        back = model.inverse(*model(x, y))
        assert np.abs(np.subtract(back, (x, y))).max() < 1e-4


def test_the_middle_of_the_detector_is_where_it_should_be():
    model = transforms.distortion_model(nircam.NRCB1)
    assert model(MIDDLE, MIDDLE) == pytest.approx(nircam.NRCB1.center, abs=1e-12)


def test_distortion_and_filter_offset_give_the_true_way_to_the_sky(simulated):
    taken = program.fly("small", np.random.default_rng(1))[0]
    with (
        asdf.open(reference(simulated, "distortion")) as distortion,
        asdf.open(reference(simulated, "filteroffset")) as offsets,
    ):
        row = next(row for row in offsets["filters"] if row["filter"] == "F200W")
        x = np.array([3.0, 500.0]) + taken.pointing.window.x0 + row["column_offset"]
        y = np.array([600.0, 20.0]) + taken.pointing.window.y0 + row["row_offset"]
        v2, v3 = distortion["model"](x, y)
    a, s = taken.nominal, program.ABERRATION
    ra, dec = a.to_sky(s * v2 + (1 - s) * a.v2, s * v3 + (1 - s) * a.v3)
    expected = taken.claimed.to_sky(np.array([3.0, 500.0]), np.array([600.0, 20.0]))
    assert np.abs(np.subtract((ra, dec), expected)).max() * 3.6e6 < 1e-4


def test_the_apertures_grow_with_the_energy_and_their_corrections_shrink(simulated):
    table = fits.getdata(reference(simulated, "apcorr"), "APCORR")
    table = table[table["filter"] == "F200W"]
    assert np.all(np.diff(table["radius"]) > 0)
    assert table["apcorr"] == pytest.approx(1 / table["eefraction"], rel=0.03)
    assert np.all(np.diff(table["apcorr"]) < 0)
