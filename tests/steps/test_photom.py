"""From count rates to surface brightness."""

from dataclasses import replace

import imaging_scene
import numpy as np
import pytest
from astropy.io import fits

from jwrules.errors import CannotRun, HeaderFault, ReferenceFault
from jwrules.products.kinds import Area, Meta, Photom
from jwrules.steps.photom import Params, photom

SHAPE = (5, 6)
ROWS = [("F200W", "CLEAR", 7.0), ("F356W", "CLEAR", 0.5), ("F356W", "MASKRND", 3.0)]
ROW = 1


def image(**keywords):
    exposure = imaging_scene.exposure(np.full(SHAPE, 4.0))
    meta = exposure.meta.updated(EXPMID=60365.0, SUBARRAY="FULL").updated_sci(BUNIT="DN/s").updated(**keywords)
    return replace(exposure, meta=meta, var_flat=np.full(SHAPE, 0.2, np.float32))


def table(columns, rows):
    names, formats = zip(*(column.split() for column in columns), strict=True)
    return np.array(rows, dtype={"names": names, "formats": formats}).view(fits.FITS_rec)


def reference(rows=ROWS, columns=("filter U12", "pupil U15", "photmjsr f4"), **more):
    header = fits.Header({"PIXAR_SR": 1e-13, "PIXAR_A2": 4e-3})
    return Photom(meta=Meta(primary=header, source="photom.fits"), table=table(columns, rows), **more)


def test_signal_and_errors_are_multiplied_by_the_factor_of_filter_and_pupil():
    before, result = image(), photom(image(), photom=reference())
    assert result.data == pytest.approx(0.5 * before.data)
    assert result.err == pytest.approx(0.5 * before.err)
    for name in ("var_poisson", "var_rnoise", "var_flat"):
        assert getattr(result, name) == pytest.approx(0.25 * getattr(before, name))


def test_inverse_undoes_it():
    result = photom(photom(image(), photom=reference()), Params(inverse=True), photom=reference())
    assert result.data == pytest.approx(image().data, rel=1e-6)
    assert result.var_flat == pytest.approx(image().var_flat, rel=1e-6)
    assert result.meta["BUNIT"] == "DN/s"


def test_the_keywords_say_what_was_done():
    meta = photom(image(), photom=reference()).meta
    assert meta["BUNIT"] == "MJy/sr"
    assert meta["PHOTMJSR"] == 0.5
    assert meta["PHOTUJA2"] == pytest.approx(0.5 * 23.504430, rel=1e-6)
    assert (meta["PIXAR_SR"], meta["PIXAR_A2"]) == (1e-13, 4e-3)


def test_the_area_file_wins_over_the_photom_file():
    area = Area(meta=Meta(primary=fits.Header({"PIXAR_SR": 2e-13})), data=np.ones(SHAPE, np.float32))
    result = photom(image(), photom=reference(), area=area)
    assert (result.meta["PIXAR_SR"], result.meta["PIXAR_A2"]) == (2e-13, 4e-3)
    assert result.area is area.data


def test_one_year_of_linear_loss_raises_the_factor():
    linear = table(["t0 f8", "lossperyear f8"], [(0, 0), (60000.0, 0.1), (0, 0)])
    assert photom(image(), photom=reference(linear=linear)).meta["PHOTMJSR"] == pytest.approx(0.5 / 0.9)


def test_exponential_loss():
    columns = ["t0 f8", "amplitude f8", "tau f8", "const f8"]
    exponential = table(columns, [(0, 0, 1, 1), (60000.0, 0.3, 365 / np.log(2), 0.7), (0, 0, 1, 1)])
    assert photom(image(), photom=reference(exponential=exponential)).meta["PHOTMJSR"] == pytest.approx(0.5 / 0.85)


def test_power_law_loss_is_as_given_after_a_year():
    columns = ["t0 f8", "year1value f8", "tsoft f8", "alpha f8"]
    powerlaw = table(columns, [(0, 1, 1, 0), (60000.0, 0.8, 30.0, -0.5), (0, 1, 1, 0)])
    assert photom(image(), photom=reference(powerlaw=powerlaw)).meta["PHOTMJSR"] == pytest.approx(0.5 / 0.8)
    later = photom(image(EXPMID=60000.0 + 4 * 395 - 30), photom=reference(powerlaw=powerlaw))
    assert later.meta["PHOTMJSR"] == pytest.approx(0.5 / 0.8 * 2)


def test_the_loss_can_be_left_out():
    linear = table(["t0 f8", "lossperyear f8"], [(0, 0), (60000.0, 0.1), (0, 0)])
    result = photom(image(), Params(apply_time_correction=False), photom=reference(linear=linear))
    assert result.meta["PHOTMJSR"] == 0.5


def test_the_loss_needs_the_time_of_the_exposure():
    linear = table(["t0 f8", "lossperyear f8"], [(0, 0), (60000.0, 0.1), (0, 0)])
    with pytest.raises(HeaderFault, match="EXPMID"):
        photom(image(EXPMID=None), photom=reference(linear=linear))


def test_time_tables_have_as_many_rows_as_the_factors():
    linear = table(["t0 f8", "lossperyear f8"], [(60000.0, 0.1)])
    with pytest.raises(ReferenceFault, match="3 and 1 rows"):
        photom(image(), photom=reference(linear=linear))


@pytest.mark.parametrize(("subarray", "factor"), [("SUB64", 2.0), ("SUB999", 1.0)])
def test_a_row_for_the_subarray_wins_over_the_generic_one(subarray, factor):
    columns = ("filter U12", "subarray U15", "photmjsr f4")
    rows = [("F356W", "GENERIC", 1.0), ("F356W", "SUB64", 2.0)]
    assert photom(image(SUBARRAY=subarray), photom=reference(rows, columns)).meta["PHOTMJSR"] == factor


def test_a_table_without_filters_has_one_row_for_all():
    assert photom(image(), photom=reference([(1.5,)], ("photmjsr f4",))).meta["PHOTMJSR"] == 1.5


def test_a_missing_filter_lists_those_that_there_are():
    with pytest.raises(CannotRun, match="no row for FILTER=F999W, PUPIL=CLEAR; it has F200W CLEAR, F356W CLEAR"):
        photom(image(FILTER="F999W"), photom=reference())


def test_two_rows_for_one_filter_are_a_fault():
    with pytest.raises(ReferenceFault, match="2 rows"):
        photom(image(), photom=reference([ROWS[1], ROWS[1]]))


@pytest.mark.parametrize("factor", [0.0, np.nan])
def test_a_factor_that_says_nothing_is_a_fault(factor):
    with pytest.raises(ReferenceFault, match="conversion factor"):
        photom(image(), photom=reference([("F356W", "CLEAR", factor)]))
