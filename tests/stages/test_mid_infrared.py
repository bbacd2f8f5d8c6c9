"""Stage 1 of a mid-infrared exposure, by its recipe and with reference files from disk, against the truth."""

from dataclasses import replace

import numpy as np
import pytest
from ramp_scene import meta

from jwrules import recipes
from jwrules.products.kinds import Ramp
from jwrules.products.reference import open_reference
from jwrules.simulate import mid_infrared, mid_infrared_references, miri
from jwrules.simulate.references import Shelf
from jwrules.stages import chain

WINDOW = miri.SUB128
POINTING = miri.imaging("small")[0]
HEADER = {
    "INSTRUME": "MIRI",
    "DETECTOR": "MIRIMAGE",
    "EXP_TYPE": "MIR_IMAGE",
    "TSOVISIT": False,
    "FILTER": "F770W",
    "SUBARRAY": WINDOW.name,
    "SUBSTRT1": WINDOW.x0 + 1,
    "SUBSTRT2": WINDOW.y0 + 1,
    "FASTAXIS": 1,
    "SLOWAXIS": 2,
    "READPATT": "FASTR1",
    "NSAMPLES": 1,
    "NINTS": POINTING.readout.integrations,
    "NGROUPS": POINTING.readout.groups,
    "NFRAMES": 1,
    "FRMDIVSR": 1,
    "GROUPGAP": 0,
    "TFRAME": WINDOW.frame_time,
    "TGROUP": WINDOW.frame_time,
}


class Night:
    """One exposure of a sky of 12 DN/s with a gradient up to 3000 DN/s, its truth and its reference files."""

    def __init__(self, folder, effects):
        self.chip = mid_infrared.make(miri.MIRIMAGE, WINDOW, 1, effects)
        rising = 12.0 * 250.0 ** np.maximum(np.linspace(-3, 1, WINDOW.nx), 0)
        self.truth = rising * self.chip.pixels.flat
        electrons = self.truth * self.chip.pixels.gain
        self.exposure = mid_infrared.expose(self.chip, POINTING.readout, electrons, np.random.default_rng(4))
        mid_infrared_references.write_detector(Shelf(folder, "MIRI"), POINTING, self.chip, 1)
        self.files = {path.name.split("_")[2]: path for path in folder.iterdir()}

    def rate(self, without=(), **settings):
        """Return the rate that the recipe gives, some steps left out or set differently."""
        steps = recipes.pick(HEADER, recipes.all()).resolve("detector1", HEADER)
        calls = [
            chain.Call(
                step=one.step,
                params={name: value.value for name, value in one.params.items()} | settings.get(one.step, {}),
                skip=one.skip or one.step in without,
            )
            for one in steps
        ]
        ramp = Ramp(
            meta=meta(**HEADER),
            data=self.exposure.ramp.astype(np.float32),
            pixeldq=np.zeros(WINDOW.shape, np.uint32),
            groupdq=np.zeros(self.exposure.ramp.shape, np.uint8),
        )
        *_, (_, slopes) = chain.run(ramp, calls, self._open, {})
        return slopes.rate

    def _open(self, kind, product):
        path = self.files.get(kind.reftype)
        return path and open_reference(path, kind, meta(**HEADER), WINDOW.shape)

    def compared(self, rate):
        """Return mean deviation (DN/s) and pull (mean, width) of faint pixels, relative deviation of bright ones."""
        good = ((rate.dq & 1) == 0) & ~self.chip.pixels.hot & ~self.chip.pixels.reference
        apart = rate.data - self.truth
        faint, bright = good & (self.truth < 15), good & (self.truth > 1000) & ((rate.dq & 2) == 0)
        pull = apart[faint] / rate.err[faint]
        return apart[faint].mean(), pull.mean(), pull.std(), (apart[bright] / self.truth[bright]).mean()


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    calm = replace(miri.EFFECTS, showers=(0.0, 1.0, 1.0))
    return Night(tmp_path_factory.mktemp("night"), calm)


@pytest.fixture(scope="module")
def showery(tmp_path_factory):
    stormy = replace(miri.EFFECTS, showers=(30.0, 9.0, 16.0))
    return Night(tmp_path_factory.mktemp("showery"), stormy)


def test_the_rates_are_the_true_ones_within_their_errors(night):
    apart, pull, width, bright = night.compared(night.rate())
    assert abs(apart) < 0.05  # of 12 DN/s; the error of a pixel is 0.8, that of the mean of 10 000 is 0.01
    assert abs(pull) < 0.05
    assert 0.97 < width < 1.05
    assert abs(bright) < 5e-4


def test_without_the_interference_taken_off_the_errors_are_too_small(night):
    assert night.compared(night.rate({"emicorr"}))[2] > 1.2


@pytest.mark.parametrize(("step", "low", "high"), [("reset", -0.6, -0.2), ("dark_current", 0.4, 1.0)])
def test_faint_rates_are_wrong_without(night, step, low, high):
    assert low < night.compared(night.rate({step}))[0] < high


@pytest.mark.parametrize(("step", "low", "high"), [("rscd", 1e-3, 1e-2), ("linearity", -0.1, -0.005)])
def test_bright_rates_are_wrong_without(night, step, low, high):
    assert low < night.compared(night.rate({step}))[3] < high


def test_showers_bias_the_rate_less_when_they_are_looked_for(showery):
    found, overlooked = showery.rate(), showery.rate(jump={"find_showers": False})
    assert len(showery.exposure.showers) > 3
    assert showery.compared(found)[0] < 0.8 * showery.compared(overlooked)[0]
    assert found.meta["EXTNCRS"] > 0
