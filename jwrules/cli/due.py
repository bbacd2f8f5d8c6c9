"""Which jobs Snakemake would run, and why: its own dry run, listened to."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from jwrules import house
from jwrules.cli.common import log
from jwrules.cli.engine import back_to_here
from jwrules.errors import WorkflowFault
from jwrules.plan import Settings
from jwrules.plan.reasons import explained

STATE = ".snakemake"


@dataclass(frozen=True)
class Due:
    """The jobs that are to run: (rule, wildcards in order) -> reason. `known` is False before the first run."""

    known: bool
    reasons: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    def reason(self, stage: str, name: str) -> str:
        """Return why `stage` would make `name` (anew), or nothing where it is up to date."""
        if not self.known:
            return "missing"
        its = [why for (rule, *names), why in self.reasons.items() if rule.startswith(stage) and name in names]
        return its[0] if its else ""


def of(asked: Settings, directory: Path, targets: Sequence[str] = ()) -> Due:
    """Return what is due in a working directory for what is asked; before the first run that is everything."""
    if not (directory / STATE).is_dir():
        return Due(known=False)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "run.yaml"
        asked.write(config)
        return Due(known=True, reasons=_dry_run(directory, config, targets))


def _dry_run(directory: Path, config: Path, targets: Sequence[str]) -> dict[tuple[str, ...], str]:
    from snakemake.cli import args_to_api, parse_args
    from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

    heard: list[logging.LogRecord] = []
    LoggerPluginRegistry().register_plugin("snakemake_logger_plugin_jwrules-ear", _ear(heard))
    arguments = ["--snakefile", str(house.root() / "Snakefile"), "--directory", str(directory), "--dry-run"]
    arguments += ["--configfile", str(config), "--logger", "jwrules-ear", "--nolock", *targets]
    chatter = io.StringIO()
    with back_to_here(), contextlib.redirect_stdout(chatter), contextlib.redirect_stderr(chatter):
        parser, options = parse_args(arguments)
        fine = args_to_api(options, parser)
    if not fine:
        errors = [record.getMessage() for record in heard if record.levelno >= logging.ERROR]
        raise WorkflowFault("\n".join(errors) or chatter.getvalue())
    _warn_of_unrecorded(heard)
    jobs = [vars(record) for record in heard if str(getattr(record, "event", "")) == "job_info"]
    return {(job["rule_name"], *job["wildcards"].values()): explained(job["reason"]) for job in jobs}


def _warn_of_unrecorded(heard: Sequence[logging.LogRecord]) -> None:
    """Products without a record of their making are never found out of date: their options may have changed since."""
    for record in heard:
        if match := re.match(r"(\d+) jobs have missing provenance", record.getMessage()):
            log.warning(
                "%s jobs have products, but no record of how they were made; --forceall makes them anew", match[1]
            )


def _ear(heard: list[logging.LogRecord]) -> ModuleType:
    """Return a logger plugin of Snakemake that keeps what it hears, and says nothing."""
    from snakemake_interface_logger_plugins.base import LogHandlerBase

    class LogHandler(LogHandlerBase):
        writes_to_stream = True
        writes_to_file = False
        has_filter = True
        has_formatter = True
        needs_rulegraph = False

        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    module: Any = ModuleType("jwrules_ear")
    module.LogHandler = LogHandler
    return module
