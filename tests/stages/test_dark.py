"""The stage of dark exposures: corrected ramps, no slopes."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import EXPOSURE

from jwrules.stages import budget, dark
from jwrules.stages.boxes import frames
from jwrules.stages.exposure import opened
from jwrules.stages.outgoing_ramp import OutgoingRamp
from jwrules.stages.workbench import Workbench, calls

NAME = "jw00042001001_02101_00001_nrcalong"
BIAS = 1000


def write_references(folder):
    """A bad pixel in row 1, column 2; a bias of 1000 DN; a response that is linear."""
    shape = (6, 8)
    mask = np.zeros(shape, np.uint32)
    mask[1, 2] = 1
    coefficients = np.stack([np.zeros(shape), np.ones(shape)]).astype(np.float32)
    bias, limit = (np.full(shape, value, np.float32) for value in (BIAS, 60000))
    arrays = {"mask": ("DQ", mask), "superbias": ("SCI", bias), "saturation": ("SCI", limit)}
    arrays["linearity"] = ("COEFFS", coefficients)
    header = fits.Header({"SUBSTRT1": 1, "SUBSTRT2": 1})
    for kind, (name, array) in arrays.items():
        hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU(array, name=name)]
        fits.HDUList(hdus).writeto(folder / f"{kind}.fits")


STEPS = (
    '[{"step": "group_scale"}, {"step": "dq_init"}, {"step": "saturation"}, {"step": "superbias"},'
    ' {"step": "refpix", "skip": true}, {"step": "linearity"}]'
)


def write_raw(folder, counts, **keywords):
    """Write a dark exposure with these counts, (nints, ngroups, 6, 8), and the times of its integrations."""
    nints, ngroups = counts.shape[:2]
    keywords = {"EXP_TYPE": "NRC_DARK", "NINTS": nints, "NGROUPS": ngroups, "FRMDIVSR": 1} | keywords
    times = np.array([(k, 4.0 + k) for k in range(1, nints + 1)], dtype=[("integration_number", "i4"), ("mid", "f8")])
    hdus = [fits.PrimaryHDU(header=fits.Header(EXPOSURE | keywords))]
    hdus += [fits.ImageHDU(counts.astype(np.uint16), name="SCI"), fits.BinTableHDU(times, name="INT_TIMES")]
    fits.HDUList(hdus).writeto(folder / f"{NAME}_uncal.fits")
    return folder / f"{NAME}_uncal.fits"


def run(folder, uncal, steps=STEPS, output="."):
    """Run the stage with the reference files in the folder; return the path of its product."""
    references = {path.stem: path for path in folder.glob("*.fits") if path != uncal}
    (path,) = dark.run(uncal, Workbench("dark", calls(steps), references, folder / output))
    return path


@pytest.fixture
def made(tmp_path):
    """Two integrations of three groups that gain 5 DN each, as a dark exposure of 6 by 8 pixels."""
    counts = BIAS + 5 * np.arange(1, 4).reshape(1, 3, 1, 1) + np.zeros((2, 3, 6, 8))
    write_references(tmp_path)
    path = run(tmp_path, write_raw(tmp_path, counts))
    with fits.open(path) as hdus:
        yield path, hdus


def test_the_ramp_is_corrected_group_by_group(made):
    path, hdus = made
    assert path.name == f"{NAME}_dark.fits"
    assert hdus["SCI"].data.shape == (2, 3, 6, 8)
    assert hdus["SCI"].data[:, :, 0, 0].tolist() == [[5, 10, 15], [5, 10, 15]]


def test_its_flags_are_kept(made):
    _, hdus = made
    assert np.argwhere(hdus["PIXELDQ"].data).tolist() == [[1, 2]]
    assert np.all(hdus["GROUPDQ"].data[:, :, 1, 2] == 1)


def test_it_says_what_it_is_and_which_steps_made_it(made):
    _, hdus = made
    header = hdus[0].header
    assert header["DATAMODL"] == "RampModel"
    assert [header[name] for name in ("S_DQINIT", "S_SUPERB", "S_LINEAR")] == ["COMPLETE"] * 3
    assert header["S_REFPIX"] == "SKIPPED"
    assert "S_DARK" not in header


def test_the_times_of_the_integrations_are_carried_over(made):
    _, hdus = made
    assert hdus["INT_TIMES"].data["mid"].tolist() == [5.0, 6.0]


@pytest.mark.parametrize("refpix", ["false", "true"])
def test_it_does_not_depend_on_how_the_exposure_is_cut(tmp_path, monkeypatch, refpix):
    """Into integrations where refpix wants whole frames, into rows else; a pixel saturates in the last integration."""
    counts = np.random.default_rng(2).integers(900, 2000, (5, 4, 6, 8))
    counts[4, 2:, 3, 4] = 65000
    write_references(tmp_path)
    uncal = write_raw(tmp_path, counts)
    steps = STEPS.replace('"refpix", "skip": true', f'"refpix", "skip": {refpix}')
    whole = run(tmp_path, uncal, steps, "whole")
    monkeypatch.setattr(budget, "BLOCK", 1)
    monkeypatch.setattr(budget, "LEAST_ROWS", 2)
    cut = run(tmp_path, uncal, steps, "cut")
    with fits.open(whole, checksum=True) as one, fits.open(cut, checksum=True) as other:
        assert [hdu.name for hdu in one] == [hdu.name for hdu in other]
        for name in ("SCI", "GROUPDQ", "PIXELDQ", "INT_TIMES"):
            assert one[name].data.tobytes() == other[name].data.tobytes()
        assert (one["GROUPDQ"].data[4, 2:, 3, 4] & 2).all()
        assert (one[0].header["SUBSTRT1"], other[0].header["SUBSTRT1"]) == (1, 1)


def test_blocks_of_another_size_make_a_product_of_that_size(tmp_path):
    """As where refpix takes the interleaved reference pixels out of frames."""
    uncal = write_raw(tmp_path, np.full((2, 3, 6, 8), 1005))
    exposure = opened(uncal)
    bench = Workbench("dark", [], {}, tmp_path)
    with OutgoingRamp(bench, f"{NAME}_dark.fits", []) as product:
        for box in frames(exposure.shape, 1):
            block = exposure.block(box, ())
            smaller = {name: getattr(block, name)[..., 1:-1, :] for name in ("data", "groupdq", "pixeldq")}
            smaller["pixeldq"] = smaller["pixeldq"] | np.uint32(3 + box.i.start)
            product.put(replace(block, **smaller), box, exposure)
        path = product.finish(lambda ramp: ramp)
    with fits.open(path, checksum=True) as hdus:
        assert hdus["SCI"].data.shape == hdus["GROUPDQ"].data.shape == (2, 3, 4, 8)
        assert np.all(hdus["SCI"].data == 1005)
        assert np.all(hdus["PIXELDQ"].data == 7)
