"""Whether the keywords of an exposure have values that can be: what is missing is told by the step that needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from jwrules.errors import HeaderFault
from jwrules.products.kinds import Meta
from jwrules.products.stripes import KEYWORDS as STRIPES


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


def _is_count(least: int, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_axis(value: Any) -> bool:
    return _is_count(-2, value) and value in (-2, -1, 1, 2)


Rule = tuple[Callable[[Any], bool], str]
_DURATION: Rule = (_is_duration, "a number of seconds above 0")
_FROM_ZERO: Rule = (partial(_is_count, 0), "a whole number from 0 on")
_FROM_ONE: Rule = (partial(_is_count, 1), "a whole number from 1 on")
_AXIS: Rule = (_is_axis, "1, -1, 2 or -2")
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("TFRAME", "TGROUP"), _DURATION),
    **dict.fromkeys(("GROUPGAP", *STRIPES), _FROM_ZERO),
    **dict.fromkeys(
        ("NFRAMES", "NGROUPS", "NINTS", "INTSTART", "INTEND", "EXSEGTOT", "SUBSTRT1", "SUBSTRT2"), _FROM_ONE
    ),
    **dict.fromkeys(("FASTAXIS", "SLOWAXIS"), _AXIS),
}


def check(meta: Meta, where: str) -> None:
    """Raise HeaderFault that says every keyword of an exposure, in the file `where`, whose value cannot be."""
    given = {keyword: meta.get(keyword) for keyword in _RULES}
    faults = [
        f"{keyword} = {value!r} is not {_RULES[keyword][1]}"
        for keyword, value in given.items()
        if value is not None and not _RULES[keyword][0](value)
    ]
    axes = [given["FASTAXIS"], given["SLOWAXIS"]]
    if not faults and None not in axes and abs(axes[0]) == abs(axes[1]):
        faults.append(f"FASTAXIS = {axes[0]} and SLOWAXIS = {axes[1]} are the same axis")
    if faults:
        raise HeaderFault(f"{where}: {'; '.join(faults)}; correct the header, or get the file again")
