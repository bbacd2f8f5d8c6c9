"""Associations that lie among the data are used as they are, in place of those of rules; nothing of them is lost."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pretend
import pytest
from program_scene import RECIPE, exposure, planned, program

from jwrules.errors import WorkflowFault
from jwrules.plan import given, planfile, settings

SHORT = "jw00042-o001_t001_nircam_clear-f200w"
LONG = "jw00042-o001_t001_nircam_clear-f444w"
FIRST, SECOND, THIRD, FOURTH = (exposure(dither, "nrca1") for dither in (1, 2, 3, 4))
OURS = "jw00042-o001_20260101t000000_image3_00001_asn.json"


@pytest.fixture
def asked(tmp_path):
    return program(tmp_path)


def files(names, suffix, role="science"):
    return [{"expname": f"{name}_{suffix}.fits", "exptype": role} for name in names]


def lay(asked, members, product="mine", kind="image3", name=OURS, **more):
    """Write an association file into the folder of the data; return its path."""
    products = [{"name": product, "members": members}]
    content = {"asn_type": kind, "asn_id": "o001", "program": "00042", "products": products, **more}
    path = asked.data / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def partly(tmp_path, asked):
    return planned(tmp_path, replace(asked, partial=True))


def test_a_product_is_made_as_its_file_says(asked, tmp_path):
    path = lay(asked, files([SECOND, FIRST], "cal"), product="my_pair")
    job = planned(tmp_path, asked).job("image3", "my_pair")
    assert job.science == (f"results/{SECOND}_cal.fits", f"results/{FIRST}_cal.fits")
    assert (job.association, job.acid, job.given) == (f"results/{OURS}", "o001", str(path))


def test_the_rules_know_the_names_that_files_give(asked, tmp_path):
    lay(asked, files([FIRST], "cal"), product="my_own")
    pattern = planned(tmp_path, asked).names("image3")
    assert [bool(re.fullmatch(pattern, name)) for name in ("my_own", SHORT, "another")] == [True, True, False]


def test_it_stands_in_place_of_those_of_rules_that_it_covers_and_of_no_other(asked, tmp_path):
    lay(asked, files([FIRST, SECOND, THIRD, FOURTH], "cal"), product="all_of_them")
    assert set(planned(tmp_path, asked).jobs["image3"]) == {"all_of_them", LONG}
    lay(asked, files([FIRST, SECOND], "cal"), product="some")
    assert set(planned(tmp_path, asked).jobs["image3"]) == {"some", SHORT, LONG}


def test_it_stands_in_place_of_that_of_rules_with_its_name(asked, tmp_path):
    lay(asked, files([FIRST], "cal"), product=SHORT)
    plan = planned(tmp_path, asked)
    assert plan.job("image3", SHORT).science == (f"results/{FIRST}_cal.fits",)
    assert len({job.association for job in plan.jobs["image3"].values()}) == 2


def test_a_file_named_as_one_of_rules_takes_no_number_from_it(asked, tmp_path):
    numbered = Path(planned(tmp_path, asked).job("image3", LONG).association).name
    lay(asked, files([FIRST], "cal"), product="mine", name=numbered)
    assert len({job.association for job in planned(tmp_path, asked).jobs["image3"].values()}) == 3


FLAGGING = RECIPE.replace("skymatch", "skymatch, outlier_detection")
CRF = f"{SECOND}_a3001_crf.fits"


def test_products_that_would_write_one_flagged_exposure_are_refused(tmp_path):
    asked = program(tmp_path, FLAGGING)
    for product, members in (("one", [FIRST, SECOND]), ("two", [SECOND, THIRD])):
        lay(asked, files(members, "cal"), product, name=f"{product}_asn.json", asn_id="a3001")
    plan = partly(tmp_path, asked)
    assert {"one", "two", SHORT} & set(plan.jobs["image3"]) == {SHORT}
    ((said, its),) = plan.faults.items()
    places = [f"{name} ({asked.data}/{name}_asn.json)" for name in its]
    alike = f"{' and '.join(places)} have the candidate a3001 and exposures in common: each would write {CRF}\n"
    assert said.startswith(alike)
    assert "such as a3002: in its file 'asn_id'" in said


def test_with_a_candidate_of_its_own_each_product_has_its_flagged_exposures(tmp_path):
    asked = program(tmp_path, FLAGGING)
    for product, candidate in (("one", "a3001"), ("two", "a3002")):
        lay(asked, files([FIRST, SECOND], "cal"), product, name=f"{product}_asn.json", asn_id=candidate)
    plan = planned(tmp_path, asked)
    assert [plan.flagged(plan.job("image3", name))[1] for name in ("one", "two")] == [
        f"results/{CRF}",
        f"results/{CRF.replace('a3001', 'a3002')}",
    ]


def test_products_that_flag_no_outliers_may_share_exposures_and_candidate(asked, tmp_path):
    lay(asked, files([FIRST, SECOND], "cal"), product="some")
    assert {job.acid for name, job in planned(tmp_path, asked).jobs["image3"].items() if name != LONG} == {"o001"}


def test_a_part_of_a_product_of_the_rules_is_refused_beside_it_under_its_candidate(tmp_path):
    asked = program(tmp_path, FLAGGING)
    lay(asked, files([FIRST, SECOND], "cal"), product="some")
    ((said, its),) = partly(tmp_path, asked).faults.items()
    assert list(its) == [SHORT, "some"]
    assert f"each would write {FIRST}_o001_crf.fits and 1 more" in said


def test_backgrounds_of_stage_2_are_those_that_the_file_names(asked, tmp_path):
    members = [*files([FIRST], "rate"), *files([THIRD], "rate", "background")]
    path = lay(asked, members, product=FIRST, kind="image2", name="a_asn.json")
    plan = planned(tmp_path, asked)
    assert plan.job("image2", FIRST).background == (f"results/{THIRD}_rate.fits",)
    assert plan.job("image2", FIRST).given == str(path)
    assert plan.job("image2", SECOND).given == ""


@pytest.mark.parametrize(("suffix", "stage", "product"), [("cal", "image3", "pair"), ("rate", "image2", FIRST)])
def test_without_a_type_it_is_of_the_stage_of_its_members(asked, tmp_path, suffix, stage, product):
    path = lay(asked, files([FIRST], suffix), product=product, kind="None", program="noprogram")
    assert planned(tmp_path, asked).job(stage, product).given == str(path)


def test_a_type_that_no_stage_makes_is_listed(asked, tmp_path):
    path = lay(asked, files([FIRST], "cal"), kind="spec3")
    left_out = planned(tmp_path, asked).left_out
    assert [(one.path, one.reason) for one in left_out] == [(str(path), "no stage of jwrules makes spec3 yet")]


def test_products_that_the_recipe_has_no_stage_for_are_listed(tmp_path):
    asked = program(tmp_path, RECIPE.replace("  image3: [tweakreg, skymatch, resample]\n", ""))
    lay(asked, files([FIRST], "cal"))
    assert [one.reason for one in planned(tmp_path, asked).left_out] == [
        "no stage of jwrules makes image3 of exposures of short yet"
    ]


def test_an_association_of_other_data_is_listed(asked, tmp_path):
    lay(asked, files(["jw00099001001_02101_00001_nrca1"], "cal"))
    (left_out,) = planned(tmp_path, asked).left_out
    assert left_out.reason.startswith("no exposure in DATA makes a science member of it (jw00099001001_02101_00001")


def test_a_member_that_no_exposure_makes_is_told_with_its_file_and_what_to_do(asked, tmp_path):
    lay(asked, files([FIRST, "jw00042001001_02101_00009_nrca1"], "cal"), product=SHORT)
    plan = partly(tmp_path, asked)
    assert list(plan.jobs["image3"]) == [LONG]
    ((words, where),) = plan.faults.items()
    assert [Path(one).name for one in where] == [OURS]
    assert "no exposure in DATA makes its member jw00042001001_02101_00009_nrca1_cal.fits; get jw00042001001" in words


def test_a_member_that_is_excluded_is_left_out(asked, tmp_path):
    lay(asked, files([FIRST, SECOND], "cal"), product=SHORT)
    left = planned(tmp_path, replace(asked, exclude={FIRST: "trail"}))
    assert left.job("image3", SHORT).science == (f"results/{SECOND}_cal.fits",)


def test_two_files_for_one_product_are_refused_and_nothing_else_is_made_in_its_place(asked, tmp_path):
    lay(asked, files([FIRST, SECOND], "cal"), product=SHORT)
    lay(asked, files([FIRST], "cal"), product=SHORT, name="b_asn.json")
    with pytest.raises(WorkflowFault, match=rf"more than one association makes.*: .*b_asn.json and .*{OURS}; keep one"):
        planned(tmp_path, asked)
    assert list(partly(tmp_path, asked).jobs["image3"]) == [LONG]


def test_a_product_of_stage_2_by_another_name_is_refused_with_all_that_needs_it(asked, tmp_path):
    lay(asked, files([FIRST], "rate"), product="other", kind="image2")
    plan = partly(tmp_path, asked)
    assert FIRST not in plan.jobs["image2"]
    assert plan.blocked == {("image3", SHORT): f"{FIRST}_cal.fits cannot be made"}
    assert f"named after its one exposure, here {FIRST}" in next(iter(plan.faults))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no association file"),
        ("{}", r"\$\.products: expected a list"),
        ('{"products": [{"members": []}]}', r"\$\.products\[0\]\.name: expected"),
        ('{"products": [{"name": "x", "members": [{"expname": "a_cal.fits"}]}]}', "'None' is no role"),
        (
            '{"asn_type": "imag3", "products": [{"name": "x", "members": [{"expname": "a", "exptype": "science"}]}]}',
            "'imag3' is no type of association; did you mean 'image3'",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_told(asked, tmp_path, text, words):
    (asked.data / "wrong_asn.json").write_text(text)
    with pytest.raises(WorkflowFault, match=rf"wrong_asn.json: .*{words}"):
        planned(tmp_path, asked)


def test_what_it_says_is_part_of_the_key_how_it_is_laid_out_is_not(asked, tmp_path):
    path = lay(asked, files([FIRST, SECOND], "cal"), target="t001")
    pretend.run(asked, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4))
    assert pretend.run(asked, tmp_path) == []
    lay(asked, files([FIRST, SECOND], "cal"), target="t002")
    assert pretend.run(asked, tmp_path) == [("image3", "mine")]
    assert json.loads((tmp_path / "results" / OURS).read_text())["target"] == "t002"


def test_what_a_run_wrote_among_its_data_is_not_given(asked, tmp_path):
    here = replace(asked, data=tmp_path)
    here.write(tmp_path / settings.RUN_FILE)
    pretend.run(here, tmp_path)
    assert list((tmp_path / "results").glob("*_asn.json"))
    assert given.find(tmp_path) == []
    assert pretend.run(here, tmp_path) == []


def test_a_plan_file_keeps_what_the_data_said_and_takes_nothing_new(asked, tmp_path):
    lay(asked, files([FIRST, SECOND], "cal"))
    lay(asked, files([FIRST], "cal"), kind="spec3", name="spectra_asn.json")
    before = planned(tmp_path, asked)
    planfile.write(before, asked, tmp_path / "plan.yaml")
    lay(asked, files([THIRD], "cal"), product="new", name="new_asn.json")
    after = planned(tmp_path, settings.read_plan(tmp_path / "plan.yaml"))
    assert {job.name: job.identity for job in after.all()} == {job.name: job.identity for job in before.all()}
