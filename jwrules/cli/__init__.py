"""The door: every command of `jwrules`.

Each family of commands is one file with a function `add`, which declares the commands, and the functions that run
them. What a command needs is imported when it runs, so that `jwrules --help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import jwrules
from jwrules.cli import batch, compare, data, knowledge, references, reproduce, stages, warmup, workflow
from jwrules.cli.common import Command, Help, report_failure, start_logging

_EPILOG = """\
first steps:
  jwrules simulate nircam_imaging demo
  jwrules plan demo/uncal --references demo/references --output demo
  jwrules run  demo/uncal --references demo/references --output demo --cores 2

`jwrules COMMAND --help` tells more about each."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` (default: those of the process) name; return the exit status."""
    parser = build()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and not options.passes_on:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    options.snakemake = unknown
    start_logging(options)
    try:
        return options.run(options) or 0
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except (Exception, KeyboardInterrupt) as reason:
        return report_failure(reason, options)


def build() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="jwrules",
        description=jwrules.__doc__,
        epilog=_EPILOG,
        formatter_class=Help,
    )
    parser.add_argument("--version", action="version", version=f"jwrules {jwrules.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Command)
    for family in (data, workflow, stages, batch, compare, references, reproduce, knowledge, warmup):
        family.add(commands)
    return parser
