"""Tables of FITS files, as astropy makes them, made without `astropy.table` where that is not needed."""

import io
import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

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
