"""How a detector records light."""

from dataclasses import replace

import numpy as np
import pytest

from jwrules.simulate import drifts, nircam, pixels, ramps
from jwrules.simulate.nircam import Readout

CORNER = nircam.Window("SUB640", 0, 2048 - 96, 128, 96, 1)
QUIET = replace(nircam.NRCB1, read_noise=0.0)
GAPPED = Readout("MEDIUM2", frames=2, gap=8, groups=3, integrations=1)


@pytest.fixture
def still(monkeypatch):
    """No noise but that of photons."""
    monkeypatch.setattr(drifts, "COMMON", 0.0)
    monkeypatch.setattr(drifts, "OWN", 0.0)
    monkeypatch.setattr(ramps, "HITS_PER_PIXEL_SECOND", 0.0)


@pytest.fixture
def linear():
    """Pixels that answer linearly and have neither dark current nor defects."""
    made = pixels.make(QUIET, CORNER, seed=2)
    zero = np.zeros(CORNER.shape, np.float32)
    return replace(made, bend=zero, dark=zero, dead=made.dead & False)


def expose(made, readout, rate, seed=0):
    return ramps.expose(made, readout, np.full(CORNER.shape, rate), np.random.default_rng(seed))


def refpix_corrected(ramp, blind):
    """Odd and even columns, each minus its blind pixels."""
    ramp = ramp.astype(float)
    for parity in (0, 1):
        part = blind.copy()
        part[:, 1 - parity :: 2] = False
        ramp[..., parity::2] -= np.mean(ramp[..., part], axis=-1)[..., None, None]
    return ramp


def test_the_signal_grows_by_the_light_of_all_frames_also_the_dropped_ones(linear, still):
    exposure = expose(linear, GAPPED, 40.0)
    ramp = refpix_corrected(exposure.ramp, linear.reference) * linear.gain
    growth = np.mean(np.diff(ramp, axis=1)[..., ~linear.reference])
    assert growth == pytest.approx(40.0 * 10 * CORNER.frame_time, rel=2e-3)


def test_twice_the_light_makes_twice_the_signal(linear, still):
    once, twice = (
        np.diff(refpix_corrected(expose(linear, GAPPED, rate).ramp, linear.reference), axis=1) for rate in (30, 60)
    )
    seen = ~linear.reference
    assert twice[..., seen].mean() == pytest.approx(2 * once[..., seen].mean(), rel=4e-3)


def test_photon_noise_is_that_of_the_photons(linear, still):
    single = Readout("RAPID", frames=1, gap=0, groups=2, integrations=1)
    ramp = refpix_corrected(expose(linear, single, 400.0).ramp, linear.reference) * linear.gain
    growth = np.diff(ramp, axis=1)[..., ~linear.reference]
    assert growth.var() == pytest.approx(400.0 * CORNER.frame_time, rel=0.04)


def test_averaged_frames_have_less_read_noise(still):
    made = pixels.make(nircam.NRCB1, CORNER, seed=2)
    clean = ~(made.reference | made.hot | made.noisy)
    spread = []
    for frames in (1, 4):
        readout = Readout("X", frames=frames, gap=0, groups=2, integrations=1)
        growth = np.diff(refpix_corrected(expose(made, readout, 0.0).ramp, made.reference) * made.gain, axis=1)
        spread.append(growth[..., clean].std())
    assert spread[0] == pytest.approx(np.sqrt(2) * 11.0, rel=0.04)
    assert spread[0] / spread[1] == pytest.approx(2.0, rel=0.05)


def test_blind_pixels_see_no_light(linear, still):
    ramp = refpix_corrected(expose(linear, GAPPED, 5000.0).ramp, linear.reference)
    assert np.abs(np.diff(ramp, axis=1)[..., linear.reference]).max() <= 2
    assert np.diff(ramp, axis=1)[..., ~linear.reference].min() > 1000


def test_a_bright_pixel_stops_at_its_full_well(linear, still):
    exposure = expose(linear, GAPPED, 1e6)
    level = linear.bias + linear.well
    top = exposure.ramp[0, -1].astype(float)
    assert np.all(top[~linear.reference] < np.minimum(level, 65535)[~linear.reference] + 150)
    assert exposure.ramp.max() <= 65535


def test_the_list_of_cosmic_rays_is_what_they_left(linear, still, monkeypatch):
    monkeypatch.setattr(ramps, "HITS_PER_PIXEL_SECOND", 1e-2)
    hit = expose(linear, GAPPED, 0.0)
    cosmic = hit.cosmic
    total = np.zeros((1, 3, *CORNER.shape))
    for row in cosmic:
        share = (2 - row["frame"]) / 2
        here = (0, slice(None), row["y"], row["x"])
        total[here][row["group"] :] += row["electrons"] * share
        total[here][row["group"] + 1 :] += row["electrons"] * (1 - share)
    first = np.array([row["group"] == 0 for row in cosmic])
    assert len(cosmic) > 100
    assert first.any()
    assert not first.all()
    growth = refpix_corrected(hit.ramp, linear.reference) * linear.gain
    assert np.abs(np.diff(growth, axis=1) - np.diff(total, axis=1)).max() < 10


def test_the_same_random_numbers_give_the_same_ramp():
    made = pixels.make(nircam.NRCB1, CORNER, seed=2)
    one, same, other = (expose(made, GAPPED, 5.0, seed).ramp for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
