"""The progress of a run: one live line on a terminal, a line for each finished stage elsewhere.

It is a logger plugin of Snakemake, so it sees the jobs as Snakemake does: how many there are, which start and finish.
"""

from __future__ import annotations

import logging
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from jwrules.cli.tally import Tally, clock, rank

NAME = "jwrules"
TAIL = 15
"""Lines of a failed job's log that are shown."""


def tail(logs: Iterable[str], lines: int = TAIL) -> str:
    """Return what the log files of a job say at their end, indented: the error, or else the last lines of each."""
    ends = [_end(Path(log), lines) for log in logs if Path(log).is_file()]
    errors = [end for end in ends if end and _ERROR.match(end[0])]
    return "\n".join(f"    {line}" for end in errors or ends for line in end)


def _end(log: Path, lines: int) -> list[str]:
    said = log.read_text(errors="replace").splitlines()
    errors = [number for number, line in enumerate(said) if _ERROR.match(line)]
    return said[errors[-1] :] if errors else [line for line in said if " --steps " not in line][-lines:]


_terminal: TextIO = sys.stderr
_handlers: list[LogHandler] = []


@contextmanager
def shown(terminal: TextIO) -> Iterator[Sequence[LogHandler]]:
    """Make the plugin known to Snakemake, writing to `terminal`; give the handlers that Snakemake will have made."""
    global _terminal
    LoggerPluginRegistry().register_plugin(f"snakemake_logger_plugin_{NAME}", sys.modules[__name__])
    _terminal = terminal
    _handlers.clear()
    yield _handlers


def killed(status: int) -> str:
    """Return which signal ended a job with this exit status of its shell, or nothing."""
    names = {128 + one.value: one.name for one in signal.Signals}
    hint = " (out of memory?)" if status == 128 + signal.SIGKILL else ""
    return f"    killed by {names[status]}{hint}" if status in names else ""


class LogHandler(LogHandlerBase):
    """Show the jobs of a run (the name is the one that Snakemake looks for)."""

    def __post_init__(self) -> None:
        _handlers.append(self)
        self.tally = Tally()
        self.exit_status = 0
        self.rules: dict[int, tuple[str, str]] = {}
        self.stream = _terminal
        self.live = self.stream.isatty()
        self.began = time.monotonic()
        self.cores = 1
        self.failed: set[int] = set()
        self.ended = threading.Event()
        if self.live:
            threading.Thread(target=self._tick, daemon=True).start()

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def emit(self, record: logging.LogRecord) -> None:
        """Take one event of Snakemake."""
        takers = {
            LogEvent.RUN_INFO: self._expect,
            LogEvent.RESOURCES_INFO: self._resources,
            LogEvent.JOB_INFO: self._know,
            LogEvent.JOB_FINISHED: self._finish,
            LogEvent.JOB_ERROR: self._fail,
            LogEvent.GROUP_ERROR: self._fail_together,
        }
        event = getattr(record, "event", None)
        taker = takers.get(event) if event else None
        if taker:
            taker(vars(record))
        elif status := _EXIT.search(record.getMessage()):
            self.exit_status = int(status[1])
        elif record.levelno >= logging.ERROR and _is_news(record):
            self.say(record.getMessage())
        self._draw()

    def stop(self) -> None:
        """Say that the run is being stopped, and nothing more."""
        if not self.ended.is_set():
            self.say("stopping: the running jobs are ended, no other is started")
            self.ended.set()

    def close(self) -> None:
        """Leave the terminal on a fresh line."""
        self.ended.set()
        self._erase()
        super().close()

    def say(self, text: str) -> None:
        """Print lines above the live one."""
        self._erase()
        print(text, file=self.stream, flush=True)

    def _expect(self, event: Mapping[str, Any]) -> None:
        self.tally.expect(event["stats"])
        self.say(f"{self.tally.totals.total()} jobs: {self._plan()}")

    def _plan(self) -> str:
        rules = sorted(self.tally.totals, key=lambda rule: (rank(rule), rule))
        return ", ".join(f"{rule} {self.tally.totals[rule]}" for rule in rules)

    def _resources(self, event: Mapping[str, Any]) -> None:
        self.cores = int(event.get("cores") or self.cores)

    def _know(self, event: Mapping[str, Any]) -> None:
        wildcards = " ".join(event["wildcards"].values())
        self.rules[event["jobid"]] = (event["rule_name"], wildcards)
        if event["jobid"] in self.failed:
            self.failed.remove(event["jobid"])
            self.say(f"{event['rule_name']} {wildcards} is tried again")
        self.tally.start(event["jobid"], event["rule_name"], time.monotonic())

    def _finish(self, event: Mapping[str, Any]) -> None:
        rule = self.tally.finish(event["job_id"], time.monotonic())
        if rule in self.tally.totals and self.tally.done[rule] == self.tally.totals[rule] and not self.live:
            self.say(f"{clock(time.monotonic() - self.began):>7}  {rule}: {self.tally.done[rule]} done")

    def _fail(self, event: Mapping[str, Any]) -> None:
        if event["jobid"] in self.failed:
            return
        self.failed.add(event["jobid"])
        self.tally.running.pop(event["jobid"], None)
        rule, wildcards = self.rules.get(event["jobid"], (event["rule_name"], ""))
        words = [tail(event["log"]), killed(self.exit_status), f"    (log: {', '.join(event['log'])})"]
        if not self.ended.is_set():
            self.say("\n".join([f"{rule} {wildcards} failed:", *filter(None, words)]))

    def _fail_together(self, event: Mapping[str, Any]) -> None:
        if not self.ended.is_set():
            logs = ", ".join(event.get("aux_logs") or []) or "none"
            self.say(f"a job of the batch system failed, with these jobs in it (log: {logs}):")

    def _draw(self) -> None:
        if not self.live or not self.tally.totals or self.ended.is_set():
            return
        line = self.tally.line(time.monotonic(), self.began, self.cores)
        print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=self.stream, flush=True)

    def _erase(self) -> None:
        if self.live:
            print("\r\x1b[K", end="", file=self.stream, flush=True)

    def _tick(self) -> None:
        while not self.ended.wait(1.0):
            self._draw()


_ERROR = re.compile(r"jwrules \w+: ")
_EXIT = re.compile(r"CalledProcessError.*exit status (\d+)", re.DOTALL)
_TOLD = ("Exiting because", "At least one job did not complete", "Removing output files")


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether an error says more than the failures that were shown when they happened."""
    return not any(words in record.getMessage() for words in _TOLD)
