"""The table of `jwrules plan`."""

import pytest
from program_scene import exposure, planned, program, write_exposures, write_guide_stars

from jwrules import recipes
from jwrules.cli import listing
from jwrules.plan import Is, State


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
    text = listing.table(plan, missing(plan))
    assert text.endswith("to be made: detector1 8, image2 8, image3 2")


def test_products_of_the_same_making_are_one_group(plan):
    text = listing.table(plan, missing(plan))
    assert text.count("steps       dq_init, dark_current, ramp_fit, gain_scale") == 2


def test_reference_files_are_named_with_their_hash(plan):
    text = listing.table(plan, missing(plan))
    dark = plan.job("detector1", exposure(1, "nrca1")).references["dark"]
    assert f"{dark.name} ({dark.sha256[:8]})" in text


def test_what_is_due_says_why_and_the_others_that_they_are_up_to_date(plan):
    text = listing.table(plan, standing(plan, (exposure(1, "nrca1"), "jump.rejection_threshold 4.0 -> 5.0")))
    assert "detector1: 1 of 8 to be made" in text
    assert "jump.rejection_threshold 4.0 -> 5.0" in text
    assert text.count(": up to date") == 16
    assert text.endswith("to be made: detector1 1, image2 1")


def test_what_is_perhaps_due_says_so(plan):
    text = listing.table(plan, standing(plan, perhaps=["image3"]))
    assert "image3: 0 of 2 to be made, perhaps 2 more" in text
    assert text.endswith("to be made: image3 (perhaps 2 more)")


def test_exposures_without_a_recipe_are_listed_with_the_reason(plan):
    text = listing.table(plan, missing(plan))
    assert "left out: 2 files" in text
    assert "EXP_TYPE is NRC_DARK" in text


def test_a_guide_star_is_listed_with_what_is_made_of_it(tmp_path):
    asked = program(tmp_path, recipe=None)
    names = write_guide_stars(asked.data, tmp_path / "references")
    plan = planned(tmp_path, asked)
    text = listing.table(plan, missing(plan))
    assert "guider: 3 of 3 to be made" in text
    assert f"{names[0]}  uncal -> cal: missing" in text
