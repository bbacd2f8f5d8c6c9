"""Snowballs fill a disc and leave a ring, and the truth has them."""

import numpy as np
import pytest

from jwrules.simulate import drifts, nircam, pixels, ramps
from jwrules.simulate.nircam import Extras, Readout, Window
from jwrules.simulate.noise import Noise

WINDOW = Window("SUB160", 300, 300, 160, 160, 1)
READOUT = Readout("RAPID", 1, 0, 4, 2)
MADE = pixels.make(nircam.NRCB1, WINDOW, seed=1)


@pytest.fixture
def groups(monkeypatch):
    """Groups of a dark exposure on which snowballs fall, without other noise."""
    for where, name in ((drifts, "COMMON"), (drifts, "OWN"), (ramps, "HITS_PER_PIXEL_SECOND")):
        monkeypatch.setattr(where, name, 0.0)
    noise = Noise(np.random.default_rng(3))
    dark = [np.zeros(WINDOW.shape)] * READOUT.integrations
    extras = Extras(snowballs=40.0)
    return list(ramps.groups(MADE, READOUT, dark, noise, extras))


def test_as_many_come_as_are_asked_for(groups):
    expected = 40.0 * 160 * 160 / 1e6 * 8 * WINDOW.frame_time
    assert 0 < sum(len(group.large) for group in groups) < 5 * expected


def test_the_core_is_a_disc_and_the_ring_lies_around_it(groups):
    for group in groups:
        for event in group.large:
            rows = group.touched[group.touched["group"] == event["group"]]
            away = np.hypot(rows["y"] - event["y"], rows["x"] - event["x"])
            core = rows["is_core"] & (away < event["core"])
            assert core.sum() == pytest.approx(np.pi * event["core"] ** 2, rel=0.35) or event["core"] > event["x"]
            assert event["halo"] > 2 * event["core"]


def test_a_core_is_saturated_from_its_group_to_the_end_of_the_integration(groups):
    fell = False
    for k, group in enumerate(groups):
        rows = group.touched[group.touched["is_core"]]
        for later in groups[k : (k // 4 + 1) * 4]:
            assert later.wholly[rows["y"], rows["x"]].all()
            assert np.all(later.raw[rows["y"], rows["x"]] > MADE.ceiling[rows["y"], rows["x"]] - 100)
        fell = fell or len(rows) > 0
    assert fell


def test_the_next_integration_starts_without_them(groups):
    assert not groups[4].wholly[~np.isin(np.arange(160 * 160).reshape(160, 160), _places(groups[4]))].any()


def _places(group):
    return group.touched["y"] * 160 + group.touched["x"]


def test_the_ring_gets_what_the_truth_says(groups):
    struck = [k for k, group in enumerate(groups) if k % 4 and len(group.large)]
    assert struck
    for k in struck:
        rise = (groups[k].raw - groups[k - 1].raw) * MADE.gain
        rows = groups[k].touched
        ring = rows[~rows["is_core"] & ~groups[k].partly[rows["y"], rows["x"]]]
        assert np.median(rise[ring["y"], ring["x"]] - np.median(rise) - ring["electrons"]) == pytest.approx(0, abs=25)


def test_without_any_no_random_number_is_drawn():
    states = []
    for extras in (Extras(), Extras(snowballs=0.0)):
        noise = Noise(np.random.default_rng(1))
        list(ramps.groups(MADE, READOUT, [np.zeros(WINDOW.shape)], noise, extras))
        states.append(noise.rng.integers(1 << 30))
    assert states[0] == states[1]
