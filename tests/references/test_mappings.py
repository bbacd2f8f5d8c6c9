"""Which rules of a context decide on a file, and between which dates they do not change their mind."""

import pytest

from jwrules import references
from jwrules.errors import ReferenceFault
from jwrules.references.identity import Identity, changes
from jwrules.references.mappings import MappingFile, Rules, epoch

RMAP = """\
header = {'classes': ('Match', 'UseAfter'), 'name': 'x.rmap'}
selector = Match({'NRCA1': UseAfter({'2020-01-01 00:00:00': 'a_1.fits', '2022-07-01 10:20:30': 'a_2.fits'})})
"""


@pytest.fixture
def rmap(tmp_path):
    return lambda text=RMAP: MappingFile(tmp_path / "x.rmap", text.encode())


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("2019-12-31", "23:59:59.999", 0),
        ("2020-01-01", "00:00:00", 1),
        ("2022-07-01", "10:20:29.999", 1),
        ("2022-07-01", "10:20:30.000", 2),
        ("2022-07-01", "10:20:30", 2),
    ],
)
def test_an_epoch_begins_at_a_date_of_the_rules(rmap, date, time, expected):
    assert epoch(rmap().times, date, time) == expected


def test_rules_that_decide_by_more_than_dates_are_asked_for_every_instant(rmap):
    other = rmap(RMAP.replace("'UseAfter')", "'UseAfter', 'SelectVersion')"))
    assert epoch(other.times, "2022-07-01", "10:20:30.5") == "2022-07-01 10:20:30.5"


def test_the_files_of_the_rules_are_found(rmap):
    assert rmap().files == {"a_1.fits", "a_2.fits"}


def test_pmap_imap_and_rmap_decide(shared):
    folder = shared / "data" / "crds_jwst_0541" / "mappings" / "jwst"
    rules = Rules("jwst_0541.pmap", lambda name: folder / name)
    names = [mapping.path.name for mapping in rules.deciding("nircam", "gain")]
    assert names == ["jwst_0541.pmap", "jwst_nircam_0120.imap", "jwst_nircam_gain_0009.rmap"]
    assert rules.rmap("NIRCAM", "rscd") is None
    assert len(rules.below("NIRCAM")) == (folder / names[1]).read_text().count(".rmap'")


def test_the_same_rules_choose_the_same_at_every_instant_of_an_epoch(shared, monkeypatch, tmp_path):
    crds = pytest.importorskip("crds")
    monkeypatch.setenv("CRDS_PATH", str(shared / "data" / "crds_jwst_0541"))
    monkeypatch.setenv("CRDS_SERVER_URL", "")
    chooser = references.open("crds:jwst_0541.pmap", tmp_path / "c.json")
    exposure = {"INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "SUBARRAY": "FULL"}
    for moment in ("2014-01-01 00:00:00", "2015-10-01 00:00:00", "2015-10-01 00:00:01", "2020-01-01 00:00:00"):
        date, time = moment.split()
        ours = chooser.explain("gain", exposure | {"DATE-OBS": date, "TIME-OBS": time})[0][0]
        header = {"META.INSTRUMENT.NAME": "NIRCAM", "META.INSTRUMENT.DETECTOR": "NRCA1", "META.SUBARRAY.NAME": "FULL"}
        header |= {"META.OBSERVATION.DATE": date, "META.OBSERVATION.TIME": time}
        assert ours == crds.getrecommendations(header, ["gain"], "jwst_0541.pmap", observatory="jwst")["gain"]


def test_rules_that_are_no_rules_are_told(tmp_path):
    (tmp_path / "x.pmap").write_text("selector = {")
    with pytest.raises(ReferenceFault, match=r"x\.pmap: these are no rules of CRDS"):
        Rules("x.pmap", lambda name: tmp_path / name).deciding("NIRCAM", "gain")


def test_a_context_that_was_changed_in_place_has_another_digest_and_says_what_changed():
    before = Identity("jwst_1464.pmap", {"a.rmap": "1" * 64, "b.rmap": "2" * 64})
    now = Identity("jwst_1464.pmap", {"a.rmap": "1" * 64, "b.rmap": "3" * 64, "c.rmap": "4" * 64})
    assert before.sha256 != now.sha256
    said = "context jwst_1464.pmap changed in place: rmap b.rmap (sha256 22222222 -> 33333333)"
    assert list(changes(before, now)) == [said]
    assert list(changes(before, Identity("jwst_1465.pmap"))) == ["context jwst_1464.pmap -> jwst_1465.pmap"]
