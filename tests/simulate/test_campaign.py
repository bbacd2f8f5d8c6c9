"""The simulation as a whole."""

import filecmp

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from jwrules import simulate
from jwrules.errors import WorkflowFault
from jwrules.simulate import nircam


def truth(simulated, number=1):
    return fits.open(simulated / "truth" / f"jw09001001001_02101_{number:05d}_nrcb1_truth.fits")


def test_a_template_that_is_not_known_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(WorkflowFault, match=r"'miri_msr' cannot be simulated; there are: .*nircam_imaging"):
        simulate.run("miri_msr", tmp_path)


def test_a_size_that_is_not_known_is_refused_with_those_that_are(tmp_path):
    with pytest.raises(WorkflowFault, match=r"size 'huge' .* small, full"):
        simulate.run("nircam_imaging", tmp_path, size="huge")


def test_every_exposure_has_its_truth(simulated):
    raw = {path.name.removesuffix("_uncal.fits") for path in (simulated / "uncal").iterdir()}
    known = {path.name.removesuffix("_truth.fits") for path in (simulated / "truth").glob("*.fits")}
    assert len(raw) == 2
    assert raw == known


def test_the_same_seed_gives_the_same_bytes(simulated, write_tiny, tmp_path):
    again = write_tiny(tmp_path)
    files = [path.relative_to(simulated) for path in simulated.rglob("*") if path.is_file()]
    assert len(files) == 21
    assert all(filecmp.cmp(simulated / file, again / file, shallow=False) for file in files)


def test_the_truth_of_an_exposure_belongs_together(simulated):
    with truth(simulated) as hdus:
        gain = fits.getdata(next((simulated / "references").glob("*_gain_*")))[1952:, :128]
        flat = fits.getdata(next((simulated / "references").glob("*_flat_*")))
        known = np.isfinite(gain) & np.isfinite(flat)
        rate, cal = hdus["RATE"].data, hdus["CAL"].data
        assert hdus["ELECTRON"].data[known] == pytest.approx((rate * gain)[known], rel=1e-5)
        assert cal[known] == pytest.approx((rate / flat * nircam.F200W.photmjsr)[known], rel=4e-3)
        assert np.median(cal) == pytest.approx(hdus[0].header["SKYLEVEL"], rel=0.05)


def test_the_sources_of_the_table_are_where_the_truth_of_the_exposure_says(simulated):
    table = Table.read(simulated / "truth/sources.ecsv")
    with truth(simulated) as hdus:
        places, cal = hdus["SOURCES"].data, hdus["CAL"].data
    brightest = np.argmax(table["flux_F200W"])
    x, y = places["x"][brightest], places["y"][brightest]
    row, column = np.unravel_index(np.argmax(cal), cal.shape)
    assert abs(x - column) < 1
    assert abs(y - row) < 1


def test_the_table_lists_flux_and_magnitude_alike(simulated):
    table = Table.read(simulated / "truth/sources.ecsv")
    assert len(table) == 8
    assert table["abmag_F200W"] == pytest.approx(8.9 - 2.5 * np.log10(table["flux_F200W"]), abs=1e-3)
    assert set(table["type"]) == {"star", "galaxy"}


def test_the_astrometric_catalogue_lists_the_stars(simulated):
    stars = Table.read(simulated / "truth/astrometric_catalog.ecsv")
    sources = Table.read(simulated / "truth/sources.ecsv")
    assert stars.colnames == ["RA", "DEC"]
    assert list(stars["RA"]) == list(sources["ra"][sources["type"] == "star"])


def test_the_ramp_rises_where_the_light_is(simulated):
    raw = fits.getdata(simulated / "uncal/jw09001001001_02101_00001_nrcb1_uncal.fits").astype(float)
    with truth(simulated) as hdus:
        rate = hdus["RATE"].data
    bright = (rate > 20) & (raw.max(axis=(0, 1)) < 40000)
    seconds = 5 * 1e-5 * (128 + 12) * (96 + 2)
    growth = np.diff(raw, axis=1).mean(axis=(0, 1)) / seconds
    assert np.median(growth[bright] / rate[bright]) == pytest.approx(1.0, abs=0.2)
