"""Tables of FITS files, as astropy makes them, made without `astropy.table` where that is not needed."""

import io
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from jwrules.products import table_hdu
from jwrules.products.table_hdu import TableHDU

ROWS = np.array([(1, 2.5, "a"), (3, 4.5, "bc")], dtype=[("number", "i4"), ("value", "f8"), ("word", "U3")])


def content(hdu):
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    return file.getvalue()


@pytest.mark.parametrize("kind", [np.asarray, fits.FITS_rec.from_columns, Table])
def test_the_file_is_that_of_astropy(kind):
    data = kind(fits.BinTableHDU(ROWS).columns) if kind is fits.FITS_rec.from_columns else kind(ROWS)
    assert content(TableHDU(data, name="T")) == content(fits.BinTableHDU(data, name="T"))


def test_an_array_needs_no_table_of_astropy():
    code = "import numpy as np, sys; from jwrules.products.table_hdu import TableHDU;"
    code += "TableHDU(np.zeros(2, [('a', 'f4')]), name='T'); print('astropy.table' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_columns_read_some_rows_at_a_time_are_those_of_astropy(tmp_path, monkeypatch):
    monkeypatch.setattr(table_hdu.Columns, "ROWS", 7)
    rng, path = np.random.default_rng(1), tmp_path / "a.fits"
    table = np.zeros(20, [("ALPHA_0", ">f4"), ("n", ">i2"), ("pair", ">f8", 2)])
    for name in table.dtype.names:
        table[name] = rng.integers(-99, 99, table[name].shape)
    fits.BinTableHDU(table, name="IRS2").writeto(path)
    with fits.open(path) as hdus:
        read, expected = table_hdu.Columns.of(path, hdus[1]), hdus[1].data
        assert not table_hdu.Columns.are_scaled(hdus[1])
        for name in ("alpha_0", "N", "pair"):
            np.testing.assert_array_equal(read[name], expected[name])
            assert read[name].dtype.isnative
    assert len(read) == 20


def test_scaled_columns_are_left_to_astropy():
    column = fits.Column("a", "J", bzero=2**31, array=np.arange(3, dtype="u4"))
    assert table_hdu.Columns.are_scaled(fits.BinTableHDU.from_columns([column]))
