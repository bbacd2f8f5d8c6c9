"""Each step of stage 1 against the official pipeline's, on the same arrays.

Flags are to agree bit for bit and data to 1e-5. Where we differ on purpose the test says so and shows the difference.
"""

from dataclasses import replace

import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, ramp, reference

from jwrules.products import kinds
from jwrules.products.flags import DQ
from jwrules.steps.dark_current import Params as DarkCurrent
from jwrules.steps.dark_current import dark_current
from jwrules.steps.dq_init import dq_init
from jwrules.steps.gain_scale import gain_scale
from jwrules.steps.group_scale import group_scale
from jwrules.steps.ipc import ipc
from jwrules.steps.jump import Params as JumpParams
from jwrules.steps.jump import jump
from jwrules.steps.linearity import linearity
from jwrules.steps.persistence import Params as PersistenceParams
from jwrules.steps.persistence import persistence
from jwrules.steps.ramp_fit import Params as RampFitParams
from jwrules.steps.ramp_fit import ramp_fit
from jwrules.steps.refpix import Params as RefpixParams
from jwrules.steps.refpix import refpix
from jwrules.steps.saturation import Params as SaturationParams
from jwrules.steps.saturation import saturation
from jwrules.steps.superbias import superbias

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

EXPOSURE = {
    "NFRAMES": ("exposure", "nframes"),
    "NGROUPS": ("exposure", "ngroups"),
    "FRMDIVSR": ("exposure", "frame_divisor"),
    "GROUPGAP": ("exposure", "groupgap"),
    "TFRAME": ("exposure", "frame_time"),
    "TGROUP": ("exposure", "group_time"),
    "EFFINTTM": ("exposure", "integration_time"),
    "EXPSTART": ("exposure", "start_time"),
    "NOUTPUTS": ("exposure", "noutputs"),
    "INSTRUME": ("instrument", "name"),
    "DETECTOR": ("instrument", "detector"),
    "FASTAXIS": ("subarray", "fastaxis"),
    "SLOWAXIS": ("subarray", "slowaxis"),
    "SUBSTRT1": ("subarray", "xstart"),
    "SUBSTRT2": ("subarray", "ystart"),
}


def place(model, keywords, shape):
    """Fill in the keywords and the place of the array on the detector."""
    for keyword, (branch, name) in EXPOSURE.items():
        if keywords.get(keyword) is not None:
            setattr(getattr(model.meta, branch), name, keywords[keyword])
    model.meta.subarray.xstart = model.meta.subarray.xstart or 1
    model.meta.subarray.ystart = model.meta.subarray.ystart or 1
    model.meta.subarray.ysize, model.meta.subarray.xsize = shape[-2:]
    model.meta.subarray.name = "FULL" if shape[-1] == 2048 else "SUB64"
    return model


def official_ramp(product):
    """Return our ramp as the official RampModel, with arrays of its own."""
    model = datamodels.RampModel()
    model.data, model.pixeldq, model.groupdq = product.data.copy(), product.pixeldq.copy(), product.groupdq.copy()
    place(model, {k: product.meta.get(k) for k in EXPOSURE}, product.data.shape)
    model.meta.exposure.nints, model.meta.exposure.ngroups = product.data.shape[:2]
    model.meta.exposure.type = "NRC_IMAGE"
    model.meta.exposure.zero_frame = product.zeroframe is not None
    if product.zeroframe is not None:
        model.zeroframe = product.zeroframe.copy()
    if product.average_dark is not None:
        model.average_dark_current = product.average_dark.copy()
    return model


def official_reference(kind, ours, **names):
    """Return our reference file as the official model; `names` maps its arrays to ours."""
    model = kind()
    for theirs, name in ({"data": "data", "dq": "dq"} | names).items():
        if getattr(ours, name, None) is not None:
            setattr(model, theirs, getattr(ours, name).copy())
    shape = next(
        array for array in (getattr(ours, n, None) for n in ("data", "coeffs", "dq")) if array is not None
    ).shape
    return place(model, {k: ours.meta.get(k) for k in EXPOSURE}, shape)


def assert_same(ours, theirs, rtol=1e-5):
    """Assert that a ramp agrees with an official one: flags to the bit, data to `rtol`."""
    assert np.array_equal(ours.groupdq, theirs.groupdq)
    assert np.array_equal(ours.pixeldq, theirs.pixeldq)
    np.testing.assert_allclose(ours.data, theirs.data, rtol=rtol, atol=1e-6)
    if ours.zeroframe is not None:
        np.testing.assert_allclose(ours.zeroframe, theirs.zeroframe, rtol=rtol, atol=1e-6)


def scene(
    nints=2, ngroups=8, ny=40, nx=60, *, frames=1, gap=0, zeroframe=False, seed=1, rate=None, struck=0.02, **keywords
):
    """Return ramps over four decades of brightness, with cosmic rays, some of them into saturation, and bad pixels."""
    random = np.random.default_rng(seed)
    rate = 10 ** random.uniform(-1, 3, (ny, nx)) if rate is None else rate
    data = noisy(rate, (nints, ngroups, ny, nx), frames=frames, gap=gap, seed=seed) + 5000
    hits = random.random(data.shape) < struck
    data += np.cumsum(np.where(hits, 10 ** random.uniform(1.5, 5, data.shape), 0), axis=1)
    product = ramp(
        np.minimum(data, 65535),
        NFRAMES=frames,
        GROUPGAP=gap,
        TFRAME=10 / (frames + gap),
        EFFINTTM=10.0 * ngroups,
        **keywords,
        zeroframe=np.minimum(data[:, 0] * 0.8, 65535) * (random.random((nints, ny, nx)) > 0.02) if zeroframe else None,
    )
    product.pixeldq[random.random((ny, nx)) < 0.02] = DQ.HOT
    bad = random.random((ny, nx)) < 0.02
    product.pixeldq[bad] |= np.uint32(DQ.DO_NOT_USE)
    product.groupdq[:, :, bad] |= np.uint8(DQ.DO_NOT_USE)
    return product


def saturated(product, limit=60000.0):
    """Return the ramp with SATURATED from the first group on that reaches the limit."""
    product.groupdq[np.maximum.accumulate(product.data >= limit, axis=1)] |= np.uint8(DQ.SATURATED)
    return product


def test_group_scale():
    from jwst.group_scale import group_scale as official

    product = scene(frames=5)
    product = ramp(product.data, NFRAMES=5, FRMDIVSR=8)
    theirs = official_ramp(product)
    official.do_correction(theirs)
    assert_same(group_scale(product), theirs)


def test_dq_init():
    from jwst.dq_init import dq_initialization as official

    product = scene()
    bits = np.random.default_rng(2).choice([0, 1, DQ.HOT, DQ.DEAD | DQ.DO_NOT_USE], product.pixeldq.shape)
    mask = reference(kinds.Mask, dq=bits)
    own = reference(kinds.UserMask, dq=np.roll(bits, 7, axis=1))
    model = official_reference(datamodels.MaskModel, mask)
    theirs = official.do_dqinit(official_ramp(product), model, user_dq=own.dq)
    assert_same(dq_init(product, mask=mask, user_supplied_dq=own), theirs)


@pytest.mark.parametrize("frames", [1, 2, 4, 8])
@pytest.mark.parametrize("pixels", [0, 1, 2])
@pytest.mark.parametrize("zeroframe", [False, True])
def test_saturation(frames, pixels, zeroframe):
    from jwst.saturation import saturation as official

    product = scene(frames=frames, zeroframe=zeroframe, seed=frames)
    product.data[np.random.default_rng(3).random(product.data.shape) < 0.01] = 0.0
    random = np.random.default_rng(4)
    limits = np.where(
        random.random(product.pixeldq.shape) < 0.02, np.nan, random.uniform(5e4, 6e4, product.pixeldq.shape)
    )
    dq = np.where(random.random(limits.shape) < 0.02, DQ.NO_SAT_CHECK, 0)
    thresholds = reference(kinds.Saturation, data=limits, dq=dq)
    bias = reference(kinds.Superbias, data=np.full(limits.shape, 4900.0))
    theirs = official.flag_saturation(
        official_ramp(product),
        official_reference(datamodels.SaturationModel, thresholds),
        pixels,
        True,
        bias_model=official_reference(datamodels.SuperBiasModel, bias),
    )
    params = SaturationParams(n_pix_grow_sat=pixels, partial_search="official")
    ours = saturation(product, params, saturation=thresholds, superbias=bias)
    assert np.count_nonzero(ours.groupdq & DQ.SATURATED) > 100
    assert_same(ours, theirs)


def test_superbias():
    from jwst.superbias import bias_sub as official

    product = scene(zeroframe=True)
    values = np.random.default_rng(2).normal(5000, 50, product.pixeldq.shape)
    values[3, 5] = np.nan
    bias = reference(kinds.Superbias, data=values, dq=np.full(values.shape, DQ.UNRELIABLE_BIAS))
    theirs = official.do_correction(official_ramp(product), official_reference(datamodels.SuperBiasModel, bias))
    assert_same(superbias(product, superbias=bias), theirs)


@pytest.mark.parametrize(
    ("frames", "inverse", "ngroups"),
    [(1, False, 8), (4, False, 8), (4, True, 8), (4, True, 3), (4, True, 2)],
)
def test_linearity(frames, inverse, ngroups):
    from jwst.linearity import linearity as official

    product = saturated(scene(frames=frames, ngroups=ngroups, zeroframe=True))
    random, shape = np.random.default_rng(2), product.pixeldq.shape
    coeffs = np.stack([np.full(shape, c) for c in (0.5, 0.99, 1e-6, 2e-12)]) * random.uniform(0.99, 1.01, (4, *shape))
    coeffs[2, random.random(shape) < 0.02] = np.nan
    coeffs[1, random.random(shape) < 0.02] = 0
    dq = np.where(random.random(shape) < 0.02, DQ.NO_LIN_CORR, 0)
    bent = np.stack([np.full(shape, c) for c in (-0.5, 1.01, -1e-6)])
    bent[0, random.random(shape) < 0.02] = np.nan
    bent[1, random.random(shape) < 0.02] = 0
    curve = reference(kinds.Linearity, coeffs=coeffs, inv_coeffs=bent if inverse else None, dq=dq)
    theirs = official.do_correction(
        official_ramp(product),
        official_reference(datamodels.LinearityModel, curve, coeffs="coeffs", inv_coeffs="inv_coeffs"),
    )
    assert_same(linearity(product, linearity=curve), theirs, rtol=2e-5 if inverse else 1e-5)


@pytest.mark.parametrize(
    ("frames", "gap", "length", "ngroups"),
    [(1, 0, 8, 8), (4, 1, 60, 8), (4, 1, 20, 8), (1, 0, 5, 8), (4, 1, 60, 1), (1, 0, 5, 2)],
)
def test_dark_current(frames, gap, length, ngroups):
    from stcal.dark_current import dark_sub as official

    product = scene(frames=frames, gap=gap, ngroups=ngroups)
    values = np.random.default_rng(2).normal(0.1, 0.05, (length, *product.pixeldq.shape)).cumsum(axis=0)
    values[3, 4, 5] = np.nan
    dq = np.full(product.pixeldq.shape, DQ.WARM)
    dark = reference(kinds.Dark, {"NFRAMES": 1, "GROUPGAP": 0, "NGROUPS": length}, data=values, dq=dq)
    model = official_reference(datamodels.DarkModel, dark)
    theirs, written = official.do_correction(official_ramp(product), model, "mine.fits")
    ours = dark_current(product, DarkCurrent(dark_output="mine.fits"), dark=dark)
    assert_same(ours, theirs)
    shown = ours.beside[written.output_name]
    np.testing.assert_allclose(shown.data, written.data[:ngroups], rtol=1e-5)
    assert np.array_equal(shown.dq, written.groupdq)


def test_gain_scale():
    from jwst.gain_scale import gain_scale as official

    product = scene()
    slopes = ramp_fit(product, **gain_and_readnoise(product.pixeldq.shape))
    theirs = datamodels.ImageModel(data=slopes.rate.data.copy(), err=slopes.rate.err.copy())
    theirs.var_poisson, theirs.var_rnoise = slopes.rate.var_poisson.copy(), slopes.rate.var_rnoise.copy()
    official.do_correction(theirs, 1.37)
    gain = reference(kinds.Gain, {"GAINFACT": 1.37}, data=np.ones(product.pixeldq.shape))
    ours = gain_scale(slopes, gain=gain).rate
    for name in ("data", "err", "var_poisson", "var_rnoise"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-5)


def official_jump(product, references, **settings):
    """Return groupdq, pixeldq, number of cosmic rays and of snowballs of the official step."""
    from jwst.jump.jump_step import JumpStep
    from stcal.jump.jump import detect_jumps_data

    step, model = JumpStep(), official_ramp(product)
    for name, value in settings.items():
        setattr(step, name, value)
    gain = official_reference(datamodels.GainModel, references["gain"])
    readnoise = official_reference(datamodels.ReadnoiseModel, references["readnoise"])
    step.get_reference_file = lambda _, kind: {"gain": gain, "readnoise": readnoise}[kind]
    return detect_jumps_data(step._setup_jump_data(model))


@pytest.mark.parametrize(
    ("scene_of", "settings"),
    [
        ({"ngroups": 8}, {}),
        ({"ngroups": 4, "nints": 1}, {}),
        ({"ngroups": 3, "nints": 1}, {}),
        ({"ngroups": 6, "frames": 8, "gap": 2}, {"rejection_threshold": 5.0}),
        ({"ngroups": 15}, {}),
        ({"ngroups": 8}, {"min_diffs_single_pass": 3, "flag_4_neighbors": False}),
        ({"ngroups": 12}, {"after_jump_flag_dn1": 20.0, "after_jump_flag_time1": 21.0}),
        (
            {"ngroups": 12},
            {
                "after_jump_flag_dn1": 1000.0,
                "after_jump_flag_time1": 200.0,
                "after_jump_flag_dn2": 20.0,
                "after_jump_flag_time2": 11.0,
            },
        ),
        ({"ngroups": 8, "nints": 6}, {}),
        ({"ngroups": 8, "nints": 6}, {"min_jump_to_flag_neighbors": 4.0, "max_jump_to_flag_neighbors": 40.0}),
        ({"ngroups": 5}, {"four_group_rejection_threshold": 3.0, "three_group_rejection_threshold": 3.5}),
        ({"ngroups": 24, "nints": 3}, {"rejection_threshold": 3.0}),
        ({"ngroups": 4, "nints": 110, "ny": 8, "nx": 9, "struck": 0.004}, {}),
        ({"ngroups": 5, "nints": 300, "ny": 12, "nx": 20, "struck": 0.004}, {"min_jump_to_flag_neighbors": 5.0}),
        ({"ngroups": 130, "nints": 1, "ny": 12, "nx": 20, "struck": 0.004}, {"only_use_ints": False}),
        ({"ngroups": 20, "nints": 6, "ny": 8, "nx": 9}, {"only_use_ints": False}),
    ],
)
def test_jump(scene_of, settings):
    product = saturated(scene(**scene_of))
    references = gain_and_readnoise(product.pixeldq.shape)
    groupdq, pixeldq, rays, _ = official_jump(product, references, **settings)
    ours = jump(product, JumpParams(statistic="official", **settings), **references)
    assert np.array_equal(ours.groupdq, groupdq)
    assert np.array_equal(ours.pixeldq, pixeldq)
    nints, ngroups, ny, nx = ours.data.shape
    assert rays > 10
    assert np.isclose(ours.meta["PRIMECRS"], 1000 * rays / (10.0 * nints * (ngroups - 1) * ny * nx))


@pytest.mark.parametrize(
    ("ngroups", "lost", "settings"),
    [
        (12, (0, 1, 11), {}),
        (12, (0,), {}),
        (12, (11,), {"min_diffs_single_pass": 11}),
        (5, (0, 4), {}),
        (14, (0,), {"only_use_ints": False, "minimum_sigclip_groups": 26}),
        (14, (0,), {"only_use_ints": False, "minimum_sigclip_groups": 27}),
    ],
)
def test_jump_with_groups_that_are_left_out(ngroups, lost, settings):
    product = saturated(scene(ngroups=ngroups))
    left_out = np.isin(np.arange(ngroups), lost) * np.ones((2, 1), bool)
    product.groupdq[left_out] |= np.uint8(DQ.DO_NOT_USE)
    references = gain_and_readnoise(product.pixeldq.shape)
    groupdq, _, rays, _ = official_jump(product, references, **settings)
    ours = jump(replace(product, left_out=left_out), JumpParams(statistic="official", **settings), **references)
    assert np.array_equal(ours.groupdq, groupdq)
    kept = 2 * (ngroups - len(lost) - 1)
    assert np.isclose(ours.meta["PRIMECRS"], 1000 * rays / (10.0 * kept * product.pixeldq.size))


def test_a_group_in_which_all_pixels_are_outliers_stays_flagged():
    """The official step takes the flags of such a group away; it takes no cosmic ray for that, but a broken readout."""
    random = np.random.default_rng(5)
    data = random.normal(0, 2.0, (120, 4, 6, 7)).cumsum(axis=1)
    data[60, 2:] += 100.0
    product, references = ramp(data), gain_and_readnoise((6, 7))
    groupdq, _, _, _ = official_jump(product, references)
    ours = jump(product, JumpParams(statistic="official"), **references).groupdq
    other = np.argwhere((ours != groupdq).any(axis=(2, 3))).tolist()
    assert other == [[60, 2]]
    assert np.all(ours[60, 2] == DQ.JUMP_DET)


def official_fit(product, references, *, suppress=True):
    """Return the dictionaries of arrays (exposure, integrations) of the official ramp fit."""
    from stcal.ramp_fitting import ramp_fit as official

    gain, readnoise = references["gain"].data.copy(), references["readnoise"].data.copy()
    flags = datamodels.dqflags.pixel
    whole, each, _ = official.ramp_fit(
        official_ramp(product), False, readnoise, gain, "OLS_C", "optimal", "none", flags, suppress_one_group=suppress
    )
    return whole, each


def found_jumps(product, references):
    return jump(product, **references)


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize(
    "scene_of", [{"ngroups": 8}, {"ngroups": 2}, {"ngroups": 5, "frames": 4, "gap": 1}, {"ngroups": 20, "struck": 0.1}]
)
def test_ramp_fit_with_official_weighting(scene_of, suppress):
    product = saturated(scene(zeroframe=not suppress, **scene_of))
    references = gain_and_readnoise(product.pixeldq.shape)
    if scene_of["ngroups"] > 2:
        product = found_jumps(product, references)
    product = type(product)(**(vars(product) | {"average_dark": np.full(product.pixeldq.shape, 0.3, np.float32)}))
    whole, each = official_fit(product, references, suppress=suppress)
    ours = ramp_fit(product, RampFitParams(weighting="official", suppress_one_group=suppress), **references)
    for mine, theirs in ((ours.rate, whole), (ours.rateints, each)):
        no_segment = np.isnan(mine.data) & ~np.isnan(theirs["slope"])
        assert not theirs["err"][no_segment].any()
        same = ~no_segment
        assert np.array_equal(mine.dq[same], theirs["dq"][same])
        for name, official in (
            ("data", "slope"),
            ("err", "err"),
            ("var_poisson", "var_poisson"),
            ("var_rnoise", "var_rnoise"),
        ):
            np.testing.assert_allclose(
                getattr(mine, name)[same], theirs[official][same], rtol=1e-5, atol=1e-7, err_msg=name
            )


def snowball_scene():
    """Large events of many sizes with saturated cores, some without, some at the edge."""
    random = np.random.default_rng(11)
    product = scene(nints=2, ngroups=8, ny=200, nx=200, rate=np.full((200, 200), 5.0), struck=0.0005)
    product.groupdq[:], product.pixeldq[:] = 0, 0
    rows, columns = np.ogrid[:200, :200]
    for y, x, radius in [*random.uniform((20, 20, 2), (180, 180, 9), (25, 3)), (5, 100, 8), (100, 195, 6)]:
        i, g = random.integers(2), random.integers(1, 8)
        distance = np.hypot(rows - y, columns - x)
        product.data[i, g:, distance < radius] += 5000.0
        core = random.uniform(0, 0.8) * radius
        product.groupdq[i, min(g + random.integers(2), 7) :, distance < core] = DQ.SATURATED
    return product


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {
            "expand_factor": 2.6,
            "min_jump_area": 15,
            "sat_expand": 3,
            "edge_size": 60,
            "snowball_time_masked_next_int": 35,
        },
        {"sat_required_snowball": False, "max_extended_radius": 6},
        {"mask_snowball_core_next_int": False, "min_sat_area": 12, "min_sat_radius_extend": 6.0},
    ],
)
def test_snowballs(settings):
    """Pixels exactly on the rim of a circle are outside for us; in the official step rounding decides."""
    product, settings = snowball_scene(), {"expand_large_events": True, **settings}
    references = gain_and_readnoise(product.pixeldq.shape)
    groupdq, _, _, events = official_jump(product, references, **settings)
    official_ways = {"statistic": "official", "snowball_search": "official"}
    ours = jump(product, JumpParams(**official_ways, **settings), **references)
    assert events > 5
    assert np.isclose(ours.meta["EXTNCRS"], 1e6 * events / (10.0 * 14 * 200 * 200))
    assert np.count_nonzero(ours.groupdq != groupdq) <= 4 * events
    assert np.count_nonzero(ours.groupdq) > 40 * events


def drifting(shape, corner=(1, 1), *, groups=2, seed=1, **keywords):
    """Ramps with drifts of amplifiers, parities and rows, noise, bad and struck reference pixels, and light."""
    random = np.random.default_rng(seed)
    ny, nx = shape
    data = random.normal(0, 6, (1, groups, ny, nx)) + np.repeat(
        random.normal(0, 20, (1, groups, 1, 16)), nx // 16, axis=-1
    )
    data += np.cumsum(random.normal(0, 0.5, (1, groups, ny, 1)), axis=2) + np.where(np.arange(nx) % 2, 7, -7)
    zeroframe = data[:, 0] * (random.random((1, ny, nx)) > 0.01)
    product = ramp(data, zeroframe=zeroframe, SUBSTRT1=corner[0], SUBSTRT2=corner[1], **keywords)
    rows, columns = corner[1] - 1 + np.arange(ny), corner[0] - 1 + np.arange(nx)
    border = ((rows < 4) | (rows >= 2044))[:, np.newaxis] | ((columns < 4) | (columns >= 2044))
    product.pixeldq[border] = DQ.REFERENCE_PIXEL
    product.pixeldq[border & (random.random(shape) < 0.02)] |= np.uint32(DQ.DO_NOT_USE)
    product.data[:, :, ~border] += 1000
    product.data[:, :, border & (random.random(shape) < 0.01)] += 3000
    return product


def check_refpix(product, **settings):
    """Data agree to 1/1000 of the read noise: the official step rounds its means to 32 bits."""
    from jwst.refpix import reference_pixels as official

    theirs = official_ramp(product)
    theirs.meta.exposure.noutputs = product.meta["NOUTPUTS"]
    options = {"odd_even_columns": True, "use_side_ref_pixels": True, "side_smoothing_length": 11, "side_gain": 1.0}
    options |= {"siglimit": 3.0} | settings
    kernels = {
        "refpix_algorithm": "median",
        "sirs_kernel_model": None,
        "sigreject": 4,
        "gaussmooth": 1,
        "halfwidth": 30,
    }
    official.correct_model(theirs, odd_even_rows=True, conv_kernel_params=kernels, **options)
    before = product.data.copy()
    ours = refpix(product, RefpixParams(**settings))
    assert np.abs(ours.data - before).std() > 1
    np.testing.assert_allclose(ours.data, theirs.data, atol=5e-3)
    np.testing.assert_allclose(ours.zeroframe, theirs.zeroframe, atol=5e-3)


def test_refpix_of_a_full_frame():
    check_refpix(drifting((2048, 2048), FASTAXIS=1, SLOWAXIS=-2))


@pytest.mark.parametrize(
    ("shape", "corner", "noutputs", "axes"),
    [
        ((64, 2048), (1, 1), 4, (-1, 2)),
        ((64, 2048), (1, 1985), 4, (1, -2)),
        ((160, 160), (1889, 1), 1, (-1, 2)),
        ((64, 64), (101, 1), 1, (1, -2)),
    ],
)
def test_refpix_of_a_subarray(shape, corner, noutputs, axes):
    check_refpix(drifting(shape, corner, NOUTPUTS=noutputs, FASTAXIS=axes[0], SLOWAXIS=axes[1]), odd_even_columns=True)


@pytest.mark.parametrize("per_pixel", [False, True])
def test_ipc(per_pixel):
    from jwst.ipc import ipc_corr as official

    product = scene(ny=30, nx=30)
    random = np.random.default_rng(2)
    kernels = random.normal(0, 0.01, (3, 3, 2048, 2048) if per_pixel else (3, 3))
    kernels[1, 1] += 1
    theirs = official_ramp(product)
    official.ipc_correction(theirs, datamodels.IPCModel(data=kernels.astype(np.float32)))
    ours = ipc(product, ipc=reference(kinds.Ipc, data=kernels[:, :, :30, :30] if per_pixel else kernels))
    assert_same(ours, theirs)


@pytest.mark.parametrize("threshold", [None, 8000.0])
@pytest.mark.parametrize("follows", [False, True])
def test_persistence(threshold, follows):
    """Of windows that begin later than the first group, the official step lets none open in it by the threshold."""
    from jwst.persistence.persistence import DataSet, mjd_to_epoch

    product = saturated(scene(nints=3, EXPSTART=60000.0))
    theirs, random = official_ramp(product), np.random.default_rng(6)
    open_until = mjd_to_epoch(60000.0) + random.uniform(-20, 43 if threshold else 60, product.pixeldq.shape)
    windows = np.where(random.random(open_until.shape) < 0.3, open_until, 0) * follows
    rows, columns = np.nonzero(windows)
    tree = {"rows": rows, "cols": columns, "vals": windows[rows, columns], "pers_time": 33}
    earlier = kinds.PersistenceArray(meta=product.meta, tree={"NRCALONG": tree}) if follows else None
    DataSet(theirs, None, 33, threshold, windows, True).do_all()
    params = PersistenceParams(persistence_time=33, dn_threshold=threshold, persistence_dnu=True, save_persistence=True)
    ours = persistence(product, params, persistence_array_file=earlier)
    assert np.count_nonzero(ours.groupdq & np.uint8(DQ.PERSISTENCE)) > 100
    assert_same(ours, theirs)
    np.testing.assert_allclose(ours.windows, windows, rtol=0, atol=1e-4)
