"""A working directory may come from anybody: what it keeps is read, and runs nothing."""

import os
import pickle
from pathlib import Path

import pytest

from jwrules import kept
from jwrules.errors import WorkflowFault
from jwrules.plan import remembered, waves
from jwrules.pool.cache import Known as Headers
from jwrules.records.known import Known as Records


class Evil:
    """Makes a file when it is unpickled in the usual way."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_plain_values_and_classes_that_are_named_come_back(tmp_path):
    content = {"a": (1, None, "x", frozenset([2]), [Path("y")])}
    kept.save(tmp_path / "file", content)
    assert kept.load(tmp_path / "file", [type(Path())]) == content
    assert kept.load(tmp_path / "file") is None
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_is_run(tmp_path):
    (tmp_path / "file").write_bytes(pickle.dumps(Evil(tmp_path / "made")))
    assert remembered._load(tmp_path / "file") is None
    assert Headers.load(tmp_path / "file").before == Records.load(tmp_path / "file").before == {}
    with pytest.raises(WorkflowFault, match="there is no plan of a wave in it"):
        waves.read(tmp_path / "file")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("content", [[1], 5, {"a": 1}, {"a": (1, 2)}, {"layout": 3, "headers": {"a": 5}}, ("a", [], 5)])
def test_what_is_something_else_is_begun_anew(tmp_path, content):
    (tmp_path / "file").write_bytes(pickle.dumps(content))
    assert remembered._load(tmp_path / "file") is None
    assert Headers.load(tmp_path / "file").before == Records.load(tmp_path / "file").before == {}


@pytest.mark.parametrize(
    "text", [b"h\x05.", b"j\x05\0\0\0.", b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f", b"c\n\n."]
)
def test_damage_of_any_kind_is_begun_anew(tmp_path, text):
    (tmp_path / "file").write_bytes(text)
    assert kept.load(tmp_path / "file") is None
