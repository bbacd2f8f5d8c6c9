"""The ledger: what was learnt of a file holds until anything about the file says that it changed."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from jwrules import unchanged
from jwrules.references.ledger import Ledger, content_hash

pytestmark = pytest.mark.usefixtures("settled")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "dark.fits"
    path.write_text("dark")
    return path


@pytest.fixture
def hashed(file, tmp_path):
    """Return the hash of the file from a new ledger each time, and how often the file was read so far."""
    reads = []

    def read(path):
        reads.append(path)
        return content_hash(path)

    def hashed():
        ledger = Ledger(tmp_path / "c.json")
        found = ledger.fact("sha256", file, read)
        ledger.save()
        return found, len(reads)

    return hashed


def test_a_file_is_read_once(hashed, file):
    assert [hashed(), hashed()] == [(content_hash(file), 1)] * 2


def test_a_change_that_keeps_size_and_time_is_noticed(hashed, file):
    _, stat = hashed(), file.stat()
    time.sleep(0.01)
    file.write_text("dusk")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert hashed() == (content_hash(file), 2)


def test_a_file_that_took_the_place_of_another_with_its_size_and_time_is_noticed(hashed, file, tmp_path):
    hashed()
    other = tmp_path / "other"
    other.write_text("dusk")
    shutil.copystat(file, other)
    other.replace(file)
    assert hashed() == (content_hash(other.parent / "dark.fits"), 2)


def test_a_touched_file_is_read_once_more_and_is_the_same(hashed, file):
    before, _ = hashed()
    os.utime(file, (1, 1))
    assert [hashed(), hashed()] == [(before, 2)] * 2


def test_a_file_that_changed_a_moment_ago_is_looked_at_again(hashed, monkeypatch):
    for name in ("SETTLED", "FINE"):
        monkeypatch.setattr(unchanged, name, 10**12)
    assert [hashed()[1], hashed()[1]] == [1, 2]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1, "files": {}, "answers": {}}'])
def test_one_that_cannot_be_used_is_begun_anew(tmp_path, content):
    (tmp_path / "c.json").write_text(content)
    ledger = Ledger(tmp_path / "c.json")
    assert ledger.answer("why", lambda: "so") == "so"
    ledger.save()
    assert json.loads((tmp_path / "c.json").read_text())["version"] == 2


def test_what_two_learn_at_once_is_kept_of_both(tmp_path):
    one, other = Ledger(tmp_path / "c.json"), Ledger(tmp_path / "c.json")
    one.answer("one", lambda: 1)
    other.answer("other", lambda: 2)
    one.save()
    other.save()
    third = Ledger(tmp_path / "c.json")
    assert [third.answer(name, pytest.fail) for name in ("one", "other")] == [1, 2]


def test_nothing_new_is_not_written(tmp_path):
    Ledger(tmp_path / "c.json").save()
    assert not (tmp_path / "c.json").exists()


def test_many_processes_that_save_leave_a_whole_ledger_and_nothing_else(tmp_path):
    program = (
        "import sys, pathlib; from jwrules.references.ledger import Ledger\n"
        "for n in range(20):\n"
        f"    ledger = Ledger(pathlib.Path({str(tmp_path / 'c.json')!r}))\n"
        "    ledger.answer([sys.argv[1], n], lambda: 'x' * 1000); ledger.save()\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", program, str(n)]) for n in range(3)]
    whole = 0
    while any(writer.poll() is None for writer in writers):
        whole += bool(not (tmp_path / "c.json").exists() or json.loads((tmp_path / "c.json").read_text()))
    assert whole
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]


def test_what_was_last_seen_under_a_name_is_told(tmp_path):
    ledger = Ledger(tmp_path / "c.json")
    assert (ledger.seen("x.rmap", "a"), ledger.seen("x.rmap", "b")) == ("", "a")
    ledger.save()
    assert Ledger(tmp_path / "c.json").seen("x.rmap", "b") == "b"
