"""How well jumps, snowballs and linearity come out, on ramps with known truth: Markdown tables.

    python benchmarks/accuracy_jump.py [--quick]

Ours is jwrules by default, naive is a plain clip of the differences of a ramp at 4 standard deviations (or no
correction at all), official is package jwst on the same ramps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE / "tests" / "official"), str(HOUSE / "tests"), str(HOUSE)]

import snowball_scene  # noqa: E402
from linearity_scene import curved  # noqa: E402
from ramp_scene import gain_and_readnoise, noisy, ramp  # noqa: E402
from test_detector1_steps import official_jump, official_ramp, official_reference  # noqa: E402

from jwrules.products.flags import DQ  # noqa: E402
from jwrules.products.kinds import Ramp  # noqa: E402
from jwrules.steps.jump import Params, jump  # noqa: E402
from jwrules.steps.linearity import linearity  # noqa: E402
from jwrules.steps.ramp_fit import Params as Fit  # noqa: E402
from jwrules.steps.ramp_fit import ramp_fit  # noqa: E402

GROUPS = (3, 4, 5, 10, 20, 100)
GAIN, READNOISE, TGROUP = 2.0, 8.0, 10.0
JUMP = np.uint8(DQ.JUMP_DET)
SKIES = {"faint": (0.5, 1, 0), "bright": (300.0, 1, 0), "faint, DEEP8": (0.5, 8, 12), "bright, DEEP8": (300.0, 8, 12)}

HEIGHTS = {"5": (5.0, 5.0), "6": (6.0, 6.0), "5 to 60": (5.0, 60.0), "6 to 60": (6.0, 60.0)}
"""Heights of jumps, in σ of a difference."""
LOW = 3.0
"""A threshold (σ) that finds 95 % of jumps of 5 σ, where ten groups or more tell what a ramp does without them."""

Flags = np.ndarray
Finder = Callable[..., Flags]


def ours(product: Ramp, **settings: Any) -> Flags:
    references = gain_and_readnoise(product.pixeldq.shape, GAIN, READNOISE)
    alone = Params(flag_4_neighbors=False, flag_rests=False, **settings)
    return (jump(deepcopy(product), alone, **references).groupdq & JUMP) > 0


def mean(product: Ramp, **settings: float) -> Flags:
    return ours(product, statistic="mean", **settings)


def likely(product: Ramp, **_: float) -> Flags:
    """The jumps that the fit by likelihood finds by itself, of four groups or more, at thresholds of its own."""
    references, own = gain_and_readnoise(product.pixeldq.shape, GAIN, READNOISE), deepcopy(product)
    ramp_fit(own, Fit(algorithm="LIKELY"), **references)
    return (own.groupdq & JUMP) > 0


def official(product: Ramp, **settings: float) -> Flags:
    references = gain_and_readnoise(product.pixeldq.shape, GAIN, READNOISE)
    return (official_jump(deepcopy(product), references, flag_4_neighbors=False, **settings)[0] & JUMP) > 0


def naive(product: Ramp, **settings: float) -> Flags:
    limit = settings.get("rejection_threshold", 4.0)
    steps = np.diff(product.data, axis=1)
    found, kept = np.zeros(product.data.shape, bool), np.ones(steps.shape, bool)
    for _ in range(5):
        values = np.where(kept, steps, np.nan)
        middle, scatter = np.nanmedian(values, axis=1, keepdims=True), np.nanstd(values, axis=1, keepdims=True)
        kept &= np.abs(steps - middle) <= limit * scatter
    found[:, 1:] = ~kept
    return found


FINDERS: dict[str, Finder] = {"ours": ours, "naive": naive, "official": official}
MORE: dict[str, Finder] = {"ours": ours, "mean": mean, "LIKELY": likely, "naive": naive, "official": official}
"""How jumps are sought: by default, by the plain mean of the others, and in the fit; naively and officially."""

STATED = {name: find for name, find in MORE.items() if name != "LIKELY"}
"""Those that can be told to seek at 4 σ."""


def table(title: str, heads: list[str], rows: Iterator[list[str]]) -> None:
    print(f"\n{title}\n\n| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    print()


def exposure(sky: str, ngroups: int, pixels: int, seed: int) -> Ramp:
    rate, frames, gap = SKIES[sky]
    side = int(np.sqrt(pixels))
    shape = (1, ngroups, side, side)
    data = noisy(rate, shape, gain=GAIN, readnoise=READNOISE, tgroup=TGROUP, frames=frames, gap=gap, seed=seed)
    return ramp(data, NFRAMES=frames, GROUPGAP=gap, TFRAME=TGROUP / (frames + gap), TGROUP=TGROUP)


def sigma(sky: str) -> float:
    """Return the noise of a difference of groups (DN)."""
    rate, frames, gap = SKIES[sky]
    photons = 1 - (frames**2 - 1) / (3 * frames * (frames + gap))
    return float(np.sqrt(rate * TGROUP * GAIN * photons + (READNOISE * GAIN) ** 2 / frames) / GAIN)


def thresholds(limit: float) -> dict[str, float]:
    """Return settings that seek jumps at `limit` σ for any number of differences."""
    names = "rejection_threshold", "four_group_rejection_threshold", "three_group_rejection_threshold"
    return dict.fromkeys(names, limit)


def false_flags(samples: int) -> Iterator[list[str]]:
    """Yield false jumps at 4 σ, for any number of differences, over the number that a normal distribution has."""
    four = thresholds(4.0)
    for sky, ngroups in ((sky, ngroups) for sky in SKIES for ngroups in GROUPS):
        frames = sum(SKIES[sky][1:])
        many = max(samples // (ngroups if frames == 1 else 4 * ngroups), 10000)
        product = exposure(sky, ngroups, many, seed=ngroups)
        n = product.data[:, 1:].size
        stated = 2 * norm.sf(4.0) * n
        ratios = [f"{np.count_nonzero(find(product, **four)) / stated:.2f}" for find in STATED.values()]
        yield [sky, str(ngroups), str(ngroups), str(n), f"{stated:.0f}", *ratios]


def recall(samples: int) -> Iterator[list[str]]:
    """Yield the shares of jumps that are found by default: of those of one height, and of all from it to 60 σ."""
    for sky, ngroups in ((sky, ngroups) for sky in ("faint", "bright") for ngroups in GROUPS):
        product = exposure(sky, ngroups, max(samples // (4 * ngroups), 10000), seed=ngroups + 1)
        n = str(product.pixeldq.size)
        for height, (struck, places) in jumps(product, sky, ngroups).items():
            shares = [f"{100 * find(struck)[places].mean():.1f}" for find in MORE.values()]
            yield [sky, str(ngroups), str(ngroups + 1), n, height, *shares]


def sharper(samples: int) -> Iterator[list[str]]:
    """Yield what thresholds of `LOW` σ find, in %, and false jumps at them over those that they state."""
    for sky, ngroups in ((sky, ngroups) for sky in ("faint", "bright") for ngroups in GROUPS):
        product = exposure(sky, ngroups, max(samples // (4 * ngroups), 10000), seed=ngroups + 1)
        ratio = np.count_nonzero(ours(product, **thresholds(LOW))) / (2 * norm.sf(LOW) * product.data[:, 1:].size)
        scenes = jumps(product, sky, ngroups).values()
        shares = [f"{100 * ours(struck, **thresholds(LOW))[places].mean():.1f}" for struck, places in scenes]
        yield [sky, str(ngroups), str(ngroups + 1), str(product.pixeldq.size), *shares, f"{ratio:.2f}"]


def jumps(product: Ramp, sky: str, seed: int) -> dict[str, tuple[Ramp, tuple[Any, ...]]]:
    """Return, by their height, the ramps with a jump in each, and where the jumps are."""
    random, (_, ngroups, ny, nx) = np.random.default_rng(seed), product.data.shape
    when, y, x = random.integers(1, ngroups, (ny, nx)), *np.mgrid[:ny, :nx]
    scenes = {}
    for name, (least, most) in HEIGHTS.items():
        heights = random.uniform(least, most, (ny, nx)) * sigma(sky)
        struck = deepcopy(product)
        struck.data[0] += np.where(np.arange(ngroups)[:, None, None] >= when, heights, 0)
        scenes[name] = struck, (0, when, y, x)
    return scenes


def bias(samples: int) -> Iterator[list[str]]:
    """Yield what false jumps do to the mean difference of the ramps that have one, and how many these are."""
    for rate in (0.3, 3.0):
        shape = (1, 7, int(np.sqrt(samples / 28)), int(np.sqrt(samples / 28)))
        data = noisy(rate, shape, gain=GAIN, readnoise=READNOISE, tgroup=107.4, frames=8, gap=2, seed=5)
        product = ramp(data, NFRAMES=8, GROUPGAP=2, TFRAME=10.74, TGROUP=107.4)
        steps = np.diff(data[0], axis=0)
        for name, find in FINDERS.items():
            flagged = find(product)[0, 1:]
            touched = flagged.any(axis=0)
            left = np.nanmean(np.where(flagged, np.nan, steps), axis=0)[touched]
            low = 100 * (left.mean() / (rate * 107.4) - 1) if touched.any() else 0.0
            yield [f"{rate} DN/s", "5", str(touched.size), name, f"{100 * touched.mean():.3f}", f"{low:+.1f}"]


def snowballs(seeds: int) -> Iterator[list[str]]:
    """Yield the shares of snowballs that are flagged over 90 %, and of flagged regions that are some, and the area."""
    ways = {
        "ours": _grown,
        "naive": lambda product: jump(product, **gain_and_readnoise((256, 256))).groupdq,
        "official": _official_grown,
    }
    for readout in snowball_scene.READOUTS:
        for name, way in ways.items():
            found, areas, right, all_regions, n = 0, [], 0, 0, 0
            for seed in range(seeds):
                scene = snowball_scene.scene(readout, seed=seed)
                alone = jump(deepcopy(scene.ramp), **gain_and_readnoise((256, 256))).groupdq & JUMP
                flags = way(deepcopy(scene.ramp))
                flagged = (flags & (JUMP | np.uint8(DQ.SATURATED))) > 0
                seen = [one for one in scene.snowballs if one.area.sum() >= 30]
                n, found = n + len(seen), found + sum(one.seen(flagged) >= 0.9 for one in seen)
                areas += [area for one in seen for area in one.areas(flagged)]
                true, total = scene.judge((flags & JUMP) > alone)
                right, all_regions = right + true, all_regions + total
            precision = f"{100 * right / all_regions:.0f}" if all_regions else ""
            yield [
                readout,
                f"0 to {seeds - 1}",
                str(n),
                name,
                f"{100 * found / n:.0f}",
                precision,
                f"{np.median(areas):.2f}",
            ]


def _grown(product: Ramp) -> Flags:
    params = Params(expand_large_events=True, mask_snowball_core_next_int=False)
    return jump(product, params, **gain_and_readnoise(product.pixeldq.shape)).groupdq


def _official_grown(product: Ramp) -> Flags:
    settings = {"expand_large_events": True, "mask_snowball_core_next_int": False}
    return official_jump(product, gain_and_readnoise(product.pixeldq.shape), **settings)[0]


def residuals(_: int) -> Iterator[list[str]]:
    """Yield the largest residual up to 90 % of full well, in % of the counts."""
    from jwst.linearity import linearity as theirs
    from stdatamodels.jwst import datamodels

    for frames in (1, 4, 8):
        product, curve, truth = curved(frames)
        model = official_reference(datamodels.LinearityModel, curve, coeffs="coeffs", inv_coeffs="inv_coeffs")
        results = {
            "ours": linearity(deepcopy(product), linearity=curve).data,
            "naive": product.data,
            "official": theirs.do_correction(official_ramp(deepcopy(product)), model).data,
        }
        worst = [f"{100 * np.abs(data / truth - 1).max():.3f}" for data in results.values()]
        yield [f"{frames} frames a group", "none", str(truth.size), *worst]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the ramps")
    samples = 800_000 if parser.parse_args().quick else 8_000_000
    which = list(FINDERS)
    table("False jumps over those stated at 4 σ, by the number of groups",
          ["sky", "groups", "seed", "differences", "stated", *STATED], false_flags(samples))  # fmt: skip
    table("Jumps that are found (%), by their height (σ of a difference)",
          ["sky", "groups", "seed", "jumps", "height", *MORE], recall(samples))  # fmt: skip
    table(f"Jumps that thresholds of {LOW:g} σ find (%), and false ones over those stated",
          ["sky", "groups", "seed", "jumps", *HEIGHTS, "false over stated"], sharper(samples))  # fmt: skip
    table("Ramps of noise alone with a false jump (7 groups of MEDIUM8), and how far their mean difference is off (%)",
          ["sky", "seed", "ramps", "way", "ramps with a jump %", "off %"], bias(samples))  # fmt: skip
    table("Snowballs", ["readout", "seeds", "snowballs", "way", "found %", "right %", "area over truth"],
          snowballs(3 if samples < 1_000_000 else 10))  # fmt: skip
    table("Residual of linearity up to 90 % of full well (%)", ["groups", "seed", "values", *which], residuals(0))


if __name__ == "__main__":
    main()
