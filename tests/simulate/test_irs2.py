"""Frames in IRS2 readout: where things are, the noise that is put in, and how much of it the weights take off."""

import numpy as np
import pytest
from astropy.io import fits
from interleaved_scene import CLOCK, NOISE, Source, exposure, light, reference_file, stored

from jwrules.errors import WorkflowFault
from jwrules.kernels.irs2_layout import Layout
from jwrules.simulate import irs2
from jwrules.simulate.references import Shelf
from jwrules.simulate.templates import BY_NAME
from jwrules.simulate.wishes import Wishes
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
    (pointing,) = BY_NAME["nirspec_ifu_irs2"][0].pointings("full")
    made = irs2.store(np.full(pointing.window.shape, 50.0), pointing, 1, Source(1))
    assert made.shape == irs2.shape(pointing.window) == (3200, 2048)


def test_the_mean_of_frames_has_less_noise():
    readout, frame = irs2.electronics("NRS1"), np.zeros((2048, 2048))
    noise = [np.std(readout.stored(frame, Source(1), frames) - readout.bias(frame)) for frames in (1, 4)]
    assert noise[0] / noise[1] == pytest.approx(2.0, rel=1e-3)


def test_slow_noise_may_be_asked_for():
    usual, strong = irs2.electronics("NRS1").noise, irs2.electronics("NRS1", 3.0).noise
    assert (strong.common, strong.own, strong.pixels) == (3 * usual.common, 3 * usual.own, usual.pixels)


def test_a_frame_takes_the_time_that_the_documentation_says():
    pointing = Wishes(pattern="NRSIRS2RAPID").granted(BY_NAME["nirspec_mos"][0].pointings("small")[0])
    assert pointing.window.shape == (2048, 2048)
    assert pointing.window.frame_time == pytest.approx(14.58889)


def test_subarrays_are_not_read_so():
    (pointing, _) = BY_NAME["nirspec_fixed_slit"][0].pointings("small")
    with pytest.raises(WorkflowFault, match="NRSIRS2 reads the full frame only, not ALLSLITS"):
        Wishes(pattern="NRSIRS2").granted(pointing)


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
