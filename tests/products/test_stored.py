"""Pieces of arrays in files are what astropy reads of them, however far apart their rows lie."""

import numpy as np
import pytest
from astropy.io import fits

from jwrules.products import stored

WIDE = 2 * stored.BETWEEN
BOXES = {
    "whole": (slice(0, 2), slice(0, 3), slice(0, 5)),
    "whole rows": (slice(0, 2), slice(1, 3), slice(1, 4)),
    "narrow": (slice(0, 2), slice(0, 2), slice(1, 5), slice(7, 30)),
    "the last pixels": (slice(1, 2), slice(2, 3), slice(3, 5), slice(-9, None)),
    "a row": (slice(0, 1), slice(0, 1), slice(2, 3), slice(3, 4)),
}


@pytest.mark.parametrize("at_once", [1, 300, 1 << 20])
@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize(("dtype", "width"), [("u2", 40), ("u2", WIDE), ("f4", 50), ("f4", WIDE), ("u4", 40)])
def test_pieces_are_what_the_file_holds(monkeypatch, tmp_path, dtype, width, box, at_once):
    monkeypatch.setattr(stored, "AT_ONCE", at_once)
    values = np.random.default_rng(5).integers(0, 60000, (2, 3, 5, width)).astype(dtype)
    path = tmp_path / "values.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(values)]).writeto(path)  # nothing follows: rows end with the file
    with fits.open(path) as hdus:
        array = stored.stored(path, hdus[1])
    found = array.read(BOXES[box], np.float32)
    np.testing.assert_array_equal(found, values[(..., *BOXES[box])].astype(np.float32))
    parts = np.concatenate([raw.astype("f8").ravel() for raw, _ in array.parts(BOXES[box])])
    assert parts.size == found.size
    assert parts.sum() + array.zero * parts.size == values[(..., *BOXES[box])].sum(dtype="f8")
