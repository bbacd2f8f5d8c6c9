"""Flags that are kept packed come back as they were put, wherever they lie."""

import tracemalloc

import numpy as np
import pytest

from jwrules.errors import DataFault
from jwrules.products import rooms

SHAPE = (3, 4, 6, 50)


def flags(seed, shape=SHAPE):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < 0.1, rng.integers(1, 255, shape), 0).astype("u1")


def everywhere(room):
    return room.read(tuple(slice(0, size) for size in SHAPE))


@pytest.mark.parametrize("at_once", [100, 2**20])
@pytest.mark.parametrize("log", [0, 700, 2**20])
def test_pieces_come_back(monkeypatch, log, at_once, tmp_path):
    monkeypatch.setattr(rooms.Packed, "LOG", log)
    monkeypatch.setattr(rooms, "AT_ONCE", at_once)  # fewer bytes than a row of flags needs, or more than all do
    room, expected = rooms.Packed(SHAPE, tmp_path), flags(1)
    for first in (0, 2, 4):
        box = (slice(0, 3), slice(None), slice(first, first + 2), slice(0, 50))
        room.write(box, expected[box])
    np.testing.assert_array_equal(everywhere(room), expected)
    before, again = room.as_it_is(), flags(2)
    for columns in (slice(0, 20), slice(20, 50)):
        box = (slice(1, 3), slice(None), slice(1, 4), columns)
        room.write(box, again[box])
    changed = expected.copy()
    changed[1:3, :, 1:4] = again[1:3, :, 1:4]
    np.testing.assert_array_equal(everywhere(room), changed)
    np.testing.assert_array_equal(everywhere(before), expected)
    box = (slice(2, 3), slice(None), slice(3, 5), slice(15, 30))
    np.testing.assert_array_equal(room.read(box), changed[box])
    piece = np.full((1, 4, 2, 15), 9, "u1")
    assert room.read(box, piece) is piece
    np.testing.assert_array_equal(piece, changed[box])
    room.close()
    assert not list(tmp_path.iterdir())


def test_many_integrations_take_no_more_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(rooms.Packed, "LOG", 2**16)
    shape = (400, 4, 8, 500)
    piece = flags(3, (1, *shape[1:]))
    peaks = {}
    for nints in (40, 400):
        tracemalloc.start()
        room = rooms.Packed((nints, *shape[1:]), tmp_path)
        for i in range(nints):
            room.write((slice(i, i + 1), slice(None), slice(0, 8), slice(0, 500)), piece)
        peaks[nints] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        room.close()
    packed = 3 * np.count_nonzero(piece)
    assert 400 * packed > 10 * 2**16
    assert peaks[400] < peaks[40] + 2**16


def test_a_full_disk_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(rooms.Packed, "LOG", 0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rooms, "write_from", full)
    room = rooms.Packed(SHAPE, tmp_path)
    with pytest.raises(DataFault, match=r"cannot be kept there \(No space left on device\)"):
        room.write((slice(0, 1), slice(None), slice(0, 6), slice(0, 50)), flags(1)[:1])
    room.close()
