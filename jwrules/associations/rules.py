"""A recipe's `associations:` -> frozen rules (schemas/associations.schema.json says what may stand there)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

from jwrules import names, pool
from jwrules.errors import RecipeFault

DISCOVERED = "discovered"
"""The kind of candidate that is the whole pool."""

DERIVED = ("target", "observation", "optics")
"""What rules may name besides header keywords."""

_STAGE_2_CANDIDATES = ("observation", "background")


class Recipe(Protocol):
    """What associations need of a recipe."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def conditions(self) -> Mapping[str, Any]:
        """The conditions on headers that it is for."""

    @property
    def associations(self) -> Mapping[str, Any]:
        """Its rules by name."""

    def applies(self, header: Mapping[str, Any]) -> bool:
        """Return whether it is for the exposure with this header."""


@dataclass(frozen=True)
class Role:
    """A role: the suffix of its files, which exposures play it, what they have in common with the science."""

    name: str
    file: str
    played_by: tuple[str, ...]
    same: tuple[str, ...]
    when: Mapping[str, Any] = field(default_factory=dict)
    required: bool = False


@dataclass(frozen=True)
class Rule:
    """How exposures become the members of products; `one_for_each` is empty where each exposure has its own."""

    name: str
    type: str
    recipe: Recipe
    one_for_each: tuple[str, ...]
    science: Role
    others: tuple[Role, ...]
    candidates: tuple[str, ...]
    when: Mapping[str, Any]

    @property
    def stage(self) -> str:
        """The stage that uses what the rule makes: '2' or '3'."""
        return self.type[-1]

    def works_in(self, kind: str) -> bool:
        """Return whether the rule works within candidates of this kind."""
        return not self.candidates or kind in self.candidates


def rules_of(recipe: Recipe) -> Iterator[Rule]:
    """Yield the rules of a recipe; raises RecipeFault for a type or a member that cannot be."""
    for name, entry in recipe.associations.items():
        where = f"recipe {recipe.name} $.associations.{name}"
        kind = entry.get("type", name)
        if kind not in names.ASSOCIATION_TYPES:
            raise RecipeFault(f"{where}: '{kind}' is no type of association{_near(kind)}; say which with 'type'")
        yield _rule(recipe, name, kind, entry, where)


def _rule(recipe: Recipe, name: str, kind: str, entry: Mapping[str, Any], where: str) -> Rule:
    try:
        each = () if entry["one_for_each"] == "exposure" else tuple(entry["one_for_each"])
        roles = [_role(role, member, each) for role, member in entry["members"].items()]
        science = next(role for role in roles if role.name == "science")
    except (KeyError, StopIteration) as fault:
        missing = "members.science" if isinstance(fault, StopIteration) else fault.args[0]
        raise RecipeFault(f"{where}: '{missing}' is missing") from fault
    for column in {*each, *(column for role in roles for column in role.same)}:
        _check_column(column, where)
    return Rule(
        name=f"{recipe.name}.{name}",
        type=kind,
        recipe=recipe,
        one_for_each=each,
        science=science,
        others=tuple(role for role in roles if role is not science),
        candidates=tuple(entry.get("candidates", _STAGE_2_CANDIDATES if kind.endswith("2") else ())),
        when=entry.get("when", {}),
    )


def _role(name: str, member: str | Mapping[str, Any], each: tuple[str, ...]) -> Role:
    entry: Mapping[str, Any] = {"file": member} if isinstance(member, str) else member
    return Role(
        name=name,
        file=entry["file"],
        played_by=tuple(entry.get("played_by", (name,))),
        same=tuple(entry.get("same", each)),
        when=entry.get("when", {}),
        required=entry.get("required", name == "science"),
    )


def _check_column(name: str, where: str) -> None:
    if name not in DERIVED and pool.COLUMN_OF.get(name, name.lower()) not in pool.COLUMNS:
        known = [pool.KEYWORD_OF.get(column, column.upper()) for column in pool.COLUMNS]
        raise RecipeFault(f"{where}: pools have no column for '{name}'{_near(name, (*known, *DERIVED))}")


def _near(word: str, words: Sequence[str] = names.ASSOCIATION_TYPES) -> str:
    near = get_close_matches(word, words, 1)
    return f"; did you mean '{near[0]}'?" if near else ""
