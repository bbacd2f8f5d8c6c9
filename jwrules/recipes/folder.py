"""The folder of recipes, and which of them is for an exposure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jwrules import conditions, house
from jwrules.errors import RecipeFault
from jwrules.recipes.cards import Cards, nearest
from jwrules.recipes.merge import claims
from jwrules.recipes.recipe import Recipe, read

IDENTITY = ("FILENAME", "INSTRUME", "EXP_TYPE", "TSOVISIT", "DETECTOR", "FILTER", "PUPIL")


def folder() -> Path:
    """Return the folder of the recipes that come with the project."""
    return house.root() / "recipes"


def all(place: Path | str | None = None, known: Cards | None = None) -> dict[str, Recipe]:
    """Return every recipe of a folder by name; what they share, in base/, is none.

    Raises RecipeFault that says every fault of every recipe.
    """
    found: dict[str, Recipe] = {}
    faults: list[str] = []
    for path in sorted(Path(place or folder()).glob("*.yaml")):
        try:
            found[path.stem] = read(path, known)
        except RecipeFault as fault:
            faults.append(str(fault))
    if faults:
        raise RecipeFault("\n".join(dict.fromkeys("\n".join(faults).splitlines())))
    return found


def suited(header: Mapping[str, Any]) -> dict[str, Recipe]:
    """Return the project's recipes that are for an exposure, by name, all where none is; RecipeFault says their faults.

    Those for others are not looked through: that takes longer than a small exposure.
    """
    known: dict[Path, conditions.Conditions] = {}
    paths = [path for path in sorted(folder().glob("*.yaml")) if conditions.hold(claims(path, known), header)]
    return {path.stem: read(path) for path in paths} or all()


def named(name: str, known: Cards | None = None) -> Recipe:
    """Return a recipe by its name, or by the path of its file; raises RecipeFault with the nearest name."""
    if Path(name).is_file():
        return read(name, known)
    path = folder() / f"{name}.yaml"
    if not path.is_file():
        names = [one.stem for one in folder().glob("*.yaml")]
        raise RecipeFault(f"there is no recipe '{name}'{nearest(name, names)} (there are {', '.join(sorted(names))})")
    return read(path, known)


def pick(header: Mapping[str, Any], recipes: Mapping[str, Recipe] | Iterable[Recipe]) -> Recipe:
    """Return the recipe for an exposure; of several the one with the most keywords in its conditions.

    Raises RecipeFault where none is for it, naming what the nearest wants, and where several are equally specific.
    """
    known = list(recipes.values() if isinstance(recipes, Mapping) else recipes)
    suitable = [one for one in known if one.applies(header)]
    if not suitable:
        raise RecipeFault(f"no recipe is for {_exposure(header)}{_nearest(header, known)}")
    most = max(len(one.conditions) for one in suitable)
    best = [one for one in suitable if len(one.conditions) == most]
    if len(best) > 1:
        claims = "; ".join(f"{one.name} ({conditions.said(one.conditions)})" for one in best)
        raise RecipeFault(
            f"{len(best)} recipes are equally for {_exposure(header)}: {claims}; "
            "add a keyword to the 'for' of the one that is meant"
        )
    return best[0]


def _exposure(header: Mapping[str, Any]) -> str:
    words = [f"{keyword} {header[keyword]}" for keyword in IDENTITY if header.get(keyword) is not None]
    return f"the exposure with {', '.join(words)}" if words else "an exposure without INSTRUME and EXP_TYPE"


def _nearest(header: Mapping[str, Any], recipes: list[Recipe]) -> str:
    if not recipes:
        return ": there are no recipes"
    best = min(recipes, key=lambda one: (len(one.failed(header)), one.name))
    return f"; nearest is {best.name}: {', '.join(best.failed(header))}"
