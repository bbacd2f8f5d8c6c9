"""Exposures that read stripes of the detector on their way through stage 1."""

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import stripe_scene
from astropy.io import fits
from stripe_scene import DHS, PURE, ROWS, SOSS
from template_scene import made, slopes

from jwrules.errors import CannotRun, DataFault, HeaderFault, RecipeFault
from jwrules.products.flags import DQ
from jwrules.stages import budget, dark, detector1
from jwrules.stages.chain import Call
from jwrules.stages.workbench import Workbench


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """An exposure of each kind. Read only."""
    return {name: stripe_scene.read(kind, tmp_path_factory.mktemp(name)) for name, kind in KINDS.items()}


KINDS = {"dhs": DHS, "soss": SOSS, "rows": ROWS, "pure": PURE}


def pulls(rate, truth):
    """Deviations from the truth over their errors, of good pixels."""
    good = (rate.dq & np.uint32(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL | DQ.HOT)) == 0
    return ((rate.data - truth) / rate.err)[good]


def test_stripes_have_the_rates_of_the_detector_where_they_lie(taken):
    (rows,) = DHS.lines
    rate = slopes(taken["dhs"]).rate
    found = pulls(rate, taken["dhs"].truth("RATE")[rows])
    assert rate.data.shape == (39, 2048)
    assert len(found) > 0.95 * 36 * 2040
    assert abs(np.median(found)) < 0.05
    assert np.percentile(abs(found), 68.27) == pytest.approx(1, abs=0.1)


def test_superstripes_become_frames_of_the_detector(taken):
    rates = slopes(taken["soss"])
    found = pulls(rates.rate, taken["soss"].truth("RATE"))
    assert (rates.rate.data.shape, rates.rateints.data.shape) == ((96, 2048), (2, 96, 2048))
    assert len(found) > 0.95 * 96 * 2040
    assert abs(np.median(found)) < 0.05
    assert np.percentile(abs(found), 68.27) == pytest.approx(1, abs=0.1)


def test_rows_between_which_nothing_is_passed_over_become_the_part_of_the_detector_that_they_cover(taken):
    rate = slopes(taken["rows"]).rate
    found = pulls(rate, taken["rows"].truth("RATE")[4:64])
    assert rate.data.shape == (60, 2048)
    assert (rate.meta["SUBSTRT2"], rate.meta["SUBSIZE2"]) == (5, 60)
    assert len(found) > 0.95 * 60 * 2040
    assert abs(np.median(found)) < 0.05


def test_frames_that_already_have_the_shape_of_the_detector_are_put_together_too(taken):
    """Only the first superstripe has reference pixels for all amplifiers, the others for the first and the last."""
    rate = slopes(taken["pure"]).rate
    assert rate.data.shape == (64, 2048)
    assert np.array_equal(rate.dq[:, 0] & np.uint32(DQ.REFERENCE_PIXEL) > 0, np.ones(64, bool))
    assert np.array_equal(rate.dq[:, 900] & np.uint32(DQ.REFERENCE_PIXEL) > 0, np.arange(64) < 4)
    edges = np.r_[:512, 1536:2048]
    part = replace(rate, data=rate.data[:, edges], err=rate.err[:, edges], dq=rate.dq[:, edges])
    assert abs(np.median(pulls(part, taken["pure"].truth("RATE")[:, edges]))) < 0.1


def test_columns_that_were_never_read_have_no_rate(taken):
    rate = slopes(taken["soss"]).rate
    edge = np.r_[:4, 2044:2048]
    assert np.isnan(rate.data[:, edge]).all()
    assert (rate.dq[:, edge] & np.uint32(DQ.REFERENCE_PIXEL) > 0).all()
    assert (rate.dq[:, edge] & np.uint32(DQ.DO_NOT_USE) > 0).all()


def test_the_header_and_the_tables_tell_of_rounds(taken):
    meta, tables = slopes(taken["soss"]).rateints.meta, slopes(taken["soss"]).rateints.tables
    place = {key: meta.get(key) for key in ("NINTS", "INTSTART", "INTEND", "SUBSTRT1", "SUBSIZE1", "SSTR_NST")}
    assert place == {"NINTS": 2, "INTSTART": 1, "INTEND": 2, "SUBSTRT1": 1, "SUBSIZE1": 2048, "SSTR_NST": None}
    raw, rounds = fits.getdata(taken["soss"].raw, "INT_TIMES"), tables["INT_TIMES"]
    assert rounds["integration_number"].tolist() == [1, 2]
    assert rounds["int_start_MJD_UTC"].tolist() == raw["int_start_MJD_UTC"][[0, 5]].tolist()
    assert rounds["int_end_BJD_TDB"].tolist() == raw["int_end_BJD_TDB"][[4, 9]].tolist()
    each = tables["INT_TIMES_STRIPE"]
    assert each["integration_number"].tolist() == [1] * 5 + [2] * 5
    assert each["stripe_number"].tolist() == [1, 2, 3, 4, 5] * 2
    assert each["int_mid_MJD_UTC"].tolist() == raw["int_mid_MJD_UTC"].tolist()


def kept_on_disk(self, exposure, route):
    nints, _, ny, nx = exposure.shape
    shapes = {"data": (exposure.shape, "f4"), "groupdq": (exposure.shape, "u1")}
    if "zeroframe" in exposure.sources:
        shapes["zeroframe"] = ((nints, ny, nx), "f4")
    exposure.rooms.update({n: self.room(shape, kind, in_memory=False) for n, (shape, kind) in shapes.items()})
    return tuple(shapes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [budget.Budget.kept, kept_on_disk])
@pytest.mark.parametrize("rows", [5, 38])
def test_blocks_change_no_bit(taken, kind, kept, rows):
    whole = slopes(taken[kind])
    with (
        mock.patch.object(budget.Budget, "patch", return_value=(rows, 900)),
        mock.patch.object(budget.Budget, "kept", kept),
        mock.patch.object(budget, "BLOCK", 1),
    ):
        pieces = slopes(taken[kind])
    for name in ("data", "err", "dq", "var_poisson", "var_rnoise"):
        for part in ("rate", "rateints"):
            one, other = (getattr(getattr(found, part), name) for found in (pieces, whole))
            assert one.tobytes() == other.tobytes(), (part, name)


@pytest.mark.parametrize("last", ["refpix", "linearity"])
def test_a_ramp_that_is_not_fitted_comes_out_as_frames_of_the_detector(taken, tmp_path, last):
    steps = ["dq_init", "superbias", "refpix", "linearity"]
    calls = [Call(step) for step in steps[: steps.index(last) + 1]]
    with mock.patch.object(budget, "BLOCK", 1):
        (path,) = dark.run(taken["rows"].raw, Workbench("dark", calls, made(taken["rows"]).references, tmp_path))
    with fits.open(path) as hdus, fits.open(taken["rows"].raw) as raw:
        assert hdus["SCI"].data.shape == (2, 5, 60, 2048)
        assert hdus["ZEROFRAME"].data.shape == (2, 60, 2048)
        assert hdus["PIXELDQ"].data.shape == (60, 2048)
        assert hdus["INT_TIMES_STRIPE"].data["int_start_MJD_UTC"].tolist() == raw["INT_TIMES"].data.field(1).tolist()
        rise = np.diff(hdus["SCI"].data[:, :, 20:40, 600:1400], axis=1)
        assert np.median(rise[:, 0]) == pytest.approx(np.median(rise[:, -1]), rel=0.1)


def test_a_segment_counts_its_rounds(taken, tmp_path):
    """The second of two segments of twenty integrations."""
    path = changed(taken, tmp_path / "a_uncal.fits", NINTS=20, INTSTART=11, INTEND=20, EXSEGNUM=2, EXSEGTOT=2)
    with fits.open(path, mode="update") as hdus:
        hdus["INT_TIMES"].data["integration_number"] += 10
    meta, tables = (found := slopes(replace(taken["soss"], raw=path)).rateints).meta, found.tables
    assert [meta[key] for key in ("NINTS", "INTSTART", "INTEND")] == [4, 3, 4]
    assert tables["INT_TIMES"]["integration_number"].tolist() == [3, 4]
    assert tables["INT_TIMES_STRIPE"]["integration_number"].tolist() == [3] * 5 + [4] * 5


# What cannot be


def changed(taken, path, **keywords):
    """The raw file of superstripes with another header."""
    with fits.open(taken["soss"].raw, uint=True) as hdus:
        for key, value in keywords.items():
            if value is None:
                del hdus[0].header[key]
            else:
                hdus[0].header[key] = value
        hdus.writeto(path)
    return path


def run(uncal, folder, steps=("superbias", "refpix", "ramp_fit"), save=()):
    return detector1.run(uncal, Workbench("detector1", [Call(step) for step in steps], {}, folder), save=save)


@pytest.mark.parametrize(
    ("keywords", "fault", "message"),
    [
        ({"MSTR_SK2": None}, HeaderFault, "a_uncal.fits: without MSTR_SK2 it is not known which stripes"),
        ({"MSTR_RD2": 400}, HeaderFault, r"a_uncal.fits: stripes make up frames of 404 or 808 lines, not of 412 \("),
        ({"MSTR_RD2": 202, "MSTR_RPT": 1}, CannotRun, "a_uncal.fits: a frame of 412 lines reads .* 2 times"),
        ({"SSTR_NST": 3}, DataFault, "a_uncal.fits: 10 integrations are no whole number of rounds of SSTR_NST = 3"),
        (
            {"INTSTART": 3, "INTEND": 12},
            DataFault,
            "a_uncal.fits: INTSTART = 3 is not the first of a round of SSTR_NST = 5",
        ),
    ],
)
def test_stripes_that_cannot_be_are_said(taken, tmp_path, keywords, fault, message):
    with pytest.raises(fault, match=message):
        run(changed(taken, tmp_path / "a_uncal.fits", **keywords), tmp_path)


def test_superstripes_need_refpix_which_puts_them_together(taken, tmp_path):
    with pytest.raises(RecipeFault, match="SSTR_NST = 5: superstripes are put together by refpix"):
        run(taken["soss"].raw, tmp_path, ["superbias", "ramp_fit"])


def test_superstripes_are_not_saved_before_they_are_put_together(taken, tmp_path):
    with pytest.raises(RecipeFault, match=r"--save: superbias of a superstripe exposure .*save that, or what comes"):
        run(taken["soss"].raw, tmp_path, save=["superbias"])


def test_they_are_saved_as_frames_of_the_detector(taken, tmp_path):
    (path, *_) = (one for one in made_and_saved(taken["soss"], tmp_path) if one.stem.endswith("refpix"))
    with fits.open(path) as hdus:
        assert hdus["SCI"].data.shape == (2, 5, 96, 2048)
        assert hdus["PIXELDQ"].data.shape == (96, 2048)
        assert hdus[0].header["SUBSIZE1"] == 2048


def made_and_saved(one, folder):
    files = made(one).references
    calls = [Call(step) for step in ("dq_init", "superbias", "refpix", "ramp_fit")]
    return detector1.run(one.raw, Workbench("detector1", calls, files, folder), save=["refpix"])
