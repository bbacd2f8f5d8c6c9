"""YAML text with other values under some keys, and everything else as a person wrote it: comments, layout, order.

Only the lines of what changed are written again; comments that stood among these are put above. The text is read again
and compared with what was wanted, so what cannot be amended so (a text in braces, an alias of what changed) is refused.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from jwrules.errors import RecipeFault
from jwrules.recipes import source

Edit = tuple[int, int, str]
"""From which character to which the text is replaced, and by what."""

_HEADER = re.compile(r"[|>][-+0-9]*[ \t]+(#.*)")
"""A comment after the sign of a block of text."""


class CannotAmend(Exception):
    """The text is laid out so that it has to be written anew."""


def amend(text: str, changes: Mapping[str, Any], gone: frozenset[str] = frozenset()) -> str:
    """Return the text of a YAML mapping with these values under its keys, and without those keys that are `gone`.

    Raises CannotAmend where more than the lines of these keys would have to change.
    """
    try:
        was = source.value_of(text)
        node = yaml.compose(text, Loader=source.FASTEST)
        wanted = {**{key: value for key, value in was.items() if key not in gone}, **changes}
        amended = _applied(text, list(_edits(text, node, was, wanted)))
        stands = same(source.value_of(amended), wanted)
    except (yaml.YAMLError, RecipeFault) as reason:
        raise CannotAmend(str(reason)) from reason
    if not stands or Counter(comments(text)) - Counter(comments(amended)):
        raise CannotAmend("its layout does not allow it")
    return amended


def same(one: Any, other: Any) -> bool:
    """Return whether two plain values are written the same: 1, 1.0 and true are not, nor another order."""
    return json.dumps(one, default=str) == json.dumps(other, default=str)


def comments(text: str) -> list[str]:
    """Return the comments of a YAML text, in their order."""
    found: list[str] = []
    end = 0
    for token in yaml.scan(text, Loader=source.FASTEST):
        # Between two tokens there is nothing but space and comments.
        between = text[end : token.start_mark.index].splitlines()
        found += [line[line.index("#") :].rstrip() for line in between if "#" in line]
        end = max(end, token.end_mark.index)
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            found += _HEADER.findall(text[token.start_mark.index : end].split("\n", 1)[0])
    return found


def _edits(text: str, node: yaml.Node | None, was: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Edit]:
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise CannotAmend("it is no mapping of one key to a line")
    for key_node, value_node in node.value:
        key, (first, last) = key_node.value, _lines(text, key_node, value_node)
        if key not in wanted:
            yield first, last, _above(text[first:last], node)
        elif _goes_deeper(value_node, was[key], wanted[key]):
            yield from _edits(text, value_node, was[key], wanted[key])
        elif not same(was[key], wanted[key]):
            yield first, last, _above(text[first:last], node) + _written({key: wanted[key]}, node)
    if new := {key: value for key, value in wanted.items() if key not in was}:
        yield last, last, _written(new, node)


def _goes_deeper(node: yaml.Node, was: Any, wanted: Any) -> bool:
    is_block = isinstance(node, yaml.MappingNode) and not node.flow_style
    return is_block and isinstance(wanted, Mapping) and bool(wanted) and not same(was, wanted)


def _lines(text: str, key: yaml.Node, value: yaml.Node) -> tuple[int, int]:
    """Return from which character to which the lines of a pair reach, with a comment behind its last value."""
    first, end = key.start_mark.index - key.start_mark.column, _end(value)
    if text[first : key.start_mark.index].strip() or end < key.end_mark.index:
        raise CannotAmend("a key does not begin its line, or its value stands elsewhere")
    while text[end - 1].isspace():
        end -= 1
    newline = text.find("\n", end)
    return first, newline + 1 if newline >= 0 else len(text)


def _end(node: yaml.Node) -> int:
    """Return where a value ends; what PyYAML says of blocks is where the next one begins."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _above(lines: str, node: yaml.Node) -> str:
    """Return the comments among some lines as lines of their own, as far in as the keys of a mapping."""
    return "".join(f"{' ' * node.start_mark.column}{comment}\n" for comment in comments(lines))


def _written(values: Mapping[str, Any], node: yaml.Node) -> str:
    """Return keys and values as lines that are as far in as the keys of a mapping."""
    indent = " " * node.start_mark.column
    lines = source.written(values).splitlines(keepends=True)
    return "".join(indent + line if line.strip() else line for line in lines)


def _applied(text: str, edits: list[Edit]) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    for first, last, instead in reversed(edits):
        open_line = "\n" if first and text[first - 1] != "\n" else ""
        text = text[:first] + (open_line + instead).replace("\n", newline) + text[last:]
    return text
