"""Frames in IRS2 readout: where things are, the noise that is put in, and how much of it the weights take off."""

import numpy as np
import pytest
from astropy.io import fits
from interleaved_scene import CLOCK, NOISE, Source, exposure, light, reference_file, stored

from jwrules.kernels.irs2_layout import Layout
from jwrules.simulate import irs2, nircam
from jwrules.simulate.references import Shelf
from jwrules.steps.refpix import refpix

GROUPS = 3


def scatter(frames):
    """Noise of a frame from the scatter of a few around their mean."""
    return np.std(frames - frames.mean(axis=0)) * np.sqrt(len(frames) / (len(frames) - 1))


def test_the_weights_take_off_the_noise_that_was_put_in_but_for_what_they_cannot_know():
    truth = light(GROUPS, 3)
    raw = stored("NRS1", GROUPS, 3)
    uncorrected = raw[:, Layout().light] - truth
    corrected = refpix(exposure(raw, "NRS1"), refpix=reference_file()).data[0] - truth
    assert scatter(uncorrected) == pytest.approx(np.hypot(NOISE.common, NOISE.own), rel=0.1)
    assert scatter(corrected) == pytest.approx(irs2.left_over(NOISE, CLOCK), rel=0.1)
    assert irs2.left_over(NOISE, CLOCK) < 0.2 * np.hypot(NOISE.common, NOISE.own)


def test_reference_pixels_and_light_of_an_amplifier_share_its_noise():
    frame, layout = stored("NRS2", 2, 1)[0], Layout(backwards=True)
    pixels = frame[layout.row[2, layout.is_reference]].mean(axis=0)
    own, other = (frame[layout.row[k, ~layout.is_reference]].mean(axis=0) for k in (2, 3))
    assert np.corrcoef(pixels, own)[0, 1] > 0.95 > np.corrcoef(pixels, other)[0, 1]


def test_the_bias_of_a_stored_frame_holds_that_of_the_detector():
    bias = np.random.default_rng(1).normal(10000, 100, (2048, 2048)).astype(np.float32)
    assert np.array_equal(irs2.electronics("NRS1").bias(bias)[Layout().light], bias)


def test_weights_are_none_for_fast_waves_and_all_where_noise_is_strong():
    output, pixels = irs2.weights(irs2.Noise(common=100.0, own=0.0, output=0.1), CLOCK)
    assert output[10] == pytest.approx(1.0, abs=1e-3)
    assert abs(pixels[10]) < 0.01
    assert np.abs(output[100000:-100000]).max() < 1e-6


def test_a_frame_is_stored_as_the_simulator_asks():
    window = nircam.FULL
    frame = np.full(window.shape, 50.0)
    made = irs2.store(frame, nircam.NRCALONG, Source(1))
    assert made.shape == irs2.shape(window) == (3200, 2048)


def test_the_reference_files_have_their_official_form(tmp_path):
    shelf = Shelf(tmp_path, "NIRSPEC")
    irs2.refpix(shelf, "NRS1", NOISE, CLOCK, [(1, 2, 5)])
    irs2.superbias(shelf, irs2.electronics("NRS1"), np.zeros((2048, 2048)), {"DETECTOR": "NRS1"})
    with fits.open(tmp_path / "jwst_nirspec_refpix_0001.fits") as hdus:
        assert len(hdus["IRS2"].data) == 2 * 712 * 2048
        assert [name.lower() for name in hdus["IRS2"].columns.names][::4] == ["alpha_0", "beta_0"]
        assert hdus["DQ"].data["MASK"].tolist() == [5]
    with fits.open(tmp_path / "jwst_nirspec_superbias_0001.fits") as hdus:
        assert hdus["SCI"].data.shape == (3200, 2048)
