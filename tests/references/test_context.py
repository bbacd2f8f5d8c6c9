"""The library crds, without a network, says which file a context names; its cache is read and never written to."""

import os
import sys

import pytest
from crds_scene import EXPOSURE, write_cache

from jwrules import references
from jwrules.errors import ReferenceFault

MIRI = EXPOSURE | {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "F770W", "EXP_TYPE": "MIR_IMAGE"}
MIRI |= {"READPATT": "FAST", "BAND": "N/A", "CHANNEL": "N/A", "PUPIL": None, "MODULE": None}


@pytest.fixture
def context_541(at, shared):
    at(shared / "data" / "crds_jwst_0541")
    return "crds:jwst_0541.pmap"


@pytest.fixture
def cache(at, tmp_path):
    return at(write_cache(tmp_path / "cache"))


def test_a_file_of_the_cache_is_chosen(cache, tmp_path):
    chosen = references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    assert chosen.path == cache / "references/jwst/nircam/jwst_nircam_gain_0001.fits"
    assert chosen.name == "jwst_nircam_gain_0001.fits"
    assert chosen.sha256 == references.content_hash(chosen.path)


def test_a_flat_cache_serves_as_well(cache, tmp_path):
    files = cache / "references" / "jwst"
    (files / "nircam" / "jwst_nircam_gain_0001.fits").rename(files / "jwst_nircam_gain_0001.fits")
    chosen = references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    assert chosen.path == files / "jwst_nircam_gain_0001.fits"


def test_without_a_context_the_one_of_the_cache_rules(cache, tmp_path):
    chooser = references.open("crds:", tmp_path / "c.json")
    assert chooser.choose(["gain"], EXPOSURE)["gain"].name == "jwst_nircam_gain_0001.fits"
    assert chooser.explain("gain", EXPOSURE) == [
        ("jwst_nircam_gain_0001.fits", "chosen by jwst_nircam_gain_0001.rmap of jwst_0001.pmap")
    ]


@pytest.mark.parametrize("source", ["crds:", "crds:latest", "crds:jwst_0001.pmap"])
def test_a_context_that_is_not_named_gets_its_name(cache, source):
    assert references.resolved(source) == "crds:jwst_0001.pmap"


def test_the_dates_of_the_rules_part_eras(cache, tmp_path):
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    dates = ("2019-12-31", "2020-01-01", "2020-01-02", "2024-01-01")
    eras = [chooser.era(EXPOSURE | {"DATE-OBS": date, "TIME-OBS": "00:00:00.0"}) for date in dates]
    assert eras == [0, 1, 1, 1]


def test_where_the_rules_do_not_tell_each_time_is_an_era(cache, tmp_path):
    rmap = cache / "mappings/jwst/jwst_nircam_gain_0001.rmap"
    rmap.write_text(rmap.read_text().replace("UseAfter", "ClosestTime"))
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    assert chooser.era(EXPOSURE) == f"{EXPOSURE['DATE-OBS']} {EXPOSURE['TIME-OBS']}"


def test_a_type_that_does_not_apply_has_no_file(cache, tmp_path):
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    assert chooser.choose(["ipc"], EXPOSURE) == {"ipc": None}
    assert chooser.explain("ipc", EXPOSURE) == [("N/A", "jwst_0001.pmap says that this type does not apply")]


@pytest.mark.parametrize(
    ("reftype", "changed", "says"),
    [("gain", {"DETECTOR": "NRCB1"}, ".*'NRCB1' is not in"), ("mask", {}, " Unknown reference type 'mask'")],
)
def test_not_found_is_told_in_the_words_of_crds(cache, tmp_path, reftype, changed, says):
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    with pytest.raises(ReferenceFault, match=rf"nrca1_uncal.*'{reftype}'.*NOT FOUND{says}(.|\n)*if_impossible: skip"):
        chooser.choose([reftype], EXPOSURE | changed)
    assert chooser.choose([reftype], EXPOSURE | changed, optional=[reftype]) == {reftype: None}


def test_a_file_that_is_not_in_the_cache_is_named_with_the_way_to_get_it(cache, tmp_path):
    (cache / "references/jwst/nircam/jwst_nircam_gain_0001.fits").unlink()
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    with pytest.raises(ReferenceFault, match=r"jwst_nircam_gain_0001\.fits, type 'gain' of.*references fetch"):
        chooser.choose(["gain"], EXPOSURE)


def test_a_plan_asks_no_network_whatever_server_the_environment_names(cache, at, tmp_path, monkeypatch):
    at(cache, server="http://127.0.0.1:9")
    monkeypatch.setattr("urllib.request.urlopen", pytest.fail)
    chosen = references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain", "ipc"], EXPOSURE)
    assert chosen["gain"].name == "jwst_nircam_gain_0001.fits"


def test_without_the_library_it_is_said_what_to_install(cache, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "crds", None)
    with pytest.raises(ReferenceFault, match="pip install crds stdatamodels"):
        references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE)


def test_a_context_that_is_not_in_the_cache_is_told_with_those_that_are(cache, tmp_path):
    chooser = references.open("crds:jwst_0002.pmap", tmp_path / "c.json")
    with pytest.raises(
        ReferenceFault, match=r"jwst_0002\.pmap is not among.*which has jwst_0001\.pmap.*jwrules references fetch"
    ) as fault:
        chooser.choose(["gain", "ipc"], EXPOSURE)
    assert str(fault.value).count("jwst_0002.pmap is not among") == 1


def test_rules_that_were_mended_under_their_name_are_asked_again(cache, tmp_path):
    def named():
        chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
        return chooser.explain("gain", EXPOSURE)[0][0]

    rules = cache / "mappings" / "jwst" / "jwst_nircam_gain_0001.rmap"
    assert named() == "jwst_nircam_gain_0001.fits"
    rules.write_text(rules.read_text().replace("gain_0001.fits", "gain_00077.fits"))
    pytest.importorskip("crds.core.utils").clear_function_caches()
    assert named() == "jwst_nircam_gain_00077.fits"


def test_what_was_asked_before_needs_no_library(cache, tmp_path, monkeypatch):
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    before = chooser.choose(["gain"], EXPOSURE)
    chooser.ledger.save()
    monkeypatch.setattr("crds.getrecommendations", pytest.fail)
    assert references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE) == before


def test_cache_and_environment_are_left_as_they_were(cache, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*")}, dict(os.environ)
    chooser = references.open("crds:", tmp_path / "c.json")
    chooser.choose(["gain"], EXPOSURE)
    chooser.pars(["jump"], EXPOSURE, "detector1")
    assert ({path: path.stat().st_mtime_ns for path in cache.rglob("*")}, dict(os.environ)) == before


def test_parameter_files_come_from_the_context(cache, tmp_path):
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    given = {"jump": ({"rejection_threshold": 5.5}, "jwst_nircam_pars-jumpstep_0001.asdf")}
    assert chooser.pars(["jump", "ramp_fit"], EXPOSURE, "detector1") == given
    assert chooser.pars(["jump"], EXPOSURE | {"EXP_TYPE": "NRC_WFSS"}) == {}


@pytest.mark.parametrize("exposure", [EXPOSURE, MIRI], ids=["NIRCam", "MIRI"])
def test_every_type_of_a_real_context_is_what_the_library_says(context_541, tmp_path, exposure):
    crds = pytest.importorskip("crds")
    plain = {keyword: value for keyword, value in exposure.items() if value is not None}
    official = crds.getrecommendations(plain, context="jwst_0541.pmap", observatory="jwst")
    chooser = references.open(context_541, tmp_path / "c.json")
    ours = {reftype: chooser.explain(reftype, exposure)[0][0] for reftype in official}
    assert ours == {reftype: "N/A" if name == "NOT FOUND n/a" else name for reftype, name in official.items()}
    assert sum(name.endswith((".fits", ".asdf")) for name in ours.values()) > 10
