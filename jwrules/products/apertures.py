"""What the reference files apcorr and abvegaoffset say about the optical configuration of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jwrules.errors import CannotRun, ReferenceFault
from jwrules.products.kinds import AbVegaOffset, Apcorr, Meta

_SELECTORS = ("filter", "pupil", "subarray", "detector")


@dataclass(frozen=True, kw_only=True)
class Circles:
    """Apertures, one for each encircled energy (percent); radii, and those of the background annulus, in pixels."""

    energies: tuple[int, ...]
    radii: tuple[float, ...]
    corrections: tuple[float, ...]
    inner: float
    outer: float

    def described(self) -> dict[str, Any]:
        """Return them as the official catalogues list them in their meta."""
        return {
            "aperture_ee": list(self.energies),
            "aperture_radii": list(self.radii),
            "aperture_corrections": list(self.corrections),
            "bkg_aperture_inner_radius": self.inner,
            "bkg_aperture_outer_radius": self.outer,
        }


def circles(meta: Meta, apcorr: Apcorr, energies: Sequence[int]) -> Circles:
    """Return the apertures of `energies` for the filter (and pupil or subarray) of an image.

    Radii in the file count detector pixels; PXSCLRT, the scale of the image's pixels over those, turns them into pixels
    of the image. Raises ReferenceFault where the file has no or several rows for an energy.
    """
    rows = _rows(meta, apcorr.table, apcorr.table.names, apcorr.meta.source)
    known = np.rint(np.asarray(rows["eefraction"], float) * 100).astype(int)
    for energy in energies:
        if np.sum(known == energy) != 1:
            offered = ", ".join(str(one) for one in known)
            raise ReferenceFault(
                f"{apcorr.meta.source}: {energy}% encircled energy is not there once; it has {offered}"
            )
    chosen = rows[[int(np.flatnonzero(known == energy)[0]) for energy in energies]]
    ratio = float(meta.get("PXSCLRT") or 1.0)
    return Circles(
        energies=tuple(energies),
        radii=tuple(float(radius) / ratio for radius in chosen["radius"]),
        corrections=tuple(float(correction) for correction in chosen["apcorr"]),
        inner=_common(chosen["skyin"], apcorr) / ratio,
        outer=_common(chosen["skyout"], apcorr) / ratio,
    )


def vega_offset(meta: Meta, abvegaoffset: AbVegaOffset) -> float:
    """Return m_AB − m_Vega for the filter (and pupil or detector) of an image; CannotRun where the file lacks it."""
    table = abvegaoffset.tree["abvega_offset"]
    rows = _rows(meta, table, table.colnames, abvegaoffset.meta.source)
    return float(rows["abvega_offset"][0])


def _rows(meta: Meta, table: Any, names: Sequence[str], source: str) -> Any:
    """The rows for this optical configuration, told by those columns of _SELECTORS that the table has."""
    wanted = {name: str(meta.get(name.upper(), "")).strip() for name in _SELECTORS if name in names}
    fits = np.ones(len(table), dtype=bool)
    for name, value in wanted.items():
        fits &= np.array([str(one).strip() for one in table[name]]) == value
    if not fits.any():
        configuration = ", ".join(f"{name.upper()}={value}" for name, value in wanted.items())
        raise CannotRun(f"{source} has no row for {configuration}")
    return table[fits]


def _common(values: np.ndarray, apcorr: Apcorr) -> float:
    if len(np.unique(values)) > 1:
        raise ReferenceFault(f"{apcorr.meta.source}: the background annulus differs between the encircled energies")
    return float(values[0])
