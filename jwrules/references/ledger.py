"""What was learnt about files, kept as JSON until their state says that they changed."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jwrules import whole
from jwrules.unchanged import is_settled, state

log = logging.getLogger("jwrules")

_VERSION = 2


def content_hash(path: Path | str) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ledger:
    """Facts about files (by path and state), answers to questions (by their text), and what was last seen by name.

    It saves work and is no source: a file that is absent, unreadable or of another release is begun anew, and one that
    cannot be written is done without. Any number of processes may have one file: each adds what it learnt (`save`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known = _load(path)
        self._learnt = _blank()

    def fact(self, name: str, path: Path, learn: Callable[[Path], Any]) -> Any:
        """Return what `learn(path)` gives, from the ledger where the file has not changed since."""
        now, place = state(path), str(path)
        entry = self._known["files"].get(place)
        if entry is None or entry[0] != list(now):
            entry = self._known["files"][place] = [list(now), {}]
        if name not in entry[1]:
            settled = is_settled(now)
            entry[1][name] = learn(path)
            if settled:
                self._learnt["files"][place] = entry
        return entry[1][name]

    def content_hash(self, path: Path) -> str:
        """Return the SHA-256 of a file's content: the same for a file that was only touched."""
        return str(self.fact("sha256", path, content_hash))

    def answer(self, question: Any, ask: Callable[[], Any]) -> Any:
        """Return what `ask()` gives, from the ledger where the same question (a JSON value) was asked before."""
        key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        if key not in self._known["answers"]:
            self._known["answers"][key] = self._learnt["answers"][key] = ask()
        return self._known["answers"][key]

    def seen(self, name: str, value: str) -> str:
        """Note that `name` now is `value`; return what it was when it was last noted, or nothing."""
        before = str(self._known["seen"].get(name, ""))
        if before != value:
            self._known["seen"][name] = self._learnt["seen"][name] = value
        return before

    def save(self) -> None:
        """Add what was learnt to the file, complete or not at all; call it once, after the last question."""
        if not any(self._learnt.values()):
            return
        # What others learnt meanwhile stays; of two that save in the same instant, one will learn again.
        content = _merged(_load(self.path), self._learnt)
        try:
            whole.write(self.path, json.dumps(content, separators=(",", ":")))
            self._learnt = _blank()
        except OSError as reason:
            log.debug("%s: not written (%s); it will be learnt again", self.path, reason.strerror)


def _blank() -> dict[str, Any]:
    return {"files": {}, "answers": {}, "seen": {}}


def _merged(content: dict[str, Any], learnt: dict[str, Any]) -> dict[str, Any]:
    return {**content, **{part: content[part] | learnt[part] for part in learnt}}


def _load(path: Path) -> dict[str, Any]:
    blank = {"version": _VERSION, **_blank()}
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return blank
    known = isinstance(content, dict) and content.get("version") == _VERSION
    return content if known and content.keys() == blank.keys() else blank
