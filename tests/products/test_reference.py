"""A reference file arrives cut to the exposure, with standard flags and read-only, or is refused with the reason."""

import asdf
import numpy as np
import pytest
from astropy.io import fits
from astropy.modeling.models import Identity, Shift
from astropy.table import Table

from jwrules.errors import ReferenceFault
from jwrules.products.flags import DQ
from jwrules.products.kinds import (
    AbVegaOffset,
    Apcorr,
    Area,
    Dark,
    Distortion,
    Emicorr,
    FilterOffset,
    Flat,
    Gain,
    Ipc,
    Linearity,
    Mask,
    Meta,
    Photom,
    Readnoise,
    Refpix,
    Reset,
    Saturation,
    SirsKernel,
    Superbias,
)
from jwrules.products.reference import open_reference

SHAPE = (6, 8)
SCIENCE = Meta(primary=fits.Header({"SUBSTRT1": 3, "SUBSTRT2": 5, "SUBSIZE1": 8, "SUBSIZE2": 6}))


def _write(path, arrays, **keywords):
    """Write a full frame of 20 by 16 pixels (columns, rows) unless the keywords say otherwise."""
    header = fits.Header({"SUBSTRT1": 1, "SUBSTRT2": 1} | keywords)
    extensions = [_extension(name, array) for name, array in arrays.items()]
    fits.HDUList([fits.PrimaryHDU(header=header), *extensions]).writeto(path)
    return path


def _extension(name, array):
    stored = fits.BinTableHDU if array.dtype.names else fits.ImageHDU
    return stored(array, name=name)


def _definitions(*flags):
    rows = [(bit, 1 << bit, name, "") for bit, name in enumerate(flags)]
    return np.array(rows, dtype=[("BIT", "i4"), ("VALUE", "u4"), ("NAME", "S40"), ("DESCRIPTION", "S80")])


def _frame(dtype="f4"):
    """Every pixel tells where it is: 100 times its row plus its column."""
    return (100 * np.arange(16)[:, None] + np.arange(20)).astype(dtype)


def test_a_full_frame_is_cut_to_the_subarray(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()}, REFTYPE="GAIN")
    gain = open_reference(path, Gain, SCIENCE, SHAPE)
    np.testing.assert_array_equal(gain.data, _frame()[4:10, 2:10])


def test_the_place_of_the_reference_itself_counts(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()}, SUBSTRT1=2, SUBSTRT2=4)
    gain = open_reference(path, Gain, SCIENCE, SHAPE)
    assert gain.data[0, 0] == 100 * (5 - 4) + (3 - 2)


def test_every_group_of_a_dark_is_cut(tmp_path):
    ramp = np.stack([_frame(), _frame() + 0.5])
    path = _write(tmp_path / "dark.fits", {"SCI": ramp, "DQ": _frame("u4")})
    dark = open_reference(path, Dark, SCIENCE, SHAPE)
    assert (dark.data.shape, dark.dq.shape, dark.average) == ((2, *SHAPE), SHAPE, None)
    assert dark.data[1, 0, 0] == 402.5


def test_arrays_are_native_and_read_only(tmp_path):
    path = _write(tmp_path / "sat.fits", {"SCI": _frame(), "DQ": _frame("u4")})
    saturation = open_reference(path, Saturation, SCIENCE, SHAPE)
    assert saturation.data.dtype == np.dtype("=f4")
    assert saturation.dq.dtype == np.dtype("=u4")
    for array in (saturation.data, saturation.dq):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_a_file_of_the_same_shape_needs_no_place(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()[:6, :8]}, SUBSTRT1=None, SUBSTRT2=None)
    assert open_reference(path, Gain, SCIENCE, SHAPE).data.shape == SHAPE


def test_a_larger_file_without_a_place_is_refused(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()}, SUBSTRT1=None, SUBSTRT2=None)
    with pytest.raises(ReferenceFault, match=r"SCI\]: shape \(16, 20\), expected \(6, 8\).*no SUBSTRT1"):
        open_reference(path, Gain, SCIENCE, SHAPE)


@pytest.mark.parametrize("start", [{"SUBSTRT1": 4}, {"SUBSTRT2": 6}, {"SUBSTRT1": -10}, {"SUBSTRT2": -7}])
def test_a_subarray_that_sticks_out_is_refused(tmp_path, start):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()}, **start)
    with pytest.raises(ReferenceFault, match=r"does not hold the exposure's \(6, 8\) from \(5, 3\)"):
        open_reference(path, Gain, SCIENCE, SHAPE)


def test_the_same_shape_elsewhere_on_the_detector_is_refused(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()[:6, :8]})
    with pytest.raises(ReferenceFault, match="does not hold"):
        open_reference(path, Gain, SCIENCE, SHAPE)


def test_private_bits_become_the_standard_ones_by_name(tmp_path):
    dq = np.zeros((16, 20), "u4")
    dq[4, 2], dq[4, 3], dq[4, 4] = 1, 2, 1 | 2 | 4
    table = _definitions("DEAD", "HOT", "NO_SUCH_FLAG")
    path = _write(tmp_path / "mask.fits", {"DQ": dq, "DQ_DEF": table})
    mask = open_reference(path, Mask, SCIENCE, SHAPE)
    assert mask.dq[0, :4].tolist() == [DQ.DEAD, DQ.HOT, DQ.DEAD | DQ.HOT, 0]


def test_without_definitions_the_bits_are_the_standard_ones(tmp_path):
    path = _write(tmp_path / "mask.fits", {"DQ": np.full((16, 20), DQ.REFERENCE_PIXEL, "u4")})
    assert (open_reference(path, Mask, SCIENCE, SHAPE).dq == DQ.REFERENCE_PIXEL).all()


def test_a_file_that_gives_no_flags_has_none_set(tmp_path):
    path = _write(tmp_path / "flat.fits", {"SCI": _frame() + 1})
    flat = open_reference(path, Flat, SCIENCE, SHAPE)
    assert flat.dq.shape == flat.err.shape == SHAPE
    assert not flat.dq.any()
    assert not flat.err.any()


def test_a_kernel_is_not_cut(tmp_path):
    path = _write(tmp_path / "ipc.fits", {"SCI": np.eye(3, dtype="f4")})
    np.testing.assert_array_equal(open_reference(path, Ipc, SCIENCE, SHAPE).data, np.eye(3))


def test_a_kernel_for_every_pixel_is_cut(tmp_path):
    path = _write(tmp_path / "ipc.fits", {"SCI": np.broadcast_to(_frame(), (3, 3, 16, 20)).copy()})
    kernels = open_reference(path, Ipc, SCIENCE, SHAPE).data
    assert kernels.shape == (3, 3, *SHAPE)
    assert kernels[1, 1, 0, 0] == 402


def test_the_bare_file_name_is_recorded(tmp_path):
    path = _write(tmp_path / "jwst_nircam_gain_0001.fits", {"SCI": _frame()})
    assert open_reference(path, Gain, SCIENCE, SHAPE).meta.source == "jwst_nircam_gain_0001.fits"


def test_keywords_of_the_reference_are_at_hand(tmp_path):
    path = _write(tmp_path / "area.fits", {"SCI": _frame()}, PIXAR_SR=9.31e-14)
    assert open_reference(path, Area, SCIENCE, SHAPE).meta["PIXAR_SR"] == 9.31e-14


def test_another_type_is_refused(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": _frame()}, REFTYPE="READNOISE")
    with pytest.raises(ReferenceFault, match=r"REFTYPE is READNOISE.*'gain'"):
        open_reference(path, Gain, SCIENCE, SHAPE)


def test_a_missing_extension_is_named_with_those_there_are(tmp_path):
    path = _write(tmp_path / "lin.fits", {"SCI": _frame()})
    with pytest.raises(ReferenceFault, match="extension COEFFS is missing; the file has PRIMARY, SCI"):
        open_reference(path, Linearity, SCIENCE, SHAPE)


@pytest.mark.parametrize(("kind", "axes"), [(Gain, "2"), (Ipc, "2 or 4")])
def test_a_wrong_number_of_axes_is_refused(tmp_path, kind, axes):
    path = _write(tmp_path / "cube.fits", {"SCI": np.ones((3, 16, 20), "f4")})
    with pytest.raises(ReferenceFault, match=rf"SCI\]: shape \(3, 16, 20\), where {axes} axes are expected"):
        open_reference(path, kind, SCIENCE, SHAPE)


def test_a_truncated_file_is_refused(tmp_path):
    path = _write(tmp_path / "gain.fits", {"SCI": np.ones((200, 200), "f4")})
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ReferenceFault, match=r"gain\.fits.*truncated"):
        open_reference(path, Gain, SCIENCE, SHAPE)


@pytest.mark.parametrize("name", ["absent.fits", "absent.asdf"])
def test_an_absent_file_is_named(tmp_path, name):
    kind = Gain if name.endswith("fits") else Distortion
    with pytest.raises(ReferenceFault, match=rf"{name}: there is no such file"):
        open_reference(tmp_path / name, kind, SCIENCE, SHAPE)


def test_read_noise_that_most_pixels_lack_is_refused_with_the_place_of_the_first(tmp_path):
    noise = _frame() + 1
    noise[7, 5] = np.nan
    path = _write(tmp_path / "noise.fits", {"SCI": noise})
    assert np.isnan(open_reference(path, Readnoise, SCIENCE, SHAPE).data[3, 3])
    noise[6, 4:], noise[7:] = np.nan, 0.0
    path = _write(tmp_path / "none.fits", {"SCI": noise})
    with pytest.raises(ReferenceFault, match=r"SCI\]: 30 of 48 values are NaN or .* 0, the first at \(2, 2\)"):
        open_reference(path, Readnoise, SCIENCE, SHAPE)


def test_the_first_missing_value_of_a_cube_is_placed(tmp_path):
    ramp = np.stack([_frame(), np.full((16, 20), np.nan, "f4"), np.full((16, 20), np.nan, "f4")])
    ramp[1, :5] = 1
    path = _write(tmp_path / "dark.fits", {"SCI": ramp})
    with pytest.raises(ReferenceFault, match=r"88 of 144 values are NaN or infinite, the first at \(1, 1, 0\)"):
        open_reference(path, Dark, SCIENCE, SHAPE)


def test_nan_outside_the_subarray_is_no_concern_of_the_exposure(tmp_path):
    noise = _frame() + 1
    noise[0, 0] = np.nan
    path = _write(tmp_path / "noise.fits", {"SCI": noise})
    assert np.isfinite(open_reference(path, Readnoise, SCIENCE, SHAPE).data).all()


@pytest.mark.parametrize("kind", [Superbias, Gain, Saturation, Flat])
def test_missing_pixels_are_left_to_the_step_up_to_half(tmp_path, kind):
    values = _frame()
    values[4:7, 2:10] = np.nan
    path = _write(tmp_path / "half.fits", {"SCI": values})
    assert np.isnan(open_reference(path, kind, SCIENCE, SHAPE).data).sum() == 24


@pytest.mark.parametrize("kind", [Superbias, Gain, Saturation, Flat])
def test_more_than_half_missing_is_a_damaged_file(tmp_path, kind):
    values = _frame()
    values[4:7, 2:10] = values[7, 2] = np.nan
    path = _write(tmp_path / "most.fits", {"SCI": values})
    with pytest.raises(ReferenceFault, match="25 of 48 values are NaN or infinite"):
        open_reference(path, kind, SCIENCE, SHAPE)


def test_a_photom_table_without_any_value_is_refused(tmp_path):
    rows = np.array([("F200W", "CLEAR", np.nan)], dtype=[("filter", "S12"), ("pupil", "S15"), ("photmjsr", "f4")])
    path = _write(tmp_path / "photom.fits", {"PHOTOM": rows})
    with pytest.raises(ReferenceFault, match=r"PHOTOM\]: column photmjsr has no finite value in 1 rows"):
        open_reference(path, Photom, SCIENCE, SHAPE)


def test_a_tree_lacks_what_its_type_needs(tmp_path):
    asdf.AsdfFile({"meta": {"reftype": "distortion"}, "other": 1}).write_to(tmp_path / "d.asdf")
    with pytest.raises(ReferenceFault, match=r"\['model'\] is missing; the file has \['meta', 'other'\]"):
        open_reference(tmp_path / "d.asdf", Distortion, SCIENCE, SHAPE)


def test_a_tree_of_another_type_is_refused(tmp_path):
    asdf.AsdfFile({"meta": {"reftype": "distortion"}, "filters": []}).write_to(tmp_path / "d.asdf")
    with pytest.raises(ReferenceFault, match="REFTYPE is distortion"):
        open_reference(tmp_path / "d.asdf", FilterOffset, SCIENCE, SHAPE)


def test_a_truncated_tree_is_refused(tmp_path):
    path = tmp_path / "d.asdf"
    asdf.AsdfFile({"meta": {}, "model": np.arange(1000.0)}).write_to(path)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(ReferenceFault, match=r"d\.asdf: cannot be read as ASDF"):
        open_reference(path, Distortion, SCIENCE, SHAPE)


def test_flight_reference_files_open(shared):
    folder = shared / "data/miri_flight_references/flt9"
    distortion = open_reference(folder / "jwst_miri_imager_distortion_flt9.asdf", Distortion, SCIENCE, SHAPE)
    v2, v3 = distortion.tree["model"](692.5, 511.5)
    assert (v2, v3) == pytest.approx((-453.6, -373.8), abs=2)
    offsets = open_reference(folder / "jwst_miri_filteroffset_full_flt9.asdf", FilterOffset, SCIENCE, SHAPE)
    assert "F560W" in {row["filter"] for row in offsets.tree["filters"]}


class TestWrittenByTheOfficialModels:
    """The same numbers come out of the files that stdatamodels writes."""

    @pytest.fixture
    def models(self):
        return pytest.importorskip("stdatamodels.jwst.datamodels")

    def _save(self, model, path, reftype):
        instrument = {"name": "NIRCAM", "detector": "NRCALONG", "module": "A", "channel": "LONG", "p_pupil": "CLEAR|"}
        meta = {"reftype": reftype, "description": "d", "author": "a", "pedigree": "DUMMY"}
        meta |= {"useafter": "2022-04-01T00:00:00", "instrument": instrument, "exposure": {"type": "NRC_IMAGE"}}
        if path.suffix == ".fits":
            meta["subarray"] = {"xstart": 1, "ystart": 1, "xsize": 20, "ysize": 16}
        model.update({"meta": meta})
        model.save(path)
        return path

    @pytest.mark.parametrize(
        ("kind", "model"),
        [
            (Saturation, "SaturationModel"),
            (Superbias, "SuperBiasModel"),
            (Gain, "GainModel"),
            (Readnoise, "ReadnoiseModel"),
            (Flat, "FlatModel"),
        ],
    )
    def test_images(self, models, tmp_path, kind, model):
        path = self._save(getattr(models, model)(data=_frame() + 1), tmp_path / "r.fits", kind.reftype)
        np.testing.assert_array_equal(open_reference(path, kind, SCIENCE, SHAPE).data, _frame()[4:10, 2:10] + 1)

    def test_area_which_does_not_say_where_it_lies(self, models, tmp_path):
        full = np.arange(2048.0, dtype="f4") + np.ones((2048, 1), "f4")
        path = self._save(models.PixelAreaModel(data=full), tmp_path / "area.fits", "area")
        assert "SUBSTRT1" not in fits.getheader(path)
        np.testing.assert_array_equal(open_reference(path, Area, SCIENCE, SHAPE).data, full[4:10, 2:10])

    def test_mask_with_private_bits(self, models, tmp_path):
        dq = np.zeros((16, 20), "u4")
        dq[4, 2:4] = 2, 4 | 1
        model = models.MaskModel(dq=dq, dq_def=_definitions("DO_NOT_USE", "DEAD", "HOT"))
        path = self._save(model, tmp_path / "mask.fits", "mask")
        assert fits.getdata(path, "DQ")[4, 2:4].tolist() == [2, 5]
        mask = open_reference(path, Mask, SCIENCE, SHAPE)
        assert mask.dq[0, :3].tolist() == [DQ.DEAD, DQ.HOT | DQ.DO_NOT_USE, 0]

    def test_linearity(self, models, tmp_path):
        coeffs = np.stack([_frame(), _frame() + 1, _frame() + 2])
        model = models.LinearityModel(coeffs=coeffs, dq=np.zeros((16, 20), "u4"))
        path = self._save(model, tmp_path / "lin.fits", "linearity")
        linearity = open_reference(path, Linearity, SCIENCE, SHAPE)
        np.testing.assert_array_equal(linearity.coeffs, coeffs[:, 4:10, 2:10])
        assert linearity.inv_coeffs is None

    def test_dark(self, models, tmp_path):
        model = models.DarkModel(data=np.stack([_frame(), 2 * _frame()]), dq=np.zeros((16, 20), "u4"))
        model.average_dark_current = _frame()
        dark = open_reference(self._save(model, tmp_path / "dark.fits", "dark"), Dark, SCIENCE, SHAPE)
        np.testing.assert_array_equal(dark.data[1], 2 * _frame()[4:10, 2:10])
        np.testing.assert_array_equal(dark.average, _frame()[4:10, 2:10])

    def test_ipc(self, models, tmp_path):
        path = self._save(models.IPCModel(data=np.eye(3, dtype="f4")), tmp_path / "ipc.fits", "ipc")
        np.testing.assert_array_equal(open_reference(path, Ipc, SCIENCE, SHAPE).data, np.eye(3))

    def test_photom(self, models, tmp_path):
        row = models.NrcImgPhotomModel().get_dtype("phot_table")
        table = np.zeros(2, row)
        table["filter"], table["photmjsr"] = ["F200W", "F444W"], [0.5, 0.25]
        model = models.NrcImgPhotomModel(phot_table=table)
        path = self._save(model, tmp_path / "photom.fits", "photom")
        photom = open_reference(path, Photom, SCIENCE, SHAPE)
        assert [str(name) for name in photom.table["filter"]] == ["F200W", "F444W"]
        assert photom.table["photmjsr"].tolist() == [0.5, 0.25]

    def test_apcorr(self, models, tmp_path):
        table = np.zeros(1, models.NrcImgApcorrModel().get_dtype("apcorr_table"))
        table["filter"], table["eefraction"], table["apcorr"] = "F200W", 0.7, 1.43
        path = self._save(models.NrcImgApcorrModel(apcorr_table=table), tmp_path / "apcorr.fits", "apcorr")
        assert open_reference(path, Apcorr, SCIENCE, SHAPE).table["apcorr"][0] == np.float32(1.43)

    def test_distortion(self, models, tmp_path):
        model = models.DistortionModel(model=Shift(1.5) & Shift(-2.0) | Identity(2))
        model.meta.input_units, model.meta.output_units = "pixel", "arcsec"
        path = self._save(model, tmp_path / "distortion.asdf", "distortion")
        tree = open_reference(path, Distortion, SCIENCE, SHAPE).tree
        assert tree["model"](10.0, 20.0) == (11.5, 18.0)

    def test_filter_offset(self, models, tmp_path):
        rows = [{"filter": "F200W", "pupil": "CLEAR", "column_offset": 0.1, "row_offset": -0.2}]
        path = self._save(
            models.FilteroffsetModel(filters=rows, instrument="NIRCAM"), tmp_path / "o.asdf", "filteroffset"
        )
        assert open_reference(path, FilterOffset, SCIENCE, SHAPE).tree["filters"] == rows

    def test_vega_offset(self, models, tmp_path):
        table = Table({"filter": ["F200W"], "pupil": ["CLEAR"], "abvega_offset": np.array([1.705], "f4")})
        meta = {"reftype": "abvegaoffset", "instrument": {"name": "NIRCAM"}, "telescope": "JWST"}
        path = tmp_path / "vega.asdf"
        asdf.AsdfFile({"meta": meta, "abvega_offset": table}).write_to(path)
        with models.ABVegaOffsetModel(path) as official:
            assert official.abvega_offset["abvega_offset"][0] == np.float32(1.705)
        offsets = open_reference(path, AbVegaOffset, SCIENCE, SHAPE).tree["abvega_offset"]
        assert float(offsets["abvega_offset"][0]) == np.float32(1.705)


def test_a_dark_may_have_integrations_and_flags_for_each_plane_of_its_own(tmp_path):
    ramp = np.stack([[_frame(), _frame() + 0.5], [_frame() + 1, _frame() + 1.5]])
    flags = np.zeros((2, 1, 16, 20), "u4")
    flags[0, 0, 4, 2], flags[1, 0, 4, 2] = DQ.HOT, DQ.WARM
    dark = open_reference(_write(tmp_path / "dark.fits", {"SCI": ramp, "DQ": flags}), Dark, SCIENCE, SHAPE)
    assert dark.data.shape == (2, 2, *SHAPE)
    assert dark.dq.shape == SHAPE
    assert dark.dq[0, 0] == DQ.HOT | DQ.WARM
    assert not dark.dq.flags.writeable


def test_a_reset_without_integrations_is_refused(tmp_path):
    path = _write(tmp_path / "reset.fits", {"SCI": np.stack([_frame()] * 3)}, REFTYPE="RESET")
    with pytest.raises(ReferenceFault, match="4 axes"):
        open_reference(path, Reset, SCIENCE, SHAPE)


def test_a_tree_of_interference_must_tell_frequencies_and_subarrays(tmp_path):
    path = tmp_path / "emi.asdf"
    asdf.AsdfFile({"meta": {"reftype": "emicorr"}, "frequencies": {}}).write_to(path)
    with pytest.raises(ReferenceFault, match="subarray_cases"):
        open_reference(path, Emicorr, SCIENCE, SHAPE)


IRS2 = Meta(primary=fits.Header({"INSTRUME": "NIRSPEC", "DETECTOR": "NRS1", "SUBSTRT1": 1, "SUBSTRT2": 1}))


@pytest.mark.parametrize("rows", [2048, 3200])
def test_a_file_for_frames_that_interleave_reference_pixels_comes_in_the_form_that_it_has(tmp_path, rows):
    path = _write(tmp_path / "bias.fits", {"SCI": np.zeros((rows, 2048), np.float32)}, REFTYPE="SUPERBIAS")
    bias = open_reference(path, Superbias, IRS2, (3200, 2048))
    assert bias.data.shape == (rows, 2048)


def test_weights_and_bad_reference_pixels_are_tables(tmp_path):
    names = [f"{name}_{k}" for name in ("alpha", "beta") for k in range(4)]
    weights = np.zeros(3, dtype=[(name, "f4") for name in names])
    bad = np.array([(1, 2, 5)], dtype=[("OUTPUT", "u2"), ("ODD_EVEN", "u2"), ("MASK", "u4")])
    path = _write(tmp_path / "refpix.fits", {"IRS2": weights, "DQ": bad}, REFTYPE="REFPIX")
    opened = open_reference(path, Refpix, IRS2, (3200, 2048))
    assert len(opened.table["beta_3"]) == 3
    assert opened.bad["MASK"].tolist() == [5]


def test_kernels_of_side_pixels_are_a_tree(tmp_path):
    path = tmp_path / "sirskernel.asdf"
    tree = {"meta": {"reftype": "sirskernel"}, "nrca1": {"gamma": np.ones((4, 9)) + 0j, "zeta": np.ones((4, 9)) + 0j}}
    asdf.AsdfFile(tree).write_to(path)
    assert open_reference(path, SirsKernel, SCIENCE, SHAPE).tree["nrca1"]["gamma"].shape == (4, 9)
