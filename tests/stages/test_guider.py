"""The stage of guide-star exposures, by its recipe and from files, real reads among them."""

import numpy as np
import pytest
from astropy.io import fits
from guide_scene import GAIN, NAME, READNOISE, reads, write_raw, write_references

from jwrules import headers, recipes
from jwrules.errors import ReferenceFault
from jwrules.products.flags import DQ
from jwrules.stages import guider
from jwrules.stages.workbench import Workbench, calls

TIME = 0.5


def calibrated(uncal, references, output):
    """Run the stage as the recipe says; return the HDUs of its product."""
    header = headers.read(uncal)
    chain = calls(recipes.chain_json(recipes.pick(header, recipes.all()).resolve("guider", header)))
    (path,) = guider.run(uncal, Workbench("guider", chain, references, output))
    return path, fits.open(path)


@pytest.fixture
def acquisition(tmp_path):
    """Three integrations of 6 by 8 pixels that gain 10, 20 and 40 DN; the pixel of row 2, column 3 is bad."""
    gained = np.broadcast_to(np.array([10, 20, 40]).reshape(3, 1, 1), (3, 6, 8))
    uncal = write_raw(tmp_path / f"{NAME}_uncal.fits", reads(gained * 0 + 500, gained + 500))
    mask, flat = np.zeros((64, 64), np.uint32), np.full((64, 64), 0.5, np.float32)
    mask[20 + 2, 10 + 3] = DQ.DEAD | DQ.DO_NOT_USE
    flat[20:26, 10:14] = 1.0
    references = write_references(tmp_path / "references", mask_dq=mask, flat_sci=flat)
    path, hdus = calibrated(uncal, references, tmp_path)
    with hdus:
        yield path, hdus


def test_reads_become_rates_at_the_response_of_the_mean_pixel(acquisition):
    _, hdus = acquisition
    assert hdus["SCI"].data[:, 0, 0].tolist() == [20, 40, 80]
    assert hdus["SCI"].data[:, 0, 7].tolist() == [40, 80, 160]
    assert hdus["SCI"].header["BUNIT"] == hdus["ERR"].header["BUNIT"] == "DN/s"


def test_errors_follow(acquisition):
    _, hdus = acquisition
    expected = np.sqrt(np.array([10, 20, 40]) / GAIN + READNOISE**2) / TIME
    assert hdus["ERR"].data[:, 0, 0] == pytest.approx(expected)


def test_the_mask_is_cut_where_the_star_is(acquisition):
    _, hdus = acquisition
    assert hdus["DQ"].data.shape == (6, 8)
    assert np.argwhere(hdus["DQ"].data).tolist() == [[2, 3]]


def test_the_product_says_what_it_is_and_which_steps_made_it(acquisition):
    path, hdus = acquisition
    assert path.name == f"{NAME}_cal.fits"
    header = hdus[0].header
    assert header["DATAMODL"] == "GuiderCalModel"
    assert [header[name] for name in ("S_DQINIT", "S_GUICDS", "S_FLAT")] == ["COMPLETE"] * 3
    assert header["R_GAIN"] == "crds://jwst_fgs_gain_0001.fits"


def test_the_tables_of_the_exposure_are_carried_over(acquisition):
    _, hdus = acquisition
    stars = hdus["FLIGHT REFERENCE STARS"].data
    assert stars["reference_star_id"].tolist() == ["A1", "B2"]
    assert stars["count_rate"].tolist() == [1000.0, 250.0]


def test_the_name_of_an_identification_ends_as_all_others_do(tmp_path):
    uncal = tmp_path / "jw01019001001_gs-id_1_image-uncal.fits"
    write_raw(uncal, reads(np.ones((2, 6, 8)), np.full((2, 6, 8), 3)), EXP_TYPE="FGS_ID-IMAGE", READPATT="ID")
    path, hdus = calibrated(uncal, write_references(tmp_path / "references"), tmp_path)
    with hdus:
        assert path.name == "jw01019001001_gs-id_1_image_cal.fits"
        assert hdus["SCI"].data.shape == (1, 6, 8)


def stacked(tmp_path, detector=64, mapped=70):
    """Write strips stacked to an array larger than the detector, and mask and flat of that size."""
    shape = (2, mapped, mapped)
    uncal = tmp_path / "jw01019001001_gs-id_1_stacked_uncal.fits"
    where = {"EXP_TYPE": "FGS_ID-STACK", "SUBSTRT1": 1, "SUBSTRT2": 1}
    write_raw(uncal, reads(np.full(shape, 100), np.full(shape, 150)), **where)
    noise = np.full((detector, detector), 6, np.float32)
    noise[0] = 10
    references = write_references(tmp_path / "references", detector, readnoise_sci=noise)
    fitting = write_references(tmp_path / "fitting", mapped)
    return uncal, references | {kind: fitting[kind] for kind in ("mask", "flat")}


def test_for_stacked_strips_the_mean_noise_of_the_detector_stands(tmp_path):
    uncal, references = stacked(tmp_path)
    _, hdus = calibrated(uncal, references, tmp_path)
    with hdus:
        assert hdus["ERR"].data == pytest.approx(np.hypot(5, 6 + 4 / 64) / TIME)


def test_a_mask_that_stacked_strips_do_not_fit_in_is_refused(tmp_path):
    uncal, references = stacked(tmp_path)
    unfitting = write_references(tmp_path / "unfitting")
    with pytest.raises(ReferenceFault, match="does not hold the exposure's"):
        calibrated(uncal, references | {"mask": unfitting["mask"]}, tmp_path)


def test_real_reads_of_a_guide_star_show_it_in_every_integration(shared, tmp_path):
    uncal = shared / "data/real_headers_and_products/add_wcs_default_acq1.fits"
    path, hdus = calibrated(uncal, write_references(tmp_path / "references", 2048), tmp_path)
    with hdus, fits.open(uncal) as raw:
        gained = raw["SCI"].data[:, 1].astype(float) - raw["SCI"].data[:, 0]
        assert hdus["SCI"].data == pytest.approx(gained / raw[0].header["TGROUP"], rel=1e-6)
        brightest = [np.unravel_index(np.argmax(plane), plane.shape) for plane in hdus["SCI"].data]
    assert path.name == "add_wcs_default_acq1_cal.fits"
    assert np.ptp(brightest, axis=0).max() <= 5
