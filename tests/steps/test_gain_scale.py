import numpy as np
import pytest
from ramp_scene import meta, reference

from jwrules.errors import CannotRun
from jwrules.products.kinds import Gain, Rate, RateInts, Slopes
from jwrules.steps.declare import Skip
from jwrules.steps.gain_scale import gain_scale


def slopes(**keywords):
    arrays = {name: np.full((1, 1), 2.0, np.float32) for name in ("data", "err", "var_poisson", "var_rnoise")}
    cubes = {name: array[np.newaxis] for name, array in arrays.items()}
    dq = np.zeros((1, 1), np.uint32)
    return Slopes(
        rate=Rate(meta=meta(**keywords), dq=dq, **arrays),
        rateints=RateInts(meta=meta(**keywords), dq=dq[np.newaxis], **cubes),
    )


def gain(**keywords):
    return reference(Gain, keywords, data=np.ones((1, 1)))


def test_rates_and_errors_scale_with_the_factor_and_variances_with_its_square():
    scaled = gain_scale(slopes(GAINFACT=3.0), gain=gain())
    for product in (scaled.rate, scaled.rateints):
        assert product.data.item() == product.err.item() == 6.0
        assert product.var_poisson.item() == product.var_rnoise.item() == 18.0


def test_the_factor_of_the_exposure_goes_before_that_of_the_gain_reference():
    assert gain_scale(slopes(GAINFACT=3.0), gain=gain(GAINFACT=5.0)).rate.data.item() == 6.0
    scaled = gain_scale(slopes(), gain=gain(GAINFACT=5.0))
    assert scaled.rate.data.item() == 10.0
    assert scaled.rateints.meta["GAINFACT"] == 5.0


@pytest.mark.parametrize("reference_file", [None, gain()])
def test_there_is_nothing_to_do_without_a_factor(reference_file):
    with pytest.raises(Skip, match="GAINFACT"):
        gain_scale(slopes(), gain=reference_file)


@pytest.mark.parametrize("factor", [0.0, -1.5])
def test_a_factor_that_is_not_positive_is_refused(factor):
    with pytest.raises(CannotRun, match=f"GAINFACT={factor}"):
        gain_scale(slopes(), gain=gain(GAINFACT=factor))
