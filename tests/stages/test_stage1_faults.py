"""Whatever is wrong with an exposure or its reference files is told in plain words, and leaves no half product.

What is only poor has the result that the documentation says.
"""

import gzip
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits as pyfits
from fault_scene import FRAME, NAME, PRODUCTS, RATE, SHAPE, STEPS, Night, counts
from ramp_scene import reference

from jwrules.errors import CannotRun, DataFault
from jwrules.kernels import lines
from jwrules.products import asdf, fits
from jwrules.products.flags import DQ
from jwrules.products.kinds import Dark, Gain, Linearity, Mask, Rate, RateInts, Readnoise
from jwrules.products.reference import ReferenceFile
from jwrules.products.rooms import Scratch
from jwrules.stages import budget, threads


@pytest.fixture
def night(tmp_path):
    yield Night(tmp_path)
    logging.captureWarnings(False)
    logging.getLogger("jwrules").handlers = []
    logging.getLogger("jwrules").propagate = True


@pytest.fixture
def refused(night, capsys):
    """Run what must be refused; return what is said of it."""

    def run(*more, steps=STEPS):
        assert night.run(*more, steps=steps) == 1
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert "fault of jwrules" not in said
        assert "Warning" not in said
        assert night.left() == []
        return said

    return run


@pytest.fixture
def made(night, capsys):
    """Run what must pass without a warning; return the rates."""

    def run(*more, steps=STEPS):
        assert night.run(*more, steps=steps) == 0
        assert capsys.readouterr().err == ""
        assert night.left() == PRODUCTS
        return fits.read(night.output / PRODUCTS[0], Rate)

    return run


def frame(value, **pixels):
    """A frame of one value, but for the first pixels of its fifth row."""
    values = np.full(FRAME, value)
    values[4, : len(pixels)] = list(pixels.values())
    return values


def test_a_sound_exposure_passes(made):
    rate = made()
    np.testing.assert_allclose(np.median(rate.data), RATE, rtol=0.02)
    assert not rate.dq.any()


REFERENCES = {
    "another shape": (
        reference(Dark, data=np.zeros((5, 10, 24))),
        "does not hold the exposure's (16, 24) from (1, 1); give another reference file",
    ),
    "NaN everywhere": (
        reference(Dark, data=np.full((5, *FRAME), np.nan)),
        "dark.fits[SCI]: 1920 of 1920 values are NaN",
    ),
    "no read noise": (
        reference(Readnoise, data=frame(0.0)),
        "readnoise.fits[SCI]: 384 of 384 values are NaN or infinite, or not above 0",
    ),
    "no gain": (
        reference(Gain, data=frame(0.0)),
        "gain.fits[SCI]: 384 of 384 values are NaN or infinite, or not above 0",
    ),
    "gain below 0": (reference(Gain, data=frame(-2.0)), "the first at (0, 0) (counted from 0); at most 50% may be"),
    "one group": (
        reference(Dark, data=np.zeros((1, *FRAME))),
        "dark_current: the dark has one group: there is no rate",
    ),
    "one coefficient": (
        reference(Linearity, coeffs=np.zeros((1, *FRAME))),
        "linearity.fits has 1 coefficient; a linear",
    ),
}


@pytest.mark.parametrize(("one", "words"), REFERENCES.values(), ids=REFERENCES)
def test_a_reference_file_that_cannot_serve_is_told(night, refused, one, words):
    night.give(one)
    assert words in refused()


def test_a_reference_file_of_another_type_is_told(night, refused):
    night.give(reference(Gain, data=frame(2.0)), kind="dark")
    assert f"{night.folder}/dark.fits: REFTYPE is GAIN, where a reference file of type 'dark' is needed" in refused()


def test_a_reference_file_that_a_step_lacks_is_told_with_how_to_give_it(night, refused):
    del night.files["dark"]
    said = refused()
    assert "dark_current: there is no reference file of type 'dark': --reference dark=FILE gives one" in said
    assert "'if_impossible: skip' in the recipe goes on without it" in said


GIVEN = {
    "not there": ("dark=nowhere.fits", "--reference dark=nowhere.fits: there is no such file"),
    "a folder": (f"dark={Path(__file__).parent}", "there is no such file"),
    "misspelt": (f"drak={__file__}", "no step takes a reference file of type 'drak'; did you mean 'dark'?"),
    "a second one": (f"dark={__file__}", "--reference dark: two files are given, "),
}


@pytest.mark.parametrize(("given", "words"), GIVEN.values(), ids=GIVEN)
def test_a_reference_file_that_is_given_wrongly_is_told(refused, given, words):
    assert words in refused("--reference", given)


@pytest.mark.parametrize("size", [0, 1000, 3500, 9000])
def test_a_reference_file_that_was_cut_off_is_told(night, refused, size):
    os.truncate(night.files["dark"], size)
    assert f"reference file {night.files['dark']}: " in refused()


def test_a_reference_file_that_only_another_readout_needs_is_not_opened(night, made):
    night.files["refpix"] = night.files["sirskernel"] = Path(__file__)
    assert made().meta.get("R_REFPIX") is None


def test_pixels_without_gain_have_no_rate_and_say_so(night, made):
    night.give(reference(Gain, data=frame(2.0, a=0.0, b=-1.0, c=np.nan)))
    rate = made()
    bad = np.zeros(FRAME, bool)
    bad[4, :3] = True
    assert np.array_equal(np.isnan(rate.data), bad)
    assert np.array_equal(rate.dq, np.where(bad, DQ.NO_GAIN_VALUE | DQ.DO_NOT_USE, 0))


@pytest.mark.parametrize("ngroups", [1, 2])
def test_few_groups_are_fitted_without_looking_for_jumps(night, made, ngroups):
    night.expose(counts((2, ngroups, *FRAME)))
    rate = made()
    assert rate.meta["S_JUMP"] == "SKIPPED"
    # of one group, the count since the reset (8000 DN less the bias of 7000) is all there is
    expected = RATE if ngroups == 2 else RATE + 100
    np.testing.assert_allclose(np.median(rate.data), expected, rtol=0.05)


def test_without_nframes_groups_are_not_scaled(night, made):
    night.expose(NFRAMES=None)
    assert made().meta["S_GRPSCL"] == "SKIPPED"


def test_a_segment_in_the_middle_of_an_exposure_keeps_its_place(night, made):
    night.expose(NINTS=10, EXSEGNUM=2, EXSEGTOT=3, INTSTART=4, INTEND=5)
    made()
    rateints = fits.read(night.output / PRODUCTS[1], RateInts)
    assert [rateints.meta[k] for k in ("NINTS", "INTSTART", "INTEND")] == [10, 4, 5]
    assert rateints.data.shape == (2, *FRAME)


LOST = {
    "saturated": (np.full(SHAPE, 62000, np.uint16), {}, DQ.SATURATED | DQ.DO_NOT_USE),
    "at the ceiling of the converter": (np.full(SHAPE, 65535, np.uint16), {}, DQ.SATURATED | DQ.DO_NOT_USE),
    "at its floor": (np.zeros(SHAPE, np.uint16), {}, DQ.DO_NOT_USE),
    "bad pixels": (counts(), {"mask": reference(Mask, dq=np.ones(FRAME, np.uint32))}, DQ.DO_NOT_USE),
}


@pytest.mark.parametrize(("data", "files", "flags"), LOST.values(), ids=LOST)
def test_an_exposure_without_a_usable_pixel_has_no_rates_and_says_so(night, made, data, files, flags):
    night.expose(data)
    for one in files.values():
        night.give(one)
    rate = made()
    assert np.isnan(rate.data).all()
    assert (rate.dq == flags).all()
    assert not rate.err.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_counts_of_another_type_give_the_same_rates(night, made, dtype):
    expected = made().data
    night.expose(counts().astype(dtype))
    assert np.array_equal(made().data, expected)


@pytest.mark.parametrize("what", ["uncal", "dark"])
def test_gzipped_files_give_the_same_rates(night, made, what):
    expected = made().data
    path = night.uncal if what == "uncal" else night.files["dark"]
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    if what == "uncal":
        night.uncal = packed
    else:
        night.files["dark"] = packed
    assert np.array_equal(made().data, expected)


def test_a_gzipped_exposure_that_was_cut_off_is_told(night, refused):
    packed = night.uncal.with_name(f"{night.uncal.name}.gz")
    packed.write_bytes(gzip.compress(night.uncal.read_bytes())[:-500])
    night.uncal = packed
    assert f"{packed}: cannot be read as FITS (Compressed file ended before" in refused()


KEYWORDS = {
    "more groups": ({"NGROUPS": 6}, "[SCI]: NGROUPS is 6 in the header, but the array holds 5 (shape (2, 5, 16, 24))"),
    "more integrations": ({"NINTS": 3}, "[SCI]: NINTS is 3 in the header, but the array holds 2"),
    "another segment": (
        {"EXSEGTOT": 3, "INTSTART": 4, "INTEND": 9},
        "INTEND - INTSTART + 1 is 6 in the header, but the",
    ),
    "some segment": (
        {"EXSEGTOT": 3},
        "without INTSTART and INTEND it is not known which segment of 3 (EXSEGTOT) it is",
    ),
    "no time": ({"TGROUP": 0.0}, "TGROUP = 0.0 is not a number of seconds above 0; correct the header"),
    "words": (
        {"TGROUP": "ten", "NGROUPS": "5"},
        "TGROUP = 'ten' is not a number of seconds above 0; NGROUPS = '5' is no",
    ),
    "no frames": ({"NFRAMES": 0}, "NFRAMES = 0 is not a whole number from 1 on"),
    "nowhere": ({"SUBSTRT1": -3}, "SUBSTRT1 = -3 is not a whole number from 1 on"),
    "a third axis": ({"FASTAXIS": 3}, "FASTAXIS = 3 is not 1, -1, 2 or -2"),
    "one axis": ({"FASTAXIS": -2}, "FASTAXIS = -2 and SLOWAXIS = 2 are the same axis"),
    "no power of two": ({"NFRAMES": 3}, "group_scale: NFRAMES=3 is no power of two and FRMDIVSR is missing"),
}


@pytest.mark.parametrize(("keywords", "words"), KEYWORDS.values(), ids=KEYWORDS)
def test_a_keyword_that_cannot_be_is_told(night, refused, keywords, words):
    night.expose(**keywords)
    said = refused()
    assert words in said
    assert night.uncal.name in said or "group_scale" in said


@pytest.mark.parametrize(
    ("keyword", "step"),
    [
        ("TGROUP", "jump"),
        ("FASTAXIS", "refpix"),
        ("SLOWAXIS", "refpix"),
        ("SUBSTRT1", "refpix"),
    ],
)
def test_a_missing_keyword_is_told_with_the_step_that_needs_it(night, refused, keyword, step):
    night.expose(**{keyword: None})
    assert f"{step}: {night.uncal.name}: the keyword {keyword} is missing; 'if_impossible: skip'" in refused()


def test_of_a_step_that_makes_the_rates_it_is_not_said_that_it_may_be_left_out(night, refused):
    night.expose(TFRAME=None)
    way_on = "nothing can be made without this step, which gives Slopes"
    assert f"ramp_fit: {night.uncal.name}: the keyword TFRAME is missing; {way_on}" in refused()


def test_a_step_that_lacks_a_keyword_is_skipped_where_the_recipe_says_so(night, made):
    night.expose(FASTAXIS=None)
    steps = [{"step": one} | ({"if_impossible": "skip"} if one == "refpix" else {}) for one in STEPS]
    assert made(steps=steps).meta["S_REFPIX"] == "SKIPPED"


def image(name, shape, dtype):
    return pyfits.ImageHDU(np.zeros(shape, dtype), name=name)


HDUS = {
    "no SCI": (lambda hdus: hdus[:1], ": extension SCI is missing; the file has PRIMARY"),
    "empty SCI": (lambda hdus: [hdus[0], pyfits.ImageHDU(name="SCI")], "[SCI]: shape () where 4 axes are expected"),
    "three axes": (
        lambda hdus: [hdus[0], image("SCI", SHAPE[1:], "u2")],
        "[SCI]: shape (5, 16, 24) where 4 axes are expected; give a file that holds a Ramp",
    ),
    "no groups": (
        lambda hdus: [hdus[0], image("SCI", (2, 0, *FRAME), "u2")],
        "[SCI]: shape (2, 0, 16, 24): there is nothing in it",
    ),
    "flags of another frame": (
        lambda hdus: [*hdus, image("PIXELDQ", (3, 3), "u4")],
        "[PIXELDQ]: shape (3, 3), where (16,",
    ),
    "flags of fewer groups": (
        lambda hdus: [*hdus, image("GROUPDQ", (2, 4, *FRAME), "u1")],
        "[GROUPDQ]: shape (2, 4, 16, 24)",
    ),
    "fewer first frames": (
        lambda hdus: [*hdus, image("ZEROFRAME", (1, *FRAME), "u2")],
        "[ZEROFRAME]: shape (1, 16, 24), wh",
    ),
    "smaller first frames": (
        lambda hdus: [*hdus, image("ZEROFRAME", (2, 3, 3), "u2")],
        "[ZEROFRAME]: shape (2, 3, 3), where",
    ),
}


@pytest.mark.parametrize(("change", "words"), HDUS.values(), ids=HDUS)
def test_an_exposure_without_the_arrays_that_it_must_have_is_told(night, refused, change, words):
    night.change(change)
    assert f"{night.uncal}{words}" in refused()


def test_first_frames_that_the_header_promises_in_vain_are_missed_aloud(night, capsys):
    assert night.run() == 0
    expected = fits.read(night.output / PRODUCTS[0], Rate).data
    capsys.readouterr()
    night.expose(ZEROFRAM=True)
    assert night.run() == 0
    words = "ZEROFRAM is T, but there is no extension ZEROFRAME: nothing is known of first frames"
    assert capsys.readouterr().err == f"warning: {night.uncal}: {words}\n"
    assert np.array_equal(fits.read(night.output / PRODUCTS[0], Rate).data, expected)
    night.change(lambda hdus: [*hdus, image("ZEROFRAME", (2, *FRAME), "u2")])
    assert night.run() == 0
    assert capsys.readouterr().err == ""


CUT = {
    "to nothing": (0, "cannot be read as FITS (Empty or corrupt FITS file)"),
    "in the first header": (1000, "cannot be read as FITS (Empty or corrupt FITS file)"),
    "after the first header": (2880, "extension SCI is missing; the file has PRIMARY"),
    "in the header of SCI": (3500, "ends within the header of the extension after PRIMARY"),
    "in the first frame": (6000, "cannot be read as FITS (File may have been truncated: actual file length (6000)"),
    "in the last frame": (13000, "cannot be read as FITS (File may have been truncated: actual file length (13000)"),
    "in the header of ASDF": (15000, "ends within the header of the extension after SCI"),
    "in ASDF": (19000, "cannot be read as FITS (File may have been truncated: actual file length (19000)"),
}


@pytest.mark.parametrize(("size", "words"), CUT.values(), ids=CUT)
def test_an_exposure_that_was_cut_off_is_told(night, refused, size, words):
    night.change(lambda hdus: [*hdus, asdf.embed({"jwrules": {"a": "b" * 6000}})])
    os.truncate(night.uncal, size)
    assert f"{night.uncal}: {words}" in refused()


@pytest.mark.parametrize("cell", [b"[", b"text", b"{}"])
def test_a_damaged_tree_is_told(night, refused, cell):
    begin = asdf.embed({"jwrules": {}}).data["ASDF_METADATA"].tobytes().partition(b"jwrules")[0]
    array = np.frombuffer(begin + b"jwrules: " + cell, np.uint8)[np.newaxis]
    column = pyfits.Column("other" if cell == b"{}" else "ASDF_METADATA", format=f"{array.shape[1]}B", array=array)
    night.change(lambda hdus: [*hdus, pyfits.BinTableHDU.from_columns([column], name="ASDF")])
    assert f"{night.uncal}[ASDF]: cannot be read (" in refused()


def test_an_exposure_that_is_not_there_is_told(night, refused):
    night.uncal.unlink()
    assert f"{night.uncal}: there is no such file" in refused()


CHAINS = {
    "none": ([], "the chain of steps must end in Slopes, and ends in Ramp"),
    "no fit": (["dq_init"], "the chain of steps must end in Slopes, and ends in Ramp"),
    "another order": (["ramp_fit", "jump"], "jump takes Ramp, and is given Slopes; put it elsewhere"),
}


@pytest.mark.parametrize(("steps", "words"), CHAINS.values(), ids=CHAINS)
def test_a_chain_that_cannot_run_is_told(refused, steps, words):
    assert words in refused(steps=steps)


def test_a_step_that_is_to_be_saved_and_does_not_run_is_told(refused):
    assert "--save: rampfit cannot be saved; there are group_scale, dq_init, " in refused("--save", "rampfit")


def test_too_little_memory_is_told_with_what_it_takes(refused):
    assert "--memory 100M is too little: one integration of this exposure" in refused("--memory", "100M")


def test_an_output_that_is_a_file_is_told(night, capsys):
    night.output.write_text("a file")
    assert night.run() == 1
    assert f"{night.output}: nothing can be written there; --output names another folder" in capsys.readouterr().err


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_folder_that_has_the_name_of_a_product_is_told_and_nothing_is_made(night, capsys, product):
    (night.output / product).mkdir(parents=True)
    assert night.run() == 1
    said = capsys.readouterr().err
    assert f"{night.output / product}: a folder has the name of this product; rename it" in said
    assert [path.name for path in night.output.iterdir()] == [product]


def test_an_output_that_is_read_only_is_told(monkeypatch, night, refused):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert f"{night.output}: nothing can be written there; --output names another folder" in refused()


@pytest.fixture
def bands(monkeypatch):
    """Blocks of two rows, on two threads."""
    monkeypatch.setattr(budget, "BLOCK", 1)
    monkeypatch.setattr(budget, "LEAST_ROWS", 2)
    monkeypatch.setattr(threads, "allowed_threads", lambda: 2)


def test_a_reference_file_that_ends_early_in_a_later_block_is_told(monkeypatch, bands, night, refused):
    cut = night.files["dark"]
    original = ReferenceFile.__init__

    def open_and_cut(self, path, *more):
        original(self, path, *more)
        if path == cut:
            os.truncate(cut, cut.stat().st_size - 2880 * 3)

    monkeypatch.setattr(ReferenceFile, "__init__", open_and_cut)
    steps = ["dq_init", "saturation", "linearity", "dark_current", "ramp_fit"]
    assert f"{cut}: ends too early (at byte " in refused(steps=steps)


def test_a_reference_file_that_goes_while_it_is_in_use_is_told(monkeypatch, bands, night, refused):
    gone = night.files["dark"]
    original = ReferenceFile.__init__

    def open_and_remove(self, path, *more):
        original(self, path, *more)
        if path == gone:
            gone.unlink()

    monkeypatch.setattr(ReferenceFile, "__init__", open_and_remove)
    assert f"{gone}: cannot be read any more (No such file or directory)" in refused()


def test_the_first_fault_ends_the_work_on_blocks_at_once(monkeypatch):
    monkeypatch.setattr(threads, "allowed_threads", lambda: 2)
    begun = []

    def work(number):
        begun.append(number)
        if number == 1:
            raise CannotRun("here")
        time.sleep(0.001 if number else 0.5)

    with pytest.raises(CannotRun, match="here"):
        threads.in_parallel(work, iter(range(200)))
    assert len(begun) < 100


def _let_nothing_through(monkeypatch):
    """Let compiled code write no line whole, so that each goes through os.pwrite."""
    monkeypatch.setattr(lines, "write", lambda file, place, size, starts, first: first)


def test_a_scratch_file_that_finds_no_room_is_told(monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    room = Scratch((1, 2, 3, 4), "f4", tmp_path)
    _let_nothing_through(monkeypatch)
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DataFault, match=r"cannot be kept there \(No space left on device\); they take 0 MB of disk"):
        room.write((slice(None),) * 4, np.ones((1, 2, 3, 4), "f4"))
    room.close()


def test_a_scratch_file_is_written_whole_though_the_system_takes_it_in_bits(monkeypatch, tmp_path):
    write, values = os.pwrite, np.arange(24, dtype="f4").reshape(1, 2, 3, 4)
    _let_nothing_through(monkeypatch)
    monkeypatch.setattr(os, "pwrite", lambda file, view, offset: write(file, view[:7], offset))
    room = Scratch(values.shape, "f4", tmp_path)
    room.write((slice(None),) * 4, values)
    assert np.array_equal(room.read((slice(None),) * 4), values)
    room.close()


def process(night, *arguments, **how):
    """Run stage 1 in a process of its own."""
    command = [sys.executable, *(arguments or ("-m", "jwrules")), *night.command()]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **how)


def test_a_product_that_may_not_grow_is_told_by_name(night, made):
    made()  # what is compiled is kept in files too
    for name in PRODUCTS:
        (night.output / name).unlink()
    limit = 11_000
    done = process(night, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 1
    assert f"{night.output / NAME}_rate.fits: cannot be written (File too large); nothing was left under" in done.stderr
    assert night.left() == []


DEADLY = """
import os, signal, sys
os.replace = lambda *_: os.kill(os.getpid(), signal.{how}) or signal.pause()
from jwrules import cli
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_a_process_that_is_killed_while_it_writes_leaves_no_product(night, made, how):
    done = process(night, "-c", DEADLY.format(how=how))
    assert done.returncode == (-signal.SIGKILL if how == "SIGKILL" else 128 + signal.SIGTERM)
    left = night.left()
    assert all(name.startswith(".") and ".part" in name for name in left)
    assert bool(left) == (how == "SIGKILL")
    made()
