"""What the pool says of an exposure, in the words of the rules: its role, its candidates, its columns.

Source: JWST documentation, "Association Generator" and the comparison with what it makes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jwrules import names, pool
from jwrules.associations.rules import Recipe
from jwrules.pool import Row

_ROLES = {
    "target_acquisition": "mir_tacq mir_taconfirm nis_tacq nis_taconfirm nrc_tacq nrc_taconfirm nrs_confirm nrs_msata"
    " nrs_tacq nrs_taconfirm nrs_taslit nrs_wata",
    "dark": "mir_darkall mir_darkimg mir_darkmrs nis_dark nrc_dark nrs_dark",
    "flat": "mir_flatimage mir_flatimage-ext mir_flatmrs mir_flatmrs-ext nrc_flat",
    "engineering": "nis_focus nis_lamp nrc_focus nrc_led nrs_focus nrs_image nrs_lamp",
    "autoflat": "nrs_autoflat",
    "autowave": "nrs_autowave",
}
_ROLE_OF = {exp_type: role for role, exp_types in _ROLES.items() for exp_type in exp_types.split()}

_SPECIAL = {"psf": "is_psf", "imprint": "is_imprt", "background": "bkgdtarg"}
"""Flags that give a science exposure another role; the first that is set counts."""

_NOTHING = ("", "null", "--", "n", "f", "false", "n/a")
"""What stands in a pool for a value that is not there, or a flag that is not set."""

NO_TARGET = "000"
"""The number of the target in products of all targets, and of observations that have none."""


@dataclass(frozen=True)
class Candidate:
    """A group of observations: its id (o001, c1001, ...) and what it is for (observation, background, mosaic, ...)."""

    id: str
    kind: str


@dataclass(frozen=True)
class Exposure:
    """A row of the pool, and the recipe that is for it."""

    row: Row
    recipe: Recipe | None = None

    @property
    def header(self) -> Mapping[str, Any]:
        """The primary header, or what the pool says of it."""
        return self.row.header

    @property
    def name(self) -> str:
        """The name of the exposure, without suffix."""
        return names.stem(self.row["filename"])

    @property
    def program(self) -> str:
        """The program, five digits."""
        return self.row["program"].zfill(5)

    @property
    def observation(self) -> str:
        """The observation, three digits."""
        return self.row["obs_num"].zfill(3)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates that the exposure belongs to."""
        return tuple(Candidate(name, kind.lower()) for name, kind in pool.candidates(self.row))

    @cached_property
    def role(self) -> str:
        """What the exposure is by itself: science, background, psf, imprint, target_acquisition, ..."""
        pointing = self.row["pntgtype"].lower()
        if pointing not in ("science", *_NOTHING):
            return pointing
        role = _ROLE_OF.get(self.row["exp_type"].lower(), "science")
        special = [name for name, column in _SPECIAL.items() if self.column(column)]
        return special[0] if role == "science" and special else role

    def column(self, *columns: str) -> str:
        """Return the first value that is known of these columns, in lower case; '' where none is."""
        values = (self.row[column].lower() for column in columns)
        return next((value for value in values if value not in _NOTHING), "")

    def value(self, name: str, candidate: Candidate) -> str:
        """Return a header keyword in lower case, or target, observation, optics; '' where it is not known.

        Optics are filter and pupil (or grating) in alphabetical order, or `clear`, and then a fixed slit. Pure
        parallels with a direct image (a candidate of that kind) have no target of their own.
        """
        if name == "optics":
            elements = filter(None, (self.column("filter"), self.column("pupil", "grating")))
            return "-".join(filter(None, ("-".join(sorted(elements)) or "clear", self.column("fxd_slit"))))
        if name == "target":
            return NO_TARGET if candidate.kind == "direct_image" else self.column("targetid")
        if name == "observation":
            return self.observation
        return self.column(pool.COLUMN_OF.get(name, name.lower()))


def exposures(rows: Iterable[Row], recipes: Sequence[Recipe]) -> list[Exposure]:
    """Return the exposures of a pool, each once, by file name."""
    by_file = {row["filename"]: row for row in rows}
    return [Exposure(row, _recipe(row, recipes)) for _, row in sorted(by_file.items())]


def _recipe(row: Row, recipes: Sequence[Recipe]) -> Recipe | None:
    """Return the recipe with the most conditions of those that apply, and of equal ones the first."""
    suitable = [recipe for recipe in recipes if recipe.applies(row.header)]
    return max(suitable, key=lambda recipe: len(recipe.conditions), default=None)


def by_candidate(found: Iterable[Exposure]) -> dict[Candidate, list[Exposure]]:
    """Return the exposures of each candidate."""
    groups: dict[Candidate, list[Exposure]] = {}
    for exposure in found:
        for candidate in exposure.candidates:
            groups.setdefault(candidate, []).append(exposure)
    return groups
