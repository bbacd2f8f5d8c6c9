"""Large pieces of a product are turned into what is stored bit by bit: a block is not to be there twice."""

import tracemalloc

import numpy as np
import pytest
from astropy.io import fits

from jwrules.products import in_pieces
from jwrules.products.in_pieces import InPieces

SHAPE = (4, 5, 6, 7)
HALVES = [slice(0, 3), slice(3, 4)]


def written(path, data, dtype):
    """Write an array in two pieces."""
    pieces = InPieces(path, fits.Header(), {"SCI": (fits.Header(), data.shape, dtype)}, [])
    for half in HALVES:
        pieces.put("SCI", data[half], (half, slice(None), slice(None), slice(None)))
    pieces.finish(fits.Header(), fits.Header())
    pieces.close()
    return path


@pytest.mark.parametrize("dtype", ["f4", "u4", "u1"])
@pytest.mark.parametrize("at_once", [1, 200, 800, 2000])
def test_the_file_is_the_same_however_small_the_bits(tmp_path, monkeypatch, dtype, at_once):
    data = np.random.default_rng(1).integers(0, 200, SHAPE).astype(dtype)
    whole = written(tmp_path / "whole.fits", data, dtype)
    monkeypatch.setattr(in_pieces, "AT_ONCE", at_once)
    assert written(tmp_path / "bits.fits", data, dtype).read_bytes() == whole.read_bytes()
    with fits.open(tmp_path / "bits.fits", checksum=True) as hdus:
        assert np.array_equal(hdus["SCI"].data, data)


def test_no_more_is_copied_than_a_bit(tmp_path):
    data = np.zeros((4, 30, 512, 512), np.float32)
    tracemalloc.start()
    written(tmp_path / "large.fits", data, "f4")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert in_pieces.AT_ONCE < peak < 2.5 * in_pieces.AT_ONCE < data.nbytes / 2
