"""A table of a FITS file, made without `astropy.table`, whose import takes longer than most steps."""

from __future__ import annotations

from typing import Any

from astropy.io import fits


class TableHDU(fits.BinTableHDU):
    """A binary table made from an array or columns; it does not look whether it is given an `astropy.table.Table`."""

    def __init__(self, data: Any = None, header: Any = None, name: str | None = None, **settings: Any) -> None:
        super(fits.BinTableHDU, self).__init__(data, header, name=name, **settings)
