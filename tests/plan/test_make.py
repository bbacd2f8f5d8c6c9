"""Pool, recipe and references become the jobs of every stage."""

import json
import os
import shutil
from dataclasses import replace

import pytest
import yaml
from program_scene import RECIPE, exposure, header, planned, program, write_exposures, write_header, write_reference

from jwrules import associations, pool, recipes
from jwrules.errors import WorkflowFault
from jwrules.house import SCRATCH
from jwrules.plan import prepare

SHORT = "jw00042-o001_t001_nircam_clear-f200w"
LONG = "jw00042-o001_t001_nircam_clear-f444w"


def test_every_exposure_is_a_job_of_detector1_and_image2(tmp_path):
    plan = planned(tmp_path, program(tmp_path))
    names = {exposure(dither, detector) for dither in (1, 2, 3, 4) for detector in ("nrca1", "nrcalong")}
    assert set(plan.jobs["detector1"]) == set(plan.jobs["image2"]) == names


def test_every_filter_is_a_mosaic_of_its_own(tmp_path):
    plan = planned(tmp_path, program(tmp_path))
    assert set(plan.jobs["image3"]) == {SHORT, LONG}
    assert plan.job("image3", SHORT).science == tuple(f"results/{exposure(d, 'nrca1')}_cal.fits" for d in (1, 2, 3, 4))


def test_data_below_the_working_directory_are_seen_from_there(tmp_path):
    job = planned(tmp_path, program(tmp_path)).job("detector1", exposure(1, "nrca1"))
    assert job.science == (f"uncal/{exposure(1, 'nrca1')}_uncal.fits",)


def test_data_elsewhere_are_named_in_full(tmp_path):
    asked = program(tmp_path)
    job = planned(tmp_path / "elsewhere", asked).job("detector1", exposure(1, "nrca1"))
    assert job.science == (str(tmp_path / "uncal" / f"{exposure(1, 'nrca1')}_uncal.fits"),)


def test_the_chain_holds_what_the_command_line_sets(tmp_path):
    asked = replace(program(tmp_path), sets=("resample.pixfrac=0.5",))
    chain = json.loads(planned(tmp_path, asked).job("image3", LONG).steps)
    assert chain[-1] == {"step": "resample", "params": {"pixfrac": 0.5}}


def test_the_run_file_stands_above_the_recipe_and_below_the_command_line(tmp_path):
    asked = replace(program(tmp_path), steps={"resample": {"pixfrac": 0.7}})
    over = replace(asked, sets=("resample.pixfrac=0.5",))
    found = [json.loads(planned(tmp_path, one).job("image3", LONG).steps)[-1]["params"] for one in (asked, over)]
    assert found == [{"pixfrac": 0.7}, {"pixfrac": 0.5}]


def test_a_step_that_is_skipped_needs_no_reference(tmp_path):
    asked = program(tmp_path, RECIPE.replace("dark_current,", "{dark_current: {skip: true}},"))
    for path in (tmp_path / "references").glob("*_dark_*"):
        path.unlink()
    assert "dark" not in planned(tmp_path, asked).job("detector1", exposure(1, "nrca1")).references


BY_KERNELS = RECIPE.replace("dark_current,", "refpix,")


def test_a_reference_that_the_parameters_do_not_want_is_neither_sought_nor_followed(tmp_path):
    asked = program(tmp_path, BY_KERNELS)
    job = ("detector1", exposure(1, "nrca1"))
    links = planned(tmp_path, asked).job(*job).links
    write_reference(tmp_path / "references", "sirskernel", "nrca1", DESCRIP="another")
    shutil.copy(*(tmp_path / "references" / f"jwst_nircam_sirskernel_{name}.fits" for name in ("nrca1", "twin")))
    assert planned(tmp_path, asked).job(*job).links == links


def test_a_reference_that_a_parameter_wants_is_sought(tmp_path):
    asked = replace(program(tmp_path, BY_KERNELS), sets=("refpix.refpix_algorithm=sirs",))
    assert {"sirskernel"} == set(planned(tmp_path, asked).job("detector1", exposure(1, "nrca1")).references) & {
        "sirskernel",
        "refpix",
    }


def test_exposures_that_would_write_one_file_are_refused(tmp_path):
    asked = replace(program(tmp_path), sets=("dark_current.dark_output=mine.fits",), partial=True)
    plan = planned(tmp_path, asked)
    ((said, its),) = plan.faults.items()
    assert said.startswith("dark_current.dark_output=mine.fits is asked of 8 exposures, and each would write it\n")
    assert (len(its), plan.jobs["detector1"]) == (8, {})
    alone = replace(asked, exclude={name: "clouds" for name in its if name != its[0]})
    assert len(planned(tmp_path, alone).jobs["detector1"]) == 1


def test_a_name_for_what_is_not_saved_is_no_file(tmp_path):
    asked = replace(program(tmp_path), sets=("ramp_fit.opt_name=mine",), partial=True)
    assert len(planned(tmp_path, asked).jobs["detector1"]) == 8
    saved = replace(asked, sets=("ramp_fit.opt_name=mine", "ramp_fit.save_opt=true"))
    assert planned(tmp_path, saved).jobs["detector1"] == {}


def test_a_recipe_without_resampling_gives_no_i2d(tmp_path):
    asked = program(tmp_path, RECIPE.replace("photom, resample]", "photom]"))
    assert planned(tmp_path, asked).job("image2", exposure(1, "nrca1")).gives == ("cal",)


def test_backgrounds_are_taken_from_the_association(tmp_path):
    asked = program(tmp_path)
    for dither in (5, 6):
        name = exposure(dither, "nrca1", observation=1)
        write_header(asked.data / f"{name}_uncal.fits", header(dither, "nrca1", TARGPROP="BLANK", BKGDTARG=True))
    job = planned(tmp_path, asked).job("image2", exposure(1, "nrca1"))
    assert job.background == tuple(f"results/{exposure(d, 'nrca1')}_rate.fits" for d in (5, 6))
    assert job.gives == ("cal", "i2d", "bsub")


def test_exposures_without_a_recipe_are_left_out_with_the_reason(tmp_path):
    asked = program(tmp_path)
    write_exposures(asked.data, dithers=[9], EXP_TYPE="NRC_DARK")
    left_out = planned(tmp_path, asked).left_out
    assert len(left_out) == 2
    assert "EXP_TYPE is NRC_DARK" in left_out[0].reason


def test_an_association_of_a_stage_that_the_recipe_lacks_is_no_job(tmp_path):
    asked = program(tmp_path, RECIPE.replace("  image3: [tweakreg, skymatch, resample]\n", ""))
    plan = planned(tmp_path, asked)
    assert plan.jobs["image3"] == {}
    assert len(plan.jobs["image2"]) == 8


@pytest.mark.parametrize("where", ["run file", "recipe"])
def test_an_excluded_exposure_is_processed_nowhere_and_its_reason_is_kept(tmp_path, where):
    name = exposure(2, "nrca1")
    rules = f'associations:\n  exclude: {{{name}: "satellite trail"}}\n'
    asked = program(tmp_path, RECIPE if where == "run file" else RECIPE.replace("associations:\n", rules))
    asked = replace(asked, exclude={name: "satellite trail"}) if where == "run file" else asked
    plan = planned(tmp_path, asked)
    assert [one.reason for one in plan.left_out] == ["excluded: satellite trail"]
    assert all(name not in path for job in plan.all() for path in (job.name, *job.science))
    assert len(plan.job("image3", SHORT).science) == 3


def test_where_nothing_can_be_processed_every_reason_is_told(tmp_path):
    asked = program(tmp_path)
    write_exposures(asked.data, EXP_TYPE="NRC_DARK")
    with pytest.raises(WorkflowFault, match="no exposure can be processed") as fault:
        planned(tmp_path, asked).targets()
    assert str(fault.value).count("EXP_TYPE is NRC_DARK") == 8


def test_without_a_run_file_the_plan_says_so(tmp_path):
    with pytest.raises(WorkflowFault, match="there is no run file"):
        prepare({}).targets()


def test_a_profile_says_where_jobs_write_unless_the_environment_does(tmp_path, monkeypatch):
    asked = program(tmp_path)
    asked.write(tmp_path / "run.yaml")
    config = {**yaml.safe_load((tmp_path / "run.yaml").read_text()), "scratch": "SLURM_TMPDIR:TMPDIR"}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(SCRATCH, "/fast")
    assert prepare(config).all()
    assert os.environ[SCRATCH] == "/fast"
    monkeypatch.delenv(SCRATCH)
    assert prepare(config).all()
    assert os.environ[SCRATCH] == "SLURM_TMPDIR:TMPDIR"


def test_every_missing_reference_is_told_at_once_with_its_exposures(tmp_path):
    asked = program(tmp_path)
    for kind in ("dark", "gain"):
        (tmp_path / "references" / f"jwst_nircam_{kind}_nrca1.fits").unlink()
    with pytest.raises(WorkflowFault) as fault:
        planned(tmp_path, asked)
    assert "dark" in str(fault.value)
    assert "gain" in str(fault.value)
    assert exposure(1, "nrca1") in str(fault.value)
    assert exposure(1, "nrcalong") not in str(fault.value)


def test_a_product_that_would_lie_in_another_folder_is_refused(tmp_path):
    asked = program(tmp_path, RECIPE.replace("[INSTRUME, optics, target]", "[INSTRUME, optics, target, SUBARRAY]"))
    path = tmp_path / "uncal" / f"{exposure(1, 'nrca1')}_uncal.fits"
    write_header(path, header(1, "nrca1", SUBARRAY="../../x"))
    with pytest.raises(
        WorkflowFault, match=r"-\.\./\.\./x: is no file name; .* look at SUBARRAY = '../../[xX]' of"
    ) as said:
        planned(tmp_path, asked)
    assert str(path) in str(said.value)


def test_one_fault_of_many_exposures_is_told_once(tmp_path):
    asked = program(tmp_path)
    (tmp_path / "references" / "jwst_nircam_dark_nrca1.fits").unlink()
    with pytest.raises(WorkflowFault, match="1 thing is wrong") as fault:
        planned(tmp_path, asked)
    assert str(fault.value).count("no reference file of type 'dark'") == 1
    assert "and 1 more" in str(fault.value)


def test_a_reference_of_another_content_has_another_link_and_a_touched_one_the_same(tmp_path):
    asked = program(tmp_path)
    job = ("detector1", exposure(1, "nrca1"))
    links = planned(tmp_path, asked).job(*job).links
    (tmp_path / "references" / "jwst_nircam_dark_nrca1.fits").touch()
    assert planned(tmp_path, asked).job(*job).links == links
    write_reference(tmp_path / "references", "dark", "nrca1", DESCRIP="another")
    assert planned(tmp_path, asked).job(*job).links != links


def test_references_that_moved_keep_their_links(tmp_path):
    asked = program(tmp_path)
    links = planned(tmp_path, asked).job("detector1", exposure(1, "nrca1")).links
    (tmp_path / "references").rename(tmp_path / "elsewhere")
    moved = replace(asked, references=str(tmp_path / "elsewhere"))
    assert planned(tmp_path, moved).job("detector1", exposure(1, "nrca1")).links == links


def test_a_new_dither_changes_only_its_own_mosaic_members(tmp_path):
    asked = program(tmp_path)
    before = planned(tmp_path, asked)
    name = exposure(5, "nrca1")
    write_header(asked.data / f"{name}_uncal.fits", header(5, "nrca1"))
    after = planned(tmp_path, asked)
    same = [job for job in before.all() if after.job(job.stage, job.name) == job]
    assert {job.name for job in before.all()} - {job.name for job in same} == {SHORT}


def test_more_groups_need_more_memory(tmp_path):
    asked = program(tmp_path)
    few = planned(tmp_path, asked).job("detector1", exposure(1, "nrca1")).mem_mb
    write_exposures(asked.data, NGROUPS=200, SUBSIZE1=2048, SUBSIZE2=2048)
    many = planned(tmp_path, asked).job("detector1", exposure(1, "nrca1")).mem_mb
    assert many - few == pytest.approx(200 * 2048**2 * 5 / 2**20, rel=0.1)


def test_what_is_written_beside_the_ramp_needs_room_in_memory_and_on_disk(tmp_path):
    """A full frame of 20 groups has 320 MB of noise."""
    jobs = []
    for asked_for in ("false", "true"):
        step = f"{{clean_flicker_noise: {{save_noise: {asked_for}}}}}, ramp_fit"
        asked = program(tmp_path / asked_for, RECIPE.replace("ramp_fit", step))
        write_exposures(asked.data, NGROUPS=20, SUBSIZE1=2048, SUBSIZE2=2048)
        jobs.append(planned(tmp_path / asked_for, asked).job("detector1", exposure(1, "nrca1")))
    assert jobs[1].mem_mb - jobs[0].mem_mb == 320
    assert jobs[1].room - jobs[0].room == 320 * 2**20


MEGABYTES = {
    "{clean_flicker_noise: {save_mask: true}}, ramp_fit": 16,  # a number of 4 bytes for each pixel
    "{persistence: {save_persistence: true}}, ramp_fit": 320,  # one for each group
    "{clean_flicker_noise: {save_mask: true, skip: true}}, ramp_fit": 0,
    "{ramp_fit: {save_opt: true}}": 16 + 6 * 8 * 16,  # the pedestal, and six segments of eight numbers
    "{ramp_fit: {save_opt: true, algorithm: LIKELY}}": 0,  # the quality of a fit is small
}


@pytest.mark.parametrize("steps", MEGABYTES)
def test_what_options_ask_for_takes_disk(tmp_path, steps):
    rooms = []
    for number, chain in enumerate((steps.replace("true", "false").replace("skip: false", "skip: true"), steps)):
        asked = program(tmp_path / str(number), RECIPE.replace("ramp_fit", chain))
        write_exposures(asked.data, NGROUPS=20, SUBSIZE1=2048, SUBSIZE2=2048)
        rooms.append(planned(tmp_path / str(number), asked).job("detector1", exposure(1, "nrca1")).room)
    assert rooms[1] - rooms[0] == MEGABYTES[steps] * 2**20


def test_a_file_that_an_option_names_counts_by_its_content(tmp_path):
    asked = program(tmp_path)
    chains = []
    for place, content in (("here", "stars"), ("there", "stars"), ("there", "other stars")):
        catalog = tmp_path / place / "stars.ecsv"
        catalog.parent.mkdir(exist_ok=True)
        catalog.write_text(content)
        plan = planned(tmp_path, replace(asked, sets=(f"tweakreg.abs_refcat={catalog}",)))
        chains.append(plan.job("image3", SHORT).steps)
    assert chains[0] == chains[1] != chains[2]


def test_a_file_is_seen_from_the_working_directory_or_from_the_recipe_that_names_it(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    asked = program(tmp_path / "run", RECIPE.replace("tweakreg,", "tweakreg: {abs_refcat: stars.ecsv},"))
    options = {"tweakreg": {"abs_refcat": "stars.ecsv"}}
    (tmp_path / "run" / "work").mkdir()
    for place in ("run", "run/work"):
        (tmp_path / place / "stars.ecsv").write_text(place)
    opened = [
        planned(tmp_path / "run" / "work", replace(asked, steps=steps)).job("image3", SHORT).files[0].path
        for steps in ({}, options)
    ]
    assert opened == [tmp_path / "run" / "stars.ecsv", tmp_path / "run" / "work" / "stars.ecsv"]


def test_what_can_be_made_is_planned_beside_what_cannot_and_why(tmp_path):
    asked = program(tmp_path)
    (tmp_path / "references" / "jwst_nircam_dark_nrca1.fits").unlink()
    (asked.data / f"{exposure(1, 'nrcalong')}_uncal.fits").write_bytes(b"damaged")
    plan = planned(tmp_path, replace(asked, partial=True))
    assert set(plan.jobs["image2"]) == {exposure(dither, "nrcalong") for dither in (2, 3, 4)}
    assert list(plan.jobs["image3"]) == [LONG]
    assert len(plan.faults) == 2
    assert plan.blocked["image2", exposure(1, "nrca1")] == f"{exposure(1, 'nrca1')}_rate.fits cannot be made"
    assert plan.blocked["image3", SHORT] == f"{exposure(1, 'nrca1')}_cal.fits and 3 more cannot be made"


def with_backgrounds(tmp_path):
    """A program in which the rules give a mosaic of a target and one of its backgrounds the same name."""
    members = "{science: {file: cal, played_by: [background]}}"
    rule = f"{{type: image3, one_for_each: [INSTRUME, optics, target], members: {members}}}"
    asked = program(tmp_path, RECIPE.replace("associations:\n", f"associations:\n  image3_background: {rule}\n"))
    for dither in (5, 6):
        name = exposure(dither, "nrca1")
        write_header(asked.data / f"{name}_uncal.fits", header(dither, "nrca1", BKGDTARG=True))
    return asked


def test_of_two_products_of_one_name_neither_is_made_and_both_are_told(tmp_path):
    plan = planned(tmp_path, replace(with_backgrounds(tmp_path), partial=True))
    assert list(plan.jobs["image3"]) == [LONG]
    ((words, of),) = plan.faults.items()
    assert of == [SHORT]
    for told in ("_image3_00001_asn.json (by short.image3: ", "(by short.image3_background: ", "'product'"):
        assert told in words


def test_two_products_of_one_name_are_told_apart_by_an_association_among_the_data(tmp_path):
    asked = with_backgrounds(tmp_path)
    table = pool.scan(asked.data)
    made = associations.make(table, [recipes.read(asked.recipe)])
    other = next(one for one in made if one.rule == "short.image3_background")
    associations.write(replace(other, product="sky"), asked.data)
    assert set(planned(tmp_path, asked).jobs["image3"]) == {SHORT, LONG, "sky"}
