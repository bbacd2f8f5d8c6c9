"""Reference files of the Calibration Reference Data System, chosen by the `crds` library under one context of rules."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import library, own
from jwrules.references.chooser import Chooser, NoneFits, exposure
from jwrules.references.identity import Identity, in_place
from jwrules.references.keywords import PATHS
from jwrules.references.ledger import Ledger
from jwrules.references.mappings import MappingFile, Rules, epoch
from jwrules.references.selection import Candidate

log = logging.getLogger("jwrules")

_NOT_FOUND = "NOT FOUND"
_NOT_APPLICABLE = "NOT FOUND N/A"


class Context(Chooser):
    """The reference files of a context (`jwst_1234.pmap`, `latest`, or none for the library's default).

    The cache stands where CRDS_PATH says. It is only read, and nothing is asked of a network: `Fetching` fills it.
    """

    def __init__(self, asked: str, ledger: Ledger) -> None:
        super().__init__(f"crds:{asked}", ledger)
        self._asked = asked
        self._noted: set[str] = set()
        self._complete: set[str] = set()
        self._instants: dict[str, Sequence[str] | None] = {}

    @cached_property
    def context(self) -> str:
        """The name of the context that rules, such as `jwst_1234.pmap`."""
        if self._asked.endswith(".pmap"):
            return self._asked
        with library.faults(f"the CRDS context '{self._asked or 'default'}'"), library.opened(self._server) as crds:
            return str(crds.get_context_name("jwst", self._asked or None))

    @property
    def name(self) -> str:
        """The name of the context, as `context`."""
        return self.context

    @property
    def identity(self) -> Identity:
        """The context, and the content of the mappings that were asked."""
        mappings = {name: mapping.sha256 for name, mapping in sorted(self._rules.used.items())}
        return Identity(self.context, mappings, library.version())

    def _explain(self, reftype: str, header: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the name that the context gives with the context, or what CRDS says instead of a name."""
        name = self._name(reftype, header)
        if name.upper() == _NOT_APPLICABLE:
            return [("N/A", f"{self.context} says that this type does not apply")]
        if name.startswith(_NOT_FOUND):
            return [("none", f"{self.context} says: {name}")]
        return [(name, f"chosen by {self._deciding(reftype, header)[-1].path.name} of {self.context}")]

    def _find(self, reftype: str, header: Mapping[str, Any]) -> Path | None:
        name = self._name(reftype, header)
        if name.upper() == _NOT_APPLICABLE:
            return None
        if name.startswith(_NOT_FOUND):
            raise NoneFits(
                f"{exposure(header)}: no reference file of type '{reftype}' in {self.source}; {self.context} says:"
                f" {name}\n  give another context; 'if_impossible: skip' in the recipe goes on without a step that can"
                " be left out"
            )
        return self._located(name, reftype)

    def _named(self, name: str, reftype: str) -> list[Candidate]:
        path = self._located(name, reftype)
        found = self.ledger.fact("keywords", path, own.keywords) if path.is_file() and own.is_readable(path) else {}
        return [Candidate(path, {**found, **_of_name(name)})]

    def era(self, header: Mapping[str, Any]) -> Hashable:
        """Return how many of the times in the rules of the instrument had passed; the time where they do not tell."""
        return epoch(
            self._times(str(header.get("INSTRUME", "")).upper()), header.get("DATE-OBS"), header.get("TIME-OBS")
        )

    def _times(self, instrument: str) -> Sequence[str] | None:
        """Return, in order, the times in all rmaps of an instrument; None where one of them does not tell."""
        if instrument not in self._instants:
            each = [self._rules.named(name).times for name in self._rules.below(instrument)]
            told = [times for times in each if times is not None]
            self._instants[instrument] = sorted({*chain(*told)}) if len(told) == len(each) else None
        return self._instants[instrument]

    def _epoch(self, reftype: str, header: Mapping[str, Any]) -> Any:
        last = self._deciding(reftype, header)[-1]
        times = last.times if last.path.suffix == ".rmap" else ()
        return epoch(times, header.get("DATE-OBS"), header.get("TIME-OBS"))

    def _located(self, name: str, reftype: str) -> Path:
        """Return where a file is in the cache; ReferenceFault where it is not there."""
        path = library.place(name)
        if path.is_file():
            return path
        self._looked_at.add(path)
        raise ReferenceFault(
            f"{name}, type '{reftype}' of {self.context}, is not in the cache {library.folder('references')};"
            f" `jwrules references fetch DATA --references {self.source}` brings all that is missing"
        )

    def _check(self, path: Path) -> None:
        """Raise ReferenceFault for a file that is cut short, by itself or by what the server said of it."""
        super()._check(path)
        size, promised = path.stat().st_size, int(self._listed.get(path.name, {}).get("size", 0))
        if size < promised:
            raise ReferenceFault(
                f"{path}: truncated: it has {size} bytes, on the server {promised}; fetch it again:"
                f" jwrules references fetch DATA --references {self.source}"
            )

    def _name(self, reftype: str, header: Mapping[str, Any]) -> str:
        """Return the name of the file that the context gives, or NOT FOUND and why."""
        parameters = _parameters(header)
        deciding = self._deciding(reftype, header)
        timeless = {name: value for name, value in parameters.items() if not name.startswith("META.OBSERVATION.")}
        question = {
            "rules": [mapping.sha256 for mapping in deciding],
            "invalid": self._config,
            "type": reftype,
            "exposure": timeless,
            "epoch": self._epoch(reftype, header),
        }
        return str(self.ledger.answer(question, lambda: self._recommended(reftype, parameters)))

    def _deciding(self, reftype: str, header: Mapping[str, Any]) -> list[MappingFile]:
        instrument = str(header.get("INSTRUME", "")).upper()
        if instrument not in self._complete:
            self._require(self._rules.below(instrument))
            self._complete.add(instrument)
        deciding = self._rules.deciding(instrument, reftype)
        for mapping in deciding:
            if mapping.path.name not in self._noted:
                self._note(mapping)
        return deciding

    def _note(self, mapping: MappingFile) -> None:
        """Say so where a mapping is not what it was under its name, whatever cache it was read from."""
        self._noted.add(mapping.path.name)
        before = self.ledger.seen(mapping.path.name, mapping.sha256)
        if before not in ("", mapping.sha256):
            log.warning("%s", in_place(self.context, mapping.path.name, before, mapping.sha256))

    def _recommended(self, reftype: str, parameters: Mapping[str, Any]) -> str:
        with library.faults(f"{self.context}, type '{reftype}'"), library.opened() as crds:
            names = crds.getrecommendations(
                dict(parameters), reftypes=[reftype], context=self.context, observatory="jwst"
            )
        return str(names[reftype])

    @cached_property
    def _rules(self) -> Rules:
        return Rules(self.context, self._mapping)

    @cached_property
    def _listed(self) -> Mapping[str, Mapping[str, str]]:
        return library.listed()

    @cached_property
    def _config(self) -> str:
        """What tells one state of what the cache knows of the server from another: it lists files that are no good."""
        try:
            return hashlib.sha256((library.folder("config") / "server_config").read_bytes()).hexdigest()
        except OSError:
            return ""

    @property
    def _server(self) -> str:
        return library.server()

    def _require(self, mappings: Sequence[str]) -> None:
        """Raise ReferenceFault where one of these is not in the cache."""
        for name in mappings:
            self._mapping(name)

    def _mapping(self, name: str) -> Path:
        """Return where a mapping is in the cache; ReferenceFault where it is not there."""
        if (path := library.place(name)).is_file():
            return path
        folder = path.parent
        there = sorted(path.name for path in folder.glob("*.pmap"))
        raise ReferenceFault(
            f"{self.source}: {name} is not among the rules in {folder} (from CRDS_PATH), which has"
            f" {', '.join(there) or 'no context'}; fetch it where there is a network:"
            f" jwrules references fetch DATA --references {self.source}"
        )


def _of_name(name: str) -> dict[str, str]:
    """Return what CRDS says with the name of a file, jwst_INSTRUMENT_TYPE_NUMBER."""
    found = re.fullmatch(r"jwst_([a-z]+)_([a-z0-9-]+)_\d+\.\w+", name)
    return {"INSTRUME": found[1], "REFTYPE": found[2]} if found else {}


def _parameters(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what CRDS selects by, named as it names them."""
    known = {f"META.{path.upper()}": header.get(keyword) for keyword, path in PATHS.items()}
    return {name: value for name, value in known.items() if isinstance(value, str | int | float)}
