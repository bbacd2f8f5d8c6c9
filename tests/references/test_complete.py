"""A reference file that was cut short is found before it is used."""

import gzip

import asdf
import numpy as np
import pytest
from astropy.io import fits

from jwrules import references
from jwrules.errors import ReferenceFault
from jwrules.references import complete


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "dark.fits"
    keywords = {"REFTYPE": "DARK", "INSTRUME": "NIRCAM", "USEAFTER": "2022-01-01T00:00:00"}
    hdus = [fits.PrimaryHDU(header=fits.Header(keywords)), fits.ImageHDU(np.zeros((64, 64)), name="SCI")]
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "distortion.asdf"
    asdf.AsdfFile({"one": np.arange(4096.0), "two": np.arange(99.0)}).write_to(path)
    return path


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


def test_whole_files_have_no_fault(image, model, tmp_path):
    (tmp_path / "refpix.json").write_text('{"a": 1}')
    assert [complete.fault(path) for path in (image, model, tmp_path / "refpix.json")] == ["", "", ""]


@pytest.mark.parametrize("less", [1, 2880, 30000])
def test_an_image_that_is_cut_short_is_told(image, less):
    cut(image, image.stat().st_size - less)
    assert "dark.fits: truncated: HDU 1 (SCI" in complete.fault(image)


@pytest.mark.parametrize("size", [100, 2000, 30000])
def test_a_model_that_is_cut_short_is_told(model, size):
    cut(model, size)
    assert "distortion.asdf: truncated" in complete.fault(model)


def test_a_table_that_is_cut_short_is_told(tmp_path):
    (tmp_path / "refpix.json").write_text('{"a": ')
    assert "truncated or no JSON" in complete.fault(tmp_path / "refpix.json")


def test_no_file_that_is_cut_short_is_chosen(image, tmp_path):
    cut(image, image.stat().st_size - 2880)
    exposure = {"INSTRUME": "NIRCAM", "DATE-OBS": "2023-01-01"}
    with pytest.raises(ReferenceFault, match=r"dark\.fits: truncated.*get the file again"):
        references.open(tmp_path, tmp_path / "c.json").choose(["dark"], exposure)


def test_a_gzipped_file_that_was_cut_short_is_found(image):
    packed = image.with_name("dark.fits.gz")
    packed.write_bytes(gzip.compress(image.read_bytes()))
    assert complete.fault(packed) == ""
    cut(packed, packed.stat().st_size - 9)
    assert f"{packed}: truncated or damaged within the gzip" in complete.fault(packed)
