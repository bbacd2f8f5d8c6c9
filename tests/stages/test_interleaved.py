"""An exposure in IRS2 readout on its way through stage 1: frames as read, then those of the detector."""

import numpy as np
import pytest
from interleaved_scene import CLOCK, NOISE, exposure, stored
from ramp_scene import gain_and_readnoise, reference

from jwrules.products import fits
from jwrules.products.kinds import Dark, DarkOfGroups, Ramp, Rate, Refpix, Superbias
from jwrules.products.reference import open_reference
from jwrules.simulate import irs2
from jwrules.simulate.references import Shelf
from jwrules.stages import chain, detector1
from jwrules.stages.workbench import Workbench
from jwrules.steps.refpix import refpix
from jwrules.steps.superbias import superbias

NAME = "jw01234001001_02101_00001_nrs2"
BIAS = np.full((2048, 2048), 9000.0)
PLACE = {"SUBSTRT1": 1, "SUBSTRT2": 1, "SUBSIZE1": 2048, "SUBSIZE2": 2048}
KEYWORDS = {**PLACE, "NINTS": 2, "NGROUPS": 2, "EFFINTTM": 20.0, "EXPSTART": 60000.0}


def raw():
    """Two integrations of two groups, the second with reference pixels that are far too high."""
    frames = np.stack([stored("NRS2"), stored("NRS2")[::-1]]) + irs2.electronics("NRS2").bias(BIAS)
    frames[1, :, 688:690] += 500
    return exposure(frames, "NRS2", **KEYWORDS)


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    folder = tmp_path_factory.mktemp("references")
    shelf = Shelf(folder, "NIRSPEC")
    irs2.refpix(shelf, "NRS2", NOISE, CLOCK, [])
    irs2.superbias(shelf, irs2.electronics("NRS2"), BIAS, {"DETECTOR": "NRS2", **PLACE})
    files = {kind: folder / f"jwst_nirspec_{kind}_0001.fits" for kind in ("refpix", "superbias")}
    for kind, one in gain_and_readnoise((2048, 2048)).items():
        meta = one.meta.updated(REFTYPE=kind.upper(), **PLACE)
        files[kind] = fits.write(folder / f"{kind}.fits", type(one)(meta=meta, data=one.data))
    return files


def opened(references, kind):
    return open_reference(references[kind.reftype], kind, raw().meta, (3200, 2048))


@pytest.mark.parametrize("memory", [None, 900])
def test_frames_as_read_become_frames_of_the_detector_whatever_the_memory(tmp_path, references, memory):
    calls = [chain.Call(step) for step in ("superbias", "refpix", "ramp_fit")]
    (tmp_path / "out").mkdir()
    uncal = fits.write(tmp_path / f"{NAME}_uncal.fits", raw())
    made = detector1.run(uncal, Workbench("detector1", calls, references, tmp_path / "out"), memory, ["refpix"])
    by_suffix = {path.stem.rsplit("_", 1)[1]: path for path in made}
    whole = superbias(raw(), superbias=opened(references, Superbias))
    whole = refpix(whole, refpix=opened(references, Refpix))
    saved, rate = fits.read(by_suffix["refpix"], Ramp), fits.read(by_suffix["rate"], Rate)
    assert np.array_equal(saved.data, whole.data)
    assert saved.meta["SUBSIZE2"] == 2048
    assert rate.data.shape == (2048, 2048)


@pytest.mark.parametrize("memory", [None, 900])
def test_a_dark_that_is_written_has_frames_of_the_detector(tmp_path, references, memory):
    dark = reference(Dark, {"NFRAMES": 1, "GROUPGAP": 0, **PLACE}, data=np.full((2, 2048, 2048), 3.0))
    path = fits.write(tmp_path / "dark.fits", dark)
    calls = [*map(chain.Call, ("superbias", "refpix")), chain.Call("dark_current", {"dark_output": "mine"})]
    calls.append(chain.Call("ramp_fit"))
    (tmp_path / "out").mkdir()
    uncal = fits.write(tmp_path / f"{NAME}_uncal.fits", raw())
    detector1.run(uncal, Workbench("detector1", calls, references | {"dark": path}, tmp_path / "out"), memory)
    written = fits.read(tmp_path / "out" / "mine.fits", DarkOfGroups)
    assert written.data.shape == (2, 2048, 2048)
    assert np.all(written.data == 3)
