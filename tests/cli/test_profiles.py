"""The profiles that come with jwrules are found by name, and fit the rules."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from program_scene import program

from jwrules import house
from jwrules.cli import engine, profiles

PROFILES = house.root() / "profiles"
EXECUTORS = {"slurm": "snakemake_executor_plugin_slurm", "generic": "snakemake_executor_plugin_cluster_generic"}


@pytest.fixture
def own(monkeypatch, tmp_path):
    """The folder where the user's profiles are."""
    monkeypatch.setattr("snakemake.common.get_appdirs", lambda: Places(tmp_path / "user", tmp_path / "site"))
    return tmp_path / "user"


class Places:
    def __init__(self, user, site):
        self.user_config_dir, self.site_config_dir = str(user), str(site)


@pytest.mark.parametrize("given", [["--profile", "slurm"], ["--profile=slurm"]])
def test_a_name_stands_for_the_folder_of_the_house_above_its_default(own, given):
    found = profiles.found(["-n", *given])
    default = ["--workflow-profile", "none", "--profile", str(PROFILES / "default")]
    assert found == [*default, "-n", "--profile", str(PROFILES / "slurm")]


def test_a_profile_of_the_user_with_the_same_name_goes_above_it(own):
    (own / "slurm").mkdir(parents=True)
    assert profiles.found(["--profile", "slurm"])[-2:] == ["--profile", str(own / "slurm")]


@pytest.mark.parametrize("given", [["--cores", "8"], ["--profile", "mine"], ["--profile", "./slurm"], ["--profile=."]])
def test_other_options_stay_as_they_are(own, given):
    assert profiles.found(given) == given


def test_every_rule_that_a_profile_groups_exists():
    text = "".join(path.read_text() for path in (house.root() / "rules").glob("*.smk"))
    rules = set(
        re.findall(r"^rule (\w+):", text, re.MULTILINE) + re.findall(r"^use rule \w+ as (\w+)", text, re.MULTILINE)
    )
    for name in EXECUTORS:
        said = yaml.safe_load((PROFILES / name / "profile.yaml").read_text())
        assert set(said["groups"]) <= rules
        assert set(said["groups"].values()) == set(said["group-components"])


def dry_run(folder, *options):
    asked = program(folder)
    asked.write(folder / "run.yaml")
    command = [sys.executable, "-m", "snakemake", *engine.command(folder), "-n", *profiles.found(options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.workflow
@pytest.mark.parametrize("name", EXECUTORS)
def test_a_dry_run_takes_the_profile_of_a_cluster(tmp_path, name):
    if not importlib.util.find_spec(EXECUTORS[name]):
        pytest.skip(f"{EXECUTORS[name]} is not installed (pip install .[cluster])")
    said = dry_run(tmp_path, "--profile", name)
    assert "mem_mb=" in said
    assert "Group job exposures" in said


@pytest.mark.workflow
def test_on_a_machine_with_little_memory_no_job_asks_for_more(tmp_path):
    said = dry_run(tmp_path, "--profile", "small_memory", "--resources", "mem_mb=450")
    assert {int(size) for size in re.findall(r"\bmem_mb=(\d+)", said)} <= set(range(451))
    assert "--memory 450M" in said


@pytest.mark.parametrize("name", sorted(path.name for path in PROFILES.iterdir()))
def test_every_profile_is_installed(name):
    setup = (Path(house.root()) / "setup.cfg").read_text()
    assert f"share/jwrules/profiles/{name} = profiles/{name}/*.yaml" in setup
