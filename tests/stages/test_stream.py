"""An exposure gives the same bits however it is cut into blocks, wherever it is kept, on any number of threads."""

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
import pytest
from astropy.io import fits as pyfits
from ramp_scene import gain_and_readnoise, meta, noisy, reference

from jwrules.errors import CannotRun, DataFault
from jwrules.products import fits
from jwrules.products.flags import DQ
from jwrules.products.kinds import Dark, Linearity, Mask, Ramp, Reset, Rscd, Saturation, Superbias
from jwrules.products.rooms import Packed
from jwrules.stages import budget, detector1
from jwrules.stages.chain import Call
from jwrules.stages.workbench import Workbench

NAME = "jw01234001001_02101_00001_nrcalong"
NEAR = ["group_scale", "dq_init", "saturation", "superbias", "refpix", "linearity", "dark_current", "jump"]
KEYWORDS = {
    "INSTRUME": "NIRCAM",
    "NOUTPUTS": 1,
    "NINTS": 3,
    "NGROUPS": 7,
    "NFRAMES": 2,
    "GROUPGAP": 1,
    "TGROUP": 30.0,
    "EFFINTTM": 200.0,
    "SUBSTRT1": 1,
    "SUBSTRT2": 1,
    "SUBSIZE1": 48,
    "SUBSIZE2": 40,
    "SUBARRAY": "FULL",
    "READPATT": "FASTR1",
    "DETECTOR": "NRCALONG",
}
SHAPE = (3, 7, 40, 48)


def scene():
    """Counts with all that steps look for: saturation that spreads, snowballs, cosmic rays, drifts."""
    random = np.random.default_rng(8)
    rate = random.exponential(60.0, SHAPE[2:])
    rate[20:24, 30:34] = 3000.0
    counts = 8000 + noisy(rate, SHAPE, frames=2, gap=1, seed=3) + random.normal(0, 20, SHAPE[:2])[..., None, None]
    for i, g, y, x in random.integers(0, SHAPE, (150, 4)):
        counts[i, g:, y, x] += random.exponential(3000)
    y, x = np.mgrid[:40, :48]
    for i, g, cy, cx in ((0, 3, 19, 12), (1, 2, 8, 40), (2, 4, 30, 3)):
        distance = np.hypot(y - cy, x - cx)
        counts[i, g:] += 60000 * (distance < 4) + 700 * (distance < 8)
    return np.clip(counts, 0, 65535).astype(np.uint16)


def references():
    random = np.random.default_rng(9)
    dq = np.zeros(SHAPE[2:], np.uint32)
    dq[:4], dq[-4:], dq[:, :4], dq[:, -4:] = (DQ.REFERENCE_PIXEL,) * 4
    dq[random.integers(4, 36, 40), random.integers(4, 44, 40)] |= np.uint32(DQ.DO_NOT_USE)
    coeffs = np.stack([np.zeros(SHAPE[2:]), np.ones(SHAPE[2:]), random.uniform(1e-7, 1e-6, SHAPE[2:])])
    dark = random.normal(0, 2, (21, *SHAPE[2:])).cumsum(axis=0)
    return [
        reference(Mask, dq=dq),
        reference(Saturation, data=random.uniform(40000, 60000, SHAPE[2:])),
        reference(Superbias, data=random.uniform(6000, 8000, SHAPE[2:])),
        reference(Linearity, coeffs=coeffs),
        reference(Dark, data=dark),
        reference(Reset, data=random.normal(0, 3, (2, 3, *SHAPE[2:]))),
        *gain_and_readnoise(SHAPE[2:]).values(),
    ]


def write(folder, one):
    keywords = {"REFTYPE": one.reftype.upper(), "SUBSTRT1": 1, "SUBSTRT2": 1}
    path = folder / f"{one.reftype}.fits"
    pyfits.HDUList(fits.hdus(path.name, type(one)(**{**vars(one), "meta": one.meta.updated(**keywords)}))).writeto(path)
    return path


def larger(one):
    """The same reference file for a frame that is four times as high and wide."""
    arrays = {name: np.tile(array, (4, 4)) for name, array in vars(one).items() if isinstance(array, np.ndarray)}
    return replace(one, **arrays)


def rscd(folder):
    row = [("FULL", "FASTR1", 1, 2)]
    table = np.array(row, [("subarray", "U17"), ("readpatt", "U12"), ("group_skip1", "i4"), ("group_skip", "i4")])
    path = folder / "rscd.fits"
    header = pyfits.Header([("REFTYPE", "RSCD")])
    pyfits.HDUList(
        [pyfits.PrimaryHDU(header=header), pyfits.BinTableHDU(table, name=fits.declared(Rscd)["table"].name)]
    ).writeto(path)
    return path


@dataclass
class Night:
    uncal: object
    files: dict

    def bench(self, folder, calls):
        return Workbench("detector1", calls, self.files, folder)


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    header = meta(**({"FASTAXIS": -1, "SLOWAXIS": 2, "TFRAME": 10.0} | KEYWORDS)).primary
    zero = pyfits.ImageHDU(scene()[:, 0] // 2 + 4000, name="ZEROFRAME")
    uncal = folder / f"{NAME}_uncal.fits"
    pyfits.HDUList([pyfits.PrimaryHDU(header=header), pyfits.ImageHDU(scene(), name="SCI"), zero]).writeto(uncal)
    files = {one.reftype: write(folder, one) for one in references()}
    return Night(uncal, files | {"rscd": rscd(folder)})


def plain(calls, **settings):
    return [Call(name, settings.get(name, {})) for name in calls]


CHAINS = {
    "time series": plain([*NEAR, "ramp_fit", "gain_scale"]),
    "snowballs": plain([*NEAR, "ramp_fit"], jump={"expand_large_events": True, "min_jump_area": 3.0}),
    "showers": plain(
        ["dq_init", "saturation", "firstframe", "lastframe", "reset", "rscd", *NEAR[3:], "persistence", "ramp_fit"],
        jump={
            "find_showers": True,
            "extend_min_area": 20,
            "extend_snr_threshold": 0.9,
            "time_masked_after_shower": 60.0,
        },
        persistence={"persistence_time": 100, "dn_threshold": 30000.0},
    ),
    "segments": plain([*NEAR, "ramp_fit"], ramp_fit={"save_opt": True}),
    "likely": plain([*NEAR, "bad_ramp", "ramp_fit"], ramp_fit={"save_opt": True, "algorithm": "LIKELY"}),
    "clipped": plain([*NEAR, "ramp_fit"], jump={"minimum_sigclip_groups": 3}, dark_current={"dark_output": "mine"}),
    "streaks": plain(
        [*NEAR, "clean_flicker_noise", "ramp_fit"],
        clean_flicker_noise={"save_mask": True, "save_background": True, "save_noise": True, "single_mask": False},
    ),
    "clipped showers": plain([*NEAR, "ramp_fit"], jump={"minimum_sigclip_groups": 3, "find_showers": True}),
}


def digest(paths):
    found = {}
    for path in paths:
        with pyfits.open(path, checksum=True) as hdus:
            for hdu in hdus:
                cards = [(k, v) for k, v in hdu.header.items() if k not in ("DATE", "CHECKSUM")]
                found[path.name, hdu.name, "header"] = repr(cards)
                content = b"" if hdu.data is None else hdu.data.tobytes()
                found[path.name, hdu.name] = hashlib.sha256(content).hexdigest()
    return found


def made(night, folder, calls):
    return digest(detector1.run(night.uncal, night.bench(folder, calls), 4000, ["ramp"]))


@pytest.fixture(scope="module")
def whole(night, tmp_path_factory):
    """What each chain gives in one block, on one thread."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "BLOCK", 10**12)
        patch.setattr(detector1, "allowed_threads", lambda: 1)
        return {name: made(night, tmp_path_factory.mktemp("whole"), calls) for name, calls in CHAINS.items()}


def kept_nowhere(self, exposure, route):
    """Keep flags where they cannot be had again, and counts not at all, or all of it where counts cannot either."""
    if len(route) > 1 and self._is_lost(exposure, route, "data"):
        return kept_on_disk(self, exposure, route)
    if len(route) < 2 or not self._is_lost(exposure, route, "flags"):
        return ()
    exposure.rooms["groupdq"] = Packed(exposure.shape)
    return ("groupdq",)


def kept_in_a_log(self, exposure, route):
    """The same, nearly all of it in a scratch file."""
    with mock.patch.object(Packed, "LOG", 1000):
        return kept_nowhere(self, exposure, route)


def kept_on_disk(self, exposure, route):
    nints, _, ny, nx = exposure.shape
    shapes = {"data": (exposure.shape, "f4"), "groupdq": (exposure.shape, "u1"), "zeroframe": ((nints, ny, nx), "f4")}
    exposure.rooms.update({n: self.room(shape, kind, in_memory=False) for n, (shape, kind) in shapes.items()})
    return tuple(shapes)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("kept", [None, kept_nowhere, kept_in_a_log, kept_on_disk])
@pytest.mark.parametrize(("rows", "columns", "threads"), [(40, 48, 2), (5, 48, 2), (7, 11, 1)])
def test_blocks_change_no_bit(night, whole, tmp_path, monkeypatch, chain, kept, rows, columns, threads):
    monkeypatch.setattr(budget.Budget, "patch", lambda self, exposure, margin: (rows, columns))
    monkeypatch.setattr(budget, "BLOCK", 1)
    monkeypatch.setattr(detector1, "allowed_threads", lambda: threads)
    if kept:
        monkeypatch.setattr(budget.Budget, "kept", kept)
    assert made(night, tmp_path, CHAINS[chain]) == whole[chain]


def test_a_block_leaves_the_last_row_to_others_though_it_needs_it_as_its_margin(night, whole, tmp_path, monkeypatch):
    monkeypatch.setattr(budget.Budget, "patch", lambda self, exposure, margin: (39, 48))
    monkeypatch.setattr(detector1, "allowed_threads", lambda: 1)
    assert made(night, tmp_path, CHAINS["time series"]) == whole["time series"]


def test_the_scene_has_what_blocks_could_spoil(night, whole, tmp_path):
    rate = next(iter(detector1.run(night.uncal, night.bench(tmp_path, CHAINS["snowballs"]))))
    with pyfits.open(rate) as hdus:
        dq = hdus["DQ"].data
        assert np.count_nonzero(dq & DQ.SATURATED) > 30
        assert np.count_nonzero(dq & DQ.JUMP_DET) > 200
        assert hdus[0].header["EXTNCRS"] > 0
    assert whole["snowballs"] != whole["time series"]


def test_a_ramp_that_is_saved_is_what_was_fitted(night, tmp_path):
    paths = detector1.run(night.uncal, night.bench(tmp_path, CHAINS["time series"]), save=["ramp", "saturation"])
    assert {path.name for path in paths} == {f"{NAME}_{end}.fits" for end in ("rate", "rateints", "ramp", "saturation")}
    ramp = fits.read(tmp_path / f"{NAME}_ramp.fits", Ramp)
    early = fits.read(tmp_path / f"{NAME}_saturation.fits", Ramp)
    assert ramp.meta["S_JUMP"] == "COMPLETE"
    assert early.meta.get("S_JUMP") is None
    assert (early.data == scene()).all()
    assert np.count_nonzero(early.groupdq & DQ.JUMP_DET) == 0 < np.count_nonzero(ramp.groupdq & DQ.JUMP_DET)


def test_what_the_reference_output_of_miri_reads_goes_into_a_ramp_that_is_saved(night, tmp_path):
    raw, values = tmp_path / night.uncal.name, np.arange(3 * 7 * 40 * 12, dtype=np.uint16).reshape(3, 7, 40, 12)
    raw.write_bytes(night.uncal.read_bytes())
    pyfits.append(raw, values, pyfits.Header([("EXTNAME", "REFOUT")]))
    detector1.run(raw, night.bench(tmp_path / "made", CHAINS["time series"]), save=["ramp"])
    assert np.array_equal(fits.read(tmp_path / "made" / f"{NAME}_ramp.fits", Ramp).refout, values)
    with pyfits.open(tmp_path / "made" / f"{NAME}_ramp.fits", checksum=True) as hdus:
        assert np.array_equal(hdus["REFOUT"].data, values)
    pyfits.update(raw, values[..., :5], pyfits.Header([("EXTNAME", "REFOUT")]), "REFOUT")
    with pytest.raises(DataFault, match=r"\[REFOUT\]: shape \(3, 7, 40, 5\), where \(3, 7, 40, 12\) goes with SCI"):
        detector1.run(raw, night.bench(tmp_path / "made", CHAINS["time series"]))


def test_too_little_memory_is_said_before_anything_is_written(night, tmp_path):
    with pytest.raises(CannotRun, match=r"--memory 100M is too little.* MB more"):
        detector1.run(night.uncal, night.bench(tmp_path, CHAINS["time series"]), 100)
    assert list(tmp_path.glob("*.fits")) == []


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, f"{NAME}_fitopt.fits"),
        ({"algorithm": "LIKELY"}, f"{NAME}_likely_chisq.fits"),
        ({"opt_name": "mine.fits"}, "mine_fitopt.fits"),
    ],
)
def test_what_the_fit_is_made_of_is_a_product_on_request(night, tmp_path, settings, name):
    calls = plain([*NEAR, "ramp_fit"], ramp_fit={"save_opt": True} | settings)
    paths = detector1.run(night.uncal, night.bench(tmp_path, calls))
    assert [path.name for path in paths] == [f"{NAME}_rate.fits", f"{NAME}_rateints.fits", name]


LIMITED = """
import resource, sys
from pathlib import Path
from jwrules.stages import detector1, workbench
small, uncal, output, room, *files = sys.argv[1:]
files = {{kind: Path(path) for kind, path in (file.split("=") for file in files)}}
bench = workbench.Workbench("detector1", workbench.calls({calls!r}), files, Path(output))
detector1.run(Path(small), bench)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + int(room), size + int(room)))
detector1.run(Path(uncal), bench, 280)
"""


CORRECTED = [{"step": "dq_init"}, {"step": "saturation"}, {"step": "linearity"}]
SAVED = {"save_mask": True, "save_background": True, "save_noise": True, "single_mask": False}
CLEANED = [{"step": "dq_init"}, {"step": "clean_flicker_noise", "params": SAVED}]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
@pytest.mark.parametrize("steps", [CORRECTED, CLEANED], ids=["corrected", "cleaned"])
def test_an_exposure_larger_than_memory_is_reduced(night, tmp_path, steps):
    """A file of 200 MB, of which all ramps would take 500, within 130 MB beside the libraries."""
    uncal = tmp_path / f"{NAME}_uncal.fits"
    with pyfits.open(night.uncal) as hdus:
        primary = hdus[0].header.copy()
    data = np.tile(scene(), (156, 1, 4, 4))
    primary["NINTS"], primary["SUBSIZE1"], primary["SUBSIZE2"] = len(data), data.shape[3], data.shape[2]
    pyfits.HDUList([pyfits.PrimaryHDU(header=primary), pyfits.ImageHDU(data, name="SCI")]).writeto(uncal)
    del data
    steps = json.dumps([*steps, {"step": "ramp_fit"}])
    files = [f"{one.reftype}={write(tmp_path, larger(one))}" for one in references()]
    command = [sys.executable, "-c", LIMITED.format(calls=steps), night.uncal, uncal, tmp_path, 130 * 2**20, *files]
    subprocess.run([str(word) for word in command], check=True, env={"NUMBA_NUM_THREADS": "1"})
    assert uncal.stat().st_size > 2e8
