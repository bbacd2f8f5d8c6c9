"""Files that are made from the code and committed: write them, or show how far they are behind."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


def settle(files: Mapping[Path, str], folders: Iterable[Path], check: bool) -> int:
    """Write `files` (path -> text) and remove other Markdown pages from `folders`; return an exit status.

    With `check` nothing is touched: the differences are printed, and the status is 1 where there are any.
    """
    strays = [page for folder in folders for page in sorted(folder.glob("*.md")) if page not in files]
    wanted: dict[Path, str | None] = {**files, **dict.fromkeys(strays)}
    behind = {path: text for path, text in wanted.items() if _now(path) != text}
    for path, text in behind.items():
        if check:
            sys.stdout.writelines(_difference(path, text))
        elif text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(check and bool(behind))


def _now(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _difference(path: Path, text: str | None) -> Iterable[str]:
    now, then = ((_now(path) or "").splitlines(keepends=True), (text or "").splitlines(keepends=True))
    return difflib.unified_diff(now, then, f"{path} (as it stands)", f"{path} (as the code says)", n=1)


def table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    titles = list(titles)
    lines = [titles, ["---"] * len(titles), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]
