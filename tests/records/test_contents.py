"""Files are told apart by what they hold: products by their data and lasting keywords, others by every byte."""

import os

import numpy as np
import pytest
from astropy.io import fits

from jwrules import records
from jwrules.references.ledger import Ledger


@pytest.fixture
def product(tmp_path):
    """Return what writes a product: keywords of the primary header, value of every pixel."""

    def write(name="a_rate.fits", value=1.0, tree="", **keywords):
        primary = fits.PrimaryHDU()
        primary.header.update({"JWRULES": "0.1", "DATE": "2026-01-01", **keywords})
        table = fits.BinTableHDU.from_columns([fits.Column("ASDF_METADATA", "8B", array=[np.arange(8)])], name="ASDF")
        table.header["TREESUM"] = tree
        hdus = fits.HDUList([primary, fits.ImageHDU(np.full((3, 3), value, np.float32), name="SCI"), table])
        path = tmp_path / name
        hdus.writeto(path, checksum=True, overwrite=True)
        return path

    return write


def test_when_and_with_what_it_was_made_makes_no_difference(product):
    one = records.digest(product(DATE="2026-01-01", R_DARK="crds://a", JWRULES="0.1"))
    assert one == records.digest(product(DATE="2027-01-01", R_DARK="crds://b", JWRULES="0.2"))
    assert one.startswith("data:")


@pytest.mark.parametrize("change", [{"value": 2.0}, {"FILTER": "F200W"}, {"tree": "another"}])
def test_other_pixels_keywords_or_coordinates_make_a_difference(product, change):
    assert records.digest(product()) != records.digest(product(**change))


def test_pixels_that_were_edited_under_their_old_sum_are_noticed(product):
    path = product()
    before = records.digest(path)
    text = bytearray(path.read_bytes())
    text[2 * 2880 + 1] ^= 1
    path.write_bytes(text)
    assert records.data_digest(path) == before
    assert records.digest(path).startswith("file:")


def test_a_sum_that_is_no_number_is_not_true(product):
    path = product()
    content = path.read_bytes()
    at = content.rindex(b"DATASUM")
    path.write_bytes(content[:at] + b"DATASUM = ''".ljust(80) + content[at + 80 :])
    assert records.digest(path).startswith("file:")


def test_a_file_of_somebody_else_is_told_by_its_bytes(product, tmp_path):
    path = product()
    fits.delval(path, "JWRULES")
    assert records.digest(path).startswith("file:")
    (tmp_path / "x.fits").write_bytes(b"no FITS at all")
    assert records.digest(tmp_path / "x.fits").startswith("file:")


def test_a_file_is_left_alone_only_where_nobody_wrote_to_it(tmp_path):
    path = tmp_path / "a"
    path.write_text("one")
    before, times = records.stat(path), path.stat()
    path.write_text("two")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert records.stat(path) != before
    assert records.stat(tmp_path / "b") is None


def test_what_is_known_of_a_file_left_alone_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "a"
    path.write_text("one")
    contents = records.Contents(Ledger(tmp_path / "ledger.json"))
    assert contents.digest(path, (records.stat(path), "known")) == "known"
    first = contents.digest(path)
    monkeypatch.setattr("jwrules.records.contents.digest", lambda path: "read again")
    assert records.Contents(contents._ledger).digest(path) == first
    os.utime(path)
    assert records.Contents(contents._ledger).digest(path) == "read again"
