"""Which exposures belong together, in which roles: pool x recipes -> associations; `*_asn.json` read and written.

The rules stand in the recipes (`associations:`, see schemas/associations.schema.json) and are interpreted here without
regard to the instrument:

- `one_for_each: exposure`: a product of its own for each science exposure, named after it; or a list of keywords, for
  a product of each combination of their values, named after program, candidate, target, instrument, optics, subarray;
- `members`: for each role the suffix of its files, or {file, played_by, same, when, required};
- `candidates`: the kinds of candidate that the rule works within; `when`: conditions on the science exposures.
"""

from jwrules.associations.association import Association, Member
from jwrules.associations.files import read, read_all, text, write
from jwrules.associations.gather import make

__all__ = ["Association", "Member", "make", "read", "read_all", "text", "write"]
