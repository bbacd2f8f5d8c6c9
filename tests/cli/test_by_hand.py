"""Reference files that a person names for a stage by hand, in place of those that would be chosen."""

import pytest
from program_scene import exposure, program, write_reference

from jwrules import cli

NAME = f"{exposure(1, 'nrca1')}_uncal.fits"

pytestmark = pytest.mark.usefixtures("quiet_afterwards")


@pytest.fixture
def seen(monkeypatch):
    """The workbenches with which the stage is run; nothing is made."""
    seen = []
    monkeypatch.setattr("jwrules.stages.detector1.run", lambda path, bench, *more: seen.append(bench) or [])
    return seen


@pytest.fixture
def run(tmp_path, seen):
    """Run stage 1 of one exposure with reference files given by hand."""
    asked = program(tmp_path)
    words = ["--references", asked.references, "--recipe", str(asked.recipe), "--output", str(tmp_path / "out")]

    def run(**given):
        named = [f"{kind}={path}" for kind, path in given.items()]
        return cli.main(["detector1", str(asked.data / NAME), *words, "--reference", *named])

    return run


def test_a_file_that_is_given_need_not_be_among_the_reference_files(run, seen, tmp_path):
    (tmp_path / "references" / "jwst_nircam_dark_nrca1.fits").unlink()
    own = write_reference(tmp_path, "dark", "nrca1")
    assert run(dark=own) == 0
    assert seen[0].references["dark"] == own


def test_files_for_another_detector_are_refused_all_at_once(run, seen, tmp_path, capsys):
    dark, mask = (write_reference(tmp_path, kind, "nrcalong") for kind in ("dark", "mask"))
    assert (run(dark=dark, mask=mask), seen) == (1, [])
    said = capsys.readouterr().err
    for kind, path in (("dark", dark), ("mask", mask)):
        assert f"--reference {kind}={path}: DETECTOR is NRCALONG, the exposure's NRCA1" in said
    assert "give a file that is for this instrument and detector" in said


def test_of_a_file_for_another_subarray_it_is_told(run, seen, tmp_path, capsys):
    own = write_reference(tmp_path, "dark", "nrca1", SUBARRAY="FULL")
    assert run(dark=own) == 0
    words = f"{NAME}: --reference dark={own}: SUBARRAY is FULL, the exposure's SUB160"
    assert f"warning: {words}" in capsys.readouterr().err.splitlines()


def test_what_an_earlier_exposure_left_may_have_been_seen_through_another_filter(run, seen, tmp_path, capsys):
    filled = write_reference(tmp_path, "trapsfilled", "nrca1", FILTER="F090W")
    assert run(trapsfilled=filled) == 0
    assert "warning" not in capsys.readouterr().err
