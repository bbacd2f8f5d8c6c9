"""charge_migration, picture_frame and clean_flicker_noise against the official steps, on the same arrays."""

import numpy as np
import pytest
from flicker_scene import exposure, frame, transposed
from ramp_scene import gain_and_readnoise, meta, ramp, reference
from test_detector1_steps import datamodels, official_ramp, official_reference, saturated, scene

from jwrules.kernels import flicker_choice
from jwrules.kernels.flicker import Lines
from jwrules.products import kinds
from jwrules.products.flags import DQ
from jwrules.products.illumination import light_falls
from jwrules.steps.charge_migration import Params as ChargeMigration
from jwrules.steps.charge_migration import charge_migration
from jwrules.steps.clean_flicker_noise import Params as CleanFlickerNoise
from jwrules.steps.clean_flicker_noise import clean_flicker_noise
from jwrules.steps.parts.flicker_readout import waves
from jwrules.steps.picture_frame import Params as PictureFrame
from jwrules.steps.picture_frame import picture_frame
from jwrules.steps.ramp_fit import Params as RampFit
from jwrules.steps.ramp_fit import ramp_fit

AS_OFFICIAL = {"weighting": "official", "against": "previous"}
pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("threshold", [25000.0, 6000.0])
def test_charge_migration(threshold):
    from jwst.charge_migration.charge_migration import charge_migration as official

    product = saturated(scene(zeroframe=False, seed=3))
    product.groupdq[np.random.default_rng(3).random(product.groupdq.shape) < 0.05] |= np.uint8(DQ.JUMP_DET)
    theirs = official(official_ramp(product), threshold)
    ours = charge_migration(product, ChargeMigration(signal_threshold=threshold))
    assert (ours.groupdq & np.uint8(DQ.CHARGELOSS)).any()
    assert np.array_equal(ours.groupdq, theirs.groupdq)


@pytest.fixture
def drafts(monkeypatch):
    """Official steps take their draft rates from our fit with official weights, which is compared elsewhere."""
    from jwst.clean_flicker_noise import clean_flicker_noise as official

    def use(product, references):
        slopes = ramp_fit(product, RampFit(weighting="official"), **references)

        def make_rate(model, input_dir="", return_cube=False):
            draft = slopes.rateints if return_cube else slopes.rate
            rate = datamodels.CubeModel() if return_cube else datamodels.ImageModel()
            rate.update(model)
            rate.data, rate.dq = draft.data.copy(), draft.dq.copy()
            return rate

        monkeypatch.setattr(official, "make_rate", make_rate)

    return use


def official_clean(product, exposure_type, subarray="SUB256", **options):
    """Return the official result on a copy."""
    return official_files(product, exposure_type, subarray, **options)[0]


def official_files(product, exposure_type, subarray="SUB256", **options):
    """Return the official result on a copy, and what can be saved beside it: mask, background, noise."""
    from jwst.clean_flicker_noise import clean_flicker_noise as official

    model = official_ramp(product)
    model.meta.exposure.type, model.meta.subarray.name = exposure_type, subarray
    *result, status = official.do_correction(model, **options)
    assert status == "COMPLETE"
    return result


def spoilt(made):
    """Return the ramp with jumps, a group that is not used, pixels without value, bad pixels."""
    random = np.random.default_rng(7)
    made.groupdq[random.random(made.groupdq.shape) < 0.02] |= np.uint8(DQ.JUMP_DET)
    made.groupdq[random.random(made.groupdq.shape) < 0.01] |= np.uint8(DQ.DO_NOT_USE)
    bad = random.random(made.pixeldq.shape) < 0.01
    made.pixeldq[bad] |= np.uint32(DQ.DO_NOT_USE)
    made.data[:, :, bad & (random.random(bad.shape) < 0.5)] = np.nan
    return made


CASES = {
    "defaults": {},
    "no background": {"background_method": None},
    "model": {"background_method": "model"},
    "boxes": {"background_method": "model", "background_box_size": (16, 32)},
    "histogram": {"fit_histogram": True},
    "each integration": {"single_mask": False},
    "more is light": {"n_sigma": 1.0},
    "nothing is light": {"n_sigma": 0.0},
}


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("options", CASES.values(), ids=list(CASES))
def test_clean_flicker_noise(drafts, options, columns):
    made = exposure((64, 128), nints=2, ngroups=4).ramp
    product = spoilt(transposed(made) if columns else made)
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    theirs = official_clean(product, "NRC_IMAGE", **options)
    known = np.isfinite(theirs.data)
    ours = clean_flicker_noise(product, CleanFlickerNoise(**AS_OFFICIAL, **options), **references)
    np.testing.assert_allclose(ours.data[known], theirs.data[known], rtol=1e-6, atol=2e-4)
    assert np.array_equal(ours.groupdq, theirs.groupdq)


SAVED = {"save_mask": True, "save_background": True, "save_noise": True}


def assert_files_alike(beside, theirs):
    """Compare arrays, their shapes and models; groups are rounded as float32, and so is the noise between them."""
    ramp, mask, background, noise = theirs
    assert np.array_equal(beside["mask"].data, mask.data.astype(np.float32))
    np.testing.assert_allclose(beside["flicker_bkg"].data, background.data, rtol=1e-5, atol=2e-3)
    known = np.isfinite(noise.data)
    assert np.all(np.abs(beside["flicker_noise"].data - noise.data)[known] <= 4e-4 + 1e-6 * np.abs(ramp.data[known]))
    assert np.std(noise.data[known]) > 0.5
    assert [one.model for one in beside.values()] == [type(one).__name__ for one in (mask, background, noise)]


@pytest.mark.parametrize("options", CASES.values(), ids=list(CASES))
def test_mask_background_and_noise_of_clean_flicker_noise(drafts, options):
    product = spoilt(exposure((64, 128), nints=2, ngroups=4).ramp)
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    theirs = official_files(product, "NRC_IMAGE", **SAVED, **options)
    ours = clean_flicker_noise(product, CleanFlickerNoise(**AS_OFFICIAL, **SAVED, **options), **references)
    assert_files_alike(ours.beside, theirs)


def test_mask_background_and_noise_with_a_flat(drafts, tmp_path):
    product = spoilt(exposure((64, 128), ngroups=4).ramp)
    references = gain_and_readnoise(product.pixeldq.shape)
    response = np.random.default_rng(8).normal(1, 0.1, product.pixeldq.shape)
    flat = reference(kinds.Flat, data=response, err=np.zeros_like(response))
    official_reference(datamodels.FlatModel, flat).save(tmp_path / "flat.fits")
    drafts(product, references)
    theirs = official_files(product, "NRC_IMAGE", flat_filename=str(tmp_path / "flat.fits"), **SAVED)
    params = CleanFlickerNoise(**AS_OFFICIAL, **SAVED, apply_flat_field=True)
    ours = clean_flicker_noise(product, params, flat=flat, **references)
    assert_files_alike(ours.beside, theirs)


def test_clean_flicker_noise_with_a_flat(drafts, tmp_path):
    product = spoilt(exposure((64, 128), ngroups=4).ramp)
    references = gain_and_readnoise(product.pixeldq.shape)
    random = np.random.default_rng(8)
    response = random.normal(1, 0.1, product.pixeldq.shape)
    response[random.random(response.shape) < 0.02] = np.nan
    flat = reference(kinds.Flat, data=response, err=np.zeros_like(response))
    official_reference(datamodels.FlatModel, flat).save(tmp_path / "flat.fits")
    drafts(product, references)
    theirs = official_clean(product, "NRC_IMAGE", flat_filename=str(tmp_path / "flat.fits"))
    known = np.isfinite(theirs.data)
    params = CleanFlickerNoise(**AS_OFFICIAL, apply_flat_field=True)
    ours = clean_flicker_noise(product, params, flat=flat, **references)
    np.testing.assert_allclose(ours.data[known], theirs.data[known], rtol=1e-6, atol=5e-4)


@pytest.mark.parametrize("several", [False, True], ids=["one plane", "planes"])
def test_clean_flicker_noise_with_a_mask_of_ones_own(drafts, tmp_path, several):
    product = spoilt(exposure((64, 128), nints=2, ngroups=4).ramp)
    references = gain_and_readnoise(product.pixeldq.shape)
    random = np.random.default_rng(9)
    # The official step also measures pixels that have no rate where the mask names them.
    good = (product.pixeldq & np.uint32(DQ.DO_NOT_USE)) == 0
    sky = (random.random((2, 64, 128) if several else (64, 128)) < 0.4) & good
    model = datamodels.CubeModel() if several else datamodels.ImageModel()
    model.data = sky.astype(np.float32)
    model.save(tmp_path / "mask.fits")
    drafts(product, references)
    options = {"single_mask": not several}
    theirs = official_clean(product, "NRC_IMAGE", user_mask=str(tmp_path / "mask.fits"), **options)
    mask = reference(kinds.BackgroundMask, data=model.data)
    ours = clean_flicker_noise(product, CleanFlickerNoise(**AS_OFFICIAL, **options), user_mask=mask, **references)
    known = np.isfinite(theirs.data)
    np.testing.assert_allclose(ours.data[known], theirs.data[known], rtol=1e-6, atol=2e-4)


def test_the_mask_that_is_written_is_that_of_ones_own(drafts, tmp_path):
    product = exposure((64, 128), nints=2, ngroups=4).ramp
    references = gain_and_readnoise(product.pixeldq.shape)
    sky = np.random.default_rng(9).random((64, 128)) < 0.4
    datamodels.ImageModel(data=sky.astype(np.float32)).save(tmp_path / "mask.fits")
    drafts(product, references)
    theirs = official_files(product, "NRC_IMAGE", user_mask=str(tmp_path / "mask.fits"), **SAVED)
    mask = reference(kinds.BackgroundMask, data=sky)
    params = CleanFlickerNoise(**AS_OFFICIAL, **SAVED)
    ours = clean_flicker_noise(product, params, user_mask=mask, **references)
    assert np.array_equal(ours.beside["mask"].data, sky)
    assert_files_alike(ours.beside, theirs)


@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
def test_clean_flicker_noise_by_channel(drafts, columns):
    made = exposure((64, 2048), ngroups=3, amplifiers=4, SUBARRAY="FULL").ramp
    product = transposed(made) if columns else made
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    theirs = official_clean(product, "NRC_IMAGE", "FULL", fit_by_channel=True)
    ours = clean_flicker_noise(product, CleanFlickerNoise(**AS_OFFICIAL, fit_by_channel=True), **references)
    np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-6, atol=2e-4)


def test_clean_flicker_noise_of_miri(drafts, monkeypatch):
    """The flat that the official step looks up itself flags what it does not use; it is stood in for here."""
    from jwst.clean_flicker_noise import clean_flicker_noise as official

    product = exposure((64, 96), ngroups=4, INSTRUME="MIRI", EXP_TYPE="MIR_IMAGE").ramp
    references = gain_and_readnoise(product.pixeldq.shape)
    dq = np.zeros(product.pixeldq.shape, np.uint32)
    dq[:, :20] = DQ.NON_SCIENCE | DQ.DO_NOT_USE
    product.data[:, :, 10:40, :20] += np.linspace(0, 400, 4)[:, np.newaxis, np.newaxis]

    def flagged(model, **options):
        model.dq = model.dq | dq
        return model

    drafts(product, references)
    monkeypatch.setattr(official, "post_process_rate", flagged)
    theirs = official_clean(product, "MIR_IMAGE", mask_science_regions=True)
    flat = reference(kinds.Flat, data=np.ones(dq.shape), err=np.zeros(dq.shape), dq=dq)
    params = CleanFlickerNoise(**AS_OFFICIAL, mask_science_regions=True)
    ours = clean_flicker_noise(product, params, flat=flat, **references)
    np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-6, atol=2e-4)


@pytest.mark.parametrize("subarray", ["SUB512", "ALLSLITS"])
def test_clean_flicker_noise_by_waves(drafts, subarray):
    made = exposure((64, 256), nints=2, ngroups=3, sigma=20.0).ramp
    product = spoilt(transposed(made, INSTRUME="NIRSPEC", EXP_TYPE="NRS_FIXEDSLIT", SUBARRAY=subarray, DETECTOR="NRS1"))
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    theirs = official_clean(product, "NRS_FIXEDSLIT", subarray, fit_method="fft")
    known = np.isfinite(theirs.data)
    ours = clean_flicker_noise(product, CleanFlickerNoise(**AS_OFFICIAL, fit_method="fft"), **references)
    np.testing.assert_allclose(ours.data[known], theirs.data[known], rtol=1e-6, atol=0.02)


def test_mask_background_and_noise_by_waves(drafts):
    made = exposure((64, 256), nints=2, ngroups=3, sigma=20.0).ramp
    product = transposed(made, INSTRUME="NIRSPEC", EXP_TYPE="NRS_FIXEDSLIT", SUBARRAY="SUB512", DETECTOR="NRS1")
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    theirs = official_files(product, "NRS_FIXEDSLIT", "SUB512", fit_method="fft", **SAVED)
    ours = clean_flicker_noise(product, CleanFlickerNoise(**AS_OFFICIAL, **SAVED, fit_method="fft"), **references)
    _, mask, background, noise = theirs
    assert np.array_equal(ours.beside["mask"].data, mask.data)
    np.testing.assert_allclose(ours.beside["flicker_bkg"].data, background.data, rtol=1e-5, atol=2e-3)
    np.testing.assert_allclose(ours.beside["flicker_noise"].data, noise.data, atol=0.02)


@pytest.mark.parametrize("detector", ["NRS1", "NRS2"])
def test_waves_of_a_full_frame(detector, monkeypatch):
    """The official fit takes any square; a small one will do."""
    from jwst.clean_flicker_noise.clean_flicker_noise import fft_clean_full_frame

    random = np.random.default_rng(5)
    monkeypatch.setattr("jwrules.steps.parts.flicker_readout.DETECTOR", 512)
    noise = frame(random, (512, 512), 10.0, 1)
    image = (noise + random.normal(0, 5, noise.shape)).astype(np.float32).T.copy()
    usable = random.random(image.shape) > 0.3
    usable[200:300, 300:400] = False
    axes = {"NRS1": {"FASTAXIS": 2, "SLOWAXIS": 1}, "NRS2": {"FASTAXIS": -2, "SLOWAXIS": -1}}[detector]
    ours = image - waves(image, usable, meta(**axes), "official")
    theirs = fft_clean_full_frame(image.copy(), usable, detector)
    np.testing.assert_allclose(ours, theirs, atol=0.1)
    assert np.std(ours - theirs) < 1e-3


def soss_model():
    """Return a model of traces with the names of the official one."""
    x = np.linspace(0, 2047, 300)
    rows = {1: 40 + 2e-5 * (x - 900) ** 2, 2: 80 + 9e-5 * (x - 300) ** 2}
    traces = [
        {"spectral_order": order, "pivot_x": 1024.0, "pivot_y": y[150], "trace": np.stack([x, y], 1)}
        for order, y in rows.items()
    ]
    wavecal = [
        {
            "spectral_order": order,
            "coefficients": np.array([2.8, -1.9, 0.01, 0.05, 0.02, 0.003]) / order,
            "scale_extents": np.array([[0.0, -0.25], [2047.0, 0.25]]),
        }
        for order in (1, 2)
    ]
    known = {"pwcpos_cmd": 245.76, "pwcpos_bounds": [245.5, 246.0], "subarray_ymin": 1792, "soss_xdim": 2048}
    known |= {"soss_ydim": 300, "wavemap_wlmin": 0.5, "wavemap_wlmax": 5.5, "wavemap_nwl": 5001}
    return {"meta": known, "traces": traces, "wavecal_models": wavecal}


@pytest.mark.parametrize("angle", [245.6, 245.76, 245.9])
def test_the_spectra_of_soss_are_masked_alike(angle):
    from jwst.clean_flicker_noise.clean_flicker_noise import mask_soss_traces

    tree = soss_model()
    model = datamodels.PastasossModel()
    for name, value in tree["meta"].items():
        setattr(model.meta, name, value)
    model.traces, model.wavecal_models = tree["traces"], tree["wavecal_models"]
    image = datamodels.ImageModel((256, 2048))
    image.meta.instrument.pupil_position, image.meta.subarray.name = angle, "SUBSTRIP256"
    theirs = ~mask_soss_traces(image, np.ones((256, 2048), bool), soss_refmodel=model)
    product = ramp(np.zeros((1, 256, 2048)), EXP_TYPE="NIS_SOSS", PWCPOS=angle, SUBSTRT1=1, SUBSTRT2=1793)
    ours = light_falls(product, None, kinds.Pastasoss(meta=meta(), tree=tree))
    assert 0.1 < theirs.mean() < 0.4
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("instrument", ["NIRCAM", "NIRISS"])
@pytest.mark.parametrize(
    ("slope", "offset", "stars"), [(0, 0, 10), (3e-3, 0, 10), (0, 0.2, 10), (0, 0.2, 400), (1e-3, 0, 400)]
)
def test_the_parameters_for_an_image_are_chosen_alike(drafts, instrument, slope, offset, stars):
    from jwst.clean_flicker_noise import autoparam

    made = exposure((64, 2048), ngroups=3, stars=stars, sigma=3.0, readnoise=3.0).ramp
    time = 40 * np.arange(3)[:, np.newaxis, np.newaxis]
    made.data[0] += time * (slope * np.arange(64)[:, np.newaxis] + offset * (np.arange(2048) // 512 == 2))
    exposure_type = {"NIRCAM": "NRC_IMAGE", "NIRISS": "NIS_IMAGE"}[instrument]
    product = made if instrument == "NIRCAM" else transposed(made, EXP_TYPE=exposure_type, INSTRUME="NIRISS")
    references = gain_and_readnoise(product.pixeldq.shape)
    drafts(product, references)
    model = official_ramp(product)
    model.meta.exposure.type = exposure_type
    theirs = getattr(autoparam, f"{instrument.lower()}_image_parameters")(model, None)
    rate = ramp_fit(product, RampFit(weighting="official"), **references).rate.data
    seen = flicker_choice.look(rate, np.empty((0, 0), np.float32), Lines(instrument == "NIRCAM", 1))
    background, by_channel = flicker_choice.choose(seen, getattr(flicker_choice, instrument))
    assert (background, by_channel) == (theirs["background_method"], theirs["fit_by_channel"])


FRAME_SAVED = ("save_mask", "save_correction")


def test_picture_frame(drafts):
    from jwst.picture_frame.picture_frame import correct_picture_frame as official

    random = np.random.default_rng(4)
    shape = (2048, 2048)
    y, x = np.indices(shape, sparse=True)
    edge = np.minimum(np.minimum(y, 2047 - y), np.minimum(x, 2047 - x))
    glow = np.exp(-edge / 150) + 0.1 * random.normal(size=shape)
    data = random.normal(0, 5, (1, 3, *shape)) + 20 * np.arange(3)[:, np.newaxis, np.newaxis] * (1 + glow)
    known = {"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "FASTAXIS": 2, "SLOWAXIS": 1, "EXP_TYPE": "NRS_FIXEDSLIT"}
    product = ramp(data, SUBARRAY="FULL", **known)
    references = gain_and_readnoise(shape)
    drafts(product, references)
    shown = reference(kinds.PictureFrame, data=glow)
    model = official_ramp(product)
    model.meta.exposure.type = "NRS_FIXEDSLIT"
    frame_of_theirs, saved = datamodels.PictureFrameModel(data=shown.data.copy()), dict.fromkeys(FRAME_SAVED, True)
    theirs, mask, correction, status = official(model, frame_of_theirs, mask_science_regions=False, **saved)
    assert status == "COMPLETE"
    params = PictureFrame(mask_science_regions=False, weighting="official", **saved)
    ours = picture_frame(product, params, pictureframe=shown, **references)
    np.testing.assert_allclose(ours.data, theirs.data, rtol=1e-6, atol=1e-4)
    assert np.array_equal(ours.beside["pctfrm_mask"].data, mask.data)
    np.testing.assert_allclose(ours.beside["pctfrm_correction"].data, correction.data, atol=2e-4)
    assert np.ptp(correction.data[:, 2]) > 20
    assert [one.model for one in ours.beside.values()] == [type(one).__name__ for one in (mask, correction)]
