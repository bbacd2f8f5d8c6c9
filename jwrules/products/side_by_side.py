"""Superstripe exposures on disk, read with the frames of a round side by side: see `superstripes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits as astropy_fits

from jwrules.errors import CannotRun, DataFault
from jwrules.products import lines
from jwrules.products.fits import Described
from jwrules.products.kinds import Meta
from jwrules.products.stored import Source
from jwrules.products.stripes import readout_of, stripes_of


@dataclass(frozen=True)
class SideBySide:
    """An array on disk, (n, ..., rows, columns), with the frames of `count` integrations side by side along `axis`."""

    source: Source
    count: int
    axis: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape as the steps see it."""
        shape = list(self.source.shape)
        shape[0] //= self.count
        shape[self.axis] *= self.count
        return tuple(shape)

    def read(self, box: Sequence[slice] = (), dtype: Any = np.float32) -> np.ndarray:
        """Return the piece in `box`, whole along axes that it does not name last, as a native array."""
        values = np.empty([stop - start for start, stop in lines.bounds(box, self.shape)], dtype)
        self.fill(values, box)
        return values

    def fill(self, values: np.ndarray, box: Sequence[slice] = ()) -> None:
        """Write the piece in `box` into `values`, of the same shape."""
        limits, size = lines.bounds(box, self.shape), self.source.shape[self.axis]
        inner = [slice(*limit) for limit in limits]
        (first, last), (start, stop) = limits[0], limits[self.axis]
        for integration in range(first, last):
            for number in range(start // size, -(-stop // size)):
                low, high = max(start, number * size), min(stop, (number + 1) * size)
                inner[0] = slice(integration * self.count + number, integration * self.count + number + 1)
                inner[self.axis] = slice(low - number * size, high - number * size)
                place = [slice(None)] * (values.ndim - 1)
                place[self.axis] = slice(low - start, high - start)
                values[integration - first][tuple(place)] = self.source.read(inner, values.dtype)[0]


def side_by_side(about: Described, path: Path) -> Described:
    """Return a superstripe exposure with the frames of a round side by side, any other one as it is.

    NINTS, INTSTART and INTEND count rounds, as does INT_TIMES; INT_TIMES_STRIPE has the times of the file.

    Raises HeaderFault where the stripes of any exposure do not fill its frames, DataFault for a file that begins or
    ends within a round, CannotRun for frames that read their stripe several times.
    """
    shape, count = about.sources["data"].shape, int(about.meta.get("SSTR_NST") or 0)
    if not count:
        stripes_of(about.meta, shape)
        return about
    axis = -2 if abs(readout_of(about.meta).slow) == 2 else -1
    sources = {name: SideBySide(source, count, axis) for name, source in about.sources.items()}
    stripes_of(about.meta, sources["data"].shape)
    _refuse_repeats(about.meta, shape[axis], path)
    if shape[0] % count:
        raise DataFault(
            f"{path}: {shape[0]} integrations are no whole number of rounds of SSTR_NST = {count} superstripes; the"
            " file is damaged, or was cut within a round: get it again"
        )
    if ((start := int(about.meta.get("INTSTART") or 1)) - 1) % count:
        raise DataFault(
            f"{path}: INTSTART = {start} is not the first of a round of SSTR_NST = {count} superstripes, so that lines"
            " would be put where others lie; the file was cut within a round: get it again, or correct INTSTART"
        )
    rounds = {key: -(-int(about.meta[key]) // count) for key in ("NINTS", "INTSTART", "INTEND") if about.meta.get(key)}
    return replace(about, meta=about.meta.updated(**rounds), tables=dict(_times(about.tables, count)), sources=sources)


def _refuse_repeats(meta: Meta, size: int, path: Path) -> None:
    """Refuse frames in which the readout comes back to its stripe: those are several reads, not evenly spaced."""
    readout = readout_of(meta)
    once = readout.reads1 + readout.reads2
    if size > once:
        raise CannotRun(
            f"{path}: a frame of {size} lines reads its superstripe of MSTR_RD1 = {readout.reads1} and MSTR_RD2 ="
            f" {readout.reads2} lines {size // once} times (SUBARRAY = {meta.get('SUBARRAY')}); such ramps, whose reads"
            " are not evenly spaced, cannot be calibrated yet: use the official pipeline for this exposure"
        )


def _times(tables: Mapping[str, Any], count: int) -> Iterator[tuple[str, Any]]:
    """Yield the tables with INT_TIMES of rounds, from the start of their first to the end of their last integration."""
    for name, table in tables.items():
        if name != "INT_TIMES":
            yield name, table
            continue
        before, times = table["integration_number"] - 1, [one for one in table.names if one.startswith("int_")]
        whole = table[: len(table) // count * count]
        first, last = whole[::count], whole[count - 1 :: count]
        rounds = {"integration_number": before[: len(whole) : count] // count + 1}
        rounds |= {one: _of_round(one, first, last) for one in times}
        yield name, _table(rounds)
        numbers = {"integration_number": before // count + 1, "stripe_number": before % count + 1}
        yield "INT_TIMES_STRIPE", _table({**numbers, **{one: table[one] for one in times}})


def _of_round(column: str, first: Any, last: Any) -> np.ndarray:
    """Return int_start_, int_mid_ or int_end_... of rounds, from rows of their first and last integration."""
    _, which, scale = column.split("_", 2)
    start, end = np.asarray(first[f"int_start_{scale}"]), np.asarray(last[f"int_end_{scale}"])
    return {"start": start, "mid": (end - start) / 2 + start, "end": end}[which]


def _table(columns: Mapping[str, np.ndarray]) -> Any:
    kinds = [(name, "f8" if values.dtype.kind == "f" else "i4") for name, values in columns.items()]
    table = np.empty(len(next(iter(columns.values()))), kinds)
    for name, values in columns.items():
        table[name] = values
    return astropy_fits.BinTableHDU(table).data
