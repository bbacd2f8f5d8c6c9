"""A recipe and those that it extends -> one draft; the rules stand in the docstring of the package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jwrules import house
from jwrules.conditions import Conditions
from jwrules.recipes.cards import Cards, nearest, normal
from jwrules.recipes.check import check
from jwrules.recipes.source import Fault, Place, Source, load, shown


@dataclass(frozen=True)
class Value:
    """The value of a parameter and where it comes from."""

    value: Any
    origin: str


@dataclass(frozen=True)
class Layer:
    """Values that one file gives for one step, for the exposures of `when` or for all."""

    values: Mapping[str, Value]
    origin: str
    when: Conditions | None = None


@dataclass(frozen=True)
class Entry:
    """A step in the chain of a stage; of its layers the later ones override."""

    step: str
    file: str
    place: Place
    origin: str
    layers: tuple[Layer, ...]
    when: Conditions | None = None
    after: str = ""
    before: str = ""

    def fault(self, words: str) -> Fault:
        """Return a fault at the place of this entry."""
        return Fault(self.file, self.place, words)

    def skipped(self) -> bool:
        """Return whether the recipe skips the step for all exposures."""
        given = [layer.values["skip"].value for layer in self.layers if layer.when is None and "skip" in layer.values]
        return bool(given and given[-1])


@dataclass
class Draft:
    """What a recipe says together with those that it extends, and all their faults."""

    source: Source
    words: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    associations: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, list[Entry]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def draft(path: Path, cards: Cards, extended_by: tuple[Path, ...] = ()) -> Draft:
    """Return what the recipe at `path` says; faults are collected, only an unreadable file raises RecipeFault."""
    source, faults = _checked(path, cards)
    made = Draft(source, faults=list(faults), files=[path])
    data = _mapping(source.value)
    for place, name in _extended(data):
        _extend(made, place, name, cards, (*extended_by, path.resolve()))
    made.words = {key: data[key] for key in ("template", "description") if isinstance(data.get(key), str)}
    made.conditions |= _mapping(data.get("for"))
    made.associations = _overlaid(made.associations, _mapping(data.get("associations")))
    for stage, chain in _mapping(data.get("stages")).items():
        _change(made, stage, chain, cards)
    return made


def _checked(path: Path, cards: Cards) -> tuple[Source, list[Fault]]:
    """Return a file and its faults; one that several recipes extend is read and checked once."""
    source = load(path)
    if path not in cards.checked or cards.checked[path][0] != source.value:
        cards.checked[path] = source.value, check(source, cards)
    return source, cards.checked[path][1]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _overlaid(base[key], over[key]) for key in over if _both_mappings(base.get(key), over[key])}
    return {**base, **over, **both}


def _both_mappings(one: Any, other: Any) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


def _extended(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    names = data.get("extends", [])
    if isinstance(names, str):
        yield ("extends",), names
    elif isinstance(names, list):
        yield from ((("extends", number), name) for number, name in enumerate(names) if isinstance(name, str))


def _folders(path: Path) -> tuple[Path, Path]:
    """Where what a recipe extends is looked for."""
    return path.parent, house.root() / "recipes"


def _found(path: Path, name: str) -> Path | None:
    return next((folder / name for folder in _folders(path) if (folder / name).is_file()), None)


def claims(path: Path, known: dict[Path, Conditions]) -> Conditions:
    """Return for which exposures the recipe at `path` is, by its text and those that it extends: nothing is checked.

    `known` are those of files that were read before; RecipeFault where one cannot be read.
    """
    if path not in known:
        known[path] = {}  # one that extends itself adds nothing
        data = _mapping(load(path).value)
        bases = [base for _, name in _extended(data) if (base := _found(path, name))]
        merged = {keyword: wanted for base in bases for keyword, wanted in claims(base, known).items()}
        known[path] = merged | _mapping(data.get("for"))
    return known[path]


def _extend(made: Draft, place: Place, name: str, cards: Cards, extended_by: tuple[Path, ...]) -> None:
    folders, path = _folders(made.source.path), _found(made.source.path, name)
    made.files += [folder / name for folder in folders]
    if path is None:
        known = [str(one.relative_to(folder)) for folder in folders for one in folder.rglob("*.yaml")]
        made.faults.append(Fault(made.source.file, place, f"there is no recipe '{name}'{nearest(name, known)}"))
    elif path.resolve() in extended_by:
        chain = " extends ".join(shown(one) for one in (*extended_by, path))
        made.faults.append(Fault(made.source.file, place, f"a recipe cannot extend itself: {chain}"))
    else:
        _take_over(made, draft(path, cards, extended_by), cards)


def _take_over(made: Draft, base: Draft, cards: Cards) -> None:
    made.faults += base.faults
    made.files += base.files
    made.conditions |= base.conditions
    made.associations = _overlaid(made.associations, base.associations)
    for stage, entries in base.stages.items():
        chain = made.stages.get(stage)
        made.stages[stage] = _changed(made, chain, entries) if chain else entries


def _change(made: Draft, stage: str, chain: Any, cards: Cards) -> None:
    place: Place = ("stages", stage)
    if replaced := isinstance(chain, dict):
        chain, place = chain.get("replace"), (*place, "replace")
    entries = list(_entries(made.source, place, chain, cards))
    inherited = [] if replaced else made.stages.get(stage, [])
    made.stages[stage] = _changed(made, inherited, entries) if inherited else _placed(made, entries)


def _placed(made: Draft, entries: list[Entry]) -> list[Entry]:
    made.faults += [
        entry.fault("'after' and 'before' are for a step that is added to an extended recipe")
        for entry in entries
        if entry.after or entry.before
    ]
    return entries


def _changed(made: Draft, inherited: list[Entry], entries: list[Entry]) -> list[Entry]:
    """The inherited chain with the values of `entries`, those that are new or moved where they say."""
    chain, free = list(inherited), list(inherited)
    for entry in entries:
        now = entry
        if found := _same(free, entry):
            free.remove(found)
            now = replace(found, layers=found.layers + entry.layers, when=entry.when or found.when)
            chain = [now if one is found else one for one in chain]
        if entry.after or entry.before:
            chain = _moved(made, chain, now, entry)
        elif not found:
            made.faults.append(entry.fault(_homeless(entry, chain)))
    return chain


def _same(inherited: list[Entry], entry: Entry) -> Entry | None:
    """The inherited entry that this one changes: of several with the name of its step, that with the same `when`."""
    named = [one for one in inherited if one.step == entry.step]
    if len(named) > 1:
        named = [one for one in named if one.when == entry.when]
    return named[0] if len(named) == 1 else None


def _homeless(entry: Entry, chain: list[Entry]) -> str:
    if any(one.step == entry.step for one in chain):
        return (
            f"the extended recipe has several '{entry.step}', or this file names it twice: 'when' must be that of one"
        )
    return f"'{entry.step}' is not in the chain that is extended: say after or before which step it comes"


def _moved(made: Draft, chain: list[Entry], now: Entry, entry: Entry) -> list[Entry]:
    """The chain with the step `now` where `entry` wants it."""
    anchor = entry.after or entry.before
    rest = [one for one in chain if one is not now]
    position = next((number for number, one in enumerate(rest) if one.step == anchor), None)
    if position is None:
        made.faults.append(entry.fault(f"'{anchor}' is not in the chain{nearest(anchor, [one.step for one in rest])}"))
        return chain
    position += bool(entry.after)
    moved = replace(now, file=entry.file, place=entry.place, after="", before="")
    return [*rest[:position], moved, *rest[position:]]


def _entries(source: Source, place: Place, chain: Any, cards: Cards) -> Iterator[Entry]:
    """The well-formed entries of a chain; of the others the schema has told."""
    for number, item in enumerate(chain if isinstance(chain, list) else []):
        data = item if isinstance(item, dict) else {item: None}
        if len(data) == 1 and all(isinstance(step, str) for step in data):
            (step, given), where = next(iter(data.items())), (*place, number)
            yield _entry(
                source, where, (*where, step) if isinstance(item, dict) else where, _mapping(given), step, cards
            )


def _entry(source: Source, where: Place, inside: Place, given: dict[str, Any], step: str, cards: Cards) -> Entry:
    cases = given.get("cases") if isinstance(given.get("cases"), list) else []
    layers = [_layer(source, inside, given, step, cards)]
    layers += [_layer(source, (*inside, "cases", n), _mapping(one), step, cards) for n, one in enumerate(cases or [])]
    return Entry(
        step,
        source.file,
        where,
        source.origin(where),
        (replace(layers[0], when=None), *layers[1:]),
        when=_mapping(given.get("when")) or None,
        after=str(given.get("after", "")),
        before=str(given.get("before", "")),
    )


def _from_here(source: Source, value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value, the full path where it names a file as seen from the folder of the recipe."""
    if schema.get("format") != "path" or not isinstance(value, str) or not value:
        return value
    path = source.path.parent.absolute() / value
    return str(path) if path.is_file() else value


def _layer(source: Source, place: Place, given: dict[str, Any], step: str, cards: Cards) -> Layer:
    known = cards.parameters(step) if step in cards.steps else {}
    values = {
        name: Value(_from_here(source, normal(value, known[name]), known[name]), source.origin((*place, name)))
        for name, value in given.items()
        if name in known
    }
    return Layer(values, source.origin(place), _mapping(given.get("when")) or None)
