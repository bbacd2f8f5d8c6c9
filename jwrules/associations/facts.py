"""Whether conditions hold for exposures, asked once for each combination of values and remembered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from jwrules.conditions import any_holds, failed, hold, said

Cases = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""Conditions, or a list of conditions of which one must hold."""


class Told(Protocol):
    """What conditions are asked of."""

    def said(self, keyword: str) -> Any:
        """Return what its header says of a keyword, None where it says nothing."""


class Condition:
    """Whether one of the cases of `when` holds and none of those of `unless`; without either it always does."""

    def __init__(self, when: Cases = None, unless: Cases = None) -> None:
        self.when, self.unless = _listed(when), _listed(unless)
        self.key = json.dumps([self.when, self.unless], sort_keys=True)
        self.keywords = tuple(sorted({keyword for case in (*self.when, *self.unless) for keyword in case}))
        self._known: dict[tuple[Any, ...], bool] = {}

    def why_not(self, exposure: Told) -> str:
        """Return in words why it does not hold for an exposure: what is wanted that is not, or not wanted that is."""
        told = {keyword: exposure.said(keyword) for keyword in self.keywords}
        if not any_holds(self.when, told):
            return min((", ".join(failed(case, told)) for case in self.when), key=lambda words: words.count(","))
        return next((f"not for {said(case)}" for case in self.unless if hold(case, told)), "")

    def holds(self, exposure: Told) -> bool:
        """Return whether it holds for an exposure."""
        values = tuple([exposure.said(keyword) for keyword in self.keywords])
        if values not in self._known:
            told = dict(zip(self.keywords, values, strict=True))
            excluded = bool(self.unless) and any_holds(self.unless, told)
            self._known[values] = any_holds(self.when, told) and not excluded
        return self._known[values]


def _listed(cases: Cases) -> tuple[Mapping[str, Any], ...]:
    if cases is None:
        return ()
    return (cases,) if isinstance(cases, Mapping) else tuple(cases)


def keywords_of(conditions: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the keywords that conditions name."""
    return tuple(sorted({keyword for one in conditions for keyword in one}))
