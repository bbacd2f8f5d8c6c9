"""The steps that only the mid-infrared detectors need against the official pipeline's, on the same arrays.

Flags are to agree bit for bit and data to 1e-5. Where we differ on purpose the test says so and shows the difference.
"""

import numpy as np
import pytest
from astropy.io import fits
from interference_scene import FRAME, HERTZ
from interference_scene import exposure as interfered
from interference_scene import reference as waves
from ramp_scene import gain_and_readnoise, meta, ramp, reference
from test_detector1_steps import (
    assert_same,
    official_fit,
    official_jump,
    official_ramp,
    official_reference,
    saturated,
    scene,
)

from jwrules.products import kinds, trees
from jwrules.products.flags import DQ
from jwrules.steps.dark_current import Params as DarkCurrentParams
from jwrules.steps.dark_current import dark_current
from jwrules.steps.emicorr import Params as EmicorrParams
from jwrules.steps.emicorr import emicorr
from jwrules.steps.firstframe import Params as FirstframeParams
from jwrules.steps.firstframe import firstframe
from jwrules.steps.jump import Params as JumpParams
from jwrules.steps.jump import jump
from jwrules.steps.lastframe import lastframe
from jwrules.steps.ramp_fit import Params as RampFitParams
from jwrules.steps.ramp_fit import ramp_fit
from jwrules.steps.refpix import Params as RefpixParams
from jwrules.steps.refpix import refpix
from jwrules.steps.reset import reset
from jwrules.steps.rscd import rscd

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "SUBARRAY": "FULL", "READPATT": "FASTR1", "NSAMPLES": 1}


def exposure(**options):
    """Return ramps that reach saturation in many pixels, some of them in the first groups."""
    product = scene(**(MIRI | options))
    product.data[..., :6] += np.cumsum(np.full(product.data.shape[1], 9000.0))[:, np.newaxis, np.newaxis]
    product.data[..., 6:9] += np.cumsum(np.full(product.data.shape[1], 25000.0))[:, np.newaxis, np.newaxis]
    return saturated(product)


def official(product):
    """Return our ramp as the official RampModel of the mid-infrared instrument."""
    model = official_ramp(product)
    model.meta.exposure.type = "MIR_IMAGE"
    model.meta.exposure.readpatt = product.meta["READPATT"]
    model.meta.exposure.nsamples = product.meta["NSAMPLES"]
    model.meta.subarray.name = product.meta["SUBARRAY"]
    model.meta.exposure.nints = product.meta.get("NINTS", len(product.data))
    model.meta.exposure.integration_start = product.meta.get("INTSTART")
    model.meta.exposure.integration_end = product.meta.get("INTEND")
    return model


def test_lastframe():
    from jwst.lastframe import lastframe_sub

    product = exposure()
    theirs = lastframe_sub.do_correction(official(product))
    assert_same(lastframe(product), theirs)


@pytest.mark.parametrize("bright", [True, False])
def test_firstframe(bright):
    from jwst.firstframe import firstframe_sub

    product = exposure()
    theirs = firstframe_sub.do_correction(official(product), bright_use_group1=bright)
    assert_same(firstframe(product, FirstframeParams(bright_use_group1=bright)), theirs)


@pytest.mark.parametrize(("nints", "start", "ngroups"), [(4, None, 5), (2, 1, 3), (3, 2, 8)])
def test_reset(nints, start, ngroups):
    from jwst.reset import reset_sub

    place = {} if start is None else {"INTSTART": start, "INTEND": start + nints - 1, "NINTS": 9}
    product = exposure(nints=nints, **place)
    values = np.random.default_rng(2).normal(20, 5, (3, ngroups, *product.pixeldq.shape))
    values[1, 1, 3, 5] = np.nan
    residue = reference(kinds.Reset, data=values, dq=np.full(product.pixeldq.shape, DQ.UNRELIABLE_BIAS))
    model = official_reference(datamodels.ResetModel, residue)
    model.meta.exposure.nints, model.meta.exposure.ngroups = values.shape[:2]
    theirs = reset_sub.do_correction(official(product), model)
    assert_same(reset(product, reset=residue), theirs)


def rscd_table(first, later):
    columns = [("subarray", "S17"), ("readpatt", "S12"), ("group_skip1", "i4"), ("group_skip", "i4")]
    rows = np.array([("SUB64", "FASTR1", 1, 1), ("FULL", "FASTR1", first, later)], columns)
    return rows, kinds.Rscd(meta=meta(), table=fits.FITS_rec.from_columns(fits.BinTableHDU(rows).columns))


@pytest.mark.parametrize(
    ("skips", "ngroups", "start"),
    [((4, 3), 12, 1), ((4, 3), 8, 3), ((-1, 9), 8, 1), ((1, 4), 5, 1), ((2, 2), 4, 1), ((3, 3), 6, 1)],
)
def test_rscd(skips, ngroups, start):
    from jwst.rscd import rscd_sub

    product = exposure(nints=3, ngroups=ngroups, INTSTART=start, NINTS=3)
    rows, ours = rscd_table(*skips)
    theirs = rscd_sub.do_correction(official(product), datamodels.RSCDModel(rscd_group_skip_table=rows))
    product = rscd(product, rscd=ours)
    assert_same(product, theirs)
    assert np.count_nonzero(product.pixeldq & DQ.FLUX_ESTIMATED) > 100
    counts = theirs.meta.rscd
    names = ("ngroups_skip", "keep_groups_saturation", "keep_bright_firstgroup")
    for ending, which in (("int1", 1), ("int2p", 2)):
        expected = [getattr(counts, f"{name}_{ending}") for name in names]
        assert [product.meta.get(f"INT{which}{name}") for name in ("SKIP", "BORS", "UGP1")] == expected


def darks(values, dq):
    """Return a dark with integrations of its own as ours and as the official model, which has flags for each plane."""
    keywords = {"NFRAMES": 1, "GROUPGAP": 0, "NGROUPS": values.shape[1]}
    ours = reference(kinds.Dark, keywords, data=values, dq=np.full(values.shape[-2:], dq))
    model = official_reference(datamodels.DarkMIRIModel, ours, dq="average")
    model.dq = np.zeros((len(values), 1, *values.shape[-2:]), np.uint32)
    model.dq[-1] = dq
    return ours, model


@pytest.mark.parametrize(("nints", "frames", "length"), [(4, 1, 8), (2, 4, 40), (3, 4, 12), (1, 1, 6)])
def test_dark_current_by_integration(nints, frames, length):
    from stcal.dark_current import dark_sub

    product = exposure(nints=nints, frames=frames)
    values = np.random.default_rng(2).normal(0.1, 0.05, (3, length, *product.pixeldq.shape)).cumsum(axis=1)
    values[1, 3, 4, 5] = np.nan
    dark, model = darks(values, DQ.WARM)
    theirs, written = dark_sub.do_correction(official(product), model, "mine.fits")
    ours = dark_current(product, DarkCurrentParams(dark_output="mine.fits"), dark=dark)
    assert_same(ours, theirs)
    ngroups, served = product.data.shape[1], min(nints, 3)
    shown = ours.beside["mine.fits"].data[:served]
    np.testing.assert_allclose(shown, written.data[:served, :ngroups], rtol=1e-5, atol=1e-6)


def test_a_segment_begins_with_its_own_integration_of_the_dark():
    """The official step gives every integration of a later segment the last dark, also the second of three."""
    from stcal.dark_current import dark_sub

    product = exposure(nints=2, INTSTART=2)
    values = np.arange(1.0, 4.0).reshape(3, 1, 1, 1) * np.ones((3, 8, *product.pixeldq.shape))
    before, (dark, model) = product.data.copy(), darks(values, 0)
    theirs, _ = dark_sub.do_correction(official(product), model)
    taken = [before - result.data for result in (dark_current(product, dark=dark), theirs)]
    assert [np.round(one.mean(axis=(1, 2, 3)), 3).tolist() for one in taken] == [[2, 3], [3, 3]]


@pytest.mark.parametrize("settings", [{}, {"odd_even_rows": False, "siglimit": 2.0}])
def test_refpix(settings):
    """Data agree to 1/1000 of the read noise: the official step rounds its means to 32 bits."""
    from jwst.refpix.refpix_step import RefPixStep

    random = np.random.default_rng(5)
    data = random.normal(1000, 6, (2, 3, 1024, 1032)) + np.tile(random.normal(0, 20, (2, 3, 2, 4)), (512, 258))
    product = ramp(data, FASTAXIS=1, SLOWAXIS=2, **MIRI)
    product.data[random.random(data.shape) < 0.01] += 3000
    product.pixeldq[random.random(data.shape[2:]) < 0.02] = DQ.DO_NOT_USE
    step, model = RefPixStep(**settings), official(product)
    model.meta.subarray.xsize, model.meta.subarray.ysize = 1032, 1024
    theirs = step.run(model)
    ours = refpix(product, RefpixParams(**settings))
    assert np.abs(ours.data - data).std() > 1
    np.testing.assert_allclose(ours.data, theirs.data, atol=5e-3)


def corrected(size, *, between=0, noise=3.0, **settings):
    """Return the ramp corrected by us and by the official step, and the ramp without the wave."""
    from jwst.emicorr import emicorr as official_emicorr

    product, clean = interfered(size, noise=noise, between=between, READPATT="FASTR1" if between else "FAST")
    product.pixeldq[np.random.default_rng(2).random(size[2:]) < 0.02] = DQ.HOT
    model = official(product)
    model.meta.subarray.xsize, model.meta.subarray.xstart = size[-1], 1
    theirs = official_emicorr.apply_emicorr(model, official_waves(waves()), **settings)
    return emicorr(product, EmicorrParams(**settings), emicorr=waves()).data, theirs.data, clean


def official_waves(ours):
    model = datamodels.EmiModel()
    model.frequencies, model.subarray_cases = ours.tree["frequencies"], ours.tree["subarray_cases"]
    return model


@pytest.mark.parametrize("ngroups", [3, 10])
def test_emicorr_joint(ngroups):
    """The wave is 5 DN high; tables and curves through its points differ by 1/1000 of that."""
    ours, theirs, _ = corrected((1, ngroups, 64, 72), algorithm="joint")
    np.testing.assert_allclose(ours, theirs, atol=5e-3)


def test_emicorr_joint_of_several_integrations_keeps_exact_time():
    """The official step rounds the start of later integrations up to 1/500 of a period, and is less good by that."""
    ours, theirs, clean = corrected((3, 6, 61, 72), between=FRAME, noise=0.0, algorithm="joint")
    np.testing.assert_allclose(ours, theirs, atol=0.1)
    assert np.std(ours - clean) < 0.01 < np.std(theirs - clean)


@pytest.mark.parametrize(
    "settings", [{}, {"nbins": 40}, {"scale_reference": False}, {"use_n_cycles": None}, {"onthefly_corr_freq": [HERTZ]}]
)
def test_emicorr_sequential(settings):
    """Pixels read at phase 0 exactly count for the first part of the period; in the official step for none."""
    settings = {"algorithm": "sequential", **settings}
    ours, theirs, clean = corrected((2, 10, 64, 72), **settings)
    assert np.std(theirs - clean) < 4
    assert np.std(ours - theirs) < 0.3
    assert np.std(ours - clean) < np.std(theirs - clean) + 0.02


def test_the_waves_that_emicorr_writes(tmp_path):
    """Both files hold the wave in 128 parts of its period; the official step reads ours."""
    from jwst.emicorr import emicorr as official_emicorr

    product, _ = interfered((2, 10, 64, 72), noise=3.0)
    model = official(product)
    model.meta.subarray.xsize, model.meta.subarray.xstart = 72, 1
    theirs, ours = tmp_path / "theirs.asdf", tmp_path / "ours.asdf"
    settings = {"onthefly_corr_freq": (HERTZ,)}
    official_emicorr.apply_emicorr(model, None, save_onthefly_reffile=str(theirs), **settings)
    params = EmicorrParams(**settings, save_intermediate_results=True)
    trees.write(ours, emicorr(product, params).beside["emi_ref_waves"].tree)
    found = []
    for path in (theirs, ours):
        with datamodels.EmiModel(path) as waves_of:
            known = official_emicorr.get_subarcase(waves_of, "SUB64", "FAST", "MIRIMAGE")
            hertz, wave = official_emicorr.get_frequency_info(waves_of, known[-1][0])
            found.append((*known, hertz, np.array(wave)))
    (*their_case, theirs), (*our_case, ours) = found
    assert our_case == their_case
    assert np.std(theirs) > 3
    assert np.std(ours - theirs) < 0.3


def shower_scene(nints, ngroups):
    """Noise with faint discs of many sizes, cosmic rays, saturation and reference pixels."""
    random = np.random.default_rng(7)
    rate = np.full((120, 130), 5.0)
    product = scene(nints=nints, ngroups=ngroups, ny=120, nx=130, rate=rate, struck=0.002, **MIRI)
    rows, columns = np.ogrid[:120, :130]
    for y, x, radius, height in random.uniform((0, 0, 5, 10), (120, 130, 25, 40), (12, 4)):
        i, g = random.integers(nints), random.integers(1, ngroups)
        product.data[i, g:, np.hypot(rows - y, columns - x) < radius] += height
    product.pixeldq[:, :4] = DQ.REFERENCE_PIXEL
    return saturated(product)


@pytest.mark.parametrize(
    ("size", "settings"),
    [
        ((2, 10), {}),
        ((2, 10), {"extend_snr_threshold": 1.4, "extend_min_area": 150, "time_masked_after_shower": 30.0}),
        ((1, 12), {"extend_inner_radius": 2.0, "extend_outer_radius": 4.0, "extend_ellipse_expand_ratio": 1.5}),
        ((6, 5), {"minimum_sigclip_groups": 6}),
    ],
)
def test_showers(size, settings):
    """The official limit is always 6 electron per second; `max_shower_amplitude`, in DN/s, is never read there.

    Pixels exactly on the rim of a circle are outside for us; in the official step rounding decides.
    """
    product, settings = shower_scene(*size), {"find_showers": True, **settings}
    references = gain_and_readnoise(product.pixeldq.shape, gain=2.0)
    groupdq, _, _, events = official_jump(product, references, **settings)
    without, _, _, _ = official_jump(product, references, **(settings | {"find_showers": False}))
    ours = jump(product, JumpParams(statistic="official", max_shower_amplitude=6.0 / 2.0, **settings), **references)
    assert events > 4
    assert np.count_nonzero(groupdq != without) > 200 * events
    assert np.count_nonzero(ours.groupdq != groupdq) <= 4 * events


def test_ramp_fit_of_what_is_left():
    """The official step cuts the groups off that nobody may use; ours leaves them where they are."""
    product = scene(nints=2, ngroups=12, NINTS=2, **MIRI)
    references = gain_and_readnoise(product.pixeldq.shape)
    product = lastframe(saturated(product))
    product.groupdq[:, :2] |= np.uint8(DQ.DO_NOT_USE)
    product = jump(product, **references)
    whole, each = official_fit(product, references)
    ours = ramp_fit(product, RampFitParams(weighting="official"), **references)
    for mine, theirs in ((ours.rate, whole), (ours.rateints, each)):
        same = ~(np.isnan(mine.data) & ~np.isnan(theirs["slope"]))
        assert same.mean() > 0.99
        for name, official_name in (("data", "slope"), ("var_poisson", "var_poisson"), ("var_rnoise", "var_rnoise")):
            np.testing.assert_allclose(getattr(mine, name)[same], theirs[official_name][same], rtol=1e-5, atol=1e-7)
