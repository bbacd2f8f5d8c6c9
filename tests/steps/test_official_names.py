"""Parameters, defaults and status keywords are those of the official pipeline, where it has them."""

import re

import pytest
import yaml

from jwrules.recipes.cards import OFFICIAL
from jwrules.steps import registry
from jwrules.steps.declare import parameters

STEPS = registry()
OURS_ONLY = {
    "clean_flicker_noise.against",
    "clean_flicker_noise.weighting",
    "flat_field.guider_error",
    "guider_cds.noise",
    "jump.flag_rests",
    "jump.snowball_search",
    "jump.statistic",
    "outlier_detection.blur",
    "outlier_detection.noise",
    "persistence.flag_pers_cutoff",
    "persistence.method",
    "persistence.save_trapsfilled",
    "picture_frame.weighting",
    "ramp_fit.weighting",
    "resample.good_bits",
    "rscd.method",
    "saturation.partial_search",
    "source_catalog.centroid",
    "tweakreg.centroid",
    "tweakreg.clip",
}
STEPS_OF_OURS = {"bad_ramp", "err_init"}
"""Steps of the documentation that the official pipeline does not have."""

STATUS_OF = {"dark_current": "dark_sub", "background": "bkg_subtract"}
"""Steps whose status the official data models keep under another name."""


@pytest.fixture(scope="module")
def official():
    """The official steps by the name that they have here."""
    steps = pytest.importorskip("jwst.step")
    classes = [one for one in vars(steps).values() if isinstance(one, type) and hasattr(one, "class_alias")]
    return {OFFICIAL.get(one.class_alias, one.class_alias): one for one in classes}


def defaults(step):
    """The defaults in the specification of an official step; they may be quoted, and numbers written in any way."""
    found = re.findall(r"^\s*(\w+)\s*=.*?default\s*=\s*('[^']*'|\"[^\"]*\"|[^,)\s]*)", step.spec, re.MULTILINE)
    return {name: plain(value.strip("'\"")) for name, value in found}


def plain(value):
    """A default as it is compared: 4 and 4.0 are one number; '' is how the official pipeline writes none."""
    try:
        return repr(float(value)) if not isinstance(value, bool) else str(value)
    except (TypeError, ValueError):
        return "None" if value == "" else str(value)


def test_every_step_is_one_of_the_official_pipeline(official):
    assert {name for name in STEPS if name not in official} == STEPS_OF_OURS


@pytest.mark.parametrize("step", [s for s in STEPS.values() if s.name not in STEPS_OF_OURS], ids=lambda s: s.name)
def test_parameters_have_the_official_names_and_defaults(step, official):
    theirs = defaults(official[step.name]) if step.name in official else {}
    ours = {name: plain(declared.default) for name, declared in parameters(step.params).items()}
    assert {f"{step.name}.{name}" for name in ours if name not in theirs} <= OURS_ONLY
    assert {name: value for name, value in ours.items() if theirs.get(name, value) != value} == {}


def test_what_is_ours_only_exists():
    known = {f"{step.name}.{name}" for step in STEPS.values() for name in parameters(step.params)}
    assert known >= OURS_ONLY


def test_the_status_keywords_are_the_official_ones():
    schemas = pytest.importorskip("stdatamodels.jwst.datamodels.schemas")
    (folder,) = schemas.__path__
    with open(f"{folder}/core.schema.yaml") as file:
        steps = _find(yaml.safe_load(file), "cal_step")["properties"]
    ours = {name for name in STEPS if STATUS_OF.get(name, name) not in steps}
    assert ours == {"bad_ramp"}
    known = STEPS.keys() - ours
    theirs = {name: steps[STATUS_OF.get(name, name)]["fits_keyword"] for name in known}
    assert {name: STEPS[name].status for name in known} == theirs
    assert not {STEPS[name].status for name in ours} & {str(one.get("fits_keyword")) for one in steps.values()}


def _find(node, key):
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return None
    return node.get(key) or next(filter(None, (_find(one, key) for one in node.values())), None)
