"""The command line: what it promises to scripts and to people."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jwrules import cli
from jwrules.cli import stages, workflow
from jwrules.errors import WorkflowFault
from jwrules.plan import Choice
from jwrules.references import Chosen

COMMANDS = ["simulate", "plan", "run", "detector1", "image2", "image3", "associate", "steps", "recipes", "schema"]
COMMANDS += ["explain", "picture", "references", "references fetch", "references list", "references verify"]
COMMANDS += ["references pin"]

pytestmark = pytest.mark.usefixtures("quiet_afterwards")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([*command.split(), "--help"])
    assert end.value.code == 0
    assert f"jwrules {command} " in capsys.readouterr().out.partition("example")[2]


def test_the_door_opens_without_heavy_libraries():
    heavy = "('numpy', 'astropy', 'snakemake', 'yaml', 'jsonschema')"
    code = f"import sys, jwrules.cli as c; c.build(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_command_is_required(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([])
    assert end.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_simulate_lists_the_templates(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["simulate", "--list"])
    assert end.value.code == 0
    assert {"nircam_imaging", "niriss_soss"} <= set(capsys.readouterr().out.splitlines())


def test_simulate_takes_readout_and_effects(tmp_path, monkeypatch):
    asked = {}
    monkeypatch.setattr("jwrules.simulate.run", lambda *args, **more: asked.update(more))
    options = ["--groups", "3", "--integrations", "2", "--pattern", "NIS", "--subarray", "SUB80", "--seed", "4"]
    cli.main(
        ["simulate", "niriss_ami", str(tmp_path), *options, "--effect", "snowballs=0.5", "--effect", "zeroframe=1"]
    )
    assert asked.pop("effects") == {"snowballs": 0.5, "zeroframe": 1.0}
    assert asked == {"size": "small", "seed": 4, "groups": 3, "integrations": 2, "pattern": "NIS", "subarray": "SUB80"}


def test_simulate_refuses_an_effect_without_a_number(tmp_path, capsys):
    assert cli.main(["simulate", "niriss_ami", str(tmp_path), "--effect", "snowballs"]) != 0
    assert "a number is wanted" in capsys.readouterr().err


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["steps", "--colour"])
    assert end.value.code == 2
    assert "--colour" in capsys.readouterr().err


def test_run_hands_unknown_options_to_snakemake_in_order():
    parser = cli.build()
    options, rest = parser.parse_known_args(["run", "D", "--references", "R", "--retries", "3", "--verbose", "-c", "2"])
    options.snakemake = rest
    assert workflow._snakemake_options(options) == ["--cores", "2", "--retries", "3", "--verbose"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], ["--cores", "all"]),
        (["--executor", "slurm", "--jobs", "9"], ["--executor", "slurm", "--jobs", "9"]),
        (["--jobs=9"], ["--jobs=9"]),
    ],
)
def test_all_cores_are_used_unless_something_else_is_said(given, expected):
    options, rest = cli.build().parse_known_args(["run", "D", *given])
    options.snakemake = rest
    assert workflow._snakemake_options(options) == expected


def failing(monkeypatch, reason):
    def fail(options):
        raise reason

    monkeypatch.setattr("jwrules.recipes.list_steps", fail)


def test_a_failure_is_one_message_without_traceback(monkeypatch, capsys):
    failing(monkeypatch, WorkflowFault("the thing, the place, the way out"))
    assert cli.main(["steps"]) == 1
    assert capsys.readouterr().err == "jwrules steps: the thing, the place, the way out\n"


def test_debug_shows_where_it_failed(monkeypatch, capsys):
    failing(monkeypatch, WorkflowFault("no"))
    assert cli.main(["steps", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_full_disk_is_told_in_plain_words(monkeypatch, capsys):
    failing(monkeypatch, OSError(28, "No space left on device", "results/a.fits"))
    assert cli.main(["steps"]) == 1
    assert capsys.readouterr().err == "jwrules steps: results/a.fits: no space left on device\n"


def test_a_fault_of_ours_is_owned(monkeypatch, capsys):
    failing(monkeypatch, ValueError("shapes differ"))
    assert cli.main(["steps"]) == 1
    assert "ValueError: shapes differ\nThis is a fault of jwrules" in capsys.readouterr().err


def test_an_interrupt_has_its_own_status(monkeypatch, capsys):
    failing(monkeypatch, KeyboardInterrupt())
    assert cli.main(["steps"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_misspelt_step_has_its_nearest_name(capsys):
    assert cli.main(["steps", "dq_int"]) == 1
    assert "did you mean 'dq_init'?" in capsys.readouterr().err


def test_a_step_tells_its_reference_files(capsys):
    assert cli.main(["steps", "dark_current"]) == 0
    assert "reference files: dark" in capsys.readouterr().out


def test_data_that_are_not_there_are_told(capsys, tmp_path):
    assert cli.main(["plan", str(tmp_path / "none"), "--references", "R"]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_a_rule_gives_the_stage_its_chain_and_references(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr("jwrules.stages.detector1.run", lambda path, bench, *more: seen.append((path, bench)) or [])
    dark = tmp_path / "dark.fits"
    dark.write_bytes(b"dark")
    chain = json.dumps([{"step": "dq_init"}, {"step": "dark_current", "skip": True}])
    arguments = ["a_uncal.fits", "--output", str(tmp_path / "out"), "--steps", chain, "--context", "jwst_1464.pmap"]
    arguments += ["--reference", f"dark={dark}"]
    monkeypatch.setattr("jwrules.references.open", pytest.fail)
    assert cli.main(["detector1", *arguments, "mask=m.fits"]) == 1
    assert cli.main(["detector1", *arguments]) == 0
    ((path, bench),) = seen
    assert path == Path("a_uncal.fits")
    assert [call.step for call in bench.calls] == ["dq_init", "dark_current"]
    assert (bench.references, bench.context) == ({"dark": dark}, "jwst_1464.pmap")


def test_a_person_can_give_a_reference_file_that_is_not_chosen_by_header(monkeypatch, tmp_path):
    seen = []
    chosen = {kind: Chosen(tmp_path / f"{kind}.fits", f"{kind}.fits", "0" * 64) for kind in ("mask", "dark")}
    monkeypatch.setattr("jwrules.stages.detector1.run", lambda path, bench, *more: seen.append(bench) or [])
    monkeypatch.setattr(stages, "_choice", lambda *_: (Choice("mine", "[]", (), chosen), "jwst_1464.pmap"))
    own = [tmp_path / "my_dark.fits", tmp_path / "jw1_trapsfilled.fits"]
    for path in own:
        path.write_bytes(b"own")
    given = [f"dark={own[0]}", f"trapsfilled={own[1]}"]
    assert cli.main(["detector1", "a_uncal.fits", "--output", str(tmp_path / "out"), "--reference", *given]) == 0
    assert seen[0].context == "jwst_1464.pmap"
    assert seen[0].references == {"mask": tmp_path / "mask.fits", "dark": own[0], "trapsfilled": own[1]}
    assert seen[0].hashes["dark"] == seen[0].hashes["trapsfilled"] != "0" * 64


def test_messages_name_the_reference_file_and_not_the_link_that_the_plan_made(tmp_path):
    dark = tmp_path / "dark.fits"
    dark.touch()
    (tmp_path / ".jwrules").mkdir()
    (tmp_path / ".jwrules" / "dark.fits").symlink_to(dark)
    (tmp_path / "mine.fits").symlink_to(dark)
    given = [f"dark={tmp_path}/.jwrules/dark.fits", f"mask={tmp_path}/mine.fits"]
    assert stages._given(given) == {"dark": dark, "mask": tmp_path / "mine.fits"}


def test_a_reference_without_a_type_is_refused(capsys, tmp_path):
    arguments = ["a_uncal.fits", "--output", str(tmp_path), "--steps", "[]", "--reference", "dark.fits"]
    assert cli.main(["detector1", *arguments]) == 1
    assert "expected TYPE=PATH" in capsys.readouterr().err


def test_members_are_looked_for_beside_the_association(tmp_path):
    (tmp_path / "a_cal.fits").touch()
    assert stages._locate("a_cal.fits", tmp_path / "x_asn.json", None) == tmp_path / "a_cal.fits"


def test_a_member_that_is_not_there_is_told(tmp_path):
    with pytest.raises(WorkflowFault, match="--members names its folder"):
        stages._locate("a_cal.fits", tmp_path / "x_asn.json", None)


def test_without_a_name_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("jwrules ")


def test_associate_writes_associations_a_summary_and_what_was_left_out(tmp_path, shared, capsys):
    pool = shared / "data/associations/pool_018_all_exptypes/pool.csv"
    page = tmp_path / "summary.html"
    cli.main(["associate", str(pool), "--output", str(tmp_path), "--summary", str(page), "--exclude", "jw_00001=trail"])
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == len(list(tmp_path.glob("*_asn.json"))) == 59
    assert "in no association: jw_00050 (line 51): no recipe is for it (EXP_TYPE NRS_BOTA)" in said.err
    assert "in no association: jw_00001 (line 2): excluded: trail" in said.err
    assert "excluded: trail" in page.read_text()
