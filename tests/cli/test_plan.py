"""The command plan: what it writes, and what it says of that which cannot be made."""

import json
from pathlib import Path

import pretend
import pytest
from program_scene import exposure, program, write_reference

from jwrules import cli, recipes
from jwrules.cli import page, waves
from jwrules.plan import disk, rows, settings
from jwrules.references import content_hash

DARK = "jwst_nircam_dark_nrca1.fits"

pytestmark = pytest.mark.usefixtures("quiet_afterwards")


@pytest.fixture
def words(tmp_path, monkeypatch):
    """The words of a command on a program: data, references, recipe and working directory."""
    monkeypatch.setattr(recipes, "all", dict)
    asked = program(tmp_path)
    given = ["--references", asked.references, "--recipe", str(asked.recipe), "--output", str(tmp_path)]
    return [str(asked.data), *given]


def planned(words, capsys, *more):
    """Return the exit status of `jwrules plan`, and what it gives as JSON."""
    status = cli.main(["plan", *words, "--json", "-", *more])
    return status, json.loads(capsys.readouterr().out)


def test_a_plan_says_of_every_product_what_it_is_made_of_and_how_it_stands(words, capsys):
    status, plan = planned(words, capsys, "--set", "resample.pixfrac=0.5")
    assert status == 0
    job = plan["jobs"][-1]
    group = plan["groups"][job["group"]]
    assert (job["stage"], job["state"], len(job["members"])) == ("image3", "missing", 4)
    assert [one["origin"] for one in group["options"]] == ["--set"]
    assert all(len(one["sha256"]) == 64 and one["why"] for group in plan["groups"] for one in group["references"])
    assert [one["to_make"] for one in plan["stages"]] == [8, 8, 2]


def test_of_a_reference_it_says_what_the_next_best_lacks(words, capsys):
    _, plan = planned(words, capsys)
    dark = next(one for one in plan["groups"][0]["references"] if one["type"] == "dark")
    assert dark["why"].startswith("the only one that fits; jwst_nircam_dark_nrcalong.fits: ")


def test_what_cannot_be_made_is_told_at_once_with_a_status_of_its_own(words, capsys, tmp_path):
    (tmp_path / "references" / DARK).unlink()
    (Path(words[0]) / f"{exposure(1, 'nrcalong')}_uncal.fits").write_bytes(b"damaged")
    status, plan = planned(words, capsys)
    assert status == 1
    assert len(plan["cannot"]) == 2
    assert {one["stage"] for one in plan["blocked"]} == {"image2", "image3"}
    assert {job["stage"] for job in plan["jobs"]} == {"detector1", "image2", "image3"}
    assert cli.main(["plan", *words]) == 1
    assert "cannot be made: 2 reasons" in capsys.readouterr().out


def test_a_run_refuses_what_cannot_all_be_made(words, capsys, tmp_path):
    (tmp_path / "references" / DARK).unlink()
    assert cli.main(["run", *words]) == 1
    said = capsys.readouterr().err
    assert "1 thing is wrong; nothing was run" in said
    assert "--partial" in said


def test_a_run_says_once_and_as_the_plan_does_that_a_pinned_file_is_for_another_filter(
    words, capsys, tmp_path, monkeypatch
):
    flat = write_reference(tmp_path / "more", "flat", "nrca1", FILTER="F090W").rename(tmp_path / "references/own.fits")
    flats = (flat, flat.with_name("jwst_nircam_flat_nrcalong.fits"))
    pin = {"files": {"flat": {one.name: content_hash(one) for one in flats}}}
    settings.Settings(Path(words[0]), words[2], Path(words[4]), pin=pin).write(tmp_path / "run.yaml")
    _, plan = planned(words, capsys)
    (why,) = {one["why"] for group in plan["groups"] for one in group["references"] if one["file"] == flat.name}
    monkeypatch.setattr(waves, "run", lambda *_: (1, 0))
    cli.main(["run", *words])
    its = f"{', '.join(exposure(dither, 'nrca1') for dither in (1, 2, 3))} and 1 more"
    assert capsys.readouterr().err.splitlines() == [f"warning: reference file flat own.fits: {why}: for {its}"]


IDLE = "nothing comes of it, because {} is skipped (skip: true, --set); --set {}.skip=false has it run"


def test_plan_and_run_say_once_that_an_option_is_for_a_step_that_no_job_runs(words, capsys, monkeypatch):
    sets = ["--set", "tweakreg.skip=true", "--set", "tweakreg.brightest=7"]
    said = f"warning: --set tweakreg.brightest: {IDLE.format('tweakreg', 'tweakreg')}"
    cli.main(["plan", *words, *sets])
    assert capsys.readouterr().err.splitlines() == [said]
    monkeypatch.setattr(waves, "run", lambda *_: (1, 0))
    cli.main(["run", *words, *sets])
    assert capsys.readouterr().err.splitlines() == [said]


def test_an_option_is_not_warned_of_where_another_job_runs_its_step():
    def job(stage, runs, idle):
        return rows.Job(stage, "a", "", (), (), "[]", runs, {}, mem_mb=1, runtime=1, idle=idle)

    skipped = job("image2", (), {"resample": "of all", "image2.resample": "of this"})
    plan = rows.Plan({"image2": {"a": skipped}, "image3": {"a": job("image3", ("resample",), {})}}, release="1")
    assert plan.idle == ["of this"]


def test_a_stage_by_hand_says_of_its_exposure_that_an_option_is_for_a_skipped_step(words, capsys, tmp_path):
    name = f"{exposure(1, 'nrca1')}_uncal.fits"
    sets = ["--set", "dark_current.skip=true", "--set", "dark_current.average_dark_current=1"]
    cli.main(["detector1", str(Path(words[0]) / name), *words[1:], *sets])
    said = f"warning: {name}: --set dark_current.average_dark_current: {IDLE.format(*['dark_current'] * 2)}"
    assert said in capsys.readouterr().err.splitlines()


def test_the_page_holds_the_plan_and_nothing_that_ends_its_script(words, tmp_path):
    assert cli.main(["plan", *words, "--html", str(tmp_path / "plan.html"), "--json", str(tmp_path / "plan.json")]) == 0
    text = (tmp_path / "plan.html").read_text()
    held = text.partition('type="application/json">')[2].partition("</script>")[0]
    assert json.loads(held)["jobs"] == json.loads((tmp_path / "plan.json").read_text())["jobs"]
    assert "src=" not in text
    content = {"stages": [], "cannot": [], "set": ["x=</script>"]}
    assert page.page(content).count("</script>") == page.page({**content, "set": []}).count("</script>")


def test_a_plan_file_alone_decides(words, capsys, tmp_path):
    path = tmp_path / "plan.yaml"
    assert cli.main(["plan", *words, "--set", "resample.pixfrac=0.5", "--write", str(path)]) == 0
    capsys.readouterr()
    status, plan = planned([str(path), "--output", str(tmp_path / "elsewhere")], capsys)
    assert (status, plan["set"]) == (0, ["resample.pixfrac=0.5"])
    assert cli.main(["run", str(path), "--set", "resample.pixfrac=0.7"]) == 1
    assert "--set: " in capsys.readouterr().err


def test_a_variant_keeps_its_options_until_others_are_given(words, capsys, tmp_path):
    _, first = planned(words, capsys, "--variant", "wide", "--set", "resample.pixfrac=0.5")
    assert first["directory"] == str(tmp_path / "variants" / "wide")
    asked = settings.Settings(Path(words[0]), words[2], Path(words[4]), sets=("resample.pixfrac=0.5",))
    asked.write(tmp_path / "variants" / "wide" / "run.yaml")
    again = [words[0], "--output", str(tmp_path), "--variant", "wide"]
    assert planned(again, capsys)[1]["set"] == ["resample.pixfrac=0.5"]
    assert planned([*again, "--set", "resample.pixfrac=0.7"], capsys)[1]["set"] == ["resample.pixfrac=0.7"]


def test_what_another_run_has_is_said_to_be_linked(words, capsys, tmp_path):
    asked = settings.Settings(Path(words[0]), words[2], Path(words[4]))
    asked.write(tmp_path / "run.yaml")
    pretend.run(asked, tmp_path)
    _, plan = planned(words, capsys, "--variant", "wide", "--set", "image3.resample.pixfrac=0.5")
    assert [(one["linked"], one["to_make"]) for one in plan["stages"]] == [(8, 0), (8, 0), (0, 2)]
    assert {job["reason"] for job in plan["jobs"] if job["state"] == "linked"} == {f"{tmp_path} has it"}


def test_associations_among_the_data_are_shown_and_those_that_no_stage_makes_too(words, capsys):
    data, members = Path(words[0]), [{"expname": f"{exposure(1, 'nrca1')}_cal.fits", "exptype": "science"}]
    for kind in ("image3", "spec3"):
        content = {"asn_type": kind, "asn_id": "o001", "products": [{"name": "mine", "members": members}]}
        (data / f"{kind}_asn.json").write_text(json.dumps(content))
    assert cli.main(["plan", *words]) == 0
    said = capsys.readouterr().out
    assert f"as said in  {data}/image3_asn.json" in said
    assert f"{data}/spec3_asn.json: no stage of jwrules makes spec3 yet" in said
    assert cli.main(["associate", str(data), "--output", str(data.parent / "asn")]) == 0
    assert f"2 association files in {data} were not read; plan and run use them" in capsys.readouterr().err


def test_a_plan_tells_the_room_that_products_take_by_stage_and_warns_where_there_is_less(
    words, capsys, tmp_path, monkeypatch
):
    monkeypatch.setattr(disk, "free", lambda directory: 10**6)
    status, plan = planned(words, capsys, "--html", str(tmp_path / "plan.html"))
    assert status == 0
    assert plan["disk"] == {
        "products": sum(one["bytes"] for one in plan["stages"]),
        "missing": plan["disk"]["products"],
    } | {"free": 10**6}
    rate, integrations = 20 * 160**2 + disk.HEADERS, 20 * 160**2 + disk.HEADERS
    assert plan["stages"][0]["bytes"] == 8 * (rate + integrations)
    assert "of it still to come; 1.0 MB are free in" in (tmp_path / "plan.html").read_text()
    assert cli.main(["plan", *words]) == 0
    assert "not enough" in capsys.readouterr().err
