"""What is missing from the cache of CRDS is fetched: complete under its name, or not at all."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from crds_scene import CONTEXT, EXPOSURE, GAIN, JUMP, files, serving, write_cache

from jwrules import references
from jwrules.errors import ReferenceFault
from jwrules.references import fetch
from jwrules.references.fetching import Fetching
from jwrules.references.ledger import Ledger
from jwrules.references.server import Server

DARKS = {f"NRCA{n}": f"jwst_nircam_dark_000{n}.fits" for n in (1, 2, 3, 4)}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(fetch, "_PAUSE", 0.0)


@pytest.fixture
def remote(tmp_path):
    """A server with a gain, four darks, and parameters of jump."""
    with serving(write_cache(tmp_path / "remote", {"dark": DARKS})) as server:
        yield server


@pytest.fixture
def local(at, tmp_path):
    (tmp_path / "local").mkdir()
    return at(tmp_path / "local")


@pytest.fixture
def asked(remote, local, tmp_path):
    """A context of the server that was asked for the darks, with everything else in the empty cache."""
    server = Server(remote.url)
    with server.connected():
        server.remember()
        chooser = Fetching(CONTEXT, Ledger(tmp_path / "c.json"), server)
        for detector in DARKS:
            chooser.choose(["dark"], EXPOSURE | {"DETECTOR": detector})
        yield chooser, server


def left(local):
    """Return every file below the cache that is none."""
    return [path.name for path in local.rglob(".*")]


def test_rules_parameters_and_references_come_and_then_no_network_is_needed(remote, local, tmp_path, monkeypatch):
    server = Server(remote.url)
    with server.connected():
        server.remember()
        chooser = Fetching("", Ledger(tmp_path / "c.json"), server)
        assert chooser.choose(["gain", "ipc"], EXPOSURE)["ipc"] is None
        assert chooser.pars(["jump"], EXPOSURE, "detector1")["jump"][0] == {"rejection_threshold": 5.5}
        fetch.fetch(chooser.missing(), server)
    monkeypatch.setattr("urllib.request.urlopen", pytest.fail)
    offline = references.open("crds:", tmp_path / "d.json")
    assert offline.choose(["gain"], EXPOSURE)["gain"].sha256 == references.content_hash(files(remote.folder)[GAIN])
    assert {GAIN, JUMP} <= files(local).keys()
    assert "jwst_nircam_dark_0001.fits" not in files(local)


def test_what_is_there_is_not_fetched_again(asked, remote, local):
    chooser, server = asked
    fetch.fetch(chooser.missing(), server)
    before = list(remote.given)
    fetch.fetch(chooser.missing(), server)
    assert (chooser.missing(), remote.given) == ([], before)


def test_a_file_that_is_cut_short_in_the_cache_is_fetched_anew(asked, remote, local):
    chooser, server = asked
    fetch.fetch(chooser.missing(), server)
    files(local)[DARKS["NRCA2"]].write_bytes(b"half")
    assert [file.name for file in chooser.missing()] == [DARKS["NRCA2"]]
    fetch.fetch(chooser.missing(), server)
    assert files(local)[DARKS["NRCA2"]].read_bytes() == files(remote.folder)[DARKS["NRCA2"]].read_bytes()


@pytest.mark.parametrize(
    ("damage", "says"),
    [(lambda content: content[:-1000], "bytes came of"), (lambda content: content[:-1] + b"?", "SHA-1")],
)
def test_what_is_not_what_the_server_promised_gets_no_name_and_the_others_come(asked, remote, local, damage, says):
    chooser, server = asked
    remote.damage = lambda name, content: damage(content) if name == DARKS["NRCA3"] else content
    with pytest.raises(ReferenceFault, match=rf"{DARKS['NRCA3']} does not come from http(.|\n)*{says}"):
        fetch.fetch(chooser.missing(), server)
    assert files(local).keys() & DARKS.values() == set(DARKS.values()) - {DARKS["NRCA3"]}
    assert remote.given.count(DARKS["NRCA3"]) == 3
    assert left(local) == []


def test_an_attempt_that_fails_is_made_again(asked, remote, local):
    chooser, server = asked
    seen = []

    def once(name, content):
        seen.append(name)
        return content if seen.count(name) > 1 else content[:100]

    remote.damage = once
    fetch.fetch(chooser.missing(), server)
    assert chooser.missing() == []


def test_a_full_disk_is_told_and_nothing_half_written_stays(asked, local, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    chooser, server = asked
    with pytest.raises(ReferenceFault, match=r"the disk is full: there is no room for jwst_nircam_dark_000\d.fits"):
        fetch.fetch(chooser.missing(), server, streams=1)
    assert files(local).keys() & DARKS.values() == set()
    assert left(local) == []


def test_files_for_which_there_is_no_room_are_not_begun(asked, remote, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    chooser, server = asked
    with pytest.raises(ReferenceFault, match=r"are to come, 0\.0 MB are free; nothing was fetched"):
        fetch.fetch(chooser.missing(), server)
    assert not set(remote.given) & set(DARKS.values())


def test_two_fetches_at_once_leave_every_file_whole(asked, remote, local):
    chooser, server = asked
    missing = chooser.missing()
    threads = [threading.Thread(target=fetch.fetch, args=(missing, server)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = files(remote.folder)
    assert all(path.read_bytes() == whole[name].read_bytes() for name, path in files(local).items())
    assert chooser.missing() == []
    assert left(local) == []


def test_a_killed_fetch_leaves_no_file_under_its_name_and_the_next_one_clears_up(local):
    program = (
        "from jwrules.references import fetch, library; from jwrules.references.server import Listed\n"
        f"place = library.place({GAIN!r})\n"
        "def pieces():\n"
        "    yield b'half'\n"
        "    print('half', flush=True); import time; time.sleep(60)\n"
        f"fetch._land(Listed({GAIN!r}, 5760, '', place), pieces())\n"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert (len(left(local)), GAIN in files(local)) == (1, False)
    fetch.sweep()
    assert left(local) == []


def test_what_a_running_fetch_writes_is_not_cleared_up(asked, local):
    part = files(local)[CONTEXT].with_name(f".x.fits.{fetch._OURS}-12345678.part")
    part.touch()
    fetch.sweep()
    assert part.exists()


@pytest.mark.usefixtures("asked")
def test_a_rule_that_the_server_corrected_under_its_name_is_fetched_anew(remote, local, tmp_path, caplog):
    rmap = files(remote.folder)["jwst_nircam_dark_0001.rmap"]
    rmap.write_text(rmap.read_text().replace(DARKS["NRCA1"], DARKS["NRCA2"]))
    again = Server(remote.url)
    with again.connected():
        again.remember()
        corrected = Fetching(CONTEXT, Ledger(tmp_path / "c.json"), again)
        assert corrected.choose(["dark"], EXPOSURE)["dark"].name == DARKS["NRCA2"]
    assert "the server has another file under this name" in caplog.text
    assert files(local)[rmap.name].read_text() == rmap.read_text()


def test_everything_of_an_instrument_is_what_its_rules_name(asked):
    chooser, _ = asked
    chooser.need_all("nircam", ["dark", "gain", "pars-jumpstep", "flat"])
    assert chooser.needed.keys() == {*DARKS.values(), GAIN, JUMP}


def test_a_file_that_the_server_does_not_know_is_told(asked):
    _, server = asked
    with pytest.raises(ReferenceFault, match=r"does not know a file jwst_0007\.pmap"):
        server.listed("jwst_0007.pmap")


def test_files_that_the_server_does_not_know_do_not_keep_others_from_coming(asked):
    chooser, _ = asked
    chooser.needed["jwst_nircam_dark_0009.fits"] = {"dark"}
    assert [file.name for file in chooser.missing()] == sorted(DARKS.values())
    assert "does not know a file jwst_nircam_dark_0009.fits" in chooser.unknown["jwst_nircam_dark_0009.fits"]


def test_a_server_that_does_not_answer_is_told(local):
    server = Server("http://localhost:9")
    with server.connected(), pytest.raises(ReferenceFault, match="http://localhost:9: it does not say what it has"):
        server.remember()
