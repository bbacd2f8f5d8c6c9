"""What every source of reference files can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import parameters
from jwrules.references.ledger import Ledger


@dataclass(frozen=True)
class Chosen:
    """A reference file that was chosen: where it is, its bare name, the SHA-256 of its content."""

    path: Path
    name: str
    sha256: str


class NoneFits(ReferenceFault):
    """There is no reference file of a type for an exposure."""


class Chooser(ABC):
    """A source of reference files. `source` is how a person gives it: a directory, or `crds:CONTEXT`."""

    def __init__(self, source: str, ledger: Ledger) -> None:
        self.source = source
        self.ledger = ledger

    def choose(
        self, types: Iterable[str], header: Mapping[str, Any], optional: Collection[str] = ()
    ) -> dict[str, Chosen | None]:
        """Return the reference file of each type for the exposure with this primary header.

        None where the source says that the type does not apply (N/A), and for a type in `optional` without a file.
        Raises ReferenceFault with every other type that has no file, or several that are equally good.
        """
        found: dict[str, Chosen | None] = {}
        faults = []
        for reftype in dict.fromkeys(types):
            try:
                found[reftype] = self._chosen(reftype, header, reftype in optional)
            except ReferenceFault as fault:
                faults.append(str(fault))
        self.ledger.save()
        if faults:
            raise ReferenceFault("\n".join(dict.fromkeys(faults)))
        return found

    def pars(
        self, steps: Iterable[str], header: Mapping[str, Any], pipeline: str = ""
    ) -> dict[str, tuple[dict[str, Any], str]]:
        """Return the parameters that parameter files give to each of `steps`, `skip` among them, and the file's name.

        `pipeline` is the stage (`detector1`, `image2`, ...): what the parameter file of the pipeline says comes before
        what those of the steps say. A step that no file speaks of is left out.
        """
        steps = list(steps)
        given: dict[str, tuple[dict[str, Any], str]] = {}
        for step in steps:
            if path := self._parameter_file(parameters.of_step(step), header):
                given[step] = (parameters.read(path), path.name)
        if pipeline and (path := self._parameter_file(parameters.of_pipeline(pipeline), header)):
            for step, more in parameters.read_pipeline(path, steps).items():
                before, origin = given.get(step, ({}, ""))
                given[step] = (before | more, f"{origin}, {path.name}" if origin else path.name)
        self.ledger.save()
        return given

    def era(self, header: Mapping[str, Any]) -> Hashable:
        """Return the same for exposures whose dates make no difference to which files are chosen."""
        return header.get("DATE-OBS"), header.get("TIME-OBS")

    @abstractmethod
    def explain(self, reftype: str, header: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return every candidate of a type, the best first: its name, and why it was chosen or not."""

    @abstractmethod
    def _find(self, reftype: str, header: Mapping[str, Any]) -> Path | None:
        """Return the file of a type, or None where it does not apply; NoneFits where there is none."""

    def _chosen(self, reftype: str, header: Mapping[str, Any], optional: bool) -> Chosen | None:
        try:
            path = self._find(reftype, header)
        except NoneFits:
            if optional:
                return None
            raise
        return None if path is None else Chosen(path, path.name, self.ledger.content_hash(path))

    def _parameter_file(self, reftype: str, header: Mapping[str, Any]) -> Path | None:
        try:
            return self._find(reftype, header)
        except NoneFits:
            return None


def exposure(header: Mapping[str, Any]) -> str:
    """Return how an exposure is called in a message."""
    return str(header.get("FILENAME") or header.get("DETECTOR") or "the exposure")
