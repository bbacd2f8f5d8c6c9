"""One header of several."""

import numpy as np
import pytest
from astropy.io import fits

from jwrules.products.blending import blended, tabulated, with_summed_times
from jwrules.products.kinds import Meta


def meta(sci=None, **primary):
    return Meta(primary=fits.Header(primary), sci=fits.Header(sci or {}))


def test_times_span_all_exposures():
    result = blended([meta(EXPSTART=2.0, EXPMID=2.5, EXPEND=3.0), meta(EXPSTART=1.0, EXPMID=1.5, EXPEND=2.0)])
    assert (result["EXPSTART"], result["EXPMID"], result["EXPEND"]) == (1.0, 2.0, 3.0)


def test_the_first_day_comes_with_its_own_time():
    result = blended([meta(**{"DATE-BEG": "2026-01-02T00:00:01"}), meta(**{"DATE-BEG": "2026-01-01T23:59:59"})])
    assert result["DATE-BEG"] == "2026-01-01T23:59:59"


@pytest.mark.parametrize(("detectors", "result"), [(("NRCA1", "NRCA1"), "NRCA1"), (("NRCA1", "NRCA2"), "MULTIPLE")])
def test_detectors_are_named_where_they_agree(detectors, result):
    assert blended([meta(DETECTOR=name) for name in detectors])["DETECTOR"] == result


def test_one_filter_wheel_out_of_tolerance_is_enough():
    values = ["within commanded tolerance", "outside calibration tolerance"]
    assert blended([meta(FWPOSTOL=value) for value in values])["FWPOSTOL"] == values[1]


def test_everything_else_is_that_of_the_first():
    result = blended([meta(TARGNAME="M1", sci={"XPOSURE": 1.0}), meta(TARGNAME="M2", sci={"XPOSURE": 2.0})])
    assert result["TARGNAME"] == "M1"
    assert result.sci["XPOSURE"] == 3.0
    assert "XPOSURE" not in result.primary


def test_the_table_has_a_column_for_each_keyword_of_anyone():
    table = tabulated([meta(A=1, B="x", C=True, E=2), meta(A=2, C=False, D=1.5, sci={"E": 7})])
    assert table.colnames == ["A", "B", "C", "E", "D"]
    assert list(table["A"]) == [1, 2]
    assert list(table["B"]) == ["x", ""]
    assert table["C"].dtype == np.int8
    assert np.isnan(table["D"][0])
    assert list(table["E"]) == [2, 7]


def test_when_the_files_were_written_is_no_column():
    assert tabulated([meta(**{"DATE": "2026-01-01", "DATE-OBS": "2025-01-01"})]).colnames == ["DATE-OBS"]


def test_comments_and_history_are_no_columns():
    one = meta(A=1)
    one.primary.add_comment("a remark")
    one.primary.add_history("made")
    assert tabulated([one]).colnames == ["A"]


def test_a_time_that_one_exposure_lacks_has_no_sum():
    result = with_summed_times(meta(TMEASURE=5.0), [meta(XPOSURE=1.0, TMEASURE=5.0), meta(XPOSURE=2.0)])
    assert result["XPOSURE"] == 3.0
    assert result["TMEASURE"] == 5.0


def test_keywords_are_left_out_once_and_for_all():
    header = fits.Header({"A": 1, "B": 2})
    assert list(Meta(primary=header, sci=fits.Header()).without("A", "Z").primary) == ["B"]
    assert "A" in header
