"""Count rates of a guide star from the difference of its reads."""

import numpy as np
import pytest
from guide_scene import EXPOSURE, raw, reads
from ramp_scene import gain_and_readnoise

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.steps.guider_cds import Params, guider_cds

TIME = EXPOSURE["TGROUP"]
SHAPE = (2, 3)
REFERENCES = gain_and_readnoise(SHAPE, gain=2.0, readnoise=8.0)


def plane(*values):
    return np.broadcast_to(np.reshape(values, (len(values), 1, 1)), (len(values), *SHAPE))


def rates(first, second, params=None, **keywords):
    return guider_cds(raw(reads(plane(*first), plane(*second)), **keywords), params, **REFERENCES)


@pytest.mark.parametrize("mode", ["FGS_ACQ1", "FGS_ACQ2", "FGS_TRACK"])
def test_each_integration_gives_the_rate_between_its_two_reads(mode):
    result = rates([100, 100, 100], [120, 150, 90], EXP_TYPE=mode)
    assert result.data[:, 0, 0].tolist() == [20 / TIME, 50 / TIME, -10 / TIME]


@pytest.mark.parametrize("mode", ["FGS_ID-IMAGE", "FGS_ID-STACK"])
def test_identification_gives_the_smaller_rate_of_each_pixel(mode):
    second = np.array(plane(120.0, 150.0))
    second[0, 1, 2] = 9000  # struck by a cosmic ray
    result = guider_cds(raw(reads(plane(100, 100), second), EXP_TYPE=mode), **REFERENCES)
    assert result.data.shape == (1, *SHAPE)
    assert result.data[0, 0, 0] == 20 / TIME
    assert result.data[0, 1, 2] == 50 / TIME


def fine(**params):
    counts = np.array([10, 12, 14, 16, 110, 112, 114, 116.0])
    data = np.broadcast_to(counts[:, None, None], (5, 8, *SHAPE))
    return guider_cds(raw(data, EXP_TYPE="FGS_FINEGUIDE"), Params(**params), **REFERENCES)


def test_fine_guide_compares_the_means_of_four_reads():
    assert fine().data.shape == (5, *SHAPE)
    assert np.all(fine().data == 100 / TIME)


def test_the_error_is_that_of_photons_and_reads():
    """50 DN are 100 electrons, known to 10 electrons or 5 DN; a difference of two reads has 8 DN."""
    assert rates([100], [150]).err == pytest.approx(np.hypot(5, 8) / TIME)


def test_averaged_reads_have_less_noise():
    """100 DN are known to 50 ** 0.5 DN; the mean of four reads less another has half the noise of one less another."""
    assert fine().err == pytest.approx(np.sqrt(50 + 4.0**2) / TIME)


def test_a_falling_signal_has_no_noise_of_photons():
    assert rates([150], [100]).err == pytest.approx(8 / TIME)


def test_the_official_noise_is_kept_as_an_option():
    official = Params(noise="official")
    assert rates([100], [150], official).err == pytest.approx(np.sqrt(25 / TIME + 2 * 64 / TIME**2))
    assert fine(noise="official").err == pytest.approx(np.sqrt(50 / TIME + 2 * 64 / TIME**2))


def test_the_scatter_of_simulated_reads_is_the_error_that_is_told():
    rng = np.random.default_rng(5)
    truth, gain, noise = 400.0, 2.0, 8.0
    electrons = rng.poisson(truth * gain, (400, *SHAPE)) / gain
    first, second = (rng.normal(1000, noise / np.sqrt(2), (400, *SHAPE)) for _ in range(2))
    result = guider_cds(raw(reads(first, second + electrons)), **REFERENCES)
    assert np.std((result.data - truth / TIME) / result.err) == pytest.approx(1, abs=0.04)


@pytest.mark.parametrize("unknown", [0.0, np.nan, -1.0])
def test_a_pixel_without_gain_has_no_error_and_keeps_its_rate(unknown):
    gain = np.full(SHAPE, 2.0)
    gain[1, 1] = unknown
    references = gain_and_readnoise(SHAPE, readnoise=8.0) | {"gain": gain_and_readnoise(SHAPE, gain=gain)["gain"]}
    result = guider_cds(raw(reads(plane(100), plane(150))), **references)
    assert np.isnan(result.err[0, 1, 1])
    assert np.isnan(result.err).sum() == 1
    assert np.all(result.data == 50 / TIME)


def test_flags_are_kept_and_zero_where_there_were_none():
    exposure = raw(reads(plane(100), plane(150)))
    assert np.all(guider_cds(exposure, **REFERENCES).dq == 0)
    flagged = np.full(SHAPE, DQ.HOT, np.uint32)
    exposure = exposure.__class__(meta=exposure.meta, data=exposure.data, dq=flagged)
    assert np.array_equal(guider_cds(exposure, **REFERENCES).dq, flagged)


def test_the_unit_is_that_of_a_rate():
    assert rates([100], [150]).meta.sci["BUNIT"] == "DN/s"


@pytest.mark.parametrize(("mode", "groups", "wanted"), [("FGS_TRACK", 1, 2), ("FGS_FINEGUIDE", 7, 8)])
def test_too_few_groups_are_refused(mode, groups, wanted):
    with pytest.raises(CannotRun, match=f"{mode} needs {wanted} groups in each integration, the exposure has {groups}"):
        guider_cds(raw(np.zeros((1, groups, *SHAPE)), EXP_TYPE=mode), **REFERENCES)
