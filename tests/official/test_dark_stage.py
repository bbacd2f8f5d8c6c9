"""A simulated dark exposure of NIRCam through jwrules and through the official pipeline, from the same files."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from side_by_side import REFERENCES, run

from jwrules import simulate
from jwrules.simulate import nircam, program
from pipeline import Task, start

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

NAME = "jw09001001001_02101_00001_nrcb1"
CORNER = nircam.Window("SUB640", 0, nircam.FULL_SIZE - 96, 128, 96, 1)
READOUT = nircam.Readout("SHALLOW4", frames=4, gap=1, groups=4, integrations=2)


def corner(size):
    short, _ = nircam.imaging(size)
    few = {"stars": 6, "galaxies": 2, "dark_frames": 8}
    return (replace(short, window=CORNER, readout=READOUT, dithers=((0.0, 0.0),), **few),)


@pytest.fixture(scope="module")
def darks(tmp_path_factory):
    """Our dark and the official one: their paths."""
    folder = tmp_path_factory.mktemp("dark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "imaging", corner)
        simulate.run("nircam_imaging", folder / "demo")
    raw = f"demo/uncal/{NAME}_uncal.fits"
    fits.setval(folder / raw, "EXP_TYPE", value="NRC_DARK")
    official = start([Task("dark", raw, "official", REFERENCES)], folder, "official")
    run(folder, Task("dark", raw, "ours", REFERENCES))
    official.wait()
    return [folder / who / f"{NAME}_dark.fits" for who in ("ours", "official")]


@pytest.fixture(scope="module")
def pair(darks):
    """Headers and arrays of both."""
    return [_read(path) for path in darks]


def _read(path):
    with fits.open(path) as hdus:
        return hdus[0].header, {hdu.name: np.array(hdu.data) for hdu in hdus if hdu.is_image and hdu.data is not None}


def test_the_same_steps_are_applied(pair):
    ours, theirs = (header for header, _ in pair)
    names = ("S_GRPSCL", "S_DQINIT", "S_SATURA", "S_IPC", "S_SUPERB", "S_REFPIX", "S_LINEAR")
    assert {name: ours[name] for name in names} == {name: theirs[name] for name in names}
    assert ours["S_LINEAR"] == "COMPLETE"
    assert ours["EXP_TYPE"] == "NRC_DARK"


def test_the_ramps_agree(pair):
    (_, ours), (_, theirs) = pair
    assert ours["SCI"].shape == theirs["SCI"].shape == (2, 4, 96, 128)
    unusable = (theirs["PIXELDQ"] & 1) != 0
    apart = np.abs(ours["SCI"] - theirs["SCI"])[..., ~unusable]
    assert np.nanmax(apart) < 0.05
    assert np.nanmedian(apart) < 1e-3


def test_the_flags_agree(pair):
    (_, ours), (_, theirs) = pair
    assert np.array_equal(ours["GROUPDQ"], theirs["GROUPDQ"])
    assert np.array_equal(ours["PIXELDQ"], theirs["PIXELDQ"])


def test_data_models_open_it_as_the_official_one(darks):
    models = []
    for path in darks:
        with datamodels.open(str(path)) as model:
            model.validate()
            models.append((type(model).__name__, model.meta.model_type, model.data.shape))
    assert models[0] == models[1]
