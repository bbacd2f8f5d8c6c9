"""Write the generated files, or say how far they are behind."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jwrules import house
from jwrules.generated import settle
from jwrules.steps import registry
from jwrules.steps.declare import Step
from jwrules.steps.schema.cards import card
from jwrules.steps.schema.pages import index, page
from jwrules.steps.schema.recipe import recipe_schema


def files(root: Path, steps: Mapping[str, Step]) -> dict[Path, str]:
    """Return every generated file by its path below `root`; pages only where there is a folder docs/steps/."""
    cards = {name: card(step) for name, step in steps.items()}
    made = {
        root / "schemas/steps.json": _json(cards),
        root / "schemas/recipe.schema.json": _json(recipe_schema(steps)),
    }
    if (root / "docs/steps").is_dir():
        made |= {root / f"docs/steps/{name}.md": page(one) for name, one in cards.items()}
        made[root / "docs/steps/README.md"] = index(cards)
    return made


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> int:
    """Write the generated files, or with --check print how far they are behind and return 1 where they are."""
    parser = argparse.ArgumentParser(
        prog="python -m jwrules.steps.schema", description="Write schemas/ and docs/steps/."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file is behind")
    check = parser.parse_args(arguments).check
    root = house.root()
    status = settle(files(root, registry()), [root / "docs/steps"], check)
    if status:
        say("run `python -m jwrules.steps.schema` and commit what it writes")
    return status
