"""Headers: every kind of card, every kind of damage, and the same answers as astropy on real files."""

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwrules import headers
from jwrules.errors import DataFault, HeaderFault

PRIMARY = ("SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0")
IMAGE = (
    "XTENSION= 'IMAGE   '",
    "BITPIX  =                  -32",
    "NAXIS   =                    2",
    "NAXIS1  =                  100",
    "NAXIS2  =                   10",
    "PCOUNT  =                    0",
    "GCOUNT  =                    1",
)


def block(*cards):
    text = "".join(card.ljust(80) for card in (*cards, "END")).encode("ascii")
    return text.ljust(-(-len(text) // 2880) * 2880)


def image(name, version=1):
    """An extension of 100 x 10 floats: 4000 bytes of data, which fill two blocks."""
    return block(*IMAGE, f"EXTNAME = '{name}'", f"EXTVER  = {version}") + bytes(5760)


@pytest.fixture
def fits(tmp_path):
    def write(content, name="x_uncal.fits"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("card", "value"),
    [
        ("KEY     = 'F090W   '           / filter", "F090W"),
        ("KEY     = 'O''HARA / x'         / name", "O'HARA / x"),
        ("KEY     = ''", ""),
        ("KEY     =                    T / yes", True),
        ("KEY     =                    F", False),
        ("KEY     =                  -42 / n", -42),
        ("KEY     =         5.971377E+04 / day", 59713.77),
        ("KEY     = 1.5D-3", 0.0015),
        ("KEY     = .5", 0.5),
        ("KEY     = (1.0, -2.0)", 1 - 2j),
        ("KEY     =                      / not known", None),
        ("KEY     = ", None),
    ],
)
def test_a_card_gives_its_value(fits, card, value):
    header = headers.read(fits(block(*PRIMARY, card)))
    assert header["KEY"] == value
    assert type(header["KEY"]) is type(value)


def test_a_long_string_goes_on_in_continue_cards(fits):
    cards = ("TITLE   = 'A long &'", "CONTINUE  'and longer &'", "CONTINUE  'title.' / the title", "PROGRAM = '01075'")
    header = headers.read(fits(block(*PRIMARY, *cards)))
    assert (header["TITLE"], header["PROGRAM"]) == ("A long and longer title.", "01075")


def test_a_long_keyword_is_read(fits):
    assert headers.read(fits(block(*PRIMARY, "HIERARCH ESO DET NAME = 'X' / d")))["ESO DET NAME"] == "X"


def test_comments_are_left_out_and_the_first_of_two_cards_counts(fits):
    header = headers.read(
        fits(block(*PRIMARY, "COMMENT = 'not a value'", "HISTORY made", "", "A       = 1", "A       = 2"))
    )
    assert header == {"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "A": 1}


def test_end_within_a_card_does_not_end_the_header(fits):
    cards = [*PRIMARY, "COMMENT this is not yet the".ljust(77) + "END", "", "PROGRAM = '01075'"]
    assert headers.read(fits(block(*cards)))["PROGRAM"] == "01075"


def test_a_header_may_fill_several_blocks(fits):
    cards = [f"KEY{n:<5}= {n}" for n in range(100)]
    assert headers.read(fits(block(*PRIMARY, *cards)))["KEY99"] == 99


def test_a_gzipped_file_is_read_as_any_other(fits):
    content = block(*PRIMARY, "PROGRAM = '01075'") + image("SCI")
    path = fits(gzip.compress(content), "x_uncal.fits.gz")
    assert headers.read(path)["PROGRAM"] == "01075"
    assert headers.check_complete(path) == ("PRIMARY", "SCI")


def test_an_extension_is_found_by_number_name_and_version(fits):
    path = fits(block(*PRIMARY) + image("SCI") + image("SCI", 2) + image("DQ"))
    assert headers.read(path, 3)["EXTNAME"] == "DQ"
    assert headers.read(path, "sci")["EXTVER"] == 1
    assert headers.read(path, ("SCI", 2))["EXTVER"] == 2
    with pytest.raises(HeaderFault, match=r"no extension 'ERR'; it has PRIMARY, SCI, SCI, DQ"):
        headers.read(path, "ERR")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html><html>".ljust(2880), "this is no FITS file"),
        (block(*PRIMARY)[:2000], "the header of HDU 0 has no END; the file ends 2000 bytes into it"),
        (block(*PRIMARY, "KEY     = F090W"), "no value of FITS in the card 'KEY     = F090W'"),
        (gzip.compress(os.urandom(9000))[:500], "truncated or damaged within the gzip"),
    ],
)
def test_a_damaged_header_is_a_fault_that_names_the_file(fits, content, words):
    path = fits(content)
    with pytest.raises(HeaderFault, match=r"x_uncal\.fits: ") as fault:
        headers.read(path)
    assert words in str(fault.value)


def test_a_file_that_is_not_there_is_a_fault(tmp_path):
    with pytest.raises(HeaderFault, match=r"no\.fits: cannot be read: No such file"):
        headers.read(tmp_path / "no.fits")


@given(missing=st.integers(1, 5760))
def test_a_truncated_file_names_the_expected_and_the_actual_size(tmp_path_factory, missing):
    content = block(*PRIMARY) + image("SCI")
    path = tmp_path_factory.mktemp("cut") / "x_uncal.fits"
    path.write_bytes(content[:-missing])
    assert headers.read(path)["NAXIS"] == 0
    with pytest.raises(
        DataFault, match=rf"HDU 1 \(SCI, BITPIX -32, 100 x 10\).* byte 11520 .* byte {11520 - missing};"
    ):
        headers.check_complete(path)


def test_the_heap_of_a_table_belongs_to_its_data(fits):
    table = ("XTENSION= 'BINTABLE'", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 8", "NAXIS2  = 1", "PCOUNT  = 6000")
    whole = block(*PRIMARY) + block(*table, "GCOUNT  = 1", "TFIELDS = 1") + bytes(3 * 2880)
    assert headers.check_complete(fits(whole)) == ("PRIMARY", "")
    with pytest.raises(DataFault, match="HDU 1"):
        headers.check_complete(fits(whole[:-2880]))


def test_a_truncated_gzip_is_no_complete_file(fits):
    content = gzip.compress(block(*PRIMARY) + os.urandom(20000))
    with pytest.raises((DataFault, HeaderFault), match="within the gzip"):
        headers.check_complete(fits(content[:-5000]))


def test_rubbish_after_the_last_extension_is_a_fault(fits):
    with pytest.raises(HeaderFault, match="HDU 2 begins with"):
        headers.check_complete(fits(block(*PRIMARY) + image("SCI") + b"rubbish".ljust(2880)))


def test_axes_that_are_no_numbers_are_a_fault(fits):
    with pytest.raises(HeaderFault, match="BITPIX, NAXIS or NAXISn"):
        headers.check_complete(fits(block(*PRIMARY[:2], "NAXIS   =                    1")))


def test_real_headers_read_as_astropy_reads_them(shared):
    astropy = pytest.importorskip("astropy.io.fits")
    paths = sorted((shared / "data/real_headers_and_products").rglob("*.fits"))
    assert len(paths) > 15
    for path in paths:
        theirs = astropy.open(path)
        assert headers.check_complete(path) == tuple(hdu.name for hdu in theirs)
        for number, hdu in enumerate(theirs):
            assert headers.read(path, number) == _plain(hdu.header, astropy.card.Undefined)
        theirs.close()


def _plain(header, undefined):
    named = [keyword for keyword in header if keyword not in ("", "COMMENT", "HISTORY")]
    return {keyword: None if isinstance(header[keyword], undefined) else header[keyword] for keyword in named}
