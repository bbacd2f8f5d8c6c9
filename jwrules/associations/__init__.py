"""Which exposures belong together, in which roles: pool x recipes -> associations; `*_asn.json` read and written.

The rules stand in the recipes (`associations:`, see schemas/associations.schema.json) and are interpreted here without
regard to the instrument:

- `one_for_each: exposure`: a product of its own for each science exposure, named after it; or a list of keywords, for
  a product of each combination of their values, named by `product`;
- `members`: for each role the suffix of its files, or what else decides on who plays it: played_by, same, differ, when;
- `candidates`: the kinds of candidate that the rule works within; `when`, `unless`, `needs`: which science exposures;
- `exclude`, beside the rules: exposures to leave out, and why.

docs/associations.md tells it to the user.
"""

from jwrules.associations import summary
from jwrules.associations.association import Association, Member
from jwrules.associations.exclude import Exclusions, exclusions, parse
from jwrules.associations.files import read, read_all, text, write
from jwrules.associations.gather import Gathered, gather, make
from jwrules.associations.left_out import Lack, LeftOut, by_reason

__all__ = [
    "Association",
    "Exclusions",
    "Gathered",
    "Lack",
    "LeftOut",
    "Member",
    "by_reason",
    "exclusions",
    "gather",
    "make",
    "parse",
    "read",
    "read_all",
    "summary",
    "text",
    "write",
]
