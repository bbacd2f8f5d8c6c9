"""Files that a job opens are named by their content: where they lie, or when they were touched, changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jwrules.house import STORE
from jwrules.references import Chosen
from jwrules.references.ledger import Ledger


def link(file: Chosen) -> str:
    """Return where the working directory links to a file; the link stays when the file moves, not when it changes."""
    return f"{STORE}/references/{file.sha256}/{file.name}"


def sha256_of(path: Path) -> str | None:
    """Return the SHA-256 of the file that such a link leads to, as its path says it; None for another path."""
    parts = path.parts
    return parts[-2] if parts[-4:-2] == (STORE, "references") and len(parts[-2]) == 64 else None


def with_links(steps: str, ledger: Ledger) -> tuple[str, tuple[Chosen, ...]]:
    """Return a chain (JSON) in which options name files by their links, and those files."""
    files: dict[str, Chosen] = {}

    def linked(value: Any) -> Any:
        path = Path(value) if isinstance(value, str) else None
        if path is None or not (path.is_absolute() and path.is_file()):
            return value
        files[str(path)] = Chosen(path, path.name, ledger.content_hash(path))
        return link(files[str(path)])

    chain = json.loads(steps)
    for call in chain:
        if "params" in call:
            call["params"] = {name: linked(value) for name, value in call["params"].items()}
    text = json.dumps(chain, separators=(",", ":"), ensure_ascii=False)
    return text if files else steps, tuple(files.values())
