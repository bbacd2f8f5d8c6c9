"""A table of a FITS file, made without `astropy.table`, whose import takes longer than most steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from astropy.io import fits


class TableHDU(fits.BinTableHDU):
    """A binary table; `astropy.table` is imported only for data that are no array."""

    def __init__(self, data: Any = None, header: Any = None, name: str | None = None, **settings: Any) -> None:
        if isinstance(data, np.ndarray):
            super(fits.BinTableHDU, self).__init__(data, header, name=name, **settings)
        else:
            super().__init__(data, header, name=name, **settings)


@dataclass(frozen=True)
class Columns:
    """The columns of a table in a file, each read when it is asked for; `len` is the number of rows.

    Columns come by name in any case, as arrays (n,) in native byte order.
    """

    ROWS = 65536

    path: Path
    start: int
    rows: int
    stored: np.dtype

    @staticmethod
    def are_scaled(hdu: fits.BinTableHDU) -> bool:
        """Tell whether astropy has to make the values of what is stored: scaled, logical, or of varying length."""
        plain = (one.format.lstrip("0123456789") in ("B", "I", "J", "K", "E", "D") for one in hdu.columns)
        return not all(plain) or any(one.bscale or one.bzero for one in hdu.columns)

    @classmethod
    def of(cls, path: Path, hdu: fits.BinTableHDU) -> Self:
        """Return the columns of an HDU, opened by astropy, of the file at `path`."""
        return cls(path, hdu.fileinfo()["datLoc"], hdu.header["NAXIS2"], hdu.columns.dtype.newbyteorder(">"))

    def __getitem__(self, name: str) -> np.ndarray:
        (field,) = (one for one in self.stored.names or () if one.lower() == name.lower())
        kind = self.stored[field]
        column = np.empty((self.rows, *kind.shape), kind.base.newbyteorder("="))
        with self.path.open("rb") as file:
            file.seek(self.start)
            for first in range(0, self.rows, self.ROWS):
                part = np.fromfile(file, self.stored, min(self.ROWS, self.rows - first))
                column[first : first + part.size] = part[field]
        return column

    def __len__(self) -> int:
        return self.rows
