"""Commands that tell what there is: steps, recipes, schema."""

from __future__ import annotations

import argparse
from pathlib import Path

from jwrules.cli.common import Commands, add_command
from jwrules.errors import RecipeFault


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_steps(commands)
    _add_recipes(commands)
    _add_schema(commands)


def _add_steps(commands: Commands) -> None:
    command = add_command(
        commands,
        "steps",
        steps,
        "list the steps, or tell one's parameters, units, limits and reference files",
        "examples:\n  jwrules steps\n  jwrules steps jump",
    )
    command.add_argument("name", metavar="NAME", nargs="?", help="a step")


def steps(options: argparse.Namespace) -> None:
    """List every step with what it takes and gives; with NAME, tell all about that one."""
    from jwrules import recipes
    from jwrules.recipes.cards import nearest

    known = recipes.cards()
    if options.name is None:
        print(recipes.list_steps(known))
    elif (name := known.named(options.name)) in known.steps:
        print(recipes.describe_step(known.steps[name]))
    else:
        raise RecipeFault(f"'{options.name}' is no step{nearest(options.name, known.steps)}")


def _add_recipes(commands: Commands) -> None:
    command = add_command(
        commands,
        "recipes",
        show_recipes,
        "list the recipes, or tell every value of one and where it comes from",
        "examples:\n  jwrules recipes\n  jwrules recipes nircam_imaging\n"
        "  jwrules recipes nircam_imaging --for demo/uncal/X_uncal.fits --set jump.rejection_threshold=5",
    )
    command.add_argument("name", metavar="NAME", nargs="?", help="a recipe, or the file of one")
    command.add_argument("--for", dest="exposure", metavar="FILE", help="with the values for this exposure")
    command.add_argument(
        "--set", dest="sets", metavar="STEP.PARAMETER=VALUE", action="append", default=[], help="as for run"
    )


def show_recipes(options: argparse.Namespace) -> None:
    """List every recipe with the exposures that it is for; with NAME, every value of that one with its origin."""
    from jwrules import headers, recipes

    if options.name is None:
        print(recipes.list_recipes(recipes.all()))
        return
    header = headers.read(Path(options.exposure)) if options.exposure else None
    overrides = recipes.parse_set(options.sets)
    print(recipes.describe(recipes.named(options.name), header, overrides=overrides))


def _add_schema(commands: Commands) -> None:
    command = add_command(
        commands,
        "schema",
        schema,
        "write the JSON Schema of recipes and the cards of the steps from their declarations",
        "examples:\n  jwrules schema\n  jwrules schema --check",
    )
    command.add_argument("--check", action="store_true", help="write nothing; fail where the files are behind")


def schema(options: argparse.Namespace) -> int:
    """Write schemas/ and docs/ anew from the declarations of the steps, for whoever adds or changes one."""
    from jwrules.steps import schema as generator

    return generator.main(["--check"] if options.check else [])
