"""A variant makes what differs, and shares the rest: the files are the same ones on disk."""

import os
import shutil
from dataclasses import replace

import pretend
import pytest
from program_scene import RECIPE, exposure, program

from jwrules import plan as planning
from jwrules import records
from jwrules.errors import DataFault, WorkflowFault
from jwrules.plan import Is, lock, variants

FIRST = exposure(1, "nrca1")
MOSAIC = "jw00042-o001_t001_nircam_clear-f200w"
WIDER = ("resample.pixfrac=0.5",)
"""An option of stages 2 and 3."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A program of which everything is made, and what was asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jwrules.recipes.all", dict)
        folder = tmp_path_factory.mktemp("finished")
        asked = program(folder)
        asked.write(folder / "run.yaml")
        assert len(pretend.run(asked, folder)) == 18
        yield folder, asked


@pytest.fixture
def made(finished, tmp_path):
    """A copy of it that a test may change, looked at once since it was copied."""
    folder, asked = finished
    here = tmp_path / "run"
    shutil.copytree(folder, here, symlinks=True)
    asked = replace(
        asked, data=here / "uncal", references=str(here / "references"), recipe=here / "short.yaml", sets=()
    )
    standing(here, asked)
    return here, asked


def standing(folder, asked):
    return planning.states(planning.of(asked, folder), asked, folder).standing(Is.DUE, Is.PERHAPS)


def vary(folder, asked, name="other"):
    """Run a variant; return its folder and the jobs that it made itself."""
    place = variants.place(folder, name)
    place.mkdir(parents=True, exist_ok=True)
    asked.write(place / "run.yaml")
    return place, pretend.run(asked, place)


def is_shared(folder, place, path):
    return (folder / path).stat().st_ino == (place / path).stat().st_ino


def let_no_product_be_read(monkeypatch):
    real = records.digest

    def digest(path):
        assert path.parent.name != "results", path
        return real(path)

    monkeypatch.setattr("jwrules.records.contents.digest", digest)


def test_a_variant_makes_only_what_differs(made):
    folder, asked = made
    place, ran = vary(folder, replace(asked, sets=WIDER))
    assert {stage for stage, _ in ran} == {"image2", "image3"}
    assert is_shared(folder, place, f"results/{FIRST}_rate.fits")
    assert not is_shared(folder, place, f"results/{FIRST}_cal.fits")


def test_a_variant_that_asks_the_same_shares_everything_with_its_pictures(made):
    folder, asked = made
    place, ran = vary(folder, asked)
    assert ran == []
    assert is_shared(folder, place, f"pictures/{MOSAIC}_i2d.png")
    assert not is_shared(folder, place, "results/jw00042-o001_image3_00001_asn.json")


def test_a_variant_shares_with_another(made):
    folder, asked = made
    vary(folder, replace(asked, sets=WIDER))
    place, ran = vary(folder, replace(asked, sets=WIDER), "third")
    assert ran == []
    assert is_shared(folder / "variants" / "other", place, f"results/{MOSAIC}_i2d.fits")


def test_links_make_nothing_stale_nor_unknown(made, monkeypatch):
    folder, asked = made
    place, _ = vary(folder, asked)
    let_no_product_be_read(monkeypatch)
    assert standing(folder, asked) == standing(place, asked) == {}


def test_what_a_variant_makes_later_leaves_the_first_as_it_is(made):
    folder, asked = made
    vary(folder, asked)
    before = (folder / "results" / f"{FIRST}_cal.fits").read_bytes()
    _, ran = vary(folder, replace(asked, sets=WIDER))
    assert ("image2", FIRST) in ran
    assert (folder / "results" / f"{FIRST}_cal.fits").read_bytes() == before
    assert standing(folder, asked) == {}


def test_products_that_were_touched_are_shared_and_then_known(made, monkeypatch):
    folder, asked = made
    for path in (folder / "results").glob("*.fits"):
        os.utime(path)
    place, ran = vary(folder, asked)
    assert ran == []
    let_no_product_be_read(monkeypatch)
    assert standing(folder, asked) == standing(place, asked) == {}


def test_a_product_that_somebody_edited_is_not_shared(made):
    folder, asked = made
    path = folder / "results" / f"{FIRST}_rate.fits"
    path.unlink()
    path.write_text("edited by hand")
    _, ran = vary(folder, asked)
    assert [name for stage, name in ran if stage == "detector1"] == [FIRST]


def test_flagged_exposures_are_shared_as_their_record_names_them(tmp_path):
    asked = program(tmp_path, RECIPE.replace("skymatch", "skymatch, outlier_detection"))
    asked.write(tmp_path / "run.yaml")
    pretend.run(asked, tmp_path)
    plan = planning.of(asked, tmp_path)
    job = plan.job("image3", MOSAIC)
    named = [one.file for one in records.read(tmp_path / job.record).gave]
    assert f"../{plan.flagged_folder(job)}/{FIRST}_o001_crf.fits" in named
    place, ran = vary(tmp_path, asked)
    assert ("image3", MOSAIC) not in ran
    assert is_shared(tmp_path, place, f".jwrules/crf/{MOSAIC}/{FIRST}_o001_crf.fits")
    assert (place / "results" / f"{FIRST}_o001_crf.fits").read_text() == "flagged"


def test_where_links_cannot_be_made_files_are_copied(made, monkeypatch):
    def refuse(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    folder, asked = made
    place, ran = vary(folder, asked)
    assert ran == []
    assert not is_shared(folder, place, f"results/{FIRST}_cal.fits")
    assert standing(place, asked) == {}


def test_where_a_run_is_at_work_nothing_is_linked_that_it_may_read(made):
    folder, asked = made
    before = {path: records.stat(path) for path in (folder / "results").iterdir()}
    with lock.held(folder) as is_held:
        assert is_held
        place, ran = vary(folder, asked)
    assert len(ran) == 18
    assert before == {path: records.stat(path) for path in (folder / "results").iterdir()}
    assert not is_shared(folder, place, f"results/{FIRST}_rate.fits")


def test_while_a_job_is_linked_only_that_directory_is_locked(made, monkeypatch):
    def linked(source, *rest):
        with lock.held(folder) as first_is_free, lock.held(second) as second_is_free:
            assert (first_is_free, second_is_free) == (False, True)
        return real(source, *rest)

    folder, asked = made
    second, _ = vary(folder, asked, "second")
    real = os.link
    monkeypatch.setattr(os, "link", linked)
    assert vary(folder, asked, "third")[1] == []


def test_records_of_a_third_directory_follow_unless_a_run_is_at_work_there(made, monkeypatch):
    folder, asked = made
    second, third = (vary(folder, asked, name)[0] for name in ("second", "third"))
    with lock.held(second):
        vary(folder, asked, "fourth")
    assert standing(second, asked) == {}
    let_no_product_be_read(monkeypatch)
    assert standing(folder, asked) == standing(third, asked) == {}


def test_what_is_protected_in_another_directory_is_shared_as_it_is(made, monkeypatch):
    def refuse(record, where):
        if where.parent == folder:
            raise DataFault(f"{where}: cannot be written (Read-only file system)")
        return real(record, where)

    folder, asked = made
    real = records.write
    monkeypatch.setattr(records, "write", refuse)
    assert vary(folder, asked)[1] == []
    assert standing(folder, asked) == {}


def test_a_run_that_is_killed_while_it_links_leaves_no_record_of_what_was_there_before(made, monkeypatch):
    def die(record, where):
        raise pretend.Killed

    folder, asked = made
    wider = replace(asked, sets=WIDER)
    place, _ = vary(folder, wider)
    with monkeypatch.context() as patch, pytest.raises(pretend.Killed):
        patch.setattr(records, "write", die)
        vary(folder, asked)
    due = planning.states(planning.of(wider, place), wider, place).standing(Is.DUE)
    assert list(due.values()) == ["no record says how it was made"]


def test_a_picture_of_other_products_does_not_stay(made):
    folder, asked = made
    place, _ = vary(folder, replace(asked, sets=WIDER))
    (folder / "pictures" / f"{MOSAIC}_i2d.png").unlink()
    (place / "pictures" / f"{MOSAIC}_i2d.png").write_text("of other products")
    vary(folder, asked)
    assert (place / "pictures" / f"{MOSAIC}_i2d.png").read_text() != "of other products"


def test_a_folder_above_where_nothing_ran_is_left_alone(tmp_path):
    place = tmp_path / "variants" / "one"
    place.mkdir(parents=True)
    pretend.run(program(place), place)
    assert [path.name for path in tmp_path.iterdir()] == ["variants"]
    assert variants.beside(place) == []


def test_the_name_of_a_variant_is_no_path(tmp_path):
    with pytest.raises(WorkflowFault, match="a name is wanted"):
        variants.place(tmp_path, "../elsewhere")
