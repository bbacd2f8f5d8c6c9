"""Lines of files: which ones a piece of an array is, and reading and writing them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from jwrules.errors import DataFault
from jwrules.products import lines

WHOLE = np.arange(2 * 3 * 4 * 5, dtype="u1").reshape(2, 3, 4, 5)
BOXES = [
    (slice(None),) * 4,
    (slice(1, 2), slice(0, 2), slice(1, 3), slice(None)),
    (slice(0, 2), slice(2, 3), slice(0, 4), slice(1, 4)),
    (slice(3, 4), slice(4, 5)),
]


@pytest.fixture
def file(tmp_path):
    """An open file that holds the array, and its path."""
    path = tmp_path / "array"
    path.write_bytes(WHOLE.tobytes())
    number = os.open(path, os.O_RDWR)
    yield number, path
    os.close(number)


def full(box):
    return (slice(None),) * (4 - len(box)) + box


@pytest.mark.parametrize("box", BOXES)
def test_the_lines_of_a_piece_are_the_piece(file, box):
    starts, length = lines.places(box, WHOLE.shape)
    found = np.zeros((len(starts), length), "u1")
    lines.read(file[0], starts, found, file[1])
    assert np.array_equal(found.ravel(), WHOLE[full(box)].ravel())


@pytest.mark.parametrize("box", BOXES)
def test_only_the_lines_of_a_piece_are_written(file, box):
    expected = WHOLE.copy()
    expected[full(box)] = 200
    starts, length = lines.places(box, WHOLE.shape)
    lines.write(file[0], starts, np.full((len(starts), length), 200, "u1"))
    assert file[1].read_bytes() == expected.tobytes()


def test_rows_that_are_whole_make_one_line():
    starts, length = lines.places((slice(0, 1), slice(2, 3), slice(1, 3), slice(0, 5)), WHOLE.shape)
    assert (starts.tolist(), length) == ([45], 10)


def test_a_row_alone_is_an_array_too():
    starts, length = lines.places((slice(2, 5),), (7,))
    assert (starts.tolist(), length) == ([2], 3)


def test_a_file_that_ends_too_early_is_told(file):
    os.truncate(file[1], 100)
    found = np.zeros((2, 15), "u1")
    with pytest.raises(DataFault, match=r"array: ends too early \(at byte 100\)"):
        lines.read(file[0], np.array([0, 90]), found, file[1])
    assert np.array_equal(found[0], np.arange(15))


def test_a_file_that_is_closed_is_told(tmp_path):
    with pytest.raises(OSError, match="Bad file descriptor"):
        lines.read(999, np.array([0]), np.zeros((1, 4), "u1"), tmp_path)
