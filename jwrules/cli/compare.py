"""The command compare: how two products, or two runs, differ."""

from __future__ import annotations

import argparse
from pathlib import Path

from jwrules.cli.common import Commands, add_command, log

_EPILOG = """\
examples:
  jwrules compare mine_rate.fits theirs_rate.fits --pictures pictures
  jwrules compare demo demo/variants/jump5
  jwrules compare demo other --only _i2d --only _cat --json differences.json

exit status: 0 the data are the same, 1 they differ, 2 something could not be compared"""


def add(commands: Commands) -> None:
    """Declare the command."""
    command = add_command(
        commands, "compare", compare, "tell how two products, or two runs, differ, in units of the error", _EPILOG
    )
    command.set_defaults(trouble=2)
    command.add_argument("a", metavar="A", type=Path, help="a product (FITS, ECSV), or a folder of products")
    command.add_argument("b", metavar="B", type=Path, help="another product, or folder, to compare with")
    command.add_argument(
        "--tolerance",
        type=_tolerance,
        default=0.0,
        metavar="X",
        help="differences up to X errors count as equal; of what has no error, up to the fraction X (default 0)",
    )
    command.add_argument(
        "--independent",
        action="store_true",
        help="A and B are different measurements: the unit is the error of their difference",
    )
    command.add_argument(
        "--only", action="append", default=[], metavar="_SUFFIX", help="of folders, only such products; may be repeated"
    )
    command.add_argument("--details", action="store_true", help="of folders, tell all about each product too")
    command.add_argument("--pictures", metavar="DIR", type=Path, help="draw differences and flags to PNG files there")
    command.add_argument("--json", metavar="FILE", type=Path, help="write all numbers there")


def _tolerance(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: a number from 0 on is wanted")
    return value


def compare(options: argparse.Namespace) -> int:
    """Tell how the data of A and B differ, by class of their DQ flags; nothing is changed.

    The unit of A - B is ERR of A, as is right for two reductions of the same exposure, whose noise is the same; that
    of B where A has none. With --independent it is the square root of the sum of both squared. Mosaics are told
    apart by weight, catalogues are matched by position. Of folders, products with the same names are compared; a
    working directory stands for its results. Keywords and options that differ are told, but only data decide the exit
    status.
    """
    from jwrules.report import comparison
    from jwrules.report.comparison import text

    folders = options.a.is_dir()
    told = (lambda one: print(text.about(one), end="\n\n", flush=True)) if not folders or options.details else _silent
    asked = comparison.Asked(options.tolerance, options.independent)
    print(f"A  {options.a}\nB  {options.b}\n")
    found = comparison.run(options.a, options.b, asked, only=options.only, pictures=options.pictures, tell=told)
    if folders:
        print(text.summary(found))
    if options.json:
        text.write(found, options.json)
        log.info("wrote %s", options.json)
    return found.status


def _silent(one: object) -> None:
    """Say nothing."""
