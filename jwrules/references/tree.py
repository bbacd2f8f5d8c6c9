"""The YAML tree at the front of an ASDF file, read without its arrays and without knowing its tags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from jwrules.errors import HeaderFault

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """Builds plain values: a node of unknown tag is what its YAML says, a time stays the text that it was."""


def _plain(loader: Any, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Loader.add_multi_constructor("", _plain)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))


def read(path: Path | str) -> Mapping[str, Any]:
    """Return the tree of the ASDF file at `path`; an array in it is the description of where it is stored.

    Raises HeaderFault for a file that is no ASDF file or whose tree is cut short or no YAML.
    """
    text = _front(Path(path))
    try:
        tree = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as reason:
        raise HeaderFault(f"{path}: the tree of this ASDF file is no YAML ({reason})") from reason
    if not isinstance(tree, Mapping):
        raise HeaderFault(f"{path}: the tree of this ASDF file is no mapping")
    return tree


def _front(path: Path) -> bytes:
    """Return the lines of the tree, up to its end mark."""
    lines: list[bytes] = []
    try:
        with path.open("rb") as file:
            if not file.readline().startswith(b"#ASDF"):
                raise HeaderFault(f"{path}: this is no ASDF file")
            for line in file:
                if line.rstrip() == b"...":
                    return b"".join(lines)
                lines.append(line)
    except OSError as reason:
        raise HeaderFault(f"{path}: cannot be read ({reason.strerror})") from reason
    raise HeaderFault(f"{path}: the tree of this ASDF file has no end; the file is truncated")
