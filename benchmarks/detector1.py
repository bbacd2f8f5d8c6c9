"""Stage 1 against the official pipeline: CPU, wall time and memory of whole processes on the same files.

    python benchmarks/detector1.py [--case GROUPSxINTEGRATIONS]... [--repeat 3] [--folder DIR]

Both run from a cold start, one after the other, with the same reference files and options; the best of the repeats
counts. Prints a table in Markdown. `limit` is the time to read every byte of the inputs from the page cache and to
write the outputs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "official"))
import pipeline  # noqa: E402


@dataclass(frozen=True)
class Cost:
    """What a process took: CPU and wall seconds, peak memory in MB."""

    cpu: float
    wall: float
    memory: float

    def best(self, other: Cost) -> Cost:
        """The least of each."""
        return Cost(min(self.cpu, other.cpu), min(self.wall, other.wall), min(self.memory, other.memory))


def measured(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end; CalledProcessError where it fails."""
    start = time.perf_counter()
    child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024)


def ramp(model: Path, references: Path, path: Path, groups: int, integrations: int) -> Path:
    """Write a full frame of RAPID groups with the header of `model`: bias, sky, stars, Poisson and read noise."""
    rng = np.random.default_rng(3)
    with fits.open(model) as hdus:
        primary, sci = hdus[0].header.copy(), hdus["SCI"].header.copy()
        shape, asdf = hdus["SCI"].data.shape[-2:], hdus["ASDF"].copy()
    bias = fits.getdata(references / "jwst_nircam_superbias_0001.fits", "SCI")
    rate = np.full(shape, 2.0, "f4")
    rate.flat[rng.integers(0, rate.size, 3000)] = 500.0
    data = np.empty((integrations, groups, *shape), np.uint16)
    for integration in data:
        signal = np.nan_to_num(bias).astype("f4")
        for group in integration:
            signal += rng.poisson(rate * primary["TFRAME"]).astype("f4")
            group[:] = np.clip(signal + rng.normal(0, 6, shape), 0, 65535)
    timing = {"READPATT": "RAPID", "NFRAMES": 1, "FRMDIVSR": 1, "GROUPGAP": 0, "TGROUP": primary["TFRAME"]}
    primary.update({**timing, "NGROUPS": groups, "NINTS": integrations, "FILENAME": path.name})
    science = fits.ImageHDU(data, name="SCI", header=sci)
    fits.HDUList([fits.PrimaryHDU(header=primary), science, asdf]).writeto(path, overwrite=True)
    return path


def ours(uncal: Path, references: Path, output: Path) -> Cost:
    command = [sys.executable, "-m", "jwrules", "detector1", uncal, "--references", references, "--output", output]
    return measured([str(part) for part in command], dict(os.environ))


def official(uncal: Path, references: Path, output: Path, folder: Path) -> Cost:
    tasks = folder / "tasks.json"
    tasks.write_text(json.dumps([asdict(pipeline.Task("detector1", str(uncal), str(output), str(references)))]))
    command = [sys.executable, str(HERE.parent / "tests" / "official" / "pipeline.py"), str(tasks)]
    return measured(command, {**os.environ, **pipeline._offline(folder / "crds")})


def limit(uncal: Path, references: Path, output: Path) -> float:
    """Seconds to read the exposure and the reference files from the page cache and to write the products once."""
    start = time.perf_counter()
    inputs = [uncal, *references.glob("*_0001.*")]
    for path in inputs:
        path.read_bytes()
    for path in list(output.glob("*.fits")):
        (output / "copy.bin").write_bytes(path.read_bytes())
    return time.perf_counter() - start


def compare(case: tuple[int, int], model: Path, references: Path, folder: Path, repeat: int) -> str:
    """Return a row of the table."""
    groups, integrations = case
    name = f"{model.name.rsplit('_', 1)[0]}_uncal.fits"
    place = folder / f"{groups}x{integrations}"
    place.mkdir(parents=True, exist_ok=True)
    uncal = ramp(model, references, place / name, groups, integrations)
    mine, theirs = [], []
    for _ in range(repeat):
        mine.append(ours(uncal, references, place / "ours"))
        theirs.append(official(uncal, references, place / "official", place))
    a, b = mine[0], theirs[0]
    for one, other in zip(mine, theirs, strict=True):
        a, b = a.best(one), b.best(other)
    cells = [f"2048 x 2048, {groups} groups x {integrations}"]
    for word in ("cpu", "wall", "memory"):
        x, y = getattr(a, word), getattr(b, word)
        cells.append(f"{x:.1f} / {y:.1f} = 1/{y / x:.1f}")
    floor = limit(uncal, references, place / "ours")
    cells.append(f"{floor:.2f} s, x {a.wall / floor:.1f}")
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", help="groups x integrations, such as 10x1")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where files are kept (default: a temporary folder)")
    options = parser.parse_args()
    cases = [tuple(map(int, case.split("x"))) for case in options.case or ["10x1", "10x4"]]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        program = folder / "program"
        if not program.exists():
            simulate = [sys.executable, "-m", "jwrules", "simulate", "nircam_imaging", str(program), "--size", "full"]
            subprocess.run(simulate, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        model = min((program / "uncal").glob("*_nrcb1_uncal.fits"))
        print("| case | CPU s, ours / official | wall s | peak memory MB | limit |")
        print("| --- | --- | --- | --- | --- |")
        for groups, integrations in cases:
            print(compare((groups, integrations), model, program / "references", folder, options.repeat), flush=True)


if __name__ == "__main__":
    main()
