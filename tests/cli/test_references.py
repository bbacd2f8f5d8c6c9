"""`jwrules references`: fetch, list, verify, pin, on a tiny CRDS of this machine."""

import re

import pytest
from crds_scene import CONTEXT, files, serving, write_cache
from program_scene import write_exposures

from jwrules import cli, plan, recipes
from jwrules.errors import ReferenceFault

RECIPE = """\
template: NIRCam Imaging
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}
stages: {detector1: [saturation, dark_current, jump, ramp_fit]}
"""
DETECTORS = ("NRCA1", "NRCALONG")
TYPES = ("dark", "saturation", "readnoise", "gain")
NEEDED = {f"jwst_nircam_{kind}_{detector.lower()}.fits" for kind in TYPES for detector in DETECTORS}

pytestmark = pytest.mark.usefixtures("quiet_afterwards")


@pytest.fixture(autouse=True)
def no_other_recipes(monkeypatch):
    monkeypatch.setattr(recipes, "all", dict)


@pytest.fixture
def remote(tmp_path):
    types = {kind: {d: f"jwst_nircam_{kind}_{d.lower()}.fits" for d in DETECTORS} for kind in TYPES}
    with serving(write_cache(tmp_path / "remote", types)) as server:
        yield server


@pytest.fixture
def jwrules(remote, at, tmp_path, capsys):
    """Run `jwrules references VERB` for two exposures, the cache empty; return its status, what it printed and said."""
    write_exposures(tmp_path / "uncal", dithers=[1])
    (tmp_path / "short.yaml").write_text(RECIPE)
    (tmp_path / "local").mkdir()
    (tmp_path / "run" / ".jwrules").mkdir(parents=True)
    at(tmp_path / "local", server=remote.url)
    usual = [str(tmp_path / "uncal"), "--references", f"crds:{CONTEXT}", "--recipe", str(tmp_path / "short.yaml")]
    usual += ["--output", str(tmp_path / "run")]

    def jwrules(verb, *more):
        given = usual[1:3] if verb == "verify" else usual
        status = cli.main(["references", verb, *given, *more])
        return status, *capsys.readouterr()

    return jwrules


def test_what_would_be_fetched_is_listed_with_its_size(jwrules, tmp_path):
    status, printed, _ = jwrules("fetch", "--dry-run")
    assert (status, set(re.findall(r"\S+\.fits", printed))) == (0, NEEDED)
    assert printed.count("0.0 MB") == len(NEEDED) + 1
    assert not set(files(tmp_path / "local")) & NEEDED


def test_what_data_need_is_fetched_and_then_planned_without_a_network(jwrules, tmp_path, monkeypatch):
    assert jwrules("fetch")[0] == 0
    assert {name for name in files(tmp_path / "local") if name.endswith(".fits")} == NEEDED
    monkeypatch.setattr("urllib.request.urlopen", pytest.fail)
    status, printed, _ = jwrules("list")
    assert (status, set(re.findall(r"\S+\.fits", printed))) == (0, NEEDED)
    assert f"chosen by jwst_nircam_dark_0001.rmap of {CONTEXT}" in printed


def test_a_plan_without_the_files_says_what_to_type(jwrules):
    status, _, said = jwrules("list")
    assert status == 1
    assert f"jwrules references fetch DATA --references crds:{CONTEXT}" in said


def test_what_no_fetch_can_mend_is_told_after_the_rest_came(jwrules, tmp_path):
    recipe = tmp_path / "more.yaml"
    recipe.write_text(RECIPE.replace("dark_current", "linearity, dark_current"))
    status, _, said = jwrules("fetch", "--recipe", str(recipe))
    assert status == 1
    assert "no reference file of type 'linearity'" in said
    assert set(files(tmp_path / "local")) >= NEEDED


def test_files_are_fetched_for_a_context_and_into_a_cache_that_is_named(jwrules, tmp_path, monkeypatch):
    assert "files are fetched for a context of CRDS" in jwrules("fetch", "--references", str(tmp_path))[2]
    monkeypatch.delenv("CRDS_PATH")
    assert "CRDS_PATH is not set" in jwrules("fetch")[2]


def test_verify_names_what_is_not_that_of_the_server(jwrules, tmp_path):
    jwrules("fetch")
    assert jwrules("verify")[0] == 0
    dark = files(tmp_path / "local")["jwst_nircam_dark_nrca1.fits"]
    dark.write_bytes(dark.read_bytes()[:-1] + b"?")
    status, printed, _ = jwrules("verify")
    assert status == 1
    assert f"{dark}: its content is not that of the server" in printed


def test_a_pinned_file_and_a_pinned_rule_that_change_in_place_stop_the_plan(jwrules, tmp_path):
    jwrules("fetch")
    assert jwrules("pin")[0] == 0
    asked = plan.read(tmp_path / "run" / "run.yaml")
    assert plan.of(asked, tmp_path / "run").rules.name == CONTEXT
    local = files(tmp_path / "local")
    dark, rmap = local["jwst_nircam_dark_nrca1.fits"], local["jwst_nircam_gain_0001.rmap"]
    dark.write_bytes(dark.read_bytes().replace(b"NRCA1", b"NRCA9"))
    rmap.write_text(rmap.read_text() + "# corrected\n")
    with pytest.raises(ReferenceFault) as fault:
        plan.of(asked, tmp_path / "run")
    assert f"dark: {dark} was changed in place" in str(fault.value)
    assert f"{rmap.name} of {CONTEXT} was changed in place" in str(fault.value)
    jwrules("pin")
    assert plan.of(asked, tmp_path / "run").all()


def test_a_rule_that_changed_in_place_is_told_by_the_next_plan(jwrules, tmp_path):
    jwrules("fetch")
    jwrules("list")
    rmap = files(tmp_path / "local")["jwst_nircam_gain_0001.rmap"]
    rmap.write_text(rmap.read_text() + "# corrected\n")
    assert f"warning: context {CONTEXT} changed in place: rmap {rmap.name}" in jwrules("list")[2]


def test_a_file_that_is_shorter_than_the_server_says_is_not_planned_with(jwrules, tmp_path):
    jwrules("fetch")
    dark = files(tmp_path / "local")["jwst_nircam_dark_nrca1.fits"]
    server_config = tmp_path / "local/config/jwst/server_config"
    server_config.write_text(server_config.read_text().replace("'size': '2880'", "'size': '5760'"))
    status, _, said = jwrules("list")
    assert status == 1
    assert f"{dark}: truncated: it has 2880 bytes, on the server 5760; fetch it again" in said
