"""Which reference file is for which exposure, decided before anything runs.

A source is a directory of reference files in the formats of CRDS, chosen by their own headers, or `crds:CONTEXT`: the
cache of the `crds` library under a context of rules (`crds:` alone is the library's default).
"""

from __future__ import annotations

import os
from pathlib import Path

from jwrules.references.chooser import Chooser, Chosen
from jwrules.references.identity import Identity, changes
from jwrules.references.ledger import Ledger, content_hash

__all__ = ["Chooser", "Chosen", "Identity", "Ledger", "changes", "content_hash", "open", "resolved"]

_CRDS = "crds:"


def resolved(source: str) -> str:
    """Return a source that means the same tomorrow: of a context that is not named (`crds:latest`) its name today."""
    if not source.startswith(_CRDS) or source.endswith(".pmap"):
        return source
    from jwrules.references.context import Context

    return _CRDS + Context(source.removeprefix(_CRDS), Ledger(Path(os.devnull))).context


def open(source: str | Path, cache: Path) -> Chooser:
    """Return what chooses from `source`; `cache` is the JSON file where what was learnt is kept.

    Nothing is read before it is asked, and nothing kept before `ledger.save()`. ReferenceFault for a directory that
    does not exist, when it is asked.
    """
    ledger = Ledger(Path(cache))
    if str(source).startswith(_CRDS):
        from jwrules.references.context import Context

        return Context(str(source).removeprefix(_CRDS), ledger)
    from jwrules.references.directory import Directory

    return Directory(Path(source), ledger)
