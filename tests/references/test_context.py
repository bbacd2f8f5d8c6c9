"""The library crds, without a network, says which file a context names; its cache is read and never written to."""

import os
import sys
from pathlib import Path

import pytest

from jwrules import references
from jwrules.errors import ReferenceFault

EXPOSURE = {
    "FILENAME": "jw01234001001_02101_00001_nrca1_uncal.fits",
    "TELESCOP": "JWST",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCA1",
    "CHANNEL": "SHORT",
    "MODULE": "A",
    "FILTER": "F200W",
    "PUPIL": "CLEAR",
    "EXP_TYPE": "NRC_IMAGE",
    "READPATT": "BRIGHT2",
    "SUBARRAY": "FULL",
    "NOUTPUTS": 4,
    "SUBSTRT1": 1,
    "TSOVISIT": False,
    "DATE-OBS": "2022-07-01",
    "TIME-OBS": "10:20:30.456",
}
MIRI = EXPOSURE | {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FILTER": "F770W", "EXP_TYPE": "MIR_IMAGE"}
MIRI |= {"READPATT": "FAST", "BAND": "N/A", "CHANNEL": "N/A", "PUPIL": None, "MODULE": None}

HEADER = (
    "header = {{'derived_from': 'none', 'sha1sum': 'none', 'observatory': 'JWST',"
    " 'mapping': '{mapping}', 'name': '{name}', 'parkey': {parkey}{more}}}\n"
)
USEAFTER = "'META.OBSERVATION.DATE', 'META.OBSERVATION.TIME'"


@pytest.fixture
def at(monkeypatch):
    """Set the environment of CRDS to a cache, and to no server or one that is given."""
    utils = pytest.importorskip("crds.core.utils")
    pytest.importorskip("stdatamodels")

    def at(cache: Path, server: str = "") -> Path:
        monkeypatch.setenv("CRDS_PATH", str(cache))
        monkeypatch.setenv("CRDS_SERVER_URL", server)
        monkeypatch.setenv("CRDS_IGNORE_MAPPING_CHECKSUM", "1")
        monkeypatch.delenv("CRDS_CONTEXT", raising=False)
        utils.clear_function_caches()
        return cache

    yield at
    utils.clear_function_caches()


@pytest.fixture
def context_541(at, shared):
    at(shared / "data" / "crds_jwst_0541")
    return "crds:jwst_0541.pmap"


def _mapping(folder, name, mapping, parkey, selector, more=""):
    text = HEADER.format(mapping=mapping, name=name, parkey=parkey, more=more) + f"selector = {selector}\n"
    (folder / name).write_text(text)


@pytest.fixture
def cache(at, tmp_path):
    """A cache with one context of three types: a gain, a parameter file of jump, and ipc, which does not apply."""
    folder = at(tmp_path / "cache")
    rules, files = folder / "mappings" / "jwst", folder / "references" / "jwst" / "nircam"
    for path in (rules, files, folder / "config" / "jwst"):
        path.mkdir(parents=True)
    config = {"observatory": "jwst", "bad_files_list": [], "mappings": [], "context_history": []}
    config |= {"operational_context": "jwst_0001.pmap", "edit_context": "jwst_0001.pmap", "last_synced": "never"}
    (folder / "config" / "jwst" / "server_config").write_text(repr(config | {"force_remote_mode": False}))
    _mapping(rules, "jwst_0001.pmap", "PIPELINE", "('META.INSTRUMENT.NAME',)", "{'NIRCAM': 'jwst_nircam_0001.imap'}")
    types = {name: f"jwst_nircam_{name.lower()}_0001.rmap" for name in ("GAIN", "PARS-JUMPSTEP")} | {"IPC": "N/A"}
    of_nircam = ", 'instrument': 'NIRCAM'"
    _mapping(rules, "jwst_nircam_0001.imap", "INSTRUMENT", "('REFTYPE',)", types, of_nircam)
    for name, match, keys, suffix in [
        ("GAIN", "'NRCA1'", "'META.INSTRUMENT.DETECTOR',", "fits"),
        ("PARS-JUMPSTEP", "'NRC_IMAGE'", "'META.EXPOSURE.TYPE',", "asdf"),
    ]:
        file = f"jwst_nircam_{name.lower()}_0001.{suffix}"
        selector = f"Match({{{match}: UseAfter({{'2020-01-01 00:00:00': '{file}'}})}})"
        more = f"{of_nircam}, 'filekind': '{name}', 'classes': ('Match', 'UseAfter')"
        _mapping(rules, types[name], "REFERENCE", f"(({keys}), ({USEAFTER}))", selector, more)
        (files / file).write_text("#ASDF 1.0.0\n--- !core/asdf-1.1.0\nparameters: {rejection_threshold: 5.5}\n...\n")
    return folder


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
    assert chooser.explain("gain", EXPOSURE) == [("jwst_nircam_gain_0001.fits", "chosen by jwst_0001.pmap")]


def test_the_dates_of_the_rules_part_eras(cache, tmp_path):
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    dates = ("2019-12-31", "2020-01-01", "2020-01-02", "2024-01-01")
    eras = [chooser.era({"DATE-OBS": date, "TIME-OBS": "00:00:00.0"}) for date in dates]
    assert eras == [0, 1, 1, 1]


@pytest.mark.parametrize("damage", ["ClosestTime", ""])
def test_where_the_rules_do_not_tell_each_time_is_an_era(cache, tmp_path, damage):
    rmap = cache / "mappings/jwst/jwst_nircam_gain_0001.rmap"
    rmap.write_text(rmap.read_text().replace("UseAfter", damage)) if damage else rmap.unlink()
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    assert chooser.era(EXPOSURE) == (EXPOSURE["DATE-OBS"], EXPOSURE["TIME-OBS"])


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
    with pytest.raises(ReferenceFault, match=r"gives jwst_nircam_gain_0001\.fits for type 'gain'.*crds sync --files"):
        chooser.choose(["gain"], EXPOSURE)


def test_a_server_that_does_not_answer_is_told_with_the_file(cache, at, tmp_path):
    (cache / "references/jwst/nircam/jwst_nircam_gain_0001.fits").unlink()
    at(cache, server="http://127.0.0.1:9")
    chooser = references.open("crds:jwst_0001.pmap", tmp_path / "c.json")
    with pytest.raises(ReferenceFault, match=r"jwst_nircam_gain_0001\.fits(.|\n)*crds sync(.|\n)*CRDS says: "):
        chooser.choose(["gain"], EXPOSURE)


def test_a_missing_file_is_fetched_where_there_is_a_server(cache, at, tmp_path, monkeypatch):
    crds = pytest.importorskip("crds")
    path = cache / "references/jwst/nircam/jwst_nircam_gain_0001.fits"
    path.rename(tmp_path / "on_the_server")

    def getreferences(asked, reftypes, context, observatory):
        assert (asked["META.INSTRUMENT.DETECTOR"], reftypes, context) == ("NRCA1", ["gain"], "jwst_0001.pmap")
        assert not crds.core.config.get_cache_readonly()
        (tmp_path / "on_the_server").rename(path)
        return {"gain": str(path)}

    at(cache, server="http://127.0.0.1:9")
    monkeypatch.setattr("crds.getreferences", getreferences)
    chosen = references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    assert chosen.path == path


def test_without_the_library_it_is_said_what_to_install(cache, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "crds", None)
    with pytest.raises(ReferenceFault, match="pip install crds stdatamodels"):
        references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE)


def test_a_context_that_is_not_in_the_cache_is_told_with_those_that_are(cache, tmp_path):
    chooser = references.open("crds:jwst_0002.pmap", tmp_path / "c.json")
    with pytest.raises(
        ReferenceFault, match=r"jwst_0002\.pmap is not among.*which has jwst_0001\.pmap.*crds sync"
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
    before = references.open("crds:jwst_0001.pmap", tmp_path / "c.json").choose(["gain"], EXPOSURE)
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
