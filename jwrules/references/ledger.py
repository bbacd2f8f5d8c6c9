"""What was learnt about files, kept as JSON until they are written to."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

log = logging.getLogger("jwrules")

_VERSION = 2


def content_hash(path: Path | str) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ledger:
    """Facts about files (by path, size, times and inode) and answers to questions (by their text).

    It saves work and is no source: a file that is absent, unreadable or of another release is begun anew, and one that
    cannot be written is done without.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._content = _load(path)
        self._changed = False

    def fact(self, name: str, path: Path, learn: Callable[[Path], Any]) -> Any:
        """Return what `learn(path)` gives, from the ledger where the file has not changed since."""
        stat = path.stat()
        files = self._content["files"]
        entry = files.get(str(path))
        now = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        if entry is None or entry.get("state") != now:
            entry = files[str(path)] = {"state": now}
        if name not in entry:
            entry[name] = learn(path)
            self._changed = True
        return entry[name]

    def content_hash(self, path: Path) -> str:
        """Return the SHA-256 of a file's content: the same for a file that was only touched."""
        return str(self.fact("sha256", path, content_hash))

    def answer(self, question: Any, ask: Callable[[], Any]) -> Any:
        """Return what `ask()` gives, from the ledger where the same question (a JSON value) was asked before."""
        answers = self._content["answers"]
        key = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
        if key not in answers:
            answers[key] = ask()
            self._changed = True
        return answers[key]

    def save(self) -> None:
        """Write the ledger where it changed, complete or not at all."""
        if not self._changed:
            return
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._content))
            os.replace(temporary, self.path)
            self._changed = False
        except OSError as reason:
            log.debug("%s: not written (%s); it will be learnt again", self.path, reason.strerror)


def _load(path: Path) -> dict[str, Any]:
    blank: dict[str, Any] = {"version": _VERSION, "files": {}, "answers": {}}
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return blank
    known = isinstance(content, dict) and content.get("version") == _VERSION
    return content if known and content.keys() == blank.keys() else blank
