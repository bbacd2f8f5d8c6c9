"""Pool x rules -> associations: who belongs together."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from jwrules import names
from jwrules.associations import product
from jwrules.associations.association import Association, Member
from jwrules.associations.cast import Company
from jwrules.associations.exclude import exclusions
from jwrules.associations.exposures import Candidate, Exposure
from jwrules.associations.left_out import Lack, LeftOut, excluded, lacking, orphans
from jwrules.associations.prune import numbered, order, pruned, say_twins
from jwrules.associations.roll import by_candidate, exposures
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
    every = exposures(pool.rows, recipes)
    out = exclusions(exclude or {}, recipes).among(one.name for one in every)
    found = [one for one in every if one.name not in out]
    maker = _Maker.of(found, recipes)
    _say_left_out(maker.sciences)
    groups = {**by_candidate(found), WHOLE_POOL: found}
    made = [one for candidate, members in groups.items() for one in maker.within(Company(candidate, members))]
    named = numbered([replace(one, pool=pool.name) for one in made])
    kept = [one for stage in "23" for one in pruned([one for one in named if one.type.endswith(stage)])]
    say_twins(kept)
    left_out = [*excluded(every, out), *orphans(found, maker.members, maker.rules, WHOLE_POOL)]
    return Gathered(sorted(kept, key=order), every, left_out, lacking(maker.lacks, kept))


def _say_left_out(sciences: Mapping[Exposure, Sequence[Rule]]) -> None:
    """Warn of exposures that a rule of stage 3 cannot group, for a keyword is not known of them."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for one, rules in sciences.items():
        for rule in (rule for rule in rules if rule.works_in(DISCOVERED)):
            for column in rule.needs:
                if not one.value(column, WHOLE_POOL):
                    lacking.setdefault((rule.name, column), []).append(one.name)
    for (rule_name, column), names_of in lacking.items():
        more = f" and {len(names_of) - 1} more" if len(names_of) > 1 else ""
        log.warning("%s: %s%s left out: no %s", rule_name, names_of[0], more, column)


def is_science(rule: Rule, exposure: Exposure) -> bool:
    """Return whether an exposure makes a product by this rule."""
    role = rule.science
    played = exposure.role in role.played_by or ANY in role.played_by
    return (
        exposure.recipe is rule.recipe and played and role.condition.holds(exposure) and rule.condition.holds(exposure)
    )


@dataclass(frozen=True)
class _Maker:
    """The rules by the name of their recipe, those by which each exposure makes a product, and what came of it."""

    rules: Mapping[str, Sequence[Rule]]
    sciences: Mapping[Exposure, Sequence[Rule]]
    members: set[str] = field(default_factory=set)
    lacks: list[Lack] = field(default_factory=list)

    @classmethod
    def of(cls, found: Sequence[Exposure], recipes: Sequence[Recipe]) -> _Maker:
        """Return the maker for these exposures."""
        rules = {recipe.name: list(rules_of(recipe)) for recipe in recipes}
        own = {one: rules[one.recipe.name] if one.recipe else () for one in found}
        return cls(rules, {one: [rule for rule in own[one] if is_science(rule, one)] for one in found})

    def within(self, company: Company) -> Iterator[Association]:
        """Yield the associations of a candidate, in the order of the rules."""
        found: dict[Rule, list[Exposure]] = {}
        for one in company.exposures:
            for rule in self.sciences[one]:
                found.setdefault(rule, []).append(one)
        for rule in (rule for rules in self.rules.values() for rule in rules if rule in found):
            if rule.works_in(company.candidate.kind):
                for science in _groups(rule, company.candidate, found[rule]):
                    yield from self._association(rule, company, science)

    def _association(self, rule: Rule, company: Company, science: Sequence[Exposure]) -> Iterator[Association]:
        """Yield the association of the exposures that play each role, if all that it needs is there."""
        filled: Filled = [(rule.science, science)]
        for role in rule.others:
            members = [one for _, players in filled for one in players]
            players = company.players(role, science, members)
            if role.of_product:
                players = [one for one in players if self._mosaics(one)]
            if role.required and not players:
                self.lacks.append(_lack(rule, company.candidate, role, science))
                return
            filled.append((role, players))
        if sum(len(players) for _, players in filled) < rule.at_least or not _has_purpose(
            rule, company.candidate, filled
        ):
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
            constraints=product.said(rule, candidate, first),
        )

    def _members(self, filled: Filled, candidate: Candidate) -> Iterator[Member]:
        return (self._member(role, one, candidate) for role, players in filled for one in players)

    def _member(self, role: Role, exposure: Exposure, candidate: Candidate) -> Member:
        if role.of_product:
            mosaic = product.name(self._mosaics(exposure)[0], candidate, [exposure])
            return Member(names.with_suffix(f"{mosaic}.fits", role.file), role.name)
        return Member(
            expname=exposure.file(role.file),
            exptype=role.name,
            exposerr=exposure.column("exposerr") or None,
            asn_candidate=exposure.row["asn_candidate"],
        )

    def _mosaics(self, exposure: Exposure) -> list[Rule]:
        """Return the rules by which an exposure is part of a product of stage 3."""
        return [rule for rule in self.sciences[exposure] if rule.stage == "3"]


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
    """Return the science exposures of each product, of those that the rule is for."""
    groups: dict[tuple[str, ...], list[Exposure]] = {}
    for exposure in found:
        if all(exposure.value(column, candidate) for column in rule.needs):
            key = [exposure.value(column, candidate) for column in rule.one_for_each] or [exposure.name]
            groups.setdefault((*exposure.home, *key), []).append(exposure)
    return list(groups.values())


def _has_purpose(rule: Rule, candidate: Candidate, filled: Filled) -> bool:
    """Return whether a candidate that combines does: backgrounds with science in stage 2, observations in stage 3."""
    if candidate.kind == "background" and rule.stage == "2":
        return any(
            role.name == "background" and one.role == "background" for role, players in filled for one in players
        )
    observations = {(one.program, one.observation) for _, players in filled for one in players}
    return rule.stage == "2" or candidate.kind not in _COMBINING or len(observations) > 1
