"""The run file says what a run was asked."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jwrules.errors import RecipeFault
from jwrules.plan import settings
from jwrules.plan.settings import Settings
from jwrules.references import pins

ASKED = Settings(
    data=Path("/data"),
    references="/references",
    recipe=Path("/mine.yaml"),
    steps={"jump": {"rejection_threshold": 5.0}},
    sets=("resample.pixfrac=0.5",),
)


PINNED = [replace(ASKED, pin=pin) for pin in ("pins.yaml", {"context": "jwst_1464.pmap"})]


@pytest.mark.parametrize("asked", [ASKED, replace(ASKED, recipe=None, steps={}, sets=()), *PINNED])
def test_what_is_written_is_read_back(asked, tmp_path):
    asked.write(tmp_path / "run.yaml")
    assert settings.read(tmp_path / "run.yaml") == asked


def test_exposures_are_excluded_with_a_reason(tmp_path):
    excluding = replace(ASKED, exclude={"jw00042001001_*": "guide star lost"})
    excluding.write(tmp_path / "run.yaml")
    assert settings.read(tmp_path / "run.yaml") == excluding
    with pytest.raises(RecipeFault, match=r"\$\.exclude: expected exposure -> why it is left out"):
        settings.parse({"data": ".", "references": ".", "exclude": {"jw00042001001_*": None}})


@pytest.mark.parametrize("change", [{"data": Path("/x\udcff")}, {"steps": {"tweakreg": {"abs_refcat": "x\udcff"}}}])
def test_a_name_that_cannot_be_read_back_is_not_written(tmp_path, change):
    with pytest.raises(RecipeFault, match=r"udcff.* is no name in UTF-8"):
        replace(ASKED, **change).write(tmp_path / "run.yaml")
    assert not (tmp_path / "run.yaml").exists()


def test_a_run_file_that_says_the_same_is_left_alone(tmp_path):
    path = tmp_path / "run.yaml"
    ASKED.write(path)
    path.chmod(0o444)
    before = path.stat().st_mtime_ns
    ASKED.write(path)
    assert path.stat().st_mtime_ns == before


BY_HAND = """\
# Taken in June.
references: /references   # of June
data: /data
steps:
  jump:
    rejection_threshold: 5e0   # not 4
recipe: /mine.yaml
partial: false
set: [resample.pixfrac=0.5]
"""


def test_a_file_that_a_person_wrote_is_left_alone_where_it_says_the_same(tmp_path):
    (tmp_path / "run.yaml").write_text(BY_HAND)
    ASKED.write(tmp_path / "run.yaml")
    assert (tmp_path / "run.yaml").read_text() == BY_HAND


def test_only_what_changes_is_written_again(tmp_path):
    (tmp_path / "run.yaml").write_text(BY_HAND)
    asked = replace(ASKED, sets=("jump.skip=true",))
    asked.write(tmp_path / "run.yaml")
    changed = BY_HAND.replace("set: [resample.pixfrac=0.5]", "set:\n  - jump.skip=true")
    assert (tmp_path / "run.yaml").read_text() == changed
    assert settings.read(tmp_path / "run.yaml") == asked


def test_what_cannot_be_changed_in_places_is_kept_beside_and_told(tmp_path, caplog):
    text = "{data: /data, references: /references, set: []}   # mine"
    (tmp_path / "run.yaml").write_text(text)
    ASKED.write(tmp_path / "run.yaml")
    assert settings.read(tmp_path / "run.yaml") == ASKED
    assert (tmp_path / "run.yaml.before").read_text() == text
    assert "run.yaml: is written anew, as it was it is" in caplog.text


AMBIGUOUS = {"text": ["1e1", "2026-01-01", "no", "1_0", "0x1", "1:30", "12e45678", "~"], "number": [1e-7, 1e22, 10.0]}


def test_plain_yaml_reads_what_is_written_as_we_do(tmp_path):
    asked = replace(ASKED, steps={"jump": AMBIGUOUS})
    asked.write(tmp_path / "run.yaml")
    assert settings.read(tmp_path / "run.yaml").steps["jump"] == AMBIGUOUS
    assert yaml.full_load((tmp_path / "run.yaml").read_text())["steps"]["jump"] == AMBIGUOUS


def test_what_neither_reads_is_told_with_the_way_out(tmp_path):
    (tmp_path / "run.yaml").write_text("data: /data\nreferences: /r\nexclude: {jw1_*: 2026-02-30}\n")
    with pytest.raises(RecipeFault, match=r"run\.yaml: Snakemake cannot read it: .* in quotes"):
        settings.read(tmp_path / "run.yaml")


def test_every_fault_is_told_at_once_with_the_nearest_key():
    with pytest.raises(RecipeFault) as fault:
        settings.parse({"dta": "/data", "references": 5, "steps": {"jump": 4}, "pin": [1]})
    assert "$.dta: no such key; did you mean 'data'?" in str(fault.value)
    assert "$.data: missing" in str(fault.value)
    assert "$.pin: expected the path of a file, or pins" in str(fault.value)
    assert "$.references: missing, or no text" in str(fault.value)
    assert "$.steps.jump: expected parameter -> value, found 4" in str(fault.value)


@pytest.mark.parametrize("text", ["[", "just words"])
def test_a_file_that_is_no_run_file_is_refused(text, tmp_path):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(RecipeFault, match=r"run\.yaml"):
        settings.read(tmp_path / "run.yaml")


def test_a_run_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RecipeFault, match="there is no such run file"):
        settings.read(tmp_path / "run.yaml")


def test_without_references_the_crds_cache_of_the_environment_is_taken(monkeypatch):
    monkeypatch.setenv("CRDS_PATH", "/cache")
    assert settings.references_or_default(None) == "crds:"


def test_without_references_and_cache_it_says_what_to_give(monkeypatch):
    monkeypatch.delenv("CRDS_PATH", raising=False)
    with pytest.raises(RecipeFault, match="--references R is missing"):
        settings.references_or_default(None)


def test_the_run_file_is_plain_yaml(tmp_path):
    ASKED.write(tmp_path / "run.yaml")
    content = yaml.safe_load((tmp_path / "run.yaml").read_text())
    assert content["steps"] == {"jump": {"rejection_threshold": 5.0}}
    assert content["set"] == ["resample.pixfrac=0.5"]


def test_a_hash_that_yaml_takes_for_a_number_is_told_with_the_way_out(tmp_path):
    (tmp_path / "run.yaml").write_text("data: /d\nreferences: /r\npin: {files: {flat: {my_flat.fits: 3e456789}}}\n")
    with pytest.raises(RecipeFault, match=r"flat: my_flat\.fits: 'inf' is no SHA-256; put one of digits in quotes"):
        pins.read(settings.read(tmp_path / "run.yaml").pin, tmp_path)
