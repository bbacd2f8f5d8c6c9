"""From a directory, the file whose own header fits the exposure best is chosen, or it is said why none is."""

import json
import os
import subprocess
import sys

import asdf
import pytest
from astropy.io import fits

from jwrules import references, unchanged
from jwrules.errors import HeaderFault, ReferenceFault

EXPOSURE = {
    "FILENAME": "jw01234001001_02101_00001_nrca1_uncal.fits",
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
    "DATE-OBS": "2023-05-01",
    "TIME-OBS": "10:20:30.456",
}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "references"


@pytest.fixture
def choose(folder, tmp_path):
    """Choose one type for EXPOSURE with some keywords changed; the name of the file is returned."""

    def choose(reftype, **changed):
        chooser = references.open(folder, tmp_path / "work" / "references.json")
        chosen = chooser.choose([reftype], EXPOSURE | changed)[reftype]
        chooser.ledger.save()
        return chosen.name

    return choose


@pytest.fixture
def add(folder):
    """Add a FITS reference file that begins with NIRCAM, NRCA1 and a USEAFTER."""

    def add(name, reftype, **keywords):
        header = {"REFTYPE": reftype, "INSTRUME": "NIRCAM", "DETECTOR": "NRCA1", "USEAFTER": "2022-04-01T00:00:00"}
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        fits.PrimaryHDU(header=fits.Header(header | keywords)).writeto(path)
        return path

    return add


def test_a_gzipped_file_is_chosen_like_another(add, choose):
    add("a.fits.gz", "DARK")
    add("b.fits.gz", "DARK", DETECTOR="NRCA2")
    assert choose("dark") == "a.fits.gz"


def test_the_file_of_the_detector_is_chosen(add, choose):
    add("a1.fits", "SATURATION")
    add("a2.fits", "SATURATION", DETECTOR="NRCA2")
    assert choose("saturation", DETECTOR="NRCA2") == "a2.fits"


def test_folders_below_are_searched(add, choose):
    add("nircam/deep/gain.fits", "GAIN")
    assert choose("gain") == "gain.fits"


def test_a_keyword_that_is_absent_is_no_condition(add, choose):
    add("gain.fits", "GAIN", SUBARRAY=None)
    assert choose("gain", SUBARRAY="SUB160") == "gain.fits"


@pytest.mark.parametrize("value", ["N/A", "GENERIC", "ANY"])
def test_words_that_exclude_nothing(add, choose, value):
    add("gain.fits", "GAIN", SUBARRAY=value)
    assert choose("gain", SUBARRAY="SUB160") == "gain.fits"


def test_an_exposure_to_which_a_keyword_does_not_apply_is_not_excluded_by_it(add, choose):
    add("flat.fits", "FLAT", INSTRUME="MIRI", DETECTOR="MIRIFULONG", BAND="LONG", FILTER="F560W")
    assert choose("flat", INSTRUME="MIRI", DETECTOR="MIRIFULONG", BAND="LONG", FILTER="N/A") == "flat.fits"


def test_alternatives_replace_the_plain_keyword(add, choose):
    add("gain.fits", "GAIN", SUBARRAY="FULL", P_SUBARR="SUB64|SUB160|")
    assert choose("gain", SUBARRAY="SUB160") == "gain.fits"
    with pytest.raises(ReferenceFault, match=r"SUBARRAY is SUB64\|SUB160, the exposure's FULL"):
        choose("gain", SUBARRAY="FULL")


def test_one_value_wins_over_alternatives_and_these_over_any(add, choose):
    add("any.fits", "FLAT", FILTER="ANY", PUPIL="CLEAR", USEAFTER="2023-03-01T00:00:00")
    assert choose("flat") == "any.fits"
    add("among.fits", "FLAT", P_FILTER="F150W|F200W|", PUPIL="CLEAR", USEAFTER="2023-02-01T00:00:00")
    assert choose("flat") == "among.fits"
    add("exact.fits", "FLAT", FILTER="F200W", PUPIL="CLEAR")
    assert choose("flat") == "exact.fits"


def test_any_wins_over_no_condition(add, choose):
    add("none.fits", "FLAT", PUPIL="CLEAR", USEAFTER="2023-03-01T00:00:00")
    add("any.fits", "FLAT", FILTER="ANY", PUPIL="CLEAR")
    assert choose("flat") == "any.fits"


def test_the_latest_of_equals_wins_that_is_not_later_than_the_exposure(add, choose):
    add("old.fits", "GAIN", USEAFTER="2022-04-01T00:00:00")
    add("new.fits", "GAIN", USEAFTER="2023-05-01T10:20:30")
    add("future.fits", "GAIN", USEAFTER="2023-05-01T10:20:31")
    assert choose("gain") == "new.fits"
    assert choose("gain", **{"TIME-OBS": "10:20:29.999"}) == "old.fits"


def test_an_older_file_that_fits_closer_wins_over_a_newer_one(add, choose):
    add("closer.fits", "GAIN", SUBARRAY="FULL")
    add("newer.fits", "GAIN", SUBARRAY="GENERIC", USEAFTER="2023-01-01T00:00:00")
    assert choose("gain") == "closer.fits"


def test_keywords_that_crds_does_not_select_the_type_by_exclude_nothing(add, choose):
    add("flat.fits", "FLAT", FILTER="F200W", PUPIL="CLEAR", SUBARRAY="FULL", EXP_TYPE="NRC_LED", READPATT="RAPID")
    assert choose("flat", SUBARRAY="SUB160") == "flat.fits"


def test_those_keywords_decide_between_equals(add, choose):
    add("rapid.fits", "DARK", READPATT="RAPID")
    add("bright.fits", "DARK", READPATT="BRIGHT2")
    assert choose("dark") == "bright.fits"
    assert choose("dark", READPATT="RAPID") == "rapid.fits"


def test_a_number_and_its_text_are_the_same(add, choose):
    add("dark1.fits", "DARK", NOUTPUTS=1)
    add("dark4.fits", "DARK", NOUTPUTS="4")
    assert choose("dark") == "dark4.fits"


def test_a_tie_names_both_files(add, choose):
    add("one.fits", "GAIN")
    add("two.fits", "GAIN", AUTHOR="another")
    with pytest.raises(ReferenceFault, match=r"nrca1_uncal.*one\.fits and .*two\.fits are equally good.*'gain'"):
        choose("gain")


def test_two_copies_of_one_file_are_no_tie(add, folder, choose):
    path = add("gain.fits", "GAIN")
    (folder / "copy").mkdir()
    (folder / "copy" / "gain.fits").write_bytes(path.read_bytes())
    assert choose("gain") == "gain.fits"


def test_none_names_every_candidate_and_what_ruled_it_out(add, choose):
    add("blue.fits", "FLAT", FILTER="F070W", PUPIL="CLEAR")
    add("late.fits", "FLAT", FILTER="F200W", PUPIL="CLEAR", USEAFTER="2024-01-01T00:00:00")
    add("miri.fits", "FLAT", INSTRUME="MIRI")
    add("dark.fits", "DARK")
    with pytest.raises(ReferenceFault) as fault:
        choose("flat")
    lines = str(fault.value).splitlines()
    assert lines[0].startswith("jw01234001001_02101_00001_nrca1_uncal.fits: no reference file of type 'flat' in ")
    assert "  blue.fits: FILTER is F070W, the exposure's F200W" in lines
    assert "  late.fits: USEAFTER is 2024-01-01T00:00:00, the exposure was taken before" in lines
    assert "  miri.fits: INSTRUME is MIRI, the exposure's NIRCAM" in lines
    assert "if_impossible: skip" in lines[-1]
    assert "dark.fits" not in str(fault.value)


def test_all_types_without_a_file_are_said_at_once(add, choose, folder, tmp_path):
    add("gain.fits", "GAIN")
    chooser = references.open(folder, tmp_path / "c.json")
    with pytest.raises(ReferenceFault, match=r"(?s)type 'mask'.*none of this type is there.*type 'ipc'"):
        chooser.choose(["mask", "gain", "ipc"], EXPOSURE)


def test_an_optional_type_without_a_file_is_none(add, folder, tmp_path):
    add("gain.fits", "GAIN")
    chosen = references.open(folder, tmp_path / "c.json").choose(["gain", "ipc"], EXPOSURE, optional=["ipc"])
    assert chosen["ipc"] is None
    assert chosen["gain"].path == (folder / "gain.fits").absolute()


def test_a_damaged_file_is_mentioned_where_none_fits(add, folder, choose):
    path = add("gain.fits", "GAIN")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ReferenceFault, match=r"could not be considered: .*gain\.fits: truncated"):
        choose("gain")


def test_a_useafter_that_is_no_date_rules_its_file_out(add, choose):
    add("gain.fits", "GAIN", USEAFTER="soon")
    with pytest.raises(ReferenceFault, match=r"USEAFTER: 'soon' is no time"):
        choose("gain")


def test_an_exposure_without_date_is_refused(add, choose):
    add("gain.fits", "GAIN")
    with pytest.raises(HeaderFault, match=r"nrca1_uncal\.fits: DATE-OBS is missing"):
        choose("gain", **{"DATE-OBS": None})


def test_a_directory_that_is_not_there_is_said(choose, folder):
    with pytest.raises(ReferenceFault, match=rf"{folder}: there is no such directory"):
        choose("gain")


def test_trees_are_chosen_by_their_metadata(folder, choose):
    folder.mkdir()
    for detector in ("NRCA1", "NRCA2"):
        meta = {"reftype": "distortion", "useafter": "2022-01-01T00:00:00", "exposure": {"p_exptype": "NRC_IMAGE|"}}
        meta["instrument"] = {"name": "NIRCAM", "detector": detector, "p_pupil": "CLEAR|F162M|"}
        asdf.AsdfFile({"meta": meta, "model": 1}).write_to(folder / f"{detector}.asdf")
    assert choose("distortion", DETECTOR="NRCA2") == "NRCA2.asdf"
    with pytest.raises(ReferenceFault, match=r"PUPIL is CLEAR\|F162M, the exposure's MASKRND"):
        choose("distortion", PUPIL="MASKRND")


def test_json_is_chosen_by_its_keywords(folder, choose):
    folder.mkdir()
    (folder / "x.json").write_text(json.dumps({"reftype": "extract1d", "instrume": "NIRCAM", "apertures": []}))
    assert choose("extract1d") == "x.json"


def test_why_each_candidate_was_chosen_or_not(add, folder, tmp_path):
    add("b.fits", "GAIN", SUBARRAY="FULL")
    add("a.fits", "GAIN", SUBARRAY="FULL", USEAFTER="2022-03-01T00:00:00")
    add("c.fits", "GAIN")
    add("d.fits", "GAIN", DETECTOR="NRCB1")
    explained = references.open(folder, tmp_path / "c.json").explain("gain", EXPOSURE)
    assert explained == [
        ("b.fits", "chosen"),
        ("a.fits", "passed over: b.fits has a later USEAFTER"),
        ("c.fits", "passed over: b.fits names more of the exposure's keywords"),
        ("d.fits", "ruled out: DETECTOR is NRCB1, the exposure's NRCA1"),
    ]


def test_a_touched_file_is_read_again_and_has_the_same_hash(add, folder, tmp_path):
    path = add("gain.fits", "GAIN")
    before = references.open(folder, tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    os.utime(path, (1, 1))
    after = references.open(folder, tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    assert before == after
    assert before.sha256 == references.content_hash(path)


def test_another_content_under_the_same_name_has_another_hash(add, folder, tmp_path):
    path = add("gain.fits", "GAIN")
    before = references.open(folder, tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    path.unlink()
    add("gain.fits", "GAIN", HISTORY="made again")
    after = references.open(folder, tmp_path / "c.json").choose(["gain"], EXPOSURE)["gain"]
    assert before.path == after.path
    assert before.sha256 != after.sha256


def test_a_keyword_edited_in_place_is_seen(add, choose, folder):
    path = add("gain.fits", "GAIN")
    assert choose("gain") == "gain.fits"
    fits.setval(path, "DETECTOR", value="NRCB3")
    with pytest.raises(ReferenceFault, match="DETECTOR is NRCB3"):
        choose("gain")


def test_a_file_that_has_not_changed_is_not_read_again(add, choose, monkeypatch):
    for name in ("SETTLED", "FINE"):
        monkeypatch.setattr(unchanged, name, 0)
    add("gain.fits", "GAIN")
    assert choose("gain") == "gain.fits"
    monkeypatch.setattr("jwrules.headers.read", pytest.fail)
    monkeypatch.setattr("jwrules.references.ledger.content_hash", pytest.fail)
    assert choose("gain") == "gain.fits"


def test_a_ledger_that_cannot_be_written_is_done_without(add, folder, tmp_path):
    add("gain.fits", "GAIN")
    (tmp_path / "file").touch()
    chooser = references.open(folder, tmp_path / "file" / "c.json")
    assert chooser.choose(["gain"], EXPOSURE)["gain"].name == "gain.fits"


def test_choosing_needs_no_arrays(add, folder, tmp_path):
    add("gain.fits", "GAIN")
    program = (
        "import sys, pathlib; from jwrules import references;"
        f"c = references.open({str(folder)!r}, pathlib.Path({str(tmp_path / 'c.json')!r}));"
        f"c.choose(['gain'], {EXPOSURE!r}); c.pars(['jump'], {EXPOSURE!r}, 'detector1');"
        "print(sorted({'numpy', 'astropy', 'asdf', 'crds'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"[]\n"


def test_flight_files_of_miri(shared, tmp_path):
    chooser = references.open(shared / "data/miri_flight_references", tmp_path / "c.json")
    imaging = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "EXP_TYPE": "MIR_IMAGE", "DATE-OBS": "2024-01-01"}
    imaging |= {"FILTER": "F770W", "SUBARRAY": "BRIGHTSKY"}
    chosen = chooser.choose(["distortion", "filteroffset"], imaging)
    assert {c.name for c in chosen.values()} == {
        "jwst_miri_imager_distortion_flt9.asdf",
        "jwst_miri_filteroffset_full_flt9.asdf",
    }
    mrs = {"INSTRUME": "MIRI", "DETECTOR": "MIRIFULONG", "EXP_TYPE": "MIR_MRS", "DATE-OBS": "2024-01-01"}
    mrs |= {"CHANNEL": "34", "BAND": "MEDIUM"}
    names = [c.name for c in chooser.choose(["distortion", "specwcs"], mrs).values()]
    assert names == ["jwst_miri_mrs34B_distortion_flt9.asdf", "jwst_miri_mrs34B_specwcs_flt9.asdf"]


def test_a_folder_that_is_linked_counts_and_a_hidden_one_does_not(add, choose, folder, tmp_path):
    add("gain.fits", "GAIN")
    (folder / "gain.fits").rename(tmp_path / "gain.fits")
    (folder / ".old").mkdir()
    add("dark.fits", "DARK").rename(folder / ".old" / "dark.fits")
    (tmp_path / "store").mkdir()
    (tmp_path / "gain.fits").rename(tmp_path / "store" / "gain.fits")
    (folder / "more").symlink_to(tmp_path / "store")
    assert choose("gain") == "gain.fits"
    with pytest.raises(ReferenceFault, match="none of this type is there"):
        choose("dark")
