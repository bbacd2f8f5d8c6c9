"""Snakemake runs what the plan finds due and nothing else: its own dry runs are counted."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from program_scene import exposure, header, program, write_guide_stars, write_header

from jwrules.cli import waves

pytestmark = pytest.mark.workflow

EVERYTHING = {
    "detector1": 8,
    "image2": 8,
    "association": 2,
    "image3_mosaic": 2,
    "picture_exposure": 8,
    "picture_mosaic_alone": 2,
}


@pytest.fixture
def counted(capfd):
    """Return what counts the jobs that Snakemake would run first, by rule, those of batches one by one."""

    def count(asked, folder, forced=()):
        folder.mkdir(exist_ok=True)
        asked.write(folder / "run.yaml")
        assert waves.first(asked, folder, ["--cores", "2"], forced) == 0
        said = "\n".join(capfd.readouterr())
        table = said.rpartition("Job stats:")[2].partition("total")[0]
        jobs: Counter[str] = Counter()
        for rule, several, number in re.findall(r"^(\w+?)(?:_batch\d+_(\d+)jobs)? +(\d+)$", table, re.MULTILINE):
            jobs[rule] += int(several or 1) * int(number)
        return jobs - Counter(all=1)

    return count


def test_nothing_changed_nothing_runs(run, counted):
    folder, asked = run
    assert counted(asked, folder) == {}


def test_the_same_reference_files_under_the_next_context_make_nothing_anew(run, monkeypatch, counted):
    folder, asked = run
    monkeypatch.setattr("jwrules.references.chooser.Chooser.name", "jwst_9999.pmap")
    (folder / ".jwrules" / "plan.pickle").unlink()
    assert counted(asked, folder) == {}


def test_everything_is_due_at_first(tmp_path, counted):
    asked = replace(program(tmp_path))
    assert counted(asked, tmp_path) == EVERYTHING


def test_every_product_of_nircam_imaging_is_due_at_first(tmp_path, counted):
    assert counted(program(tmp_path, recipe=None), tmp_path) == {
        "detector1": 8,
        "image2": 8,
        "association": 2,
        "image3": 2,
        "crf": 8,
        "picture_exposure": 8,
        "picture_mosaic": 2,
        "picture_segments": 2,
    }


def test_names_of_ones_own_run_as_others_do(tmp_path, counted):
    asked = program(tmp_path / "my data, it's", recipe=None)
    own = asked.data / "-my tést's_uncal.fits"
    write_header(own, header(9, "nrca1"))
    found = counted(asked, tmp_path / "run")
    assert (found["detector1"], found["image2"]) == (9, 9)


def test_darks_and_guide_stars_have_rules_of_their_own_beside_science(tmp_path, counted):
    asked = program(tmp_path, recipe=None)
    for dither in (7, 8):
        path = asked.data / f"{exposure(dither, 'nrca1')}_uncal.fits"
        write_header(path, header(dither, "nrca1", EXP_TYPE="NRC_DARK"))
    write_guide_stars(asked.data, Path(asked.references))
    found = counted(asked, tmp_path)
    assert {rule: found[rule] for rule in ("detector1", "dark", "guider", "image2")} == {
        "detector1": 8,
        "dark": 2,
        "guider": 3,
        "image2": 8,
    }


def test_a_large_exposure_has_a_process_of_its_own(tmp_path, counted, capfd):
    asked = program(tmp_path)
    for dither in (1, 2, 3, 4):
        path = asked.data / f"{exposure(dither, 'nrca1')}_uncal.fits"
        write_header(path, header(dither, "nrca1", SUBSIZE1=2048, SUBSIZE2=2048))
    assert counted(asked, tmp_path) == EVERYTHING
    waves.first(asked, tmp_path, ["--cores", "2"])
    assert "\ndetector1 " in "\n".join(capfd.readouterr())


def test_what_may_come_out_as_it_was_is_not_in_the_first_wave(run, counted):
    folder, asked = run
    assert counted(replace(asked, sets=("dq_init.skip=true",)), folder) == {"detector1": 8}


def test_an_option_of_image3_runs_image3_alone(run, counted):
    folder, asked = run
    found = counted(replace(asked, sets=("tweakreg.kernel_fwhm=2.1",)), folder)
    assert found == {"image3_mosaic": 2, "picture_mosaic_alone": 2}


def test_a_new_dither_runs_its_own_stages_and_its_mosaic(run, counted):
    folder, asked = run
    write_header(asked.data / f"{exposure(5, 'nrca1')}_uncal.fits", header(5, "nrca1"))
    mosaic = {"image3_mosaic": 1, "picture_mosaic_alone": 1}
    assert counted(asked, folder) == {"detector1": 1, "image2": 1, "picture_exposure": 1, "association": 1, **mosaic}


def test_a_lost_picture_is_drawn_and_nothing_else(run, counted):
    folder, asked = run
    (folder / "pictures" / "jw00042-o001_t001_nircam_clear-f200w_i2d.png").unlink()
    assert counted(asked, folder) == {"picture_mosaic_alone": 1}


def test_what_is_forced_runs_whatever_is_there(run, counted):
    folder, asked = run
    assert counted(asked, folder, ["image3"]) == {"image3_mosaic": 2, "picture_mosaic_alone": 2}
    assert counted(asked, folder, waves.ALL) == {r: n for r, n in EVERYTHING.items() if r != "association"}


def test_snakemake_alone_finds_the_same_program_up_to_date(run, capfd):
    import subprocess
    import sys

    from jwrules.cli import engine

    folder, asked = run
    asked.write(folder / "run.yaml")
    arguments = [sys.executable, "-m", "snakemake", *engine.command(folder), "--dry-run"]
    said = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert "Nothing to be done" in said.stdout + said.stderr


def test_snakemake_alone_reads_numbers_of_the_run_file_as_we_do(run):
    import subprocess
    import sys

    from jwrules.cli import engine

    folder, asked = run
    asked.write(folder / "run.yaml")
    text = (folder / "run.yaml").read_text()
    (folder / "run.yaml").write_text(
        text.replace("steps: {}", "steps: {tweakreg: {kernel_fwhm: 25e-1}}   # its default")
    )
    arguments = [sys.executable, "-m", "snakemake", *engine.command(folder), "--dry-run"]
    said = subprocess.run(arguments, check=True, capture_output=True, text=True)
    assert "Nothing to be done" in said.stdout + said.stderr
