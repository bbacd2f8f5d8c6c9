"""A directory of reference files, chosen by their own headers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules import below
from jwrules.errors import ReferenceFault
from jwrules.references import own, selection
from jwrules.references.chooser import Chooser, NoneFits, exposure
from jwrules.references.ledger import Ledger
from jwrules.references.selection import Candidate, Verdict


class Directory(Chooser):
    """Reference files below a folder: `*.fits`, `*.fits.gz`, `*.asdf`, `*.json` whose header says of what REFTYPE.

    Folders that are linked count, hidden ones do not (`below.files`).
    """

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        super().__init__(str(folder), ledger)
        self.folder = folder
        self._useafters: dict[str, Sequence[datetime]] = {}

    def _explain(self, reftype: str, header: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return every candidate of a type, the best first: its name, and why it was chosen or not."""
        verdicts = self._judge(reftype, header)
        return [(verdict.candidate.path.name, _why(verdict, verdicts)) for verdict in verdicts]

    def _find(self, reftype: str, header: Mapping[str, Any]) -> Path | None:
        verdicts = self._judge(reftype, header)
        winners = selection.best(verdicts)
        if not winners:
            raise NoneFits(selection.none_fits(reftype, self.source, exposure(header), verdicts) + self._unread)
        if len(winners) > 1 and self._differ([verdict.candidate.path for verdict in winners]):
            raise selection.tie(reftype, exposure(header), winners)
        return winners[0].candidate.path

    def _named(self, name: str, reftype: str) -> list[Candidate]:
        return [Candidate(path, keywords) for path, keywords in self._index.items() if path.name == name]

    def _differ(self, paths: Sequence[Path]) -> bool:
        return len({self.ledger.content_hash(path) for path in paths}) > 1

    def era(self, header: Mapping[str, Any]) -> Hashable:
        """Return how many times of USEAFTER of the files had passed."""
        return selection.passed(self._all_times, header)

    @cached_property
    def _all_times(self) -> Sequence[datetime]:
        return sorted({time for reftype in self._by_type for time in self._times(reftype)})

    def _epoch(self, reftype: str, header: Mapping[str, Any]) -> int:
        return bisect_right(self._times(reftype.lower()), selection.taken_at(header))

    def _times(self, reftype: str) -> Sequence[datetime]:
        """Return, in order, after when files of a type are to be used."""
        if reftype not in self._useafters:
            candidates = self._by_type.get(reftype, [])
            self._useafters[reftype] = sorted(filter(None, map(selection.useafter, candidates)))
        return self._useafters[reftype]

    def _judge(self, reftype: str, header: Mapping[str, Any]) -> list[Verdict]:
        return selection.judge(self._by_type.get(reftype.lower(), []), reftype.lower(), header)

    @cached_property
    def _index(self) -> dict[Path, dict[str, Any]]:
        """The selection keywords of every file below the folder; of one that cannot be read, the fault."""
        if not self.folder.is_dir():
            raise ReferenceFault(f"{self.folder}: there is no such directory of reference files")
        paths = sorted(path for path in below.files(self.folder) if own.is_readable(path) and path.is_file())
        return {path.absolute(): self.ledger.fact("keywords", path.absolute(), own.keywords) for path in paths}

    @cached_property
    def _by_type(self) -> dict[str, list[Candidate]]:
        by_type: dict[str, list[Candidate]] = {}
        for path, keywords in self._index.items():
            if reftype := str(keywords.get("REFTYPE") or "").strip().lower():
                by_type.setdefault(reftype, []).append(Candidate(path, keywords))
        return by_type

    @property
    def _unread(self) -> str:
        faults = [keywords["fault"] for keywords in self._index.values() if "fault" in keywords]
        return "".join(f"\n  could not be considered: {fault}" for fault in faults)


def _why(verdict: Verdict, verdicts: list[Verdict]) -> str:
    if verdict.against:
        return f"ruled out: {verdict.against}"
    if verdict is verdicts[0]:
        return "chosen"
    first = verdicts[0]
    if verdict.rank[:3] != first.rank[:3]:
        return f"passed over: {first.candidate.path.name} names more of the exposure's keywords"
    if verdict.rank[3] != first.rank[3]:
        return f"passed over: {first.candidate.path.name} has a later USEAFTER"
    return f"passed over: {first.candidate.path.name} comes before it"
