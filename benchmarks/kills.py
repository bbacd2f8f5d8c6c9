"""What is left when runs are killed at random moments (SIGKILL), driver or jobs: nothing half, nothing lost.

    python benchmarks/kills.py [--kills 200] [--seed 1] [--folder DIR] [--recipe FILE]

cuts a small program out of the simulated demo, runs it undisturbed, and then kills runs of it. After each kill every
file under a final name must hold the bytes of the undisturbed run, and no job that has a record may run again; runs
that reach their end must give the same files. Prints how many kills of which kind there were.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(HOUSE), str(HOUSE / "tests")]

import kills  # noqa: E402

from tests.demo import small  # noqa: E402


def program(folder: Path) -> Path:
    """Return the folder of the raw small program, made once."""
    made = folder / "small"
    if not made.is_dir():
        simulate = [sys.executable, "-m", "jwrules", "simulate", "nircam_imaging", str(folder / "demo")]
        subprocess.run(simulate, check=True)
        small.cut(folder / "demo", made, small.EXPOSURES)
    return made


def _tell(said: str) -> None:
    print(said, flush=True)


def main() -> None:
    """Kill runs, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    parser.add_argument("--recipe", type=Path, help="default: a short one with every stage")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    raw, whole, killed = program(folder), folder / "whole", folder / "killed"
    for place in (whole, killed):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(raw, place)
    recipe = options.recipe or folder / "short.yaml"
    if not options.recipe:
        recipe.write_text(kills.RECIPE)
    asked = ("--recipe", recipe)
    took = kills.undisturbed(whole, asked)
    print(f"undisturbed: {took:.1f} s, {len(kills.visible(whole))} files", flush=True)
    began = time.monotonic()
    tried = kills.Kills(killed, whole, random.Random(options.seed), took, asked, told=_tell)
    try:
        tried.run(options.kills)
    finally:
        said = ", ".join(f"{victim} {count}" for victim, count in sorted(tried.done.items()))
        took = time.monotonic() - began
        print(f"{tried.done.total()} kills ({said}) in {tried.runs} runs, {took:.0f} s; work in {folder}")
    print("nothing half, nothing lost")


if __name__ == "__main__":
    main()
