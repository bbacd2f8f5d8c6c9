"""A plan file is made exactly: it can be edited and kept, and what is not as it says is refused."""

from dataclasses import replace
from pathlib import Path

import pretend
import pytest
import yaml
from program_scene import exposure, header, planned, program, write_exposures, write_header, write_reference

from jwrules.errors import RecipeFault, ReferenceFault, WorkflowFault
from jwrules.plan import planfile, settings

FIRST = exposure(1, "nrca1")
SHORT = "jw00042-o001_t002_nircam_clear-f200w"
LONG = "jw00042-o001_t002_nircam_clear-f444w"


@pytest.fixture
def written(tmp_path):
    """A program with a background, an exposure left out and one without recipe; what was asked, and the plan file."""
    asked = program(tmp_path)
    for dither in (5, 6):
        name = exposure(dither, "nrca1", observation=1)
        write_header(asked.data / f"{name}_uncal.fits", header(dither, "nrca1", TARGPROP="BLANK", BKGDTARG=True))
    write_exposures(asked.data, dithers=[9], EXP_TYPE="NRC_DARK")
    asked = replace(asked, sets=("resample.pixfrac=0.5",), exclude={exposure(4, "nrca1"): "satellite trail"})
    path = tmp_path / "plan.yaml"
    planfile.write(planned(tmp_path, asked), asked, path)
    return asked, path


def edited(path, change):
    """Return what a plan file asks after an edit."""
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return settings.read_plan(path)


def entry(content, product):
    return next(one for one in content["associations"] if one["product"] == product)


def identities(plan):
    return {(job.stage, job.name): job.identity for job in plan.all()}


def test_the_plan_of_a_plan_file_is_the_plan_that_it_was_written_from(written, tmp_path):
    asked, path = written
    again = planned(tmp_path, settings.read_plan(path))
    before = planned(tmp_path, asked)
    assert identities(again) == identities(before)
    assert again.associations == before.associations
    assert {Path(one.path).name for one in again.left_out} == {Path(one.path).name for one in before.left_out}


def test_what_it_asks_is_a_run_file(written, tmp_path):
    asked = settings.read_plan(written[1])
    asked.write(tmp_path / "run.yaml")
    assert settings.read(tmp_path / "run.yaml") == asked


def test_the_data_of_a_plan_file_may_move_with_it(written, tmp_path):
    assert yaml.safe_load(written[1].read_text())["data"] == "uncal"


def test_a_new_exposure_is_not_taken_and_changes_nothing(written, tmp_path):
    asked, path = written
    before = identities(planned(tmp_path, asked))
    new = exposure(7, "nrca1")
    write_header(asked.data / f"{new}_uncal.fits", header(7, "nrca1", TARGPROP="A NEW TARGET"))
    plan = planned(tmp_path, settings.read_plan(path))
    assert identities(plan) == before
    assert [Path(one.path).name for one in plan.left_out if one.reason == planfile.NOT_LISTED] == [f"{new}_uncal.fits"]


def test_an_exposure_that_is_gone_is_refused(written, tmp_path):
    asked, path = written
    (asked.data / f"{FIRST}_uncal.fits").unlink()
    with pytest.raises(WorkflowFault, match=f"{FIRST}: is in the plan file, and not in"):
        planned(tmp_path, settings.read_plan(path))


def test_a_reference_file_with_another_content_is_refused(written, tmp_path):
    asked, path = written
    write_reference(Path(asked.references), "dark", "nrca1", DESCRIP="another")
    with pytest.raises(ReferenceFault, match=r"dark: .*jwst_nircam_dark_nrca1.fits was changed in place"):
        planned(tmp_path, settings.read_plan(path))


def test_an_exposure_that_is_excluded_later_leaves_its_product(written, tmp_path):
    asked = edited(written[1], lambda content: content["exclude"].update({FIRST: "guide star lost"}))
    job = planned(tmp_path, asked).job("image3", SHORT)
    assert [Path(path).name for path in job.science] == [f"{exposure(dither, 'nrca1')}_cal.fits" for dither in (2, 3)]


def test_a_member_or_a_product_that_is_deleted_is_not_made(written, tmp_path):
    def change(content):
        entry(content, SHORT)["members"]["science"].remove(f"{FIRST}_cal.fits")
        content["associations"].remove(entry(content, LONG))
        content["associations"].remove(entry(content, FIRST))

    plan = planned(tmp_path, edited(written[1], change))
    assert list(plan.jobs["image3"]) == [SHORT]
    assert len(plan.job("image3", SHORT).science) == 2
    assert plan.job("image2", FIRST).background == ()
    assert plan.job("image2", exposure(2, "nrca1")).background != ()


def test_a_product_of_ones_own_is_made(written, tmp_path):
    def change(content):
        members = {"science": [f"{exposure(dither, 'nrca1')}_cal.fits" for dither in (1, 2)]}
        content["associations"].append({"product": "pair", "type": "image3", "candidate": "o001", "members": members})

    plan = planned(tmp_path, edited(written[1], change))
    files = [job.association for job in plan.jobs["image3"].values()]
    assert len(plan.jobs["image3"]["pair"].science) == 2
    assert len(set(files)) == len(files) == 3


def test_members_that_nobody_makes_are_refused(written, tmp_path):
    asked = edited(written[1], lambda content: entry(content, SHORT)["members"]["science"].append("other_cal.fits"))
    with pytest.raises(WorkflowFault, match=r"other_cal.fits, which is of no listed exposure"):
        planned(tmp_path, asked)


def test_another_recipe_than_that_of_the_header_is_refused(written, tmp_path):
    asked = edited(written[1], lambda content: content["exposures"].update({FIRST: "miri_imaging"}))
    with pytest.raises(WorkflowFault, match="the plan file says recipe miri_imaging, by its header it goes by short"):
        planned(tmp_path, asked)


def test_everything_that_is_wrong_with_a_plan_file_is_said(written):
    def change(content):
        content["exposures"] = ["a"]
        content["associations"][0]["members"]["sience"] = []
        content["associations"][1]["prodct"] = "x"

    with pytest.raises(RecipeFault) as fault:
        edited(written[1], change)
    for words in ("$.exposures: expected", "did you mean 'science'?", "[1].prodct: no such key"):
        assert words in str(fault.value)


def test_a_run_of_a_plan_file_makes_what_it_says(written, tmp_path):
    asked = settings.read_plan(written[1])
    assert len(pretend.run(asked, tmp_path)) == len(planned(tmp_path, asked).all())
    assert pretend.run(asked, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "imag3"}, "is none of image2, image3; did you mean 'image3'?"),
        ({"product": ""}, r"product: missing, or no text"),
        ({"candidate": "x1"}, "candidate: 'x1' is no candidate of an association"),
        ({"members": {"science": []}}, "there are none with the role science"),
        ({"members": {"science": [5]}}, "members: 5 is no name of a file"),
        ({"members": {"science": ["a/b_cal.fits"]}}, "'a/b_cal.fits' is no name of a file, without folders"),
        ({"members": {"science": [f"{FIRST}_cal.fits"] * 2}}, f"{FIRST}_cal.fits stands there twice"),
        ({"members": {"science": [f"{FIRST}_rate.fits"]}}, "image3 is made of files that end in _cal.fits"),
    ],
)
def test_an_entry_at_fault_is_refused_with_its_place(written, change, said):
    with pytest.raises(RecipeFault, match=said) as fault:
        edited(written[1], lambda content: entry(content, SHORT).update(change))
    assert "$.associations[" in str(fault.value)


def test_a_product_that_is_listed_twice_is_refused(written):
    with pytest.raises(RecipeFault, match="already; give one of them"):
        edited(written[1], lambda content: content["associations"].append(entry(content, SHORT)))


@pytest.mark.parametrize(("key", "value"), [("recipe", 5), ("set", "jump.x=5"), ("set", [5]), ("exposures", {})])
def test_a_key_of_another_kind_is_refused(written, key, value):
    with pytest.raises(RecipeFault, match=rf"\$\.{key}: "):
        edited(written[1], lambda content: content.update({key: value}))
