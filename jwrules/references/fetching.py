"""Choosing under a context while its files are still elsewhere: what an exposure needs, and what of it is missing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jwrules.errors import ReferenceFault
from jwrules.references import library
from jwrules.references.chooser import Chosen
from jwrules.references.context import Context
from jwrules.references.fetch import fetch_one
from jwrules.references.ledger import Ledger
from jwrules.references.server import Listed, Server

_STREAMS = 8
"""How many small files come at once."""

log = logging.getLogger("jwrules")


class Fetching(Context):
    """A context that notes what is missing from the cache instead of refusing; rules and parameter files it fetches.

    For it the server is to be `connected()`. `needed`: the reference files that were chosen, each with its types.
    """

    def __init__(self, asked: str, ledger: Ledger, server: Server) -> None:
        super().__init__(asked, ledger)
        self._fetched_from = server
        self._compared: set[str] = set()
        self.needed: dict[str, set[str]] = {}
        self.unknown: dict[str, str] = {}

    def need_all(self, instrument: str, types: Iterable[str]) -> None:
        """Note every file that the context has of these types for an instrument."""
        self._require(self._rules.below(instrument))
        for reftype in types:
            rmap = self._rules.rmap(instrument, reftype)
            for name in rmap.files if rmap else ():
                self._located(name, reftype)

    def missing(self) -> list[Listed]:
        """Return those of the needed files that are not in the cache with the size that the server says, by name.

        Those that it does not know are in `unknown`, each with its fault.
        """
        listed: dict[str, Listed] = {}
        self.unknown = {}
        for name in sorted(self.needed):
            try:
                listed[name] = self._fetched_from.listed(name)
            except ReferenceFault as fault:
                self.unknown[name] = str(fault)
        return [file for file in listed.values() if not file.is_there()]

    def _mapping(self, name: str) -> Path:
        return self._current(name)

    def _require(self, mappings: Sequence[str]) -> None:
        with ThreadPoolExecutor(_STREAMS) as threads:
            list(threads.map(self._mapping, mappings))

    def _located(self, name: str, reftype: str) -> Path:
        self.needed.setdefault(name, set()).add(reftype)
        return self._current(name) if reftype.startswith("pars-") else library.place(name)

    def _chosen(self, path: Path) -> Chosen:
        return Chosen(path, path.name, "")

    def _current(self, name: str) -> Path:
        """Return where a small file is, which is what the server has under its name; else it is fetched."""
        place = library.place(name)
        if name not in self._compared:
            listed = self._fetched_from.listed(name)
            if not place.is_file() or (listed.sha1 and _sha1(place) != listed.sha1):
                if place.is_file():
                    log.warning(
                        "%s: the server has another file under this name; it takes the place of this one", place
                    )
                fetch_one(listed, self._fetched_from)
            self._compared.add(name)
        return place

    @property
    def _server(self) -> str:
        return self._fetched_from.url


def _sha1(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()
