import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import meta, ramp, rows

from jwrules.products.flags import DQ
from jwrules.products.kinds import Rscd
from jwrules.steps.declare import Skip
from jwrules.steps.rscd import rscd

FULL = {"SUBARRAY": "FULL", "READPATT": "FASTR1"}


def reference(*rows):
    columns = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    return Rscd(meta=meta(), table=fits.FITS_rec.from_columns(fits.BinTableHDU(np.array([*rows], columns)).columns))


TABLE = reference(("FULL", "FASTR1", 2, 4), ("SLITLESSPRISM", "FASTR1", -1, 3))


def left_out(product):
    """How many groups of each integration of each pixel are left out: all at the start."""
    flagged = (product.groupdq & DQ.DO_NOT_USE) != 0
    assert not np.any(flagged[:, 1:] & ~flagged[:, :-1])
    return flagged.sum(axis=1)[:, 0].tolist()


def exposure(nints=3, ngroups=10, **keywords):
    return ramp(np.ones((nints, ngroups, 1, 1)), **(FULL | {"NINTS": nints} | keywords))


def test_the_first_integration_and_later_ones_leave_out_groups_of_their_own():
    product = rscd(exposure(), rscd=TABLE)
    assert left_out(product) == [[2], [4], [4]]
    assert (product.meta["INT1SKIP"], product.meta["INT2SKIP"]) == (2, 4)


def test_a_segment_that_begins_later_has_no_first_integration():
    product = rscd(exposure(2, NINTS=5, INTSTART=4), rscd=TABLE)
    assert left_out(product) == [[4], [4]]
    assert product.meta.get("INT1SKIP") is None


@pytest.mark.parametrize(("ngroups", "expected"), [(3, 0), (4, 1), (5, 1), (6, 3), (7, 4), (40, 4)])
def test_three_groups_stay_and_of_five_or_fewer_only_one_is_left_out(ngroups, expected):
    assert left_out(rscd(exposure(2, ngroups), rscd=TABLE))[1] == [expected]


def test_a_pixel_that_saturates_soon_leaves_out_fewer_and_is_an_estimate():
    product = ramp(np.ones((2, 10, 1, 3)), **FULL, NINTS=2)
    product.groupdq[1, 4:, 0, 1], product.groupdq[1, 2:, 0, 2] = DQ.SATURATED, DQ.SATURATED
    product = rscd(product, rscd=TABLE)
    assert left_out(product) == [[2, 2, 2], [4, 2, 0]]
    assert product.pixeldq.tolist() == [[0, DQ.FLUX_ESTIMATED, DQ.FLUX_ESTIMATED]]
    assert [product.meta[f"INT{which}"] for which in ("1BORS", "1UGP1", "2BORS", "2UGP1")] == [0, 0, 2, 1]


def test_a_file_without_a_number_for_the_first_integration_means_one_group():
    assert left_out(rscd(exposure(1, SUBARRAY="SLITLESSPRISM"), rscd=TABLE)) == [[1]]


def test_a_subarray_is_known_by_its_older_name():
    assert left_out(rscd(exposure(2, SUBARRAY="SUBPRISM"), rscd=TABLE)) == [[1], [3]]


def test_a_read_pattern_that_the_file_does_not_know_is_left_alone():
    product = exposure(READPATT="SLOWR1")
    with pytest.raises(Skip, match="no row for SUBARRAY FULL, READPATT SLOWR1"):
        rscd(product, rscd=TABLE)
    assert not product.groupdq.any()


def test_of_two_groups_none_can_be_spared():
    with pytest.raises(Skip, match="2 groups"):
        rscd(exposure(1, 2), rscd=TABLE)


def test_the_groups_that_are_left_out_as_a_whole_are_told_whatever_bright_pixels_keep():
    product = exposure()
    product.groupdq[1, 3:] = DQ.SATURATED
    product = rscd(product, rscd=TABLE)
    assert left_out(product) == [[2], [1], [4]]
    assert product.left_out.sum(axis=1).tolist() == [2, 4, 4]
    assert not product.left_out[:, 4:].any()


def test_bands_of_rows_give_the_numbers_of_the_whole():
    product = ramp(np.ones((2, 10, 4, 1)), **FULL, NINTS=2)
    product.groupdq[1, 4:, 0], product.groupdq[1, 2:, 2:] = DQ.SATURATED, DQ.SATURATED
    assert [part.along for part in rscd.parts] == ["ramps"]
    (part,) = rscd.parts
    bands = [part(rows(product, slice(y, y + 1)), rscd.params(), rscd=TABLE) for y in range(4)]
    counted = bands[0]
    for band in bands[1:]:
        counted = counted.counting(**band.counts)
    whole = rscd(product, rscd=TABLE)
    assert rscd.finished(counted, rscd.params()).meta.primary == whole.meta.primary
    assert (whole.meta["INT2BORS"], whole.meta["INT2UGP1"]) == (3, 2)
    assert all(np.array_equal(band.left_out, whole.left_out) for band in bands)
