"""How well clean_flicker_noise tells flicker noise from light: a row for docs/accuracy.md.

    python benchmarks/accuracy_flicker.py [--scenes N]

simulates exposures with 1/f noise, sky, stars and an extended source of 20 pixels, cleans them with jwrules and with
the official step (package jwst needed), and prints Markdown: scatter of the means of lines, in units of what white
noise alone leaves, and bias of the extended source.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE / "tests" / "official"), str(HOUSE / "tests")]

from flicker_scene import Scene, bias, exposure, line_rms  # noqa: E402
from ramp_scene import gain_and_readnoise  # noqa: E402

from jwrules.products.kinds import Ramp  # noqa: E402
from jwrules.steps.clean_flicker_noise import Params, clean_flicker_noise  # noqa: E402
from jwrules.steps.ramp_fit import Params as RampFit  # noqa: E402
from jwrules.steps.ramp_fit import ramp_fit  # noqa: E402

SHAPE = (256, 512)


def copied(ramp: Ramp) -> Ramp:
    return replace(ramp, data=ramp.data.copy(), groupdq=ramp.groupdq.copy())


def ours(scene: Scene) -> Ramp:
    return clean_flicker_noise(copied(scene.ramp), Params(), **gain_and_readnoise(SHAPE))


def official(scene: Scene) -> Ramp:
    """The official step; its draft rates, for which it would read files, are those of our fit with its weights."""
    from jwst.clean_flicker_noise import clean_flicker_noise as step
    from test_detector1_steps import datamodels, official_ramp

    slopes = ramp_fit(scene.ramp, RampFit(weighting="official"), **gain_and_readnoise(SHAPE))

    def make_rate(model: object, **options: object) -> object:
        rate = datamodels.ImageModel()
        rate.update(model)
        rate.data, rate.dq = slopes.rate.data.copy(), slopes.rate.dq.copy()
        return rate

    step.make_rate = make_rate
    return replace(scene.ramp, data=step.do_correction(official_ramp(scene.ramp))[0].data)


WAYS = {"jwrules": ours, "uncleaned": lambda scene: scene.ramp, "official": official}


def rows(scenes: int) -> Iterator[tuple[str, ...]]:
    yield "1/f noise", *WAYS
    made = [exposure(SHAPE, seed=seed) for seed in range(scenes)]
    cleaned = {name: [way(scene) for scene in made] for name, way in WAYS.items()}
    for label, measure, unit in (
        ("scatter of the means of lines, over white noise", line_rms, 1),
        ("bias of an extended source of 20 pixels, %", bias, 100),
    ):
        found = [[unit * measure(s, c) for s, c in zip(made, those, strict=True)] for those in cleaned.values()]
        yield label, *(f"{np.mean(one):.3f} ± {np.std(one) / np.sqrt(scenes):.3f}" for one in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=8, help="exposures with noise of their own (default 8)")
    for number, row in enumerate(rows(parser.parse_args().scenes)):
        print("| " + " | ".join(row) + " |" + ("" if number else "\n|" + " --- |" * len(row)))


if __name__ == "__main__":
    main()
