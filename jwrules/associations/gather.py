"""Pool x rules -> associations: who belongs together, and which of several equal groups stands."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from jwrules import names
from jwrules.associations.association import Association, Member
from jwrules.associations.exposures import NO_TARGET, Candidate, Exposure, by_candidate, exposures
from jwrules.associations.rules import DISCOVERED, Recipe, Role, Rule, rules_of
from jwrules.pool import Pool
from jwrules.recipes import hold

log = logging.getLogger("jwrules")

_WHOLE_POOL = Candidate("a3001", DISCOVERED)
_COMBINING = ("group", "background", "mosaic")
"""Candidates that exist to combine observations: with members of one alone they make no product."""


def make(pool: Pool, recipes: Sequence[Recipe]) -> list[Association]:
    """Return the associations of a pool: each exposure goes by the rules of the recipe that is for it.

    Groups with the same members are one: that of the lower candidate stands (o001 before c1001 before a3001), and in
    one candidate that of the later rule. Of products with the same name that with most members stands, which is the one
    with backgrounds.
    """
    rules = [rule for recipe in recipes for rule in rules_of(recipe)]
    found = exposures(pool.rows, recipes)
    groups = {**by_candidate(found), _WHOLE_POOL: found}
    _say_left_out(found, rules)
    made = [one for candidate, members in groups.items() for one in _within(candidate, members, rules)]
    numbered = _numbered([replace(one, pool=pool.name) for one in made])
    kept = [one for stage in "23" for one in _pruned([one for one in numbered if one.type.endswith(stage)])]
    return sorted(kept, key=_order)


def _say_left_out(found: Sequence[Exposure], rules: Iterable[Rule]) -> None:
    """Warn of exposures that a rule cannot group, for a keyword is not known of them."""
    for rule in rules:
        for column in rule.one_for_each if rule.works_in(DISCOVERED) else ():
            own = [one for one in found if _is_science(rule, one) and not one.value(column, _WHOLE_POOL)]
            if own:
                more = f" and {len(own) - 1} more" if len(own) > 1 else ""
                log.warning("%s: %s%s left out: no %s", rule.name, own[0].name, more, column)


def _within(candidate: Candidate, found: Sequence[Exposure], rules: Iterable[Rule]) -> Iterator[Association]:
    for rule in rules:
        if rule.works_in(candidate.kind):
            casts = [(role, _cast(role, candidate, found)) for role in rule.others]
            for science in _groups(rule, candidate, found):
                others = [(role, _others(role, cast, candidate, science)) for role, cast in casts]
                yield from _association(rule, candidate, [(rule.science, science), *others])


def _groups(rule: Rule, candidate: Candidate, found: Sequence[Exposure]) -> list[list[Exposure]]:
    """Return the science exposures of each product."""
    groups: dict[tuple[str, ...], list[Exposure]] = {}
    for exposure in found:
        if _is_science(rule, exposure):
            key = [exposure.value(column, candidate) for column in rule.one_for_each]
            own = (exposure.program, *(key or [exposure.name]))
            if all(own):
                groups.setdefault(own, []).append(exposure)
    return list(groups.values())


def _is_science(rule: Rule, exposure: Exposure) -> bool:
    return exposure.recipe is rule.recipe and _plays(rule.science, exposure) and hold(rule.when, exposure.header)


def _plays(role: Role, exposure: Exposure) -> bool:
    return exposure.role in role.played_by and hold(role.when, exposure.header)


Cast = dict[tuple[str, ...], list[Exposure]]
"""Who might play a role, by what must be common with the science exposures."""


def _cast(role: Role, candidate: Candidate, found: Sequence[Exposure]) -> Cast:
    cast: Cast = {}
    for exposure in found:
        if _plays(role, exposure):
            cast.setdefault(_common(role, exposure, candidate), []).append(exposure)
    return cast


def _others(role: Role, cast: Cast, candidate: Candidate, science: Sequence[Exposure]) -> list[Exposure]:
    """Return the exposures that play a role for a group of science exposures."""
    wanted = {_common(role, one, candidate) for one in science}
    return [one for key in sorted(wanted) for one in cast.get(key, ()) if one not in science]


def _common(role: Role, exposure: Exposure, candidate: Candidate) -> tuple[str, ...]:
    return (exposure.program, *(exposure.value(column, candidate) for column in role.same))


def _association(
    rule: Rule, candidate: Candidate, parts: Sequence[tuple[Role, Sequence[Exposure]]]
) -> Iterator[Association]:
    """Yield the association of the exposures that play each role, if all that it needs is there."""
    lacking = [role for role, members in parts if role.required and not members]
    observations = {(one.program, one.observation) for _, members in parts for one in members}
    if lacking or (candidate.kind in _COMBINING and len(observations) == 1):
        return
    first = parts[0][1][0]
    target = first.value("target", candidate) if "target" in rule.one_for_each else NO_TARGET
    yield Association(
        type=rule.type,
        program=first.program,
        candidate=candidate.id,
        product=_product(rule, candidate, first, target),
        members=tuple(_member(role, one) for role, members in parts for one in members),
        rule=rule.name,
        target=f"t{target.zfill(3)}" if rule.one_for_each else first.column("targetid"),
        constraints=_said(rule, candidate, first),
    )


def _member(role: Role, exposure: Exposure) -> Member:
    return Member(
        expname=names.with_suffix(exposure.row["filename"], role.file),
        exptype=role.name,
        exposerr=exposure.column("exposerr") or None,
        asn_candidate=exposure.row["asn_candidate"],
    )


def _product(rule: Rule, candidate: Candidate, exposure: Exposure, target: str) -> str:
    """Return the name of a product: of its exposure, or of target, instrument, optical elements and subarray."""
    if not rule.one_for_each:
        return exposure.name
    subarray = exposure.value("SUBARRAY", candidate) if "SUBARRAY" in rule.one_for_each else ""
    elements = exposure.value("optics", candidate) if "optics" in rule.one_for_each else ""
    fields = (f"jw{exposure.program}-{candidate.id}", f"t{target.zfill(3)}", exposure.column("instrume"), elements)
    return "_".join(filter(None, fields)) + (f"-{subarray}" if subarray not in ("", "full") else "")


def _said(rule: Rule, candidate: Candidate, exposure: Exposure) -> str:
    """Return in words what the members have in common."""
    columns = {column: exposure.value(column, candidate) for column in rule.one_for_each} or {"exposure": exposure.name}
    group = f"{candidate.kind} {candidate.id}"
    return "; ".join([group, f"program {exposure.program}", *(f"{name} {value}" for name, value in columns.items())])


def _pruned(made: Sequence[Association]) -> list[Association]:
    """Leave out, of one stage, groups that stand already and products that are part of a product of the same name."""
    first: dict[tuple[str, frozenset[tuple[str, ...]]], Association] = {}
    latest_rule_first = made[::-1]
    for one in sorted(latest_rule_first, key=lambda one: one.candidate, reverse=True):
        first.setdefault((one.type, _files(one)), one)
    fullest: dict[tuple[str, str], Association] = {}
    for one in sorted(first.values(), key=lambda one: len(one.members), reverse=True):
        fullest.setdefault((one.type, one.product), one)
    return list(fullest.values())


def _files(association: Association) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(member) for member in association.members)


def _numbered(made: Sequence[Association]) -> list[Association]:
    """Number the associations of each type and candidate in the order of their first exposure.

    This comes before any is left out, so that an exposure that comes later, as new ones do, changes the number of none
    that stands: its file keeps its name, and nothing need be made again.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    numbers: dict[int, int] = {}
    for place in sorted(range(len(made)), key=lambda place: _order(made[place])):
        one = made[place]
        counts[one.program, one.candidate, one.type] += 1
        numbers[place] = counts[one.program, one.candidate, one.type]
    return [replace(one, sequence=numbers[place]) for place, one in enumerate(made)]


def _order(association: Association) -> tuple[str, str, str]:
    return association.type, association.members[0].expname, association.product
