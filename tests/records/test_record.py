"""A record says how a job was made, and is whole or not there."""

import pytest

from jwrules import records
from jwrules.errors import DataFault
from jwrules.records.known import Known
from jwrules.records.record import key

pytestmark = pytest.mark.usefixtures("settled")

STAT = (1, 2, 3, 4)


def record(digest="file:ab", identity="id"):
    member = records.Member("a_uncal.fits", "science", digest, STAT)
    gave = records.Gave("a_rate.fits", "data:cd", STAT)
    return records.Record("detector1", "a", identity, (member,), (gave,), {"release": "0.1"})


def test_what_is_written_is_read(tmp_path):
    path = records.write(record(), tmp_path)
    assert path.name == "a_detector1.json"
    assert records.read(path) == record()


@pytest.mark.parametrize("change", [{"digest": "file:ef"}, {"identity": "other"}])
def test_the_key_follows_members_and_identity(change):
    assert record().key == key("id", ["file:ab"])
    assert record(**change).key != record().key


@pytest.mark.parametrize("text", ["", "half {", "[]", '{"layout": 99}', '{"layout": 1, "stage": 3}'])
def test_a_damaged_record_is_none(tmp_path, text):
    (tmp_path / "a_detector1.json").write_text(text)
    assert records.read(tmp_path / "a_detector1.json") is None


def test_a_record_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "a_detector1.json").mkdir()
    with pytest.raises(DataFault, match="the products stand, without record"):
        records.write(record(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a_detector1.json"]


def test_a_member_is_told_by_the_record_beside_it_while_it_is_as_it_was(tmp_path):
    path = tmp_path / "a_rate.fits"
    path.write_bytes(b"pixels")
    gave = (records.Gave("a_rate.fits", "data:from record", records.stat(path)),)
    records.write(records.Record("detector1", "a", "id", (), gave), tmp_path)
    assert records.digest_of(path) == "data:from record"
    path.write_bytes(b"edited")
    assert records.digest_of(path).startswith("file:")


def test_records_are_read_once(tmp_path, monkeypatch):
    path = records.write(record(), tmp_path)
    known = Known.load(tmp_path / "known")
    assert known.of(path).identity == "id"
    known.save()
    monkeypatch.setattr("jwrules.records.record.read", None)
    assert Known.load(tmp_path / "known").of(path).members == {"a_uncal.fits": ("file:ab", STAT)}


def test_damaged_memory_of_records_is_begun_anew(tmp_path):
    (tmp_path / "known").write_bytes(b"half")
    assert Known.load(tmp_path / "known").of(records.write(record(), tmp_path)) is not None


def test_a_record_that_was_written_a_moment_ago_is_read_again(tmp_path, monkeypatch):
    for name in ("SETTLED", "FINE"):
        monkeypatch.setattr(f"jwrules.unchanged.{name}", 10**12)
    path = records.write(record(), tmp_path)
    known = Known.load(tmp_path / "known")
    assert known.of(path).identity == "id"
    known.save()
    assert Known.load(tmp_path / "known").before == {}
