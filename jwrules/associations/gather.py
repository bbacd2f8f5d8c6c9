"""Pool x rules -> associations: who belongs together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jwrules import names
from jwrules.associations import product
from jwrules.associations.association import Association, Member
from jwrules.associations.cast import Company
from jwrules.associations.exclude import Exclusions, exclusions
from jwrules.associations.exposures import Candidate, Exposure, by_candidate, exposures
from jwrules.associations.left_out import Lack, LeftOut, excluded, orphans
from jwrules.associations.prune import numbered, order, pruned
from jwrules.associations.rules import ANY, DISCOVERED, Recipe, Role, Rule, rules_of
from jwrules.pool import Pool

log = logging.getLogger("jwrules")

WHOLE_POOL = Candidate("a3001", DISCOVERED)
_COMBINING = ("group", "background", "mosaic")
"""Candidates that exist to combine observations: with members of one alone they make no product."""

Filled = list[tuple[Role, Sequence[Exposure]]]
"""Each role and who plays it, the science first."""


@dataclass(frozen=True)
class Gathered:
    """The associations of a pool, its exposures, and what is in none or could not be made, with the reasons."""

    associations: list[Association]
    exposures: list[Exposure]
    left_out: list[LeftOut]
    lacks: list[Lack]


def make(pool: Pool, recipes: Sequence[Recipe], exclude: Mapping[str, str] | None = None) -> list[Association]:
    """Return the associations of a pool; see gather."""
    return gather(pool, recipes, exclude).associations


def gather(pool: Pool, recipes: Sequence[Recipe], exclude: Mapping[str, str] | None = None) -> Gathered:
    """Return the associations of a pool: each exposure goes by the rules of the recipe that is for it.

    Those that `exclude` (name -> reason) or the recipes leave out are in none.

    Groups with the same members are one: that of the lower candidate stands (o001 before c1001 before a3001), and in
    one candidate that of the later rule. A product that is part of another with the same name is left out: that with
    the backgrounds stands.
    """
    maker = _Maker({recipe.name: list(rules_of(recipe)) for recipe in recipes})
    every = exposures(pool.rows, recipes)
    out = _excluded(every, exclusions(exclude or {}, recipes))
    found = [one for one in every if one.name not in out]
    _say_left_out(found, [rule for rules in maker.rules.values() for rule in rules])
    groups = {**by_candidate(found), WHOLE_POOL: found}
    made = [one for candidate, members in groups.items() for one in maker.within(Company(candidate, members))]
    named = numbered([replace(one, pool=pool.name) for one in made])
    kept = [one for stage in "23" for one in pruned([one for one in named if one.type.endswith(stage)])]
    left_out = [*excluded(every, out), *orphans(found, maker.members, maker.rules, WHOLE_POOL)]
    return Gathered(sorted(kept, key=order), every, left_out, _lacking(maker.lacks, kept))


def _excluded(every: Sequence[Exposure], asked: Exclusions) -> dict[str, str]:
    """Return the exposures that are left out, and why; warn of names that fit none."""
    if not asked.reasons:
        return {}
    for name in asked.idle(one.name for one in every):
        log.warning("exclude: no exposure is called %s", name)
    return {one.name: reason for one in every if (reason := asked.why(one.name)) is not None}


def _lacking(lacks: Sequence[Lack], made: Sequence[Association]) -> list[Lack]:
    """Leave out what is lacking in one candidate where another has it."""
    stands = {(one.type, names.stem(member.expname)) for one in made for member in one.members}
    return [lack for lack in lacks if not any((lack.type, name) in stands for name in lack.science)]


def _say_left_out(found: Sequence[Exposure], rules: Iterable[Rule]) -> None:
    """Warn of exposures that a rule cannot group, for a keyword is not known of them."""
    own: dict[str, list[Exposure]] = {}
    for one in found:
        if one.recipe is not None:
            own.setdefault(one.recipe.name, []).append(one)
    for rule in rules:
        science = [one for one in own.get(rule.recipe.name, ()) if is_science(rule, one)]
        for column in rule.one_for_each if rule.works_in(DISCOVERED) else ():
            lacking = [one for one in science if column in rule.needs and not one.value(column, WHOLE_POOL)]
            if lacking:
                more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
                log.warning("%s: %s%s left out: no %s", rule.name, lacking[0].name, more, column)


def is_science(rule: Rule, exposure: Exposure) -> bool:
    """Return whether an exposure makes a product by this rule."""
    role = rule.science
    played = exposure.role in role.played_by or ANY in role.played_by
    return exposure.recipe is rule.recipe and played and role.condition.holds(exposure) and rule.condition.holds(exposure)


@dataclass(frozen=True)
class _Maker:
    """The rules by the name of their recipe, and what they make of a candidate."""

    rules: Mapping[str, Sequence[Rule]]
    members: set[str] = field(default_factory=set)
    lacks: list[Lack] = field(default_factory=list)

    def within(self, company: Company) -> Iterator[Association]:
        """Yield the associations of a candidate."""
        by_recipe: dict[str, list[Exposure]] = {}
        for one in company.exposures:
            if one.recipe is not None:
                by_recipe.setdefault(one.recipe.name, []).append(one)
        for name, own in by_recipe.items():
            for rule in self.rules[name]:
                if rule.works_in(company.candidate.kind):
                    for science in _groups(rule, company.candidate, own):
                        yield from self._association(rule, company, science)

    def _association(self, rule: Rule, company: Company, science: Sequence[Exposure]) -> Iterator[Association]:
        """Yield the association of the exposures that play each role, if all that it needs is there."""
        filled: Filled = [(rule.science, science)]
        for role in rule.others:
            members = [one for _, players in filled for one in players]
            players = company.players(role, science, members)
            if role.required and not players:
                self.lacks.append(_lack(rule, company.candidate, role, science))
                return
            filled.append((role, players))
        if sum(len(players) for _, players in filled) < rule.at_least or not _has_purpose(rule, company.candidate, filled):
            return
        first, candidate = science[0], company.candidate
        self.members.update(one.name for _, players in filled for one in players)
        yield Association(
            type=rule.type,
            program=first.program,
            candidate=candidate.id,
            product=product.name(rule, candidate, science),
            members=_each_once(self._members(filled, candidate)),
            rule=rule.name,
            target=product.target(rule, candidate, first) if rule.one_for_each else first.column("targetid"),
            constraints=_said(rule, candidate, first),
        )

    def _members(self, filled: Filled, candidate: Candidate) -> Iterator[Member]:
        return (self._member(role, one, candidate) for role, players in filled for one in players)

    def _member(self, role: Role, exposure: Exposure, candidate: Candidate) -> Member:
        if role.of_product:
            return Member(names.with_suffix(f"{self._product(exposure, candidate)}.fits", role.file), role.name)
        suffix = f"{role.file}ints" if exposure.is_series and not role.file.endswith("ints") else role.file
        return Member(
            expname=names.with_suffix(exposure.row["filename"], suffix),
            exptype=role.name,
            exposerr=exposure.column("exposerr") or None,
            asn_candidate=exposure.row["asn_candidate"],
        )

    def _product(self, exposure: Exposure, candidate: Candidate) -> str:
        """Return the product of stage 3 that an exposure is part of."""
        rules = self.rules[exposure.recipe.name] if exposure.recipe else ()
        rule = next(one for one in rules if one.stage == "3" and is_science(one, exposure))
        return product.name(rule, candidate, [exposure])


def _lack(rule: Rule, candidate: Candidate, role: Role, science: Sequence[Exposure]) -> Lack:
    name = product.name(rule, candidate, science)
    return Lack(rule.type, candidate.id, name, role.name, tuple(one.name for one in science))


def _each_once(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return the members without those whose file stands before them."""
    first: dict[str, Member] = {}
    for one in members:
        first.setdefault(one.expname, one)
    return tuple(first.values())


def _groups(rule: Rule, candidate: Candidate, found: Sequence[Exposure]) -> list[list[Exposure]]:
    """Return the science exposures of each product."""
    groups: dict[tuple[str, ...], list[Exposure]] = {}
    for exposure in found:
        if is_science(rule, exposure) and all(exposure.value(column, candidate) for column in rule.needs):
            key = [exposure.value(column, candidate) for column in rule.one_for_each] or [exposure.name]
            groups.setdefault((*exposure.home, *key), []).append(exposure)
    return list(groups.values())


def _has_purpose(rule: Rule, candidate: Candidate, filled: Filled) -> bool:
    """Return whether a candidate that combines does: backgrounds with science in stage 2, observations in stage 3."""
    if candidate.kind == "background" and rule.stage == "2":
        return any(role.name == "background" and one.role == "background" for role, players in filled for one in players)
    observations = {(one.program, one.observation) for _, players in filled for one in players}
    return rule.stage == "2" or candidate.kind not in _COMBINING or len(observations) > 1


def _said(rule: Rule, candidate: Candidate, exposure: Exposure) -> str:
    """Return in words what the members have in common."""
    columns = {column: exposure.value(column, candidate) for column in rule.one_for_each} or {"exposure": exposure.name}
    group = f"{candidate.kind} {candidate.id}"
    return "; ".join([group, f"program {exposure.program}", *(f"{name} {value}" for name, value in columns.items())])
