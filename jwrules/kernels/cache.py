"""Where compiled kernels are kept between processes, so that many may read and write them at once.

This takes the place of numba's own store. That one numbers the files of a function and lists them in an index: two
processes that begin together may give one number to two kinds of arguments, and then machine code for one kind of
array is run on another. It trusts a file that a full disk or a killed process cut short; it does not see a change of
a kernel that is called from another file; and it cannot read what an administrator compiled in a read-only folder. Here

- a file is named after the function, the types of its arguments, the processor and the version of Python, is written
  under another name and renamed: who comes later writes the same once more;
- it begins with a checksum and a stamp of all sources and settings it was made from: what does not fit is made anew;
- what cannot be read or written is done without.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import pickle
import re
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import _Cache as Store
from numba.core.compiler import CompileResult
from numba.core.environment import Environment, lookup_environment
from numba.core.runtime import rtsys
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature
from numba.misc.appdirs import AppDirs

log = logging.getLogger("jwrules")

SUFFIX = ".kernel"
_IMPORT = re.compile(r"^(?:from\s+([\w.]+)\s+)?import\s+(\([^)]*\)|[^\n]*)", re.MULTILINE)
_SETTINGS = ("OPT", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")
_DIGEST = 32


@dataclass(frozen=True)
class Asked:
    """A kernel that was called for: the function, the types of its arguments, whether it was there, and its file."""

    function: str
    arguments: str
    found: bool
    file: str


asked: list[Asked] = []
"""Every kernel that this process called for, in that order."""


class KernelStore(Store):
    """What numba asks for the compiled variants of one function."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._folders = folders(Path(function.__code__.co_filename).parent)

    @property
    def cache_path(self) -> str:
        """The folder where a variant is looked for first."""
        return str(self._folders[0])

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function for these types, or None where it is not kept."""
        arguments, _ = normalize_signature(sig)
        name = self._name(arguments, target_context.codegen())
        found = next(
            filter(None, (self._rebuilt(folder / name, arguments, target_context) for folder in self._folders)), None
        )
        asked.append(Asked(_called(self._function), repr(arguments), found is not None, name))
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled function in the first folder that can be written."""
        if any(not lifted.can_cache for lifted in data.lifted) or data.library.has_dynamic_globals:
            return
        arguments, _ = normalize_signature(sig)
        content = sealed(stamp(self._function.__module__), dumps(data._reduce()))
        if not keep(self._name(arguments, data.codegen), content, self._folders):
            _say_once(str(self._folders[-1]))

    def _name(self, arguments: Any, codegen: Any) -> str:
        made_for = repr((arguments, codegen.magic_tuple(), sys.implementation.cache_tag))
        return f"{_called(self._function)}-{hashlib.sha256(made_for.encode()).hexdigest()[:16]}{SUFFIX}"

    def _rebuilt(self, path: Path, arguments: Any, target_context: Any) -> Any:
        content = opened(path, stamp(self._function.__module__))
        if content is None:
            return None
        try:
            parts = _Reader(io.BytesIO(content)).load()
            _make_ready(target_context, content)
            kept = CompileResult._rebuild(target_context, *parts)
        except Exception as reason:
            log.debug("%s: not read, compiled anew (%s)", path, reason)
            return None
        return kept if tuple(kept.signature.args) == tuple(arguments) else None

    def enable(self) -> None:
        """Do nothing: it is always in use."""

    def disable(self) -> None:
        """Do nothing: it is always in use."""

    def flush(self) -> None:
        """Do nothing: what is stale is written over."""


def _called(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}".replace("<", "").replace(">", "")


class _Reader(pickle.Unpickler):
    """Reads compiled functions without importing those modules of numba that serve to compile only."""

    def find_class(self, module: str, name: str) -> Any:
        return _environment if name == "_rebuild_env" else super().find_class(module, name)


def _environment(module: str, constants: list[Any], name: str) -> Any:
    """Return what code knows at run time: constants. Variables of its module serve functions that are not compiled."""
    known = lookup_environment(name)
    if known is not None:
        return known
    variables = vars(sys.modules[module]) if module in sys.modules else {"__name__": module}
    made = Environment(variables)
    made.consts[:] = constants
    made.env_name = name
    Environment._memo[name] = made
    return made


def _make_ready(target_context: Any, content: bytes) -> None:
    """Do what machine code needs before it is linked.

    numba makes everything ready for compiling here, which takes 0.3 s; of that, code needs the counting of references,
    and where it hashes something, a symbol.
    """
    rtsys.initialize(target_context)
    if b"_numba_hashsecret" in content:
        target_context.refresh()


def folders(source: Path) -> tuple[Path, ...]:
    """Return where compiled functions of the files in `source` are looked for, and written: the first that will do.

    NUMBA_CACHE_DIR, if it is set; else beside the sources (an administrator may have filled it), then the user's own.
    """
    below = f"{source.name}_{hashlib.sha256(str(source.resolve()).encode()).hexdigest()[:16]}"
    settings: Any = numba.config
    if settings.CACHE_DIR:
        return (Path(settings.CACHE_DIR) / below,)
    return source / "__pycache__", Path(AppDirs(appname="jwrules", appauthor=False).user_cache_dir) / below


def sealed(stamp: bytes, content: bytes) -> bytes:
    """Return what is written for `content`: checksum, stamp, content."""
    body = stamp + content
    return hashlib.sha256(body).digest() + body


def opened(path: Path, stamp: bytes) -> bytes | None:
    """Return the content of a sealed file; None where there is none, it is damaged, or has another stamp."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    seal, body = data[:_DIGEST], data[_DIGEST:]
    whole = hashlib.sha256(body).digest() == seal
    return body[_DIGEST:] if whole and body[:_DIGEST] == stamp else None


def keep(name: str, content: bytes, places: tuple[Path, ...]) -> bool:
    """Write a file into the first of these folders that takes it; return whether one does."""
    return any(_written(place / name, content) for place in places)


def _written(path: Path, content: bytes) -> bool:
    draft = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        os.replace(draft, path)
    except OSError:
        try:
            draft.unlink(missing_ok=True)
        except OSError:
            log.debug("%s: left behind", draft)
        return False
    return True


@cache
def _say_once(folder: str) -> None:
    log.warning(
        "compiled kernels cannot be kept in %s: every run compiles them again; NUMBA_CACHE_DIR names another folder",
        folder,
    )


@cache
def stamp(module: str) -> bytes:
    """Return a digest of all that compiled functions of a module are made from, besides the types of arguments.

    That is its source, those of the modules that it imports of its own package, the compiler and its settings.
    """
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    settings: Any = numba.config
    digest.update(repr([getattr(settings, name, None) for name in _SETTINGS]).encode())
    for name in sorted(_together(module)):
        digest.update(name.encode() + b"\0" + _source(name).encode() + b"\0")
    return digest.digest()


def _together(module: str) -> set[str]:
    """Return a module and those of its package, or of jwrules, that it imports, and so on."""
    known: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name not in known:
            known.add(name)
            todo += _imported(name, {"jwrules", module.partition(".")[0]})
    return known


@cache
def _source(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    try:
        return Path(file).read_text() if file else ""
    except (OSError, UnicodeDecodeError):
        return ""


def _imported(module: str, packages: set[str]) -> Iterator[str]:
    for origin, what in _IMPORT.findall(_source(module)):
        words = [entry.split()[0] for entry in what.strip("()\n ").split(",") if entry.split()]
        for name in [origin, *(f"{origin}.{word}" for word in words)] if origin else words:
            if name.partition(".")[0] in packages and name in sys.modules:
                yield name
