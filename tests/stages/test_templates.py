"""Stage 1 of every observing template, from simulated raw files and reference files on disk, against the truth."""

import numpy as np
import pytest
from template_scene import make, slopes

from jwrules.products.flags import DQ
from jwrules.simulate.templates import BY_NAME

CALM = {"one_over_f": 0.2}
ALL_ROWS_ALIKE = {"use_side_ref_pixels": False}
"""In so few rows 1/f noise, and that of the correction along the rows, do not average out: all pixels share them."""
UNSURE = int(DQ.DO_NOT_USE | DQ.REFERENCE_PIXEL | DQ.HOT)


def pulls(taken, made):
    """Deviations from the truth over their errors, of good pixels."""
    rate, truth = made.rate, taken.rate(taken.ramp())
    good = (rate.dq & np.uint32(UNSURE)) == 0
    return ((rate.data - truth) / rate.err)[good]


@pytest.mark.parametrize("template", [name for name, rows in BY_NAME.items() if not rows[0].guiding])
def test_the_rates_are_the_true_ones_within_their_errors(template, tmp_path):
    for taken in make(template, tmp_path, effects=CALM):
        pull = pulls(taken, slopes(taken, refpix=ALL_ROWS_ALIKE))
        low, middle, high = np.percentile(pull, [15.865, 50, 84.135])
        assert len(pull) > 700
        assert abs(middle) < 0.05 + 4 / np.sqrt(len(pull))
        assert (high - low) / 2 == pytest.approx(1.0, abs=0.03 + 3 / np.sqrt(len(pull)))


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
