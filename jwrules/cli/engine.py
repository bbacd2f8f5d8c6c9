"""Running Snakemake on a working directory, and making its report."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwrules import house
from jwrules.cli import alone
from jwrules.cli.common import log
from jwrules.cli.locks import end_stragglers, free
from jwrules.cli.stopping import stderr_to, stoppable
from jwrules.errors import WorkflowFault
from jwrules.house import STORE
from jwrules.plan import RUN_FILE

if TYPE_CHECKING:
    from jwrules.cli.progress import LogHandler

REPORT = "report.html"
REPORTED = 2000
"""Jobs up to which a report is written unasked: Snakemake goes through its whole graph for it, and the page holds every
picture."""
_OWED = f"{STORE}/report.owed"
_FOLDERS = ("results", "logs", "pictures", ".jwrules", ".snakemake")


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


Call = Callable[[Sequence[str]], int]
"""Runs the workflow with some more options of Snakemake; returns the exit status."""


def clear(directory: Path) -> None:
    """Remove what a killed run left: its lock, its jobs."""
    free(directory)
    end_stragglers(directory)


def dry(directory: Path, options: Sequence[str]) -> int:
    """Let Snakemake say what it would run; return the exit status."""
    free(directory)
    with back_to_here():
        return _snakemake([*command(directory), *options, "--dry-run"])


def observed(directory: Path, run: Callable[[Call], int]) -> tuple[int, int]:
    """Let `run` call the workflow any number of times, its progress shown; return its status, and how many jobs ran.

    Raises KeyboardInterrupt when the run was interrupted, after it has stopped.
    """
    from jwrules.cli import progress

    chatter = directory / "logs" / "snakemake.log"
    with back_to_here(), stderr_to(chatter) as terminal, progress.shown(terminal) as handlers:
        status = run(lambda options: _call(directory, options, handlers))
    jobs = sum(handler.tally.done.total() for handler in handlers)
    failed = sum(len(handler.failed) for handler in handlers)
    if failed:
        log.error("%d jobs done, %d failed; the same command makes what is missing", jobs, failed)
    elif status == 0:
        log.info("%s", f"{jobs} jobs done; products in {directory}/results" if jobs else "everything is up to date")
    return status, jobs


def _call(directory: Path, options: Sequence[str], handlers: Sequence[LogHandler]) -> int:
    from jwrules.cli import progress

    with stoppable(handlers) as stopped:
        status = _snakemake([*command(directory), "--logger", progress.NAME, *options])
    if stopped.is_set():
        raise KeyboardInterrupt
    return status


def _snakemake(arguments: Sequence[str]) -> int:
    """Run Snakemake in this process, without its line on profiles; return its exit status."""
    from snakemake.cli import args_to_api, parse_args

    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            parser, options = parse_args(list(arguments))
        except SystemExit as end:
            words = f"Snakemake runs nothing with these options: {' '.join(arguments)}"
            raise WorkflowFault(_last_line(said.getvalue()) or words) from end
    with _whatever_the_clock_says(), _forgetting(), alone.kept():
        return 0 if args_to_api(options, parser) else 1


def _last_line(text: str) -> str:
    """Return the last line of what a program said, or nothing."""
    return next(iter(text.strip().splitlines()[-1:]), "")


@contextlib.contextmanager
def _whatever_the_clock_says() -> Iterator[None]:
    """Let a job stand whose product seems older than what it is made from: a clock was set back, and content decides.

    Snakemake fails such a job and has no option for it.
    """
    from snakemake.dag import DAG

    async def accept(*_: Any) -> None:
        pass

    before = DAG.check_output_mtime
    DAG.check_output_mtime = accept
    try:
        yield
    finally:
        DAG.check_output_mtime = before


@contextlib.contextmanager
def _forgetting() -> Iterator[None]:
    """Let go of the graph of a run: Snakemake leaves it, by names of a module, to the next workflow, and so on.

    Wave after wave of ten thousand exposures would take a gigabyte.
    """
    from snakemake import workflow

    names = vars(workflow)
    before = dict(names)
    try:
        yield
    finally:
        for name in names.keys() - before.keys():
            del names[name]
        names.update(before)
        with warnings.catch_warnings():
            # Folders that Snakemake left to the collector to remove.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@contextlib.contextmanager
def back_to_here() -> Iterator[None]:
    """Come back to the current folder, whatever Snakemake does."""
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


def owe_report(directory: Path) -> None:
    """Note that the report will be out of date, even if this run does not live to write another."""
    (directory / _OWED).touch()


def owes_report(directory: Path) -> bool:
    """Return whether anything was made since the report was written, or none was."""
    return (directory / _OWED).exists() or not (directory / REPORT).is_file()


def write_report(directory: Path) -> None:
    """Write the report of a finished run; Snakemake goes through its whole graph for it."""
    page, fresh = directory / REPORT, directory / STORE / REPORT
    arguments = [sys.executable, "-m", "snakemake", *command(directory), "--report", str(fresh)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        log.warning("no report was written: %s", _last_line(done.stderr) or "Snakemake does not say why")
    else:
        fresh.replace(page)
        (directory / _OWED).unlink(missing_ok=True)
        log.info("report: %s", page)
