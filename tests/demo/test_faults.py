"""Whatever goes wrong is told in plain words, leaves no half product, and the next run carries on."""

import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from astropy.io import fits

from jwrules import headers
from tests.demo import small

pytestmark = pytest.mark.workflow

FIRST, SECOND, F444W = small.EXPOSURES

RECIPE = """\
template: NIRCam Imaging
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}
associations: {image2: {one_for_each: exposure, members: {science: rate}}}
stages:
  detector1: [dq_init, saturation, jump, ramp_fit, gain_scale]
  image2: [assign_wcs, flat_field, photom]
"""
"""Two short stages: two jobs for an exposure."""

DEADLY = """\
import os, signal, sys

left = [{count}]

def die(event, arguments):
    if event == {event!r} and str(arguments[{which}]).endswith({end!r}):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

if "detector1" in sys.orig_argv:
    sys.addaudithook(die)
"""
"""A module that kills the process of detector1 when something happens in it for the n-th time."""


@pytest.fixture
def several(raw):
    """Three exposures and a short recipe; nothing is made yet."""
    (raw.folder / "short.yaml").write_text(RECIPE)
    return raw


@pytest.fixture
def one(several):
    """One exposure and a short recipe; nothing is made yet."""
    for name in (FIRST, SECOND):
        (several.uncal / f"{name}_uncal.fits").unlink()
    return several


def run(demo, **how):
    return demo.run("--no-report", "--recipe", demo.folder / "short.yaml", check=False, **how)


def failed(demo, **how):
    """Run what must fail; return what is said of it."""
    done = run(demo, **how)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr


def carries_on(demo):
    """Run again: everything is there in the end, whole, and nothing else."""
    done = run(demo)
    assert done.returncode == 0, done.stderr
    exposures = [path.name.removesuffix("_uncal.fits") for path in demo.uncal.iterdir()]
    ends = ("rate.fits", "rateints.fits", "cal.fits", "detector1.json", "image2.json")
    assert set(os.listdir(demo.results)) == {f"{name}_{end}" for name in exposures for end in ends}
    for path in demo.products("*.fits"):
        headers.check_complete(path)
    return done


def visible(folder):
    return [path.name for path in folder.glob("[!.]*")]


def test_faults_of_several_exposures_are_told_at_once(several, simulated):
    more = several.uncal / f"{small.ONE_MORE}_uncal.fits"
    small.cut_file(simulated.uncal / more.name, more)
    short, bare, long = (several.uncal / f"{name}_uncal.fits" for name in small.EXPOSURES)
    os.truncate(short, 200_000)
    with fits.open(bare) as hdus:
        fits.HDUList([hdu.copy() for hdu in hdus if hdu.name != "SCI"]).writeto(bare, overwrite=True)
    fits.setval(long, "NGROUPS", value=9)
    fits.setval(more, "FILTER", value="F999X")
    fits.setval(more, "EXP_TYPE", value="NRC_IMGE")
    said = failed(several)
    for path, words in [
        (short, "truncated: HDU 1 (SCI, BITPIX 16, 160 x 160 x 7 x 1) ends at byte"),
        (bare, "there is no extension 'SCI'; it has PRIMARY, GROUP"),
        (long, "NGROUPS promises 9, but SCI holds 8"),
        (more, "FILTER = 'F999X' is not a value that JWST knows"),
        (more, "EXP_TYPE = 'NRC_IMGE' is not a value that JWST knows; did you mean NRC_IMAGE?"),
    ]:
        assert f"{path}: {words}" in said
    assert not several.results.exists()


def smaller(array):
    return array[:100].copy()


def nowhere(array):
    return np.full_like(array, np.nan)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (smaller, "shape (100, 160) (rows, columns) from SUBSTRT2, SUBSTRT1 = (1, 1) does not hold the exposure's"),
        (nowhere, "25600 of 25600 values are NaN or infinite"),
    ],
    ids=["shape", "NaN"],
)
def test_a_reference_that_cannot_serve_is_told(one, change, words):
    (path,) = (path for path in one.references.glob("*_readnoise_*") if fits.getval(path, "DETECTOR") == "NRCALONG")
    sound = path.read_bytes()
    with fits.open(path) as hdus:
        hdus["SCI"].data = change(hdus["SCI"].data)
        hdus.writeto(path, overwrite=True)
    assert f"{path}[SCI]: {words}" in failed(one)
    assert visible(one.results) == []
    path.write_bytes(sound)
    carries_on(one)


def test_a_misspelt_step_is_told_with_its_nearest_name(one):
    (one.folder / "short.yaml").write_text(RECIPE.replace("jump", "jmup"))
    assert "short.yaml $.stages.detector1[2]: 'jmup' is no step; did you mean 'jump'?" in failed(one)
    assert not one.results.exists()


def test_a_folder_without_exposures_is_told(one):
    (one.uncal / f"{F444W}_uncal.fits").unlink()
    said = failed(one)
    assert f"{one.uncal}: there is no exposure in it; searched for *_uncal.fits" in said
    assert not one.results.exists()


def mounted(*arguments):
    """Mount a file system, where that is allowed."""
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")


@contextmanager
def read_only(folder):
    """Take away the right to write into a folder: root keeps it unless the file system itself is read-only."""
    folder.mkdir()
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    mounted("--bind", folder, folder)
    try:
        mounted("-o", "remount,bind,ro", folder)
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def no_folder(place):
    place.write_text("a file")
    yield
    place.unlink()


@pytest.mark.parametrize("closed", [read_only, no_folder])
def test_an_output_that_cannot_be_written_is_told_before_anything_runs(one, closed):
    with closed(one.results):
        assert f"{one.results}: nothing can be written there" in failed(one)
    assert not (one.folder / "logs").exists()


def test_a_full_disk_is_told_and_with_more_room_the_run_carries_on(one, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted("-t", "tmpfs", "-o", "size=64m", "none", disk)
    try:
        demo = type(one)(disk / "demo")
        subprocess.run(["cp", "-r", one.folder, demo.folder], check=True)
        used = int(subprocess.run(["du", "-sk", disk], capture_output=True, text=True, check=True).stdout.split()[0])
        mounted("-o", f"remount,size={used + 900}k", disk)
        said = failed(demo)
        assert "cannot be written (No space left on device)" in said
        assert "nothing was left under this name" in said
        assert visible(demo.results) == []
        mounted("-o", "remount,size=64m", disk)
        carries_on(demo)
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_file_that_may_not_grow_is_told(one):
    limit = 300_000
    said = failed(one, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert f"{F444W}_rate.fits: cannot be written (" in said
    assert visible(one.results) == []
    carries_on(one)


@pytest.mark.parametrize(
    ("when", "count", "event", "which", "end"),
    [
        ("computing", 2, "open", 0, "_readnoise_0002.fits"),
        ("writing", 1, "os.rename", 1, "_rateints.fits"),
    ],
    ids=["computing", "writing"],
)
def test_a_job_that_was_killed_is_told(one, tmp_path, when, count, event, which, end):
    (tmp_path / "sitecustomize.py").write_text(DEADLY.format(count=count, event=event, which=which, end=end))
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    said = failed(one, env={"PYTHONPATH": os.pathsep.join(paths)})
    assert f"detector1 {F444W} failed" in said
    assert "saturation: COMPLETE" in said
    assert ("ramp_fit: COMPLETE" in said) == (when == "writing")
    assert "killed by SIGKILL (out of memory?)" in said
    assert visible(one.results) == []
    carries_on(one)


def test_after_a_run_that_was_killed_the_next_carries_on(one):
    options = one.asked("--cores", "2", "--no-report", "--recipe", one.folder / "short.yaml")
    command = [sys.executable, "-m", "jwrules", "run", *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as driver:
        while not (one.folder / "logs" / "detector1" / f"{F444W}.log").exists():
            assert driver.poll() is None
            time.sleep(0.02)
        driver.kill()
    assert list((one.folder / ".snakemake" / "locks").iterdir())
    assert "a run was killed here; its lock is removed" in carries_on(one).stderr
    assert not list((one.folder / ".snakemake").glob("locks/*.lock"))
