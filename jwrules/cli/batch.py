"""Several small jobs in one process: libraries are loaded once."""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jwrules.cli.common import Commands, add_command, log, report_failure
from jwrules.errors import WorkflowFault


def add(commands: Commands) -> None:
    """Declare the command."""
    command = add_command(
        commands,
        "batch",
        batch,
        "run small jobs of the workflow one after the other (the rules call it)",
        "example:\n  jwrules batch .jwrules/batches/detector1_1.json --threads 1",
    )
    command.add_argument("file", metavar="FILE", type=Path, help="the jobs (JSON): their words, and where they log")
    command.add_argument("--threads", metavar="N", type=int, help="processors that the kernels may use")
    command.add_argument("--memory", metavar="SIZE", help="what the process may take, such as 4G")


def batch(options: argparse.Namespace) -> int:
    """Run the jobs in FILE, each with a log of its own. One that fails does not stop the others."""
    from jwrules import cli

    parser, failed = cli.build(), []
    for entry in _entries(options.file):
        words = [*entry["words"], *_common(options, entry["words"][0])]
        with _logging_to(Path(entry["log"])):
            status = _run(words, parser)
        name = Path(entry["log"]).stem
        log.info("%s %s", name, "failed" if status else "done")
        failed += [name] if status else []
    if failed:
        log.error("jwrules batch: %d jobs failed: %s", len(failed), ", ".join(failed))
    return 1 if failed else 0


def _entries(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [{"log": str(one["log"]), "words": [str(word) for word in one["words"]]} for one in entries]
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise WorkflowFault(f"{path}: is no list of jobs, each with 'log' and 'words' ({reason})") from reason


def _common(options: argparse.Namespace, stage: str) -> list[str]:
    threads = ["--threads", str(options.threads)] if options.threads else []
    in_blocks = options.memory and stage in ("detector1", "dark", "guider")
    return [*threads, *(["--memory", options.memory] if in_blocks else [])]


def _run(words: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Run one command of jwrules; return its exit status. An interrupt, or a polite kill, ends the batch."""
    given = parser.parse_args(words)
    given.words = list(words)
    try:
        return given.run(given) or 0
    except Exception as reason:
        return report_failure(reason, given)


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send the log to a file, and also failures that are told on stderr."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers, captured = log.handlers, logging.getLogger("py.warnings").handlers
    with path.open("w", encoding="utf-8") as file:
        handler = logging.StreamHandler(file)
        handler.setFormatter(handlers[0].formatter if handlers else None)
        log.handlers = logging.getLogger("py.warnings").handlers = [handler]
        try:
            yield
        finally:
            log.handlers, logging.getLogger("py.warnings").handlers = handlers, captured
