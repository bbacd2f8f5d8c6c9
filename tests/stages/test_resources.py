"""What the plan asks for a job on ramps is enough for it, and it takes no more."""

import json
import os
import subprocess
import sys

import pytest
from ramp_scene import meta
from template_scene import make

from jwrules import headers
from jwrules.plan import extras, resources
from jwrules.stages import beside
from jwrules.stages.budget import Budget
from jwrules.stages.exposure import Exposure
from jwrules.stages.guide_star import GuideStar
from jwrules.stages.legs import Leg
from jwrules.stages.workbench import calls

FULL = {"SUBSIZE1": 2048, "SUBSIZE2": 2048}
IRS2 = FULL | {"INSTRUME": "NIRSPEC", "READPATT": "NRSIRS2RAPID", "NRS_NORM": 16, "NRS_REF": 4}
SUPERSTRIPES = {"SUBSIZE1": 208, "SUBSIZE2": 256, "SSTR_NST": 10}
SMALL = {"SUBSIZE1": 64, "SUBSIZE2": 64}
MARGIN = 4
"""That of saturation, charge_migration and jump together."""


def size(header, groups, integrations):
    return header | {"NGROUPS": groups, "NINTS": integrations}


EXPOSURES = {
    "image": size(FULL, 10, 1),
    "deep image": size(FULL, 100, 1),
    "long dark": size(FULL, 40, 20),
    "series": size({"SUBSIZE1": 2048, "SUBSIZE2": 256}, 5, 3000),
    "IRS2": size(IRS2, 4, 1),
    "deep IRS2": size(IRS2, 60, 1),
    "long IRS2": size(IRS2, 20, 8),
    "acquisition": size(SMALL, 5, 1),
    "small series": size(SMALL, 30, 20_000),
    "superstripes": size(SUPERSTRIPES, 5, 400),
    "MIRI": size({"SUBSIZE1": 1032, "SUBSIZE2": 1024}, 360, 4),
}


def needed(stage, header):
    return resources.memory(stage, [resources.size_of(header)])


def exposure(header):
    rows = 3200 if "NRS_NORM" in header else header["SUBSIZE2"]
    count = header.get("SSTR_NST", 1)
    shape = (header["NINTS"] // count, header["NGROUPS"], rows, count * header["SUBSIZE1"])
    return Exposure(meta(**header), {}, {}, shape, {})


@pytest.mark.parametrize("flags_are_kept", [False, True])
@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("name", EXPOSURES)
def test_a_stage_can_work_in_the_memory_that_is_asked_for(name, threads, flags_are_kept, tmp_path, monkeypatch):
    """Whatever is kept, an integration and the ramps of some pixels fit beside it."""
    header = EXPOSURES[name]
    budget, one = Budget(needed("detector1", header), threads, tmp_path), exposure(header)
    monkeypatch.setattr(Budget, "_is_lost", lambda self, exposure, route, what: flags_are_kept and what == "flags")
    assert budget.kept(one, [Leg("frames", ()), Leg("ramps", ())]) in ((), ("groupdq",), ("data", "groupdq"))
    assert budget.integrations(one) >= 1
    assert min(budget.patch(one, MARGIN)) >= 1
    one.close()


GUIDE_STARS = {
    "identification": size(FULL, 2, 2),
    "acquisition": size({"SUBSIZE1": 128, "SUBSIZE2": 128}, 2, 6),
    "track": size({"SUBSIZE1": 32, "SUBSIZE2": 32}, 2, 60_000),
    "fine guide": size({"SUBSIZE1": 8, "SUBSIZE2": 8}, 8, 1_000_000),
}


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("name", GUIDE_STARS)
def test_a_guide_star_can_be_worked_on_in_the_memory_that_is_asked_for(name, threads, tmp_path):
    header = GUIDE_STARS[name]
    shape = (header["NINTS"], header["NGROUPS"], header["SUBSIZE2"], header["SUBSIZE1"])
    star = GuideStar(meta(**header), {}, {}, shape, {})
    budget = Budget(needed("guider", header), threads, tmp_path, star.beside)
    assert budget.integrations(star) >= 1
    if name == "identification":
        assert min(budget.patch(star, 0)) >= 1


def test_more_integrations_of_a_guide_star_need_no_more():
    small = {"SUBSIZE1": 32, "SUBSIZE2": 32}
    few, many = (needed("guider", size(small, 2, n)) for n in (10_000, 1_000_000))
    assert few == many < 500


STREAKS = {"save_mask": True, "save_background": True, "save_noise": True}


def streaks(**params):
    return json.dumps([{"step": "clean_flicker_noise", "params": params}, {"step": "ramp_fit", "params": {}}])


@pytest.mark.parametrize("name", EXPOSURES)
def test_noise_and_background_of_an_integration_fit_too(name, tmp_path):
    sizes, one = [resources.size_of(EXPOSURES[name])], exposure(EXPOSURES[name])
    asked = resources.memory("detector1", sizes, extras.held(streaks(**STREAKS)))
    budget = Budget(asked, 4, tmp_path, beside.size(calls(streaks(**STREAKS))))
    budget.kept(one, [Leg("frames", ()), Leg("ramps", ())])
    assert budget.integrations(one) >= 1
    one.close()


def test_blocks_are_smaller_where_more_is_written_of_them(tmp_path):
    one, asked = exposure(size(SMALL, 30, 20_000)), needed("detector1", size(SMALL, 30, 20_000))
    plain, full = (Budget(asked, 1, tmp_path, size).integrations(one) for size in (0, 8))
    assert full == pytest.approx(plain * 5 / 13, abs=1)


@pytest.mark.parametrize("params", [{}, {"save_mask": True}, {"save_noise": True}, STREAKS])
def test_the_plan_knows_how_much_steps_write_beside_the_ramp(params):
    text = streaks(**params)
    assert extras.held(text) == beside.size(calls(text)) == 4 * len(params.keys() - {"save_mask"})
    assert extras.held(text.replace('{"step": "clean', '{"skip": true, "step": "clean')) == 0


FOUND = {
    "dark_current": {"dark_output": 4},
    "picture_frame": {"save_mask": 0, "save_correction": 4},
    "clean_flicker_noise": {"save_mask": 0, "save_background": 4, "save_noise": 4},
}


def test_the_plan_and_the_steps_agree_on_what_each_parameter_writes():
    for step, sizes in FOUND.items():
        for name, bytes_of_group in sizes.items():
            text = json.dumps([{"step": step, "params": {name: "mine.fits" if name == "dark_output" else True}}])
            assert (extras.held(text), beside.size(calls(text))) == (bytes_of_group,) * 2


def test_of_a_dark_one_integration_is_written_and_of_noise_all():
    darks, noise = '[{"step": "dark_current", "params": {"dark_output": "mine"}}]', streaks(save_noise=True)
    long = resources.size_of(EXPOSURES["long dark"])
    assert extras.written(noise, [long]) == 20 * extras.written(darks, [long]) == 4 * 20 * 40 * 2048**2


@pytest.mark.parametrize("name", ["image", "IRS2", "acquisition"])
def test_an_exposure_that_is_not_long_stays_in_memory(name, tmp_path):
    header = EXPOSURES[name]
    budget, one = Budget(needed("detector1", header), 1, tmp_path), exposure(header)
    assert budget.kept(one, [Leg("frames", ()), Leg("ramps", ())]) == ("data", "groupdq")
    assert type(one.rooms["data"]).__name__ == "Memory"


def test_beyond_some_length_more_integrations_need_no_more():
    few, many = (needed("detector1", size(FULL, 10, n)) for n in (20, 2000))
    assert few == many < 2000


def test_a_segment_needs_what_it_holds():
    whole = size(SMALL, 10, 2000)
    segment = whole | {"INTSTART": 501, "INTEND": 600}
    assert needed("dark", segment) == needed("dark", size(SMALL, 10, 100))
    assert needed("dark", segment) < needed("dark", whole)


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""Run by a small process of its own: a process that starts another lends it its own peak."""


@pytest.mark.parametrize(("template", "stage"), [("miri_mrs", "detector1"), ("fgs_guide_star", "guider")])
def test_a_run_takes_no_more_than_was_asked_for(tmp_path, template, stage):
    taken = make(template, tmp_path)[0]
    asked = needed(stage, headers.read(taken.raw))
    options = ["--references", tmp_path / "references", "--output", tmp_path / "out", "--memory", f"{asked}M"]
    command = [sys.executable, "-m", "jwrules", stage, taken.raw, *options]
    settings = os.environ | {"NUMBA_NUM_THREADS": "1"}
    run = [sys.executable, "-c", MEASURE, *map(str, command)]
    peak = subprocess.run(run, env=settings, check=True, capture_output=True, text=True).stdout
    assert 100 < int(peak) / 1024 < asked
