"""Whether conditions on header keywords hold for an exposure: for recipes, and for what a step is to be given."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

Conditions = Mapping[str, Any]
"""Header keyword -> value, or list of values; '!VALUE' must not be there; '>=5' compares numbers."""

Cases = Sequence[Conditions]
"""Conditions of which one mapping must hold. Besides keywords they may name parameters of a step, in lower case."""

_COMPARISONS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_COMPARISON = re.compile(r"(>=|<=|>|<)(\d+)")


def hold(conditions: Conditions, header: Mapping[str, Any]) -> bool:
    """Return whether every keyword agrees.

    Of a list of values one must be there, and of those with ! none. A keyword that the header lacks agrees only with
    false and with !VALUE.
    """
    return not failed(conditions, header)


def failed(conditions: Conditions, header: Mapping[str, Any]) -> list[str]:
    """Return, for each keyword that does not agree, what it is and what was wanted."""
    return [
        f"{keyword} is {_shown(header.get(keyword))}, wanted {text(wanted)}"
        for keyword, wanted in conditions.items()
        if not _agrees(wanted, header.get(keyword))
    ]


def any_holds(cases: Cases, told: Mapping[str, Any]) -> bool:
    """Return whether one of the cases holds for what parameters and keywords say; without cases there is no limit."""
    return not cases or any(hold(case, told) for case in cases)


def cases_said(cases: Cases) -> str:
    """Return cases in words: 'method is traps, or NFRAMES is >1 and use_readpatt is true'."""
    return ", or ".join(
        " and ".join(f"{name} is {' or '.join(map(_plain, _list(wanted)))}" for name, wanted in case.items())
        for case in cases
    )


def _plain(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def text(wanted: Any) -> str:
    """Return the values of a condition in words."""
    return " or ".join(map(_shown, _list(wanted)))


def said(conditions: Conditions) -> str:
    """Return conditions in words: 'FILTER F444W or F480M, SUBARRAY !FULL'."""
    return ", ".join(f"{keyword} {text(wanted)}" for keyword, wanted in conditions.items())


def _agrees(wanted: Any, value: Any) -> bool:
    if wanted is None:
        return value is None
    words = [_word(one) for one in _list(wanted)]
    unwanted = [word[1:] for word in words if word.startswith("!")]
    allowed = [word for word in words if not word.startswith("!")]
    if any(_matches(word, value) for word in unwanted):
        return False
    return not allowed or any(_matches(word, value) for word in allowed)


def _matches(word: str, value: Any) -> bool:
    if comparison := _COMPARISON.fullmatch(word):
        sign, number = comparison.groups()
        return _is_number(value) and _COMPARISONS[sign](float(value), float(number))
    if value is None:
        return word == "F"
    return word == _word(value)


def _word(value: Any) -> str:
    """A value as it is compared: FITS writes T and F, a pool may say true, YAML gives True."""
    word = str(value).strip().upper()
    return {"TRUE": "T", "FALSE": "F"}.get(word, word)


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return str(value).lower() if isinstance(value, bool) else _word(value)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_number(value: Any) -> bool:
    return re.fullmatch(r"\d+(\.\d*)?", str(value).strip()) is not None
