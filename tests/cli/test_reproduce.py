"""A product is made again from its record, to the byte; what has changed since is listed, all of it."""

import json

import numpy as np
import pytest
from guide_scene import NAME, reads, write_raw, write_references

from jwrules import cli
from jwrules.cli import again
from jwrules.plan.links import link
from jwrules.references import Chosen, content_hash


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A working directory in which a guide star was calibrated as a rule does it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAST_API_TOKEN", "a-secret-token")
    (tmp_path / "uncal").mkdir()
    gained = np.full((2, 6, 8), 20.0)
    write_raw(tmp_path / "uncal" / f"{NAME}_uncal.fits", reads(gained * 0 + 500, gained + 500))
    given = []
    for kind, path in write_references(tmp_path / "references").items():
        place = tmp_path / link(Chosen(path, path.name, content_hash(path)))
        place.parent.mkdir(parents=True)
        place.symlink_to(path)
        given.append(f"{kind}={place.relative_to(tmp_path)}")
    steps = json.dumps([{"step": step} for step in ("dq_init", "guider_cds", "flat_field")])
    words = ["guider", f"uncal/{NAME}_uncal.fits", "--output", "results", "--steps", steps, "--reference", *given]
    monkeypatch.setattr("sys.argv", ["jwrules", *words, "--record", "f" * 64])
    assert cli.main([*words, "--record", "f" * 64]) == 0
    return tmp_path


def product(run):
    return run / "results" / f"{NAME}_cal.fits"


def test_the_bytes_are_the_same(run, capsys, monkeypatch):
    monkeypatch.chdir("/")
    assert cli.main(["reproduce", str(product(run))]) == 0
    assert f"{NAME}_cal.fits: the same" in capsys.readouterr().out


def test_how_a_product_differs_is_told(run, capsys):
    with product(run).open("r+b") as file:
        file.seek(-1500, 2)
        file.write(b"edited by hand")
    assert cli.main(["reproduce", str(product(run)), "--keep", str(run / "again")]) == 1
    said = capsys.readouterr().out
    assert f"{NAME}_cal.fits: the bytes DIFFER" in said
    assert "made with the same versions" in said
    assert (run / "again" / f"{NAME}_cal.fits").is_file()


def test_everything_that_changed_is_listed_and_nothing_is_made(run, capsys):
    (run / "references" / "jwst_fgs_gain_0001.fits").write_bytes(b"another gain")
    (run / "references" / "jwst_fgs_mask_0001.fits").unlink()
    (run / "uncal" / f"{NAME}_uncal.fits").write_bytes(b"another exposure")
    before = product(run).read_bytes()
    assert cli.main(["reproduce", str(product(run))]) == 2
    said = capsys.readouterr().err
    for words in ("science ", "reference gain ", "reference mask ", " then, holds ", "is not there; it was"):
        assert words in said
    assert product(run).read_bytes() == before


@pytest.mark.parametrize("command", ["jwrules plan x", "jwrules guider 'x", "jwrules guider x", "jwrules --help", ""])
def test_a_record_whose_command_is_not_that_of_its_stage_is_told(run, capsys, command):
    path = run / "results" / f"{NAME}_guider.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"command": command}))
    assert cli.main(["reproduce", str(product(run))]) == 2
    assert f"its record has no command of the stage guider: {command}" in capsys.readouterr().err


def test_the_record_of_a_product_is_looked_for_under_its_name_first(run, monkeypatch):
    monkeypatch.setattr("pathlib.Path.glob", pytest.fail)
    assert again.of(product(run)).record.name == NAME


def test_a_product_without_record_cannot_be_made_again(run, capsys):
    (run / "results" / f"{NAME}_guider.json").unlink()
    assert cli.main(["reproduce", str(product(run))]) == 2
    assert "says how it was made" in capsys.readouterr().err


def test_no_secret_of_the_environment_is_written(run):
    written = [path for path in (run / "results").iterdir() if path.is_file()]
    assert len(written) == 2
    assert not [path for path in written if b"a-secret-token" in path.read_bytes()]
