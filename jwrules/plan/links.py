"""Files that a job opens are named by their content: where they lie, or when they were touched, changes nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwrules.house import STORE
from jwrules.recipes import cards
from jwrules.references import Chosen
from jwrules.references.ledger import Ledger


def link(file: Chosen) -> str:
    """Return where the working directory links to a file; the link stays when the file moves, not when it changes."""
    return f"{STORE}/references/{file.sha256}/{file.name}"


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of the file that such a link leads to, as its path says it; None for another path."""
    parts = path.parts
    return parts[-2] if parts[-4:-2] == (STORE, "references") and len(parts[-2]) == 64 else None


@dataclass(frozen=True)
class Linked:
    """A chain (JSON) in which options name `files` by their links; `absent`: where files were looked for in vain."""

    steps: str
    files: tuple[Chosen, ...] = ()
    absent: tuple[Path, ...] = ()


def with_links(steps: str, ledger: Ledger, folder: Path | None = None) -> Linked:
    """Return a chain whose options name files by links; relative paths are seen from `folder`."""
    files: dict[str, Chosen] = {}
    absent: list[Path] = []

    def linked(value: Any, names_file: bool) -> Any:
        path = _place(value, names_file, folder)
        if path is None:
            return value
        if not path.is_file():
            absent.append(path)
            return value
        files[str(path)] = Chosen(path, path.name, ledger.content_hash(path))
        return link(files[str(path)])

    chain = json.loads(steps)
    for call in chain:
        if "params" in call:
            named = _named_files(call["step"])
            call["params"] = {name: linked(value, name in named) for name, value in call["params"].items()}
    text = json.dumps(chain, separators=(",", ":"), ensure_ascii=False)
    return Linked(text if files else steps, tuple(files.values()), tuple(absent))


def _place(value: Any, names_file: bool, folder: Path | None) -> Path | None:
    """Return where the file is that a value may name: an absolute path, or of such a parameter a relative one."""
    path = Path(value) if isinstance(value, str) and value else None
    if path is None or path.is_absolute():
        return path
    return folder / path if names_file and folder else None


def _named_files(step: str) -> Sequence[str]:
    """Return the parameters of a step that name files."""
    known = cards()
    return known.files(step) if step in known.steps else ()
