"""What the guider does before and during an exposure."""

import numpy as np
import pytest
from template_scene import make

from jwrules import headers, names, references

SHAPES = {
    "FGS_ID-IMAGE": (2, 2, 2048, 16),
    "FGS_ACQ1": (6, 2, 128, 128),
    "FGS_ACQ2": (5, 2, 32, 32),
    "FGS_TRACK": (40, 2, 32, 32),
    "FGS_FINEGUIDE": (40, 8, 8, 8),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    taken = make("fgs_guide_star", tmp_path_factory.mktemp("guide_star"))
    return {headers.read(one.raw)["EXP_TYPE"]: one for one in taken}


def test_each_function_has_its_frames(files):
    assert {kind: one.ramp().data.shape for kind, one in files.items()} == SHAPES


def test_their_names_are_official(files):
    spelt = {kind: str(names.parse(one.raw.name)) for kind, one in files.items()}
    assert spelt == {kind: one.raw.name for kind, one in files.items()}
    assert spelt["FGS_ID-IMAGE"] == "jw09001001001_gs-id_1_image_uncal.fits"
    assert spelt["FGS_FINEGUIDE"].startswith("jw09001001001_gs-fg_2025")


def test_they_are_raw_files_of_a_guider(files):
    assert {headers.read(one.raw)["DATAMODL"] for one in files.values()} == {"GuiderRawModel"}


def test_the_last_read_less_the_first_is_the_rate(files):
    for one in files.values():
        ramp, rate = one.ramp(), one.truth("RATE")
        growth = (ramp.data[:, -1] - ramp.data[:, 0]).mean(axis=0)
        rest_of_set = (ramp.data.shape[1] // 2 - 1) * ramp.meta["TFRAME"]
        seconds = ramp.meta["TGROUP"] + rest_of_set
        level = rate * ramp.meta["EFFINTTM"]
        lit = (level > 1500) & (level < 15_000)
        assert np.median(growth[lit] / seconds / rate[lit]) == pytest.approx(1.0, abs=0.12)


def test_it_is_read_as_the_real_one(files):
    """Patterns and times of real exposures, in frames."""
    frames = {}
    for kind, one in files.items():
        header = headers.read(one.raw)
        frames[header["READPATT"]] = round(header["TGROUP"] / header["TFRAME"])
        assert frames[header["READPATT"]] == header["NFRAMES"] + header["GROUPGAP"], kind
    assert frames == {"ID": 1, "ACQ1": 2, "ACQ2": 2, "TRACK": 2, "FINEGUIDE": 43}


@pytest.mark.parametrize("kind", SHAPES)
def test_its_reference_files_are_found(files, kind, tmp_path):
    one = files[kind]
    wanted = ("mask", "gain", "readnoise", "flat")
    chosen = references.open(one.folder / "references", tmp_path / "l.json").choose(wanted, headers.read(one.raw))
    assert all(chosen.values())
