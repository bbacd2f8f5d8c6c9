"""Guide-star exposures through jwrules and through the official pipeline, from the same files."""

import numpy as np
import pytest
from astropy.io import fits
from guide_scene import EXPOSURE, reads, write_raw, write_references
from side_by_side import run

from jwrules.products.flags import DQ
from pipeline import Task, start

pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("jwst")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")

ALIKE = ("guider_cds.noise=official", "flat_field.guider_error=official")
TIME = EXPOSURE["TGROUP"]
EXPOSURES = {
    "gs-acq1_2022117003102": ("FGS_ACQ1", "ACQ1", (6, 2)),
    "gs-track_2022117003202": ("FGS_TRACK", "TRACK", (20, 2)),
    "gs-fg_2022117003302": ("FGS_FINEGUIDE", "FINEGUIDE", (30, 8)),
    "gs-id_1_image": ("FGS_ID-IMAGE", "ID", (2, 2)),
}
STAR = 3000
NAMES = [f"jw01019001001_{name}" for name in EXPOSURES]


def _write(folder):
    rng = np.random.default_rng(8)
    for name, (exp_type, pattern, (nints, ngroups)) in EXPOSURES.items():
        shape = (nints, 1, 24, 32)
        gained = rng.uniform(-20, 400, shape) * np.arange(ngroups).reshape(1, -1, 1, 1)
        data = 2000 + gained + rng.normal(0, 6, (nints, ngroups, 24, 32))
        write_raw(folder / f"jw01019001001_{name}_uncal.fits", data, EXP_TYPE=exp_type, READPATT=pattern)
    shape = (64, 64)
    mask, flags = np.zeros(shape, np.uint32), np.zeros(shape, np.uint32)
    mask[25, 15], mask[26, 20], flags[30, 25] = DQ.DEAD | DQ.DO_NOT_USE, DQ.HOT, DQ.NO_FLAT_FIELD
    write_references(
        folder / "references",
        mask_dq=mask,
        gain_sci=rng.uniform(1.5, 2.5, shape).astype("f4"),
        readnoise_sci=rng.uniform(6, 10, shape).astype("f4"),
        flat_sci=rng.uniform(0.8, 1.2, shape).astype("f4"),
        flat_err=rng.uniform(0.001, 0.01, shape).astype("f4"),
        flat_dq=flags,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The products of both: ours/, ours_alike/, official/."""
    folder = tmp_path_factory.mktemp("guider")
    _write(folder)
    raws = [f"{name}_uncal.fits" for name in NAMES]
    official = start([Task("guider", raw, "official", "references") for raw in raws], folder, "official")
    run(folder, Task("guider", "", "ours", "references"), *raws)
    run(folder, Task("guider", "", "ours_alike", "references", ALIKE), *raws)
    official.wait()
    return folder


def _arrays(path):
    with fits.open(path) as hdus:
        return {name: np.array(hdus[name].data) for name in ("SCI", "ERR", "DQ")}


@pytest.mark.parametrize("name", NAMES)
def test_rates_and_flags_are_the_same(folder, name):
    ours, theirs = (_arrays(folder / who / f"{name}_cal.fits") for who in ("ours", "official"))
    assert ours["SCI"].shape == theirs["SCI"].shape
    np.testing.assert_allclose(ours["SCI"], theirs["SCI"], rtol=1e-5, atol=1e-3)
    assert np.array_equal(ours["DQ"], theirs["DQ"])


@pytest.mark.parametrize("name", NAMES)
def test_errors_are_the_same_where_the_official_ones_are_asked_for(folder, name):
    ours, theirs = (_arrays(folder / who / f"{name}_cal.fits") for who in ("ours_alike", "official"))
    np.testing.assert_allclose(ours["ERR"], theirs["ERR"], rtol=1e-4)


def test_our_errors_tell_the_truth_more_closely(tmp_path):
    """The scatter of 400 integrations of a bright star over their ERR; for a faint one two faults of theirs cancel."""
    rng = np.random.default_rng(9)
    gained = rng.poisson(2.0 * STAR, (400, 16, 16)) / 2.0
    first, second = rng.normal(2000, 8 / np.sqrt(2), (2, 400, 16, 16))
    name = NAMES[0]
    write_raw(tmp_path / f"{name}_uncal.fits", np.rint(reads(first, second + gained)))
    write_references(tmp_path / "references")
    task = Task("guider", f"{name}_uncal.fits", "official", "references")
    official = start([task], tmp_path, "official")
    run(tmp_path, Task("guider", f"{name}_uncal.fits", "ours", "references"))
    official.wait()
    ours, theirs = (_pull(tmp_path / who / f"{name}_cal.fits") for who in ("ours", "official"))
    assert ours == pytest.approx(1, abs=0.02)
    assert abs(theirs - 1) > 0.1


def _pull(path):
    arrays = _arrays(path)
    return float(np.std((arrays["SCI"] - STAR / TIME) / arrays["ERR"]))


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_of_the_same_kind(folder, name):
    found = []
    for who in ("ours", "official"):
        with fits.open(folder / who / f"{name}_cal.fits") as hdus:
            names = [hdu.name for hdu in hdus if hdu.name != "ASDF"]
            found.append((sorted(names), hdus[0].header["DATAMODL"], hdus["SCI"].header["BUNIT"]))
    assert found[0] == found[1]


def test_data_models_open_our_products(folder):
    with datamodels.open(str(folder / "ours" / f"{NAMES[0]}_cal.fits")) as model:
        model.validate()
        assert type(model).__name__ == "GuiderCalModel"
        assert model.meta.cal_step.guider_cds == "COMPLETE"
        assert model.flight_star_table["count_rate"].tolist() == [1000.0, 250.0]
