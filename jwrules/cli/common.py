"""What all commands share: options, logging, and how a failure is told."""

from __future__ import annotations

import argparse
import inspect
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from typing import Any

from jwrules.errors import JwrulesError

log = logging.getLogger("jwrules")

Commands = Any
"""The object to which commands are added (argparse keeps its type to itself)."""


class Help(argparse.RawDescriptionHelpFormatter):
    """Help with room for its second column, and no wider than is read with ease."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32, width=min(shutil.get_terminal_size().columns, 110))


class Command(argparse.ArgumentParser):
    """The parser of one command, with the options that every command has."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"formatter_class": Help, "allow_abbrev": False, **settings})
        common = self.add_argument_group("talking")
        common.add_argument("--debug", action="store_true", help="say more; show the traceback of a failure")
        common.add_argument("--quiet", "-q", action="store_true", help="say only what needs attention")


Run = Callable[[argparse.Namespace], int | None]
"""What runs a command; it returns the exit status, nothing for success."""


def add_command(commands: Commands, name: str, run: Run, help: str, epilog: str) -> argparse.ArgumentParser:
    """Declare the command `name`; `help` is one line, more of it stands in the docstring of `run`."""
    doc = inspect.cleandoc(run.__doc__ or help)
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=doc, epilog=epilog)
    command.set_defaults(run=run, command=name, passes_on=False, trouble=1)
    return command


def add_references(command: argparse.ArgumentParser) -> None:
    """Declare --references."""
    command.add_argument(
        "--references",
        metavar="R",
        help="a directory of reference files, or crds:CONTEXT (such as crds:jwst_1464.pmap, or crds:latest)",
    )


def add_options(command: argparse.ArgumentParser) -> None:
    """Declare --recipe and --set."""
    command.add_argument(
        "--recipe", metavar="FILE", help="a recipe of your own; it goes before those that come with jwrules"
    )
    command.add_argument(
        "--set",
        dest="sets",
        metavar="STEP.PARAMETER=VALUE",
        action="append",
        default=[],
        help="set one parameter, above every file; may be repeated",
    )


def add_exclude(command: argparse.ArgumentParser) -> None:
    """Declare --exclude."""
    command.add_argument(
        "--exclude",
        metavar="NAME=REASON",
        action="append",
        default=[],
        help="leave an exposure out, and say why; * in NAME stands for anything; may be repeated",
    )


def start_logging(options: argparse.Namespace) -> None:
    """Send the log to stderr: what was done, for an astronomer to read."""
    level = logging.DEBUG if options.debug else logging.WARNING if options.quiet else logging.INFO
    handler = logging.StreamHandler()
    handler.setFormatter(_Plain())
    log.handlers = [handler]
    log.setLevel(level)
    log.propagate = False
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").handlers = [handler]


class _Plain(logging.Formatter):
    """The message alone; its level only where it is not everyday, nor says it itself."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return (
            text
            if record.levelno in (logging.INFO, logging.DEBUG, logging.CRITICAL)
            else f"{record.levelname.lower()}: {text}"
        )


def report_failure(reason: BaseException, options: argparse.Namespace) -> int:
    """Say what went wrong, with the traceback if it was asked for; return the exit status.

    It is said on stderr, of a job in a batch (that has `words` of its own) in its log.
    """
    if options.debug:
        traceback.print_exception(reason)
    said = f"jwrules {options.command}: {_message(reason)}"
    if getattr(options, "words", None) is None:
        print(said, file=sys.stderr)
    else:
        log.critical("%s", said)
    return 130 if isinstance(reason, KeyboardInterrupt) else int(options.trouble)


def _message(reason: BaseException) -> str:
    if isinstance(reason, KeyboardInterrupt):
        return "interrupted; the same command carries on from here"
    if isinstance(reason, JwrulesError):
        return str(reason)
    if isinstance(reason, OSError) and reason.errno is not None:
        where = f"{os.fspath(reason.filename)}: " if reason.filename else ""
        return f"{where}{(reason.strerror or str(reason)).lower()}"
    kind = type(reason).__name__
    return f"{kind}: {reason}\nThis is a fault of jwrules, not yours; --debug shows where it happened."
