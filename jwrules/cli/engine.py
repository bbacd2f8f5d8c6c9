"""Running Snakemake on a working directory, and making its report."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from jwrules import house
from jwrules.cli.common import log
from jwrules.cli.locks import free
from jwrules.cli.stopping import stderr_to, stoppable
from jwrules.errors import WorkflowFault
from jwrules.plan import RUN_FILE

REPORT = "report.html"
_FOLDERS = ("results", "logs", "pictures", ".jwrules", ".snakemake")
_SILENT = re.compile(r"-[a-zA-Z]*n[a-zA-Z]*|--dry-?run")


def command(directory: Path) -> list[str]:
    """Return the options that make Snakemake run our workflow in `directory`."""
    snakefile = house.root() / "Snakefile"
    return ["--snakefile", str(snakefile), "--directory", str(directory), "--configfile", str(directory / RUN_FILE)]


def open_up(directory: Path) -> None:
    """Make the working directory; WorkflowFault where nothing can be written in it or in a folder that it has."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        raise _closed(directory, str(reason.strerror).lower()) from reason
    for folder in (directory, *(directory / name for name in _FOLDERS)):
        if folder.exists() and not folder.is_dir():
            raise _closed(folder, "it is no folder")
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise _closed(folder, "it is read-only, or belongs to somebody else")


def _closed(folder: Path, why: str) -> WorkflowFault:
    return WorkflowFault(f"{folder}: nothing can be written there ({why}); free it, or name another with --output")


def run(directory: Path, options: Sequence[str], *, report: bool = True) -> int:
    """Run the workflow with these further options of Snakemake; return the exit status.

    A dry run shows what Snakemake says; a real one the progress, and at its end a report is written.
    """
    dry = any(_SILENT.fullmatch(option) for option in options)
    free(directory)
    with back_to_here():
        status, jobs = _dry(directory, options) if dry else _real(directory, options)
    page = directory / REPORT
    if status == 0 and report and not dry and (jobs or not page.is_file()):
        _write_report(directory)
    return status


def _dry(directory: Path, options: Sequence[str]) -> tuple[int, int]:
    return _snakemake([*command(directory), *options]), 0


def _real(directory: Path, options: Sequence[str]) -> tuple[int, int]:
    """Run with the progress shown; return the exit status and the number of jobs that were done.

    Raises KeyboardInterrupt when the run was interrupted, after it has stopped.
    """
    from jwrules.cli import progress

    chatter = directory / "logs" / "snakemake.log"
    with stderr_to(chatter) as terminal, progress.shown(terminal) as handlers, stoppable(handlers) as stopped:
        status = _snakemake([*command(directory), "--logger", progress.NAME, *options])
    if stopped.is_set():
        raise KeyboardInterrupt
    jobs = sum(handler.tally.done.total() for handler in handlers)
    failed = sum(len(handler.failed) for handler in handlers)
    if failed:
        log.error("%d jobs done, %d failed; the same command makes what is missing", jobs, failed)
    elif status == 0:
        log.info("%s", f"{jobs} jobs done; products in {directory}/results" if jobs else "everything is up to date")
    return status, jobs


def _snakemake(arguments: Sequence[str]) -> int:
    """Run Snakemake in this process, without its line on profiles; return its exit status."""
    from snakemake.cli import args_to_api, parse_args

    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            parser, options = parse_args(list(arguments))
        except SystemExit as end:
            raise WorkflowFault(said.getvalue().strip().splitlines()[-1]) from end
    return 0 if args_to_api(options, parser) else 1


@contextlib.contextmanager
def back_to_here() -> Iterator[None]:
    """Come back to the current folder, whatever Snakemake does."""
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


def _write_report(directory: Path) -> None:
    page = directory / REPORT
    arguments = [sys.executable, "-m", "snakemake", *command(directory), "--report", str(page)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        log.warning("no report was written: %s", done.stderr.strip().splitlines()[-1] if done.stderr else "")
    else:
        log.info("report: %s", page)
