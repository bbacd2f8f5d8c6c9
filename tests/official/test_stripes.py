"""Multistripe and superstripe exposures against the official pipeline: reference files, frames, times, and stage 1."""

from __future__ import annotations

import numpy as np
import pytest
import stripe_scene
from astropy.io import fits
from difference import flags, in_errors, relative
from stripe_scene import AVERAGED, DHS, ROWS, SOSS
from template_scene import made

from jwrules.products.kinds import Gain, Meta, Ramp
from jwrules.products.reference import ReferenceFile
from jwrules.products.stripes import KEYWORDS, stripes_of
from jwrules.products.superstripes import put_together
from pipeline import Task, start

pytest.importorskip("jwst", reason="jwst is not installed")
datamodels = pytest.importorskip("stdatamodels.jwst.datamodels")
stripe_utils = pytest.importorskip("jwst.lib.stripe_utils")
pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]

PLACE = ("FASTAXIS", "SLOWAXIS", "SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2")
THEIRS = ("multistripe_reads1", "multistripe_skips1", "multistripe_reads2", "multistripe_skips2", "repeat_stripe")
THEIRS += ("interleave_reads1", "superstripe_step", "num_superstripe")
THEIRS += ("fastaxis", "slowaxis", "xstart", "ystart", "xsize", "ysize")
CASES = {
    "one stripe": ("SUB41STRIPE1_DHS", 1, 1901, 40, 0, 1, 1, 0, 0, -1, 2, 1, 1, 2048, 41),
    "two, read backwards": ("SUB82STRIPE2_DHS", 1, 1662, 40, 82, 1, 1, 0, 0, 1, -2, 1, 2008, 2048, 82),
    "the same four times": ("SUB164STRIPE4_DHS", 1, 971, 40, 0, 1, 0, 0, 0, -1, 2, 1, 1, 2048, 164),
    "reading on": ("SUB", 1, 10, 20, 5, 0, 0, 0, 0, 1, 2, 301, 500, 100, 61),
    "reading on, backwards": ("SUB", 1, 10, 20, 5, 0, 0, 0, 0, 1, -2, 301, 1500, 100, 61),
    "columns": ("SUB", 1, 1901, 40, 0, 1, 1, 0, 0, 2, 1, 1, 1, 41, 2048),
    "soss": ("SUB204STRIPE_SOSS", 4, 0, 204, 0, 1, 1, 204, 10, -2, -1, 2048, 1793, 208, 256),
    "pure superstripes": ("SUB", 0, 0, 0, 0, 0, 0, 204, 10, -2, -1, 2044, 1793, 204, 256),
    "superstripes of rows": ("SUB64P_SUPSTP", 1, 165, 7, 0, 1, 0, 8, 6, 1, -2, 1851, 2046, 64, 8),
    "superstripes of rows, forwards": ("SUB64P_SUPSTP", 1, 165, 7, 0, 1, 0, 7, 6, 1, 2, 1851, 3, 64, 8),
}
"""SUBARRAY, and numbers in the order of the keywords."""
SUPERSTRIPES = [name for name, numbers in CASES.items() if numbers[8]]


def header(case):
    name, *numbers = CASES[case]
    return fits.Header({"SUBARRAY": name} | dict(zip((*KEYWORDS, *PLACE), numbers, strict=True)))


def told(model, case):
    """An official model with the keywords of a case."""
    model.meta.subarray.name, *numbers = CASES[case]
    for name, number in zip(THEIRS, numbers, strict=True):
        setattr(model.meta.subarray, name, number)
    model.meta.exposure.type = "NRC_IMAGE"
    return model


def wide(planes, axis):
    """Planes of superstripes (n, ny, nx) side by side."""
    return np.concatenate(list(planes), axis)


@pytest.fixture(scope="module")
def gain(tmp_path_factory):
    """A full frame of which no two pixels are alike."""
    path = tmp_path_factory.mktemp("full") / "gain.fits"
    array = np.random.default_rng(1).permutation(2048**2).reshape(2048, 2048).astype("f4") + 1
    primary = fits.PrimaryHDU(header=fits.Header({"SUBSTRT1": 1, "SUBSTRT2": 1, "REFTYPE": "GAIN"}))
    fits.HDUList([primary, fits.ImageHDU(array, name="SCI")]).writeto(path)
    return path, array


@pytest.mark.parametrize("case", CASES)
def test_reference_files_are_put_together_to_the_bit(gain, case):
    path, array = gain
    reference = datamodels.GainModel(data=array)
    reference.meta.subarray.xstart = reference.meta.subarray.ystart = 1
    theirs = stripe_utils.stripe_read(told(datamodels.RampModel(), case), reference, ["data"]).data
    theirs = wide(theirs, -abs(CASES[case][10])) if theirs.ndim == 3 else theirs
    file = ReferenceFile(path, Gain, Meta(primary=header(case)), theirs.shape)
    bands = [file.piece(slice(first, first + 7)).data for first in range(0, len(theirs), 7)]
    assert np.array_equal(file.piece().data, theirs)
    assert np.array_equal(np.concatenate(bands), theirs)


@pytest.mark.parametrize("case", SUPERSTRIPES)
def test_superstripes_are_put_together_to_the_bit(case):
    """Without the correction by reference pixels, of which the official step has those of the first for all."""
    count, slow, nx, ny = (CASES[case][k] for k in (8, 10, 13, 14))
    rng, axis = np.random.default_rng(2), -2 if abs(slow) == 2 else -1
    data = rng.normal(size=(2 * count, 3, ny, nx)).astype("f4")
    groupdq, pixeldq = rng.integers(0, 9, data.shape, "u1"), rng.integers(0, 9, (count, ny, nx), "u4")
    model = told(datamodels.SuperstripeRampModel(data=data, groupdq=groupdq, pixeldq=pixeldq), case)
    model.meta.exposure.nints, model.meta.exposure.zero_frame = 2 * count, False
    theirs = stripe_utils.collate_superstripes(model)
    rounds = [slice(first, first + count) for first in (0, count)]
    ours = put_together(
        ramp := Ramp(
            meta=Meta(primary=header(case)),
            data=np.stack([wide(data[one], axis) for one in rounds]),
            groupdq=np.stack([wide(groupdq[one], axis) for one in rounds]),
            pixeldq=wide(pixeldq, axis),
        ),
        stripes_of(ramp.meta, ramp.data.shape),
        lambda frame: frame,
    )
    assert np.array_equal(ours.data, theirs.data, equal_nan=True)
    assert np.array_equal(ours.groupdq, theirs.groupdq)
    assert np.array_equal(ours.pixeldq, theirs.pixeldq)
    place = theirs.meta.subarray
    told_by_theirs = (place.xstart, place.ystart, place.xsize, place.ysize)
    assert tuple(ours.meta[key] for key in PLACE[2:]) == told_by_theirs


KINDS = {"dhs": DHS, "soss": SOSS, "rows": ROWS, "averaged": AVERAGED}


class Both:
    """The products of both pipelines by suffix, for each kind of exposure."""

    def __init__(self, folder):
        self.taken = {name: stripe_scene.read(kind, folder / name) for name, kind in KINDS.items()}
        official = start([_task(one) for one in self.taken.values()], folder, "official")
        self._ours = {name: made(one, **ALIKE).products for name, one in self.taken.items()}
        official.wait()

    def pair(self, name, suffix):
        ours = self._ours[name][suffix]
        return ours, self.taken[name].folder / "official" / ours.name


ALIKE = {
    "saturation": {"partial_search": "official"},
    "ramp_fit": {"weighting": "official"},
    "jump": {"statistic": "official", "expand_large_events": False, "find_showers": False},
}


def _task(one):
    sets = [f"{step}.{name}={str(value).lower()}" for step, options in ALIKE.items() for name, value in options.items()]
    return Task("detector1", str(one.raw), str(one.folder / "official"), str(one.folder / "references"), tuple(sets))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Everything, made once. Read only."""
    return Both(tmp_path_factory.mktemp("stripes"))


@pytest.mark.parametrize("suffix", ["rate", "rateints"])
@pytest.mark.parametrize("name", KINDS)
def test_rates_are_the_same(both, name, suffix):
    """To 1e-4 of their errors, the variances to 1e-4.

    In all of them reference pixels lie where the first superstripe has them (the official step looks for them there
    alone). Eight columns of the detector are in none of the superstripes of SOSS: we say that they have no rate (NaN,
    DO_NOT_USE), the official pipeline that it is 0. There is no stripe without superstripes in groups of several
    frames: the official step leaves the inverse polynomials of linearity out there, with which we make frames linear.
    """
    ours, official = both.pair(name, suffix)
    one, other = (fits.getdata(path, "DQ") for path in (ours, official))
    unread = np.zeros(one.shape, bool)
    if name == "soss":
        unread[..., np.r_[:4, 2044:2048]] = True
    assert np.array_equal(one[~unread], other[~unread])
    assert in_errors(ours, official).largest < 1e-4
    for extension in ("ERR", "VAR_POISSON", "VAR_RNOISE"):
        assert relative(ours, official, extension).largest < 1e-4
    assert set(flags(ours, official)) <= {"DO_NOT_USE"}
    values = np.isfinite(fits.getdata(ours, "SCI"))
    assert np.array_equal(values & ~unread, np.isfinite(fits.getdata(official, "SCI")) & ~unread)


@pytest.mark.parametrize("table", ["INT_TIMES", "INT_TIMES_STRIPE"])
@pytest.mark.parametrize("name", ["soss", "rows"])
def test_times_are_the_same(both, name, table):
    ours, official = (fits.getdata(path, table) for path in both.pair(name, "rateints"))
    assert ours.names == official.names
    for column in ours.names:
        assert np.array_equal(ours[column], official[column]), column


@pytest.mark.parametrize("keyword", ["NINTS", "NGROUPS", "INTSTART", "INTEND", *PLACE, *KEYWORDS])
@pytest.mark.parametrize("name", KINDS)
def test_headers_say_the_same(both, name, keyword):
    ours, official = (fits.getheader(path).get(keyword) for path in both.pair(name, "rate"))
    assert ours == official
