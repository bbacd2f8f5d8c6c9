"""What is added up over the pieces of an array for one class of pixels."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from jwrules.kernels import distribution
from jwrules.report.comparison.opened import Box
from jwrules.report.comparison.results import Place, Row


@dataclass
class Tally:
    """Numbers of pixels, the distribution of their values, and the one that is farthest from 0 with its place."""

    pixels: int = 0
    compared: int = 0
    differ: int = 0
    counts: np.ndarray = field(default_factory=distribution.none)
    largest: float = np.nan
    where: Place | None = None

    def add(self, box: Box, values: np.ndarray, chosen: np.ndarray) -> None:
        """Count the chosen pixels of a piece; those whose value is NaN have none."""
        places = np.flatnonzero(chosen)
        found = values.reshape(-1)[places]
        places, found = places[~np.isnan(found)], found[~np.isnan(found)]
        if not len(found):
            return
        distribution.add(self.counts, found)
        farthest = np.argmax(np.abs(found))
        if not abs(self.largest) >= abs(found[farthest]):
            self.largest, self.where = float(found[farthest]), place(box, int(places[farthest]))

    def number(self, pixels: np.ndarray, compared: np.ndarray, differ: np.ndarray) -> None:
        """Count the pixels of a class, those that have a value in both, and those of them that differ."""
        self.pixels += int(np.count_nonzero(pixels))
        self.compared += int(np.count_nonzero(pixels & compared))
        self.differ += int(np.count_nonzero(pixels & differ))

    def row(self, label: str) -> Row:
        """Return what was added up."""
        where = self.where if self.largest else None
        median, low, high = map(float, distribution.quantiles(self.counts, [0.5, 0.05, 0.95]))
        sigma = distribution.robust_sigma(self.counts)
        return Row(label, self.pixels, self.compared, self.differ, median, sigma, low, high, self.largest, where)


def together(tallies: list[Tally]) -> Tally:
    """Return the tally of all pixels from those of the classes."""
    farthest = max(tallies, key=lambda one: -1 if one.where is None else abs(one.largest))
    return Tally(
        sum(one.pixels for one in tallies),
        sum(one.compared for one in tallies),
        sum(one.differ for one in tallies),
        np.sum([one.counts for one in tallies], axis=0),
        farthest.largest,
        farthest.where,
    )


def unequal(tally: Tally) -> Tally:
    """Return the tally without the pixels whose values are exactly equal."""
    counts = distribution.without_zero(tally.counts)
    number = int(counts.sum())
    found = tally.largest != 0 and number > 0
    return Tally(
        number, number, tally.differ, counts, tally.largest if found else np.nan, tally.where if found else None
    )


def place(box: Box, number: int) -> Place:
    """Return where in the array the element of a piece with this number, counted along its rows, stands."""
    within = np.unravel_index(number, [one.stop - one.start for one in box])
    return tuple(int(one.start + k) for one, k in zip(box, within, strict=True))
