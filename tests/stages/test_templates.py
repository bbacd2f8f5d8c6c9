"""The recipe of every observing template, from simulated raw files and reference files on disk, against the truth."""

import numpy as np
import pytest
from astropy.io import fits
from template_scene import made, make, slopes

from jwrules import headers
from jwrules.products.flags import DQ
from jwrules.simulate.stage1 import DIP
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


def _calm(template):
    """Options with which what is left of a ramp is light and noise: those that operations have for time series leave
    in what disturbs the first and last groups of MIRI."""
    series = BY_NAME[template][0].series
    if template.startswith("miri"):
        return {"lastframe": {"skip": False}, "rscd": {"skip": False}} if series else {}
    return {"refpix": ALL_ROWS_ALIKE}


def middle_and_width(values):
    """The median, and half of what holds 68.27 % around it."""
    low, middle, high = np.percentile(values, [15.865, 50, 84.135])
    return middle, (high - low) / 2


@pytest.mark.parametrize("template", LIT)
def test_the_rates_are_the_true_ones_within_their_errors(template, tmp_path):
    for taken in make(template, tmp_path, effects=CALM):
        pull = pulls(taken, slopes(taken, **_calm(template)))
        middle, width = middle_and_width(pull)
        assert len(pull) > 700
        assert abs(middle) < 0.05 + 4 / np.sqrt(len(pull))
        assert width == pytest.approx(1.0, abs=0.03 + 3 / np.sqrt(len(pull)))


@pytest.mark.parametrize("template", DARK)
def test_the_ramp_of_a_dark_rises_as_its_dark_current_says(template, tmp_path):
    """Between the last groups, which nothing else disturbs; the scatter is that of their reads."""
    for taken in make(template, tmp_path, effects=CALM):
        done = made(taken, **_calm(template))
        with fits.open(done.products["dark"]) as hdus:
            good = (hdus["PIXELDQ"].data & np.uint32(UNSURE)) == 0
            clean = good & ~np.any(hdus["GROUPDQ"].data[:, -3:-1], axis=(0, 1))
            frames = hdus[0].header["NFRAMES"] + hdus[0].header["GROUPGAP"]
            growth = (hdus["SCI"].data[:, -2] - hdus["SCI"].data[:, -3])[:, clean]
            spread = taken.reference("readnoise")[clean] / np.sqrt(hdus[0].header["NFRAMES"])
        dark = taken.reference("dark").reshape(-1, *clean.shape)
        expected = frames * np.diff(dark[-3:-1], axis=0)[0][clean]
        middle, width = middle_and_width((growth - expected) / spread)
        assert clean.sum() > 1000
        assert abs(middle) < 0.05
        assert width == pytest.approx(1.0, abs=0.05)


def test_the_rates_of_guide_stars_are_the_true_ones_at_the_response_of_the_mean_pixel(tmp_path):
    """A little less where a pixel is half full: guide stars are not linearised."""
    for taken in make("fgs_guide_star", tmp_path, effects=CALM):
        done = made(taken)
        with fits.open(done.products["cal"]) as hdus, fits.open(done.references["flat"]) as flats:
            truth = taken.truth("RATE") / flats["SCI"].data
            good = (hdus["DQ"].data & np.uint32(UNSURE)) == 0
            rates, error = np.array(hdus["SCI"].data), np.array(hdus["ERR"].data)
        header = headers.read(taken.raw)
        level = truth * header["EFFINTTM"]
        lit = good & (level > 1500) & (level < 15_000)
        assert lit.sum() > 3
        assert np.median(rates.mean(axis=0)[lit] / truth[lit]) == pytest.approx(0.98, abs=0.05)
        if header["EXP_TYPE"] == "FGS_TRACK":
            pull = ((rates - truth) / error)[:, good & (level < 1500)]
            assert middle_and_width(pull)[1] == pytest.approx(1.0, abs=0.05)


def _of_one_detector(files):
    return [taken for taken in files if taken.detector == files[0].detector]


SERIES = [name for name, rows in BY_NAME.items() if rows[0].series]


@pytest.mark.parametrize("template", SERIES)
def test_a_light_curve_has_the_dip_that_was_put_in(template, tmp_path):
    """Integration by integration, over all segments.

    MIRI with lastframe and rscd: what they would leave out adds to the rates, and makes the dip shallower by a sixth.
    Of what an integration leaves to the next one some remains even so.
    """
    seen, true = [], []
    for taken in _of_one_detector(make(template, tmp_path, effects=CALM)):
        done, light = slopes(taken, **_calm(template)), taken.truth("LIGHT")["light"]
        first, truth = done.rateints.meta["INTSTART"] - 1, taken.truth("RATE")
        clean = ((done.rate.dq & np.uint32(UNSURE)) == 0) & np.isfinite(done.rateints.data).all(axis=0)
        lit = clean & (truth > np.percentile(truth[clean], 97))
        seen += [plane[lit].sum() / truth[lit].sum() for plane in done.rateints.data]
        true += list(light[first : first + len(done.rateints.data)])
    seen, true = (np.array(one) / np.mean(one) for one in (seen, true))
    assert len(seen) == BY_NAME[template][0].integrations
    assert np.std(seen - true) < 0.2 * DIP
    assert np.polyfit(true, seen, 1)[0] == pytest.approx(1.0, abs=0.12 if "miri" in template else 0.02)


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
