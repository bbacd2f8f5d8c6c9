"""Small jobs share a process: each has its log, and one that fails stops no other."""

import json

import pytest

from jwrules import cli


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Return what runs a batch of `jwrules steps NAME`, and gives its status and logs."""
    monkeypatch.chdir(tmp_path)

    def run(*names):
        jobs = [{"log": f"logs/{name}.log", "words": ["detector1", f"{name}_uncal.fits", *OPTIONS]} for name in names]
        (tmp_path / "batch.json").write_text(json.dumps(jobs))
        status = cli.main(["batch", "batch.json", "--threads", "1", "--memory", "900M"])
        return status, {path.stem: path.read_text() for path in (tmp_path / "logs").iterdir()}

    return run


OPTIONS = ["--output", "out", "--steps", "[]", "--record", "id"]


def test_one_that_fails_is_told_in_its_log_and_stops_no_other(listed, capsys):
    status, logs = listed("a", "b")
    assert status == 1
    assert logs.keys() == {"a", "b"}
    for name, text in logs.items():
        assert text.startswith(f"jwrules detector1 {name}_uncal.fits --output out")
        assert "\njwrules detector1: " in text
    assert "2 jobs failed: a, b" in capsys.readouterr().err


def test_a_batch_that_is_none_is_told(tmp_path, capsys):
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "y.json").write_text('[{"log": "x"}]')
    assert cli.main(["batch", str(tmp_path / "y.json")]) == 1
    assert "is no list of jobs, each with 'log' and 'words'" in capsys.readouterr().err
