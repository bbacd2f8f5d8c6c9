"""Stage 1 against the official pipeline: CPU, wall time and memory of whole processes on the same files.

    python benchmarks/detector1.py [CASE...] [--repeat 3] [--folder DIR] [--growth] [--long]

Both run from a cold start, one after the other, on one thread pool of all processors, with the same reference files and
options; the best of the repeats counts. Prints a table in Markdown. `limit` is the time to read every byte of the
exposure and its reference files from the page cache and to write the products; our wall time follows as a multiple of
it. `--long` adds ten times as many integrations of the time series to ours alone. `--growth` draws what stage 1 costs
against pixels x groups x integrations into DIR/growth.png.
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
from math import prod
from pathlib import Path

import numpy as np
from astropy.io import fits

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "official"))
import pipeline  # noqa: E402

PIECE = 1 << 24
PROGRAM = [sys.executable, "-m", "jwrules"]


@dataclass(frozen=True)
class Case:
    """An exposure: how the simulator makes it, and what is wanted of us as shares of the official cost."""

    title: str
    template: str
    groups: int
    integrations: int
    pattern: str = ""
    detector: str = ""
    goals: tuple[int, int] = (8, 4)


CASES = {
    "nircam": Case("NIRCam full frame, 10 groups x 1", "nircam_imaging", 10, 1, goals=(10, 4)),
    "nircam4": Case("NIRCam full frame, 10 groups x 4", "nircam_imaging", 10, 4, goals=(12, 10)),
    "miri": Case("MIRI full frame, 40 groups x 2", "miri_lrs_fixed_slit", 40, 2, goals=(8, 3)),
    "irs2": Case(
        "NIRSpec IRS2 full frame, 10 groups x 1", "nirspec_ifu_irs2", 10, 1, "NRSIRS2RAPID", "nrs1", goals=(8, 4)
    ),
    "series": Case("time series 256 x 2048, 20 groups x 60", "nircam_grism_time_series", 20, 60, goals=(12, 15)),
}


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
    # With something to do before, Python forks: else the child would inherit the peak memory of this process.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, env=environment, preexec_fn=int, **quiet)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024)


def exposures(case: Case, folder: Path) -> tuple[list[Path], Path]:
    """Return the raw files of a case and the folder of its reference files; made where they are not there yet."""
    program = folder / f"{case.template}-{case.pattern}-{case.groups}x{case.integrations}"
    if not (program / "references").exists():
        size = ["--groups", str(case.groups), "--integrations", str(case.integrations)]
        size += ["--pattern", case.pattern] if case.pattern else []
        command = [*PROGRAM, "simulate", case.template, str(program), "--size", "full", *size]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        segments = sorted((program / "uncal").glob("*-seg*_uncal.fits"))
        if segments:
            join(segments, segments[0].with_name(segments[0].name.replace("-seg001", "")))
            for path in segments:
                path.unlink()
    raw = sorted((program / "uncal").glob(f"*{case.detector}_uncal.fits"))
    return raw, program / "references"


def join(segments: list[Path], target: Path) -> None:
    """Put the segments of an exposure into one file."""
    opened = [fits.open(path, memmap=False) for path in segments]
    first = opened[0]
    total = sum(hdus["SCI"].header["NAXIS4"] for hdus in opened)
    primary, science = first[0].header.copy(), fits.Header.fromstring(first["SCI"].header.tostring())
    for keyword, value in (("EXSEGNUM", 1), ("EXSEGTOT", 1), ("INTSTART", 1), ("INTEND", total), ("NINTS", total)):
        primary[keyword] = value
    science["NAXIS4"], science["BITPIX"], science["BZERO"], science["BSCALE"] = total, 16, 32768, 1
    for keyword in ("CHECKSUM", "DATASUM"):
        science.remove(keyword, ignore_missing=True)
    with target.open("wb") as file:
        file.write(primary.tostring().encode() + science.tostring().encode())
        for hdus, path in zip(opened, segments, strict=True):
            place = hdus["SCI"].fileinfo()
            with path.open("rb") as source:
                source.seek(place["datLoc"])
                for _ in range(hdus["SCI"].header["NAXIS4"]):
                    file.write(source.read(2 * prod(hdus["SCI"].header[f"NAXIS{k}"] for k in (1, 2, 3))))
        file.write(bytes(-file.tell() % 2880))
    if "INT_TIMES" in first:
        times = np.concatenate([hdus["INT_TIMES"].data for hdus in opened])
        fits.append(target, times, fits.Header([("EXTNAME", "INT_TIMES")]))
    fits.append(target, first["ASDF"].data, first["ASDF"].header)
    for hdus in opened:
        hdus.close()


def full_frame(case: Case, folder: Path) -> tuple[list[Path], Path]:
    """Return a full frame of NIRCam: bias, sky, stars, Poisson and read noise over what the simulator's files say."""
    program = folder / "nircam_imaging"
    if not program.exists():
        command = [*PROGRAM, "simulate", "nircam_imaging", str(program), "--size", "full"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    model = min((program / "uncal").glob("*_nrcb1_uncal.fits"))
    path = folder / f"nircam-{case.groups}x{case.integrations}" / model.name
    if not path.exists():
        path.parent.mkdir(parents=True)
        ramp(model, program / "references", path, case.groups, case.integrations)
    return [path], program / "references"


def ramp(model: Path, references: Path, path: Path, groups: int, integrations: int) -> None:
    """Write a full frame of RAPID groups with the header of `model`, as noisy as the reference files say."""
    rng = np.random.default_rng(3)
    with fits.open(model) as hdus:
        primary, sci = hdus[0].header.copy(), hdus["SCI"].header.copy()
        shape, asdf = hdus["SCI"].data.shape[-2:], hdus["ASDF"].copy()
    bias, gain, readnoise = (
        np.nan_to_num(fits.getdata(references / f"jwst_nircam_{kind}_0001.fits", "SCI"), nan=1.0).astype("f4")
        for kind in ("superbias", "gain", "readnoise")
    )
    rate = np.full(shape, 2.0, "f4")
    rate.flat[rng.integers(0, rate.size, 3000)] = 500.0
    dark = np.ones(shape, bool)
    dark[4:-4, 4:-4] = False
    rate[dark] = 0.0  # the reference pixels: with light on them, refpix would take off all of it, but not its noise
    data = np.empty((integrations, groups, *shape), np.uint16)
    for integration in data:
        signal = bias.copy()
        for group in integration:
            signal += rng.poisson(rate * primary["TFRAME"] * gain) / gain
            # The file has the noise of the difference of two reads.
            group[:] = np.clip(np.rint(signal + rng.normal(0, 1, shape) * readnoise / np.sqrt(2)), 0, 65535)
    timing = {"READPATT": "RAPID", "NFRAMES": 1, "FRMDIVSR": 1, "GROUPGAP": 0, "TGROUP": primary["TFRAME"]}
    primary.update({**timing, "NGROUPS": groups, "NINTS": integrations, "FILENAME": path.name})
    science = fits.ImageHDU(data, name="SCI", header=sci)
    fits.HDUList([fits.PrimaryHDU(header=primary), science, asdf]).writeto(path)


def files_of(case: Case, folder: Path) -> tuple[list[Path], Path]:
    """Return the raw files of a case and the folder of its reference files."""
    return full_frame(case, folder) if case.template == "nircam_imaging" else exposures(case, folder)


def ours(raw: list[Path], references: Path, output: Path) -> Cost:
    """What stage 1 of jwrules takes, all segments of an exposure in one process.

    Python may keep what it compiles, as it does for an installed package.
    """
    command = [*PROGRAM, "detector1", *raw, "--references", references, "--output", output]
    keeping = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return measured([str(part) for part in command], keeping)


def official(raw: list[Path], references: Path, output: Path, folder: Path) -> Cost:
    """What that of the official pipeline takes."""
    tasks = folder / "tasks.json"
    listed = [pipeline.Task("detector1", str(one), str(output), str(references)) for one in raw]
    tasks.write_text(json.dumps([asdict(task) for task in listed]))
    command = [sys.executable, str(HERE.parent / "tests" / "official" / "pipeline.py"), str(tasks)]
    return measured(command, {**os.environ, **pipeline._offline(folder / "crds")})


def limit(raw: list[Path], references: Path, output: Path) -> float:
    """Seconds to read the exposure and the reference files from the page cache and to write the products once."""
    start = time.perf_counter()
    for path in [*raw, *references.glob("*_0001.*")]:
        with path.open("rb", buffering=0) as file:
            while file.read(PIECE):
                pass
    for path in list(output.glob("*.fits")):
        with path.open("rb", buffering=0) as file, (output / "copy.bin").open("wb", buffering=0) as copy:
            while piece := file.read(PIECE):
                copy.write(piece)
    (output / "copy.bin").unlink()
    return time.perf_counter() - start


def compare(case: Case, folder: Path, repeat: int) -> str:
    """Return a row of the table."""
    raw, references = files_of(case, folder)
    place = folder / f"made-{case.template}-{case.groups}x{case.integrations}"
    place.mkdir(parents=True, exist_ok=True)
    mine, theirs = [], []
    for _ in range(repeat):
        mine.append(ours(raw, references, place / "ours"))
        theirs.append(official(raw, references, place / "official", place))
    a, b = mine[0], theirs[0]
    for one, other in zip(mine, theirs, strict=True):
        a, b = a.best(one), b.best(other)
    cells = [case.title]
    for word, goal in (("cpu", case.goals[0]), ("wall", case.goals[0]), ("memory", case.goals[1])):
        x, y = getattr(a, word), getattr(b, word)
        cells.append(f"{x:.1f} / {y:.1f} = 1/{y / x:.1f} (goal 1/{goal})")
    floor = limit(raw, references, place / "ours")
    cells.append(f"{floor:.2f} s, x {a.wall / floor:.1f}")
    return "| " + " | ".join(cells) + " |"


def longer(folder: Path, factor: int = 10) -> str:
    """Return rows: the time series, and the same one `factor` times over, ours alone."""
    case = CASES["series"]
    raw, references = files_of(case, folder)
    target = folder / "long" / raw[0].name
    if not target.exists():
        target.parent.mkdir()
        join(raw * factor, target)
    rows = []
    for files, title in ((raw, case.title), ([target], case.title.replace("x 60", f"x {60 * factor}"))):
        cost = ours(files, references, folder / "made-long")
        rows.append(f"| {title} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.memory:.0f} | |")
    return "\n".join(rows)


def growth(folder: Path) -> None:
    """Draw what stage 1 costs against the number of samples, with the straight line through the costs."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    samples, seconds = [], []
    for groups, integrations in ((10, 1), (20, 1), (10, 4), (40, 1), (20, 4)):
        raw, references = full_frame(Case("", "nircam_imaging", groups, integrations), folder)
        cost = min((ours(raw, references, folder / "made-growth") for _ in range(2)), key=lambda one: one.cpu)
        samples.append(groups * integrations * 2048**2 / 1e6)
        seconds.append(cost.cpu)
        print(f"{groups} groups x {integrations}: {cost.cpu:.1f} s of CPU, {cost.memory:.0f} MB", flush=True)
    slope, start = np.polyfit(samples, seconds, 1)
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(samples, seconds, "o")
    axes.plot(
        [0, max(samples)], [start, start + slope * max(samples)], label=f"{start:.1f} s + {slope * 1e3:.1f} ns each"
    )
    axes.set(xlabel="samples, millions", ylabel="CPU of stage 1, s", ylim=(0, None), xlim=(0, None))
    axes.legend()
    figure.savefig(folder / "growth.png", dpi=120)


def main() -> None:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help=f"of {', '.join(CASES)} (default: all)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where files are kept (default: a temporary folder)")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print("| case | CPU s, ours / official | wall s | peak memory MB | limit |")
        print("| --- | --- | --- | --- | --- |")
        for name in options.case or ([] if options.growth or options.long else CASES):
            print(compare(CASES[name], folder, options.repeat), flush=True)
        if options.long:
            print(longer(folder), flush=True)
        if options.growth:
            growth(folder)


if __name__ == "__main__":
    main()
