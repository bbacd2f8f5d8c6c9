"""Raw exposures that no job could read are refused before anything runs, all at once."""

import os

import pytest
from program_scene import exposure, header, planned, program, write_header

from jwrules import headers
from jwrules.errors import WorkflowFault
from jwrules.plan import ramps


def raw(folder, dither=1, **changes):
    return write_header(folder / f"{exposure(dither, 'nrca1')}_uncal.fits", header(dither, "nrca1", **changes))


def inspect(path, **changes):
    """Inspect a file as if its primary header said something else."""
    ramps.inspect(path, header(1, "nrca1", **changes), headers.complete(path))


def refused(path, **changes):
    with pytest.raises(Exception, match=path.name) as fault:
        inspect(path, **changes)
    return str(fault.value)


def test_a_sound_exposure_passes(tmp_path):
    assert ramps.read(raw(tmp_path)) == headers.read(raw(tmp_path))


def test_a_truncated_exposure_is_refused_with_its_sizes(tmp_path):
    path = raw(tmp_path)
    os.truncate(path, path.stat().st_size - 2880)
    assert "truncated: HDU 1 (SCI" in refused(path)


def test_an_exposure_without_its_array_is_refused(tmp_path):
    path = raw(tmp_path)
    os.truncate(path, path.read_bytes().index(b"XTENSION"))
    assert "there is no extension 'SCI'; it has PRIMARY" in refused(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"NGROUPS": 9}, "NGROUPS promises 9, but SCI holds 5 (NAXIS3)"),
        ({"NINTS": 2}, "NINTS promises 2, but SCI holds 1 (NAXIS4)"),
        ({"EXSEGTOT": 3, "NINTS": 9, "INTSTART": 4, "INTEND": 6}, "NINTS promises 3, but SCI holds 1 (NAXIS4)"),
    ],
)
def test_another_number_than_promised_is_refused(tmp_path, changes, words):
    assert words in refused(raw(tmp_path), **changes)


def test_a_segment_holds_its_own_integrations_only(tmp_path):
    path = raw(tmp_path, NINTS=3)
    inspect(path, EXSEGTOT=3, NINTS=9, INTSTART=4, INTEND=6)


def test_the_arrays_of_guide_stars_are_not_counted(tmp_path):
    inspect(raw(tmp_path), EXP_TYPE="FGS_FINEGUIDE", NGROUPS=9)


def test_faults_of_headers_and_of_arrays_are_told_at_once(tmp_path):
    asked = program(tmp_path)
    short = asked.data / f"{exposure(2, 'nrca1')}_uncal.fits"
    os.truncate(short, short.stat().st_size - 2880)
    raw(asked.data, dither=3, FILTER="F999X")
    with pytest.raises(WorkflowFault) as fault:
        planned(tmp_path, asked)
    assert "truncated" in str(fault.value)
    assert "F999X" in str(fault.value)
    assert len(str(fault.value).splitlines()) == 4


def test_a_file_that_was_mended_is_looked_at_again(tmp_path):
    asked = program(tmp_path)
    path = raw(asked.data)
    whole = path.read_bytes()
    path.write_bytes(whole[:-2880])
    with pytest.raises(WorkflowFault, match="truncated"):
        planned(tmp_path, asked)
    path.write_bytes(whole)
    assert exposure(1, "nrca1") in planned(tmp_path, asked).jobs["detector1"]
