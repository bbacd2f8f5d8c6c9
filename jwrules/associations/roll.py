"""The rows of a pool as exposures: each once, with its recipe, and by candidate."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from jwrules import pool
from jwrules.associations.exposures import Candidate, Exposure
from jwrules.associations.facts import keywords_of
from jwrules.associations.rules import Recipe
from jwrules.pool import Row

log = logging.getLogger("jwrules")


def exposures(rows: Iterable[Row], recipes: Sequence[Recipe]) -> list[Exposure]:
    """Return the exposures of a pool by file name, each once.

    Of rows that say the same of an exposure the candidates are put together; rows that contradict each other are all
    kept, as if they were of several exposures.
    """
    by_file: dict[str, list[Row]] = {}
    for row in rows:
        _put_together(by_file.setdefault(row["filename"], []), row)
    for file, several in by_file.items():
        if len(several) > 1:
            log.warning("%s: %s", file, _contradiction(several))
    choose = _chooser(recipes)
    distinct = [row for _, rows in sorted(by_file.items()) for row in rows]
    return [replace(one, recipe=choose(one)) for one in map(Exposure, distinct)]


def _contradiction(rows: Sequence[Row]) -> str:
    lines = [str(row.line) for row in rows if row.line]
    which = f"lines {', '.join(lines)}" if lines else f"{len(rows)} rows"
    columns = [column for column in rows[0].values if len({row[column] for row in rows}) > 1]
    differing = (pool.KEYWORD_OF.get(column, column.upper()) for column in columns if column != "asn_candidate")
    return f"{which} of the pool contradict each other in {', '.join(differing)}"


def _put_together(rows: list[Row], row: Row) -> None:
    """Add a row to those of the same file, or its candidates to that which says the same."""
    for place, other in enumerate(rows):
        if dict(other.values, asn_candidate="") == dict(row.values, asn_candidate=""):
            listed = dict.fromkeys([*pool.candidates(other), *pool.candidates(row)])
            if len(listed) > len(pool.candidates(other)):
                rows[place] = replace(other, values={**other.values, "asn_candidate": str(list(listed))})
            return
    rows.append(row)


def _chooser(recipes: Sequence[Recipe]) -> Callable[[Exposure], Recipe | None]:
    """Return a function that gives the recipe with the most conditions of those that apply, of equal ones the first."""
    keywords = keywords_of(recipe.conditions for recipe in recipes)
    known: dict[tuple[Any, ...], Recipe | None] = {}

    def choose(exposure: Exposure) -> Recipe | None:
        values = tuple([exposure.said(keyword) for keyword in keywords])
        if values not in known:
            told = dict(zip(keywords, values, strict=True))
            suitable = [recipe for recipe in recipes if recipe.applies({**told, **_instrument(recipe)})]
            known[values] = max(suitable, key=lambda recipe: len(recipe.conditions), default=None)
        return known[values]

    return choose


def _instrument(recipe: Recipe) -> dict[str, Any]:
    """Return the instrument of a recipe: EXP_TYPE names it too, and pools for tests have others."""
    return {key: value for key, value in recipe.conditions.items() if key == "INSTRUME" and isinstance(value, str)}


def by_candidate(found: Iterable[Exposure]) -> dict[Candidate, list[Exposure]]:
    """Return the exposures of each candidate."""
    groups: dict[Candidate, list[Exposure]] = {}
    for exposure in found:
        for candidate in exposure.candidates:
            groups.setdefault(candidate, []).append(exposure)
    return groups
