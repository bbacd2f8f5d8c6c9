"""For one exposure and one stage: the recipe, the chain of steps with its options, the reference files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules import recipes
from jwrules.plan.links import Linked, with_links
from jwrules.plan.once import Once, Watched
from jwrules.recipes import Recipe, ResolvedStep, Setting
from jwrules.records.code import Code
from jwrules.references import Chooser, Chosen


@dataclass(frozen=True)
class Choice:
    """What a stage does with an exposure. `runs` are the steps that are not skipped; `steps` is the chain as JSON.

    `against`: of reference files that are pinned and not for the exposure, by type, what is said of them; `idle`: of
    options for steps that are skipped, by step, what is said of those.
    """

    recipe: str
    steps: str
    runs: tuple[str, ...]
    references: Mapping[str, Chosen]
    against: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Planner:
    """Chooses by header. `own` is a recipe given by the user: it goes before those of the house.

    `exclude` names exposures that are left out, and why; `listed` are the associations of a plan file, if there is one.
    Options that name files are seen from `folder`, where the jobs run. Types in `given` are not chosen.
    """

    house: Mapping[str, Recipe]
    references: Chooser
    overrides: Sequence[Setting] = ()
    own: Recipe | None = None
    exclude: Mapping[str, str] = field(default_factory=dict)
    listed: Sequence[Mapping[str, Any]] | None = None
    folder: Path | None = None
    given: frozenset[str] = frozenset()
    _links: dict[str, Linked] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def code(self) -> Code:
        """The versions of the code that stages go through."""
        return Code(self.references.ledger)

    @cached_property
    def _once(self) -> Once:
        """What was chosen before, for exposures that agree in all that matters."""
        return Once(self.references.era)

    @cached_property
    def recipes(self) -> list[Recipe]:
        """The recipes, that of the user first and in place of one with the same name."""
        mine = [self.own] if self.own else []
        return [*mine, *(one for one in self.house.values() if self.own is None or one.name != self.own.name)]

    def recipe(self, header: Mapping[str, Any]) -> Recipe | None:
        """Return the recipe for an exposure, or None; RecipeFault where several are equally for it."""
        return self._once.choose("recipe", header, self._recipe)

    def _recipe(self, header: Mapping[str, Any]) -> Recipe | None:
        if self.own and self.own.applies(header):
            return self.own
        fitting = [one for one in self.recipes if one.applies(header)]
        return recipes.pick(header, fitting) if fitting else None

    def choose(self, stage: str, header: Mapping[str, Any]) -> Choice:
        """Return what `stage` does with an exposure.

        Raises RecipeFault where no recipe is for it, ReferenceFault where a file that a step must have is not found.
        """
        return self._once.choose(stage, header, lambda watched: self._choose(stage, watched))

    def resolve(self, stage: str, header: Mapping[str, Any]) -> tuple[ResolvedStep, ...]:
        """Return the steps of `stage` for an exposure, each value with its origin."""
        recipe = self.recipe(header) or recipes.pick(header, self.recipes)
        return recipe.resolve(stage, header, pars=self._pars(recipe, stage, header), overrides=self.overrides)

    def _choose(self, stage: str, header: Watched) -> Choice:
        recipe = self.recipe(header) or recipes.pick(header, self.recipes)
        steps = recipe.resolve(
            stage, header, pars=self._pars(recipe, stage, header.in_its_era), overrides=self.overrides
        )
        chosen = self._references(steps, header.in_its_era)
        said = {kind: self.references.against(kind, header.in_its_era) for kind in chosen}
        return Choice(
            recipe=recipe.name,
            steps=recipes.chain_json(steps),
            runs=tuple(step.step for step in steps if not step.skip),
            references=chosen,
            against={kind: words for kind, words in said.items() if words},
            idle=recipes.idle(stage, steps, self.overrides),
        )

    def linked(self, steps: str) -> Linked:
        """Return a chain (JSON) in which options name files by their links, and those files."""
        if steps not in self._links:
            self._links[steps] = with_links(steps, self.references.ledger, self.folder)
        return self._links[steps]

    @property
    def absent(self) -> list[Path]:
        """Where files that options name were looked for in vain."""
        given = dict.fromkeys(path for linked in self._links.values() for path in linked.absent)
        beside = [place for path in given for place in self._beside_recipe(path)]
        return list(dict.fromkeys([*given, *beside]))

    def _beside_recipe(self, path: Path) -> list[Path]:
        """Return where a path may be meant that a recipe gives, seen from its own folder."""
        if self.own is None or self.folder is None or not path.is_relative_to(self.folder):
            return []
        folders = dict.fromkeys(one.parent.absolute() for one in self.own.files)
        return [folder / path.relative_to(self.folder) for folder in folders]

    def _pars(self, recipe: Recipe, stage: str, header: Mapping[str, Any]) -> list[Setting]:
        """Return what the parameter files of CRDS say of the steps of a stage."""
        names = [entry.step for entry in recipe.stages.get(stage, ())]
        given = self.references.pars(names, header, pipeline=stage)
        return [
            setting
            for step, (values, origin) in given.items()
            for setting in recipes.settings({step: values}, origin, strict=False)
        ]

    def _references(self, steps: Sequence[ResolvedStep], header: Mapping[str, Any]) -> dict[str, Chosen]:
        wanted = {kind: required for kind, required in _wanted(steps).items() if kind not in self.given}
        optional = [kind for kind, required in wanted.items() if not required]
        found = self.references.choose(wanted, header, optional=optional)
        return {kind: chosen for kind, chosen in found.items() if chosen}


def _wanted(steps: Sequence[ResolvedStep]) -> dict[str, bool]:
    """Return the types of reference files that the steps open, and whether the product stops without it."""
    wanted: dict[str, bool] = {}
    for step in steps:
        for kind, required in step.references.items():
            wanted[kind] = wanted.get(kind, False) or (required and step.if_impossible == "stop")
    return wanted
