"""Runs that are killed at random moments, driver or job, and what must hold after each kill."""

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

EPOCH = "1750000000"
"""The DATE of all products, so that bytes can be compared."""

RECIPE = """\
template: NIRCam Imaging
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}
associations:
  image2: {one_for_each: exposure, members: {science: rate}}
  image3: {one_for_each: [INSTRUME, optics, target], members: {science: cal}}
stages:
  detector1: [dq_init, saturation, jump, ramp_fit, gain_scale]
  image2: [assign_wcs, flat_field, photom]
  image3: [skymatch, outlier_detection, resample]
"""
"""Short stages of every kind: most of the time a run is between them, where kills do the most harm."""

MADE = ("results", "pictures")
VICTIMS = ("driver", "driver and jobs", "job", "job")


def command(folder, options=()):
    """The run of a program that lies in `folder`, there."""
    words = ["run", folder / "uncal", "--references", folder / "references", "--output", folder, "--cores", "2"]
    return [sys.executable, "-m", "jwrules", *map(str, words), "--no-report", *map(str, options)]


def started(folder, options=()):
    """Start a run; what it says goes to said.txt."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SOURCE_DATE_EPOCH": EPOCH}
    with (folder / "said.txt").open("a") as said:
        return subprocess.Popen(command(folder, options), stdout=said, stderr=said, env=environment)


def held(path):
    """What a file holds; of a record, what does not depend on when and where it was written."""
    if path.suffix != ".json" or path.name.endswith("_asn.json"):
        return path.read_bytes()
    record = json.loads(path.read_text())
    return [record["key"], [(one["file"], one["digest"]) for one in (*record["members"], *record["gave"])]]


def visible(folder):
    """The files under a final name, by path."""
    found = (path for name in MADE for path in (folder / name).glob("[!.]*"))
    return {str(path.relative_to(folder)): path for path in found}


@dataclass
class Kills:
    """A program in `folder`, run again and again, and compared with `whole`: one that was run undisturbed."""

    folder: Path
    whole: Path
    chance: random.Random
    longest: float
    options: tuple = ()
    done: Counter = field(default_factory=Counter)
    runs: int = 0
    told: Callable[[str], None] = lambda said: None
    _records: dict = field(default_factory=dict)

    def run(self, kills):
        """Kill runs until so many kills are done, and let the last one end; begin anew whenever all is there."""
        while self.done.total() < kills:
            status = self._disturbed(kills)
            self.check()
            if status == 0:
                self.check_whole()
                self._clear()
        assert started(self.folder, self.options).wait() == 0, (self.folder / "said.txt").read_text()[-3000:]
        self.check()
        self.check_whole()

    def _disturbed(self, kills):
        """One run, in which jobs are killed until its driver is, or it ends; return its status."""
        self.runs += 1
        driver = started(self.folder, self.options)
        while self.done.total() < kills:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return driver.wait(self.chance.uniform(0, self.longest / 2))
            self._kill(driver, self.chance.choice(VICTIMS))
            self.check()
        return driver.wait()

    def _kill(self, driver, victim):
        jobs = _jobs(driver.pid)
        if victim == "job" and not jobs:
            return
        self.done[victim] += 1
        self.told(f"kill {self.done.total()}: {victim}; {len(visible(self.folder))} files stand")
        if victim.startswith("driver"):
            driver.kill()
            driver.wait()
        for job in jobs if victim == "driver and jobs" else [self.chance.choice(jobs)] if victim == "job" else []:
            with contextlib.suppress(psutil.Error):
                job.kill()

    def check(self):
        """What stands under a final name is what an undisturbed run gives; what has a record is not made again."""
        for name, path in visible(self.folder).items():
            with contextlib.suppress(FileNotFoundError):
                assert held(path) == held(self.whole / name), f"{name} is not what an undisturbed run gives"
        now = {path.name: path.stat().st_ino for path in (self.folder / "results").glob("[!.]*_[di]*[123].json")}
        lost = {name for name, inode in self._records.items() if now.get(name) != inode}
        assert not lost, f"made again though they were done: {lost}"
        self._records = now

    def check_whole(self):
        """Everything is there, and nothing else."""
        assert visible(self.folder).keys() == visible(self.whole).keys()

    def _clear(self):
        for name in MADE:
            for path in (self.folder / name).iterdir():
                path.unlink()
        self._records = {}


def _jobs(driver):
    try:
        return psutil.Process(driver).children(recursive=True)
    except psutil.Error:
        return []


def undisturbed(folder, options=()):
    """Run a program to its end; return how many seconds that took."""
    began = time.monotonic()
    assert started(folder, options).wait() == 0, (folder / "said.txt").read_text()
    return time.monotonic() - began
