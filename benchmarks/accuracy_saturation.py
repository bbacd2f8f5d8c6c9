"""Which saturated groups the saturation step leaves unflagged, on ramps that are read frame by frame: Markdown.

    python benchmarks/accuracy_saturation.py [--scenes N]

Ours is jwrules by default, naive flags the means that reach the threshold, with no neighbours, official is package jwst
on the same ramps. Flagged is what a fit leaves out: SATURATED or DO_NOT_USE.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE / "tests" / "official"), str(HOUSE / "tests"), str(HOUSE)]

from ramp_scene import gain_and_readnoise  # noqa: E402
from saturation_scene import READOUTS, Scene, scene  # noqa: E402

from jwrules.products.flags import DQ  # noqa: E402
from jwrules.products.kinds import Ramp  # noqa: E402
from jwrules.steps.jump import jump  # noqa: E402
from jwrules.steps.saturation import saturation  # noqa: E402

LOST, JUMP = np.uint8(DQ.SATURATED | DQ.DO_NOT_USE), np.uint8(DQ.JUMP_DET)


def ours(made: Scene) -> np.ndarray:
    return saturation(deepcopy(made.ramp), saturation=made.limits, superbias=made.bias).groupdq


def naive(made: Scene) -> np.ndarray:
    return np.where(made.ramp.data >= made.limits.data, np.uint8(DQ.SATURATED), np.uint8(0))


def official(made: Scene) -> np.ndarray:
    from jwst.saturation import saturation as step
    from test_detector1_steps import datamodels, official_ramp, official_reference

    limits = official_reference(datamodels.SaturationModel, made.limits)
    bias = official_reference(datamodels.SuperBiasModel, made.bias)
    return np.array(step.flag_saturation(official_ramp(deepcopy(made.ramp)), limits, 1, True, bias_model=bias).groupdq)


WAYS: dict[str, Callable[[Scene], np.ndarray]] = {"ours": ours, "naive": naive, "official": official}
HEAD = ["readout", "saturated by", "groups", "seeds", "n", *WAYS]


def no_jump(product: Ramp, groupdq: np.ndarray) -> np.ndarray:
    """Return where our search for jumps, given these flags, finds none."""
    product = deepcopy(product)
    product.groupdq[...] = groupdq
    return (jump(product, **gain_and_readnoise(product.pixeldq.shape)).groupdq & JUMP) == 0


def counts(made: Scene, groupdq: np.ndarray) -> np.ndarray:
    """Return how many groups are missed: full ones, those of them that jump does not flag, and touched ones.

    The last number is how many are flagged that are none of these.
    """
    missed = (groupdq & LOST) == 0
    kinds = made.full, made.full & no_jump(made.ramp, groupdq), made.touched
    found = [np.count_nonzero(kind & missed) for kind in kinds]
    return np.array([*found, np.count_nonzero(~missed & neither(made))])


def neither(made: Scene) -> np.ndarray:
    """Return which groups are not saturated, nor touched by some that are."""
    return ~made.full & ~made.touched


def missed(scenes: int) -> Iterator[list[str]]:
    """Yield a head and, for every readout, the saturated groups that are left unflagged, and others that are not."""
    yield HEAD
    for readout in READOUTS:
        for struck in (False, True):
            made = [scene(readout, seed=seed, struck=struck) for seed in range(scenes)]
            found = [sum(counts(one, way(one)) for one in made) for way in WAYS.values()]
            full, touched = (sum(int(getattr(one, name).sum()) for one in made) for name in ("full", "touched"))
            kinds = {"full": full, "full, and not flagged by jump": full, "touched": touched}
            kinds["neither, and flagged"] = sum(int(neither(one).sum()) for one in made)
            for k, (kind, n) in enumerate(kinds.items()):
                row = [readout, "a ray" if struck else "light", kind, f"0 to {scenes - 1}", str(n)]
                yield [*row, *(str(one[k]) for one in found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=3, help="scenes of each readout (default 3)")
    for number, row in enumerate(missed(parser.parse_args().scenes)):
        print(f"| {' | '.join(row)} |" + ("" if number else f"\n|{' --- |' * len(row)}"), flush=True)


if __name__ == "__main__":
    main()
