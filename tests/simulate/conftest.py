"""A program small enough to be simulated for every test run: one corner of a detector, two dithers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jwrules import simulate
from jwrules.simulate import nircam, program
from jwrules.simulate.nircam import Pointing, Window

CORNER = Window("SUB640", 0, nircam.FULL_SIZE - 96, 128, 96, 1)
READOUT = nircam.Readout("SHALLOW4", frames=4, gap=1, groups=3, integrations=2)


def tiny(size: str) -> tuple[Pointing, ...]:
    short, _ = nircam.imaging(size)
    dithers = ((0.0, 0.0), (0.313, -0.207))
    few = {"stars": 6, "galaxies": 2, "dark_frames": 6}
    return (replace(short, window=CORNER, readout=READOUT, dithers=dithers, **few),)


@pytest.fixture(scope="session")
def write_tiny() -> Callable[[Path], Path]:
    """Write the tiny program into a folder."""

    def write(folder: Path) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(program, "imaging", tiny)
            simulate.run("nircam_imaging", folder, seed=1)
        return folder

    return write


@pytest.fixture(scope="session")
def simulated(write_tiny: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny simulated program."""
    return write_tiny(tmp_path_factory.mktemp("simulated"))
