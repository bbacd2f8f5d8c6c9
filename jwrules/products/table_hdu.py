"""A table of a FITS file, made without `astropy.table`, whose import takes longer than most steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.io import fits


class TableHDU(fits.BinTableHDU):
    """A binary table; `astropy.table` is imported only for data that are no array."""

    def __init__(self, data: Any = None, header: Any = None, name: str | None = None, **settings: Any) -> None:
        if isinstance(data, np.ndarray):
            super(fits.BinTableHDU, self).__init__(data, header, name=name, **settings)
        else:
            super().__init__(data, header, name=name, **settings)
