"""A file is there whole or not at all."""

import pytest

from jwrules import whole


def test_text_and_bytes_are_written_as_they_are_into_folders_that_are_made(tmp_path):
    whole.write(tmp_path / "a" / "text", "é\r\n")
    whole.write(tmp_path / "a" / "bytes", b"\x00")
    assert [(tmp_path / "a" / name).read_bytes() for name in ("text", "bytes")] == [b"\xc3\xa9\r\n", b"\x00"]


def test_what_fails_leaves_the_file_before_and_nothing_else(tmp_path):
    whole.write(tmp_path / "file", "before")
    with pytest.raises(ValueError, match="half"), whole.beside(tmp_path / "file") as fresh:
        fresh.write_text("half")
        raise ValueError("half")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file": "before"}


def test_two_that_write_one_file_have_names_of_their_own_and_the_last_stands(tmp_path):
    with whole.beside(tmp_path / "file") as first:
        first.write_text("first")
        with whole.beside(tmp_path / "file") as second:
            second.write_text("second")
        assert (tmp_path / "file").read_text() == "second"
    assert (tmp_path / "file").read_text() == "first"


def test_a_link_takes_the_place_of_another(tmp_path):
    for target in ("here", "there"):
        with whole.beside(tmp_path / "link") as fresh:
            fresh.symlink_to(target)
    assert str((tmp_path / "link").readlink()) == "there"


def test_while_it_is_made_it_is_hidden(tmp_path):
    with whole.beside(tmp_path / "file") as fresh:
        assert (fresh.parent, fresh.name[:6]) == (tmp_path, ".file.")
        fresh.touch()
