"""The user's page of every recipe.

`python -m jwrules.recipes.pages` writes docs/recipes/; `--check` prints how far they are behind.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import jwrules.recipes
from jwrules import conditions, house
from jwrules.generated import settle, table
from jwrules.recipes.folder import all as all_recipes
from jwrules.recipes.merge import Entry, Layer
from jwrules.recipes.recipe import Recipe
from jwrules.recipes.tables import text


def page(recipe: Recipe) -> str:
    """Return the page of a recipe, in Markdown: what it is for, its steps, the values that it gives."""
    lines = [
        _generated(f"recipes/{recipe.name}.yaml and what it extends"),
        f"# {recipe.template}",
        "",
        recipe.description.strip(),
        "",
        f"For exposures with {conditions.said(recipe.conditions)}. `jwrules recipes {recipe.name}` shows every value "
        "with its origin.",
    ]
    for stage, entries in recipe.stages.items():
        rows = [_row(recipe, entry) for entry in entries]
        lines += ["", f"## {stage}", "", *table(["step", "what it does", "values that are not the default"], rows)]
        lines += [line for entry in entries for line in _cases(entry)]
    return "\n".join(lines) + "\n"


def _generated(source: str) -> str:
    return f"<!-- Generated from {source} by `python -m jwrules.recipes.pages`. -->"


def _row(recipe: Recipe, entry: Entry) -> list[str]:
    step = recipe.resolved(entry, None)
    values = ["skipped"] if step.skip else [f"`{name}: {text(value)}`" for name, value in step.changed.items()]
    values += [f"`if_impossible: {step.if_impossible}`"] * (step.if_impossible != "stop")
    values += [f"only for {conditions.said(entry.when)}"] if entry.when else []
    values += ["cases below"] * any(layer.when for layer in entry.layers)
    return [f"[{entry.step}](../steps/{entry.step}.md)", recipe.cards.steps[entry.step]["summary"], ", ".join(values)]


def _cases(entry: Entry) -> list[str]:
    layers = [layer for layer in entry.layers if layer.when]
    if not layers:
        return []
    rows = [[conditions.said(layer.when or {}), _values(layer)] for layer in layers]
    return ["", f"Cases of {entry.step}:", "", *table(["when", "value"], rows)]


def _values(layer: Layer) -> str:
    return ", ".join(f"`{name}: {text(given.value)}`" for name, given in layer.values.items())


def index(recipes: Iterable[Recipe]) -> str:
    """Return the table of contents of the recipes and the rules of writing them, in Markdown."""
    rows = [[f"[{one.name}]({one.name}.md)", one.template, conditions.said(one.conditions)] for one in recipes]
    contents = table(["recipe", "template", "for"], rows)
    rules = ["", "## How a recipe is written", "", inspect.cleandoc(jwrules.recipes.__doc__ or "").split("\n\n", 1)[1]]
    return "\n".join([_generated("recipes/"), "# Recipes", "", *contents, *rules]) + "\n"


def files(root: Path, recipes: Mapping[str, Recipe]) -> dict[Path, str]:
    """Return the page of every recipe and their table of contents, by path below `root`."""
    pages = {root / f"docs/recipes/{name}.md": page(one) for name, one in recipes.items()}
    return pages | {root / "docs/recipes/README.md": index(recipes.values())}


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Write the pages, or with --check print how far they are behind and return 1 where they are."""
    parser = argparse.ArgumentParser(prog="python -m jwrules.recipes.pages", description="Write docs/recipes.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a page is behind")
    check = parser.parse_args(arguments).check
    root = house.root()
    status = settle(files(root, all_recipes(root / "recipes")), [root / "docs/recipes"], check)
    if status:
        say("run `python -m jwrules.recipes.pages` and commit what it writes")
    return status


if __name__ == "__main__":
    sys.exit(main())
