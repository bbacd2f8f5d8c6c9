"""Values from `--set`, run files and CRDS parameter files."""

import logging

import pytest
from recipe_scene import CARDS, F200W, recipe

from jwrules import recipes
from jwrules.errors import RecipeFault
from jwrules.recipes.settings import _warn


@pytest.fixture(autouse=True)
def _forget_warnings():
    _warn.cache_clear()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("jump.threshold=5", 5.0),
        ("jump.threshold = 1e2", 100.0),
        ("jump.neighbours=false", False),
        ("jump.groups=3", 3),
        ("jump.groups=none", None),
        ("jump.method=fit", "fit"),
        ("jump.area=2,3", [2.0, 3.0]),
        ("jump.area=[2, 3.5]", [2.0, 3.5]),
        ("jump.comment=5", "5"),
        ("jump.comment=a=b", "a=b"),
        ("jump.comment=None", None),
        ("jump.skip=true", True),
        ("jump.if_impossible=skip", "skip"),
    ],
)
def test_a_value_gets_the_type_that_its_step_declares(text, value):
    (setting,) = recipes.parse_set([text], CARDS)
    assert setting.value == value
    assert type(setting.value) is type(value)
    assert (setting.step, setting.origin) == ("jump", "--set")


def test_the_official_name_of_a_step_is_understood():
    (setting,) = recipes.parse_set(["bkg_subtract.skip=true"], CARDS)
    assert setting.step == "background"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("jump.treshold=5", "'treshold' is no parameter of jump; did you mean 'threshold'?"),
        ("jmp.threshold=5", "'jmp' is no step; did you mean 'jump'?"),
        ("image4.jump.threshold=5", "'image4' is no stage; did you mean 'image3'?"),
        (
            "jump.override_gain=my_gain.fits",
            "'override_gain' is no parameter of jump; it is a reference file: a stage takes it as"
            " --reference gain=FILE, a run from its reference files",
        ),
        (
            "jump.maximum_cores=half",
            "'maximum_cores' is no parameter of jump; --threads N says how many processors a stage uses",
        ),
        ("jump.threshold=high", "'high' is not a number"),
        ("jump.threshold=-1", "-1 is below 0"),
        ("jump.groups=2.5", "2.5 is not a whole number or nothing"),
        ("jump.method=fitt", "'fitt' is none of 'two-point', 'fit'; did you mean 'fit'?"),
        ("jump.area=1", "1 values stand here, 2 are wanted"),
        ("jump.threshold=[", "'[' cannot be read as a value of jump"),
        ("jump.threshold", "write step.parameter=value"),
        ("threshold=5", "write step.parameter or stage.step.parameter"),
    ],
)
def test_a_fault_is_said_with_the_nearest_right_name(text, fault):
    with pytest.raises(RecipeFault) as caught:
        recipes.parse_set([text], CARDS)
    assert str(caught.value) == f"--set {text}: {fault}"


def test_all_faults_are_said_at_once():
    with pytest.raises(RecipeFault) as caught:
        recipes.parse_set(["jmp.threshold=5", "jump.threshold=5", "jump.treshold=5"], CARDS)
    assert len(str(caught.value).splitlines()) == 2


def test_a_run_file_gives_values_by_step_or_by_stage_and_step():
    made = recipes.settings({"jump": {"threshold": 5}, "image3.resample": {"pixfrac": 0.5}}, "run.yaml", known=CARDS)
    assert [(one.stage, one.step, one.parameter, one.value) for one in made] == [
        ("", "jump", "threshold", 5.0),
        ("image3", "resample", "pixfrac", 0.5),
    ]


def test_a_fault_of_a_run_file_is_an_error():
    with pytest.raises(
        RecipeFault, match=r"run\.yaml jump\.treshold: 'treshold' is no parameter of jump; did you mean"
    ):
        recipes.settings({"jump": {"treshold": 5}}, "run.yaml", known=CARDS)


def test_a_step_without_parameters_in_a_run_file_is_an_error():
    with pytest.raises(RecipeFault, match=r"run\.yaml jump"):
        recipes.settings({"jump": 5}, "run.yaml", known=CARDS)


def test_a_parameter_file_may_name_what_does_not_exist_here_and_a_warning_says_so(caplog):
    given = {"jump": {"threshold": 5, "use_ellipses": False}, "emicorr": {"skip": True}}
    with caplog.at_level(logging.WARNING):
        made = recipes.settings(given, "pars x.asdf", strict=False, known=CARDS)
    assert [(one.parameter, one.value) for one in made] == [("threshold", 5.0)]
    assert [record.message for record in caplog.records] == [
        "pars x.asdf jump.use_ellipses: 'use_ellipses' is no parameter of jump; the value is not used",
        "pars x.asdf emicorr.skip: 'emicorr' is no step; the value is not used",
    ]


def test_the_same_warning_is_given_once(caplog):
    for _ in range(3):
        recipes.settings({"jump": {"use_ellipses": False}}, "pars x.asdf", strict=False, known=CARDS)
    assert len(caplog.records) == 1


def test_where_the_official_pipeline_writes_its_files_is_passed_over_in_silence(caplog):
    given = {"jump": {"save_results": True, "output_dir": "", "pre_hooks": []}}
    assert recipes.settings(given, "pars x.asdf", strict=False, known=CARDS) == ()
    assert not caplog.records


SKIPPED = "{}: nothing comes of it, because jump is skipped (skip: true, {}); --set jump.skip=false has it run"


def idle(tmp_path, chain, *sets):
    """What is said, with options, of the steps of a chain that are skipped."""
    overrides = recipes.parse_set(sets, CARDS)
    steps = recipe(tmp_path, chain).resolve("detector1", F200W, overrides=overrides)
    return recipes.idle("detector1", steps, overrides)


def test_of_an_option_for_a_skipped_step_it_is_said_who_skips_it_and_how_it_runs(tmp_path):
    chain = "- jump: {skip: true}\n- ramp_fit"
    said = idle(tmp_path, chain, "jump.threshold=5", "jump.neighbours=false", "jump.if_impossible=skip")
    named = "--set jump.threshold, --set jump.neighbours"
    assert said == {"jump": SKIPPED.format(named, f"{tmp_path}/some.yaml:5")}
    said = idle(tmp_path, "- jump\n- ramp_fit", "detector1.jump.threshold=5", "jump.skip=true")
    assert said == {"detector1.jump": SKIPPED.format("--set detector1.jump.threshold", "--set")}


def test_of_an_option_for_a_step_that_runs_nothing_is_said(tmp_path):
    chain = "- jump: {skip: true}\n- ramp_fit"
    assert idle(tmp_path, chain, "jump.threshold=5", "jump.skip=false") == {}
    assert idle(tmp_path, chain, "jump.skip=true") == {}
