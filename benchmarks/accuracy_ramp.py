"""How far fitted rates are from the truth of simulated ramps, ours and the official pipeline's: tables in Markdown.

    python benchmarks/accuracy_ramp.py [--quick] [TABLE...]

The ramps are made with numpy alone (tests/ramp_scene.py). Both pipelines fit the same arrays. Columns of the official
pipeline (packages jwst and stcal) are left out where it is not installed. Some ten minutes; --quick takes a tenth of
the pixels.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE / "tests" / "official"), str(HOUSE / "tests"), str(HOUSE)]

from ramp_scene import gain_and_readnoise, noisy, ramp  # noqa: E402

from jwrules.steps.jump import Params as JumpParams  # noqa: E402
from jwrules.steps.jump import jump  # noqa: E402
from jwrules.steps.ramp_fit import Params, ramp_fit  # noqa: E402

JUMP = np.uint8(4)
RATES = (0.01, 0.1, 1.0, 10.0, 100.0, 1e3, 1e4)
GROUPS = (2, 5, 10, 30, 100)
SKY = {"frames": 8, "gap": 2, "tgroup": 42.0, "gain": 2.05, "readnoise": 11.0 * 2**0.5 / 2.05}
"""Read-out and noise of the F200W exposures of the simulated program, whose sky is 0.45 electron/s."""

Fit = Callable[[Any, Mapping[str, Any]], tuple[np.ndarray, np.ndarray]]


def ours(**params: Any) -> Fit:
    """A fit of jwrules: rate and error of a ramp."""

    def fit(product: Any, references: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        rate = ramp_fit(_own(product), Params(**params), **references).rate
        return rate.data.astype(float), rate.err.astype(float)

    return fit


def official(algorithm: str) -> Fit:
    """A fit of the official pipeline."""

    def fit(product: Any, references: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        from test_ramp_fit import official_fit

        whole = official_fit(product, references, algorithm)[1]
        return whole["slope"].astype(float), whole["err"].astype(float)

    return fit


def naive(product: Any, references: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Last group less first, over the time between; flags are ignored."""
    seconds = (product.data.shape[1] - 1) * product.meta["TGROUP"]
    rate = (product.data[:, -1].astype(float) - product.data[:, 0]).mean(axis=0) / seconds
    gain, read = references["gain"].data, references["readnoise"].data
    reads = read**2 / product.meta["NFRAMES"] / seconds**2
    return rate, np.sqrt((np.maximum(rate, 0) / gain / seconds + reads) / len(product.data))


FITS: dict[str, Fit] = {
    "unbiased": ours(),
    "as official": ours(weighting="official"),
    "LIKELY": ours(algorithm="LIKELY"),
    "last - first": naive,
    "jwst OLS_C": official("OLS_C"),
    "jwst LIKELY": official("LIKELY"),
}


def fits() -> dict[str, Fit]:
    """The fits that can be made here."""
    there = find_spec("stcal") is not None and find_spec("jwst") is not None
    return {name: fit for name, fit in FITS.items() if there or not name.startswith("jwst")}


def _own(product: Any) -> Any:
    arrays = {name: getattr(product, name).copy() for name in ("data", "groupdq", "pixeldq")}
    return type(product)(**(vars(product) | arrays))


@dataclass(frozen=True)
class Score:
    """How values compare with a truth: relative bias and its own error, bias in σ of a pixel, pull and its width."""

    bias: float
    uncertainty: float
    sigmas: float
    pull: float
    width: float
    pixels: int

    def cell(self) -> str:
        """Bias in percent and in σ of a pixel."""
        return f"{100 * self.bias:+.3f} % = {self.sigmas:+.3f} σ"

    def meets(self, relative: float = 1e-3, sigmas: float = 0.02) -> bool:
        """Whether the bias is within the larger of both limits, or not significantly beyond them."""
        return abs(self.bias) < max(relative, sigmas * abs(self.bias / self.sigmas)) + 2 * self.uncertainty


def score(rate: np.ndarray, err: np.ndarray, truth: float, where: np.ndarray | None = None) -> Score:
    """Compare the pixels `where` (all without) that have a value."""
    chosen = np.isfinite(rate) & (err > 0) & (True if where is None else where)
    value, sigma, n = rate[chosen] - truth, err[chosen], int(chosen.sum())
    if n == 0:
        return Score(*[np.nan] * 5, 0)
    scatter, pull = value.std(), value / sigma
    mean = float(value.mean())
    return Score(
        mean / truth, float(scatter) / truth / n**0.5, mean / float(scatter), float(pull.mean()), float(pull.std()), n
    )


@cache
def plain(rate: float, groups: int, pixels: int) -> tuple[Any, dict[str, Any]]:
    """Ramps of `rate` electron/s without cosmic rays, frames of 10 s, 2 electron/DN, 11.3 electron per read."""
    side = int(pixels**0.5)
    return ramp(noisy(rate / 2, (1, groups, side, side), seed=groups)), gain_and_readnoise((side, side))


@cache
def fitted(rate: float, groups: int, pixels: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What every fit makes of the plain ramps: rates and errors."""
    product, references = plain(rate, groups, pixels)
    return {name: fit(product, references) for name, fit in fits().items()}


def without_rays(pixels: int) -> Iterator[tuple[str, ...]]:
    """Bias of every decade and length."""
    yield "electron/s", "groups", *fits(), "goal"
    for rate in RATES:
        for groups in GROUPS:
            found = {name: score(*values, rate / 2) for name, values in fitted(rate, groups, pixels).items()}
            met = "met" if found["unbiased"].meets() else "MISSED"
            yield f"{rate:g}", str(groups), *(one.cell() for one in found.values()), met


def pulls(pixels: int) -> Iterator[tuple[str, ...]]:
    """(value - truth) / ERR: mean and width. ERR follows the value, so the mean cannot be 0 with few electrons."""
    yield "electron/s", "groups", *fits(), "own photons"
    for rate in RATES:
        for groups in GROUPS:
            values = fitted(rate, groups, pixels)
            found = [score(*one, rate / 2) for one in values.values()]
            seconds = 10 * (groups - 1)
            sigma = np.mean(values["unbiased"][1])
            inevitable = -1 / (2 * 2 * seconds * sigma)
            yield f"{rate:g}", str(groups), *(f"{s.pull:+.3f}, {s.width:.3f}" for s in found), f"{inevitable:+.3f}"


def struck(rate: float, groups: int, pixels: int, seed: int = 3) -> tuple[Any, dict[str, Any]]:
    """Ramps as `plain`, each with one cosmic ray between two groups, flagged where it is."""
    product, references = plain(rate, groups, pixels)
    product, random = _own(product), np.random.default_rng(seed)
    shape = product.pixeldq.shape
    after = np.arange(groups)[:, None, None] >= random.integers(1, groups, shape)
    product.data[0] += np.where(after, random.lognormal(6.5, 1.3, shape), 0).astype(np.float32)
    product.groupdq[0, 1:][after[1:] & ~after[:-1]] = JUMP
    return product, references


def with_rays(pixels: int) -> Iterator[tuple[str, ...]]:
    """Bias of ramps that a cosmic ray, known and flagged, cuts in two."""
    chosen = fits()
    yield "electron/s", "groups", *chosen, "goal"
    for rate in (0.1, 1.0, 10.0, 100.0, 1e3, 1e4):
        for groups in (5, 10, 30):
            product, references = struck(rate, groups, pixels)
            found = {name: score(*fit(product, references), rate / 2) for name, fit in chosen.items()}
            met = "met" if found["unbiased"].meets(relative=3e-3) else "MISSED"
            yield f"{rate:g}", str(groups), *(one.cell() for one in found.values()), met


def sky(pixels: int, groups: int = 7, electrons: float = 0.45) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups (DN) of the simulated F200W sky, where a cosmic ray comes (6 % of pixels), and the group that it is in.

    It comes in any frame, mostly within a group; its charge is that of the simulated program.
    """
    side, random = int(pixels**0.5), np.random.default_rng(7)
    data = noisy(electrons / SKY["gain"], (1, groups, side, side), seed=11, **SKY)
    hit, frame = random.random((side, side)) < 0.06, random.integers(10, groups * 10 - 2, (side, side))
    charge = random.lognormal(np.log(1300), 1.3, (side, side)) * random.choice([1, 0.5, 0.1], (side, side))
    group, read = frame // 10, frame % 10
    first = np.where(read < 8, group, group + 1)
    for g in range(groups):
        share = np.where(g > first, 1.0, np.where(g == first, np.where(read < 8, (8 - read) / 8, 1.0), 0.0))
        data[0, g] += np.where(hit, share * np.clip(charge, 60, 9e4) / SKY["gain"], 0)
    return data, hit, first


def selection(pixels: int) -> Iterator[tuple[str, ...]]:
    """Where the bias of ramps with a flagged jump comes from, at the simulated sky."""
    data, hit, first = sky(pixels)
    truth, references = 0.45 / SKY["gain"], gain_and_readnoise(hit.shape, SKY["gain"], SKY["readnoise"])
    keywords = {"NFRAMES": 8, "GROUPGAP": 2, "TFRAME": 4.2, "TGROUP": 42.0}
    at = np.arange(7)[:, None, None] == first
    known = ramp(data, **keywords)
    known.groupdq[0][at & hit] = JUMP | np.uint8(1)
    found = jump(ramp(data, **keywords), **references)
    own = ramp(data, **keywords)
    rate, err = FITS["unbiased"](known, references)
    likely = ramp_fit(own, Params(algorithm="LIKELY"), **references).rate
    flagged, likely_flagged = ((one.groupdq & JUMP).any(axis=(0, 1)) for one in (found, own))
    by_jump = FITS["unbiased"](found, references)
    alone = FITS["unbiased"](jump(ramp(data, **keywords), JumpParams(flag_rests=False), **references), references)
    by_likely = likely.data.astype(float), likely.err.astype(float)
    official = _officially_flagged(data, keywords, references)
    rows = {
        "struck, jump known and its group left out": (rate, err, hit),
        "never struck, flagged by jump": (*by_jump, flagged & ~hit),
        "never struck, flagged by LIKELY": (*by_likely, likely_flagged & ~hit),
        "struck and flagged by jump": (*by_jump, flagged & hit),
        "struck and flagged by jump, flag_rests: false": (*alone, flagged & hit),
        "struck and flagged by LIKELY": (*by_likely, likely_flagged & hit),
        "struck, not flagged by jump": (*by_jump, ~flagged & hit),
        "struck, not flagged by LIKELY": (*by_likely, ~likely_flagged & hit),
        "all flagged by jump": (*by_jump, flagged),
        "all flagged by LIKELY": (*by_likely, likely_flagged),
        "all, jump": (*by_jump, None),
        "all, jump, flag_rests: false": (*alone, None),
        "all, LIKELY": (*by_likely, None),
        "all, last - first": (*naive(own, references), None),
        **official,
    }
    yield "ramps", "share", "bias", "± "
    for name, (value, sigma, where) in rows.items():
        one = score(value, sigma, truth, where)
        share = f"{100 * one.pixels / hit.size:.3f} %"
        yield name, share, f"{100 * one.bias:+.2f} %", f"{100 * one.uncertainty:.2f} %"


def _officially_flagged(data: np.ndarray, keywords: dict[str, Any], references: dict[str, Any]) -> dict[str, Any]:
    """Return rows of the official search for jumps and fit, where they are installed."""
    if "jwst OLS_C" not in fits():
        return {}
    from test_detector1_steps import official_jump

    product = ramp(data, **keywords)
    product.groupdq[...] = official_jump(product, references)[0]
    values, flagged = FITS["jwst OLS_C"](product, references), (product.groupdq & JUMP).any(axis=(0, 1))
    return {"all flagged by jump, official": (*values, flagged), "all, official": (*values, None)}


def constructed(pixels: int) -> Iterator[tuple[str, ...]]:
    """The ramp of jwst issue 7911: 20 groups of read noise, a cosmic ray, 80 groups of 10 DN/s at 100 electron/DN."""
    side = min(int(pixels**0.5), 50)
    data = noisy(0.0, (1, 100, side, side), readnoise=11.0)
    photons = np.random.default_rng(5).poisson(1e4, (80, side, side)).cumsum(axis=0) / 100
    data[0, 20:] += photons - 100 + 5000
    product, references = ramp(data), gain_and_readnoise((side, side), 100.0, 11.0)
    product.groupdq[:, 20] = JUMP
    chosen = fits()
    yield "expected", *chosen
    yield "9.9 ± 0.1", *(f"{np.nanmean(fit(product, references)[0]):.3f}" for fit in chosen.values())


def leak(pixels: int) -> Iterator[tuple[str, ...]]:
    """jwst issue 10447: the largest change of the first integration when the second one is thirty times brighter."""
    side = min(int(pixels**0.5), 100)
    data = noisy(5.0, (2, 8, side, side))
    data[:, 4:] += 500 * (np.random.default_rng(1).random((side, side)) < 0.3)
    brighter, references = data.copy(), gain_and_readnoise((side, side))
    brighter[1] *= 30
    yield "fit", "largest change"
    for name in fits():
        one, other = (_first_integration(name, _flag_fourth(d), references) for d in (data, brighter))
        yield name, f"{np.nanmax(np.abs(one - other)):g} DN/s"


SETTINGS: dict[str, dict[str, Any]] = {
    "unbiased": {},
    "as official": {"weighting": "official"},
    "LIKELY": {"algorithm": "LIKELY"},
}


def _first_integration(name: str, product: Any, references: dict[str, Any]) -> np.ndarray:
    """Return the rates of the first integration (DN/s)."""
    if name in SETTINGS:
        return ramp_fit(product, Params(**SETTINGS[name]), **references).rateints.data[0]
    if name == "last - first":
        return product.data[0, -1] - product.data[0, 0]
    from test_ramp_fit import official_fit

    return official_fit(product, references, name.removeprefix("jwst "))[2]["slope"][0]


def _flag_fourth(data: np.ndarray) -> Any:
    product = ramp(data)
    product.groupdq[:, 4] = JUMP
    return product


TABLES = {
    "without_rays": (without_rays, 40_000),
    "pulls": (pulls, 40_000),
    "with_rays": (with_rays, 40_000),
    "selection": (selection, 1_000_000),
    "constructed": (constructed, 2_500),
    "leak": (leak, 10_000),
}


def markdown(rows: Iterator[tuple[str, ...]]) -> str:
    """Return a table whose first row is its head."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * (lines[0].count("|") - 1), *lines[1:]])


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the pixels")
    parser.add_argument("tables", nargs="*", choices=[*TABLES, []], help="which tables (default: all)")
    options = parser.parse_args()
    for name in options.tables or TABLES:
        table, pixels = TABLES[name]
        pixels = pixels // 10 if options.quick else pixels
        print(f"{table.__doc__} ({pixels} pixels per row)\n\n{markdown(table(pixels))}\n", flush=True)


if __name__ == "__main__":
    main()
