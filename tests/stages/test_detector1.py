"""What stage 1 writes besides its count rates."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits as pyfits
from flicker_scene import exposure as exposure_with_flicker
from interference_scene import HERTZ, shape
from interference_scene import exposure as interfered
from ramp_scene import gain_and_readnoise, ramp, reference

from jwrules.errors import CannotRun
from jwrules.products import fits
from jwrules.products.flags import DQ
from jwrules.products.kinds import (
    Dark,
    DarkOfGroups,
    Emicorr,
    FlickerNoise,
    Persat,
    Persistence,
    PersistenceArray,
    PictureFrame,
    PictureFrameCorrection,
    Ramp,
    Reference,
    ShownBackground,
    TrapDensity,
    TrapsFilled,
)
from jwrules.products.reference import open_reference
from jwrules.stages import chain, dark, detector1
from jwrules.stages.workbench import Workbench

NAME = "jw01234001001_02101_00001_nrcalong"
KEYWORDS = {
    "EXPSTART": 60000.0,
    "EXPEND": 60000.01,
    "NINTS": 2,
    "NGROUPS": 4,
    "EFFINTTM": 40.0,
    "SUBSTRT1": 5,
    "SUBSTRT2": 9,
}


def exposure():
    return ramp(np.arange(1.0, 5.0)[:, np.newaxis, np.newaxis] * np.full((2, 1, 3, 4), 9000.0), **KEYWORDS)


def write(folder, name, product):
    keywords = {"REFTYPE": product.reftype} if isinstance(product, Reference) else {}
    fits.write(folder / f"{name}.fits", replace(product, meta=product.meta.updated(SUBSTRT1=5, SUBSTRT2=9, **keywords)))
    return folder / f"{name}.fits"


def bench(folder, **settings):
    files = {name: write(folder, name, one) for name, one in gain_and_readnoise((3, 4)).items()}
    files["trapdensity"] = write(folder, "trapdensity", reference(TrapDensity, data=np.ones((3, 4))))
    files["persat"] = write(folder, "persat", reference(Persat, data=np.full((3, 4), 6e4)))
    table = np.array(
        [(900.0, -0.02, 150.0, -0.01)], [(n, "f8") for n in ("capture0", "capture1", "capture2", "decay_param")]
    )
    primary = pyfits.PrimaryHDU(header=pyfits.Header([("REFTYPE", "TRAPPARS")]))
    files["trappars"] = folder / "trappars.fits"
    pyfits.HDUList([primary, pyfits.BinTableHDU(table, name="TRAPPARS")]).writeto(files["trappars"])
    calls = [chain.Call("persistence", {"method": "traps"} | settings), chain.Call("ramp_fit")]
    return Workbench("detector1", calls, files, folder / "out")


def test_the_filled_traps_are_a_product_that_the_next_exposure_can_be_given(tmp_path):
    uncal = write(tmp_path, f"{NAME}_uncal", exposure())
    made = detector1.run(uncal, bench(tmp_path))
    assert [path.name for path in made] == [f"{NAME}_{end}.fits" for end in ("trapsfilled", "rate", "rateints")]
    traps = open_reference(made[0], TrapsFilled, exposure().meta, (3, 4))
    assert traps.data.shape == (1, 3, 4)
    assert traps.data.min() > 0
    assert traps.meta["EXPEND"] == 60000.01
    assert traps.meta["R_TRPPAR"] == "crds://trappars.fits"


def test_what_persistence_took_off_is_a_product_where_it_is_asked_for(tmp_path):
    uncal = write(tmp_path, f"{NAME}_uncal", exposure())
    made = detector1.run(uncal, bench(tmp_path, save_persistence=True, save_trapsfilled=False))
    assert [path.name for path in made] == [f"{NAME}_{end}.fits" for end in ("output_pers", "rate", "rateints")]
    assert fits.read(made[0], Persistence).data[1].min() > 0


def test_open_windows_are_a_product_that_the_next_exposure_can_be_given(tmp_path):
    product = exposure()
    product.groupdq[1, 2, 0, 1] = np.uint8(DQ.SATURATED)
    uncal = write(tmp_path, f"{NAME}_uncal", product)
    settings = {"method": "window", "persistence_time": 100, "save_persistence": True}
    made = detector1.run(uncal, bench(tmp_path, **settings))
    assert [path.name for path in made] == [
        f"{NAME}_{end}" for end in ("persistence.asdf", "rate.fits", "rateints.fits")
    ]
    windows = open_reference(made[0], PersistenceArray, product.meta, (3, 4)).tree["NRCALONG"]
    assert (windows["rows"].tolist(), windows["cols"].tolist(), windows["pers_time"]) == ([8], [5], 100)
    # the third group of the second integration is read 70 s after the start
    np.testing.assert_allclose(windows["vals"], (60000 - 40587) * 86400 + 170, rtol=0, atol=1e-5)


def streaky():
    """Two integrations of 64 x 96 pixels with flicker noise, as they are read."""
    product = exposure_with_flicker((64, 96), nints=2, ngroups=4, sigma=20.0, NINTS=2, NGROUPS=4, EFFINTTM=160.0).ramp
    return replace(product, data=np.clip(np.rint(product.data + 1000), 0, 65535))


def cleaned(folder, save=("clean_flicker_noise",), given=None, **settings):
    """What stage 1 makes of it, by suffix."""
    folder.mkdir(exist_ok=True)
    uncal = write(folder, f"{NAME}_uncal", streaky())
    files = {name: write(folder, name, one) for name, one in gain_and_readnoise((64, 96)).items()} | (given or {})
    calls = [chain.Call("group_scale"), chain.Call("clean_flicker_noise", settings), chain.Call("ramp_fit")]
    made = detector1.run(uncal, Workbench("detector1", calls, files, folder / "out"), save=save)
    return {path.name.removeprefix(f"{NAME}_").removesuffix(".fits"): path for path in made}


ASKED = {"save_mask": True, "save_background": True, "save_noise": True}


def test_mask_background_and_noise_are_products_where_they_are_asked_for(tmp_path):
    assert set(cleaned(tmp_path, save=())) == {"rate", "rateints"}
    assert set(cleaned(tmp_path, save=(), **ASKED)) == {"mask", "flicker_bkg", "flicker_noise", "rate", "rateints"}


def test_the_ramp_before_and_the_noise_that_is_written_are_the_ramp_after(tmp_path):
    made = cleaned(tmp_path, save=("group_scale", "clean_flicker_noise"), save_noise=True)
    before, after = (fits.read(made[name], Ramp) for name in ("group_scale", "clean_flicker_noise"))
    noise = fits.read(made["flicker_noise"], FlickerNoise)
    np.testing.assert_allclose(before.data + noise.data, after.data, rtol=1e-6)
    assert np.std(noise.data) > 5
    assert (noise.meta["S_CLNFNS"], noise.meta["DATAMODL"]) == ("COMPLETE", "RampModel")


@pytest.mark.parametrize(("stage", "last"), [(detector1, ["ramp_fit"]), (dark, [])], ids=["detector1", "dark"])
def test_waves_of_interference_are_a_product_and_a_reference_file(tmp_path, stage, last):
    product, _ = interfered((2, 8, 32, 72), height=20.0, NINTS=2, NGROUPS=8)
    uncal = write(tmp_path, f"{NAME}_uncal", replace(product, data=np.rint(product.data)))
    files = {name: write(tmp_path, name, one) for name, one in gain_and_readnoise((32, 72)).items()}
    asked = {"onthefly_corr_freq": (HERTZ,), "save_intermediate_results": True}
    calls = [chain.Call("emicorr", asked), *map(chain.Call, last)]
    made = stage.run(uncal, Workbench("detector1", calls, files, tmp_path / "out"))
    (waves,) = (path for path in made if path.name == f"{NAME}_emi_ref_waves.asdf")
    tree = open_reference(waves, Emicorr, product.meta, (32, 72)).tree
    wave = np.array(tree["frequencies"][repr(HERTZ)]["phase_amplitudes"])
    assert np.std(wave) == pytest.approx(20 * np.std(shape(np.arange(99) / 99)), rel=0.2)


def darkened(folder, given, output, name=NAME):
    """What stage 1 makes of two integrations of four groups of two frames with a dark, by file name."""
    folder.mkdir(exist_ok=True)
    data = 1000 + np.zeros((2, 4, 3, 4))
    uncal = write(folder, f"{name}_uncal", ramp(data, **(KEYWORDS | {"NFRAMES": 2, "GROUPGAP": 1})))
    files = {name: write(folder, name, one) for name, one in gain_and_readnoise((3, 4)).items()} | {"dark": given}
    settings = {"dark_output": output}
    calls = [chain.Call("group_scale", skip=True), chain.Call("dark_current", settings), chain.Call("ramp_fit")]
    made = detector1.run(uncal, Workbench("detector1", calls, files, folder / "out"), save=["dark_current"])
    return {path.name: path for path in made}


def test_the_dark_that_was_subtracted_is_written_and_can_be_given_back(tmp_path):
    frames = np.random.default_rng(3).normal(1, 0.1, (12, 3, 4)).cumsum(axis=0)
    flags = np.full((3, 4), DQ.WARM)
    given = reference(Dark, {"NFRAMES": 1, "GROUPGAP": 0, "NGROUPS": 12}, data=frames, dq=flags)
    first = darkened(tmp_path / "first", write(tmp_path, "dark", given), "mine")
    assert set(first) == {"mine.fits", *(f"{NAME}_{suffix}.fits" for suffix in ("dark_current", "rate", "rateints"))}
    second = darkened(tmp_path / "second", first["mine.fits"], "again.fits")
    after = [fits.read(made[f"{NAME}_dark_current.fits"], Ramp) for made in (first, second)]
    one = fits.read(first["mine.fits"], DarkOfGroups)
    np.testing.assert_allclose(1000 - after[0].data, np.broadcast_to(one.data, (2, 4, 3, 4)), rtol=1e-4)
    np.testing.assert_array_equal(after[1].data, after[0].data)
    np.testing.assert_array_equal(after[1].pixeldq, after[0].pixeldq)
    known = [one.meta[name] for name in ("DATAMODL", "REFTYPE", "S_DARK", "NFRAMES", "GROUPGAP", "SUBSTRT2")]
    assert known == ["DarkModel", "DARK", "COMPLETE", 2, 1, 9]
    assert np.all(one.dq == DQ.WARM)


def test_no_product_takes_the_name_of_another(tmp_path):
    given = reference(Dark, {"NFRAMES": 1, "GROUPGAP": 0}, data=np.zeros((12, 3, 4)))
    with pytest.raises(CannotRun, match=f"two products would be called {NAME}_rate.fits"):
        darkened(tmp_path / "made", write(tmp_path, "dark", given), f"{NAME}_rate.fits")


def test_no_file_of_another_exposure_is_written_over(tmp_path):
    given = reference(Dark, {"NFRAMES": 1, "GROUPGAP": 0}, data=np.zeros((12, 3, 4)))
    dark, other = write(tmp_path, "dark", given), NAME.replace("_00001_", "_00002_")
    path = darkened(tmp_path / "made", dark, "mine")["mine.fits"]
    before = path.read_bytes()
    with pytest.raises(CannotRun, match=rf"mine.fits is there, made from {NAME}_uncal.fits; give the file .* a"):
        darkened(tmp_path / "made", dark, "mine", other)
    assert path.read_bytes() == before
    assert not list(path.parent.glob(f"{other}*"))
    darkened(tmp_path / "made", dark, "mine")  # the same again is no other
    path.write_bytes(dark.read_bytes())
    with pytest.raises(CannotRun, match=r"mine.fits is there, none of ours; give the file .* or remove it"):
        darkened(tmp_path / "made", dark, "mine")
    assert path.read_bytes() == dark.read_bytes()


def test_background_and_correction_of_the_picture_frame_are_products(tmp_path, monkeypatch):
    """A detector of 64 x 64 pixels, of which the borders glow."""
    for name, value in {"FRAME": (2, 62), "CENTRE": (14, 50), "INNER_EDGE": (13, 51)}.items():
        monkeypatch.setattr(f"jwrules.steps.picture_frame.{name}", value)
    edge = np.minimum(np.arange(64), np.arange(64)[::-1])
    glow = np.exp(-np.minimum(edge[:, np.newaxis], edge) / 5)
    data = (
        np.random.default_rng(2).normal(1000, 3, (2, 4, 64, 64)) + 50 * np.arange(4)[:, np.newaxis, np.newaxis] * glow
    )
    keywords = KEYWORDS | {"INSTRUME": "NIRSPEC", "SUBARRAY": "FULL", "EXP_TYPE": "NRS_IFU"}
    uncal = write(tmp_path, f"{NAME}_uncal", ramp(np.rint(data), **keywords))
    known = gain_and_readnoise((64, 64)) | {"pictureframe": reference(PictureFrame, data=glow)}
    files = {name: write(tmp_path, name, one) for name, one in known.items()}
    asked = {"save_mask": True, "save_correction": True}
    calls = [chain.Call("group_scale"), chain.Call("picture_frame", asked), chain.Call("ramp_fit")]
    made = detector1.run(uncal, Workbench("detector1", calls, files, tmp_path / "out"), save=["picture_frame"])
    found = {path.name.removeprefix(f"{NAME}_").removesuffix(".fits"): path for path in made}
    assert set(found) == {"pctfrm_mask", "pctfrm_correction", "picture_frame", "rate", "rateints"}
    after, change = (
        fits.read(found["picture_frame"], Ramp),
        fits.read(found["pctfrm_correction"], PictureFrameCorrection),
    )
    np.testing.assert_allclose(np.rint(data) + change.data, after.data, rtol=1e-6)
    assert np.ptp(change.data[:, 3]) > 50
    assert (change.meta["S_PCTFRM"], change.meta["DATAMODL"]) == ("COMPLETE", "RampModel")
    assert 0.5 < fits.read(found["pctfrm_mask"], ShownBackground).data.mean() < 1


def test_a_mask_that_was_written_can_be_given_back(tmp_path):
    first = cleaned(tmp_path / "first", save_mask=True)["mask"]
    second = cleaned(tmp_path / "second", given={"user_mask": first}, save_mask=True)["mask"]
    masks = [fits.read(path, ShownBackground) for path in (first, second)]
    np.testing.assert_array_equal(masks[0].data, masks[1].data)
    assert 0.5 < masks[0].data.mean() < 1


def test_nothing_is_written_of_a_step_that_is_skipped(tmp_path):
    uncal = write(tmp_path, f"{NAME}_uncal", exposure())
    files = {name: write(tmp_path, name, one) for name, one in gain_and_readnoise((3, 4)).items()}
    calls = [chain.Call("clean_flicker_noise", ASKED, skip=True), chain.Call("ramp_fit")]
    made = detector1.run(uncal, Workbench("detector1", calls, files, tmp_path / "out"))
    assert [path.name for path in made] == [f"{NAME}_rate.fits", f"{NAME}_rateints.fits"]
