"""Random numbers from a pool are as good as those drawn anew."""

import numpy as np
import pytest

from jwrules.simulate import drifts, nircam, pixels, ramps
from jwrules.simulate.nircam import Extras, Readout, Window
from jwrules.simulate.noise import Noise, Pooled

SHAPE = (256, 256)


@pytest.fixture(scope="module", params=[Noise, Pooled])
def noise(request):
    return request.param(np.random.default_rng(5))


def test_photons_have_the_variance_of_their_mean(noise):
    photons = noise.photons(np.full(SHAPE, 40.0, np.float32))
    assert photons.mean() == pytest.approx(40.0, rel=0.01)
    assert photons.var() == pytest.approx(40.0, rel=0.03)


def test_where_no_light_falls_no_photons_come(noise):
    assert not noise.photons(np.zeros(SHAPE, np.float32)).any()


def test_normal_numbers_differ_from_read_to_read(noise):
    one, other = noise.normal(SHAPE), noise.normal(SHAPE)
    assert one.std() == pytest.approx(1.0, rel=0.02)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02


def test_a_series_has_its_spectrum(noise):
    spectrum = np.zeros(501, np.float32)
    spectrum[20] = 1.0
    power = np.abs(np.fft.rfft(noise.series(spectrum)))
    assert np.argmax(power) == 20
    assert power[20] > 100 * power[21]


def test_a_pool_cannot_be_written_into():
    with pytest.raises(ValueError, match="read-only"):
        Pooled(np.random.default_rng(1)).normal((4,))[0] = 1.0


def test_a_pooled_exposure_has_the_noise_of_one_drawn_anew():
    window = Window("SUB160", 300, 300, 160, 160, 1)
    made = pixels.make(nircam.NRCB1, window, seed=1)
    spread = []
    for kind in (Noise, Pooled):
        light = [np.full(window.shape, 300.0)] * 2
        groups = ramps.groups(made, Readout("RAPID", 1, 0, 5, 2), light, kind(np.random.default_rng(2)), Extras())
        first, *_, last = (group.raw for group in groups)
        spread.append(np.ptp(np.percentile(last - first, [16, 84])))
    assert spread[1] == pytest.approx(spread[0], rel=0.03)


def test_one_over_f_noise_grows_with_its_strength():
    window = Window("SUBGRISM64", 0, 0, 2048, 64, 4)
    strong, weak = (
        drifts.Drift(nircam.NRCALONG, window, Noise(np.random.default_rng(1)), strength).one_over_f()
        for strength in (3.0, 1.0)
    )
    assert np.allclose(strong, 3 * weak)
    assert drifts.variance(3.0) == pytest.approx(9 * drifts.variance())
