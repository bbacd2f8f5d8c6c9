"""What the pool says of an exposure, in the words of the rules: its role, its candidates, its columns.

Source: JWST documentation, "Association Generator" and the comparison with what it makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
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

_ALWAYS_SERIES = ("nrc_tsimage", "nrc_tsgrism", "nrs_brightobj")
_NEVER_SERIES = (*_ROLES["target_acquisition"].split(), "nrs_verify")

_ONE_SLIT = {"s200a1": "s200a", "s200a2": "s200a"}
"""Slits between which a target is moved, so that they count as one."""

_ALSO_CALLED = {"subpxpts": ("subpxpns",)}
"""Columns that had another name in older pools."""

NO_TARGET = "000"
"""The number of the target in products of all targets, and of observations that have none."""


@cache
def _plain(cell: str) -> str:
    value = cell.strip().lower()
    return "" if value in _NOTHING else value


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group of observations: its id (o001, c1001, ...) and what it is for (observation, background, mosaic, ...)."""

    id: str
    kind: str


@cache
def _candidates(cell: str) -> tuple[Candidate, ...]:
    listed = pool.candidates(Row({"asn_candidate": cell}))
    return tuple(Candidate(name, kind.lower()) for name, kind in listed)


@dataclass(frozen=True, eq=False)
class Exposure:
    """A row of the pool, and the recipe that is for it."""

    row: Row
    recipe: Recipe | None = None

    @cached_property
    def name(self) -> str:
        """The name of the exposure, without suffix."""
        return names.stem(self.row["filename"])

    @cached_property
    def _files(self) -> str:
        return names.with_suffix(self.row["filename"], "{suffix}")

    def file(self, suffix: str) -> str:
        """Return the name of its file with a suffix; in a time series that of all integrations."""
        ints = "ints" if self.is_series and not suffix.endswith("ints") else ""
        return self._files.replace("{suffix}", f"{suffix}{ints}")

    @cached_property
    def program(self) -> str:
        """The program, five digits."""
        return self.row["program"].zfill(5)

    @property
    def observation(self) -> str:
        """The observation, three digits."""
        return self.row["obs_num"].zfill(3)

    @cached_property
    def home(self) -> tuple[str, str]:
        """Program and instrument, of which those of an association are never several."""
        return (self.program, self.column("instrume"))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The candidates that the exposure belongs to."""
        return _candidates(self.row["asn_candidate"])

    @cached_property
    def role(self) -> str:
        """What the exposure is by itself: science, background, psf, imprint, target_acquisition, ..."""
        pointing = self.column("pntgtype")
        if pointing not in ("science", ""):
            return pointing
        role = _ROLE_OF.get(self.column("exp_type"), "science")
        special = [name for name, column in _SPECIAL.items() if self.column(column)]
        return special[0] if role == "science" and special else role

    @cached_property
    def is_series(self) -> bool:
        """Whether it is part of a time series, whose products keep their integrations."""
        exp_type = self.column("exp_type")
        if self.column("pntgtype") != "science" or exp_type in _NEVER_SERIES:
            return False
        return exp_type in _ALWAYS_SERIES or self.column("tsovisit") in ("t", "true")

    def column(self, *columns: str) -> str:
        """Return the first value that is known of these columns, in lower case; '' where none is."""
        for column in columns:
            if value := _plain(self.row[column]):
                return value
        return ""

    def said(self, keyword: str) -> Any:
        """Return what the header says of a keyword, or the pool in capitals; None where they say nothing."""
        if keyword in _DERIVED_WORDS:
            return _DERIVED_WORDS[keyword](self)
        value = self.row.scanned.get(keyword) if self.row.scanned is not None else None
        return self.column(_column(keyword)).upper() or None if value is None else value

    def value(self, name: str, candidate: Candidate) -> str:
        """Return a header keyword in lower case, or what is derived from several; '' where it is not known.

        `optics` are filter and pupil (or grating) in alphabetical order, or `clear`; `passband` is the filter, or the
        band of MIRI MRS; `slit` the fixed slit, those between which a target is nodded as one; `nod` the position of
        the primary dither pattern, and `nods` their number. Pure parallels with a direct image (a candidate of that
        kind) have no target of their own.
        """
        if name == "optics":
            return "-".join(sorted(filter(None, (self.column("filter"), self.column("pupil", "grating"))))) or "clear"
        if name == "target":
            return NO_TARGET if candidate.kind == "direct_image" else self.column("targetid")
        if name == "observation":
            return self.observation
        if name == "slit":
            return _ONE_SLIT.get(self.column("fxd_slit"), self.column("fxd_slit"))
        if name in ("nod", "nods"):
            return self._nod if name == "nod" else self._nods
        if name == "passband":
            return self.column("filter", "band")
        return self.column(_column(name), *_ALSO_CALLED.get(_column(name), ()))

    @property
    def _nod(self) -> str:
        position, within = self._number("patt_num"), self._subpixels
        return str((position - 1) // within) if position is not None and within else ""

    @property
    def _nods(self) -> str:
        positions, within = self._number("numdthpt"), self._subpixels
        return str(positions // within) if positions is not None and within else ""

    @property
    def _subpixels(self) -> int | None:
        return self._number("subpxpts")

    def _number(self, column: str) -> int | None:
        value = self.column(column, *_ALSO_CALLED.get(column, ()))
        return int(value) if value.isdecimal() else None


_DERIVED_WORDS: dict[str, Callable[[Exposure], str | None]] = {
    "nods": lambda one: one._nods or None,
    "PROGRAM": lambda one: one.program,
    "OBSERVTN": lambda one: one.observation,
}


@cache
def _column(keyword: str) -> str:
    return pool.COLUMN_OF.get(keyword, keyword.lower())
