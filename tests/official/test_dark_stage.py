"""Simulated darks of NIRCam and MIRI through jwrules and through the official pipeline, from the same files."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from side_by_side import REFERENCES, run

from jwrules import simulate
from jwrules.simulate import miri, nircam, program
from pipeline import Task, start

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

CORNER = nircam.Window("SUB640", 0, nircam.FULL_SIZE - 96, 128, 96, 1)
READOUT = nircam.Readout("SHALLOW4", frames=4, gap=1, groups=4, integrations=2)
WAVE = replace(miri.EFFECTS, wave=(2.0, 312.5))
"""A wave of which frames hold 37.2 periods. They hold 46.5 of the usual one, which the official fit takes as it is or
upside down, by rounding: a constant in each pixel apart. For ours see tests/kernels/test_interference.py. In later
integrations the official one is up to 1/500 of a period off, 0.02 DN here.
"""
FEW = {"dithers": ((0.0, 0.0),), "stars": 6, "galaxies": 2}


def near_infrared(size):
    short, _ = nircam.imaging(size)
    return (replace(short, window=CORNER, readout=READOUT, dark_frames=8, **FEW),)


def mid_infrared(pointing):
    return lambda size: (replace(pointing, **FEW),)


@dataclass(frozen=True)
class Darks:
    """A dark of both pipelines: their paths, and the steps that are applied to it."""

    ours: Path
    official: Path
    applied: str

    @property
    def both(self):
        """Headers and arrays of ours and of the official one."""
        return _read(self.ours), _read(self.official)


def _read(path):
    with fits.open(path) as hdus:
        arrays = {hdu.name: np.array(hdu.data) for hdu in hdus if hdu.is_image and hdu.data is not None}
        return hdus[0].header, arrays


PROGRAMS = {
    "NRC_DARK": ("nircam_imaging", "nrcb1", "S_DQINIT S_SATURA S_SUPERB S_REFPIX S_LINEAR"),
    "MIR_DARKIMG": ("miri_imaging", "mirimage", "S_DQINIT S_MIREMI S_SATURA S_LASTFR S_RESET S_LINEAR S_RSCD"),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def darks(request, tmp_path_factory):
    """A dark of NIRCam, and one of MIRI."""
    template, detector, applied = PROGRAMS[request.param]
    folder = tmp_path_factory.mktemp("dark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "imaging", near_infrared)
        patch.setattr(miri, "EFFECTS", WAVE)
        patch.setattr(miri, "imaging", mid_infrared(miri.imaging("small")[0]))
        simulate.run(template, folder / "demo")
    name = f"jw09001001001_02101_00001_{detector}"
    raw = f"demo/uncal/{name}_uncal.fits"
    fits.setval(folder / raw, "EXP_TYPE", value=request.param)
    if request.param == "MIR_DARKIMG":
        _add_reference_output(folder / raw)
    official = start([Task("dark", raw, "official", REFERENCES)], folder, "official")
    run(folder, Task("dark", raw, "ours", REFERENCES))
    official.wait()
    return Darks(*(folder / who / f"{name}_dark.fits" for who in ("ours", "official")), applied)


def _add_reference_output(raw):
    *outer, ny, nx = fits.getdata(raw, "SCI").shape
    values = np.random.default_rng(4).integers(0, 65536, (*outer, ny, nx // 4), np.uint16)
    fits.append(raw, values, fits.Header([("EXTNAME", "REFOUT")]))


def test_the_reference_output_is_carried_along(darks):
    (_, ours), (_, theirs) = darks.both
    assert ("REFOUT" in ours) == ("REFOUT" in theirs) == ("_mirimage_" in darks.ours.name)
    if "REFOUT" in ours:
        assert ours["REFOUT"].dtype == theirs["REFOUT"].dtype == ">f4"
        assert np.array_equal(ours["REFOUT"], theirs["REFOUT"])


def test_the_same_steps_are_applied(darks):
    (ours, _), (theirs, _) = darks.both
    applied = darks.applied.split()
    assert {ours[name] for name in applied} == {theirs[name] for name in applied} == {"COMPLETE"}
    assert ours["S_IPC"] == theirs["S_IPC"] == "SKIPPED"
    assert not [name for name in ours if name in ("S_DARK", "S_JUMP", "S_RAMP")]


def test_the_ramps_agree(darks):
    (_, ours), (_, theirs) = darks.both
    assert ours["SCI"].shape == theirs["SCI"].shape
    unusable = (theirs["PIXELDQ"] & 1) != 0
    apart = np.abs(ours["SCI"] - theirs["SCI"])[..., ~unusable]
    assert np.nanmax(apart) < 0.05
    assert np.nanmedian(apart) < 1e-2


def test_the_flags_agree(darks):
    (_, ours), (_, theirs) = darks.both
    assert np.array_equal(ours["GROUPDQ"], theirs["GROUPDQ"])
    assert np.array_equal(ours["PIXELDQ"], theirs["PIXELDQ"])


def test_data_models_open_it_as_the_official_one(darks):
    models = []
    for path in (darks.ours, darks.official):
        with datamodels.open(str(path)) as model:
            model.validate()
            models.append((type(model).__name__, model.meta.model_type, model.data.shape))
    assert models[0] == models[1]
