"""charge_migration, picture_frame and clean_flicker_noise against the official steps, on the same arrays."""

import numpy as np
import pytest
from flicker_scene import exposure, transposed
from ramp_scene import gain_and_readnoise, reference
from test_detector1_steps import assert_same, datamodels, official_ramp, official_reference, saturated, scene

from jwrules.products import kinds
from jwrules.products.flags import DQ
from jwrules.steps.charge_migration import Params as ChargeMigration
from jwrules.steps.charge_migration import charge_migration
from jwrules.steps.clean_flicker_noise import Params as CleanFlickerNoise
from jwrules.steps.clean_flicker_noise import clean_flicker_noise
from jwrules.steps.picture_frame import Params as PictureFrame
from jwrules.steps.picture_frame import picture_frame
from jwrules.steps.ramp_fit import Params as RampFit
from jwrules.steps.ramp_fit import ramp_fit

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("threshold", [25000.0, 6000.0])
def test_charge_migration(threshold):
    from jwst.charge_migration.charge_migration import charge_migration as official

    product = saturated(scene(zeroframe=False, seed=3))
    product.groupdq[np.random.default_rng(3).random(product.groupdq.shape) < 0.05] |= np.uint8(DQ.JUMP_DET)
    theirs = official(official_ramp(product), threshold)
    ours = charge_migration(product, ChargeMigration(signal_threshold=threshold))
    assert (ours.groupdq & np.uint8(DQ.CHARGELOSS)).any()
    assert np.array_equal(ours.groupdq, theirs.groupdq)


@pytest.fixture
def drafts(monkeypatch):
    """Official steps take their draft rates from our fit with official weights, which is compared elsewhere."""
    from jwst.clean_flicker_noise import clean_flicker_noise as official

    def use(product, references):
        slopes = ramp_fit(product, RampFit(weighting="official"), **references)

        def make_rate(model, input_dir="", return_cube=False):
            draft = slopes.rateints if return_cube else slopes.rate
            rate = datamodels.CubeModel() if return_cube else datamodels.ImageModel()
            rate.update(model)
            rate.data, rate.dq = draft.data.copy(), draft.dq.copy()
            return rate

        monkeypatch.setattr(official, "make_rate", make_rate)

    return use


def official_clean(product, exposure_type, subarray="SUB256", **options):
    """Return the official result on a copy."""
    from jwst.clean_flicker_noise import clean_flicker_noise as official

    model = official_ramp(product)
    model.meta.exposure.type, model.meta.subarray.name = exposure_type, subarray
    result = official.do_correction(model, **options)
    assert result[-1] == "COMPLETE"
    return result[0]


def spoilt(made):
    """Return the ramp with jumps, a group that is not used, pixels without value, bad pixels."""
    random = np.random.default_rng(7)
    made.groupdq[random.random(made.groupdq.shape) < 0.02] |= np.uint8(DQ.JUMP_DET)
    made.groupdq[random.random(made.groupdq.shape) < 0.01] |= np.uint8(DQ.DO_NOT_USE)
    bad = random.random(made.pixeldq.shape) < 0.01
    made.pixeldq[bad] |= np.uint32(DQ.DO_NOT_USE)
    made.data[:, :, bad & (random.random(bad.shape) < 0.5)] = np.nan
    return made


CASES = {
    "defaults": {},
    "no background": {"background_method": None},
    "model": {"background_method": "model"},
    "boxes": {"background_method": "model", "background_box_size": (16, 32)},
    "histogram": {"fit_histogram": True},
    "each integration": {"single_mask": False},
    "more is light": {"n_sigma": 1.0},
    "nothing is light": {"n_sigma": 0.0},
}


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("options", CASES.values(), ids=list(CASES))
def test_clean_flicker_noise(drafts, options, columns):
    made = exposure((64, 128), nints=2, ngroups=4).ramp
    product = spoilt(transposed(made) if columns else made)
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    theirs = official_clean(product, "NRC_IMAGE", **options)
    known = np.isfinite(theirs.data)
    ours = clean_flicker_noise(product, CleanFlickerNoise(weighting="official", **options), **references)
    np.testing.assert_allclose(ours.data[known], theirs.data[known], rtol=1e-6, atol=2e-4)
    assert np.array_equal(ours.groupdq, theirs.groupdq)
