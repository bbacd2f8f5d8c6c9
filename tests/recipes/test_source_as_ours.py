"""What Snakemake read from a run file is read as we do: numbers such as 1e1, texts such as 2026-01-01."""

import pytest
import yaml

from jwrules.errors import RecipeFault
from jwrules.recipes import source

TEXT = "steps: {jump: {rejection_threshold: 1e1, by: 2026-01-01, skip: no}}\nset: [a]\n"


@pytest.fixture
def run_file(tmp_path):
    (tmp_path / "run.yaml").write_text(TEXT)
    return tmp_path / "run.yaml"


def test_numbers_and_dates_are_ours(run_file):
    said = source.as_ours(yaml.full_load(TEXT), [run_file])
    assert said == {"steps": {"jump": {"rejection_threshold": 10.0, "by": "2026-01-01", "skip": False}}, "set": ["a"]}


def test_what_stands_above_the_file_stays(run_file):
    theirs = yaml.full_load(TEXT)
    theirs["steps"]["jump"]["rejection_threshold"], theirs["set"] = "1e2", ["b"]
    said = source.as_ours(theirs, [run_file])
    assert said == {"steps": {"jump": {"rejection_threshold": "1e2", "by": "2026-01-01", "skip": False}}, "set": ["b"]}


def test_of_several_files_the_last_decides_key_by_key(run_file, tmp_path):
    (tmp_path / "more.yaml").write_text("steps: {jump: {rejection_threshold: 2e1}}\n")
    theirs = yaml.full_load(TEXT)
    theirs["steps"]["jump"]["rejection_threshold"] = "2e1"
    jump = source.as_ours(theirs, [run_file, tmp_path / "more.yaml"])["steps"]["jump"]
    assert jump == {"rejection_threshold": 20.0, "by": "2026-01-01", "skip": False}


def test_a_key_that_stands_twice_is_refused(run_file):
    run_file.write_text("set: [a]\nset: [b]\n")
    with pytest.raises(RecipeFault, match="'set' stands twice, on lines 1 and 2"):
        source.as_ours({"set": ["b"]}, [run_file])
