"""A grammar is the parts of a name in order; it reads a name, and says at which character it stopped and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jwrules.errors import NameFault, nearest


class Mismatch(Exception):
    """Inside a reader: at which character it stopped, and the nearest right word."""

    def __init__(self, at: int, near: str = "") -> None:
        self.at, self.near = at, near


Reader = Callable[[str, int], int]
"""Where the part that begins at a character ends; raises Mismatch."""


@dataclass(frozen=True)
class Part:
    """A field of a name: what stands before it, how it is read, what to say when it is not there.

    An optional part is there when `before` and `begins` (a pattern) fit.
    """

    field: str
    what: str
    reader: Reader
    before: str = ""
    optional: bool = False
    begins: str = ""

    def starts(self, text: str, at: int) -> bool:
        """Return whether the part begins at character `at`."""
        return text.startswith(self.before, at) and bool(
            re.compile(self.begins, re.ASCII).match(text, at + len(self.before))
        )


def characters(count: int, allowed: str = "0-9") -> Reader:
    """Read so many characters of a set."""
    legal = re.compile(f"[{allowed}]*")

    def read(text: str, at: int) -> int:
        found = legal.match(text, at)
        length = found.end() - at if found else 0
        if length < count:
            raise Mismatch(at + length)
        return at + count

    return read


def word_of(words: tuple[str, ...], also_meant: tuple[str, ...] = ()) -> Reader:
    """Read one of several words, the longest that fits; those `also_meant` are only suggested."""
    longest_first = sorted(words, key=len, reverse=True)

    def read(text: str, at: int) -> int:
        for word in longest_first:
            if text.startswith(word, at) and not text[at + len(word) : at + len(word) + 1].isalnum():
                return at + len(word)
        shared = max(_common(word, text[at:]) for word in words)
        token = re.split(r"[._]|-(?!oi)", text[at:], maxsplit=1)[0]
        raise Mismatch(at + shared, nearest(token, words + also_meant))

    return read


def _common(word: str, text: str) -> int:
    pairs = zip(word, text, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(word), len(text)))


def pattern(*alternatives: str) -> Reader:
    """Read the longest of several patterns, each a list of atoms that are matched as far as they go."""
    chains = [[re.compile(atom, re.ASCII) for atom in alternative.split()] for alternative in alternatives]

    def read(text: str, at: int) -> int:
        ends = [_follow(chain, text, at) for chain in chains]
        complete = [end for end, whole in ends if whole]
        if not complete:
            raise Mismatch(max(end for end, _ in ends))
        return max(complete)

    return read


def _follow(chain: list[re.Pattern[str]], text: str, at: int) -> tuple[int, bool]:
    for atom in chain:
        found = atom.match(text, at)
        if not found:
            return at, False
        at = found.end()
    return at, True


def read(grammar: tuple[Part, ...], text: str) -> dict[str, str]:
    """Return the text of each field of `text`; raises NameFault at the first character that cannot be."""
    values = {part.field: "" for part in grammar}
    at, passed = 0, list[Part]()
    for part in grammar:
        if part.optional and not part.starts(text, at):
            passed.append(part)
            continue
        end = _end(part, text, at, passed)
        values[part.field], at = text[at + len(part.before) : end], end
        passed = []
    if at < len(text):
        raise _fault(text, at, [*(part.what for part in passed), "the end of the name"])
    return values


def write(grammar: tuple[Part, ...], values: Mapping[str, str]) -> str:
    """Return the name that these fields make."""
    parts = ((part, values[part.field]) for part in grammar)
    return "".join(part.before + value for part, value in parts if value or not part.optional)


def _end(part: Part, text: str, at: int, passed: list[Part]) -> int:
    """Return where `part`, of which the separator stands at `at`, ends; `passed` might have stood there as well."""
    shared = _common(part.before, text[at:])
    if shared < len(part.before):
        expected = [other.what for other in passed]
        raise _fault(text, at + shared, [*expected, f"'{part.before[shared:]}' and {part.what}"])
    try:
        return part.reader(text, at + len(part.before))
    except Mismatch as stop:
        expected = [other.what for other in passed if other.before == part.before]
        raise _fault(text, stop.at, [*expected, part.what], stop.near) from None


def _fault(text: str, at: int, expected: list[str], near: str = "") -> NameFault:
    hint = f"; did you mean '{near}'?" if near else ""
    if text[at : at + 1].isupper():
        hint = "; names are in lower case"
    return NameFault(f"no name of a JWST file:\n  {text}\n  {' ' * at}^ expected {', or '.join(expected)}{hint}")
