"""What `jwrules references fetch` is to bring: worked out by the code that plans."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from jwrules import plan as planning
from jwrules import recipes
from jwrules.cli.workflow import asked_for
from jwrules.errors import ReferenceFault, WorkflowFault
from jwrules.references import library, parameters
from jwrules.references.fetch import megabytes
from jwrules.references.fetching import Fetching
from jwrules.references.ledger import Ledger
from jwrules.references.server import Listed, Server

_CACHE = ("CRDS_PATH", "CRDS_PATH_SINGLE", "CRDS_REFPATH", "CRDS_REFPATH_SINGLE")


@dataclass
class Wanted:
    """What is asked for: the options of the command, the server; after `work_out`, what could not be planned."""

    options: argparse.Namespace
    server: Server
    fault: WorkflowFault | None = None

    @cached_property
    def chooser(self) -> Fetching:
        """The context; it learns what is needed by being asked."""
        source = planning.references_or_default(self.options.references)
        return Fetching(source.removeprefix("crds:"), Ledger(self._cache / "references.json"), self.server)

    def work_out(self) -> None:
        """Ask for every file of the instruments, and for those that a plan of the data would ask for."""
        for instrument in self.options.instrument:
            self.chooser.need_all(instrument, self.options.types or _types())
        if self.options.data:
            self._plan()
        self.chooser.ledger.save()

    def _plan(self) -> None:
        directory = self.options.output.resolve()
        self.options.references = f"crds:{self.chooser.context}"
        asked = asked_for(self.options, directory)
        planner = planning.planner(asked, self._cache, directory)
        self.chooser.pinned = planner.references.pinned
        planner = replace(planner, references=self.chooser)
        try:
            planning.make(planning.exposures(asked, self._cache), planner, directory).refuse()
        except WorkflowFault as fault:
            self.fault = fault

    @property
    def _cache(self) -> Path:
        return planning.cache_of(self.options.output.resolve())

    def table(self, files: Sequence[Listed]) -> str:
        """Return what is missing, with sizes, as text."""
        rows = [(megabytes(file.size), "+".join(sorted(self.chooser.needed[file.name])), file.name) for file in files]
        total = megabytes(sum(file.size for file in files))
        return "\n".join([*(f"{size:>10}  {kinds:<14} {name}" for size, kinds, name in rows), f"{total:>10}  to fetch"])

    def refuse(self) -> None:
        """Raise what a plan would say is wrong, and what the server does not have, now that all else is fetched."""
        if self.chooser.unknown:
            raise ReferenceFault("\n".join(self.chooser.unknown.values()))
        if self.fault:
            raise self.fault


def wanted(options: argparse.Namespace) -> Wanted:
    """Return what is asked for; ReferenceFault or WorkflowFault where that is nothing that can be fetched."""
    if not planning.references_or_default(options.references).startswith("crds:"):
        raise ReferenceFault(
            f"--references {options.references}: files are fetched for a context of CRDS, such as crds:jwst_1464.pmap"
        )
    if not any(os.environ.get(name) for name in _CACHE):
        raise ReferenceFault("CRDS_PATH is not set: it names the folder of the cache that is to be filled")
    if not options.data and not options.instrument:
        raise WorkflowFault("nothing is asked for: give DATA, the folder of the raw exposures, or --instrument")
    return Wanted(options, Server(options.server or library.server() or library.SERVER))


def _types() -> list[str]:
    """Return every type that a step opens, or that parameters of a step come from."""
    steps = recipes.cards().steps
    opened = sorted({kind for card in steps.values() for kind in card["references"]})
    pipelines = [parameters.of_pipeline(stage) for stage in planning.STAGES]
    return [*opened, *(parameters.of_step(step) for step in steps), *pipelines]
