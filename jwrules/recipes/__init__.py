"""YAML -> frozen Recipe, checked against the schema; every value knows where it comes from.

A recipe may extend others (`extends: base/imaging.yaml`, or a list; looked for beside the file, then in the folder of
the project's recipes). What the extending file says overrides, and of a list of recipes the later ones do:

- `template` and `description` are the file's own; `for` and `associations` are laid over those of the base, key by key;
- an entry of a stage whose step stands in the base changes that one where it is: its parameters, `skip` and
  `if_impossible` override, its `when` replaces that of the base, its `cases` come after those of the base. A plain
  value of the extending file overrides the cases of the base too;
- an entry that is new says where it comes: `after: STEP` or `before: STEP`; one that stands in the base is moved there;
- `skip: true` leaves a step out, and the products record it as SKIPPED;
- `{replace: [...]}` in place of the list gives the whole chain anew; `{replace: []}` drops the stage.

`when` says for which exposures an entry stands. `cases` give values for some exposures only; of several that apply the
later one stands. Conditions: a keyword and its value, a list of values, a value that must not be there ('!FULL'), or a
comparison ('>=5').
"""

from jwrules.conditions import hold
from jwrules.recipes.cards import STAGES, Cards, cards, nearest
from jwrules.recipes.folder import all, folder, named, pick, suited
from jwrules.recipes.idle import idle
from jwrules.recipes.merge import Value
from jwrules.recipes.recipe import Recipe, ResolvedStep, chain_json, read
from jwrules.recipes.settings import Setting, parse_set, settings
from jwrules.recipes.tables import describe, describe_step, list_recipes, list_steps

__all__ = [
    "STAGES",
    "Cards",
    "Recipe",
    "ResolvedStep",
    "Setting",
    "Value",
    "all",
    "cards",
    "chain_json",
    "describe",
    "describe_step",
    "folder",
    "hold",
    "idle",
    "list_recipes",
    "list_steps",
    "named",
    "nearest",
    "parse_set",
    "pick",
    "read",
    "settings",
    "suited",
]
