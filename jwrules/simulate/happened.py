"""What happened in the ramps of an exposure, noted down group by group, as tables."""

from __future__ import annotations

import numpy as np
from astropy.io import fits

from jwrules.simulate.ramps import Group

JUMP = [("integration", "i4"), ("group", "i4"), ("y", "i4"), ("x", "i4"), ("electrons", "f4"), ("is_large", "?")]
SATURATED = [("integration", "i4"), ("y", "i4"), ("x", "i4"), ("partly", "i4"), ("wholly", "i4")]


class Diary:
    """Takes the groups of an exposure in their order; everything is counted from 0."""

    def __init__(self, shape: tuple[int, int], groups: int) -> None:
        self._shape, self._groups = shape, groups
        self._cosmic: list[np.ndarray] = []
        self._large: list[np.ndarray] = []
        self._touched: list[np.ndarray] = []
        self._saturated: list[np.ndarray] = []
        self._partly = self._wholly = np.zeros(shape, np.int32)

    def note(self, integration: int, number: int, group: Group) -> None:
        """Take down what came to a group."""
        self._cosmic.append(group.cosmic)
        self._large.append(group.large)
        self._touched.append(group.touched)
        if number == 0:
            self._partly, self._wholly = (np.full(self._shape, self._groups, np.int32) for _ in range(2))
        for first, full in ((self._partly, group.partly), (self._wholly, group.wholly)):
            np.minimum(first, number, out=first, where=full)
        if number == self._groups - 1:
            self._saturated.append(self._rows(integration))

    def _rows(self, integration: int) -> np.ndarray:
        y, x = np.nonzero(self._partly < self._groups)
        rows = np.zeros(len(y), SATURATED)
        rows["integration"], rows["y"], rows["x"] = integration, y, x
        rows["partly"], rows["wholly"] = self._partly[y, x], self._wholly[y, x]
        return rows

    def tables(self) -> list[fits.BinTableHDU]:
        """Return COSMIC, LARGE, TOUCHED, JUMPS and SATURATED (see `truth.write_ramps`)."""
        cosmic, touched = (np.concatenate(parts) for parts in (self._cosmic, self._touched))
        large, saturated = (np.concatenate(parts) for parts in (self._large, self._saturated))
        found = {"COSMIC": cosmic, "LARGE": large, "TOUCHED": touched, "JUMPS": jumps(cosmic, touched, self._shape)}
        return [fits.BinTableHDU(rows, name=name) for name, rows in (found | {"SATURATED": saturated}).items()]


def jumps(cosmic: np.ndarray, touched: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return one row for each pixel and group to which charge came, however often."""
    parts = [(cosmic, np.zeros(len(cosmic), bool)), (touched, np.ones(len(touched), bool))]
    fields = ("integration", "group", "y", "x")
    places = np.concatenate([np.transpose([rows[name] for name in fields]) for rows, _ in parts]).astype(np.int64)
    electrons = np.concatenate([rows["electrons"] for rows, _ in parts])
    is_large = np.concatenate([large for _, large in parts])
    key = (places[:, 0] << 16 | places[:, 1]) * (shape[0] * shape[1]) + places[:, 2] * shape[1] + places[:, 3]
    _, first, owner = np.unique(key, return_index=True, return_inverse=True)
    rows = np.zeros(len(first), JUMP)
    for name, values in zip(fields, places[first].T, strict=True):
        rows[name] = values
    rows["electrons"] = np.bincount(owner, electrons, len(first))
    rows["is_large"] = np.bincount(owner, is_large, len(first)) > 0
    return rows
