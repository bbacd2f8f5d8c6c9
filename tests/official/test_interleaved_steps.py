"""NIRSpec in IRS2 readout, and reference subtraction by kernels, against the official steps on the same arrays.

Frames are of full size: the official step knows no other. Flags are to agree bit for bit, data to 2e-4 DN (seen: 2e-5):
both transform series of 1.5 million pixels in single precision, where the read noise is 5 DN and more.
"""

import numpy as np
import pytest
from interleaved_scene import exposure, reference_file, stored
from ramp_scene import meta, ramp, reference
from test_detector1_steps import official_ramp, official_reference

from jwrules.kernels.irs2_layout import Layout
from jwrules.products import kinds
from jwrules.products.flags import DQ
from jwrules.steps.dq_init import dq_init
from jwrules.steps.ipc import ipc
from jwrules.steps.refpix import Params as RefpixParams
from jwrules.steps.refpix import refpix
from jwrules.steps.saturation import Params as SaturationParams
from jwrules.steps.saturation import saturation
from jwrules.steps.superbias import superbias

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

TOLERANCE = 2e-4
FRAME, DETECTOR = (3200, 2048), (2048, 2048)
each_detector = pytest.mark.parametrize("detector", ["NRS1", "NRS2"])


def official(product):
    """Our ramp as the official one. The number of rows is that of the detector, as in real headers."""
    model = official_ramp(product)
    model.meta.exposure.nrs_normal, model.meta.exposure.nrs_reference = 16, 4
    model.meta.subarray.ysize, model.meta.subarray.xsize = DETECTOR
    model.meta.subarray.name, model.meta.exposure.type = "FULL", "NRS_IFU"
    return model


def official_file(kind, ours, **names):
    model = official_reference(kind, ours, **names)
    model.meta.subarray.ysize = 2048
    model.meta.instrument.name = "NIRSPEC"
    return model


def assert_same(ours, theirs):
    assert np.array_equal(ours.groupdq, theirs.groupdq)
    assert np.array_equal(ours.pixeldq, theirs.pixeldq)
    np.testing.assert_allclose(ours.data, theirs.data, atol=TOLERANCE)


def scene(detector, groups=2):
    """Stored frames with struck, bad and unreadable reference pixels, and groups whose levels differ."""
    product = exposure(stored(detector, groups), detector)
    product.data[0] += 7.0 * np.random.default_rng(5).normal(size=(groups, 1, 1))
    product.data[0, :, 668 + 9 * 20, ::3] += 300
    product.pixeldq[1290:1292] = DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE
    product.pixeldq[700, 30] = DQ.HOT
    product.groupdq[0, 1, 701, 30] = DQ.SATURATED
    return product


def official_refpix(model, table, **params):
    """The official step without its search for reference files."""
    from jwst.refpix import irs2_subtract_reference, reference_pixels

    weights = datamodels.IRS2Model()
    rows = zip(*(table.bad[name].tolist() for name in table.bad.names), strict=True)
    weights.irs2_table = np.array(table.table)
    weights.dq_table = np.array(list(rows), dtype=[("output", "u2"), ("odd_even", "u2"), ("mask", "u4")])
    irs2_subtract_reference.flag_bad_refpix(model, params.get("ovr_corr_mitigation_ftr", 3.0), flag_only=True)
    if params.get("irs2_mean_subtraction"):
        apart, limit = params.get("odd_even_columns", True), params.get("siglimit", 3.0)
        reference_pixels.correct_model(model, apart, False, 11, 1.0, True, dict.fromkeys(NAMES), limit)
    irs2_subtract_reference.flag_bad_refpix(model, replace_only=True)
    return irs2_subtract_reference.correct_model(model, weights, preserve_refpix=params.get(KEEP, False))


NAMES = ("refpix_algorithm", "sirs_kernel_model", "sigreject", "gaussmooth", "halfwidth")
KEEP = "preserve_irs2_refpix"


@pytest.mark.parametrize(
    ("detector", "params"),
    [
        ("NRS1", {}),
        ("NRS1", {"irs2_mean_subtraction": True, "odd_even_columns": False, "siglimit": 2.0}),
        ("NRS2", {"irs2_mean_subtraction": True, "ovr_corr_mitigation_ftr": 6.0}),
        ("NRS2", {"preserve_irs2_refpix": True}),
    ],
)
def test_refpix(detector, params):
    """Pixels that equal their mean are left out of the official correction: here noise is too fine for that."""
    table = reference_file((2, 1, 1 << 20), (3, 2, 3 << 10))
    theirs = official_refpix(official(scene(detector)), table, **params)
    assert_same(refpix(scene(detector), RefpixParams(**params), refpix=table), theirs)


def test_refpix_of_a_pixel_that_equals_its_mean():
    """The official step takes it for a gap and leaves the straight line of its output in."""
    table, row = reference_file(), Layout().light[300]

    def still():
        product = exposure(stored("NRS1"), "NRS1")
        product.data[0] += np.array([-20.0, 20.0]).reshape(2, 1, 1)
        product.data[0, :, row, 500] = 100.0
        return product

    ours = refpix(still(), refpix=table).data[0, :, 300, 500]
    theirs = official_refpix(official(still()), table).data[0, :, 300, 500]
    assert ours[0] - theirs[0] == pytest.approx(20, abs=5)
    assert theirs[1] - ours[1] == pytest.approx(20, abs=5)


@pytest.mark.parametrize(
    ("detector", "params"),
    [("NRS1", {}), ("NRS2", {"n_pix_grow_sat": 0}), ("NRS2", {"n_pix_grow_sat": 2, "use_readpatt": False})],
)
def test_saturation(detector, params):
    from jwst.saturation.saturation import irs2_flag_saturation

    random = np.random.default_rng(3)
    data = random.normal(15000, 100, (1, 3, *FRAME))
    leaps = random.random((1, 1, *FRAME)) < 1e-3
    data += leaps * random.uniform(0, 60000, (1, 1, *FRAME)) * np.array([0, 0.2, 1]).reshape(1, 3, 1, 1)
    data *= random.random(data.shape) > 1e-3
    product = exposure(np.minimum(data, 65535), detector, NFRAMES=5)
    limit = random.normal(60000, 1000, DETECTOR)
    limit[random.random(DETECTOR) < 0.01] = np.nan
    dq = np.where(random.random(DETECTOR) < 0.01, DQ.NO_SAT_CHECK, 0)
    files = {"saturation": reference(kinds.Saturation, data=limit, dq=dq)}
    files["superbias"] = reference(kinds.Superbias, data=random.normal(9000, 100, FRAME))
    theirs, limits = official(product), official_file(datamodels.SaturationModel, files["saturation"])
    bias = official_file(datamodels.SuperBiasModel, files["superbias"])
    settings = {"n_pix_grow_sat": 1, "use_readpatt": True} | params
    irs2_flag_saturation(theirs, limits, **settings, bias_model=bias)
    ours = saturation(product, SaturationParams(**settings, partial_search="official"), **files)
    assert bool(np.any(theirs.groupdq[0, 1] & DQ.SATURATED)) == settings["use_readpatt"]
    assert_same(ours, theirs)


@each_detector
def test_superbias_and_mask(detector):
    from jwst.dq_init.dq_initialization import do_dqinit
    from jwst.superbias.bias_sub import do_correction

    random = np.random.default_rng(3)
    dq = np.where(random.random(FRAME) < 0.01, DQ.DEAD | DQ.DO_NOT_USE, 0)
    mask = reference(kinds.Mask, dq=dq)
    bias = reference(kinds.Superbias, data=random.normal(9000, 100, FRAME), dq=dq // 2)
    theirs = do_dqinit(official(scene(detector)), official_file(datamodels.MaskModel, mask))
    theirs = do_correction(theirs, official_file(datamodels.SuperBiasModel, bias))
    assert_same(superbias(dq_init(scene(detector), mask=mask), superbias=bias), theirs)


@each_detector
def test_coupling(detector):
    from jwst.ipc.ipc_corr import do_correction

    kernel = np.array([[0.001, -0.01, 0.0], [-0.005, 1.03, -0.006], [0.0, -0.01, 0.0]])
    file = reference(kinds.Ipc, data=kernel)
    model = datamodels.IPCModel()
    model.data = file.data.copy()
    assert_same(ipc(scene(detector), ipc=file), do_correction(official(scene(detector)), model))


SIRS = {"refpix_algorithm": "sirs", "sigreject": 4.0, "gaussmooth": 1.0, "halfwidth": 30}


@pytest.mark.parametrize(
    ("axes", "params"),
    [
        ((1, 2), {}),
        ((-2, -1), {"sigreject": 2.5}),
        ((2, 1), {"gaussmooth": 2.0, "odd_even_columns": False}),
        ((-1, 2), {"halfwidth": 12, "siglimit": 2.0}),
    ],
)
def test_refpix_by_kernels(axes, params):
    from jwst.refpix import reference_pixels

    random = np.random.default_rng(4)
    waves = random.normal(size=(2, 2, 4, 129)) * np.exp(-np.arange(129) / 20)
    tree = {name: waves[k, 0] + 1j * waves[k, 1] for k, name in enumerate(("gamma", "zeta"))}
    product = ramp(random.normal(100, 5, (1, 1, *DETECTOR)), FASTAXIS=axes[0], SLOWAXIS=axes[1])
    product.data[0, 0, random.random(DETECTOR) < 1e-3] += 500
    product.pixeldq[random.random(DETECTOR) < 0.01] |= np.uint32(DQ.DO_NOT_USE)
    settings = SIRS | params
    model = datamodels.SIRSKernelModel()
    model.nrcalong = tree
    theirs = official_ramp(product)
    how = {name: settings[name] for name in SIRS} | {"sirs_kernel_model": model}
    apart, limit = settings.get("odd_even_columns", True), settings.get("siglimit", 3.0)
    reference_pixels.correct_model(theirs, apart, True, 11, 1.0, True, how, limit)
    kernels = kinds.SirsKernel(meta=meta(), tree={"nrcalong": tree})
    ours = refpix(product, RefpixParams(**settings), sirskernel=kernels)
    np.testing.assert_allclose(ours.data, theirs.data, atol=1e-3)


@pytest.mark.parametrize("name", ["SUB512", "SUB512S", "SUB32"])
def test_refpix_of_edgeless_subarrays(name):
    from jwst.refpix import reference_pixels

    random = np.random.default_rng(4)
    keywords = {"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "SUBARRAY": name, "NOUTPUTS": 1}
    place = {"SUBSTRT1": 900, "SUBSTRT2": 1001, "FASTAXIS": 2, "SLOWAXIS": 1}
    product = ramp(random.normal(100, 5, (1, 3, 32, 512)), **keywords, **place)
    product.pixeldq[random.random((32, 512)) < 0.01] |= np.uint32(DQ.DO_NOT_USE)
    theirs = official_ramp(product)
    theirs.meta.subarray.name = name
    reference_pixels.correct_model(theirs, True, True, 11, 1.0, True, dict.fromkeys(NAMES), 3.0)
    ours = refpix(product)
    assert np.abs(ours.data).mean() < 10
    np.testing.assert_allclose(ours.data, theirs.data, atol=1e-4)
