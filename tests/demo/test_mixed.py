"""A folder in which exposures of several observing templates lie is reduced whole: nothing is dropped in silence."""

import pytest
from astropy.io import fits
from template_scene import make

from tests.demo.conftest import Demo

pytestmark = pytest.mark.workflow

TEMPLATES = {"niriss_ami": {}, "miri_lrs_slitless": {}, "fgs_guide_star": {}, "nircam_dark": {"groups": 3}}
SUFFIXES = {"dark": ["dark"], "guider": ["cal"]}
UNKNOWN = "jw09001001001_02101_00009_nrca2_uncal.fits"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """The folder after a run, what was said, and the names of its exposures by stage."""
    demo = Demo(tmp_path_factory.mktemp("mixed"))
    expected = {}
    for template, wishes in TEMPLATES.items():
        stage = {"nircam_dark": "dark", "fgs_guide_star": "guider"}.get(template, "detector1")
        before = set(demo.uncal.glob("*")) if demo.uncal.is_dir() else set()
        made = {one.raw for one in make(template, demo.folder, **wishes)} - before
        expected.setdefault(stage, []).extend(path.name.removesuffix("_uncal.fits") for path in made)
    _without_a_recipe(next(demo.uncal.glob("*_nrca2_*")), demo.uncal / UNKNOWN)
    planned = demo.jwrules("plan", *demo.asked()).stdout
    demo.run()
    return demo, planned, expected


def _without_a_recipe(source, path):
    with fits.open(source) as hdus:
        hdus[0].header.update(EXP_TYPE="NIS_IMAGE", FILENAME=path.name)
        hdus.writeto(path)


def test_every_exposure_is_planned_in_its_stage_or_left_out_with_the_reason(mixed):
    _, planned, expected = mixed
    counts = ", ".join(f"{stage} {len(expected[stage])}" for stage in ("detector1", "dark", "guider"))
    assert f"to be made: {counts}" in planned
    assert "left out: 1 files" in planned
    assert UNKNOWN in planned


def test_all_that_was_planned_is_made(mixed):
    demo, _, expected = mixed
    wanted = {
        f"{name}_{suffix}.fits"
        for stage, names in expected.items()
        for name in names
        for suffix in SUFFIXES.get(stage, ["rate", "rateints"])
    }
    assert {path.name for path in demo.products("*.fits")} == wanted
    assert "everything is up to date" in demo.jwrules("plan", *demo.asked()).stdout


def test_a_job_takes_less_memory_than_was_asked_for_it(mixed):
    """Snakemake measures, now and then; a short job may end before."""
    demo, _, _ = mixed
    measured = [path.read_text().splitlines()[1].split("\t")[2] for path in demo.folder.glob("logs/*/*.tsv")]
    taken = [float(one) for one in measured if one not in ("-", "NA")]
    assert taken
    assert max(taken) < 400
