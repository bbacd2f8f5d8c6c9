"""What it costs to associate a pool, against its rows; with --official the official generator too.

    python benchmarks/associate.py [--rows 100 1000 3000 10000 30000 100000] [--official 100 300] [--folder DIR]

Each pool is of programs with imaging, MRS, MOS, WFSS, LRS and coronagraphy, dithered and nodded, with backgrounds and
groups. Prints a table of CPU seconds (user and system), wall seconds and peak memory of whole processes, and draws
associate.png in DIR. The goals are 3,000 rows in 3 s, and 100,000 rows in 120 s and 1 GB.

*Limit* is what it takes to write the same files by plain system calls. Where that is seconds, the file system is slow:
ext4 without a journal passes over every inode that was freed within five minutes, one by one, for each file that it
creates. So do not run this just after such files were removed, by the end of another run for one.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from jwrules.pool import COLUMNS, Pool, Row, write

ROWS = (100, 1_000, 3_000, 10_000, 30_000, 100_000)
GOALS = {3_000: (3.0, None), 100_000: (120.0, 1000.0)}
OBSERVATIONS = 900
"""Of a program."""

OFFICIAL = "import sys; from jwst.associations.main import Main; Main.cli(sys.argv[1:])"


@dataclass(frozen=True)
class Cost:
    """Seconds and megabytes of a process."""

    cpu: float
    wall: float
    memory: float
    limit: float
    """CPU seconds to write the same files."""


def exposures() -> Iterator[Row]:
    """Yield the rows of programs without end, six templates in turn."""
    makers = (_imaging, _mrs, _mos, _wfss, _lrs, _coronagraphy)
    for place in count():
        program, observation = 1000 + place // OBSERVATIONS, place % OBSERVATIONS + 1
        maker = makers[place % len(makers)]
        for number, columns in enumerate(maker(place // len(makers)), start=1):
            yield _row(program, observation, number, place, columns)


def _row(program: int, observation: int, number: int, place: int, columns: dict[str, str]) -> Row:
    stem = f"jw{program:05}{observation:03}001_02101_{number:05}_{columns['detector']}"
    kind = "background" if columns["exp_type"] == "mir_mrs" else "group"
    listed = [(f"o{observation:03}", "observation"), (f"c{1000 + observation // 12:04}", kind)]
    values = dict.fromkeys(COLUMNS, "null") | {
        "filename": f"{stem}_uncal.fits",
        "program": str(program),
        "obs_num": str(observation),
        "obs_id": f"v{program:05}{observation:03}001p0000000002101",
        "act_id": "01",
        "visitype": "prime_targeted_fixed",
        "pntgtype": "science",
        "targetid": str(place % 300 + 1),
        "subarray": "full",
        "expspcin": "1",
        "mostilno": "1",
        "dithptin": str(number),
        "asn_candidate": str(listed),
    }
    return Row(values | {"bkgdtarg": "f", "tsovisit": "f", "is_psf": "f"} | columns)


def _imaging(turn: int) -> Iterator[dict[str, str]]:
    for _ in range(4):
        for detector in ("nrca1", "nrca2", "nrca3", "nrca4", "nrcb1", "nrcb2", "nrcb3", "nrcb4"):
            yield _of("nircam", detector, "nrc_image", filter="f200w", pupil="clear", channel="short")
        for detector in ("nrcalong", "nrcblong"):
            yield _of("nircam", detector, "nrc_image", filter="f444w", pupil="clear", channel="long")


def _mrs(turn: int) -> Iterator[dict[str, str]]:
    background = "t" if turn % 4 == 3 else "f"
    for band in ("short", "medium", "long"):
        for _ in range(4):
            for detector, channel in (("mirifushort", "12"), ("mirifulong", "34")):
                yield _of("miri", detector, "mir_mrs", band=band, channel=channel, bkgdtarg=background)


def _mos(turn: int) -> Iterator[dict[str, str]]:
    path = {"filter": "f100lp", "grating": "g140m", "msametfl": f"plan{turn}_msa.fits"}
    for expspcin in ("1", "2"):
        for nod in ("1", "2", "3"):
            nods = {"numdthpt": "3", "subpxpts": "1", "patt_num": nod, "expspcin": expspcin}
            for detector in ("nrs1", "nrs2"):
                yield _of("nirspec", detector, "nrs_msaspec", **path, **nods)


def _wfss(turn: int) -> Iterator[dict[str, str]]:
    for filter, expspcin in (("clear", "1"), ("gr150r", "2"), ("gr150c", "3"), ("clear", "4")):
        exp_type = "nis_image" if filter == "clear" else "nis_wfss"
        for _ in range(4):
            yield _of("niriss", "nis", exp_type, filter=filter, pupil="f200w", expspcin=expspcin)


def _lrs(turn: int) -> Iterator[dict[str, str]]:
    yield _of("miri", "mirimage", "mir_tacq", filter="f1000w")
    for nod in ("1", "2"):
        yield _of("miri", "mirimage", "mir_lrs-fixedslit", filter="p750l", patttype="along-slit-nod", patt_num=nod)


def _coronagraphy(turn: int) -> Iterator[dict[str, str]]:
    path = {"filter": "f1065c", "subarray": "mask1065", "is_psf": "t" if turn % 2 else "f"}
    yield from (_of("miri", "mirimage", "mir_4qpm", **path) for _ in range(9))


def _of(instrument: str, detector: str, exp_type: str, **columns: str) -> dict[str, str]:
    return {"instrume": instrument, "detector": detector, "exp_type": exp_type, **columns}


def measured(*command: str, output: Path) -> Cost:
    """Run a process that writes into a folder to its end and return its cost."""
    begun = time.perf_counter()
    child = subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    seconds = time.perf_counter() - begun
    return Cost(usage.ru_utime + usage.ru_stime, seconds, usage.ru_maxrss / 1024, written_again(output))


def written_again(folder: Path) -> float:
    """Return the CPU seconds that it takes to write the files of a folder into another one."""
    content = [(path.name, path.read_bytes()) for path in folder.iterdir()]
    place = os.open(tempfile.mkdtemp(dir=folder.parent), os.O_RDONLY)
    begun = time.process_time()
    for name, data in content:
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=place)
        os.write(file, data)
        os.close(file)
    seconds = time.process_time() - begun
    os.close(place)
    return seconds


def costs(rows: list[int], folder: Path, *command: str) -> dict[int, Cost]:
    """Return the cost of a command on pools of so many rows, and print each; {pool} and {output} are put in."""
    found = {}
    for number in rows:
        pool = write(Pool(tuple(islice(exposures(), number)), name="pool.csv"), folder / f"rows{number}_pool.csv")
        output = Path(tempfile.mkdtemp(dir=folder))
        found[number] = measured(*(word.format(pool=pool, output=output) for word in command), output=output)
        cost = found[number]
        print(
            f"| {number:,} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.memory:.0f} | {cost.limit:.2f} |"
            f" {_verdict(number, cost)} |",
            flush=True,
        )
    return found


def _verdict(rows: int, cost: Cost) -> str:
    seconds, memory = GOALS.get(rows, (None, None))
    if seconds is None:
        return ""
    kept = cost.cpu <= seconds and (memory is None or cost.memory <= memory)
    return f"{'within' if kept else 'MISSES'} {seconds:g} s" + (f" and {memory:g} MB" if memory else "")


def draw(curves: dict[str, dict[int, Cost]], path: Path) -> None:
    """Draw CPU seconds against rows, with a line as steep as the rows grow."""
    import matplotlib as mpl

    mpl.use("agg")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5))
    for name, found in curves.items():
        axes.loglog(list(found), [cost.cpu for cost in found.values()], "o-", label=name)
    ours = curves["jwrules"]
    last = max(ours)
    axes.loglog([last / 100, last], [ours[last].cpu / 100, ours[last].cpu], "k:", label="as the rows")
    axes.set(xlabel="rows of the pool", ylabel="CPU seconds, whole process")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--official", type=int, nargs="*", default=[])
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    head = "| rows | CPU s | wall s | peak MB | limit, CPU s | goal |\n| --- | --- | --- | --- | --- | --- |"
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        print(f"jwrules\n\n{head}", flush=True)
        ours = ("-m", "jwrules", "associate", "{pool}", "--output", "{output}")
        curves = {"jwrules": costs(options.rows, Path(name), *ours)}
        if options.official:
            print(f"\nofficial generator\n\n{head}", flush=True)
            curves["official"] = costs(options.official, Path(name), "-c", OFFICIAL, "{pool}", "-p", "{output}")
        draw(curves, options.folder / "associate.png")


if __name__ == "__main__":
    main()
