"""An exposure that may be larger than memory: what is kept of it, and the blocks that are cut out of it.

Small things are kept whole: maps of the detector, notes, counts, keywords. The groups are read from the file again
whenever blocks are cut, unless they are kept in `rooms`, in memory or in a scratch file.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from jwrules.products import fits
from jwrules.products.kinds import Cards, Meta, Note, Product, Ramp
from jwrules.products.rooms import Memory, Packed, Room
from jwrules.products.side_by_side import side_by_side
from jwrules.products.stored import Source
from jwrules.products.stripes import is_superstriped
from jwrules.stages.boxes import Box, Seam

log = logging.getLogger("jwrules")

CARRIED = "refout"
"""A field of a Ramp that no step sees."""
AXES = {name: where.axes for name, where in fits.declared(Ramp).items() if name != CARRIED} | {"left_out": "ig"}
LARGE = tuple(name for name, axes in AXES.items() if {"i", "y"} <= set(axes))
"""Fields of a Ramp that hold frames for every integration."""
MAPS = tuple(name for name in AXES if name not in LARGE)
MakeRoom = Callable[[tuple[int, ...], str], Room]
_PLACE = {"SUBSTRT1": ("x", 0), "SUBSTRT2": ("y", 0), "SUBSIZE1": ("x", 1), "SUBSIZE2": ("y", 1)}


@dataclass
class Exposure:
    """An exposure between its steps: `sources` are its arrays on disk, `rooms` those that are kept by name of field."""

    meta: Meta
    tables: Mapping[str, Any]
    provenance: Mapping[str, Any]
    shape: tuple[int, int, int, int]
    sources: Mapping[str, Source]
    rooms: dict[str, Room] = field(default_factory=dict)
    maps: dict[str, np.ndarray] = field(default_factory=dict)
    notes: dict[str, dict[str, Note]] = field(default_factory=dict)
    counts: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock, self._buffers = threading.Lock(), threading.local()
        self._start, self.bare = dict(self.maps), self.meta
        self._resized: dict[str, Any] = {}
        self._resized_maps: set[str] = set()
        self._seams: list[Seam] = []
        self._frozen: dict[str, Packed] = {}

    @property
    def frame(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.shape[-2], self.shape[-1]

    def begin(self, *, blocks: int = 2) -> None:
        """Let blocks that are cut from now on, so many, have maps and keywords as they are now, `bare` of comments."""
        self._start = {name: array.copy() if blocks > 1 else array for name, array in self.maps.items()}
        primary, sci = (Cards((k, header[k]) for k in header if k) for header in (self.meta.primary, self.meta.sci))
        self.bare = replace(self.meta, primary=primary, sci=sci)

    def block(self, box: Box, stored: Sequence[str], *, first: bool = True, without_data: bool = False) -> Product:
        """Return a block, its fields in `stored` as they are kept, the others as they were read from the file.

        Only the `first` one has a header with comments. One that is `without_data` has zeros, which take no memory.
        """
        wanted = ("groupdq",) if without_data else LARGE
        values: dict[str, Any] = {name: self._large(name, box, name in stored) for name in wanted}
        if without_data:
            values["data"] = np.broadcast_to(np.float32(0), values["groupdq"].shape)
        if values["groupdq"] is None:
            values["groupdq"] = self._no_flags(box)
        maps: dict[str, Any] = {name: array[box.of(AXES[name])].copy() for name, array in self._start.items()}
        corner = (box.i.start, box.y.start, box.x.start)
        tables = {name: self._rows(name, table, box) for name, table in self.tables.items()}
        return Ramp(
            meta=self._placed(self.meta if first else self.bare, box),
            tables=tables,
            provenance=self.provenance,
            corner=corner,
            own=box.own,
            **values,
            **maps,
        )

    def _no_flags(self, box: Box) -> np.ndarray:
        room = self.rooms.get("groupdq")
        lent = isinstance(room, Memory) and self._is_whole(box)
        flags = room.read(box.of("igyx")) if room and lent else self._buffer("groupdq", box)
        flags[...] = 0
        return flags

    def _large(self, name: str, box: Box, kept: bool) -> Any:
        index, room, source = box.of(AXES[name]), self.rooms.get(name), self.sources.get(name)
        if kept:
            return None if room is None else self._unmended(name, box)
        if source is None:
            return None
        values = room.read(index) if isinstance(room, Memory) and self._is_whole(box) else self._buffer(name, box)
        source.fill(values, index)
        return values

    def _buffer(self, name: str, box: Box) -> np.ndarray:
        """Return room for a field of a block: that of the last one of this thread, which is done with it."""
        dtype = np.dtype(fits.declared(Ramp)[name].dtype)
        sizes = {"i": box.i, "y": box.y, "x": box.x}
        shape = [
            sizes[letter].stop - sizes[letter].start if letter in sizes else self.shape[1] for letter in AXES[name]
        ]
        buffers = self._buffers.__dict__
        if name not in buffers or buffers[name].size < prod(shape):
            buffers[name] = np.empty(prod(shape), dtype)
        return np.asarray(buffers[name][: prod(shape)].reshape(shape))

    def forget(self) -> None:
        """Give back the room for fields of a block that this thread has: others go on."""
        self._buffers.__dict__.clear()

    def flags(self, box: Box) -> np.ndarray:
        """Return GROUPDQ of a block as it is kept."""
        return self._unmended("groupdq", box)

    def _unmended(self, name: str, box: Box) -> np.ndarray:
        """Return a kept piece, its margin as it was before blocks beside it were put back."""
        room, index = self._frozen.get(name, self.rooms[name]), box.of(AXES[name])
        piece = room.read(index, self._buffer(name, box)) if isinstance(room, Packed) else room.read(index)
        if isinstance(room, Memory) and not self._is_whole(box) and np.may_share_memory(piece, room.array):
            piece = piece.copy()  # other blocks come for what is margin here
        for seam in self._seams:
            seam.mend(name, piece, box)
        return piece

    def sew(self, boxes: Sequence[Box], margin: int, names: Sequence[str]) -> None:
        """Remember what lies along the edges of blocks, for those that need it as their margin."""
        ny, nx = self.frame
        whole = Box(slice(0, self.shape[0]), slice(0, ny), slice(0, nx))
        packed = {name: room for name, room in self.rooms.items() if name in names and isinstance(room, Packed)}
        self._frozen = {name: room.as_it_is() for name, room in packed.items()}
        self._seams, names = [], [name for name in names if name in self.rooms and name not in packed]
        if not names:
            return
        for axis in ("y", "x"):
            size = self.frame[0 if axis == "y" else 1]
            for edge in sorted({getattr(box.without_margin(), axis).start for box in boxes} - {0}):
                near = slice(max(edge - margin, 0), min(edge + margin, size))
                strip = replace(whole, y=near) if axis == "y" else replace(whole, x=near)
                kept = {name: self.rooms[name].read(strip.of(AXES[name])).copy() for name in names}
                self._seams.append(Seam(axis, edge, strip, kept))

    def _is_whole(self, box: Box) -> bool:
        """Whether a block has all pixels to itself: one that needs its margin to hold them all has not."""
        own = box.without_margin()
        return (own.y, own.x) == tuple(slice(0, size) for size in self.frame)

    def _rows(self, name: str, table: Any, box: Box) -> Any:
        return table[box.i] if name == "INT_TIMES" and len(table) == self.shape[0] else table

    def _placed(self, meta: Meta, box: Box) -> Meta:
        """Return the keywords of a block, which is a subarray and a segment of its own."""
        primary = meta.primary
        place = {"y": box.y, "x": box.x}
        keywords: dict[str, Any] = {}
        for keyword, (axis, is_size) in _PLACE.items():
            if keyword in primary:
                one = place[axis]
                keywords[keyword] = one.stop - one.start if is_size else primary[keyword] + one.start
        first = int(meta.get("INTSTART", 1))
        keywords |= {"INTSTART": first + box.i.start, "INTEND": first + box.i.stop - 1}
        return meta.updated(**keywords)

    def unplaced(self, meta: Meta) -> Meta:
        """Return keywords of a block as keywords of the exposure."""
        primary = meta.primary.copy()
        place = () if self._is_put_together(meta) else tuple(_PLACE)
        for keyword in (*place, "INTSTART", "INTEND"):
            if keyword in self.meta.primary:
                primary[keyword] = self.meta.primary[keyword]
            elif keyword in primary:
                del primary[keyword]
        return replace(meta, primary=primary)

    def _is_put_together(self, meta: Meta) -> bool:
        """Whether superstripes have become frames of the detector in a block since it was cut out."""
        return is_superstriped(self.bare) and not is_superstriped(meta)

    def keep(self, ramp: Ramp, box: Box, names: Sequence[str], make_room: MakeRoom) -> None:
        """Keep these fields of a block; `make_room` is called where a step gave frames of another size."""
        inner = box.without_margin()
        for name in names:
            value = getattr(ramp, name)
            if value is None or not value.flags.writeable:
                continue
            index, part = inner.of(AXES[name]), value[box.inner(AXES[name])]
            if self._is_resized(ramp, box):
                shape = (*self.shape[: value.ndim - 2], *value.shape[-2:])
                with self._lock:
                    room = self._resized.setdefault(name, None) or make_room(shape, value.dtype.str)
                    self._resized[name] = room
                if isinstance(room, Memory) and value.shape == shape:
                    room.array = value
                    continue
                room.write((inner.i, *[slice(None)] * (value.ndim - 1)), value)
            else:
                self.rooms[name].write(index, part)

    def _is_resized(self, ramp: Ramp, box: Box) -> bool:
        size = (box.y.stop - box.y.start, box.x.stop - box.x.start)
        return ramp.pixeldq.shape != size or self._is_put_together(ramp.meta)

    def end(self) -> None:
        """Go on with the frames that the steps of a leg gave, which may be of another size."""
        self.shape = (*self.shape[:2], *self.maps["pixeldq"].shape)
        for name, room in self._resized.items():
            self.rooms[name].close()
            self.rooms[name] = room
        self._resized, self._seams, self._frozen = {}, [], {}
        self._resized_maps.clear()

    def close(self) -> None:
        """Give back what was kept."""
        for room in self.rooms.values():
            room.close()

    def absorb(self, ramp: Ramp, box: Box) -> None:
        """Take over the maps of a block."""
        with self._lock:
            resized = self._is_resized(ramp, box)
            for name in MAPS:
                value = getattr(ramp, name)
                if value is not None:
                    self._absorb_map(name, value, box, resized and "x" in AXES[name])

    def _absorb_map(self, name: str, value: np.ndarray, box: Box, resized: bool) -> None:
        axes, whole = AXES[name], self.maps.get(name)
        if resized:
            again = name in self._resized_maps and name == "pixeldq"
            self.maps[name] = value | self.maps[name] if again else value.copy()
            self._resized_maps.add(name)
            return
        if whole is None:
            whole = self.maps[name] = np.zeros(self._sizes(axes, value), value.dtype)
        index, part = box.without_margin().of(axes), value[box.inner(axes)]
        whole[index] = whole[index] | part if name == "pixeldq" else part

    def _sizes(self, axes: str, value: np.ndarray) -> tuple[int, ...]:
        sizes = dict(zip("igyx", self.shape, strict=True))
        return tuple(sizes.get(letter, size) for letter, size in zip(axes, value.shape, strict=True))

    def note(self, step: str, notes: Mapping[str, Note], box: Box) -> None:
        """Take over the notes of a block."""
        with self._lock:
            kept = self.notes.setdefault(step, {})
            for name, note in notes.items():
                if note.axes == ">" and name in kept:
                    kept[name] = Note(np.maximum(kept[name].array, note.array), ">")
                    continue
                if name not in kept or not set(note.axes) & set("iyx"):
                    array = np.zeros(self._sizes(note.axes, note.array), note.array.dtype)
                    kept[name] = Note(array, note.axes)
                index = box.without_margin().of(note.axes)
                kept[name].array[index] = note.array[box.inner(note.axes)]

    def noted(self, step: str, box: Box) -> dict[str, Note]:
        """Return the notes of a step, cut to a block."""
        return {name: Note(note.array[box.of(note.axes)], note.axes) for name, note in self.notes.get(step, {}).items()}

    def count(self, step: str, counts: Mapping[str, float]) -> None:
        """Add the counts of a block."""
        with self._lock:
            sums = self.counts.setdefault(step, {})
            for name, number in counts.items():
                sums[name] = sums.get(name, 0) + number


def opened(path: Path) -> Exposure:
    """Return the exposure in the file at `path`, nothing of its groups read yet; DataFault as `products.fits.read`.

    First frames that its header promises and that are not there are only warned of: few ramps need them.
    """
    about = side_by_side(fits.described(path, Ramp), path)
    maps = {"pixeldq": np.zeros(about.sources["data"].shape[-2:], np.uint32)}
    for name in MAPS:
        if name in about.sources:
            maps[name] = about.sources[name].read((), fits.declared(Ramp)[name].dtype)
    if about.meta.get("ZEROFRAM") is True and "zeroframe" not in about.sources:
        log.warning("%s: ZEROFRAM is T, but there is no extension ZEROFRAME: nothing is known of first frames", path)
    return Exposure(about.meta, about.tables, about.provenance, about.sources["data"].shape, about.sources, maps=maps)  # type: ignore[arg-type]
