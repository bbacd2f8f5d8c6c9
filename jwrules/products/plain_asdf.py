"""ASDF files of mappings, lists, numbers and arrays, read without the library: loading it takes longer than most steps.

Source: ASDF standard 1.6, file layout.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

_START, _END, _BLOCK = b"#ASDF 1.", b"\n...\n", b"\xd3BLK"
_HEADER = struct.Struct(">I4sQQQ16s")
"""Flags, compression, space that is allocated and used, size of the data, checksum."""
_CORE = "tag:stsci.edu:asdf/core/"
_NUMBERS = {*(f"{kind}int{bits}" for kind in ("", "u") for bits in (8, 16, 32, 64)), "float32", "float64"}
_NUMBERS |= {"complex64", "complex128"}


class NotPlain(Exception):
    """What is in a file takes the library."""


def read(path: Path) -> dict[str, Any]:
    """Return the tree of a file, arrays in native byte order; NotPlain where it holds anything else, or is damaged."""
    content = path.read_bytes()
    end = content.find(_END)
    if not content.startswith(_START) or end < 0 or b"$ref" in content[:end]:
        raise NotPlain
    loader = _Loader(content[: end + len(_END)])
    loader.blocks = _blocks(content, end + len(_END))
    try:
        return dict(loader.get_single_data())
    except (yaml.YAMLError, ValueError, TypeError, KeyError, IndexError) as reason:
        raise NotPlain from reason


def _blocks(content: bytes, start: int) -> list[memoryview]:
    """Return the data of the blocks; what follows them is an index."""
    found, whole = [], memoryview(content)
    while content[start : start + 4] == _BLOCK:
        size = int.from_bytes(content[start + 4 : start + 6], "big")
        begin = start + 6 + size
        if size < _HEADER.size or begin > len(content):
            raise NotPlain
        flags, compression, allocated, used, _, _ = _HEADER.unpack_from(content, start + 6)
        if flags or compression.strip(b"\0") or begin + used > len(content):
            raise NotPlain
        found.append(whole[begin : begin + used])
        start = begin + allocated
    return found


class _Loader(yaml.CSafeLoader):
    blocks: list[memoryview]


def _mapping(loader: _Loader, suffix: str, node: yaml.Node) -> Mapping[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise NotPlain
    return {str(name): value for name, value in loader.construct_mapping(node, deep=True).items()}


def _array(loader: _Loader, suffix: str, node: yaml.Node) -> np.ndarray:
    about = _mapping(loader, suffix, node)
    if about.keys() != {"source", "datatype", "byteorder", "shape"} or about["datatype"] not in _NUMBERS:
        raise NotPlain
    dtype = np.dtype(about["datatype"]).newbyteorder(about["byteorder"])
    values = np.frombuffer(loader.blocks[about["source"]], dtype).reshape(about["shape"])
    return values.astype(dtype.newbyteorder("="))


for _kind in ("asdf-", "software-", "extension_metadata-", "history_entry-"):
    _Loader.add_multi_constructor(_CORE + _kind, _mapping)
_Loader.add_multi_constructor(_CORE + "ndarray-", _array)
