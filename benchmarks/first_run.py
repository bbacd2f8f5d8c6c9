"""What compiling kernels costs, and whether `jwrules warmup` leaves anything to compile.

    python benchmarks/first_run.py [--template niriss_imaging] [--every] [--folder DIR]

Prints a table: wall and CPU seconds of a stage 1 that compiles all it needs, of `jwrules warmup`, and of the same
stage 1 afterwards. With --every, all templates (the imaging programs through all stages) are then simulated larger than
warmup does, each is reduced in a process of its own, and the kernels that it compiles are named: there are to be none.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jwrules import simulate

ONE = """
import sys
from pathlib import Path
from jwrules.cli.rehearsal import Rehearsal
from jwrules.kernels import cache

Rehearsal(sys.argv[1], size="small").play(Path(sys.argv[2]))
print(*(kernel.function for kernel in cache.asked if not kernel.found))
"""


def measured(kernels: Path, *command: str) -> str:
    """Run jwrules to its end; return wall and CPU seconds as cells of a table."""
    begun = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "jwrules", *command, "-q"], env={**os.environ, "NUMBA_CACHE_DIR": str(kernels)}
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return f"{time.perf_counter() - begun:.1f} | {usage.ru_utime + usage.ru_stime:.1f}"


def compiled(kernels: Path, template: str, folder: Path) -> str:
    """Return the kernels that are compiled while a template is simulated and reduced."""
    command = [sys.executable, "-c", ONE, template, str(folder)]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(kernels)}
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", default="niriss_imaging", choices=simulate.names())
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        simulate.run(options.template, folder)
        uncal = str(next((folder / "uncal").iterdir()))
        run = ["detector1", uncal, "--references", str(folder / "references"), "--output", str(folder / "out")]
        print("| what | wall s | CPU s |\n| --- | --- | --- |")
        print(f"| stage 1 of {options.template}, nothing compiled | {measured(folder / 'cold', *run)} |", flush=True)
        print(f"| jwrules warmup | {measured(folder / 'warm', 'warmup')} |", flush=True)
        print(f"| jwrules warmup once more | {measured(folder / 'warm', 'warmup')} |", flush=True)
        print(f"| stage 1 of {options.template} after it | {measured(folder / 'warm', *run)} |", flush=True)
        for template in simulate.names() if options.every else ():
            with tempfile.TemporaryDirectory(dir=options.folder) as place:
                print(
                    f"{template}: {compiled(folder / 'warm', template, Path(place)) or 'nothing compiled'}", flush=True
                )


if __name__ == "__main__":
    main()
