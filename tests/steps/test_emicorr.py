from dataclasses import replace

import numpy as np
import pytest
from interference_scene import FRAME, HERTZ, ROW, SLOT, exposure, reference, shape, turns
from ramp_scene import meta, ramp

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.products.kinds import Emicorr
from jwrules.steps.declare import Skip
from jwrules.steps.emicorr import Params, emicorr

SEQUENTIAL = Params(algorithm="sequential")


def left(product, clean, params=None, waves=None):
    """Root mean square of what is left of the wave."""
    result = emicorr(product, params, emicorr=waves or reference())
    return float(np.sqrt(np.mean((result.data - clean) ** 2)))


@pytest.mark.parametrize("phase", [0.0, 0.31, 0.9993])
@pytest.mark.parametrize("ngroups", [3, 8])
def test_the_wave_is_taken_off_whatever_its_phase(phase, ngroups):
    # 5 DN times the shape is 3.7 DN rms; float32 at 4000 DN rounds to 2e-4
    assert left(*exposure((1, ngroups, 32, 72), phase=phase)) < 0.02


def test_a_wave_twice_as_high_is_taken_off_as_well_as_one_as_high_as_the_reference():
    assert left(*exposure(height=2.0), waves=reference(amplitude=2.0)) < 0.01
    assert left(*exposure(height=40.0), waves=reference(amplitude=2.0)) < 0.2


def test_the_slope_of_a_ramp_with_a_wave_is_the_true_one_after():
    product, clean = exposure(height=30.0, noise=2.0)
    before = np.polyfit(np.arange(8), product.data[0].reshape(8, -1), 1)[0]
    after = np.polyfit(np.arange(8), emicorr(product, emicorr=reference()).data[0].reshape(8, -1), 1)[0]
    truth = np.polyfit(np.arange(8), clean[0].reshape(8, -1), 1)[0]
    assert np.std(before - truth) > 1
    assert np.std(after - truth) < 0.02


def test_integrations_keep_time_with_each_other_over_the_frame_that_resets_them():
    product, clean = exposure((3, 5, 32, 72), between=FRAME, READPATT="FASTR1")
    assert left(product, clean) < 0.02


def test_without_such_a_frame_the_phase_goes_on():
    product, clean = exposure((3, 5, 32, 72), between=FRAME)
    assert left(product, clean) > 1


def test_integrations_can_have_waves_of_their_own():
    size, heights = (2, 6, 32, 72), [2.0, 6.0]
    assert left(*exposure(size, height=heights)) > 0.5
    assert left(*exposure(size, height=heights), Params(fit_ints_separately=True)) < 0.02


def test_bright_struck_and_bad_pixels_are_corrected_and_not_asked():
    product, clean = exposure()
    extra = np.zeros(product.data.shape)
    extra[0, 4:, :8, 30:60] = 20_000.0
    extra[0, ::2, 12, 40:] = 5.0
    product.pixeldq[12, 40:] = DQ.DO_NOT_USE
    product.data[...] += extra
    assert left(product, clean + extra) < 0.02


def test_noise_without_a_wave_is_left_as_it_is():
    product, clean = exposure(height=0.0, noise=5.0)
    assert left(product, clean) < 0.5


def test_without_a_usable_pixel_nothing_is_changed():
    product, _ = exposure()
    product.pixeldq[...] = DQ.DO_NOT_USE
    before = product.data.copy()
    assert np.array_equal(emicorr(product, emicorr=reference()).data, before)


def test_slow_readout_samples_a_pixel_several_times_and_has_waves_by_detector():
    size = (1, 6, 32, 72)
    lines = np.linspace(4000, 4100, 6)[:, None, None] * np.ones(size)
    product = ramp(lines + shape(turns(*size, sample=9)), **(SLOT | {"READPATT": "SLOW", "NSAMPLES": 9}))
    with pytest.raises(Skip, match="MIRIMAGE"):
        emicorr(product, emicorr=reference())
    slow = {"rowclocks": ROW, "frameclocks": FRAME, "freqs": {"SLOW": {"MIRIMAGE": ["Hz390"]}}}
    assert left(product, lines, waves=reference(SUB64=slow)) < 0.005


@pytest.mark.parametrize("ngroups", [4, 12])
def test_folding_finds_the_wave_too(ngroups):
    # what a line cannot tell from the wave and the steps of the tables stay
    assert left(*exposure((1, ngroups, 32, 72)), SEQUENTIAL) < 0.4


def test_folding_can_take_the_known_height():
    as_high, higher = exposure((1, 12, 32, 72)), exposure((1, 12, 32, 72))
    unscaled = Params(algorithm="sequential", scale_reference=False)
    assert left(*as_high, unscaled, reference(amplitude=5.0)) < 0.4
    assert left(*higher, unscaled, reference(amplitude=10.0)) > 3


def test_folding_needs_no_reference_where_the_frequencies_are_given():
    product, clean = exposure((1, 12, 32, 72))
    result = emicorr(product, Params(onthefly_corr_freq=(HERTZ,)))
    assert np.std(result.data - clean) < 0.5


def test_two_frequencies_are_taken_off_one_after_the_other():
    product, clean = exposure((1, 12, 64, 72))
    product.data[...] += 3 * shape(turns(1, 12, 64, 72, hertz=218.52))
    result = emicorr(product, Params(onthefly_corr_freq=(HERTZ, 218.52)))
    assert np.std(result.data - clean) < 0.8


@pytest.mark.parametrize("settings", [{"nbins": 8}, {"nints_to_phase": 1}, {"use_n_cycles": None}])
def test_how_much_is_averaged_changes_what_is_found(settings):
    usual, other = (exposure((4, 4, 32, 72), noise=3.0)[0] for _ in range(2))
    usual = emicorr(usual, Params(algorithm="sequential", nints_to_phase=2), emicorr=reference())
    assert not np.array_equal(
        usual.data, emicorr(other, Params(algorithm="sequential", **settings), emicorr=reference()).data
    )


@pytest.mark.parametrize(
    ("keywords", "ngroups", "reason"),
    [
        ({"READPATT": "FASTGRPAVG"}, 8, "READPATT FASTGRPAVG"),
        ({"SUBARRAY": "SUB9"}, 8, "no interference of SUB9"),
        ({}, 2, "2 groups"),
    ],
)
def test_where_nothing_is_known_of_waves_nothing_is_done(keywords, ngroups, reason):
    with pytest.raises(Skip, match=reason):
        emicorr(exposure((1, ngroups, 8, 72), **keywords)[0], emicorr=reference())


def test_the_timing_of_an_unknown_subarray_is_not_guessed():
    with pytest.raises(Skip, match="timing of subarray SUB9"):
        emicorr(exposure(SUBARRAY="SUB9")[0], Params(onthefly_corr_freq=(HERTZ,)))


def test_folding_needs_four_groups():
    with pytest.raises(Skip, match="'joint' needs 3"):
        emicorr(exposure((1, 3, 8, 72))[0], SEQUENTIAL, emicorr=reference())


def test_without_reference_and_frequencies_it_cannot_run():
    with pytest.raises(CannotRun, match="emicorr"):
        emicorr(exposure()[0])


ON_THE_FLY = Params(onthefly_corr_freq=(HERTZ,), save_intermediate_results=True)


def found_on_the_fly(product, params=ON_THE_FLY):
    """The tree that is written of the waves."""
    return emicorr(product, params).beside["emi_ref_waves"].tree


def test_the_wave_that_is_written_is_what_is_subtracted():
    product, _ = exposure((1, 12, 64, 72), noise=2.0)
    before = product.data.copy()
    tree = found_on_the_fly(product)
    assert (tree["meta"]["reftype"], [*tree["frequencies"]]) == ("emicorr", [repr(HERTZ)])
    assert tree["subarray_cases"] == {
        "SUB64": {"rowclocks": ROW, "frameclocks": FRAME, "freqs": {"FAST": [repr(HERTZ)]}}
    }
    one = tree["frequencies"][repr(HERTZ)]
    part = (turns(1, 12, 64, 72) % 1 * len(one["phase_amplitudes"])).astype(int)
    assert one["frequency"] == HERTZ
    np.testing.assert_allclose(one["phase_amplitudes"][part], before - product.data, atol=1e-3)


@pytest.mark.parametrize("params", [Params(), SEQUENTIAL], ids=["joint", "sequential"])
def test_waves_that_were_written_serve_as_a_reference_file(params):
    waves = Emicorr(meta=meta(), tree=found_on_the_fly(exposure((1, 12, 64, 72))[0]))
    product, clean = exposure((1, 12, 64, 72), phase=0.7, height=8.0)
    wave = np.std(product.data - clean)
    assert np.std(emicorr(product, params, emicorr=waves).data - clean) < 0.2 * wave


def test_every_frequency_is_written():
    product, _ = exposure((1, 12, 64, 72))
    product.data[...] += 3 * shape(turns(1, 12, 64, 72, hertz=218.52))
    asked = replace(ON_THE_FLY, onthefly_corr_freq=(HERTZ, 218.52))
    frequencies = found_on_the_fly(product, asked)["frequencies"]
    assert [one["frequency"] for one in frequencies.values()] == [HERTZ, 218.52]
    assert [round(float(np.std(one["phase_amplitudes"]))) for one in frequencies.values()] == [4, 2]


def test_full_frames_and_slow_readout_are_named_as_in_any_reference_file():
    keywords = {"SUBARRAY": "FULL", "READPATT": "SLOWR1", "NSAMPLES": 9}
    ((name, case),) = found_on_the_fly(exposure((1, 6, 32, 72), **keywords)[0])["subarray_cases"].items()
    assert (name, case["freqs"]) == ("FULL_SLOW", {"SLOW": {"MIRIMAGE": [repr(HERTZ)]}})
    assert (case["rowclocks"], case["frameclocks"]) == (2333, 2388992)


def test_with_a_reference_file_no_other_is_written():
    asked = Params(algorithm="sequential", save_intermediate_results=True)
    assert emicorr(exposure()[0], asked, emicorr=reference()).beside == {}
    assert emicorr(exposure()[0], Params(onthefly_corr_freq=(HERTZ,))).beside == {}
