from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from ramp_scene import meta, one_pixel, ramp, reference, rows, segment

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.products.kinds import Persat, TrapDensity, TrapPars, TrapsFilled
from jwrules.steps.declare import Skip
from jwrules.steps.persistence import Params, persistence

FAMILIES = ((900.0, 0.02, 150.0, 0.01), (400.0, 0.2, 0.0, 0.05))
"""Traps that capture slowly (DN), their rate (1/s), traps that capture at once (DN), rate of release (1/s)."""

TIMES = {"TGROUP": 10.0, "TFRAME": 10.0, "NRSTSTRT": 1, "NRESETS": 1}
DAY = 86400.0


def references(shape=(1, 1), families=FAMILIES, density=1.0, full=60000.0):
    names = ("capture0", "capture1", "capture2", "decay_param")
    table = np.array([(a, -b, c, -d) for a, b, c, d in families], [(name, "f8") for name in names])
    return {
        "trapdensity": reference(TrapDensity, data=np.full(shape, density)),
        "persat": reference(Persat, data=np.full(shape, full)),
        "trappars": TrapPars(meta=meta(), table=fits.BinTableHDU(table).data),
    }


def corrected(product, files=None, trapsfilled=None, **params):
    files = files or references(product.pixeldq.shape)
    return persistence(product, Params(method="traps", **params), **files, trapsfilled=trapsfilled)


def filled_by_growth(wells_per_second, seconds, family, density=1.0, steps=20000):
    """Traps of a family after a steady growth: layer after layer is exposed, and each captures by its own equation."""
    slow, rate, at_once, _ = family
    step = seconds / steps
    occupied = total = 0.0
    for n in range(steps):
        occupied += rate * (1 - occupied) * step
        soak = (n + 0.5) * step
        total += 2 * density * wells_per_second**2 * soak * (slow * occupied + at_once) * step
    return total


def released(traps, seconds, steps_per_second=50):
    """The charge that traps release in each of so many seconds, step by step; and the traps that are left."""
    charges = []
    for _ in range(seconds):
        before = sum(traps)
        for _ in range(steps_per_second):
            traps = [n - n * family[3] / steps_per_second for n, family in zip(traps, FAMILIES, strict=True)]
        charges.append(before - sum(traps))
    return np.array(charges), traps


def bright_then_faint(faint=2.0, bright=500.0, ngroups=8):
    """A pixel under 500 DN/s, then in two integrations under 2 DN/s: ramps, and what its traps added to them."""
    traps = [filled_by_growth(bright / 60000, 10.0 * (ngroups + 1), family) for family in FAMILIES]
    afterglow = np.zeros((3, ngroups))
    for i in (1, 2):
        _, traps = released(traps, 10)
        charges, traps = released(traps, 10 * ngroups)
        afterglow[i] = charges.cumsum()[9::10]
    rates = np.array([bright, faint, faint])
    truth = rates[:, np.newaxis] * 10.0 * np.arange(1, ngroups + 1)
    return truth, afterglow


def test_the_afterglow_of_a_bright_integration_is_taken_off_the_faint_ones():
    truth, afterglow = bright_then_faint()
    product = corrected(ramp((truth + afterglow)[..., np.newaxis, np.newaxis], **TIMES))
    left = product.data[..., 0, 0] - truth
    assert afterglow[1, -1] > 100
    assert np.all(np.abs(left[1:]) < 0.03 * afterglow[1:])


def test_a_pixel_is_flagged_from_the_cutoff_on_and_not_below():
    _, afterglow = bright_then_faint()
    for cutoff, expected in ((0.9, DQ.PERSISTENCE), (1.1, 0), (None, 0)):
        truth, afterglow = bright_then_faint()
        product = ramp((truth + afterglow)[..., np.newaxis, np.newaxis], **TIMES)
        limit = None if cutoff is None else cutoff * float(afterglow.max())
        assert corrected(product, flag_pers_cutoff=limit).pixeldq[0, 0] == expected


def test_a_pixel_that_is_full_from_the_start_fills_its_traps_exponentially():
    product = corrected(one_pixel([65000.0] * 4, **TIMES), references(density=2.0))
    expected = [2 * (at_once + slow * (1 - np.exp(-rate * 40))) for slow, rate, at_once, _ in FAMILIES]
    np.testing.assert_allclose(product.traps_filled[:, 0, 0], expected, rtol=1e-5)


def test_a_jump_fills_traps_from_the_middle_of_its_group_on():
    struck = one_pixel([1.0, 2.0, 1003.0, 1004.0, 1005.0], **TIMES)
    struck.groupdq[0, 2] = DQ.JUMP_DET
    calm = corrected(one_pixel([1.0, 2.0, 3.0, 4.0, 5.0], **TIMES)).traps_filled
    expected = [2 * 1000 * (at_once + slow * (1 - np.exp(-rate * 25))) for slow, rate, at_once, _ in FAMILIES]
    np.testing.assert_allclose((corrected(struck).traps_filled - calm)[:, 0, 0], expected, rtol=1e-5)


def test_a_saturated_group_does_not_count_for_the_slope():
    clipped = one_pixel([100.0, 200.0, 300.0, 301.0], **TIMES)
    clipped.groupdq[0, 3] = DQ.SATURATED
    steady = one_pixel([100.0, 200.0, 300.0, 400.0], **TIMES)
    assert corrected(clipped).traps_filled.tolist() == corrected(steady).traps_filled.tolist()


def earlier(traps, **keywords):
    return reference(TrapsFilled, {"EXPEND": 60000.0} | keywords, data=np.reshape(traps, (2, 1, 1)))


def test_traps_of_an_earlier_exposure_release_until_this_one_starts():
    product = one_pixel([0.0, 0.0], EXPSTART=60000.0 + 100 / DAY, **TIMES)
    product = corrected(product, trapsfilled=earlier([1000.0, 2000.0]))
    groups = [
        sum(n * np.exp(-100 * r) * (1 - np.exp(-t * r)) for n, r in ((1000, 0.01), (2000, 0.05))) for t in (10, 20)
    ]
    np.testing.assert_allclose(-product.data[0, :, 0, 0], groups, rtol=1e-5)


def test_traps_of_a_later_exposure_are_no_help():
    product = one_pixel([0.0, 0.0], EXPSTART=60000.0 - 100 / DAY, **TIMES)
    with pytest.raises(CannotRun, match="ends 100 s after this one starts"):
        corrected(product, trapsfilled=earlier([1000.0, 2000.0]))


def test_traps_of_other_families_are_no_help():
    product = one_pixel([0.0, 0.0], EXPSTART=60001.0, **TIMES)
    with pytest.raises(CannotRun, match="families"):
        corrected(product, references(families=FAMILIES[:1]), trapsfilled=earlier([1000.0, 2000.0]))


def changing_pixels():
    random = np.random.default_rng(3)
    rates = 10 ** random.uniform(0, 3.9, (3, 1, 6, 5))
    data = rates * 10 * np.arange(1, 6)[:, np.newaxis, np.newaxis]
    return ramp(np.minimum(data, 65000.0), EXPSTART=60000.0, **TIMES)


def test_a_segment_goes_on_where_the_one_before_it_ends():
    whole = corrected(changing_pixels())
    first = corrected(segment(changing_pixels(), slice(0, 2)))
    state = reference(TrapsFilled, {"EXPSTART": 60000.0, "EXPEND": 60000.5, "INTEND": 2}, data=first.traps_filled)
    second = corrected(segment(changing_pixels(), slice(2, 3)), trapsfilled=state)
    np.testing.assert_allclose(second.data, whole.data[2:], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(second.traps_filled, whole.traps_filled, rtol=1e-5)


def test_bands_of_rows_give_the_bits_of_the_whole():
    whole = corrected(changing_pixels(), save_persistence=True)
    for band in (slice(0, 2), slice(2, 6)):
        part = corrected(rows(changing_pixels(), band), save_persistence=True)
        assert np.array_equal(part.data, whole.data[:, :, band])
        assert np.array_equal(part.pixeldq, whole.pixeldq[band])
        assert np.array_equal(part.traps_filled, whole.traps_filled[:, band])
        assert np.array_equal(part.persistence, whole.persistence[:, :, band])


def test_what_was_taken_off_and_the_traps_are_kept_as_asked():
    before = changing_pixels()
    product = corrected(changing_pixels(), save_persistence=True, save_trapsfilled=False)
    np.testing.assert_allclose(product.data + product.persistence, before.data, rtol=1e-6, atol=1e-2)
    assert product.persistence[1:].max() > 40
    assert product.traps_filled is None
    assert corrected(changing_pixels()).persistence is None


def test_bad_pixels_of_the_reference_files_capture_nothing():
    files = references((1, 3))
    dq = np.array([[DQ.DO_NOT_USE, 0, 0]], np.uint32)
    data = np.array([[1.0, np.nan, 1.0]], np.float32)
    files["trapdensity"] = replace(files["trapdensity"], data=data, dq=dq)
    files["persat"] = replace(files["persat"], dq=np.array([[0, 0, DQ.DO_NOT_USE]], np.uint32))
    product = corrected(ramp(np.full((1, 4, 1, 3), 65000.0), **TIMES), files)
    assert not product.traps_filled.any()


def test_without_a_reference_file_it_cannot_run_or_has_nothing_to_do():
    files = references() | {"persat": None}
    with pytest.raises(CannotRun, match="persat"):
        corrected(one_pixel([1.0, 2.0]), files)
    with pytest.raises(Skip, match="MIRI has no reference file of type persat"):
        corrected(one_pixel([1.0, 2.0], INSTRUME="MIRI"), files)


def test_a_table_without_families_is_refused():
    with pytest.raises(CannotRun, match="no row"):
        corrected(one_pixel([1.0, 2.0], **TIMES), references(families=()))
