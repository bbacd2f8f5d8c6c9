"""Snakemake is run as it is asked."""

import re
from argparse import Namespace

import pytest

from jwrules.cli import engine
from jwrules.errors import WorkflowFault


@pytest.mark.workflow
def test_an_option_that_snakemake_does_not_know_is_told(tmp_path):
    with pytest.raises(WorkflowFault, match="--no-such-option"):
        engine.dry(tmp_path, ["--no-such-option"])


@pytest.mark.workflow
def test_an_option_with_which_snakemake_runs_nothing_is_told(tmp_path):
    with pytest.raises(WorkflowFault, match=r"Snakemake runs nothing with these options: .* --version"):
        engine.dry(tmp_path, ["--version"])


@pytest.mark.parametrize(("said", "told"), [(" \n", "Snakemake does not say why"), ("first\nlast\n", "last")])
def test_a_report_that_was_not_written_is_told(tmp_path, monkeypatch, caplog, said, told):
    monkeypatch.setattr("subprocess.run", lambda *_, **__: Namespace(returncode=1, stderr=said))
    engine.write_report(tmp_path)
    assert caplog.messages == [f"no report was written: {told}"]


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
