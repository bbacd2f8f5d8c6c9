"""A pinned file is taken in place of what the selection would choose, where it is of the type, instrument, detector."""

from dataclasses import replace
from pathlib import Path

import pytest
from crds_scene import CONTEXT, EXPOSURE, write_cache
from program_scene import exposure, header, planned, program, write_header, write_reference

from jwrules import recipes, references
from jwrules.errors import ReferenceFault, WorkflowFault
from jwrules.plan import identity, planfile, settings
from jwrules.plan.details import Teller
from jwrules.plan.workspace import exposures, planner
from jwrules.references import content_hash

JOB = ("detector1", "jw00042001001_02101_00001_nrca1")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A program in whose folder of references a newer dark of NRCA1 would be chosen."""
    monkeypatch.setattr(recipes, "all", dict)
    asked = program(tmp_path)
    newer = write_reference(tmp_path / "more", "dark", "nrca1", USEAFTER="2024-01-01T00:00:00")
    newer.rename(tmp_path / "references" / "newer.fits")
    return asked


def pin(asked, kind, *names):
    folder = Path(asked.references)
    return replace(asked, pin={"files": {kind: {name: content_hash(folder / name)[:12] for name in names}}})


def dark(tmp_path, asked):
    return planned(tmp_path, asked).job(*JOB).references["dark"].name


OLDER, LONG = "jwst_nircam_dark_nrca1.fits", "jwst_nircam_dark_nrcalong.fits"


def test_a_pinned_file_is_taken_whatever_the_selection_would_choose(asked, tmp_path):
    assert dark(tmp_path, asked) == "newer.fits"
    assert dark(tmp_path, pin(asked, "dark", OLDER, LONG)) == OLDER


def test_the_plan_says_that_it_is_pinned_and_in_place_of_what(asked, tmp_path):
    pinned = pin(asked, "dark", OLDER, LONG)
    teller = Teller(planner(pinned, tmp_path, tmp_path), exposures(pinned, tmp_path))
    plan = planned(tmp_path, pinned)
    whys = [
        teller.of(plan.job("detector1", JOB[1].replace("nrca1", name))).why["dark"] for name in ("nrca1", "nrcalong")
    ]
    assert whys == ["pinned, in place of newer.fits", "pinned"]


def test_what_speaks_against_a_pinned_file_is_told(asked, tmp_path):
    flat = write_reference(tmp_path / "more", "flat", "nrca1", FILTER="F090W").rename(tmp_path / "references/own.fits")
    pinned = pin(asked, "flat", flat.name, "jwst_nircam_flat_nrcalong.fits")
    said = planner(pinned, tmp_path, tmp_path).references.explain("flat", header(1, "nrca1"))
    assert said[0] == (
        "own.fits",
        "pinned, in place of jwst_nircam_flat_nrca1.fits; though FILTER is F090W, the exposure's F200W",
    )


def test_the_plan_knows_all_exposures_of_pinned_files_that_are_not_for_them(asked, tmp_path):
    flat = write_reference(tmp_path / "more", "flat", "nrca1", FILTER="F090W").rename(tmp_path / "references/own.fits")
    pinned = pin(asked, "flat", flat.name, "jwst_nircam_flat_nrcalong.fits")
    words = "pinned, in place of jwst_nircam_flat_nrca1.fits; though FILTER is F090W, the exposure's F200W"
    its = [exposure(dither, "nrca1") for dither in (1, 2, 3, 4)]
    assert planned(tmp_path, pinned).unfit == {f"reference file flat own.fits: {words}": its}
    assert planned(tmp_path, pin(asked, "dark", OLDER, LONG)).unfit == {}


def test_what_is_said_of_a_pinned_file_is_in_no_key(asked, tmp_path):
    job = planned(tmp_path, asked).job(*JOB)
    assert identity.of(replace(job, against={"dark": "pinned"}), "") == identity.of(job, "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (LONG, "no pinned file of type 'dark' is for NIRCAM NRCA1:\n.*DETECTOR is NRCALONG, the exposure's NRCA1"),
        ("jwst_nircam_gain_nrca1.fits", "pinned as 'dark' is .*gain_nrca1.fits, which is of type 'gain'"),
        ("miri.fits", "INSTRUME is MIRI, the exposure's NIRCAM"),
    ],
)
def test_another_type_instrument_or_detector_is_refused(asked, tmp_path, name, words):
    write_reference(tmp_path / "more", "dark", "nrca1", INSTRUME="MIRI").rename(tmp_path / "references/miri.fits")
    with pytest.raises(WorkflowFault, match=words):
        planned(tmp_path, pin(asked, "dark", name))


def test_two_pinned_files_that_are_as_good_are_refused(asked, tmp_path):
    other = tmp_path / "references" / "other.fits"
    write_reference(tmp_path / "more", "dark", "nrca1", DESCRIP="other").rename(other)
    with pytest.raises(WorkflowFault, match=f"{OLDER} and other.fits are pinned, and equally good for NIRCAM NRCA1"):
        planned(tmp_path, pin(asked, "dark", OLDER, "other.fits", LONG))


def test_of_two_files_of_one_name_that_with_the_pinned_content_is_taken(asked, tmp_path):
    pinned = pin(asked, "dark", OLDER, LONG)
    write_reference(tmp_path / "references" / "later", "dark", "nrca1", USEAFTER="2025-01-01T00:00:00")
    chosen = [planned(tmp_path, one).job(*JOB).references["dark"].path.parent.name for one in (asked, pinned)]
    assert chosen == ["later", "references"]


def test_a_pinned_file_that_is_not_there_is_told(asked, tmp_path):
    pinned = replace(asked, pin={"files": {"dark": {"gone.fits": "3c" * 8}}})
    with pytest.raises(
        WorkflowFault, match=r"gone\.fits, pinned as 'dark', is not in .*; put it there, or change `pin`"
    ):
        planned(tmp_path, pinned)


def test_a_pinned_file_with_another_content_is_refused(asked, tmp_path):
    pinned = pin(asked, "dark", OLDER, LONG)
    write_reference(tmp_path / "references", "dark", "nrca1", DESCRIP="another")
    with pytest.raises(ReferenceFault, match=f"dark: .*{OLDER} was changed in place"):
        planned(tmp_path, pinned)


def test_a_plan_file_keeps_to_the_files_that_it_names(asked, tmp_path):
    planfile.write(planned(tmp_path, asked), asked, tmp_path / "plan.yaml")
    newest = write_reference(tmp_path / "more", "dark", "nrca1", USEAFTER="2025-01-01T00:00:00")
    newest.rename(tmp_path / "references" / "newest.fits")
    assert dark(tmp_path, asked) == "newest.fits"
    assert dark(tmp_path, settings.read_plan(tmp_path / "plan.yaml")) == "newer.fits"


def test_a_pinned_file_of_a_cache_is_taken_that_the_context_does_not_know(tmp_path, at):
    at(write_cache(tmp_path / "cache"))
    own = tmp_path / "cache/references/jwst/nircam/jwst_nircam_gain_0777.fits"
    write_header(own, {"REFTYPE": "GAIN", "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1"})
    chooser = references.open(f"crds:{CONTEXT}", tmp_path / "known.json")
    chooser.pinned = {"gain": {own.name: content_hash(own)}, "ipc": {"jwst_nircam_ipc_0001.fits": "3c" * 8}}
    assert chooser.choose(["gain", "ipc"], EXPOSURE)["gain"].path == own
    assert chooser.choose(["gain", "ipc"], EXPOSURE)["ipc"] is None
    assert chooser.explain("gain", EXPOSURE)[0] == (own.name, "pinned, in place of jwst_nircam_gain_0001.fits")
