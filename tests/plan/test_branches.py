"""Dark and guide-star exposures have a stage of their own, and no later one."""

import json

import pytest
from program_scene import exposure, header, planned, program, write_guide_stars, write_header

from jwrules.errors import WorkflowFault
from jwrules.plan import STAGES
from jwrules.plan.resources import memory, minutes, size_of

DARK = """\
template: Dark
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_DARK}
stages:
  dark: [dq_init, superbias]
"""
GUIDE_STARS = """\
template: Guide Star
for: {INSTRUME: FGS}
stages:
  guider: [dq_init, guider_cds, flat_field]
"""


@pytest.fixture
def asked(tmp_path):
    """Three darks; science exposures have no recipe here."""
    asked = program(tmp_path, DARK)
    for dither in (7, 8, 9):
        path = asked.data / f"{exposure(dither, 'nrca1')}_uncal.fits"
        write_header(path, header(dither, "nrca1", EXP_TYPE="NRC_DARK"))
    return asked


def test_a_dark_is_a_job_of_the_dark_stage_alone(asked, tmp_path):
    plan = planned(tmp_path, asked)
    assert {stage: len(plan.jobs[stage]) for stage in STAGES if plan.jobs[stage]} == {"dark": 3}
    job = plan.job("dark", exposure(7, "nrca1"))
    assert job.science == (f"uncal/{exposure(7, 'nrca1')}_uncal.fits",)
    assert job.products == [f"results/{exposure(7, 'nrca1')}_dark.fits"]
    assert [call["step"] for call in json.loads(job.steps)] == ["dq_init", "superbias"]
    assert set(job.references) - {"user_supplied_dq"} == {"mask", "superbias"}


def test_a_dark_is_no_picture_of_the_report(asked, tmp_path):
    plan = planned(tmp_path, asked)
    assert plan.targets() == [f"results/{exposure(dither, 'nrca1')}_dark.fits" for dither in (7, 8, 9)]


def test_a_missing_reference_of_a_dark_is_told(asked, tmp_path):
    for path in (tmp_path / "references").glob("*_superbias_*"):
        path.unlink()
    with pytest.raises(WorkflowFault, match="no reference file of type 'superbias'"):
        planned(tmp_path, asked)


def test_science_exposures_are_no_darks(tmp_path):
    plan = planned(tmp_path, program(tmp_path))
    assert not plan.jobs["dark"]
    assert not plan.jobs["guider"]


def test_guide_stars_are_jobs_of_the_guider_stage_alone(tmp_path):
    asked = program(tmp_path, GUIDE_STARS)
    names = write_guide_stars(asked.data, tmp_path / "references")
    plan = planned(tmp_path, asked)
    assert {stage: set(plan.jobs[stage]) for stage in STAGES if plan.jobs[stage]} == {"guider": set(names)}
    assert plan.targets() == [f"results/{name}_cal.fits" for name in sorted(names)]
    assert set(plan.job("guider", names[0]).references) == {"mask", "gain", "readnoise", "flat"}


def test_superstripes_are_as_large_as_their_frames_side_by_side():
    one = {"SUBSIZE1": 208, "SUBSIZE2": 256, "NGROUPS": 3, "NINTS": 40, "INTSTART": 21, "INTEND": 40, "SSTR_NST": 10}
    size = size_of(one)
    assert (size.integrations, size.frame, size.samples) == (2, 2080 * 256, 2 * 3 * 2080 * 256)


@pytest.mark.parametrize(("stage", "bytes_of_sample"), [("dark", 5), ("guider", 5)])
def test_stages_on_ramps_need_more_for_more_groups(stage, bytes_of_sample):
    few, many = ([size_of({"SUBSIZE1": 2048, "SUBSIZE2": 2048, "NGROUPS": n, "NINTS": 1})] for n in (10, 110))
    assert memory(stage, many) - memory(stage, few) == pytest.approx(100 * 4 * bytes_of_sample, abs=1)
    assert minutes(stage, many) - minutes(stage, few) == 25
