"""A product that is written in pieces is whole, however long its header: the end stands in the last block."""

import numpy as np
import pytest
from astropy.io import fits

from jwrules.products.in_pieces import InPieces


@pytest.mark.parametrize("cards", range(20, 40))
def test_the_end_of_a_header_stands_in_its_last_block(tmp_path, cards):
    header = fits.Header({f"KEY{number}": number for number in range(cards)})
    data = np.arange(12, dtype="f4").reshape(3, 4)
    path = tmp_path / "a.fits"
    pieces = InPieces(path, header, {"SCI": (header, (3, 4), "f4")}, [])
    pieces.put("SCI", data, (slice(0, 3), slice(0, 4)))
    pieces.finish(header, header)
    pieces.close()
    with fits.open(path, checksum=True) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI"]
        assert np.array_equal(hdus["SCI"].data, data)
        assert hdus[0].header[f"KEY{cards - 1}"] == hdus["SCI"].header[f"KEY{cards - 1}"] == cards - 1
