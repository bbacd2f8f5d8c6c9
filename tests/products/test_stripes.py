"""Which lines of the detector a multistripe subarray reads, and reference files put together from them.

Numbers are worked out from the readout as the keywords tell it.
"""

import numpy as np
import pytest
from astropy.io import fits

from jwrules.errors import HeaderFault, ReferenceFault
from jwrules.products.flags import DQ
from jwrules.products.kinds import Gain, Mask, Meta
from jwrules.products.reference import ReferenceFile, open_reference
from jwrules.products.stripes import KEYWORDS, runs, stripes_of

DHS = {"SUBARRAY": "SUB82STRIPE2_DHS", "SUBSTRT1": 1, "SUBSTRT2": 1, "FASTAXIS": -1, "SLOWAXIS": 2}
TWO = dict(zip(KEYWORDS, (1, 1662, 40, 82, 1, 1, 0, 0), strict=True))
SOSS = {"SUBARRAY": "SUB204STRIPE_SOSS", "SUBSTRT1": 2048, "SUBSTRT2": 1793, "FASTAXIS": -2, "SLOWAXIS": -1}
TEN = dict(zip(KEYWORDS, (4, 0, 204, 0, 1, 1, 204, 10), strict=True))


def meta(*keywords, **more):
    told = {key: value for given in (*keywords, more) for key, value in given.items()}
    return Meta(primary=fits.Header({k: v for k, v in told.items() if v is not None}), source="sci.fits")


def lines(*keywords, size=82, **more):
    return stripes_of(meta(*keywords, **more), (size, 2048)).lines.tolist()


def test_each_stripe_begins_with_the_first_line_and_goes_on_at_the_next_light():
    """1 + 1662 lines before the first light; 40 + 82 more before the second."""
    assert lines(DHS, TWO) == [0, *range(1663, 1703), 0, *range(1785, 1825)]


def test_without_interleaving_each_stripe_is_the_same():
    assert lines(DHS, TWO, MSTR_ILV=0) == 2 * [0, *range(1663, 1703)]


def test_without_repeating_the_readout_goes_on():
    assert lines(DHS, TWO, MSTR_RPT=0, size=81) == [0, *range(1663, 1703), *range(1785, 1825)]


def test_a_readout_that_runs_backwards_is_turned_round():
    assert lines(DHS, TWO, SLOWAXIS=-2) == [*range(223, 263), 2047, *range(345, 385), 2047]


def test_a_readout_begins_where_the_subarray_starts_but_for_dhs():
    assert lines(DHS, TWO, SUBARRAY="OTHER", SUBSTRT2=101)[:2] == [100, 1763]
    assert lines(DHS, TWO, SUBARRAY="OTHER", SUBSTRT2=2001, SLOWAXIS=-2)[-2:] == [2047 - 47 - 1663, 2000]
    assert lines(DHS, TWO, SUBSTRT2=101)[:2] == [0, 1663]


def test_superstripes_lie_side_by_side_and_move_on():
    """Columns are read backwards: the first frame has lines 4 to 207 from the end, then the last four."""
    stripes = stripes_of(meta(SOSS, TEN), (256, 2080))
    assert stripes.axis == -1
    assert stripes.lines[:208].tolist() == [*range(1840, 2048)]
    assert stripes.lines[208:416].tolist() == [*range(1636, 1840), *range(2044, 2048)]
    assert np.flatnonzero(stripes.heads[:208]).tolist() == [204, 205, 206, 207]


def test_without_lines_of_its_own_a_superstripe_is_as_long_as_its_step():
    stripes = stripes_of(meta(SOSS, TEN, MSTR_RD1=0, MSTR_RD2=0, SUBSTRT1=2044), (256, 2040))
    assert sorted(stripes.lines.tolist()) == [*range(4, 2044)]


def test_an_exposure_without_the_keywords_reads_no_stripes():
    assert stripes_of(meta(DHS), (82, 2048)) is None
    assert stripes_of(meta(DHS, dict.fromkeys(KEYWORDS, 0)), (82, 2048)) is None


def test_lines_that_follow_each_other_are_read_together():
    assert [*runs(np.array([0, 5, 6, 7, 0, 1]))] == [slice(0, 1), slice(1, 4), slice(4, 6)]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"MSTR_SK1": None, "MSTR_ILV": None}, "sci.fits: without MSTR_SK1 and MSTR_ILV .* MSTR_RD2 = 40.*correct"),
        ({"MSTR_RD2": 0}, "sci.fits: without lines to read"),
        ({"SSTR_NST": 2, "SSTR_STP": None}, "sci.fits: without SSTR_STP"),
        ({"MSTR_RD2": 38}, "make up frames of 78 or 117 lines, not of 82 .*MSTR_RD2 = 38.*SUBSTRT2 = 1.*correct"),
        ({"MSTR_SK2": 500}, "reach from line 0 to 2242 of a detector"),
    ],
)
def test_what_cannot_be_is_said(keywords, message):
    with pytest.raises(HeaderFault, match=message):
        stripes_of(meta(DHS, TWO, **keywords), (82, 2048))


# Reference files

EVERYWHERE = np.add.outer(np.arange(2048) * 10.0, np.arange(2048) / 1000).astype("f4")


def write(path, array=EVERYWHERE, name="SCI", **keywords):
    header = fits.Header({"SUBSTRT1": 1, "SUBSTRT2": 1} | keywords)
    fits.HDUList([fits.PrimaryHDU(header=header), fits.ImageHDU(array, name=name)]).writeto(path)
    return path


def test_a_full_frame_is_put_together_from_the_stripes(tmp_path):
    gain = open_reference(write(tmp_path / "gain.fits"), Gain, meta(DHS, TWO), (82, 2048))
    assert np.array_equal(gain.data, EVERYWHERE[[0, *range(1663, 1703), 0, *range(1785, 1825)]])


@pytest.mark.parametrize("height", [1, 7, 41, 82])
def test_pieces_of_any_height_make_up_the_whole(tmp_path, height):
    file = ReferenceFile(write(tmp_path / "gain.fits"), Gain, meta(DHS, TWO), (82, 2048))
    pieces = [file.piece(slice(first, first + height), slice(3, 9)).data for first in range(0, 82, height)]
    assert np.array_equal(np.concatenate(pieces), file.piece().data[:, 3:9])


def test_columns_are_put_together_where_they_are_read_slowly(tmp_path):
    gain = open_reference(write(tmp_path / "gain.fits"), Gain, meta(SOSS, TEN), (256, 2080))
    assert np.array_equal(gain.data[:, 208:416], EVERYWHERE[1792:, [*range(1636, 1840), *range(2044, 2048)]])


def test_flags_are_put_together_too(tmp_path):
    flags = np.zeros((2048, 2048), "u4")
    flags[1663] = DQ.HOT
    mask = open_reference(write(tmp_path / "mask.fits", flags, "DQ"), Mask, meta(DHS, TWO), (82, 2048))
    assert np.flatnonzero(mask.dq[:, 0]).tolist() == [1]


def test_a_file_for_the_same_stripes_is_taken_as_it_is(tmp_path):
    path = write(tmp_path / "gain.fits", EVERYWHERE[300:382])
    assert np.array_equal(open_reference(path, Gain, meta(DHS, TWO), (82, 2048)).data, EVERYWHERE[300:382])


def test_no_file_is_taken_as_it_is_for_superstripes_side_by_side(tmp_path):
    """Two frames of rows 0 and 1, 2 and 3, the first of each again: as high as the file, by chance."""
    keywords = meta(DHS, dict(zip(KEYWORDS, (1, 0, 1, 0, 1, 0, 1, 2), strict=True)))
    path = write(tmp_path / "gain.fits", EVERYWHERE[:4])
    assert open_reference(path, Gain, keywords, (4, 2048)).data[:, 0].tolist() == [0, 10, 0, 20]


def test_a_file_that_does_not_hold_the_stripes_is_refused(tmp_path):
    path = write(tmp_path / "gain.fits", EVERYWHERE[:1700])
    with pytest.raises(ReferenceFault, match=r"gain.fits\[SCI\].*\(1700, 2048\).*rows 0 to 1824.*full frame"):
        open_reference(path, Gain, meta(DHS, TWO), (82, 2048))


def test_nan_counts_in_the_stripes_alone(tmp_path):
    holes = EVERYWHERE + 1
    holes[:1600] = np.nan
    path = write(tmp_path / "gain.fits", holes, REFTYPE="GAIN")
    assert np.isnan(open_reference(path, Gain, meta(DHS, TWO), (82, 2048)).data).sum() == 2 * 2048
    with pytest.raises(ReferenceFault, match="167936 of 167936 values are NaN"):
        open_reference(path, Gain, meta(DHS, TWO, MSTR_SK1=1, MSTR_SK2=0), (82, 2048))
