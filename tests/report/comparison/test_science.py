"""Differences in units of the error, by class of the flags, are those of paper."""

import numpy as np
import pytest
from astropy.io import fits as pyfits
from comparison_scene import HOT, JUMP, SHAPE, write

from jwrules.errors import DataFault
from jwrules.report import comparison
from jwrules.report.comparison.science import Asked


def compared(tmp_path, a, b, **asked):
    one, two = write(tmp_path / "a_rate.fits", **a), write(tmp_path / "b_rate.fits", **b)
    return comparison.run(one, two, Asked(**asked)).products[0]


def rows(found):
    return {row.label: row for row in found.science[0].rows}


def test_a_difference_is_told_in_errors_of_a(tmp_path):
    found = compared(tmp_path, {"sci": {(1, 2): 11}}, {"err": 5.0})
    everything = rows(found)["all"]
    assert (everything.pixels, everything.compared, everything.differ) == (8, 8, 1)
    assert (everything.largest, everything.where, found.science[0].unit) == (2.0, (1, 2), "ERR of A")


def test_independent_measurements_differ_in_both_their_errors(tmp_path):
    found = compared(tmp_path, {"sci": {(1, 2): 15}, "err": 3.0}, {"err": 4.0}, independent=True)
    assert rows(found)["all"].largest == 1.0


def test_where_a_has_no_error_that_of_b_counts(tmp_path):
    found = compared(tmp_path, {"sci": {(0, 0): 8}, "more": {"ERR": None}}, {"err": 0.5})
    assert (found.science[0].unit, rows(found)["all"].largest, found.only_b) == ("ERR of B", -4.0, ("ERR",))


def test_median_scatter_and_percentiles_are_those_of_paper(tmp_path):
    values = {(0, 0): 10.5, (0, 1): 11, (0, 2): 12, (0, 3): 14, (1, 0): 60}
    row = rows(compared(tmp_path, {"sci": values}, {}))["unequal"]
    assert (row.pixels, row.median, row.sigma) == (5, 4, pytest.approx(1.4826 * 3))
    assert (row.low, row.high) == (pytest.approx(1.2), pytest.approx(8 + 0.8 * 92))


def test_each_class_of_flags_has_its_pixels(tmp_path):
    mine, other = {(0, 1): JUMP, (0, 2): HOT, (0, 3): HOT}, {(0, 2): HOT, (0, 3): HOT | JUMP, (1, 0): JUMP}
    found = rows(compared(tmp_path, {"dq": mine, "sci": {(0, 1): 11}}, {"dq": other}))
    pixels = {label: row.pixels for label, row in found.items() if label not in ("all", "unequal")}
    assert list(pixels.values()) == [4, 1, 1, 1, 1]
    assert [label for label, row in found.items() if row.differ] == ["all", "unequal", "flagged in A only"]


def test_flags_that_come_and_go_are_counted_by_name(tmp_path):
    found = compared(tmp_path, {"dq": {(0, 1): JUMP, (0, 2): HOT}}, {"dq": {(0, 2): HOT | JUMP, (1, 1): JUMP}})
    flags = {flag.name: (flag.both, flag.only_a, flag.only_b) for flag in found.science[0].flags}
    assert flags == {"JUMP_DET": (0, 1, 2), "HOT": (1, 0, 0)}
    assert not found.same


def test_a_value_that_only_one_has_is_a_difference(tmp_path):
    found = compared(tmp_path, {"sci": {(0, 0): np.nan, (0, 1): np.nan}}, {"sci": {(0, 1): np.nan}})
    science = found.science[0]
    assert (science.values_only_a, science.values_only_b, rows(found)["all"].compared) == (0, 1, 6)
    assert not found.same


@pytest.mark.parametrize(("one", "other"), [(np.inf, -np.inf), (np.inf, 1.0), (-np.inf, np.nan)])
def test_what_is_infinite_is_the_same_only_as_itself(tmp_path, one, other):
    for folder, second in (("other", other), ("same", one)):
        (tmp_path / folder).mkdir()
        found = compared(tmp_path / folder, {"sci": {(0, 0): one}}, {"sci": {(0, 0): second}})
        assert found.same is (folder == "same")


def test_a_second_extension_of_one_name_and_version_is_compared_too(tmp_path):
    one, two = write(tmp_path / "a_rate.fits"), write(tmp_path / "b_rate.fits")
    for path, value in ((one, 1.0), (two, 2.0)):
        pyfits.append(path, np.full(SHAPE, value, "f4"), pyfits.Header([("EXTNAME", "SCI"), ("EXTVER", 1)]))
    assert not comparison.run(one, two, Asked()).products[0].same


def test_pixels_without_error_are_compared_all_the_same(tmp_path):
    found = compared(tmp_path, {"err": 0.0, "sci": {(0, 0): 11}}, {})
    science = found.science[0]
    assert (science.without_error, science.without_error_differ) == (8, 1)
    assert np.isnan(rows(found)["all"].median)


@pytest.mark.parametrize(("tolerance", "same"), [(0.0, False), (0.25, True), (0.2, False)])
def test_what_differs_by_less_than_is_tolerated_is_the_same(tmp_path, tolerance, same):
    assert compared(tmp_path, {"sci": {(0, 0): 10.125}}, {}, tolerance=tolerance).same is same


def test_mosaics_are_told_apart_by_weight(tmp_path):
    mine, other = np.ones(SHAPE, "f4"), np.ones(SHAPE, "f4")
    mine[0, :2], other[0, 1:3] = 0, 0
    found = compared(tmp_path, {"more": {"DQ": None, "WHT": mine}}, {"more": {"DQ": None, "WHT": other}})
    pixels = {label: row.pixels for label, row in rows(found).items()}
    assert pixels["seen in both"] == 5
    assert [pixels[f"seen in {which}"] for which in ("A only", "B only", "neither")] == [1, 1, 1]


def test_flags_of_all_images_together_count_for_each(tmp_path):
    cube = np.full((3, *SHAPE), 10, "f4")
    arrays = {"SCI": cube, "ERR": np.ones_like(cube)}
    moved = {**arrays, "SCI": cube + np.float32([[[0]], [[0]], [[2]]])}
    found = compared(tmp_path, {"more": moved, "dq": {(1, 3): HOT}}, {"more": arrays, "dq": {(1, 3): HOT}})
    assert (rows(found)["same flags in both"].pixels, rows(found)["same flags in both"].largest) == (3, 2.0)
    assert rows(found)["all"].where == (2, 0, 0)


def test_the_ratio_of_errors_is_told(tmp_path):
    (array,) = compared(tmp_path, {"err": 0.5}, {"err": 0.25}).arrays
    assert (array.array, array.differ, array.median) == ("ERR", 8, pytest.approx(2, rel=3e-4))


def test_products_of_other_shape_are_refused_with_both_shapes(tmp_path):
    cube = np.zeros((3, *SHAPE), "f4")
    with pytest.raises(DataFault, match=r"SCI has the shape \(2, 4\) in A and \(3, 2, 4\) in B"):
        compared(tmp_path, {}, {"more": {"SCI": cube, "ERR": cube}})


def test_products_in_other_units_are_refused(tmp_path):
    with pytest.raises(DataFault, match="SCI is in DN/s in A and in MJy/sr in B"):
        compared(tmp_path, {}, {"unit": "MJy/sr"})


def test_an_error_that_does_not_go_with_the_image_is_refused(tmp_path):
    with pytest.raises(DataFault, match=r"a_rate.fits\[ERR\]: shape \(3, 4\).*damaged"):
        compared(tmp_path, {"more": {"ERR": np.ones((3, 4), "f4")}}, {})


def test_keywords_of_the_members_of_a_mosaic_are_no_data(tmp_path):
    one, two = (write(tmp_path / f"{k}_i2d.fits") for k in "ab")
    for path, place in ((one, 80.0), (two, 81.0)):
        table = np.array([(place,)], [("CRVAL1", "f8")])
        pyfits.append(path, table, pyfits.Header({"EXTNAME": "HDRTAB"}))
    found = comparison.run(one, two, Asked()).products[0]
    assert found.same
    assert found.tables[0].columns[0].differ == 1
