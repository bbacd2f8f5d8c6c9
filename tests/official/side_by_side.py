"""One simulated program through jwrules and through the official pipeline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import Task, start

SHORT, LONG = "jw09001001001_02101_00001_nrcb1", "jw09001002001_02101_00001_nrcalong"
DITHERS = "jw09001001001_02101_0000?_nrcb1"
MOSAIC = "jw09001-o001_t001_nircam_clear-f200w-sub640"
ASSOCIATION = "ours/jw09001-o001_image3_00001_asn.json"
REFERENCES = "demo/references"
ALIGNED = ("tweakreg.abs_refcat=demo/truth/astrometric_catalog.ecsv",)

OPTIONS = {
    "": {"image3": ALIGNED},
    "_alike": {
        "detector1": (
            "saturation.partial_search=official",
            "ramp_fit.weighting=official",
            "jump.statistic=official",
            "jump.expand_large_events=false",
        ),
        "image3": (
            "tweakreg.skip=true",
            "skymatch.skymethod=local",
            "skymatch.skystat=median",
            "outlier_detection.noise=own",
            "outlier_detection.blur=0",
            "source_catalog.centroid=finder",
        ),
    },
}
"""Options beyond the recipe's; with those of `_alike` both pipelines are to do the same."""


@dataclass(frozen=True)
class Both:
    """A folder with a program, demo/, and the products of both pipelines.

    They are in ours/, official/, ours_alike/, official_alike/.
    One exposure of each detector goes through both; the other three of the short-wavelength filter through jwrules.
    Stage 3 of both pipelines starts from the `_cal` files and the association in ours/.
    """

    folder: Path

    @property
    def truth(self) -> Path:
        return self.folder / "demo" / "truth"

    def pair(self, name: str, alike: str = "") -> tuple[Path, Path]:
        """The product `name` of jwrules and of the official pipeline."""
        return self.folder / f"ours{alike}" / name, self.folder / f"official{alike}" / name

    def make(self) -> None:
        """Run everything, the two pipelines side by side."""
        official = start([one for alike in OPTIONS for one in _exposures(alike)], self.folder, "exposures")
        self._ours("", DITHERS, LONG)
        self._ours("_alike", SHORT, LONG)
        jwrules(self.folder, "associate", "demo/uncal", "--output", "ours")
        official.wait()
        official = start([_task("image3", ASSOCIATION, "official", alike) for alike in OPTIONS], self.folder, "mosaics")
        for alike in OPTIONS:
            run(self.folder, _task("image3", ASSOCIATION, "ours", alike))
        official.wait()

    def _ours(self, alike: str, *names: str) -> None:
        for stage, folder, suffix in (("detector1", "demo/uncal", "uncal"), ("image2", f"ours{alike}", "rate")):
            paths = [path for name in names for path in sorted(self.folder.glob(f"{folder}/{name}_{suffix}.fits"))]
            run(self.folder, _task(stage, "", "ours", alike), *paths)


def _exposures(alike: str) -> Iterator[Task]:
    for name in (SHORT, LONG):
        yield _task("detector1", f"demo/uncal/{name}_uncal.fits", "official", alike)
        yield _task("image2", f"official{alike}/{name}_rate.fits", "official", alike)


def _task(stage: str, source: str, who: str, alike: str) -> Task:
    return Task(stage, source, f"{who}{alike}", REFERENCES, OPTIONS[alike].get(stage, ()))


def run(folder: Path, task: Task, *paths: Path) -> None:
    """Run the task with jwrules, on its source or on `paths` instead."""
    sets = [word for option in task.sets for word in ("--set", option)]
    where = ["--references", task.references, "--output", task.output]
    jwrules(folder, task.stage, *(paths or [task.source]), *where, *sets)


def jwrules(folder: Path, *arguments: str | Path) -> None:
    """Call the command line in `folder`; AssertionError with what it said where it failed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "jwrules", *map(str, arguments)]
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
