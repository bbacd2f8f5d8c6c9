"""The stage of guide-star exposures, by its recipe and from files, real reads among them."""

import subprocess
import sys

import numpy as np
import pytest
from astropy.io import fits
from guide_scene import GAIN, NAME, READNOISE, reads, write_raw, write_references

from jwrules import headers, recipes
from jwrules.errors import CannotRun, ReferenceFault
from jwrules.products.flags import DQ
from jwrules.stages import budget, guide_star, guider
from jwrules.stages.budget import Budget
from jwrules.stages.workbench import Workbench, calls

TIME = 0.5


def calibrated(uncal, references, output, memory=None):
    """Run the stage as the recipe says; return the HDUs of its product."""
    header = headers.read(uncal)
    chain = calls(recipes.chain_json(recipes.pick(header, recipes.all()).resolve("guider", header)))
    (path,) = guider.run(uncal, Workbench("guider", chain, references, output), memory)
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


def test_reads_are_counts_without_sign_up_to_the_largest(tmp_path):
    """A pixel that is saturated in both reads gains nothing, and one that falls loses what it falls."""
    first, second = np.full((3, 6, 8), 65535), np.full((3, 6, 8), 65535)
    second[1], second[2] = 40000, 0
    uncal = write_raw(tmp_path / f"{NAME}_uncal.fits", reads(first, second))
    _, hdus = calibrated(uncal, write_references(tmp_path / "references"), tmp_path)
    with hdus:
        assert hdus["SCI"].data[:, 0, 0].tolist() == [0, -25535 / TIME, -65535 / TIME]
        assert hdus["ERR"].data[:, 0, 0] == pytest.approx(READNOISE / TIME)


def test_bad_pixels_are_told_by_their_flag_alone(acquisition):
    _, hdus = acquisition
    assert np.isfinite(hdus["SCI"].data).all()
    assert hdus["SCI"].data[:, 2, 3].tolist() == hdus["SCI"].data[:, 0, 0].tolist()


def test_a_single_integration_of_an_identification_will_do(tmp_path):
    uncal = tmp_path / "jw01019001001_gs-id_1_image_uncal.fits"
    write_raw(uncal, reads(np.ones((1, 6, 8)), np.full((1, 6, 8), 3)), EXP_TYPE="FGS_ID-IMAGE", READPATT="ID")
    _, hdus = calibrated(uncal, write_references(tmp_path / "references"), tmp_path)
    with hdus:
        assert np.all(hdus["SCI"].data == 2 / TIME)


MODES = {
    "FGS_ACQ1": ("gs-acq1_2022117003102", 2),
    "FGS_TRACK": ("gs-track_2022117003202", 2),
    "FGS_FINEGUIDE": ("gs-fg_2022117003302", 8),
    "FGS_ID-IMAGE": ("gs-id_1_image", 2),
    "FGS_ID-STACK": ("gs-id_1_stacked", 2),
}


def noisy(folder, mode, nints=7, shape=(9, 11), size=70):
    """Write random reads of a mode, and reference files in which every pixel is another; return both."""
    name, ngroups = MODES[mode]
    random = np.random.default_rng(4)
    data = random.integers(0, 65535, (nints, ngroups, *shape), np.uint16)
    uncal = write_raw(folder / f"jw01019001001_{name}_uncal.fits", data, EXP_TYPE=mode)
    arrays = {
        "mask_dq": random.choice([0, 0, 0, int(DQ.HOT), int(DQ.DEAD | DQ.DO_NOT_USE)], (size, size)).astype(np.uint32),
        "gain_sci": random.uniform(1, 3, (size, size)).astype("f4"),
        "readnoise_sci": random.uniform(6, 10, (size, size)).astype("f4"),
        "flat_sci": random.uniform(0.8, 1.2, (size, size)).astype("f4"),
        "flat_err": random.uniform(0.001, 0.01, (size, size)).astype("f4"),
    }
    return uncal, write_references(folder / "references", size, **arrays)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("rows", "columns", "threads"), [(9, 11, 1), (2, 11, 2), (4, 3, 1)])
def test_blocks_change_no_bit(tmp_path, monkeypatch, mode, rows, columns, threads):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    uncal, references = noisy(tmp_path, mode)
    whole, hdus = calibrated(uncal, references, tmp_path / "whole")
    hdus.close()
    monkeypatch.setattr(budget.Budget, "patch", lambda self, exposure, margin: (rows, columns))
    monkeypatch.setattr(budget, "BLOCK", 3 * 9 * 11 * MODES[mode][1] * 25)
    monkeypatch.setattr(guider, "allowed_threads", lambda: threads)
    cut, hdus = calibrated(uncal, references, tmp_path / "cut")
    hdus.close()
    assert cut.read_bytes() == whole.read_bytes()


def test_blocks_are_some_integrations_or_rows_and_no_more(tmp_path, monkeypatch):
    """In the scene above three integrations of a mode make a block, for identification the rows that are said."""
    monkeypatch.setattr(budget, "BLOCK", 3 * 9 * 11 * 2 * 25)
    uncal, _ = noisy(tmp_path, "FGS_TRACK")
    star = guide_star.opened(uncal)
    assert Budget(beside=star.beside).integrations(star) == 3


def test_too_little_memory_is_said_before_anything_is_written(tmp_path):
    uncal, references = noisy(tmp_path, "FGS_TRACK")
    with pytest.raises(CannotRun, match=rf"{uncal.name}: --memory 100M is too little.* MB more"):
        calibrated(uncal, references, tmp_path / "out", 100)
    assert list(tmp_path.glob("out/*.fits")) == []


LIMITED = """
import resource, sys
from pathlib import Path
from jwrules.stages import guider, workbench
small, uncal, output, room, *files = sys.argv[1:]
files = {{kind: Path(path) for kind, path in (file.split("=") for file in files)}}
bench = workbench.Workbench("guider", workbench.calls({calls!r}), files, Path(output))
guider.run(Path(small), bench)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + int(room), size + int(room)))
guider.run(Path(uncal), bench, 280)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
@pytest.mark.parametrize(("mode", "side"), [("FGS_TRACK", 32), ("FGS_FINEGUIDE", 8), ("FGS_ID-IMAGE", 250)])
def test_a_guide_star_larger_than_memory_is_reduced(tmp_path, mode, side):
    """Reads of 200 MB, which would take 400 MB before any rate of them, within 100 MB beside the libraries."""
    (tmp_path / "small").mkdir()
    small, _ = noisy(tmp_path / "small", mode)
    nints = 100_100_000 // (MODES[mode][1] * side**2)
    uncal, references = noisy(tmp_path, mode, nints, (side, side), size=300)
    steps = '[{"step": "dq_init"}, {"step": "guider_cds"}, {"step": "flat_field"}]'
    files = [f"{kind}={path}" for kind, path in references.items()]
    command = [sys.executable, "-c", LIMITED.format(calls=steps), small, uncal, tmp_path, 100 * 2**20, *files]
    subprocess.run([str(word) for word in command], check=True, env={"NUMBA_NUM_THREADS": "1"})
    assert uncal.stat().st_size > 2e8
