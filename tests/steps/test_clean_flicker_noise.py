from dataclasses import replace

import numpy as np
import pytest
from flicker_scene import band, bias, exposure, line_rms, segment, transposed
from ramp_scene import gain_and_readnoise, meta, noisy, ramp, reference

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.products.kinds import BackgroundMask, Flat, Pastasoss
from jwrules.steps.clean_flicker_noise import Params, clean_flicker_noise
from jwrules.steps.declare import Skip

NIRCAM = {"EXP_TYPE": "NRC_IMAGE", "FASTAXIS": 1, "SLOWAXIS": 2}
both_ways = pytest.mark.parametrize("against", ["draft", "previous"])


def clean(product, references=None, **params):
    shape = product.pixeldq.shape
    return clean_flicker_noise(product, Params(**params), **gain_and_readnoise(shape), **(references or {}))


OFFSET, LEFT = 16.0, 5.0
"""What a line is too high in the tests, and what may be left of it.

Clipping lets the median of a difference see six parts of seven of it, and noise does the rest.
"""


def plain(shape=(20, 400), ngroups=4, rate=1.0, nints=1, noise=20.0, **keywords):
    """A ramp that gains 10 DN a group, whose differences of groups have this noise (DN)."""
    data = noisy(rate, (nints, ngroups, *shape), gain=1e6, readnoise=noise, seed=3)
    return ramp(data, **(NIRCAM | keywords))


def level(product, g, rows=slice(None), columns=slice(None), i=0):
    """The median of a part of a group, less what the rate of 1 DN/s gives."""
    return float(np.median(product.data[i, g, rows, columns]) - 10 * (g + 1))


@both_ways
def test_what_a_row_of_a_group_is_too_high_is_taken_off(against):
    product = plain()
    product.data[0, 2, 5] += OFFSET
    cleaned = clean(product, against=against)
    assert level(cleaned, 2, 5) == pytest.approx(0, abs=LEFT)
    assert level(cleaned, 2, 6) == pytest.approx(0, abs=LEFT)
    assert level(cleaned, 3, 5) == pytest.approx(0, abs=LEFT)


@both_ways
def test_what_grows_along_the_ramp_in_a_row_is_taken_off(against):
    product = plain()
    product.data[0, :, 5] += OFFSET / 3 * np.arange(4)[:, np.newaxis]
    cleaned = clean(product, against=against)
    assert level(cleaned, 3, 5) - level(cleaned, 3, 6) == pytest.approx(0, abs=LEFT)


@both_ways
def test_lines_are_columns_where_the_slow_axis_is_x(against):
    product = transposed(plain())
    product.data[0, 2, :, 5] += OFFSET
    cleaned = clean(product, against=against)
    assert level(cleaned, 2, columns=5) == pytest.approx(0, abs=LEFT)


@both_ways
def test_rows_and_columns_are_cleaned_alike(against):
    made = exposure((32, 50), ngroups=3).ramp
    turned = clean(transposed(made), against=against).data
    np.testing.assert_allclose(np.swapaxes(turned, 2, 3), clean(made, against=against).data, atol=1e-3)


@both_ways
@pytest.mark.parametrize("method", ["median", "model"])
def test_a_line_that_is_all_light_is_not_raised_for_the_background_that_its_reference_pixels_lack(against, method):
    """The sky gives 20 DN a group; in row 7 only reference pixels are not lit, which stay 20 DN a group below it."""
    product, edge = plain(rate=2.0), np.r_[:4, 396:400]
    product.pixeldq[:, edge] = DQ.REFERENCE_PIXEL
    product.data[..., edge] -= 20.0 * np.arange(1, 5)[:, np.newaxis, np.newaxis]
    product.data[0, :, 7, 4:396] += 500.0 * np.arange(1, 5)[:, np.newaxis]
    before = product.data[:, :, 7].copy()
    np.testing.assert_allclose(clean(product, against=against, background_method=method).data[:, :, 7], before)


@both_ways
def test_images_of_miri_flicker_along_columns(against):
    product = plain(INSTRUME="MIRI", EXP_TYPE="MIR_IMAGE")
    product.data[0, 2, :, 5] += OFFSET
    assert level(clean(product, against=against), 2, columns=5) == pytest.approx(0, abs=LEFT)


def test_spectra_of_miri_are_left_alone():
    with pytest.raises(Skip, match="MIR_MRS"):
        clean(plain(INSTRUME="MIRI", EXP_TYPE="MIR_MRS"))


def test_a_ramp_of_one_group_is_left_alone():
    with pytest.raises(Skip, match="one group"):
        clean(plain(ngroups=1))


@both_ways
@pytest.mark.parametrize("turned", [False, True])
def test_amplifiers_are_measured_one_by_one_if_asked(against, turned):
    product = plain((16, 2048), SUBARRAY="FULL")
    product.data[0, 2, 5, 512:1024] += OFFSET
    product = transposed(product) if turned else product

    def lines_of(cleaned):
        data = np.swapaxes(cleaned.data, 2, 3) if turned else cleaned.data
        return [float(np.median(data[0, 2, 5, 512 * n : 512 * (n + 1)]) - 30) for n in range(4)]

    each = clean(replace(product, data=product.data.copy()), against=against, fit_by_channel=True)
    assert lines_of(each) == pytest.approx([0, 0, 0, 0], abs=LEFT)
    assert lines_of(clean(product, against=against))[1] > 11


def test_amplifiers_of_a_subarray_are_not():
    product = plain((16, 2048), SUBARRAY="SUB16")
    product.data[0, 2, 5, 512:1024] += OFFSET
    assert level(clean(product, fit_by_channel=True), 2, 5, slice(512, 1024)) > 11


@both_ways
def test_pixels_that_a_jump_struck_do_not_count(against):
    product = plain()
    product.data[0, 2:, 5, ::2] += 500
    product.groupdq[0, 2, 5, ::2] = DQ.JUMP_DET
    cleaned = clean(product, against=against)
    assert level(cleaned, 3, 5, slice(1, None, 2)) == pytest.approx(0, abs=LEFT)


@both_ways
def test_a_group_without_usable_pixels_keeps_the_correction_of_the_one_before(against):
    product = plain(ngroups=5)
    product.data[0, 1:, 5] += OFFSET
    product.groupdq[0, 2] = DQ.DO_NOT_USE
    cleaned = clean(product, against=against)
    assert level(cleaned, 2, 5) - level(cleaned, 2, 6) == pytest.approx(0, abs=LEFT)


@both_ways
def test_a_pixel_without_value_spoils_neither_its_line_nor_its_ramp(against):
    product = plain()
    product.data[0, 1, 5, 7] = np.nan
    cleaned = clean(product, against=against)
    assert np.isfinite(cleaned.data).sum() == cleaned.data.size - 1


def test_noise_before_the_first_group_that_can_be_used_does_not_matter():
    product = plain()
    product.data[0, 0] += 5 * np.arange(20)[:, np.newaxis]
    product.groupdq[0, 0] = DQ.DO_NOT_USE
    cleaned = clean(product)
    assert np.ptp(np.median(cleaned.data[0, 3], axis=1)) < LEFT


@both_ways
def test_flicker_noise_goes_with_the_response_of_a_pixel(against):
    response = np.ones((20, 400))
    response[:, 200:] = 0.5
    product = plain(rate=response)
    product.data[0, 2, 5] += 2 * OFFSET * response[5]
    flat = reference(Flat, data=response, err=np.zeros_like(response))
    cleaned = clean(product, {"flat": flat}, against=against, apply_flat_field=True)
    excess = cleaned.data[0, 2, 5] - 30 * response[5]
    assert np.median(excess[:200]) == pytest.approx(0, abs=2 * LEFT)
    assert np.median(excess[200:]) == pytest.approx(0, abs=LEFT)


def test_a_flat_that_is_asked_for_has_to_be_there():
    with pytest.raises(CannotRun, match="type 'flat'"):
        clean(plain(), apply_flat_field=True)


@both_ways
def test_without_a_background_it_goes_with_the_noise(against):
    cleaned = clean(plain(), against=against, background_method=None)
    assert np.median(cleaned.data[0, 3] - cleaned.data[0, 0]) == pytest.approx(0, abs=LEFT)


@both_ways
@pytest.mark.parametrize("box", [None, (16, 16)])
def test_a_smooth_model_keeps_a_slope_of_the_background_that_one_level_takes_off(against, box):
    slope = np.linspace(1, 2, 256)[:, np.newaxis] * np.ones(64)
    product = plain((256, 64), rate=slope, noise=10.0)

    def left(method):
        made = replace(product, data=product.data.copy())
        cleaned = clean(made, against=against, background_method=method, background_box_size=box, n_sigma=3.0).data[0]
        rise = np.median(cleaned[3] - cleaned[0], axis=1)
        return (rise[160:192].mean() - rise[64:96].mean()) / (30 * 96 / 255)

    assert left("model") == pytest.approx(1, abs=0.2)
    assert left("median") < 0.6


def test_boxes_of_another_size_make_another_model():
    made = exposure((64, 64), ngroups=3)
    results = [
        clean(replace(made.ramp, data=made.ramp.data.copy()), background_method="model", background_box_size=box).data
        for box in (None, (8, 8))
    ]
    assert not np.array_equal(*results)


@both_ways
@pytest.mark.parametrize("option", [{"n_sigma": 1.0}, {"fit_histogram": True}])
def test_how_light_is_found_matters_a_little(against, option):
    made = exposure((64, 64), nints=2, ngroups=3).ramp
    usual = clean(replace(made, data=made.data.copy()), against=against).data
    other = clean(made, against=against, **option).data
    assert not np.array_equal(usual, other)
    assert np.abs(usual - other).max() < 20


def test_official_weights_give_other_drafts():
    made = exposure((64, 64), ngroups=4).ramp
    usual = clean(replace(made, data=made.data.copy())).data
    assert not np.array_equal(usual, clean(made, weighting="official").data)


@both_ways
def test_an_integration_in_which_light_is_elsewhere_can_have_a_mask_of_its_own(against):
    product = plain(nints=2)
    for i, columns in enumerate((slice(0, 250), slice(250, 400))):
        product.data[i, :, 5, columns] += 300 * np.arange(4)[:, np.newaxis]
    product.data[0, 3, 5] += OFFSET
    together = clean(replace(product, data=product.data.copy()), against=against)
    assert level(together, 3, 5, slice(250, 400)) > 11
    cleaned = clean(product, against=against, single_mask=False)
    assert level(cleaned, 3, 5, slice(250, 400)) == pytest.approx(0, abs=LEFT)


def test_the_median_over_integrations_shows_noise_from_the_first_group_on():
    product = plain(nints=5)
    product.data[..., 10, 20] += 1000 * np.arange(1, 5)
    product.data[2, 0, 5] += OFFSET
    cleaned = clean(product, background_method="median_image")
    assert level(cleaned, 0, 5, i=2) == pytest.approx(0, abs=LEFT)
    assert cleaned.data[2, 3, 10, 20] == pytest.approx(4040, rel=0.02)


def test_the_median_image_is_scaled_to_the_light_of_each_integration():
    light, time = np.zeros((20, 400)), 10 * np.arange(1, 5)
    light[:, 100:220] = 50.0
    fluxes = np.array([0.9, 1.0, 1.1])[:, np.newaxis, np.newaxis, np.newaxis] * light
    product = plain(nints=3, rate=0.0, noise=0.1)
    product.data[...] += fluxes * time[:, np.newaxis, np.newaxis]
    before = product.data.copy()
    cleaned = clean(product, background_method="median_image", n_sigma=1.0)
    np.testing.assert_allclose(cleaned.data, before, atol=1.0)


@pytest.mark.parametrize("wrong", [{"nints": 1}, {"fit_method": "fft", "nints": 2, "EXP_TYPE": "NRS_IFU"}])
def test_a_median_image_needs_integrations_and_medians(wrong):
    method = wrong.pop("fit_method", "median")
    with pytest.raises(CannotRun, match="median_image"):
        clean(plain(**wrong), background_method="median_image", fit_method=method)


def test_waves_are_for_nirspec():
    with pytest.raises(CannotRun, match="NRC_IMAGE"):
        clean(plain(), fit_method="fft")


@pytest.mark.parametrize("axes", [(2, 1), (-2, -1)])
def test_waves_follow_the_readout(axes):
    """A wave of 1000 Hz runs on from line to line, with a gap of 12 pixels between them."""
    made = exposure((32, 128), ngroups=3, sigma=1e-6, readnoise=0.5, stars=0, extended=0.0, sky=0.01).ramp
    time = (np.arange(32)[:, np.newaxis] * 140 + np.arange(128)) * 1e-5
    wave = 20 * np.sin(2 * np.pi * 1000 * time)
    product = transposed(made, INSTRUME="NIRSPEC", EXP_TYPE="NRS_FIXEDSLIT", FASTAXIS=axes[0], SLOWAXIS=axes[1])
    as_read = wave.T if axes[0] > 0 else wave.T[::-1, ::-1]
    before = product.data[0, 1].copy()
    product.data[0, 1] += as_read
    cleaned = clean(product, fit_method="fft")
    assert np.std((cleaned.data[0, 1] - before)[4:-4]) < 2.5


def test_spectra_of_nirspec_keep_lines_of_a_full_frame_smooth():
    random = np.random.default_rng(2)
    known = {"INSTRUME": "NIRSPEC", "EXP_TYPE": "NRS_IFU", "FASTAXIS": 2, "SLOWAXIS": 1, "SUBARRAY": "FULL"}
    drift = 20 * np.sin(np.arange(2048) / 100)
    product = ramp(random.normal(0, 2, (1, 2, 2048, 2048)), **known)
    product.data[0, 1] += drift
    cleaned = clean(product, fit_method="fft")
    difference = cleaned.data[0, 1] - cleaned.data[0, 0]
    assert np.median(difference, axis=0)[10:-10].std() < 0.1 * drift.std()


def test_shutters_that_are_stuck_open_and_the_fixed_slits_are_masked_if_asked():
    product = plain((1200, 16), ngroups=3, INSTRUME="NIRSPEC", EXP_TYPE="NRS_MSASPEC")
    product.pixeldq[:200] = DQ.MSA_FAILED_OPEN
    lit = np.r_[0:200, 922:1116]
    product.data[0, :, lit] += np.arange(3)[np.newaxis, :, np.newaxis]
    product = replace(product, meta=product.meta.updated(FASTAXIS=2, SLOWAXIS=1))
    product.data[0, 2, lit] += OFFSET
    cleaned = clean(product, mask_science_regions=True, n_sigma=0.0)
    assert level(cleaned, 2, slice(300, 900)) == pytest.approx(0, abs=LEFT)


def test_traces_of_soss_cannot_be_masked_without_their_model():
    product = plain(INSTRUME="NIRISS", EXP_TYPE="NIS_SOSS", PWCPOS=245.8)
    with pytest.raises(CannotRun, match="pastasoss"):
        clean(product, mask_science_regions=True)


def test_traces_of_soss_are_masked():
    x = np.linspace(0, 2047, 50)
    trace = {"pivot_x": 1000.0, "pivot_y": 50.0, "trace": np.stack([x, np.full(50, 50.0)], 1)}
    solution = {"coefficients": [1.0, 2.0, 0.0], "scale_extents": [[0, -1], [2048, 1]]}
    known = {"pwcpos_cmd": 245.8, "pwcpos_bounds": [245.6, 246.0], "wavemap_wlmin": 0.5, "wavemap_wlmax": 3.5}
    tree = {"meta": known | {"wavemap_nwl": 100}, "traces": [trace], "wavecal_models": [solution]}
    model = {"pastasoss": Pastasoss(meta=meta(), tree=tree)}
    soss = {"INSTRUME": "NIRISS", "EXP_TYPE": "NIS_SOSS", "FASTAXIS": -2, "SLOWAXIS": -1, "SUBSTRT2": 1793}
    product = plain((96, 16), ngroups=3, PWCPOS=245.8, **soss)
    product.data[0, 1:, 34:67] += 50
    cleaned = clean(product, model, mask_science_regions=True, n_sigma=0.0)
    assert level(cleaned, 2, slice(0, 30)) == pytest.approx(0, abs=LEFT)
    with pytest.raises(CannotRun, match=r"PWCPOS=245\.1"):
        clean(replace(product, meta=product.meta.updated(PWCPOS=245.1)), model, mask_science_regions=True)


def test_the_background_of_an_image_can_be_chosen_for_it():
    slope = np.linspace(1, 1.5, 64)[:, np.newaxis] * np.ones(64)
    product = plain((64, 64), rate=slope, noise=2.0)
    chosen = clean(replace(product, data=product.data.copy()), autoparam=True).data
    assert np.array_equal(chosen, clean(product, background_method="model").data)


def test_other_exposures_have_nothing_chosen():
    product = plain(EXP_TYPE="NRC_WFSS")
    chosen = clean(replace(product, data=product.data.copy()), autoparam=True, n_sigma=3.0).data
    assert np.array_equal(chosen, clean(product, n_sigma=3.0).data)


@pytest.fixture(scope="module")
def scored():
    """Scatter of lines over that of white noise, and bias of the extended source, before and after."""
    made = [exposure((256, 512), seed=seed) for seed in range(4)]
    cleaned = [clean(replace(one.ramp, data=one.ramp.data.copy())) for one in made]
    return [
        tuple(np.mean([[line_rms(s, c), bias(s, c)] for s, c in zip(made, those, strict=True)], axis=0))
        for those in ([one.ramp for one in made], cleaned)
    ]


def test_lines_scatter_as_white_noise_lets_them(scored):
    assert scored[0][0] > 4
    assert scored[1][0] < 1.1


def test_an_extended_source_keeps_its_light(scored):
    assert abs(scored[1][1]) < 0.01


WAYS = [
    {},
    {"single_mask": False},
    {"against": "previous"},
    {"background_method": "model"},
    {"background_method": "median_image"},
    {"fit_method": "fft"},
]


@pytest.mark.parametrize("params", WAYS)
def test_segments_of_an_exposure_are_cleaned_as_the_whole_to_the_bit(params):
    made = exposure((32, 64), nints=3, ngroups=4).ramp
    if params.get("fit_method") == "fft":
        made = transposed(made, INSTRUME="NIRSPEC", EXP_TYPE="NRS_IFU")
    made.groupdq[np.random.default_rng(5).random(made.groupdq.shape) < 0.02] = DQ.JUMP_DET
    references, params = gain_and_readnoise(made.pixeldq.shape), Params(**params)
    draft, rest = clean_flicker_noise.parts
    noted = draft(made, params, **references)
    segments = [segment(noted, first, last) for first, last in ((0, 1), (1, 3))]
    parts = [rest(one, params, flat=None, pastasoss=None, **references).data for one in segments]
    assert np.array_equal(np.concatenate(parts), clean_flicker_noise(made, params, **references).data)


def test_drafts_of_bands_are_those_of_the_whole_to_the_bit():
    made = exposure((32, 64), nints=2, ngroups=4).ramp
    draft = clean_flicker_noise.parts[0]
    for params in (Params(), Params(background_method="median_image", single_mask=False)):
        whole = draft(made, params, **gain_and_readnoise((32, 64))).notes
        bands = [
            draft(band(made, low, low + 8), params, **gain_and_readnoise((8, 64))).notes for low in range(0, 32, 8)
        ]
        for name, note in whole.items():
            pieces = [one[name].array for one in bands]
            assert np.array_equal(np.concatenate(pieces, axis=note.axes.index("y")), note.array)


def own(mask):
    """A mask as a person gives it."""
    return {"user_mask": reference(BackgroundMask, data=np.asarray(mask, np.float32))}


@both_ways
def test_a_mask_of_ones_own_says_what_is_background(against):
    product = plain(noise=2.0)
    product.data[0, 2, 5, :250] += 40.0  # most of the row: without a mask it would be the noise of the row
    mask = np.zeros(product.pixeldq.shape)
    mask[:, 250:] = 1
    cleaned = clean(product, own(mask), n_sigma=0, against=against)
    assert level(cleaned, 2, 5, slice(0, 250)) == pytest.approx(40, abs=1)
    assert level(cleaned, 2, 5, slice(250, None)) == pytest.approx(0, abs=1)


def test_what_the_mask_calls_background_counts_though_it_shines():
    bright = plain()
    bright.data[0, :, :, :250] += 1000.0 * np.arange(4)[:, np.newaxis, np.newaxis]
    bright.data[0, 2, 5, :250] += OFFSET
    mask = np.zeros(bright.pixeldq.shape)
    mask[:, :250] = 1
    before = level(bright, 2, 6, slice(0, 250))
    cleaned = clean(bright, own(mask), against="previous")
    assert level(cleaned, 2, 5, slice(0, 250)) == pytest.approx(level(cleaned, 2, 6, slice(0, 250)), abs=LEFT)
    assert before == pytest.approx(2000, abs=LEFT)


def test_integrations_may_have_masks_of_their_own():
    product = plain(nints=2, noise=2.0)
    product.data[:, 2, 5, :250] += 40.0
    masks = np.zeros((2, *product.pixeldq.shape))
    masks[0, :, 250:], masks[1, :, :250] = 1, 1
    cleaned = clean(product, own(masks), single_mask=False, n_sigma=0)
    assert level(cleaned, 2, 5, slice(0, 250), i=0) == pytest.approx(40, abs=1)
    assert level(cleaned, 2, 5, slice(0, 250), i=1) == pytest.approx(0, abs=1)


def test_a_segment_takes_its_planes_of_a_mask_of_the_whole_exposure():
    product = plain(nints=2, noise=2.0, NINTS=4, INTSTART=3, INTEND=4, EXSEGNUM=2, EXSEGTOT=2)
    product.data[:, 2, 5, :250] += 40.0
    masks = np.zeros((4, *product.pixeldq.shape))
    masks[[1, 2], :, 250:], masks[[0, 3], :, :250] = 1, 1
    cleaned = clean(product, own(masks), single_mask=False, n_sigma=0)
    assert level(cleaned, 2, 5, slice(0, 250), i=0) == pytest.approx(40, abs=1)
    assert level(cleaned, 2, 5, slice(0, 250), i=1) == pytest.approx(0, abs=1)


def test_masks_of_another_number_of_integrations_are_refused():
    product = plain(nints=3)
    with pytest.raises(CannotRun, match="has 2 planes, and the exposure 3 integrations; give one plane"):
        clean(product, own(np.ones((2, *product.pixeldq.shape))))
