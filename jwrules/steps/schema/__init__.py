"""Write what is generated from the declarations of the steps: their cards, the schema of recipes, a page for each.

`python -m jwrules.steps.schema` writes schemas/steps.json, schemas/recipe.schema.json and docs/steps/; `--check`
prints how far they are behind. The planning column reads steps.json instead of importing the steps. After installing
a package that brings steps of its own, run it once: recipes may then name them.
"""

from jwrules.steps.schema.cards import card, kind_name, type_name, type_schema
from jwrules.steps.schema.pages import index, page
from jwrules.steps.schema.recipe import STAGES, recipe_schema
from jwrules.steps.schema.write import files, main

__all__ = [
    "STAGES",
    "card",
    "files",
    "index",
    "kind_name",
    "main",
    "page",
    "recipe_schema",
    "type_name",
    "type_schema",
]
