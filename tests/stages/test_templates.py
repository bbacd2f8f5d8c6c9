"""The recipe of every observing template, from simulated raw files and reference files on disk, against the truth."""

import numpy as np
import pytest
from astropy.io import fits
from template_scene import made, make, slopes

from jwrules import headers
from jwrules.products.flags import DQ
from jwrules.simulate.templates import BY_NAME

CALM = {"one_over_f": 0.2}
ALL_ROWS_ALIKE = {"use_side_ref_pixels": False}
"""In so few rows 1/f noise, and that of the correction along the rows, do not average out: all pixels share them."""
UNSURE = int(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL | DQ.HOT)
DARK = [name for name in BY_NAME if name.endswith("_dark")]
LIT = [name for name, rows in BY_NAME.items() if not rows[0].guiding and name not in DARK]


def pulls(taken, made):
    """Deviations from the truth over their errors, of good pixels."""
    rate, truth = made.rate, taken.rate(taken.ramp())
    good = (rate.dq & np.uint32(UNSURE)) == 0
    return ((rate.data - truth) / rate.err)[good]


def middle_and_width(values):
    """The median, and half of what holds 68.27 % around it."""
    low, middle, high = np.percentile(values, [15.865, 50, 84.135])
    return middle, (high - low) / 2


@pytest.mark.parametrize("template", LIT)
def test_the_rates_are_the_true_ones_within_their_errors(template, tmp_path):
    for taken in make(template, tmp_path, effects=CALM):
        pull = pulls(taken, slopes(taken, refpix=ALL_ROWS_ALIKE))
        middle, width = middle_and_width(pull)
        assert len(pull) > 700
        assert abs(middle) < 0.05 + 4 / np.sqrt(len(pull))
        assert width == pytest.approx(1.0, abs=0.03 + 3 / np.sqrt(len(pull)))


@pytest.mark.parametrize("template", DARK)
def test_the_ramp_of_a_dark_rises_as_its_dark_current_says(template, tmp_path):
    """Between the last groups, which nothing else disturbs; the scatter is that of their reads."""
    for taken in make(template, tmp_path, effects=CALM):
        done = made(taken, refpix=ALL_ROWS_ALIKE)
        with fits.open(done.products["dark"]) as hdus:
            good = (hdus["PIXELDQ"].data & np.uint32(UNSURE)) == 0
            clean = good & ~np.any(hdus["GROUPDQ"].data[:, -3:], axis=(0, 1))
            frames = hdus[0].header["NFRAMES"] + hdus[0].header["GROUPGAP"]
            growth = (hdus["SCI"].data[:, -2] - hdus["SCI"].data[:, -3])[:, clean]
            spread = taken.reference("readnoise")[clean] / np.sqrt(hdus[0].header["NFRAMES"])
        dark = taken.reference("dark").reshape(-1, *clean.shape)
        expected = frames * np.diff(dark[-3:-1], axis=0)[0][clean]
        middle, width = middle_and_width((growth - expected) / spread)
        assert clean.sum() > 1000
        assert abs(middle) < 0.05
        assert width == pytest.approx(1.0, abs=0.05)


def test_the_rates_of_guide_stars_are_the_true_ones_within_their_errors(tmp_path):
    """At the response of the mean pixel; identification takes the smaller of two rates, which are less by 0.56 sigma."""
    for taken in make("fgs_guide_star", tmp_path, effects=CALM):
        done = made(taken)
        flat = headers.read(taken.raw)["EXP_TYPE"]
        with fits.open(done.products["cal"]) as hdus, fits.open(done.references["flat"]) as flats:
            pull = (hdus["SCI"].data - taken.truth("RATE") / flats["SCI"].data) / hdus["ERR"].data
            pull = pull[:, (hdus["DQ"].data & np.uint32(UNSURE)) == 0]
        middle, width = middle_and_width(pull)
        print(flat, middle, width, pull.size)


def test_more_of_the_rings_of_snowballs_is_flagged_when_they_are_looked_for(tmp_path):
    (taken,) = make("nircam_coronagraphy", tmp_path, groups=8, effects=CALM | {"snowballs": 5.0, "cosmic_rays": 0.0})
    touched = taken.truth("TOUCHED")
    ring = touched[~touched["is_core"] & (touched["group"] > 0)]
    flagged = []
    for looked_for in (False, True):
        dq = slopes(taken, jump={"expand_large_events": looked_for}).rate.dq[ring["y"], ring["x"]]
        flagged.append(np.mean((dq & np.uint32(DQ.JUMP_DET)) != 0))
    assert len(taken.truth("LARGE")) > 2
    assert flagged[1] > flagged[0] + 0.05
