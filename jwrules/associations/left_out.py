"""What became of each exposure that is in no association, and what groups lacked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from jwrules import names
from jwrules.associations.association import Association
from jwrules.associations.exposures import Candidate, Exposure
from jwrules.associations.rules import ANY, Rule


@dataclass(frozen=True)
class LeftOut:
    """An exposure that is in no association, its line in the pool file, and why."""

    exposure: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        return f"{self.exposure} (line {self.line})" if self.line else self.exposure


@dataclass(frozen=True)
class Lack:
    """A group of exposures that makes no product, for nobody plays a role that it needs."""

    type: str
    candidate: str
    product: str
    role: str
    science: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.product}: {self.type} of {self.candidate} needs a member with the role {self.role}"


def lacking(lacks: Sequence[Lack], made: Sequence[Association]) -> list[Lack]:
    """Leave out what is lacking in one candidate where another has it."""
    stands = {(one.type, names.stem(member.expname)) for one in made for member in one.members}
    amiss = [lack for lack in lacks if not any((lack.type, name) in stands for name in lack.science)]
    first = {(lack.type, lack.science): lack for lack in reversed(amiss)}
    return [lack for lack in amiss if first[lack.type, lack.science] is lack]


def by_reason(left_out: Iterable[LeftOut]) -> dict[str, list[LeftOut]]:
    """Return the exposures that are left out by the reason."""
    found: dict[str, list[LeftOut]] = {}
    for one in left_out:
        found.setdefault(one.reason, []).append(one)
    return found


def excluded(found: Iterable[Exposure], reasons: Mapping[str, str]) -> list[LeftOut]:
    """Return the exposures that a person leaves out."""
    return [_left_out(one, f"excluded: {reasons[one.name]}") for one in found if one.name in reasons]


def orphans(
    found: Sequence[Exposure], members: set[str], rules: Mapping[str, Sequence[Rule]], whole: Candidate
) -> Iterator[LeftOut]:
    """Yield the exposures that are in no association; `members` are the names of those that are in one."""
    for one in found:
        if one.name not in members:
            yield _left_out(one, _why(one, rules, whole))


def _left_out(exposure: Exposure, reason: str) -> LeftOut:
    return LeftOut(exposure.name, exposure.row.line, reason)


def _why(exposure: Exposure, rules: Mapping[str, Sequence[Rule]], whole: Candidate) -> str:
    if exposure.recipe is None:
        return f"no recipe is for it (EXP_TYPE {exposure.column('exp_type').upper() or 'missing'})"
    own = rules[exposure.recipe.name]
    if not own:
        return f"exposures of the recipe {exposure.recipe.name} make no products of later stages"
    if not exposure.candidates and not any(rule.stage == "3" for rule in own):
        return "it belongs to no association candidate"
    reasons = [_why_not(rule, exposure, whole) for rule in own]
    nearest = min(rank for rank, _ in reasons)
    return "; ".join(dict.fromkeys(words for rank, words in reasons if rank == nearest))


def _why_not(rule: Rule, exposure: Exposure, whole: Candidate) -> tuple[int, str]:
    """Return why a rule makes nothing of an exposure, and how far it is from doing so."""
    unknown = [column for column in rule.needs if not exposure.value(column, whole)]
    amiss = rule.condition.why_not(exposure) or rule.science.condition.why_not(exposure)
    if exposure.role not in rule.science.played_by and ANY not in rule.science.played_by:
        return 3, f"{rule.type} takes no exposure of the kind {exposure.role} by itself"
    if amiss:
        return 2, f"{rule.name}: {amiss}"
    if unknown:
        return 1, f"{rule.name} needs {', '.join(unknown)}, which the pool does not say"
    if not exposure.candidates and rule.stage == "2":
        return 1, "it belongs to no association candidate"
    roles = [role.name for role in rule.others if role.required]
    return 0, f"{rule.name} lacks {' and '.join(roles) or 'members'}"
