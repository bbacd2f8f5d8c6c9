"""What is due is decided by content, and why is told: no time stamp matters."""

import os
from dataclasses import replace
from pathlib import Path

import pretend
import pytest
from program_scene import RECIPE, exposure, header, program, write_header, write_reference

from jwrules import plan as planning
from jwrules import records
from jwrules.plan import Is

FIRST = exposure(1, "nrca1")
MOSAIC = "jw00042-o001_t001_nircam_clear-f200w"
OTHER_MOSAIC = "jw00042-o001_t001_nircam_clear-f444w"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A program of which everything is made, and what was asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwrules.recipes.all", dict)
        folder = tmp_path_factory.mktemp("finished")
        asked = program(folder)
        assert len(pretend.run(asked, folder)) == 18
        yield folder, asked


@pytest.fixture
def made(finished, tmp_path):
    """A copy of it that a test may change: every file has another inode and other times."""
    import shutil

    folder, asked = finished
    shutil.copytree(folder, tmp_path / "run", symlinks=True)
    here = {"data": tmp_path / "run" / "uncal", "references": str(tmp_path / "run" / "references")}
    return tmp_path / "run", replace(asked, **here, recipe=tmp_path / "run" / "short.yaml")


def standing(folder, asked, *kinds):
    plan = planning.of(asked, folder)
    return planning.states(plan, asked, folder).standing(*kinds)


def due(folder, asked):
    return standing(folder, asked, Is.DUE)


def edit(path, text):
    path.unlink()
    path.write_text(text)


def test_what_was_copied_to_another_place_is_up_to_date(made):
    assert due(*made) == {}
    assert standing(*made, Is.PERHAPS) == {}


def test_a_second_run_makes_nothing(made):
    folder, asked = made
    assert pretend.run(asked, folder) == []


def test_a_product_that_only_an_option_asked_for_is_made_again_where_it_was_deleted(made):
    folder, asked = made
    extra, results = folder / "results" / f"{FIRST}_fitopt.fits", folder / "results"
    extra.write_bytes(b"slopes of segments")
    record = records.read(results / f"{FIRST}_detector1.json")
    also = records.Gave(extra.name, records.digest(extra), records.stat(extra))
    records.write(replace(record, gave=(*record.gave, also)), results)
    assert due(folder, asked) == {}
    extra.unlink()
    assert due(folder, asked) == {("detector1", FIRST): f"missing: {extra.name}"}


def test_touched_files_make_nothing_stale(made):
    folder, asked = made
    for path in [*(folder / "uncal").iterdir(), *(folder / "results").iterdir(), *(folder / "references").iterdir()]:
        os.utime(path)
    assert due(folder, asked) == {}


def test_an_exposure_that_changed_under_its_old_time_is_noticed(made):
    folder, asked = made
    path = folder / "uncal" / f"{FIRST}_uncal.fits"
    before = path.stat()
    text = path.read_bytes()
    path.write_bytes(text[:-10] + b"0123456789")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert due(folder, asked) == {("detector1", FIRST): f"changed: {FIRST}_uncal.fits"}


def test_what_may_come_out_as_it_was_is_only_perhaps_due(made):
    folder, asked = made
    changed = replace(asked, sets=("dq_init.skip=true",))
    assert {stage for stage, _ in due(folder, changed)} == {"detector1"}
    assert {stage for stage, _ in standing(folder, changed, Is.PERHAPS)} == {"image2", "image3"}


def test_a_product_that_comes_out_as_it_was_makes_nothing_stale(made):
    folder, asked = made
    assert {stage for stage, _ in pretend.run(replace(asked, sets=("dq_init.skip=true",)), folder)} == {
        "detector1",
        "image2",
        "image3",
    }
    same = pretend.run(replace(asked, sets=("gain_scale.skip=true",)), folder, same=["detector1"])
    assert {stage for stage, _ in same} == {"detector1", "image2", "image3"}
    again = pretend.run(replace(asked, sets=("dark_current.skip=true",)), folder, same=["detector1"])
    assert {stage for stage, _ in again} == {"detector1"}


def test_the_reason_says_which_option_changed(made):
    folder, asked = made
    reasons = due(folder, replace(asked, sets=("tweakreg.kernel_fwhm=2.1",)))
    assert reasons == {("image3", name): "tweakreg.kernel_fwhm default -> 2.1" for name in (MOSAIC, OTHER_MOSAIC)}


def test_the_reason_says_which_reference_changed(made):
    folder, asked = made
    write_reference(Path(asked.references), "dark", "nrca1", DESCRIP="another")
    reasons = due(folder, asked)
    assert len(reasons) == 4
    assert reasons["detector1", FIRST].startswith("dark jwst_nircam_dark_nrca1.fits (")


def test_references_that_moved_make_nothing_stale(made):
    folder, asked = made
    Path(asked.references).rename(folder / "elsewhere")
    assert due(folder, replace(asked, references=str(folder / "elsewhere"))) == {}


def test_a_comment_in_the_recipe_makes_nothing_stale(made):
    folder, asked = made
    asked.recipe.write_text(RECIPE + "# a thought\n")
    assert due(folder, asked) == {}


def test_a_new_dither_is_due_with_its_mosaic(made):
    folder, asked = made
    new = exposure(5, "nrca1")
    write_header(asked.data / f"{new}_uncal.fits", header(5, "nrca1"))
    assert due(folder, asked) == {
        ("detector1", new): "missing",
        ("image2", new): "missing",
        ("image3", MOSAIC): f"{new}_cal.fits is a new member",
    }


def test_a_dither_that_is_gone_makes_its_mosaic_anew(made):
    folder, asked = made
    (asked.data / f"{FIRST}_uncal.fits").unlink()
    assert due(folder, asked)["image3", MOSAIC].startswith(f"{FIRST}_cal.fits is no longer a member")


def test_an_association_that_has_another_number_is_named(made):
    folder, asked = made
    (asked.data / f"{FIRST}_uncal.fits").unlink()
    first, second = (f"jw00042-o001_image3_{number:05}_asn.json" for number in (1, 2))
    assert due(folder, asked)["image3", OTHER_MOSAIC] == f"its association is {first}, was {second}"


def test_a_lost_product_is_due_and_what_follows_perhaps(made):
    folder, asked = made
    (folder / "results" / f"{FIRST}_cal.fits").unlink()
    assert due(folder, asked) == {("image2", FIRST): "missing"}
    assert standing(folder, asked, Is.PERHAPS) == {("image3", MOSAIC): f"if these come out different: {FIRST}_cal.fits"}
    assert pretend.run(asked, folder) == [("image2", FIRST)]


def test_a_product_that_somebody_edited_stands_and_makes_stale_what_follows(made):
    folder, asked = made
    edit(folder / "results" / f"{FIRST}_cal.fits", "edited by hand")
    assert due(folder, asked) == {("image3", MOSAIC): f"changed: {FIRST}_cal.fits"}


def test_a_product_without_record_is_made_anew(made):
    folder, asked = made
    (folder / "results" / f"{FIRST}_image2.json").write_text("half")
    assert due(folder, asked) == {("image2", FIRST): "no record says how it was made"}


def test_what_a_killed_run_with_other_options_left_is_not_taken_for_what_was_there(made):
    folder, asked = made

    def kill(moment, job):
        if moment == "half" and job.stage == "image3":
            raise pretend.Killed

    with pytest.raises(pretend.Killed):
        pretend.run(replace(asked, sets=("tweakreg.kernel_fwhm=2.1",)), folder, at=kill)
    reasons = due(folder, asked)
    assert reasons == {("image3", MOSAIC): "no record says how it was made"}


def test_a_clock_that_was_set_back_makes_nothing_stale(made):
    folder, asked = made
    for path in (folder / "uncal").iterdir():
        os.utime(path, (4e9, 4e9))
    assert due(folder, asked) == {}


def test_other_code_makes_stale_what_goes_through_it(made, monkeypatch):
    folder, asked = made
    monkeypatch.setattr("jwrules.records.code.Code.version", lambda self, stage, steps: f"new {stage == 'image2'}")
    monkeypatch.setattr("jwrules.plan.remembered._load", lambda path: None)
    reasons = due(folder, asked)
    assert {stage for stage, _ in reasons} == {"detector1", "image2", "image3"}
    assert all("made by the code of release" in reason for reason in reasons.values())


def test_what_waits_for_a_job_that_failed_is_not_ready(made):
    folder, asked = made
    plan = planning.of(asked, folder)
    for path in (folder / "results").iterdir():
        path.unlink()
    states = planning.states(plan, asked, folder)
    assert len(states.ready()) == 18
    ready = states.ready(failed={("detector1", FIRST)})
    assert ("image2", FIRST) not in ready
    assert ("image3", MOSAIC) not in ready
    assert ("image3", OTHER_MOSAIC) in ready


def test_flagged_exposures_may_wait_in_their_folder_and_are_made_again_where_they_are_nowhere(tmp_path):
    asked = program(tmp_path, RECIPE.replace("skymatch", "skymatch, outlier_detection"))
    plan = planning.of(asked, tmp_path)
    pretend.run(asked, tmp_path)
    mosaics = [job for job in plan.all() if job.stage == "image3"]
    (tmp_path / plan.flagged(mosaics[0])[0]).unlink()
    assert due(tmp_path, asked) == {}
    for path in tmp_path.glob("**/*_crf.fits"):
        path.unlink()
    again = due(tmp_path, asked)
    assert set(again) == {(job.stage, job.name) for job in mosaics}
    assert all("crf" in reason for reason in again.values())
