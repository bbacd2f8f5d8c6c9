"""The command reproduce: make a product again from its record, and compare the bytes."""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import jwrules
from jwrules.cli.common import Commands, add_command, log
from jwrules.errors import WorkflowFault

if TYPE_CHECKING:
    from jwrules.cli.again import Again

_EPILOG = """\
examples:
  jwrules reproduce demo/results/jw00042-o001_t001_nircam_clear-f200w_i2d.fits
  jwrules reproduce results/jw00042001001_02101_00001_nrca1_rate.fits --keep again

exit status: 0 the bytes are the same, 1 they differ, 2 it cannot be made again"""


def add(commands: Commands) -> None:
    """Declare the command."""
    help = "make a product again from its record, and compare the bytes"
    command = add_command(commands, "reproduce", reproduce, help, _EPILOG)
    command.set_defaults(trouble=2)
    command.add_argument("product", metavar="PRODUCT", type=Path, help="a product in the results of a run")
    command.add_argument("--keep", metavar="DIR", type=Path, help="keep there what is made (default: nothing is kept)")
    command.add_argument("--threads", metavar="N", type=int, help="processors that the kernels may use (default: all)")


def reproduce(options: argparse.Namespace) -> int:
    """Make PRODUCT and all that was made with it once more, by the record beside it (NAME_STAGE.json).

    Members and reference files must hold what they held then; whatever does not is listed. Products bear the date that
    they bore. How those that differ do is told as `jwrules compare` does. The run itself is left as it is.
    """
    from jwrules.cli import again

    if not options.product.is_file():
        raise WorkflowFault(f"{options.product}: there is no such product")
    job = again.of(options.product)
    if faults := job.faults():
        said = "\n".join(f"- {fault}" for fault in faults)
        raise WorkflowFault(f"{options.product}: cannot be made again, for what it was made from has changed\n{said}")
    with _folder(options.keep) as folder:
        made = job.make(folder, options.threads)
        same = [_tell(job.results / one.file, new) for one, new in zip(job.record.gave, made, strict=True)]
    if not all(same):
        print("\n".join(["", *_versions(job)]))
    return 0 if all(same) else 1


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="jwrules-") as name:
            yield Path(name).resolve()


def _tell(then: Path, now: Path) -> bool:
    """Say whether a product came out as it was, and how it differs; return whether it did."""
    if not then.is_file():
        print(f"{then.name}: is no longer there to compare with")
        return False
    if filecmp.cmp(then, now, shallow=False):
        print(f"{then.name}: the same, {then.stat().st_size} bytes")
        return True
    print(f"{then.name}: the bytes DIFFER\n\n{_differences(then, now)}")
    return False


def _differences(then: Path, now: Path) -> str:
    from jwrules.errors import JwrulesError
    from jwrules.report import comparison
    from jwrules.report.comparison import text

    try:
        found = comparison.run(then, now, comparison.Asked())
    except JwrulesError as fault:
        return str(fault)
    return "\n\n".join(text.about(one) for one in found.products)


def _versions(job: Again) -> Iterator[str]:
    """Yield which versions are others now, which is the first thing to look at."""
    from jwrules.cli.recording import versions

    then = {"jwrules": job.record.told.get("release", "?"), **job.record.told.get("versions", {})}
    now = {"jwrules": jwrules.__version__, **versions()}
    changed = [f"  {name} {then[name]}, now {now[name]}" for name in then if now.get(name, then[name]) != then[name]]
    yield "made with other versions:" if changed else "made with the same versions"
    yield from changed
    log.debug("record of %s %s", job.record.stage, job.record.name)
