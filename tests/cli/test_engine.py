"""Snakemake is run as it is asked."""

import re

import pytest

from jwrules.cli import engine
from jwrules.errors import WorkflowFault


@pytest.mark.parametrize("option", ["-n", "-np", "--dry-run", "--dryrun"])
def test_a_dry_run_is_recognised(option):
    assert engine._SILENT.fullmatch(option)


@pytest.mark.parametrize("option", ["--cores", "-c", "--no-hooks", "image3"])
def test_other_options_are_no_dry_run(option):
    assert not engine._SILENT.fullmatch(option)


@pytest.mark.workflow
def test_an_option_that_snakemake_does_not_know_is_told(tmp_path):
    with pytest.raises(WorkflowFault, match="--no-such-option"):
        engine.run(tmp_path, ["--no-such-option"])


def test_a_working_directory_is_made(tmp_path):
    engine.open_up(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()


@pytest.mark.parametrize("name", [".", "results", "logs", "pictures", ".jwrules", ".snakemake"])
def test_a_file_in_place_of_a_folder_is_told(tmp_path, name):
    place = tmp_path / "work" / name
    place.parent.mkdir(exist_ok=True)
    place.touch()
    with pytest.raises(WorkflowFault, match=re.escape(str(place))):
        engine.open_up(tmp_path / "work")


def test_a_read_only_folder_is_told(tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode: path.name != "results")
    with pytest.raises(WorkflowFault, match=r"results: nothing can be written there .* --output"):
        engine.open_up(tmp_path)
