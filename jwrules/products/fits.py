"""Reading and writing of FITS products from the declarations in `kinds`."""

from __future__ import annotations
