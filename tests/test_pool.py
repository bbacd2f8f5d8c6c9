"""Pools: scanned from headers as asn_make_pool does it, read and written, and every fault at once."""

import gzip
import os
import pickle

import pytest

from jwrules import headers, pool
from jwrules.errors import HeaderFault

pytestmark = pytest.mark.usefixtures("settled")

CARDS = {
    "PROGRAM": "01234",
    "OBSERVTN": "001",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCA1",
    "EXP_TYPE": "NRC_IMAGE",
    "FILTER": "F090W",
    "PUPIL": "CLEAR",
    "SUBARRAY": "FULL",
    "TARGPROP": "M-92",
    "TSOVISIT": False,
    "NINTS": 1,
}


def card(keyword, value):
    text = ("T" if value else "F").rjust(20) if isinstance(value, bool) else str(value).rjust(20)
    return f"{keyword:<8}= " + (f"'{value}'" if isinstance(value, str) else text)


def expose(folder, number, name=None, **changes):
    """Write a raw exposure that is all header."""
    first = ["SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0"]
    values = {keyword: value for keyword, value in (CARDS | changes).items() if value is not None}
    cards = [*first, *(card(keyword, value) for keyword, value in values.items()), "END"]
    path = folder / (name or f"jw01234001001_02101_{number:05d}_nrca1_uncal.fits")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line.ljust(80) for line in cards).encode().ljust(2880))
    return path


def test_a_row_has_the_official_columns_in_lower_case(tmp_path):
    expose(tmp_path, 1)
    (row,) = pool.scan(tmp_path).rows
    assert tuple(row.values) == pool.COLUMNS
    assert (row["filename"], row["obs_num"]) == ("jw01234001001_02101_00001_nrca1_uncal.fits", "001")
    assert (row["exp_type"], row["tsovisit"], row["nints"], row["grating"]) == ("nrc_image", "f", "1", "null")
    assert row["asn_candidate"] == "[('o001', 'observation')]"


def test_a_row_keeps_path_and_header_of_its_file(tmp_path):
    path = expose(tmp_path / "visit", 1)
    (row,) = pool.scan(tmp_path).files
    assert row.path == path
    assert row.header == headers.read(path)


def test_targets_are_numbered_by_name_so_that_a_dither_renames_nothing(tmp_path):
    for number, target in enumerate(("NGC-1", "M-92", "NGC-1"), start=1):
        expose(tmp_path, number, TARGPROP=target)
    before = {row["targprop"]: row["targetid"] for row in pool.scan(tmp_path).rows}
    expose(tmp_path, 9, TARGPROP="NGC-1")
    after = {row["targprop"]: row["targetid"] for row in pool.scan(tmp_path).rows}
    assert before == after == {"m-92": "1", "ngc-1": "2"}


def test_each_program_numbers_its_own_targets(tmp_path):
    expose(tmp_path, 1, TARGPROP="B")
    expose(tmp_path, 2, name="jw00999001001_02101_00001_nrca1_uncal.fits", PROGRAM="00999", TARGPROP="C")
    assert [row["targetid"] for row in pool.scan(tmp_path).rows] == ["1", "1"]


def test_a_pool_file_beside_the_exposures_gives_targets_and_candidates(tmp_path):
    for number, target in enumerate(("A", "B"), start=1):
        expose(tmp_path, number, TARGPROP=target)
    scanned = pool.scan(tmp_path)
    listed = "[('o001', 'observation'), ('c1001', 'background')]"
    given = pool.Row(scanned.rows[1].values | {"targetid": "1", "asn_candidate": listed})
    pool.write(pool.Pool((given,)), tmp_path / "jw01234_pool.csv")
    expose(tmp_path, 3, TARGPROP="B")
    first, second, third = pool.scan(tmp_path).rows
    assert [row["targetid"] for row in (first, second, third)] == ["2", "1", "1"]
    assert pool.candidates(second) == (("o001", "observation"), ("c1001", "background"))


def test_what_a_pool_file_does_not_know_comes_from_the_header(tmp_path):
    expose(tmp_path, 1)
    (row,) = pool.scan(tmp_path).rows
    pool.write(pool.Pool((pool.Row(row.values | {"asn_candidate": "null"}),)), tmp_path / "jw01234_pool.csv")
    assert pool.candidates(pool.scan(tmp_path).rows[0]) == (("o001", "observation"),)


def test_a_scan_follows_links_to_folders(tmp_path):
    expose(tmp_path / "archive", 1)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/visit").symlink_to(tmp_path / "archive")
    assert len(pool.scan(tmp_path / "data").rows) == 1


def test_a_gzipped_exposure_is_called_as_any_other(tmp_path):
    path = expose(tmp_path, 1)
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert [row["filename"] for row in pool.scan(tmp_path).rows] == [path.name]


def test_a_scan_looks_below_but_not_into_hidden_folders(tmp_path):
    expose(tmp_path / "a/b", 1)
    expose(tmp_path / ".snakemake", 2)
    expose(tmp_path, 3, name="jw01234001001_02101_00003_nrca1_rate.fits")
    assert [row["exposure"] for row in pool.scan(tmp_path).rows] == ["null"]
    assert [row["filename"] for row in pool.scan(tmp_path, suffix="rate").rows] == [
        "jw01234001001_02101_00003_nrca1_rate.fits"
    ]


def test_the_pool_of_one_program_has_its_name(tmp_path):
    expose(tmp_path, 1)
    assert pool.scan(tmp_path).name == "jw01234_pool.csv"


def test_an_empty_directory_says_what_was_searched_and_what_is_there(tmp_path):
    expose(tmp_path, 1, name="jw01234001001_02101_00001_nrca1_rate.fits")
    with pytest.raises(HeaderFault, match=r"no exposure in it; searched for \*_uncal\.fits .*; it has jw01234.*_rate"):
        pool.scan(tmp_path)


def test_a_directory_that_is_not_there_is_a_fault(tmp_path):
    with pytest.raises(HeaderFault, match="nowhere: there is no such directory"):
        pool.scan(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"EXP_TYPE": "NRC_IMGE"}, "EXP_TYPE = 'NRC_IMGE' is not a value that JWST knows; did you mean NRC_IMAGE?"),
        ({"FILTER": "F09W"}, "FILTER = 'F09W' is not a value that JWST knows; did you mean F090W?"),
        ({"DETECTOR": "NRCA9"}, "DETECTOR = 'NRCA9' is not a value"),
        ({"EXP_TYPE": None, "PROGRAM": None}, "the keywords PROGRAM, EXP_TYPE are missing"),
        ({"PROGRAM": "demo"}, "PROGRAM = 'demo' is no number of at most 5 digits"),
        ({"OBSERVTN": "0001"}, "OBSERVTN = '0001' is no number of at most 3 digits"),
    ],
)
def test_a_keyword_that_cannot_be_is_a_fault_that_names_the_file(tmp_path, changes, said):
    path = expose(tmp_path, 1, **changes)
    with pytest.raises(HeaderFault) as fault:
        pool.scan(tmp_path)
    assert f"{path}: " in str(fault.value)
    assert said in str(fault.value)


def test_all_faults_of_a_directory_are_said_at_once(tmp_path):
    expose(tmp_path, 1, EXP_TYPE="NRC_IMGE")
    (tmp_path / "jw01234001001_02101_00002_nrca1_uncal.fits").write_bytes(b"")
    expose(tmp_path / "again", 1)
    with pytest.raises(HeaderFault) as fault:
        pool.scan(tmp_path)
    lines = str(fault.value).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("jw01234001001_02101_00001_nrca1: 2 files hold this exposure")
    assert lines[1].endswith("the file is empty")
    assert "did you mean NRC_IMAGE" in lines[2]


@pytest.mark.parametrize("name", ["a{b}_uncal.fits", "a\nb_uncal.fits"])
def test_a_name_that_no_rule_can_be_told_is_refused(tmp_path, name):
    path = expose(tmp_path, 1)
    path.rename(path.with_name(name))
    with pytest.raises(HeaderFault, match="the workflow takes no path with"):
        pool.scan(tmp_path)


def test_a_file_and_its_gzipped_twin_are_one_exposure_too_many(tmp_path):
    path = expose(tmp_path, 1)
    path.with_name(path.name + ".gz").write_bytes(path.read_bytes())
    with pytest.raises(HeaderFault, match="2 files hold this exposure"):
        pool.scan(tmp_path)


def test_with_a_cache_only_changed_files_are_read_again(tmp_path):
    cache = tmp_path / ".jwrules/headers.pickle"
    paths = [expose(tmp_path, number) for number in (1, 2)]
    first = pool.scan(tmp_path, cache=cache)
    read = []

    def reading(path):
        read.append(path)
        return headers.read(path)

    assert pool.scan(tmp_path, cache=cache, read=reading).rows == first.rows
    assert read == []
    expose(tmp_path, 2, FILTER="F200W")
    os.utime(paths[1], ns=(1, 1))
    assert pool.scan(tmp_path, cache=cache, read=reading).rows[1]["filter"] == "f200w"
    assert read == [paths[1]]


def test_a_file_of_another_size_is_read_again_though_its_time_is_the_same(tmp_path):
    cache = tmp_path / "headers.pickle"
    path = expose(tmp_path, 1)
    time = path.stat().st_mtime_ns
    pool.scan(tmp_path, cache=cache)
    path.write_bytes(path.read_bytes().replace(b"F090W", b"F200W") + bytes(2880))
    os.utime(path, ns=(time, time))
    assert pool.scan(tmp_path, cache=cache).rows[0]["filter"] == "f200w"


def test_files_that_are_gone_leave_the_cache(tmp_path):
    cache = tmp_path / "headers.pickle"
    paths = [expose(tmp_path, number) for number in (1, 2)]
    pool.scan(tmp_path, cache=cache)
    paths[0].unlink()
    pool.scan(tmp_path, cache=cache)
    assert list(pickle.loads(cache.read_bytes())["headers"]) == [str(paths[1])]


@pytest.mark.parametrize(
    "content", [b"", b"{", pickle.dumps({"layout": 0, "headers": {}}), pickle.dumps([]), pickle.dumps({"layout": 1})]
)
def test_a_damaged_cache_is_made_anew(tmp_path, content):
    cache = tmp_path / "headers.pickle"
    cache.write_bytes(content)
    expose(tmp_path, 1)
    assert len(pool.scan(tmp_path, cache=cache).rows) == 1
    assert len(pickle.loads(cache.read_bytes())["headers"]) == 1


def test_a_cache_that_cannot_be_written_is_a_warning_and_no_fault(tmp_path, caplog):
    expose(tmp_path, 1)
    (tmp_path / "file").write_text("in the way")
    assert len(pool.scan(tmp_path, cache=tmp_path / "file/headers.pickle").rows) == 1
    assert "the headers that were read cannot be kept: " in caplog.text


def test_a_link_to_nowhere_is_a_fault_that_names_it(tmp_path):
    (tmp_path / "jw01234001001_02101_00001_nrca1_uncal.fits").symlink_to(tmp_path / "gone")
    with pytest.raises(HeaderFault, match=r"_nrca1_uncal\.fits: cannot be read: No such file"):
        pool.scan(tmp_path)


def test_official_pool_files_are_written_as_they_were_read(tmp_path, shared):
    paths = sorted((shared / "data/associations").glob("*/pool.csv"))
    assert len(paths) == 58
    for path in paths:
        assert pool.write(pool.read(path), tmp_path / "pool.csv").read_bytes() == path.read_bytes()


def test_a_scanned_pool_is_read_as_it_was_written(tmp_path):
    expose(tmp_path, 1)
    scanned = pool.scan(tmp_path)
    read = pool.read(pool.write(scanned, tmp_path / scanned.name))
    assert [row.values for row in read.rows] == [row.values for row in scanned.rows]
    assert (read.columns, read.name, read.files) == (scanned.columns, scanned.name, ())


def test_a_row_of_a_pool_file_has_a_header_that_recipes_understand(tmp_path):
    expose(tmp_path, 1)
    (scanned,) = pool.scan(tmp_path).rows
    short = pool.Row(scanned.values | {"program": "1234", "obs_num": "1"})
    (row,) = pool.read(pool.write(pool.Pool((short,)), tmp_path / "x_pool.csv")).rows
    assert {keyword: row.header[keyword] for keyword in ("PROGRAM", "OBSERVTN", "EXP_TYPE", "TSOVISIT")} == {
        "PROGRAM": "01234",
        "OBSERVTN": "001",
        "EXP_TYPE": "NRC_IMAGE",
        "TSOVISIT": "F",
    }
    assert "GRATING" not in row.header


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: no pool file: the columns filename, program, exp_type, asn_candidate are missing"),
        ("a,b\n1,2\n", ":1: no pool file"),
        ("filename|program|exp_type|asn_candidate\na|1|x\n", ":2: 3 values for 4 columns"),
    ],
)
def test_a_file_that_is_no_pool_is_a_fault_with_its_line(tmp_path, text, said):
    path = tmp_path / "x_pool.csv"
    path.write_text(text)
    with pytest.raises(HeaderFault) as fault:
        pool.read(path)
    assert f"{path}{said}" in str(fault.value)


@pytest.mark.parametrize("text", ["null", "#!fmt_cand([(obsnum.value, 'observation')])", "[1, 2]", "17"])
def test_candidates_that_cannot_be_read_are_none(text):
    assert pool.candidates(pool.Row({"asn_candidate": text})) == ()


def test_a_scan_says_what_asn_make_pool_says_of_the_same_files(tmp_path, shared):
    mkpool = pytest.importorskip("jwst.associations.mkpool")
    paths = sorted((shared / "data/real_headers_and_products").rglob("*_uncal.fits"))
    for path in paths:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    expose(tmp_path, 1, NUMDTHPT=4, IS_PSF=True, TARGNAME="M 92")
    rows = pool.scan(tmp_path).rows
    official = mkpool.mkpool([str(row.path) for row in rows])
    # asn_make_pool gives paths, and numbers targets as they come, whatever their program.
    columns = set(official.colnames) & set(pool.COLUMNS) - {"filename", "targetid"}
    assert len(columns) > 35
    for ours, theirs in zip(rows, official, strict=True):
        assert {name: ours[name] for name in columns} == {name: _as_read(theirs[name]) for name in columns}


def _as_read(value):
    """A value of mkpool as the ground system writes it: small letters, flags as t and f, null for nothing."""
    return {"true": "t", "false": "f", "": "null"}.get(str(value).lower(), str(value).lower())


def test_the_official_generator_reads_a_scanned_pool(tmp_path):
    official = pytest.importorskip("jwst.associations")
    for number in (1, 2):
        expose(tmp_path, number)
    path = pool.write(pool.scan(tmp_path), tmp_path / "jw01234_pool.csv")
    table = official.AssociationPool.read(str(path))
    assert list(table["exp_type"]) == ["nrc_image", "nrc_image"]
    assert table.colnames == list(pool.COLUMNS)
