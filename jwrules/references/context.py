"""Reference files of the Calibration Reference Data System, chosen by the `crds` library under one context of rules."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules.errors import JwrulesError, ReferenceFault
from jwrules.references import eras, selection
from jwrules.references.chooser import Chooser, NoneFits, exposure
from jwrules.references.keywords import PATHS
from jwrules.references.ledger import Ledger

_NOT_FOUND = "NOT FOUND"
_NOT_APPLICABLE = "NOT FOUND N/A"
_SERVER = "https://jwst-crds.stsci.edu"


class Context(Chooser):
    """The reference files of a context (`jwst_1234.pmap`, `jwst-operational`, or none for the library's default).

    The cache stands where CRDS_PATH says. It is only read, unless something is missing from it and CRDS_SERVER_URL
    names a server to fetch it from.
    """

    def __init__(self, asked: str, ledger: Ledger) -> None:
        super().__init__(f"crds:{asked}", ledger)
        self._asked = asked

    @cached_property
    def context(self) -> str:
        """The name of the context that rules, such as `jwst_1234.pmap`."""
        if self._asked.endswith(".pmap"):
            return self._asked
        with _faults(f"the CRDS context '{self._asked or 'default'}'"), _library(writes=False) as crds:
            return str(crds.get_context_name("jwst", self._asked or None))

    def explain(self, reftype: str, header: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the name that the context gives with the context, or what CRDS says instead of a name."""
        name = self._name(reftype, _parameters(header))
        if name.upper() == _NOT_APPLICABLE:
            return [("N/A", f"{self.context} says that this type does not apply")]
        if name.startswith(_NOT_FOUND):
            return [("none", f"{self.context} says: {name}")]
        return [(name, f"chosen by {self.context}")]

    def era(self, header: Mapping[str, Any]) -> Hashable:
        """Return how many of the dates in the rules had passed; the date as it stands where they do not tell."""
        return super().era(header) if self._dates is None else selection.passed(self._dates, header)

    @cached_property
    def _dates(self) -> list[datetime] | None:
        return eras.dates(_folder("mappings"), self.context)

    def _find(self, reftype: str, header: Mapping[str, Any]) -> Path | None:
        parameters = _parameters(header)
        name = self._name(reftype, parameters)
        if name.upper() == _NOT_APPLICABLE:
            return None
        if name.startswith(_NOT_FOUND):
            raise NoneFits(
                f"{exposure(header)}: no reference file of type '{reftype}' in {self.source}; {self.context} says:"
                f" {name}\n  give another context, or say 'if_impossible: skip' for the step in the recipe"
            )
        return _cached(name) or self._fetched(name, reftype, parameters)

    def _name(self, reftype: str, parameters: Mapping[str, Any]) -> str:
        """Return the name of the file that the context gives, or NOT FOUND and why."""
        question = {"rules": self._rules, "context": self.context, "type": reftype, "exposure": parameters}
        return str(self.ledger.answer(question, lambda: self._recommended(reftype, parameters)))

    def _recommended(self, reftype: str, parameters: Mapping[str, Any]) -> str:
        missing = not (_folder("mappings") / self.context).is_file()
        if missing and not _has_server():
            raise ReferenceFault(self._no_rules())
        with _faults(f"{self.context}, type '{reftype}'"), _library(writes=missing) as crds:
            names = crds.getrecommendations(
                dict(parameters), reftypes=[reftype], context=self.context, observatory="jwst"
            )
        return str(names[reftype])

    def _no_rules(self) -> str:
        folder = _folder("mappings")
        there = sorted(path.name for path in folder.glob("*.pmap"))
        return (
            f"{self.source}: {self.context} is not among the rules in {folder} (from CRDS_PATH), which has"
            f" {', '.join(there) or 'no context'}; fetch it:"
            f" CRDS_SERVER_URL={_SERVER} crds sync --contexts {self.context}"
        )

    def _fetched(self, name: str, reftype: str, parameters: Mapping[str, Any]) -> Path:
        what = (
            f"{self.context} gives {name} for type '{reftype}', which is not in the cache {_folder('references')};"
            f" fetch it: CRDS_SERVER_URL={_SERVER} crds sync --files {name}"
        )
        if not _has_server():
            raise ReferenceFault(what)
        with _faults(what), _library(writes=True) as crds:
            paths = crds.getreferences(dict(parameters), reftypes=[reftype], context=self.context, observatory="jwst")
        return Path(paths[reftype])

    @cached_property
    def _rules(self) -> str:
        """What tells one state of the cache's rules from another: an rmap may be mended under its own name."""
        folder = _folder("mappings")
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        stats = [(file.name, file.stat()) for file in files]
        state = [str(folder), *((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)]
        return hashlib.sha256(repr(state).encode()).hexdigest()


def _parameters(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what CRDS selects by, named as it names them."""
    known = {f"META.{path.upper()}": header.get(keyword) for keyword, path in PATHS.items()}
    return {name: value for name, value in known.items() if isinstance(value, str | int | float)}


def _cached(name: str) -> Path | None:
    """Return where a file is in the cache, be it flat or ordered by instrument."""
    folder = _folder("references")
    instrument = name.split("_")[1] if name.count("_") > 1 else ""
    return next((path for path in (folder / instrument / name, folder / name) if path.is_file()), None)


def _folder(kind: str) -> Path:
    """Return the folder of `mappings` or `references` in the cache (CRDS User Guide, "Environment variables")."""
    variable = {"mappings": "CRDS_MAPPATH", "references": "CRDS_REFPATH"}[kind]
    given = os.environ.get
    if single := given(f"{variable}_SINGLE"):
        return Path(single)
    if several := given(variable):
        return Path(several) / "jwst"
    if single := given("CRDS_PATH_SINGLE"):
        return Path(single) / kind
    return Path(given("CRDS_PATH") or given("CRDS_DEFAULT_CACHE") or "/grp/crds/cache") / kind / "jwst"


def _has_server() -> bool:
    server = os.environ.get("CRDS_SERVER_URL", "")
    return bool(server) and "serverless" not in server and "server-less" not in server


@contextmanager
def _library(*, writes: bool) -> Iterator[Any]:
    """Give the `crds` library, silent, its cache read-only unless `writes`; leave it as it was found."""
    import crds
    from crds.core import config

    logger = logging.getLogger("CRDS")
    level, readonly = logger.level, config._CRDS_CACHE_READONLY
    try:
        logger.setLevel(logging.CRITICAL)
        config.set_cache_readonly(readonly or not writes)
        with redirect_stderr(io.StringIO()):
            yield crds
    finally:
        config.set_cache_readonly(readonly)
        logger.setLevel(level)


@contextmanager
def _faults(what: str) -> Iterator[None]:
    """Turn whatever the library raises into a ReferenceFault that says `what` was wanted and what CRDS said."""
    try:
        yield
    except JwrulesError:
        raise
    except ImportError as reason:
        raise ReferenceFault(
            f"{what}: the library crds cannot be used ({reason}); install it together with stdatamodels,"
            " which it needs for JWST and does not bring along: pip install crds stdatamodels"
        ) from reason
    except Exception as reason:
        raise ReferenceFault(
            f"{what}: CRDS says: {reason} (cache {_folder('mappings').parent.parent}, from CRDS_PATH)"
        ) from reason
