"""Stage 1 of a simulated exposure of MIRI through jwrules and through the official pipeline, from the same files."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from side_by_side import REFERENCES, run

from jwrules import simulate
from jwrules.simulate import miri
from pipeline import Task, start

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")

NAME = "jw09001001001_02101_00001_mirimage"
GAIN = miri.MIRIMAGE.gain
# The official limit of showers is always 6 electron/s, and its weights are those of the signal to noise.
ALIKE = (f"jump.max_shower_amplitude={6 / GAIN}", "ramp_fit.weighting=official", "jump.statistic=official")


@pytest.fixture(scope="module")
def rates(tmp_path_factory):
    """The headers and arrays of our rate and of the official one, and the true rate."""
    folder = tmp_path_factory.mktemp("stage")
    (pointing,) = miri.imaging("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(miri, "imaging", lambda size: (replace(pointing, dithers=((0.0, 0.0),)),))
        simulate.run("miri_imaging", folder / "demo")
    raw = f"demo/uncal/{NAME}_uncal.fits"
    official = start([Task("detector1", raw, "official", REFERENCES, ALIKE)], folder, "official")
    run(folder, Task("detector1", raw, "ours", REFERENCES, ALIKE))
    official.wait()
    truth = fits.getdata(folder / f"demo/truth/{NAME}_truth.fits", "RATE")
    return [_read(folder / who / f"{NAME}_rate.fits") for who in ("ours", "official")], truth


def _read(path):
    with fits.open(path) as hdus:
        return hdus[0].header, {hdu.name: np.array(hdu.data) for hdu in hdus if hdu.name in ("SCI", "ERR", "DQ")}


def test_the_same_steps_are_applied(rates):
    (ours, theirs), _ = rates
    for step in ("S_MIREMI", "S_LASTFR", "S_RESET", "S_LINEAR", "S_RSCD", "S_DARK", "S_JUMP", "S_RAMP"):
        assert ours[0][step] == theirs[0][step] == "COMPLETE"
    for step in ("S_IPC", "S_REFPIX"):
        assert ours[0][step] == theirs[0][step] == "SKIPPED"
    for name in ("INT1SKIP", "INT2SKIP", "INT1BORS", "INT2BORS", "INT1UGP1", "INT2UGP1"):
        assert ours[0][name] == theirs[0][name]


def test_the_flags_agree(rates):
    (ours, theirs), _ = rates
    assert np.mean(ours[1]["DQ"] != theirs[1]["DQ"]) < 1e-3


def test_the_rates_agree_within_a_tenth_of_their_errors(rates):
    (ours, theirs), _ = rates
    same = np.isfinite(ours[1]["SCI"]) & np.isfinite(theirs[1]["SCI"]) & (ours[1]["ERR"] > 0)
    apart = np.abs(ours[1]["SCI"] - theirs[1]["SCI"])[same] / ours[1]["ERR"][same]
    assert same.mean() > 0.95
    assert np.percentile(apart, 50) < 0.01
    assert np.percentile(apart, 99) < 0.1


def test_ours_are_as_close_to_the_truth(rates):
    products, truth = rates
    errors = [np.nanmedian(np.abs(one["SCI"] - truth)[(one["DQ"] & 1) == 0]) for _, one in products]
    assert errors[0] <= 1.01 * errors[1]
