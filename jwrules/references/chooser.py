"""What every source of reference files can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import complete, forced, parameters
from jwrules.references.identity import NO_CONTEXT, Identity
from jwrules.references.keywords import PATHS
from jwrules.references.ledger import Ledger
from jwrules.references.selection import Candidate

PINNED = "pinned"
"""Why a pinned file is taken."""

_NOTHING = Path()
"""What the selection chooses where it cannot."""

_TIME = ("DATE-OBS", "TIME-OBS")
_CONFIGURATION = ("INSTRUME", *(keyword for keyword in PATHS if keyword not in ("INSTRUME", *_TIME)))


@dataclass(frozen=True)
class Chosen:
    """A reference file that was chosen: where it is, its bare name, the SHA-256 of its content."""

    path: Path
    name: str
    sha256: str


class NoneFits(ReferenceFault):
    """There is no reference file of a type for an exposure."""


class Chooser(ABC):
    """A source of reference files. `source` is how a person gives it: a directory, or `crds:CONTEXT`.

    It is for one plan: what it has chosen once it does not look at again. `ledger` keeps what outlasts it, and is to
    be saved after the last question. Of a type in `pinned` (type -> name -> SHA-256) only those files are taken.
    """

    def __init__(self, source: str, ledger: Ledger) -> None:
        self.source = source
        self.ledger = ledger
        self.pinned: Mapping[str, Mapping[str, str]] = {}
        self._found: dict[tuple[Any, ...], Path | type[NoneFits] | None] = {}
        self._unfit: dict[tuple[Any, ...], str] = {}
        self._opened: dict[Path, Chosen] = {}
        self._contents: dict[Path, Mapping[str, Any]] = {}
        self._looked_at: set[Path] = set()

    @property
    def name(self) -> str:
        """The name of the context, such as `jwst_1234.pmap`; N/A where files are chosen by their own headers."""
        return NO_CONTEXT

    @property
    def identity(self) -> Identity:
        """The context by name and content, as far as it was asked."""
        return Identity(self.name)

    @property
    def consulted(self) -> list[Path]:
        """The files that were looked at, and those that were looked for in vain: what was chosen depends on them."""
        return sorted(self._looked_at)

    def choose(
        self, types: Iterable[str], header: Mapping[str, Any], optional: Collection[str] = ()
    ) -> dict[str, Chosen | None]:
        """Return the reference file of each type for the exposure with this primary header.

        None where the source says that the type does not apply (N/A), and for a type in `optional` without a file.
        Raises ReferenceFault with every other type that has no file, or several that are equally good, or a file that
        is cut short.
        """
        configuration = _configuration(header)
        found: dict[str, Chosen | None] = {}
        faults = []
        for reftype in dict.fromkeys(types):
            try:
                path = self._sought(reftype, header, configuration, optional=reftype in optional)
                found[reftype] = None if path is None else self._chosen(path)
            except ReferenceFault as fault:
                faults.append(str(fault))
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
        steps, configuration = list(steps), _configuration(header)
        given: dict[str, tuple[dict[str, Any], str]] = {}
        for step in steps:
            if path := self._sought(parameters.of_step(step), header, configuration, optional=True):
                given[step] = (parameters.given(self._content(path)), path.name)
        if pipeline and (path := self._sought(parameters.of_pipeline(pipeline), header, configuration, optional=True)):
            for step, more in parameters.given_by_pipeline(self._content(path), steps).items():
                before, origin = given.get(step, ({}, ""))
                given[step] = (before | more, f"{origin}, {path.name}" if origin else path.name)
        return given

    def era(self, header: Mapping[str, Any]) -> Hashable:
        """Return the same for exposures whose dates make no difference to which files are chosen."""
        return header.get("DATE-OBS"), header.get("TIME-OBS")

    def explain(self, reftype: str, header: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return every candidate of a type, the best first: its name, and why it was chosen or not."""
        verdicts = self._explain(reftype, header)
        if not self.pinned.get(reftype):
            return verdicts
        path, why, _ = self._forced(reftype, header)
        others = [(name, said if said != "chosen" else f"passed over: {why}") for name, said in verdicts]
        return [(path.name, why), *(one for one in others if one[0] != path.name)] if path else verdicts

    def against(self, reftype: str, header: Mapping[str, Any]) -> str:
        """Return what is said of a pinned file that was chosen for an exposure and is not for it; '' of any other."""
        return self._unfit.get(self._key(reftype, header, _configuration(header)), "")

    @abstractmethod
    def _explain(self, reftype: str, header: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return every candidate of a type as the selection sees it, the best first, and why it is chosen or not."""

    @abstractmethod
    def _named(self, name: str, reftype: str) -> list[Candidate]:
        """Return the files of this bare name, with their keywords; ReferenceFault where it is missing from a cache."""

    @abstractmethod
    def _find(self, reftype: str, header: Mapping[str, Any]) -> Path | None:
        """Return the file of a type, or None where it does not apply; NoneFits where there is none."""

    @abstractmethod
    def _epoch(self, reftype: str, header: Mapping[str, Any]) -> Any:
        """Return the same for exposures that differ in nothing but their times and get the same file."""

    def _sought(
        self, reftype: str, header: Mapping[str, Any], configuration: tuple[Any, ...], *, optional: bool
    ) -> Path | None:
        """Return what `_find` gives, once for each configuration and epoch; None for an optional type's NoneFits."""
        key = self._key(reftype, header, configuration)
        if key not in self._found:
            try:
                self._found[key], self._unfit[key] = self._taken(reftype, header)
            except NoneFits:
                self._found[key] = NoneFits
        found = self._found[key]
        if isinstance(found, type):
            return None if optional else self._find(reftype, header)
        return found

    def _key(self, reftype: str, header: Mapping[str, Any], configuration: tuple[Any, ...]) -> tuple[Any, ...]:
        return reftype, configuration, self._epoch(reftype, header)

    def _taken(self, reftype: str, header: Mapping[str, Any]) -> tuple[Path | None, str]:
        """Return the file of a type, and where it is pinned and not for the exposure what is said of it."""
        if not self.pinned.get(reftype):
            return self._find(reftype, header), ""
        path, why, is_fit = self._forced(reftype, header)
        return path, "" if is_fit else why

    def _forced(self, reftype: str, header: Mapping[str, Any]) -> tuple[Path | None, str, bool]:
        """Return the pinned file of a type, why it is taken, and whether nothing speaks against it.

        None where the type does not apply to the exposure.
        """
        try:
            chosen = self._find(reftype, header)
        except ReferenceFault:
            chosen = _NOTHING
        if chosen is None or self._is_pinned(chosen, reftype):
            return chosen, PINNED, True
        pinned = [self._pinned_file(name, reftype) for name in self.pinned[reftype]]
        taken, against = forced.choose(pinned, reftype, header)
        instead = f", in place of {chosen.name}" if chosen not in (_NOTHING, taken.path) else ""
        return taken.path, f"{PINNED}{instead}{f'; though {against}' if against else ''}", not against

    def _is_pinned(self, path: Path, reftype: str) -> bool:
        """Return whether a chosen file is the pinned one of its name: of several that with the pinned content.

        Where it is the only one, its content is for `pins.check` to judge.
        """
        return path.name in self.pinned[reftype] and self._pinned_file(path.name, reftype).path == path

    def _pinned_file(self, name: str, reftype: str) -> Candidate:
        its = self._named(name, reftype)
        if not its:
            raise ReferenceFault(
                f"{name}, pinned as '{reftype}', is not in {self.source}; put it there, or change `pin`"
            )
        sha256 = self.pinned[reftype][name]
        twins = its if len(its) > 1 else []
        return next((one for one in twins if self.ledger.content_hash(one.path).startswith(sha256)), its[0])

    def _chosen(self, path: Path) -> Chosen:
        if path not in self._opened:
            self._looked_at.add(path)
            self._check(path)
            self._opened[path] = Chosen(path, path.name, self.ledger.content_hash(path))
        return self._opened[path]

    def _check(self, path: Path) -> None:
        """Raise ReferenceFault for a file that is cut short."""
        if fault := self.ledger.fact("fault", path, complete.fault):
            raise ReferenceFault(str(fault))

    def _content(self, path: Path) -> Mapping[str, Any]:
        if path not in self._contents:
            self._looked_at.add(path)
            self._contents[path] = parameters.read(path)
        return self._contents[path]


def _configuration(header: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what files are chosen by, but for the time."""
    return tuple(header.get(keyword) for keyword in _CONFIGURATION)


def exposure(header: Mapping[str, Any]) -> str:
    """Return how an exposure is called in a message."""
    return str(header.get("FILENAME") or header.get("DETECTOR") or "the exposure")
