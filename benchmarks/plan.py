"""The cost of planning a large program: how long until the first job of 100, 1,000 and 10,000 exposures starts.

    python benchmarks/plan.py [COUNT...] [--folder DIR] [--batch]

A program is NIRCam exposures, eight dithers with two detectors of each observation, with headers as long as those of
the archive and ramps that are holes in the file; 80 reference files; every exposure is in one association of eight.
Each row is a process of its own: the plan when nothing is known (cold), the same again (warm), a run where nothing is
to be done, and one where one dither is new, until its first job begins. `limit` is the time to read every header once.
Products of the earlier exposures are pretended: files of a few bytes with true records. `--batch` measures instead
what each of a hundred target acquisitions costs in one process.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from astropy.io import fits

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
import pretend  # noqa: E402
import program_scene as scene  # noqa: E402

from jwrules import headers  # noqa: E402
from jwrules import plan as planning  # noqa: E402
from jwrules.plan import Settings, waves  # noqa: E402

PROGRAM = [sys.executable, "-m", "jwrules"]
COUNTS = (100, 1_000, 10_000)
DITHERS = 8
KEYWORDS = 220
"""Keywords of an exposure from the archive besides those that a plan looks at."""
SOONER = 24
"""Reference files that others have replaced since; with them there are 80."""


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds on the clock, of processors, and the most memory (MB)."""

    wall: float
    cpu: float
    peak: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} ({self.cpu:.1f})"


def write_program(folder: Path, count: int) -> None:
    """Write the exposures and reference files of a program below a folder."""
    for number in range(count):
        write_exposure(folder, number)
    scene.write_references(folder / "references")
    kinds = sorted((folder / "references").glob("*_nrca1.fits"))[:SOONER]
    for path in kinds:
        kind = path.stem.removeprefix("jwst_nircam_").removesuffix("_nrca1")
        old = scene.write_reference(folder / "sooner", kind, "nrca1", USEAFTER="2021-01-01T00:00:00")
        old.rename(path.with_name(f"sooner_{path.name}"))


def write_exposure(folder: Path, number: int) -> str:
    """Write one of the exposures of a program; return its name."""
    observation, place = divmod(number, DITHERS * len(scene.OPTICS))
    dither, detector = place // len(scene.OPTICS) + 1, list(scene.OPTICS)[place % len(scene.OPTICS)]
    name = scene.exposure(dither, detector, observation + 1)
    own = {
        "OBSERVTN": f"{observation + 1:03}",
        "FILENAME": f"{name}_uncal.fits",
        "SUBARRAY": "FULL",
        "NGROUPS": 2,
        "SUBSIZE1": 2048,
        "SUBSIZE2": 2048,
        "TARGPROP": f"FIELD-{observation + 1}",
        "DATE-OBS": f"2026-{1 + number % 12:02}-{1 + number % 28:02}",
        "TIME-OBS": f"{number % 24:02}:{number % 60:02}:{number * 7 % 60:02}.{number % 1000:03}",
    }
    others = {
        f"KEY{one:05}": f"{number * one}.{one}" if one % 4 == 0 else f"as always {one}" for one in range(KEYWORDS)
    }
    keywords = scene.header(dither, detector, **own) | others
    scene.write_header(folder / "uncal" / f"{name}_uncal.fits", keywords)
    return name


def run(words: Sequence[str], ends: Callable[[], bool] | None = None) -> Cost:
    """Run a command to its end, or kill it with all that it started when `ends` says so; return what it took."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(words, stdout=said, stderr=said, start_new_session=True)
        while ends and process.poll() is None and not ends():
            time.sleep(0.02)
        wall = time.perf_counter() - began
        if ends and process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        _, status, usage = os.wait4(process.pid, 0) if process.returncode is None else (0, process.returncode, None)
        if usage is None or (status and not ends):
            said.seek(0)
            raise SystemExit(f"{' '.join(words)}:\n{said.read().decode()[-3000:]}")
    wall = wall if ends else time.perf_counter() - began
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def read_headers(folder: Path) -> Cost:
    """Return what reading the headers of every exposure takes."""
    began, cpu = time.perf_counter(), time.process_time()
    for path in (folder / "uncal").iterdir():
        headers.hdus(path)
    return Cost(time.perf_counter() - began, time.process_time() - cpu, 0.0)


def tell(progress: str) -> None:
    """Say on the error stream how far it is: 10,000 exposures take an hour."""
    print(f"{time.strftime('%H:%M:%S')} {progress}", file=sys.stderr, flush=True)


def row(count: int, folder: Path) -> str:
    """Return one line of the table."""
    tell(f"{count:,} exposures: writing their files")
    write_program(folder, count)
    common = [str(folder / "uncal"), "--references", str(folder / "references"), "--output", str(folder)]
    limit = read_headers(folder)
    tell(f"headers {limit}")
    cold, warm = (run([*PROGRAM, "plan", *common]) for _ in range(2))
    tell(f"cold {cold}, {cold.peak:.0f} MB; warm {warm}, {warm.peak:.0f} MB; pretending their products")
    with mock.patch.object(waves, "_LARGEST", 10 * count):
        pretend.run(Settings(data=folder / "uncal", references=str(folder / "references")), folder)
    nothing = run([*PROGRAM, "run", *common, "--cores", "2", "--no-report"])
    tell(f"nothing to do {nothing}, {nothing.peak:.0f} MB")
    log = folder / "logs" / "detector1" / f"{write_exposure(folder, count)}.log"
    dither = run([*PROGRAM, "run", *common, "--cores", "2", "--no-report"], log.exists)
    tell(f"a new dither {dither}, {dither.peak:.0f} MB")
    peak = max(one.peak for one in (cold, warm, nothing, dither))
    return f"| {count:,} | {limit} | {cold} | {warm} | {nothing} | {dither} | {peak:.0f} |"


def acquisitions(folder: Path, count: int) -> None:
    """Simulate a target acquisition (64 x 64 pixels) and write it as that of so many observations."""
    run([*PROGRAM, "simulate", "nircam_target_acquisition", str(folder), "--size", "tiny"])
    first = next((folder / "uncal").iterdir())
    for observation in range(2, count + 1):
        name = first.name.replace("001001_", f"{observation:03}001_", 1)
        with fits.open(first) as file:
            file[0].header.update(OBSERVTN=f"{observation:03}", FILENAME=name)
            file.writeto(folder / "uncal" / name)


def batch(folder: Path, count: int) -> str:
    """Return what each of many small exposures costs in one process, once kernels are compiled."""
    acquisitions(folder, count)
    asked = Settings(data=folder / "uncal", references=str(folder / "references"))
    plan = planning.of(asked, folder)
    planning.lay_out(plan, folder)
    ready = planning.states(plan, asked, folder).ready()
    file = folder / waves.make(plan, folder, ready, cores=1).wave.batches[0].file
    (folder / "results").mkdir()
    os.chdir(folder)
    _, alone, together = (
        run([*PROGRAM, "batch", str(one), "--threads", "1"]) for one in (_one(file), _one(file), file)
    )
    return f"{count} target acquisitions: {together} s, each {_each(alone, together, count)} s; one alone {alone} s"


def _one(file: Path) -> Path:
    """Return a batch of the first job of a batch alone."""
    one = file.with_name("one.json")
    one.write_text(json.dumps(json.loads(file.read_text())[:1]))
    return one


def _each(alone: Cost, together: Cost, count: int) -> str:
    return f"{(together.wall - alone.wall) / (count - 1):.2f} ({(together.cpu - alone.cpu) / (count - 1):.2f})"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", metavar="COUNT", type=int, nargs="*", default=COUNTS)
    parser.add_argument("--folder", type=Path, help="where programs are written (default: a temporary folder)")
    parser.add_argument("--batch", action="store_true", help="measure small jobs in one process instead")
    options = parser.parse_args()
    if options.batch:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            print(batch(Path(folder).resolve(), 100))
        return
    print("| exposures | limit | cold | warm | nothing to do | a new dither, to its first job | peak memory MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in options.counts:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            print(row(count, Path(folder).resolve()), flush=True)


if __name__ == "__main__":
    main()
