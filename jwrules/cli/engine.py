"""Running Snakemake on a working directory: the lock, the progress, the report."""

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
from jwrules.errors import WorkflowFault
from jwrules.plan import RUN_FILE

REPORT = "report.html"
_SILENT = re.compile(r"-[a-zA-Z]*n[a-zA-Z]*|--dry-?run")


def command(directory: Path) -> list[str]:
    """Return the options that make Snakemake run our workflow in `directory`."""
    snakefile = house.root() / "Snakefile"
    return ["--snakefile", str(snakefile), "--directory", str(directory), "--configfile", str(directory / RUN_FILE)]


def run(directory: Path, options: Sequence[str], *, report: bool = True) -> int:
    """Run the workflow with these further options of Snakemake; return the exit status.

    A dry run shows what Snakemake says; a real one the progress, and at its end a report is written.
    """
    dry = any(_SILENT.fullmatch(option) for option in options)
    _free(directory)
    with _back_to_here():
        status, jobs = _dry(directory, options) if dry else _real(directory, options)
    page = directory / REPORT
    if status == 0 and report and not dry and (jobs or not page.is_file()):
        _write_report(directory)
    return status


def _dry(directory: Path, options: Sequence[str]) -> tuple[int, int]:
    return _snakemake([*command(directory), *options]), 0


def _real(directory: Path, options: Sequence[str]) -> tuple[int, int]:
    """Run with the progress shown; return the exit status and the number of jobs that were done."""
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    from jwrules.cli import progress

    LoggerPluginRegistry().register_plugin(f"snakemake_logger_plugin_{progress.NAME}", progress)
    progress.latest.clear()
    with contextlib.redirect_stdout(io.StringIO()):
        status = _snakemake([*command(directory), "--logger", progress.NAME, *options])
    jobs = sum(handler.tally.done.total() for handler in progress.latest)
    failed = sum(len(handler.failed) for handler in progress.latest)
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
def _back_to_here() -> Iterator[None]:
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


def _free(directory: Path) -> None:
    """Remove the lock that a killed run left; WorkflowFault while another run is at work in the directory."""
    if not list((directory / ".snakemake" / "locks").glob("*.lock")):
        return
    busy = list(_others_at_work(directory))
    if busy:
        raise WorkflowFault(f"{directory}: another run is at work there: {'; '.join(busy)}; wait for it or stop it")
    log.warning("%s: a run was killed here; its lock is removed, and what it left unfinished is made again", directory)
    arguments = [sys.executable, "-m", "snakemake", *command(directory), "--unlock"]
    subprocess.run(arguments, capture_output=True, check=True)


def _others_at_work(directory: Path) -> Iterator[str]:
    """Return the other processes that run a workflow in the directory, as far as this machine can tell."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            runs = any(Path(word).name == "snakemake" for word in words) or _is_our_run(words)
            if runs and process.pid != os.getpid() and Path(process.cwd()) == directory:
                yield f"process {process.pid}: {' '.join(words)[:80]}"


def _is_our_run(words: Sequence[str]) -> bool:
    return any(Path(word).name == "jwrules" for word in words) and "run" in words
