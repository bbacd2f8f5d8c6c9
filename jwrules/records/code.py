"""Which version of the code a stage goes through: what its result may depend on, and nothing else.

The version of a stage with certain steps is a digest of their modules and of all that those import of the working
column. Comments, docstrings and blank lines do not count: a release that changed one step makes nothing stale that
does without it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import jwrules
from jwrules.references.ledger import Ledger

_WORKING = ("kernels", "wcs", "products", "steps", "stages")
"""The column whose code makes the pixels."""

_HERE = Path(jwrules.__file__).parent


class Code:
    """Digests of modules, kept in a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._digests: dict[tuple[str, ...], str] = {}
        self._closures: dict[str, frozenset[str]] = {}

    def version(self, stage: str, steps: Iterable[str]) -> str:
        """Return the digest of the code of a stage whose chain runs these steps."""
        roots = (f"stages.{stage}", *(f"steps.{step}" for step in sorted(set(steps))))
        if roots not in self._digests:
            modules = sorted(set().union(*(self._closure(root) for root in roots)))
            told = [f"{module} {self._facts(module)[0]}" for module in modules]
            told += [f"{root} {_release(root)}" for root in roots if not _path(root)]
            text = "\n".join(told)
            self._digests[roots] = hashlib.sha256(text.encode()).hexdigest()
        return self._digests[roots]

    def _closure(self, root: str) -> frozenset[str]:
        """Return a module and all that it imports, directly or not; nothing for a step that comes from outside."""
        if root not in self._closures:
            found: set[str] = set()
            waiting = [root] if _path(root) else []
            while waiting:
                module = waiting.pop()
                if module not in found:
                    found.add(module)
                    waiting += self._facts(module)[1]
            self._closures[root] = frozenset(found)
        return self._closures[root]

    def _facts(self, module: str) -> tuple[str, list[str]]:
        path = _path(module)
        assert path is not None
        said = self._ledger.fact("code", path, _read)
        return said[0], [name for name in said[1] if _path(name)]


def _release(root: str) -> str:
    """Return the release of the package that a step from outside comes with."""
    step = root.removeprefix("steps.")
    found = [one.dist.version for one in metadata.entry_points(group="jwrules.steps", name=step) if one.dist]
    return ", ".join(found)


@cache
def _path(module: str) -> Path | None:
    """Return the file of a module of the working column, named without `jwrules.`; None where there is none."""
    parts = module.split(".")
    if parts[0] not in _WORKING:
        return None
    places = (_HERE.joinpath(*parts).with_suffix(".py"), _HERE.joinpath(*parts, "__init__.py"))
    return next((place for place in places if place.is_file()), None)


def _read(path: Path) -> list[Any]:
    """Return the digest of a module's code, and the names that it imports of the working column."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return [hashlib.sha256(_bare(text, tree).encode()).hexdigest(), sorted(set(_imports(tree)))]


def _bare(text: str, tree: ast.Module) -> str:
    """Return the text of a module without docstrings, comments on lines of their own, and blank lines."""
    told = {line for node in ast.walk(tree) for line in _docstrings(node)}
    lines = (line.rstrip() for number, line in enumerate(text.splitlines(), start=1) if number not in told)
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def _docstrings(node: ast.AST) -> Iterator[int]:
    """Yield the lines of the strings that stand alone in a body: docstrings, of attributes too."""
    body = getattr(node, "body", None)
    for one in body if isinstance(body, list) else ():
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
            yield from range(one.lineno, (one.end_lineno or one.lineno) + 1)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            yield from _with_parents(name.removeprefix("jwrules.")) if name.startswith("jwrules.") else ()


def _with_parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))
