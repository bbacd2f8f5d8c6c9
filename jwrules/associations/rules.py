"""A recipe's `associations:` -> frozen rules (schemas/associations.schema.json says what may stand there)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from jwrules import names, pool
from jwrules.associations.facts import Condition
from jwrules.errors import RecipeFault, did_you_mean

DISCOVERED = "discovered"
"""The kind of candidate that is the whole pool."""

DERIVED = ("target", "observation", "optics", "passband", "slit", "nod", "nods")
"""What rules may name besides header keywords."""

EXCLUDE = "exclude"
"""The key beside the rules that names exposures to leave out."""

ANY = "any"
"""Played by exposures of every kind."""

_STAGE_2_CANDIDATES = ("observation", "background")
_NAMED = {"optics": "_{optics}", "slit": "-{FXD_SLIT}", "SUBARRAY": "-{SUBARRAY}"}
"""What stands in the name of a product behind target and instrument, where the rule lists it."""


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


@dataclass(frozen=True, eq=False)
class Role:
    """A role: the suffix of its files, which exposures play it, what they have in common with the science."""

    name: str
    file: str
    of_product: bool
    played_by: frozenset[str]
    same: tuple[str, ...]
    differ: Mapping[str, int]
    known: tuple[str, ...]
    prefer: tuple[str, ...]
    one: str
    with_members: bool
    condition: Condition
    required: bool

    @property
    def cast(self) -> tuple[Any, ...]:
        """What decides who might play it, before the science is known."""
        return (self.played_by, self.same, self.known, self.condition.key)


@dataclass(frozen=True, eq=False)
class Rule:
    """How exposures become the members of products; `one_for_each` is empty where each exposure has its own."""

    name: str
    type: str
    recipe: Recipe
    one_for_each: tuple[str, ...]
    needs: tuple[str, ...]
    product: str
    science: Role
    others: tuple[Role, ...]
    candidates: tuple[str, ...]
    at_least: int
    condition: Condition

    @property
    def stage(self) -> str:
        """The stage that uses what the rule makes: '2' or '3'."""
        return self.type[-1]

    def works_in(self, kind: str) -> bool:
        """Return whether the rule works within candidates of this kind."""
        refused = [one[1:] for one in self.candidates if one.startswith("!")]
        return kind not in refused and (kind in self.candidates or len(refused) == len(self.candidates))


def rules_of(recipe: Recipe) -> Iterator[Rule]:
    """Yield the rules of a recipe; raises RecipeFault for a type or a member that cannot be."""
    for name, entry in recipe.associations.items():
        if name == EXCLUDE:
            continue
        where = f"recipe {recipe.name} $.associations.{name}"
        kind = entry.get("type", name)
        if kind not in names.ASSOCIATION_TYPES:
            hint = did_you_mean(kind, names.ASSOCIATION_TYPES)
            raise RecipeFault(f"{where}: '{kind}' is no type of association{hint}; say which with 'type'")
        yield _rule(recipe, name, kind, entry, where)


def _rule(recipe: Recipe, name: str, kind: str, entry: Mapping[str, Any], where: str) -> Rule:
    try:
        each = () if entry["one_for_each"] == "exposure" else tuple(entry["one_for_each"])
        roles = [_role(role, one, each) for role, given in entry["members"].items() for one in _entries(given)]
        science = next(role for role in roles if role.name == "science")
    except (KeyError, StopIteration) as fault:
        missing = "members.science" if isinstance(fault, StopIteration) else fault.args[0]
        raise RecipeFault(f"{where}: '{missing}' is missing") from fault
    needs = (*(column for column in each if column not in DERIVED or column == "target"), *entry.get("needs", ()))
    for column in {*each, *needs, *(column for role in roles for column in _columns(role))}:
        _check_column(column, where)
    return Rule(
        name=f"{recipe.name}.{name}",
        type=kind,
        recipe=recipe,
        one_for_each=each,
        needs=needs,
        product=entry.get("product") or "{target}_{INSTRUME}" + "".join(_NAMED[one] for one in _NAMED if one in each),
        science=science,
        others=tuple(role for role in roles if role is not science),
        candidates=tuple(entry.get("candidates", _STAGE_2_CANDIDATES if kind.endswith("2") else ())),
        at_least=entry.get("at_least", 1),
        condition=Condition(entry.get("when"), entry.get("unless")),
    )


def _entries(given: Any) -> list[Mapping[str, Any]]:
    """Return what is said of a role: a suffix alone, one entry, or several for several kinds of players."""
    listed = given if isinstance(given, list) else [given]
    return [{"file": one} if isinstance(one, str) else one for one in listed]


def _role(name: str, entry: Mapping[str, Any], each: tuple[str, ...]) -> Role:
    differ = entry.get("differ", {})
    return Role(
        name=name,
        file=entry["product"] if "product" in entry else entry["file"],
        of_product="product" in entry,
        played_by=frozenset(entry.get("played_by", (name,))),
        same=tuple(entry.get("same", each)),
        differ=differ if isinstance(differ, Mapping) else dict.fromkeys(differ, 1),
        known=tuple(entry.get("known", ())),
        prefer=tuple(entry.get("prefer", ())),
        one=entry.get("one", ""),
        with_members=entry.get("with", "science") == "members",
        condition=Condition(entry.get("when"), entry.get("unless")),
        required=entry.get("required", name == "science"),
    )


def _columns(role: Role) -> tuple[str, ...]:
    return (*role.same, *role.differ, *role.known, *role.prefer, *([role.one] if role.one not in ("", "first") else []))


def _check_column(name: str, where: str) -> None:
    if name not in DERIVED and pool.COLUMN_OF.get(name, name.lower()) not in pool.COLUMNS:
        known = [pool.KEYWORD_OF.get(column, column.upper()) for column in pool.COLUMNS]
        raise RecipeFault(f"{where}: pools have no column for '{name}'{did_you_mean(name, (*known, *DERIVED))}")
