"""Products survive a round trip, are complete or absent, and open in the tools that people use."""

import io
import os
import subprocess
import sys
import warnings
from dataclasses import replace
from importlib.metadata import version

import asdf
import astropy.units as u
import guide_scene
import gwcs
import numpy as np
import pytest
from astropy.coordinates import ICRS
from astropy.io import fits as pyfits
from astropy.modeling.models import Pix2Sky_TAN, RotateNative2Celestial, Scale, Shift
from gwcs import coordinate_frames as cf

from jwrules.errors import DataFault
from jwrules.products import asdf as embedded
from jwrules.products import fits
from jwrules.products.kinds import Image, Meta, Ramp, Rate


def _header(**keywords):
    return pyfits.Header({"TELESCOP": "JWST", "INSTRUME": "NIRCAM", **keywords})


def _rate(shape=(4, 5)):
    rng = np.random.default_rng(1)
    planes = {name: rng.random(shape, dtype="f4") for name in ("data", "err", "var_poisson", "var_rnoise")}
    dq = rng.integers(0, 2**32, shape, dtype="u4")
    meta = Meta(primary=_header(FILTER="F200W"), sci=pyfits.Header({"BUNIT": "DN/s", "V2_REF": 1.5}))
    return Rate(meta=meta, dq=dq, **planes)


def _wcs():
    sky = cf.CelestialFrame(reference_frame=ICRS(), unit=(u.deg, u.deg), name="world")
    detector = cf.Frame2D(name="detector", unit=(u.pix, u.pix))
    chain = (Shift(-2.0) & Shift(-1.0)) | (Scale(1e-5) & Scale(1e-5)) | Pix2Sky_TAN()
    return gwcs.WCS([(detector, chain | RotateNative2Celestial(80.0, -70.0, 180.0)), (sky, None)])


def _image():
    rate = _rate()
    planes = {name: getattr(rate, name) for name in ("data", "err", "dq", "var_poisson", "var_rnoise")}
    return Image(meta=rate.meta, wcs=_wcs(), var_flat=rate.err, area=rate.err, **planes)


def _how(stage, **params):
    step = {"step": "jump", "status": "COMPLETE", "reason": "", "params": params, "references": {}}
    return {"release": "0.1.0", "stage": stage, "recipe": "0123456789abcdef", "steps": [step]}


def test_the_header_tells_in_short_how_the_product_was_made(tmp_path):
    rate = replace(_rate(), provenance=_how("detector1", rejection_threshold=5.0))
    back = fits.read(fits.write(tmp_path / "a_rate.fits", rate), Rate)
    header = pyfits.getheader(fits.write(tmp_path / "a_cal.fits", replace(back, provenance=_how("image2"))))
    assert header["JWRECIPE"] == "0123456789abcdef"
    assert list(header["HISTORY"]) == [
        "jwrules 0.1.0 detector1, recipe 0123456789abcdef",
        "  jump COMPLETE rejection_threshold=5.0",
        "jwrules 0.1.0 image2, recipe 0123456789abcdef",
        "  jump COMPLETE",
    ]


def test_every_array_and_keyword_comes_back(tmp_path):
    rate = _rate()
    back = fits.read(fits.write(tmp_path / "a_rate.fits", rate), Rate)
    for name in fits.declared(Rate):
        np.testing.assert_array_equal(getattr(back, name), getattr(rate, name))
    assert (back.meta["FILTER"], back.meta["V2_REF"], back.meta["BUNIT"]) == ("F200W", 1.5, "DN/s")


def test_the_flag_of_bit_31_survives(tmp_path):
    rate = replace(_rate(), dq=np.full((4, 5), 1 << 31, "u4"))
    back = fits.read(fits.write(tmp_path / "a_rate.fits", rate), Rate)
    assert (back.dq == 1 << 31).all()


def test_the_wcs_comes_back_from_the_asdf_extension(tmp_path):
    back = fits.read(fits.write(tmp_path / "a_cal.fits", _image()), Image)
    np.testing.assert_allclose(back.wcs(3.0, 2.0), _wcs()(3.0, 2.0), rtol=0, atol=1e-13)


def test_provenance_comes_back(tmp_path):
    made = {"release": "0.1.0", "steps": [{"step": "jump", "params": {"rejection_threshold": 4.0}}]}
    back = fits.read(fits.write(tmp_path / "a_rate.fits", replace(_rate(), provenance=made)), Rate)
    assert back.provenance == made


@pytest.mark.parametrize(("context", "by"), [("jwst_1464.pmap", version("crds")), ("N/A", "N/A")])
def test_the_context_of_the_reference_files_replaces_that_of_the_raw_exposure(tmp_path, context, by):
    rate = _rate()
    rate.meta.primary["CRDS_CTX"] = "jwst_0001.pmap"
    back = fits.read(fits.write(tmp_path / "a_rate.fits", replace(rate, provenance={"context": context})), Rate)
    assert (back.meta["CRDS_CTX"], back.meta["CRDS_VER"]) == (context, by)


def test_two_writings_differ_only_in_dates(tmp_path):
    sums = []
    for name in ("one", "two"):
        with pyfits.open(fits.write(tmp_path / name / "a_cal.fits", _image())) as hdus:
            sums.append([hdu.header["DATASUM"] for hdu in hdus])
            headers = [repr(hdu.header) for hdu in hdus[1:]]
        if name == "one":
            first = headers
    assert sums[0] == sums[1]
    assert first == headers


def test_the_asdf_extension_lists_what_it_needs_by_name():
    stored = embedded.embed({"meta": {"wcs": _wcs()}}).data["ASDF_METADATA"].tobytes()
    with asdf.open(io.BytesIO(stored)) as file:
        needed = [str(extension["extension_uri"]) for extension in file["history"]["extensions"]]
    assert len(needed) > 2
    assert needed == sorted(needed)


def test_checksums_are_right(tmp_path):
    path = fits.write(tmp_path / "a_cal.fits", _image())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pyfits.open(path, checksum=True) as hdus:
            assert [hdu.name for hdu in hdus if "CHECKSUM" not in hdu.header] == []


def test_stdatamodels_opens_it_as_the_right_model_with_its_wcs(tmp_path):
    datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
    path = fits.write(tmp_path / "a_cal.fits", _image())
    with datamodels.open(path) as model:
        assert type(model).__name__ == "ImageModel"
        np.testing.assert_allclose(model.meta.wcs(3.0, 2.0), _wcs()(3.0, 2.0), atol=1e-13)
        np.testing.assert_array_equal(model.var_flat, _image().var_flat)
        assert model.meta.instrument.filter == "F200W"


def test_a_truncated_file_is_refused_by_name(tmp_path):
    path = fits.write(tmp_path / "a_rate.fits", _rate((200, 200)))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(DataFault, match=r"a_rate\.fits"):
        fits.read(path, Rate)


def test_a_missing_extension_is_named_with_what_is_there(tmp_path):
    path = tmp_path / "a_rate.fits"
    pyfits.HDUList([pyfits.PrimaryHDU(), pyfits.ImageHDU(np.zeros((2, 2), "f4"), name="ERR")]).writeto(path)
    with pytest.raises(DataFault, match=r"SCI is missing; the file has PRIMARY, ERR"):
        fits.read(path, Rate)


def _uncal(path, groups_in_header):
    sci = pyfits.ImageHDU(np.zeros((1, 5, 4, 4), "u2"), name="SCI")
    pyfits.HDUList([pyfits.PrimaryHDU(header=_header(NINTS=1, NGROUPS=groups_in_header)), sci]).writeto(path)
    return path


def test_a_wrong_number_of_groups_is_refused(tmp_path):
    with pytest.raises(DataFault, match=r"NGROUPS is 6 in the header, but the array holds 5"):
        fits.read(_uncal(tmp_path / "a_uncal.fits", 6), Ramp)


def test_a_raw_ramp_starts_with_blank_flags(tmp_path):
    ramp = fits.read(_uncal(tmp_path / "a_uncal.fits", 5), Ramp)
    assert ramp.data.dtype == np.float32
    assert ramp.groupdq.shape == (1, 5, 4, 4)
    assert not ramp.pixeldq.any()


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(DataFault, match="cannot be written"), fits.arriving(tmp_path / "x.fits") as temporary:
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_one_at_work_has_is_kept(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    parts = [tmp_path / f".a_rate.{process}.part.fits" for process in (ended.pid, os.getppid())]
    for part in parts:
        part.write_bytes(b"half")
    path = fits.write(tmp_path / "a_rate.fits", _rate())
    assert sorted(tmp_path.iterdir()) == sorted([parts[1], path])


def test_a_full_disk_is_told_in_one_sentence(tmp_path):
    with pytest.raises(DataFault) as fault, fits.arriving(tmp_path / "x.fits"):
        raise OSError("Not enough space on disk: requested 9, available 0. 9 requested and 0 written")
    assert "cannot be written (Not enough space on disk: requested 9, available 0); nothing" in str(fault.value)


def test_an_interrupted_write_keeps_the_old_product(tmp_path):
    path = fits.write(tmp_path / "a_rate.fits", _rate())
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt), fits.arriving(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_with_a_date_of_its_source_a_product_is_the_same_to_the_byte_whenever_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one, other = (fits.write(tmp_path / name / "a_rate.fits", _rate()) for name in ("now", "later"))
    assert pyfits.getheader(one)["DATE"] == "2023-11-14T22:13:20.000"
    assert one.read_bytes() == other.read_bytes()


def test_a_long_value_keeps_what_fits_of_its_comment(tmp_path):
    primary = _header(TARGPROP="x")
    primary["ASNTABLE"] = ("a" * 50, "the association that this exposure was taken from, in full")
    rate = replace(_rate(), meta=Meta(primary=primary))
    header = pyfits.getheader(fits.write(tmp_path / "a_rate.fits", rate))
    assert header["ASNTABLE"] == "a" * 50
    assert header.comments["ASNTABLE"].startswith("the ")


def test_a_product_without_a_wcs_has_an_asdf_extension_that_asdf_reads(tmp_path):
    made = {"release": "0.1.0", "steps": [{"step": "jump", "params": {"limits": (1.0, 2.0)}, "reason": "a: b # c"}]}
    path = fits.write(tmp_path / "a_rate.fits", replace(_rate(), provenance=made))
    stored = pyfits.getdata(path, "ASDF")["ASDF_METADATA"].tobytes()
    with asdf.open(io.BytesIO(stored)) as file:
        assert file["jwrules"]["steps"][0] == {"step": "jump", "params": {"limits": [1.0, 2.0]}, "reason": "a: b # c"}


def test_reading_and_writing_count_rates_does_not_wait_for_the_extensions_of_asdf(tmp_path):
    path = fits.write(tmp_path / "a_rate.fits", _rate())
    code = f"""
import sys
from jwrules.products import fits, kinds
fits.write({str(tmp_path / "b_rate.fits")!r}, fits.read({str(path)!r}, kinds.Rate))
assert "asdf_astropy.extensions" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_asdf_extension_of_a_raw_exposure_is_left_unread(tmp_path):
    """The ground system writes tags of the library under the same first lines as ours."""
    path = fits.write(tmp_path / "a_rate.fits", _rate())
    with pyfits.open(path) as hdus:
        del hdus["ASDF"]
        hdus.append(guide_scene.embedded())
        hdus.writeto(tmp_path / "raw_rate.fits")
    assert fits.read(tmp_path / "raw_rate.fits", Rate).provenance == {}
