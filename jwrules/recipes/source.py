"""YAML text -> plain values, the line of each, and the faults of the text itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from jwrules import house
from jwrules.errors import RecipeFault

Place = tuple[str | int, ...]
"""Where a value stands in a file: keys and positions, ('stages', 'detector1', 1, 'jump')."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the file, the place in it, and what to say."""

    file: str
    place: Place
    words: str

    def __str__(self) -> str:
        return f"{self.file} {json_path(self.place)}: {self.words}"


def json_path(place: Place) -> str:
    """Return a place as a JSON path: ('stages', 'image3', 1) is $.stages.image3[1]."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)


def refuse(faults: list[Fault]) -> None:
    """Raise one RecipeFault that says all of `faults`, where there are any."""
    if faults:
        raise RecipeFault("\n".join(dict.fromkeys(map(str, faults))))


@dataclass
class Source:
    """A YAML file: `file` is what messages call it, `lines` the line on which each value begins.

    `repeated` is how many values are there because an alias (*) stands for them.
    """

    file: str
    path: Path
    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    repeated: int = 0
    _seen: set[int] = field(default_factory=set)

    def count(self, node: yaml.Node) -> None:
        """Count the values that stand for one written elsewhere."""
        self.repeated += id(node) in self._seen
        self._seen.add(id(node))

    def origin(self, place: Place) -> str:
        """Return file and line of the value at `place`."""
        return f"{self.file}:{self.lines.get(place, 1)}"


def shown(path: Path) -> str:
    """Return the path as messages show it: from the project for its own files, else as it was given."""
    absolute = path.resolve()
    home = house.root()
    return str(absolute.relative_to(home)) if absolute.is_relative_to(home) else str(path)


def load(path: Path) -> Source:
    """Read a YAML file with the line of every value; keys that stand twice are among its faults.

    Raises RecipeFault where the file cannot be read, is no YAML, or asks for more than plain values.
    """
    source = Source(shown(path), path)
    try:
        # Some editors put a byte-order mark first.
        _fill(source, path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise RecipeFault(f"{source.file}: cannot be read: {fault.strerror}") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise RecipeFault(f"{source.file}: is no YAML: {fault}") from fault
    return source


def _fill(source: Source, text: str) -> None:
    try:
        node = yaml.compose(text, Loader=_Loader)
        source.value = _value(node, (), source) if node else None
    except RecursionError as fault:
        raise RecipeFault(
            f"{source.file}: is nested too deeply to be read; an anchor (&) must not hold its own alias (*)"
        ) from fault


def value_of(text: str) -> Any:
    """Return the value that a YAML text stands for, as recipes read it; yaml.YAMLError, or RecipeFault as of a file."""
    source = Source(text, Path())
    _fill(source, text)
    return source.value


FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(FASTEST):
    """YAML as an astronomer writes it: 1e-3 is a number and 2026-01-01 is text."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_POWERS = ("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789"))
"""Numbers such as 1e-3 and 1e1, which PyYAML takes for texts."""

_Loader.add_implicit_resolver(*_POWERS)


class _Dumper(yaml.SafeDumper):
    """YAML that everybody reads the same, a text that some take for a number or date in quotes; lists are indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Indent lists too, as people write them."""
        return super().increase_indent(flow, False)


_Dumper.add_implicit_resolver(*_POWERS)


def written(content: Mapping[str, Any]) -> str:
    """Return plain values as YAML, one to a line, that `load` and plain PyYAML read the same."""
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, width=1000)


def as_ours(content: Any, files: Iterable[Path]) -> Any:
    """Return what somebody else read from YAML files, one above the other, as `load` reads them: 1e-3, 2026-01-01.

    What is not as the files say it (--config of Snakemake) stays. Raises RecipeFault as `load`, and for their faults.
    """
    theirs: dict[Any, Any] = {}
    ours: dict[Any, Any] = {}
    for path in files:
        found = load(path)
        refuse(found.faults)
        _lay_over(ours, found.value)
        _lay_over(theirs, plainly(path))
    return _exchanged(content, theirs, ours)


def plainly(path: Path) -> Any:
    """Return the content of a YAML file as Snakemake reads it; RecipeFault where it cannot: a 30th of February."""
    try:
        return yaml.load(path.read_bytes(), Loader=getattr(yaml, "CFullLoader", yaml.FullLoader))
    except (ValueError, yaml.YAMLError) as fault:
        words = f"{shown(path)}: Snakemake cannot read it: {fault}; put texts that look like numbers or dates in quotes"
        raise RecipeFault(words) from fault


def _lay_over(below: dict[Any, Any], above: Any) -> None:
    """Add to a mapping what stands above it, key by key, as Snakemake does with one file after another."""
    for key, value in above.items() if isinstance(above, Mapping) else ():
        if isinstance(value, Mapping):
            deeper = below[key] = dict(below[key]) if isinstance(below.get(key), Mapping) else {}
            _lay_over(deeper, value)
        else:
            below[key] = value


def _exchanged(content: Any, theirs: Any, ours: Any) -> Any:
    if content == theirs:
        return ours
    if not all(isinstance(one, Mapping) for one in (content, theirs, ours)):
        return content
    return {
        str(key): _exchanged(value, theirs[key], ours[str(key)]) if key in theirs and str(key) in ours else value
        for key, value in content.items()
    }


_MOST = 20_000
"""Values that aliases repeat, each time counted; those that are written out may be many more, as in a plan file."""

_PLAIN = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "merge"))


def _value(node: yaml.Node, place: Place, source: Source) -> Any:
    source.lines[place] = node.start_mark.line + 1
    _refuse_wild(node, place, source)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, source)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*place, number), source) for number, item in enumerate(node.value)]
    return yaml.constructor.SafeConstructor().construct_object(node)


def _refuse_wild(node: yaml.Node, place: Place, source: Source) -> None:
    """Refuse what no recipe needs: objects of programs (`!!python/...`), and aliases that multiply without end."""
    if node.tag not in _PLAIN:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        way = "no objects of programs are made here" if tag.startswith("!!") else f"a text is put in quotes: '{tag}'"
        words = f"line {node.start_mark.line + 1}: {tag} is no plain value; {way}"
        raise RecipeFault(str(Fault(source.file, place, words)))
    source.count(node)
    if source.repeated > _MOST:
        raise RecipeFault(
            f"{source.file}: its aliases (*) stand for more than {_MOST} values; write out the few that are meant"
        )


def _mapping(node: yaml.MappingNode, place: Place, source: Source) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            words = f"line {key_node.start_mark.line + 1}: a key must be one word, not a list or mapping"
            raise RecipeFault(str(Fault(source.file, place, words)))
        key = str(key_node.value)
        if key in found:
            lines = f"lines {source.lines[(*place, key)]} and {key_node.start_mark.line + 1}"
            source.faults.append(Fault(source.file, place, f"'{key}' stands twice, on {lines}"))
        found[key] = _value(value_node, (*place, key), source)
        source.lines[(*place, key)] = key_node.start_mark.line + 1
    return found
