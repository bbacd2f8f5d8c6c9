"""Reading the flag expressions of the JWST parameters, as `~DO_NOT_USE+NON_SCIENCE`."""

from __future__ import annotations

import numpy as np
from astropy.nddata.bitmask import bitfield_to_boolean_mask, interpret_bit_flags

from jwrules.errors import RecipeFault
from jwrules.products.flags import DQ

_FLAGS = {name: int(flag) for name, flag in DQ.__members__.items()}


def good(dq: np.ndarray, expression: str | None) -> np.ndarray:
    """Return which pixels are usable, (ny, nx) of bool, when the flags named in `expression` do no harm.

    `A+B` names harmless flags, `~A+B` names those that do harm, None or nothing makes every flag harmless.
    Raises RecipeFault for a name that is no flag.
    """
    try:
        harmless = interpret_bit_flags(expression or None, flag_name_map=_FLAGS)
    except (KeyError, ValueError, TypeError) as reason:
        known = ", ".join(_FLAGS)
        raise RecipeFault(f"'{expression}' is no expression of DQ flags ({reason}); flags are {known}") from reason
    return bitfield_to_boolean_mask(dq, harmless, good_mask_value=True, dtype=bool)
