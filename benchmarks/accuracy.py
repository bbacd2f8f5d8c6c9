"""How far jwrules is from the truth, and from the official pipeline: the tables of docs/accuracy.md.

    python benchmarks/accuracy.py [--folder DIR]

simulates the demo program, runs both pipelines on all of it (package jwst needed; no network; some ten minutes), and
prints Markdown. A folder that has been filled before is measured again without a run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE / "tests" / "official"), str(HOUSE / "tests")]

from difference import flagged_otherwise, in_errors  # noqa: E402
from side_by_side import ALIGNED, LONG, MOSAIC, REFERENCES, SHORT, Both, jwrules, run  # noqa: E402

from demo import measure  # noqa: E402
from pipeline import Task, start  # noqa: E402


@dataclass(frozen=True)
class Band:
    """A filter of the program: its exposures, its mosaic, the noise of a difference of groups in electron."""

    name: str
    first: str
    mosaic: str
    association: str
    noise: float

    @property
    def exposures(self) -> list[str]:
        return [self.first.replace("_00001_", f"_0000{number}_") for number in (1, 2, 3, 4)]


BANDS = (
    Band("F200W", SHORT, MOSAIC, "jw09001-o001_image3_00001_asn.json", 12.0),
    Band("F444W", LONG, "jw09001-o002_t001_nircam_clear-f444w-subgrism256", "jw09001-o002_image3_00001_asn.json", 14.0),
)


def complete(both: Both) -> None:
    """Run what the tests leave out: all exposures through both pipelines, each stage 3 on the files of its own."""
    (both.folder / "whole").mkdir()
    for association in (both.folder / "ours").glob("*image3*_asn.json"):
        (both.folder / "whole" / association.name).write_bytes(association.read_bytes())
    official = start(list(_whole()), both.folder, "whole")
    long = sorted((both.folder / "demo" / "uncal").glob(f"{LONG[:20]}0000[2-4]*"))
    run(both.folder, Task("detector1", "", "ours", REFERENCES), *long)
    rates = [both.folder / "ours" / path.name.replace("uncal", "rate") for path in long]
    run(both.folder, Task("image2", "", "ours", REFERENCES), *rates)
    run(both.folder, Task("image3", f"ours/{BANDS[1].association}", "ours", REFERENCES, ALIGNED))
    official.wait()


def _whole() -> Iterator[Task]:
    for band in BANDS:
        for name in band.exposures:
            yield Task("detector1", f"demo/uncal/{name}_uncal.fits", "whole", REFERENCES)
            yield Task("image2", f"whole/{name}_rate.fits", "whole", REFERENCES)
        yield Task("image3", f"whole/{band.association}", "whole", REFERENCES, ALIGNED)


def differences(both: Both) -> Iterator[tuple[str, ...]]:
    """Rows of the first table."""
    yield "product", "same options: median", "99 %", "pixels", "recipe's options: median", "99 %", "pixels"
    for band in BANDS:
        for suffix in ("rate", "rateints", "cal", "i2d"):
            name = f"{band.first}_{suffix}.fits"
            cells = [cell for alike in ("_alike", "") for cell in _difference(both.pair(name, alike))]
            yield f"`_{suffix}` {band.name}", *cells
    for name in (f"{SHORT}_o001_crf.fits", f"{MOSAIC}_i2d.fits"):
        recipe = _difference(both.pair(name)) if "crf" in name else ("other grid", "", "")
        yield f"`_{name[:-5].rsplit('_', 1)[1]}` of stage 3", *_difference(both.pair(name, "_alike")), *recipe


def _difference(pair: tuple[Path, Path]) -> tuple[str, str, str]:
    found = in_errors(*pair)
    count = "" if "i2d" in pair[0].name else str(flagged_otherwise(*pair))
    return f"{found.median:.2g}", f"{found.p99:.2g}", count


def truths(both: Both) -> Iterator[tuple[str, ...]]:
    """Rows of the second table."""
    yield "", *(f"{band.name} {who}" for band in BANDS for who in ("jwrules", "official"))
    for label, quantity in QUANTITIES.items():
        folders = [(band, both.folder / who) for band in BANDS for who in ("ours", "whole")]
        yield label, *(quantity(band, folder, both.truth) for band, folder in folders)


def _bias(faintest: float, brightest: float) -> Callable[[Band, Path, Path], str]:
    def bias(band: Band, folder: Path, truth: Path) -> str:
        found = [measure.exposure(folder / f"{name}_rate.fits", truth, "RATE") for name in band.exposures]
        sky = [float(np.median(one.truth[one.good])) for one in found]
        values = [one.bias(faintest * level, brightest * level) for one, level in zip(found, sky, strict=True)]
        return f"{100 * np.mean(values):+.3f} %"

    return bias


def _pull(suffix: str, plane: str) -> Callable[[Band, Path, Path], str]:
    def pull(band: Band, folder: Path, truth: Path) -> str:
        found = [measure.exposure(folder / f"{name}_{suffix}.fits", truth, plane).pull() for name in band.exposures]
        return f"{np.mean([measure.scatter(one) for one in found]):.4f}"

    return pull


def _noise(band: Band, folder: Path, truth: Path) -> str:
    found = [measure.exposure(folder / f"{name}_rate.fits", truth, "RATE") for name in band.exposures]
    return f"{np.mean([measure.scatter((one.value - one.truth)[one.good]) for one in found]):.5f}"


def _jumps(band: Band, folder: Path, truth: Path) -> str:
    counts = [measure.jumps_found(folder / f"{name}_rateints.fits", truth, band.noise) for name in band.exposures]
    found, there = np.sum(counts, axis=0)
    return f"{100 * found / there:.2f} % of {there}"


def _sky(band: Band, folder: Path, truth: Path) -> str:
    candidate = band.association[8:12]
    found = [fits.getval(folder / f"{name}_{candidate}_crf.fits", "BKGLEVEL") for name in band.exposures]
    true = np.array([fits.getval(truth / f"{name}_truth.fits", "SKYLEVEL") for name in band.exposures])
    return f"{1000 * np.std(found - (true - true.min())):.2f}"


def _stars(value: Callable[[measure.Photometry], str]) -> Callable[[Band, Path, Path], str]:
    return lambda band, folder, truth: value(measure.photometry(folder / f"{band.mosaic}_cat.ecsv", truth, band.name))


QUANTITIES: dict[str, Callable[[Band, Path, Path], str]] = {
    "bias of the rate, half to twice the sky": _bias(0.5, 2),
    "bias of the rate, above ten times the sky": _bias(10, np.inf),
    "scatter of the rate about the truth, DN/s": _noise,
    "width of (value − truth) / ERR, `_rate`": _pull("rate", "RATE"),
    "width of (value − truth) / ERR, `_cal`": _pull("cal", "CAL"),
    "cosmic rays above 6 sigma found": _jumps,
    "error of the sky levels matched, 1e-3 MJy/sr": _sky,
    "flux of isolated stars, median": _stars(lambda one: f"{100 * np.nanmedian(one.flux):+.2f} %"),
    "flux of isolated stars, scatter": _stars(lambda one: f"{100 * measure.scatter(one.flux):.2f} %"),
    "their position, median, mas": _stars(lambda one: f"{np.median(one.dra):+.2f}, {np.median(one.ddec):+.2f}"),
    "their position, scatter, mas": _stars(
        lambda one: f"{measure.scatter(one.dra):.2f}, {measure.scatter(one.ddec):.2f}"
    ),
}


def markdown(rows: Iterator[tuple[str, ...]]) -> str:
    """Return a table whose first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * (lines[0].count("|") - 1), *lines[1:]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where both pipelines write (default: a temporary folder)")
    folder = parser.parse_args().folder or Path(tempfile.mkdtemp(prefix="accuracy-"))
    both = Both(folder.resolve())
    if not (both.folder / "demo").is_dir():
        both.folder.mkdir(parents=True, exist_ok=True)
        jwrules(both.folder, "simulate", "nircam_imaging", "demo")
        both.make()
    if not (both.folder / "whole").is_dir():
        complete(both)
    print(markdown(differences(both)), markdown(truths(both)), sep="\n\n")


if __name__ == "__main__":
    main()
