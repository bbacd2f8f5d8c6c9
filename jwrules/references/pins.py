"""Reference files that a run must not change: a context and single files, pinned by name and content.

    pin:
      context: jwst_1464.pmap
      sha256: 5d0c…           # of all mappings that these data use, where `mappings` does not say them one by one
      mappings: {jwst_nircam_dark_0017.rmap: 9a41…}
      files:
        dark: {jwst_nircam_dark_0123.fits: 77be…}     # or {file: jwst_nircam_dark_0123.fits, sha256: 77be…}

Of a type that is pinned no other file is taken, whatever the selection would choose (`forced`). A SHA-256 may be cut to
its first eight digits or more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from jwrules import whole
from jwrules.errors import RecipeFault, ReferenceFault
from jwrules.references.chooser import Chosen
from jwrules.references.identity import Identity

FILE = "pins.yaml"
"""The file of pins in a working directory."""

_HEAD = """\
# Rules and reference files by name and SHA-256: no other file is taken, and a run stops where one holds something else.
# `jwrules references pin` wrote this.
"""

_KEYS = ("context", "sha256", "mappings", "files")
_SHA256 = re.compile(r"[0-9a-f]{8,64}")

Files = Mapping[str, Iterable[Chosen]]
"""Type -> the files that were chosen of it."""


@dataclass(frozen=True)
class Pins:
    """What is pinned: a context by name and content, and by type each file that may be chosen with its SHA-256."""

    context: str = ""
    sha256: str = ""
    mappings: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def of(rules: Identity, files: Files) -> dict[str, Any]:
    """Return the pins, as YAML has them, of what a plan uses."""
    context = {"context": rules.name, "mappings": dict(sorted(rules.mappings.items()))} if rules.mappings else {}
    pinned = {kind: {one.name: one.sha256 for one in _by_name(its)} for kind, its in sorted(files.items())}
    return {**context, "files": pinned}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write pins to a file of their own."""
    whole.write(path, _HEAD + yaml.safe_dump(dict(content), sort_keys=False))


def read(given: str | Mapping[str, Any], directory: Path) -> Pins:
    """Return the pins that a run file gives: themselves, or the path of a YAML file, seen from the working directory.

    RecipeFault lists everything that is wrong with them.
    """
    if not isinstance(given, str):
        return parse(given, "run file $.pin")
    path = directory / given
    try:
        return parse(yaml.safe_load(path.read_text()), str(path))
    except OSError as reason:
        raise RecipeFault(f"{path}: the pins of the run file cannot be read: {reason.strerror}") from reason
    except yaml.YAMLError as reason:
        raise RecipeFault(f"{path}: no YAML: {reason}") from reason


def parse(content: Any, where: str) -> Pins:
    """Return the pins in `content`, as read from YAML; RecipeFault lists everything that is wrong with them."""
    if not isinstance(content, Mapping):
        raise RecipeFault(f"{where}: expected the keys {', '.join(_KEYS)}")
    faults = [f"{where}: no such key as '{key}'; there are {', '.join(_KEYS)}" for key in content if key not in _KEYS]
    files = {kind: _files(its) for kind, its in _mapping(content, "files", where, faults).items()}
    pins = Pins(
        context=str(content.get("context") or ""),
        sha256=str(content.get("sha256") or ""),
        mappings={str(name): str(sha256) for name, sha256 in _mapping(content, "mappings", where, faults).items()},
        files=files,
    )
    wrong = [(name, sha256) for name, sha256 in _pinned(pins) if not _is_hash(sha256)]
    # 3e456789 is a number to YAML, and 01234567 another one.
    faults += [f"{where}: {name}: '{sha256}' is no SHA-256; put one of digits in quotes" for name, sha256 in wrong]
    if (pins.sha256 or pins.mappings) and not pins.context:
        faults.append(f"{where}: 'context' is missing: sha256 and mappings are those of a context")
    if faults:
        raise RecipeFault("\n".join(faults))
    return pins


def check(pins: Pins, rules: Identity, files: Files) -> None:
    """Raise ReferenceFault with everything that is not as it was pinned, and with what can be done."""
    check_context(pins, rules.name)
    _refuse([*_mapping_faults(pins, rules), *_file_faults(pins, files)])


def check_context(pins: Pins, name: str) -> None:
    """Raise ReferenceFault where another context is pinned: all else that is wrong would follow from that."""
    _refuse([f"the context is {name}, pinned is {pins.context}"] if pins.context and pins.context != name else [])


def _refuse(faults: list[str]) -> None:
    if faults:
        raise ReferenceFault("\n".join([*(f"not as pinned: {fault}" for fault in faults), _WAY_OUT]))


_WAY_OUT = (
    "  to accept what there is now: jwrules references pin DATA --output DIR; to go back to what was pinned, use the"
    " cache or folder that it was in, or change `pin` in the run file"
)


def _mapping_faults(pins: Pins, rules: Identity) -> Iterator[str]:
    for name, sha256 in rules.mappings.items():
        if name in pins.mappings and not sha256.startswith(pins.mappings[name]):
            yield (
                f"{name} of {rules.name} was changed in place: its SHA-256 is {sha256[:12]}, "
                f"pinned is {pins.mappings[name][:12]}"
            )
    if pins.sha256 and not pins.mappings and not rules.sha256.startswith(pins.sha256):
        yield (
            f"the {len(rules.mappings)} mappings of {rules.name} that these data use have the SHA-256 {rules.sha256},"
            f" pinned is {pins.sha256}: one was changed in place, or other data were pinned"
        )


def _file_faults(pins: Pins, files: Files) -> Iterator[str]:
    for kind, pinned in pins.files.items():
        for one in _by_name(files.get(kind, ())):
            if one.name not in pinned:
                yield f"{kind}: {one.name} is chosen, pinned is {', '.join(pinned)}"
            elif not one.sha256.startswith(pinned[one.name]):
                yield (
                    f"{kind}: {one.path} was changed in place: its SHA-256 is {one.sha256[:12]},"
                    f" pinned is {pinned[one.name][:12]}"
                )


def _mapping(content: Mapping[str, Any], key: str, where: str, faults: list[str]) -> Mapping[str, Any]:
    found = content.get(key) or {}
    if isinstance(found, Mapping):
        return found
    faults.append(f"{where}: {key}: expected a mapping, found {found!r}")
    return {}


def _files(its: Any) -> dict[str, str]:
    """Return name -> SHA-256 of {name: sha256, ...}, of {file: name, sha256: sha256}, or of a list of these."""
    if isinstance(its, list):
        return {name: sha256 for one in its for name, sha256 in _files(one).items()}
    if not isinstance(its, Mapping):
        return {str(its): ""}
    if its.keys() <= {"file", "sha256"}:
        return {str(its.get("file", "")): str(its.get("sha256", ""))}
    return {str(name): str(sha256) for name, sha256 in its.items()}


def _by_name(files: Iterable[Chosen]) -> list[Chosen]:
    return sorted(set(files), key=lambda one: one.name)


def _pinned(pins: Pins) -> Iterator[tuple[str, str]]:
    """Yield everything that is pinned by content: what, and its SHA-256."""
    if pins.sha256:
        yield "sha256", pins.sha256
    yield from pins.mappings.items()
    for kind, its in pins.files.items():
        yield from ((f"{kind}: {name}", sha256) for name, sha256 in its.items())


def _is_hash(text: str) -> bool:
    return _SHA256.fullmatch(text) is not None
