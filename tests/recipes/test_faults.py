"""Every fault of a recipe is said at once, with its place and the nearest right name."""

import pytest
from recipe_scene import CARDS, HEADER, recipe, written

from jwrules import recipes
from jwrules.errors import RecipeFault
from jwrules.recipes import source


def faults(folder, text, name="x.yaml"):
    with pytest.raises(RecipeFault) as caught:
        recipes.read(written(folder, name, text), CARDS)
    return [line.replace(f"{folder}/", "") for line in str(caught.value).splitlines()]


def test_a_misspelt_step_is_named_with_its_place_and_the_right_name(tmp_path):
    text = HEADER + "stages: {detector1: [dark_current, rampfit]}"
    assert faults(tmp_path, text) == ["x.yaml $.stages.detector1[1]: 'rampfit' is no step; did you mean 'ramp_fit'?"]


def test_a_misspelt_step_with_parameters_is_named_too(tmp_path):
    text = HEADER + "stages: {detector1: [{junp: {threshold: 5}}, ramp_fit]}"
    assert faults(tmp_path, text) == ["x.yaml $.stages.detector1[0]: 'junp' is no step; did you mean 'jump'?"]


def test_the_official_name_of_a_step_is_answered_with_ours(tmp_path):
    text = HEADER + "stages: {image2: [bkg_subtract, assign_wcs]}"
    assert faults(tmp_path, text) == [
        "x.yaml $.stages.image2[0]: 'bkg_subtract' is no step; it is called 'background' here"
    ]


def test_all_faults_are_said_in_one_message_in_the_order_of_the_lines(tmp_path):
    text = """
        template: Some Imaging
        for: {EXPTYPE: NRC_IMAGE, FILTER: F44W}
        stages:
          detector1:
            - jump: {treshold: 5, neighbours: maybe, groups: 0, method: fitt, area: [1]}
            - ramp_fit: {when: {SUBARAY: FULL}}
          image4: []
        """
    assert faults(tmp_path, text) == [
        "x.yaml $.for: 'EXPTYPE' is no keyword of conditions; did you mean 'EXP_TYPE'?",
        "x.yaml $.for.FILTER: 'F44W' is no FILTER; did you mean 'F444W'?",
        "x.yaml $.stages: 'image4' is no stage; did you mean 'image3'?",
        "x.yaml $.stages.detector1[0].jump: 'treshold' is no parameter of jump; did you mean 'threshold'?",
        "x.yaml $.stages.detector1[0].jump.neighbours: 'maybe' is not true or false",
        "x.yaml $.stages.detector1[0].jump.groups: 0 is not above 0",
        "x.yaml $.stages.detector1[0].jump.method: 'fitt' is none of 'two-point', 'fit'; did you mean 'fit'?",
        "x.yaml $.stages.detector1[0].jump.area: 1 values stand here, 2 are wanted",
        "x.yaml $.stages.detector1[1].ramp_fit.when: 'SUBARAY' is no keyword of conditions; did you mean 'SUBARRAY'?",
    ]


def test_a_value_that_must_not_be_there_is_checked_as_well(tmp_path):
    text = HEADER + "stages: {detector1: [jump: {when: {DETECTOR: '!NRCB6'}}, ramp_fit]}"
    assert faults(tmp_path, text)[0].startswith(
        "x.yaml $.stages.detector1[0].jump.when.DETECTOR: 'NRCB6' is no DETECTOR"
    )


def test_a_key_that_stands_twice_is_a_fault(tmp_path):
    text = HEADER + "stages:\n  detector1:\n    - jump: {threshold: 5, threshold: 6}\n    - ramp_fit\n"
    assert faults(tmp_path, text) == ["x.yaml $.stages.detector1[0].jump: 'threshold' stands twice, on lines 5 and 5"]


def test_template_and_conditions_and_stages_are_demanded(tmp_path):
    said = faults(tmp_path, "description: nothing yet")
    assert [line.split(":")[0] + line.split(":")[1] for line in said] == [
        "x.yaml $ 'template' is missing",
        "x.yaml $ 'for' is missing",
        "x.yaml $ 'stages' is missing, here and in what is extended",
    ]


def test_an_empty_file_is_no_recipe(tmp_path):
    assert faults(tmp_path, "") == ["x.yaml $: None is not a mapping"]


def test_what_is_no_yaml_is_said_with_the_line(tmp_path):
    assert "x.yaml: is no YAML" in (said := faults(tmp_path, "stages: [a, b"))[0]
    assert "line 1" in "".join(said)


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory(tmp_path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert faults(tmp_path, "\n".join(lines)) == [
        "x.yaml: its aliases (*) stand for more than 20000 values; write out the few that are meant"
    ]


def test_a_long_file_without_aliases_is_read():
    assert len(source.value_of("\n".join(f"- {number}" for number in range(30_000)))) == 30_000


def test_a_key_that_is_no_word_is_refused(tmp_path):
    assert faults(tmp_path, "? [a, b]\n: c") == ["x.yaml $: line 1: a key must be one word, not a list or mapping"]


def test_an_anchor_that_holds_itself_is_refused(tmp_path):
    assert "must not hold its own alias" in faults(tmp_path, "stages: &a {detector1: *a}")[0]


@pytest.mark.parametrize("value", ["!!python/object/apply:os.system ['touch hacked']", "!!python/name:os.system ''"])
def test_objects_of_python_are_refused(tmp_path, monkeypatch, value):
    monkeypatch.chdir(tmp_path)
    text = HEADER + f"stages:\n  detector1:\n    - jump: {{rejection_threshold: {value}}}\n"
    (said,) = faults(tmp_path, text)
    assert "x.yaml $.stages.detector1[0].jump.rejection_threshold: line 5: !!python/" in said
    assert "is no plain value; no objects of programs are made here" in said
    assert not (tmp_path / "hacked").exists()


def test_a_condition_without_its_quotes_is_told_to_have_them(tmp_path):
    text = HEADER + "stages:\n  detector1:\n    - jump:\n        when:\n          SUBARRAY: !FULL\n    - ramp_fit"
    assert faults(tmp_path, text)[0].endswith("!FULL is no plain value; a text is put in quotes: '!FULL'")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = written(tmp_path, "x.yaml", HEADER + "stages: {detector1: [ramp_fit]}")
    sound = recipes.read(path, CARDS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert recipes.read(path, CARDS) == sound


def test_a_missing_file_is_said():
    with pytest.raises(RecipeFault, match=r"nowhere\.yaml: cannot be read: No such file"):
        recipes.read("nowhere.yaml", CARDS)


def test_the_rules_of_associations_are_checked_too(tmp_path):
    text = HEADER + "associations: {image2: {one_for_each: exposure, membres: {}}}\nstages: {image2: [assign_wcs]}"
    assert faults(tmp_path, text) == [
        "x.yaml $.associations.image2: 'membres' is no key here; did you mean 'members'?",
        "x.yaml $.associations.image2: 'members' is missing",
    ]


def test_a_step_that_cannot_follow_the_one_before_is_refused_with_both_kinds(tmp_path):
    with pytest.raises(
        RecipeFault, match=r"detector1\[1\]: 'dark_current' takes Ramp, but 'ramp_fit' before it gives Slopes"
    ):
        recipe(tmp_path, "- ramp_fit\n- dark_current")


def test_a_chain_must_start_from_what_its_stage_is_given(tmp_path):
    with pytest.raises(RecipeFault, match=r"image2\[0\]: 'resample' takes Images, but image2 starts from Rate"):
        recipe(tmp_path, "- resample", stage="image2")


def test_stage_one_must_end_in_slopes(tmp_path):
    with pytest.raises(
        RecipeFault, match=r"\$\.stages\.detector1: detector1 must end in Slopes, but 'jump' before it gives"
    ):
        recipe(tmp_path, "- dark_current\n- jump")


def test_a_skipped_step_changes_no_kind(tmp_path):
    with pytest.raises(RecipeFault, match="must end in Slopes, but 'ramp_fit' before it is skipped and leaves Ramp"):
        recipe(tmp_path, "- jump\n- ramp_fit: {skip: true}")


def test_a_step_on_several_images_takes_a_single_one(tmp_path):
    assert [one.step for one in recipe(tmp_path, "- assign_wcs\n- resample", stage="image2").stages["image2"]] == [
        "assign_wcs",
        "resample",
    ]


def test_an_unknown_step_hides_no_fault_of_the_others(tmp_path):
    said = faults(tmp_path, HEADER + "stages: {detector1: [junp, ramp_fit, dark_current]}")
    assert [line.split(": ")[0] for line in said] == [
        "x.yaml $.stages.detector1[0]",
        "x.yaml $.stages.detector1[2]",
        "x.yaml $.stages.detector1",
    ]


@pytest.mark.parametrize("second", ["jump", "jump: {when: {FILTER: F200W}}"])
def test_a_step_listed_twice_needs_a_when_of_its_own_each_time(tmp_path, second):
    with pytest.raises(RecipeFault, match="'jump' is listed twice: each needs a 'when' of its own"):
        recipe(tmp_path, f"- jump: {{when: {{FILTER: F200W}}}}\n- {second}\n- ramp_fit")


def test_a_step_may_be_listed_once_for_each_kind_of_exposure(tmp_path):
    chain = "- ramp_fit: {when: {FILTER: F200W}}\n- ramp_fit: {when: {FILTER: '!F200W'}}\n- gain_scale"
    steps = recipe(tmp_path, chain).resolve("detector1", {"FILTER": "F200W"})
    assert [one.step for one in steps] == ["ramp_fit", "gain_scale"]


def test_two_entries_that_apply_to_one_exposure_are_refused_when_it_comes(tmp_path):
    chain = "- jump: {when: {FILTER: F200W}}\n- jump: {when: {PUPIL: CLEAR}}\n- ramp_fit"
    with pytest.raises(RecipeFault, match="'jump' applies twice to one exposure"):
        recipe(tmp_path, chain).resolve("detector1", {"FILTER": "F200W", "PUPIL": "CLEAR"})
