"""Differences of a science array in units of its error, by class of the flags."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from jwrules.errors import DataFault
from jwrules.products.flags import DQ
from jwrules.products.stored import Stored
from jwrules.report.comparison.opened import Box, Key, Opened, boxes, called, piece
from jwrules.report.comparison.results import Flag, Science
from jwrules.report.comparison.tally import Tally, together, unequal

ERROR_OF = {"SCI": "ERR", "SLOPE": "SIGSLOPE", "YINT": "SIGYINT"}
FLAGS = ("DQ", "PIXELDQ", "GROUPDQ")
BY_FLAGS = ("good in both", "flagged in A only", "flagged in B only", "same flags in both", "other flags in each")
BY_WEIGHT = ("seen in both", "seen in A only", "seen in B only", "seen in neither")
ALL = ("all",)

Watch = Callable[[Box, np.ndarray, np.ndarray], None]
"""Is shown each piece: where it is, its differences in units of the error (NaN without), its classes."""


@dataclass(frozen=True)
class Asked:
    """How differences are judged: up to `tolerance` errors are equal; `independent` adds the errors of both."""

    tolerance: float = 0.0
    independent: bool = False


@dataclass
class _Sums:
    tallies: list[Tally]
    flags: Counter[tuple[int, int]] = field(default_factory=Counter)
    only_a: int = 0
    only_b: int = 0
    bare: int = 0
    bare_differ: int = 0


def is_science(key: Key, file: Opened) -> bool:
    """Return whether an array is compared in units of an error: not where it holds labels."""
    return key[0] in ERROR_OF and not (file.arrays[key].dtype.kind != "f" and file.arrays[key].dtype.itemsize > 2)


def used_with(key: Key, a: Opened, b: Opened) -> set[Key]:
    """Return the arrays of flags that are counted along with this science array."""
    both = {(name, key[1]) for name in FLAGS if key[0] == "SCI"}
    return {one for one in both if one in a.arrays and one in b.arrays}


def compare(key: Key, a: Opened, b: Opened, asked: Asked, watch: Watch | None = None) -> tuple[Science, np.ndarray]:
    """Return the differences of one science array, and the distribution of them all (see kernels.distribution)."""
    shape = a.arrays[key].shape
    unit, errors = _errors(key, a, b, asked)
    labels, classes = _classes(key, a, b)
    sums = _Sums([Tally() for _ in labels])
    for box in boxes(shape):
        one, two = piece(a.arrays[key], box), piece(b.arrays[key], box)
        kind = np.broadcast_to(classes(box, sums), one.shape)
        pulls = _add(sums, box, one, two, errors(box), kind, asked)
        if watch is not None:
            watch(box, pulls, kind)
    everything = together(sums.tallies)
    rows = [everything.row("all"), unequal(everything).row("unequal")]
    rows += [tally.row(label) for tally, label in zip(sums.tallies, labels, strict=True) if label not in ALL]
    flags = tuple(_flags(sums.flags))
    return (
        Science(called(key), unit, tuple(rows), flags, sums.only_a, sums.only_b, sums.bare, sums.bare_differ),
        everything.counts,
    )


def _add(
    sums: _Sums, box: Box, a: np.ndarray, b: np.ndarray, error: np.ndarray | None, kind: np.ndarray, asked: Asked
) -> np.ndarray:
    """Add a piece to the sums; return its differences in units of the error, NaN where there are none."""
    has_a, has_b, compared = ~np.isnan(a), ~np.isnan(b), np.isfinite(a) & np.isfinite(b)
    usable = compared if error is None else compared & np.isfinite(error) & (error > 0)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        difference = a - b
        pulls = np.where(usable, difference if error is None else difference / error, np.nan)
        allowed = asked.tolerance * (np.abs(a) if error is None else np.where(usable, error, 0))
        differ = np.where(compared, np.abs(difference) > allowed, has_a & has_b & (a != b))
    for number, tally in enumerate(sums.tallies):
        chosen = kind == number
        tally.number(chosen, has_a & has_b, differ)
        tally.add(box, pulls, chosen)
    sums.only_a += int(np.count_nonzero(has_a & ~has_b))
    sums.only_b += int(np.count_nonzero(has_b & ~has_a))
    sums.bare += int(np.count_nonzero(compared & ~usable))
    sums.bare_differ += int(np.count_nonzero(differ & ~usable))
    return pulls


def _errors(key: Key, a: Opened, b: Opened, asked: Asked) -> tuple[str, Callable[[Box], np.ndarray | None]]:
    """Return the unit of the differences, and what gives the error of a piece."""
    name = (ERROR_OF[key[0]], key[1])
    having = [file for file in (a, b) if name in file.arrays]
    if not having:
        return str(a.headers[key].get("BUNIT") or "its own unit"), lambda box: None
    if asked.independent and len(having) == 2:
        one, two = (_fitting(file, name, key) for file in having)
        return f"sqrt({name[0]} of A² + {name[0]} of B²)", lambda box: np.hypot(_part(one, box), _part(two, box))
    only = _fitting(having[0], name, key)
    return f"{name[0]} of {'A' if having[0] is a else 'B'}", lambda box: _part(only, box)


def _fitting(file: Opened, name: Key, key: Key) -> Stored:
    """Return an array that belongs to a science array: it has the same last axes."""
    array, shape = file.arrays[name], file.arrays[key].shape
    if array.shape != shape[len(shape) - len(array.shape) :]:
        raise DataFault(
            f"{file.path}[{name[0]}]: shape {array.shape}, which does not go with {key[0]} of {shape};"
            " the file is damaged"
        )
    return array


def _part(array: Stored, box: Box) -> np.ndarray:
    return piece(array, box[len(box) - len(array.shape) :])


def _classes(key: Key, a: Opened, b: Opened) -> tuple[Sequence[str], Callable[[Box, _Sums], np.ndarray]]:
    """Return the labels of the classes, and what tells which class each pixel of a piece belongs to."""
    flags, weight = sorted(used_with(key, a, b)), ("WHT", key[1])
    if flags:
        mine, other = ([_fitting(file, name, key) for name in flags] for file in (a, b))
        return BY_FLAGS, lambda box, sums: _by_flags(_or(mine, box), _or(other, box), sums.flags)
    if weight in a.arrays and weight in b.arrays:
        one, two = (_fitting(file, weight, key) for file in (a, b))
        return BY_WEIGHT, lambda box, sums: _by_weight(_part(one, box), _part(two, box))
    return ALL, lambda box, sums: np.zeros((), np.int8)


def _or(arrays: Sequence[Stored], box: Box) -> np.ndarray:
    """Return all flags of a piece."""
    flags = [array.read(box[len(box) - len(array.shape) :], np.uint32) for array in arrays]
    whole: np.ndarray = flags[0] if len(flags) == 1 else flags[0] | flags[1]
    return np.broadcast_to(whole, [one.stop - one.start for one in box])


def _by_flags(a: np.ndarray, b: np.ndarray, counted: Counter[tuple[int, int]]) -> np.ndarray:
    kind = (a != 0).astype(np.int8) + 2 * (b != 0)
    kind[(kind == 3) & (a != b)] = 4
    pairs = (a.astype(np.uint64) << np.uint64(32) | b)[kind > 0]
    for pair, number in zip(*np.unique(pairs, return_counts=True), strict=True):
        counted[int(pair) >> 32, int(pair) & 0xFFFFFFFF] += int(number)
    return kind


def _by_weight(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.select([(a > 0) & (b > 0), a > 0, b > 0], [0, 1, 2], 3).astype(np.int8)


def _flags(pairs: Counter[tuple[int, int]]) -> list[Flag]:
    """Return how often each flag that occurs is set in both, in A only, in B only."""

    def number(bit: int, wanted: tuple[bool, bool]) -> int:
        return sum(n for (a, b), n in pairs.items() if (bool(a & bit), bool(b & bit)) == wanted)

    found = [Flag(str(f.name), number(f, (True, True)), number(f, (True, False)), number(f, (False, True))) for f in DQ]
    return [flag for flag in found if flag.both or flag.only_a or flag.only_b]
