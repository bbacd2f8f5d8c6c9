"""The stage of dark exposures: corrected ramps, no slopes."""

import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import EXPOSURE

from jwrules.stages import dark
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
    return {kind: folder / f"{kind}.fits" for kind in arrays}


@pytest.fixture
def made(tmp_path):
    """Two integrations of three groups that gain 5 DN each, as a dark exposure of 6 by 8 pixels."""
    counts = BIAS + 5 * np.arange(1, 4).reshape(1, 3, 1, 1) + np.zeros((2, 3, 6, 8))
    keywords = {"EXP_TYPE": "NRC_DARK", "NINTS": 2, "NGROUPS": 3, "FRMDIVSR": 1}
    header = fits.Header(EXPOSURE | keywords)
    uncal = tmp_path / f"{NAME}_uncal.fits"
    times = fits.BinTableHDU(np.array([(1, 5.0), (2, 6.0)], dtype=[("integration_number", "i4"), ("int_mid", "f8")]))
    times.name = "INT_TIMES"
    hdus = [fits.PrimaryHDU(header=header), fits.ImageHDU(counts.astype(np.uint16), name="SCI"), times]
    fits.HDUList(hdus).writeto(uncal)
    chain = calls(
        '[{"step": "group_scale"}, {"step": "dq_init"}, {"step": "saturation"}, {"step": "superbias"},'
        ' {"step": "refpix", "skip": true}, {"step": "linearity"}]'
    )
    (path,) = dark.run(uncal, Workbench("dark", chain, write_references(tmp_path), tmp_path))
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
    assert hdus["INT_TIMES"].data["int_mid"].tolist() == [5.0, 6.0]
