"""The header and tables of a raw exposure."""

import itertools

import numpy as np
import pytest
from astropy.io import fits
from astropy.time import Time
from astropy.wcs import WCS

from jwrules import names
from jwrules.simulate import headers, program, tables

TAKEN = program.fly("small", np.random.default_rng(1))


@pytest.mark.parametrize("taken", TAKEN[::4], ids=lambda taken: taken.pointing.detector.name)
def test_the_times_of_the_readout_belong_together(taken):
    header = headers.primary(taken)
    frames = (header["NGROUPS"] - 1) * (header["NFRAMES"] + header["GROUPGAP"]) + header["NFRAMES"]
    assert header["TGROUP"] == pytest.approx(header["TFRAME"] * (header["NFRAMES"] + header["GROUPGAP"]))
    assert header["EFFINTTM"] == pytest.approx(header["TFRAME"] * frames)
    assert header["EFFEXPTM"] == pytest.approx(header["EFFINTTM"] * header["NINTS"])
    resets = (header["NINTS"] - 1) * header["TFRAME"]
    assert header["DURATION"] == pytest.approx(header["EFFEXPTM"] + resets)
    assert (header["EXPEND"] - header["EXPSTART"]) * 86400 == pytest.approx(header["DURATION"], abs=1e-4)


def test_dates_and_mjd_agree():
    header = headers.primary(TAKEN[0])
    started = Time(f"{header['DATE-OBS']}T{header['TIME-OBS']}", scale="utc")
    assert started.mjd == pytest.approx(header["EXPSTART"], abs=1e-8)
    assert header["DATE-BEG"] == f"{header['DATE-OBS']}T{header['TIME-OBS']}"


def test_exposures_follow_each_other_in_time():
    spans = [(taken.start, headers.end(taken)) for taken in TAKEN]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(spans))


def test_every_exposure_has_an_official_name_of_its_own():
    files = [f"{taken.name}_uncal.fits" for taken in TAKEN]
    assert [str(names.parse(file)) for file in files] == files
    assert len(set(files)) == 8


def test_the_pointing_errors_are_between_30_and_100_mas():
    errors = [np.hypot(*taken.error) for taken in TAKEN]
    assert 30 <= min(errors) < max(errors) <= 100


def test_the_header_tells_where_the_telescope_should_have_looked():
    taken = TAKEN[2]
    header = headers.science(taken)
    assert (header["RA_REF"], header["DEC_REF"]) == (taken.nominal.ra, taken.nominal.dec)
    assert header["ROLL_REF"] == taken.nominal.roll
    v1 = taken.nominal.to_sky(np.zeros(1), np.zeros(1))
    assert header["RA_V1"] == pytest.approx(v1[0][0])


@pytest.mark.parametrize("taken", TAKEN[::4], ids=lambda taken: taken.pointing.detector.name)
def test_the_linear_wcs_keywords_are_near_the_true_one(taken):
    window = taken.pointing.window
    x, y = np.array([window.nx * 0.2, window.nx * 0.8]), np.array([window.ny * 0.3, window.ny * 0.7])
    ra, dec = taken.claimed.to_sky(x, y)
    header = headers.science(taken)
    linear = WCS(header[header.index("WCSAXES") : header.index("S_REGION")]).all_world2pix(ra, dec, 0)
    assert np.abs(linear - np.array([x, y])).max() < 4


def test_the_footprint_holds_the_target():
    header = headers.science(TAKEN[0])
    corners = np.array(header["S_REGION"].split()[2:], float).reshape(4, 2)
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert np.all(low < program.TARGET)
    assert np.all(high > program.TARGET)


def test_the_tables_have_a_row_for_each_group_and_each_integration():
    taken = TAKEN[4]
    groups, integrations = tables.group_table(taken), tables.integration_table(taken)
    assert len(groups) == 16
    assert len(integrations) == 2
    assert list(groups["group_number"][:9]) == [1, 2, 3, 4, 5, 6, 7, 8, 1]
    assert np.all(np.diff(groups["bary_end_time"]) > 0)
    assert integrations["int_end_MJD_UTC"][-1] == pytest.approx(headers.end(taken), abs=1e-10)
    assert groups["group_end_time"][-1].decode()[:23] == headers.iso(headers.end(taken))


def test_the_group_table_counts_days_and_milliseconds_since_2000():
    row = tables.group_table(TAKEN[0])[0]
    seconds = row["end_milliseconds"] / 1e3 + row["end_submilliseconds"] / 1e6
    ended = Time("2000-01-01", scale="utc").mjd + row["end_day"] + seconds / 86400
    first = TAKEN[0].start + headers.primary(TAKEN[0])["TFRAME"] * 8 / 86400
    assert ended == pytest.approx(first, abs=1e-9)


def test_the_official_data_model_takes_it_without_a_warning(simulated):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    for path in (simulated / "uncal").iterdir():
        with datamodels.open(path, strict_validation=True) as model:
            model.validate()
            assert type(model).__name__ == "Level1bModel"
            assert model.data.dtype == np.uint16
            assert model.data.shape == (2, 3, 96, 128)


def test_every_comment_fits_on_its_card():
    for taken in TAKEN[::4]:
        for header in (headers.primary(taken), headers.science(taken)):
            assert all(len(card.image) == 80 for card in header.cards if card.keyword != "S_REGION")
            assert isinstance(header, fits.Header)
