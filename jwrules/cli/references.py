"""Commands about reference files: fetch, list, verify, pin."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jwrules.cli.common import Commands, add_command, add_exclude, add_options, add_references, log
from jwrules.errors import WorkflowFault

_FETCH = """\
examples:
  jwrules references fetch DATA --references crds:jwst_1464.pmap --dry-run
  jwrules references fetch DATA --references crds:jwst_1464.pmap          (on a login node, before the jobs)
  jwrules references fetch --instrument nircam --references crds:latest   (every file of the context)"""

_LIST = """\
examples:
  jwrules references list DATA --references crds:jwst_1464.pmap
  jwrules references list DATA --references R --type dark       (what else was considered)"""

_VERIFY = "examples:\n  jwrules references verify --references crds:\n  jwrules references verify --references R"

_PIN = """\
example:
  jwrules references pin DATA --references crds:jwst_1464.pmap --output DIR"""


def add(commands: Commands) -> None:
    """Declare the commands."""
    help = "fetch, list, verify or pin the reference files of data"
    command = add_command(commands, "references", _none, help, "\n\n".join([_FETCH, _LIST, _VERIFY, _PIN]))
    verbs = command.add_subparsers(title="what to do", metavar="fetch|list|verify|pin", required=True)
    _add_fetch(verbs)
    _add_list(verbs)
    _add_verb(verbs, "verify", verify, "tell which files of a cache are damaged, or not those of the server", _VERIFY)
    _add_data(_add_verb(verbs, "pin", pin, "keep to the reference files that there are", _PIN))


def _none(options: argparse.Namespace) -> None:
    """Reference files: bring those that data need into the cache of CRDS, tell what they are, watch over them."""


def _add_verb(verbs: Commands, name: str, run: Any, help: str, epilog: str) -> argparse.ArgumentParser:
    command = add_command(verbs, name, run, help, epilog)
    command.set_defaults(command=f"references {name}")
    add_references(command)
    return command


def _add_data(command: argparse.ArgumentParser, number: str | None = None) -> None:
    command.add_argument("data", metavar="DATA", type=Path, nargs=number, help="folder of the raw exposures")
    command.add_argument(
        "--output", metavar="DIR", type=Path, default=Path("."), help="working directory (default: here)"
    )
    add_options(command)
    add_exclude(command)


def _add_fetch(verbs: Commands) -> None:
    help = "bring what is missing into the cache of CRDS, so that jobs need no network"
    command = _add_verb(verbs, "fetch", fetch, help, _FETCH)
    _add_data(command, "?")
    option = command.add_argument
    option("--instrument", metavar="I", action="append", default=[], help="every file of an instrument; repeatable")
    option("--type", dest="types", metavar="T", action="append", default=[], help="with --instrument: of this type")
    option("--server", metavar="URL", help="the server of CRDS (default: CRDS_SERVER_URL, or the public one)")
    option("--streams", metavar="N", type=int, default=4, help="how many files come at once (default 4)")
    option("--dry-run", "-n", action="store_true", help="only rules and parameter files (small); list all others")


def fetch(options: argparse.Namespace) -> None:
    """Fetch the rules, parameter files and reference files that DATA need into the cache that CRDS_PATH names.

    The same code chooses them as for a plan. A file has its name once size and SHA-1 agree with the server's; what is
    there already is left alone. Any number of these may run at once, and be killed: the same command goes on. Rules
    and parameter files that the server has corrected under their names are fetched anew.
    """
    from jwrules.cli import fetching
    from jwrules.references import fetch as cache

    wanted = fetching.wanted(options)
    with wanted.server.connected():
        wanted.server.remember()
        wanted.work_out()
        files = wanted.chooser.missing()
        log.info("%s: %d files are needed, %d missing", wanted.chooser.context, len(wanted.chooser.needed), len(files))
        if options.dry_run:
            print(wanted.table(files))
        else:
            cache.sweep()
            cache.fetch(files, wanted.server, options.streams)
    wanted.refuse()


def _add_list(verbs: Commands) -> None:
    help = "list the reference files of data: for which exposures, why, and their SHA-256"
    command = _add_verb(verbs, "list", show, help, _LIST)
    _add_data(command)
    command.add_argument("--type", metavar="T", help="one type, with all that was considered")


def show(options: argparse.Namespace) -> None:
    """List every reference file that a run of DATA would open: its type, SHA-256, exposures, and why it was chosen."""
    from jwrules import plan as planning
    from jwrules.cli import inventory
    from jwrules.cli.workflow import asked_for

    directory = options.output.resolve()
    asked = asked_for(options, directory)
    planned, cache = planning.of(asked, directory), planning.cache_of(directory)
    planner = planning.planner(asked, cache, directory)
    print(inventory.table(planned, planning.exposures(asked, cache), planner, options.type))


def verify(options: argparse.Namespace) -> int:
    """Read every reference file of a cache or folder, and tell those that are cut short.

    In a cache of CRDS also those, and the rules, that are not what the server had when the cache was last filled.
    """
    from jwrules import plan as planning
    from jwrules.cli import inventory

    count, damaged = inventory.verify(planning.references_or_default(options.references))
    print("\n".join([*damaged, f"{count} files, {len(damaged)} damaged"]))
    return int(bool(damaged))


def pin(options: argparse.Namespace) -> None:
    """Write the rules and reference files of DATA, by name and content, to DIR/pins.yaml, and name it in DIR/run.yaml.

    From then on a plan in DIR takes these files, whatever newer ones would be chosen; where a rule or one of the files
    has changed, it is an error that says what. Pinning again accepts what there is then.
    """
    from dataclasses import replace

    from jwrules import plan as planning
    from jwrules.cli.workflow import asked_for
    from jwrules.references import pins

    directory = options.output.resolve()
    asked = replace(asked_for(options, directory), pin=None)
    planned = planning.of(asked, directory)
    if not planned.all():
        raise WorkflowFault(f"{options.data}: no exposure can be processed, so there is nothing to pin")
    path = directory / pins.FILE
    pins.write(path, pins.of(planned.rules, planned.reference_files))
    replace(asked, pin=pins.FILE).write(directory / planning.RUN_FILE)
    log.info("pinned in %s; reference files: %s", path, planned.rules)
