"""The program of MIRI imaging, made smaller: one exposure of few groups."""

import filecmp
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from jwrules import headers, recipes, references, simulate
from jwrules.products import fits as files
from jwrules.products.kinds import Dark, Ramp, Reset
from jwrules.products.reference import open_reference
from jwrules.simulate import miri, nircam


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Write the tiny program into a folder of its own; return the folder."""

    def run(name):
        (pointing,) = miri.imaging("small")
        tiny = replace(pointing, readout=nircam.Readout("FASTR1", 1, 0, 4, 2), dithers=((0.0, 0.0),), dark_frames=3)
        folder = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(miri, "imaging", lambda size: (replace(tiny, stars=5, galaxies=1),))
            simulate.run("miri_imaging", folder, seed=1)
        return folder

    return run


@pytest.fixture(scope="module")
def simulated(write):
    return write("simulated")


@pytest.fixture(scope="module")
def ramp(simulated):
    return files.read(next((simulated / "uncal").iterdir()), Ramp)


def test_the_exposure_is_one_of_miri_imaging(simulated, ramp):
    header = headers.read(next((simulated / "uncal").iterdir()))
    assert recipes.pick(header, recipes.all()).name == "miri_imaging"
    assert ramp.data.shape == (2, 4, 128, 136)
    assert (ramp.meta["SUBSTRT1"], ramp.meta["SUBSTRT2"], ramp.meta["SUBARRAY"]) == (1, 889, "SUB128")


def test_it_has_no_keywords_of_nircam(ramp):
    assert [name for name in ("MODULE", "CHANNEL", "PUPIL", "PILIN") if ramp.meta.get(name) is not None] == []
    assert "NIRC" not in repr(ramp.meta.primary)


def test_every_reference_file_that_the_recipe_asks_for_is_found(simulated, tmp_path):
    header = headers.read(next((simulated / "uncal").iterdir()))
    recipe = recipes.pick(header, recipes.all())
    steps = [step for stage in ("detector1", "image2", "image3") for step in recipe.resolve(stage, header)]
    wanted = {name: needed for step in steps if not step.skip for name, needed in step.references.items()}
    chosen = references.open(simulated / "references", tmp_path / "ledger.json").choose(
        wanted, header, {name for name, needed in wanted.items() if not needed}
    )
    assert {name for name, one in chosen.items() if one is None} == {"user_supplied_dq"}


@pytest.mark.parametrize(("kind", "shape"), [(Reset, (2, 12, 128, 136)), (Dark, (2, 3, 128, 136))])
def test_reset_and_dark_have_integrations(simulated, ramp, kind, shape):
    path = next((simulated / "references").glob(f"*_{kind.reftype}_*"))
    assert open_reference(path, kind, ramp.meta, ramp.pixeldq.shape).data.shape == shape


def test_the_left_columns_are_reference_pixels(simulated, ramp):
    with fits.open(next((simulated / "truth").glob("*.fits"))) as hdus:
        assert not hdus["RATE"].data[:, :4].any()
        assert np.median(hdus["RATE"].data[:, 4:]) > 5


def test_the_same_seed_gives_the_same_bytes(simulated, write):
    again = write("again")
    made = [path.relative_to(simulated) for path in simulated.rglob("*") if path.is_file()]
    assert len(made) == 21
    assert all(filecmp.cmp(simulated / file, again / file, shallow=False) for file in made)
