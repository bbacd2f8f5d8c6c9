"""The recipe as it is used: which exposures it is for, and the steps of a stage with every value and its origin."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwrules import conditions
from jwrules.conditions import Conditions
from jwrules.errors import RecipeFault
from jwrules.recipes.cards import UNIVERSAL, Cards, cards, nearest, normal
from jwrules.recipes.flow import Link, broken
from jwrules.recipes.merge import Draft, Entry, Value, draft
from jwrules.recipes.settings import Setting
from jwrules.recipes.source import Fault, refuse


@dataclass(frozen=True)
class ResolvedStep:
    """A step as it will be applied. `params` holds every parameter, `skip` and `if_impossible` their origin too.

    `references` {type: required} are the reference files that it will open: none where it is skipped, nor those that
    it has no use for with these parameters; `roles` the other members of the association.
    """

    step: str
    params: Mapping[str, Value]
    skip: bool
    if_impossible: str
    references: Mapping[str, bool]
    roles: Mapping[str, bool]
    defaults: Mapping[str, Any]
    origin: str
    origins: Mapping[str, str]

    @property
    def changed(self) -> dict[str, Any]:
        """The parameters that are not the declared defaults."""
        values = {name: given.value for name, given in sorted(self.params.items())}
        return {name: value for name, value in values.items() if value != self.defaults[name]}


@dataclass(frozen=True)
class Recipe:
    """A recipe with all that it extends; `conditions` say which exposures it is for, `files` what was looked at."""

    name: str
    path: Path
    template: str
    description: str
    conditions: Conditions
    associations: Mapping[str, Any]
    stages: Mapping[str, tuple[Entry, ...]]
    cards: Cards = field(repr=False, compare=False)
    files: tuple[Path, ...] = field(default=(), compare=False)

    def applies(self, header: Mapping[str, Any]) -> bool:
        """Return whether the recipe is for the exposure with this header."""
        return conditions.hold(self.conditions, header)

    def failed(self, header: Mapping[str, Any]) -> list[str]:
        """Return, for each condition that does not hold, what the header says and what was wanted."""
        return conditions.failed(self.conditions, header)

    def resolve(
        self,
        stage: str,
        header: Mapping[str, Any],
        *,
        pars: Sequence[Setting] = (),
        overrides: Sequence[Setting] = (),
    ) -> tuple[ResolvedStep, ...]:
        """Return the steps of a stage for an exposure, in order.

        Precedence: declared default < `pars` (of CRDS) < the recipe, base before child, plain values before cases <
        `overrides` (run file, then --set; later ones override). Raises RecipeFault for a stage that the recipe lacks,
        an override of a step that it lacks, and a chain that cannot run for this exposure.
        """
        if stage not in self.stages:
            hint = nearest(stage, self.stages) or f"; it has {', '.join(self.stages)}"
            raise RecipeFault(f"the recipe {self.name} has no stage '{stage}'{hint}")
        self._demand(overrides)
        entries = [one for one in self.stages[stage] if conditions.hold(one.when or {}, header)]
        given, over = (of_stage(settings, stage) for settings in (pars, overrides))
        steps = tuple(self.resolved(entry, header, given, over) for entry in entries)
        refuse(list(_contradictions(stage, entries, steps, self.cards)))
        return steps

    def _demand(self, overrides: Iterable[Setting]) -> None:
        """Refuse a value for a step that no stage of the recipe has: it would be lost in silence."""
        for one in overrides:
            stages = [one.stage] if one.stage else list(self.stages)
            steps = {entry.step for stage in stages for entry in self.stages.get(stage, ())}
            if one.step not in steps:
                where = f"the stage {one.stage} of the recipe" if one.stage else "the recipe"
                hint = nearest(one.step, steps)
                raise RecipeFault(f"{one.origin}: {where} {self.name} has no step '{one.step}'{hint}")

    def resolved(
        self,
        entry: Entry,
        header: Mapping[str, Any] | None,
        pars: Iterable[Setting] = (),
        overrides: Iterable[Setting] = (),
    ) -> ResolvedStep:
        """Return one entry with its values for an exposure; without a header, those for all exposures."""
        card, schemas = self.cards.steps[entry.step], self.cards.parameters(entry.step)
        defaults = {name: normal(about["default"], schemas[name]) for name, about in card["params"].items()}
        values = {name: Value(value, "default") for name, value in defaults.items()}
        values |= {"skip": Value(False, "default"), "if_impossible": Value("stop", "default")}
        values |= _settings_of(entry.step, pars)
        for layer in entry.layers:
            if layer.when is None or (header is not None and conditions.hold(layer.when, header)):
                values |= layer.values
        values |= _settings_of(entry.step, overrides)
        skip = values["skip"].value
        params, told = {name: values[name].value for name in defaults}, {} if header is None else header
        return ResolvedStep(
            step=entry.step,
            params={name: values[name] for name in defaults},
            skip=skip,
            if_impossible=values["if_impossible"].value,
            references={} if skip else _wanted(card, card["references"], params, told),
            roles={} if skip else _wanted(card, card["roles"], params, told),
            defaults=defaults,
            origin=entry.origin,
            origins={name: values[name].origin for name in UNIVERSAL},
        )


def _wanted(
    card: Mapping[str, Any], inputs: Mapping[str, bool], params: Mapping[str, Any], header: Mapping[str, Any]
) -> dict[str, bool]:
    """Return those of the inputs that a step takes, by what parameters and keywords say."""
    cases = {name: card["wants"].get(name, ()) for name in inputs}
    return {
        name: inputs[name] for name in inputs if conditions.any_holds(cases[name], _told(cases[name], params, header))
    }


def _told(cases: conditions.Cases, params: Mapping[str, Any], header: Mapping[str, Any]) -> dict[str, Any]:
    """Return what parameters and, for other names, keywords say: only of a header what the cases ask for."""
    names = {name for case in cases for name in case}
    return {name: params[name] if name in params else header.get(name) for name in names}


def of_stage(settings: Iterable[Setting], stage: str) -> list[Setting]:
    """Return the settings that concern a stage."""
    return [one for one in settings if one.stage in ("", stage)]


def _settings_of(step: str, settings: Iterable[Setting]) -> dict[str, Value]:
    return {one.parameter: Value(one.value, one.origin) for one in settings if one.step == step}


def _contradictions(
    stage: str, entries: Sequence[Entry], steps: Sequence[ResolvedStep], known: Cards
) -> Iterator[Fault]:
    """What cannot run for an exposure: a step that stands twice, or that cannot take what it is given."""
    for entry in entries:
        twins = [one.origin for one in entries if one.step == entry.step]
        if len(twins) > 1:
            yield entry.fault(f"'{entry.step}' applies twice to one exposure ({' and '.join(twins)})")
    links = [Link(one.step, one.skip) for one in steps]
    for position, words in broken(stage, links, known):
        yield entries[position or 0].fault(words) if entries else Fault("", ("stages", stage), words)
    for number, one in enumerate(steps):
        without = [*links[:number], Link(one.step, skip=True), *links[number + 1 :]]
        if one.if_impossible == "skip" and list(broken(stage, without, known)) != list(broken(stage, links, known)):
            origin = one.origins["if_impossible"]
            yield entries[number].fault(f"'{one.step}' cannot be left out, as 'if_impossible: skip' ({origin}) would")


def read(path: Path | str, known: Cards | None = None) -> Recipe:
    """Return the recipe of a YAML file; raises RecipeFault that says every fault of it and of what it extends."""
    path, known = Path(path), known or cards()
    made = draft(path, known)
    made.faults += [*_absent(made), *_impossible(made, known)]
    refuse(made.faults)
    return Recipe(
        name=path.stem,
        path=path,
        template=made.words["template"],
        description=made.words.get("description", ""),
        conditions=made.conditions,
        associations=made.associations,
        stages={stage: tuple(entries) for stage, entries in made.stages.items() if entries},
        cards=known,
        files=tuple(made.files),
    )


def _absent(made: Draft) -> Iterator[Fault]:
    file = made.source.file
    if not isinstance(made.source.value, dict):
        return
    if "template" not in made.words:
        yield Fault(file, (), "'template' is missing: the observing template, in the words of the documentation")
    if not made.conditions:
        yield Fault(file, (), "'for' is missing: which exposures the recipe is for")
    if not any(made.stages.values()):
        yield Fault(file, (), "'stages' is missing, here and in what is extended")
    for name, rule in made.associations.items():
        yield from (Fault(file, ("associations", name), words) for words in _lacking(rule) if name != "exclude")


def _lacking(rule: Any) -> Iterator[str]:
    """What a rule for associations lacks when all that is extended has been laid together."""
    if isinstance(rule, dict):
        yield from (f"'{key}' is missing" for key in ("one_for_each", "members") if key not in rule)
        members = rule.get("members")
        if isinstance(members, dict) and "science" not in members:
            yield "'members.science' is missing"


def _impossible(made: Draft, known: Cards) -> Iterator[Fault]:
    for stage, entries in made.stages.items():
        yield from _repeated(entries)
        links = [Link(one.step, one.skipped(), one.when is not None) for one in entries]
        for position, words in broken(stage, links, known) if entries else ():
            end = Fault(made.source.file, ("stages", stage), words)
            yield end if position is None else entries[position].fault(words)


def _repeated(entries: Sequence[Entry]) -> Iterator[Fault]:
    """A step that stands twice is meant for different exposures, and must say which."""
    several = {step for step, number in Counter(one.step for one in entries).items() if number > 1}
    seen: list[tuple[str, Conditions | None]] = []
    for entry in entries:
        if entry.step in several and (entry.when is None or (entry.step, entry.when) in seen):
            yield entry.fault(f"'{entry.step}' is listed twice: each needs a 'when' of its own")
        seen.append((entry.step, entry.when))


def chain_json(steps: Iterable[ResolvedStep]) -> str:
    """Return the chain as the command line takes it: one line of JSON, only what is not the declared default.

    The text depends on nothing but the values: not on comments, order of keys, or where a value comes from.
    """
    return json.dumps([_call(one) for one in steps], separators=(",", ":"), ensure_ascii=False)


def _call(step: ResolvedStep) -> dict[str, Any]:
    call: dict[str, Any] = {"step": step.step}
    if step.skip:
        return call | {"skip": True}
    if step.changed:
        call["params"] = step.changed
    if step.if_impossible != "stop":
        call["if_impossible"] = step.if_impossible
    return call
