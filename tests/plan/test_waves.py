"""Of very many jobs the first go to Snakemake, product by product; a later wave makes the rest."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pretend import run
from program_scene import exposure, planned, program

from jwrules import plan as planning
from jwrules.plan import waves
from jwrules.plan.rows import any_of

SHORT, LONG = (f"jw00042-o001_t001_nircam_clear-{optics}" for optics in ("f200w", "f444w"))


@pytest.fixture(autouse=True)
def small_waves(monkeypatch):
    monkeypatch.setattr(waves, "_LARGEST", 9)
    monkeypatch.setattr(waves, "_EACH", 1)


@pytest.fixture(scope="module")
def unmade(tmp_path_factory):
    """A program of which nothing is made: its folder, plan, and jobs that can be run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwrules.recipes.all", dict)
        folder = tmp_path_factory.mktemp("unmade")
        asked = program(folder)
        plan = planned(folder, asked)
        yield folder, plan, planning.states(plan, asked, folder).ready()


def test_a_wave_holds_whole_products_with_all_that_they_are_made_from(unmade):
    folder, plan, ready = unmade
    wave = waves.make(plan, folder, ready, cores=1)
    members = {exposure(dither, "nrca1") for dither in (1, 2, 3, 4)}
    assert wave.wave.jobs == {(stage, name) for stage in ("detector1", "image2") for name in members} | {
        ("image3", SHORT)
    }


def test_nothing_is_wanted_of_what_a_later_wave_makes(unmade):
    folder, plan, ready = unmade
    wave = waves.make(plan, folder, ready, cores=1)
    assert [path for path in wave.wave.targets if "nrcalong" in path or LONG in path] == []


def test_nothing_is_wanted_of_a_job_that_failed(unmade):
    folder, plan, ready = unmade
    others = [key for key in ready if "nrcalong" in key[1] or key[1] == LONG]
    wave = waves.make(plan, folder, others, cores=18)
    assert wave.wave.jobs == set(others)
    assert [path for path in wave.wave.targets if "nrca1" in path or SHORT in path] == []


def test_many_processors_have_larger_waves(unmade):
    folder, plan, ready = unmade
    assert len(waves.make(plan, folder, ready, cores=18).wave.jobs) == len(ready) == 18


def test_wave_after_wave_everything_is_made_once(tmp_path):
    asked = program(tmp_path)
    ran = run(asked, tmp_path)
    assert len(ran) == len(set(ran)) == 18
    assert ran.index(("image3", SHORT)) < ran.index(("detector1", exposure(1, "nrcalong")))
    plan = planned(tmp_path, asked)
    assert all((tmp_path / path).exists() for path in plan.targets())


NAMES = st.sets(st.text("ab1_+.-", min_size=1, max_size=6), min_size=1, max_size=30)


@given(NAMES, NAMES)
def test_a_pattern_of_names_matches_those_and_no_other(names, others):
    pattern = re.compile(any_of(names))
    assert {name for name in names | others if pattern.fullmatch(name)} == names
