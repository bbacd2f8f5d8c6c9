"""The table of `jwrules plan`."""

import pytest
from program_scene import exposure, planned, program, write_exposures, write_guide_stars

from jwrules import recipes
from jwrules.cli import described, listing
from jwrules.plan import Is, State
from jwrules.plan.details import Details, Option


def table(plan, states):
    details = Details((Option("jump", "rejection_threshold", 5.0, 4.0, "--set"),), {"dark": "the only one of its type"})
    return listing.table(described.described(plan, states, lambda job: details))


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "all", dict)
    asked = program(tmp_path)
    write_exposures(asked.data, dithers=[9], EXP_TYPE="NRC_DARK")
    return planned(tmp_path, asked)


def standing(plan, *due, perhaps=()):
    """How the jobs of a plan stand: these are due, those are perhaps, the others up to date."""
    reasons = dict(due)
    return {
        (job.stage, job.name): State(Is.DUE, reasons[job.name])
        if job.name in reasons
        else State(Is.PERHAPS, "if so")
        if job.stage in perhaps
        else State(Is.UP_TO_DATE)
        for job in plan.all()
    }


def missing(plan):
    return {(job.stage, job.name): State(Is.DUE, "missing") for job in plan.all()}


def test_everything_is_missing_before_the_first_run(plan):
    text = table(plan, missing(plan))
    assert text.endswith("to be made: detector1 8, image2 8, image3 2")


def test_products_of_the_same_making_are_one_group(plan):
    text = table(plan, missing(plan))
    assert text.count("steps       dq_init, dark_current, ramp_fit, gain_scale") == 2


def test_reference_files_are_named_with_their_hash(plan):
    text = table(plan, missing(plan))
    dark = plan.job("detector1", exposure(1, "nrca1")).references["dark"]
    assert f"{dark.name} ({dark.sha256[:8]}): the only one of its type" in text


def test_options_are_told_with_their_default_and_their_origin(plan):
    assert "options     jump.rejection_threshold = 5.0  (default 4.0; --set)" in table(plan, missing(plan))


def test_memory_and_time_are_told_by_group_and_stage(plan):
    text = table(plan, missing(plan))
    job = plan.job("image3", "jw00042-o001_t001_nircam_clear-f200w")
    assert f"cost        {job.mem_mb} MB and about {job.seconds:.0f} s" in text
    assert "image3           2        2        0       0       0" in text


def test_what_is_due_says_why_and_the_others_that_they_are_up_to_date(plan):
    text = table(plan, standing(plan, (exposure(1, "nrca1"), "jump.rejection_threshold 4.0 -> 5.0")))
    assert "detector1: 1 of 8 to be made" in text
    assert "jump.rejection_threshold 4.0 -> 5.0" in text
    assert text.count(": up to date") == 16
    assert text.endswith("to be made: detector1 1, image2 1")


def test_what_is_perhaps_due_says_so(plan):
    text = table(plan, standing(plan, perhaps=["image3"]))
    assert "image3: 0 of 2 to be made, perhaps 2 more" in text
    assert text.endswith("to be made: image3 (perhaps 2 more)")


def test_exposures_without_a_recipe_are_listed_with_the_reason(plan):
    text = table(plan, missing(plan))
    assert "left out: 2 files" in text
    assert "EXP_TYPE is NRC_DARK" in text


def test_a_guide_star_is_listed_with_what_is_made_of_it(tmp_path):
    asked = program(tmp_path, recipe=None)
    names = write_guide_stars(asked.data, tmp_path / "references")
    plan = planned(tmp_path, asked)
    text = table(plan, missing(plan))
    assert "guider: 3 of 3 to be made" in text
    assert f"{names[0]}  uncal -> cal: missing" in text
