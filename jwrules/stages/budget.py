"""How large blocks may be, and what is kept between the legs of a chain, for a given memory.

Both decide on memory and time, never on results.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jwrules.errors import CannotRun
from jwrules.products.interleaved import DETECTOR, is_interleaved, layout_of
from jwrules.products.rooms import Memory, Packed, Room, Scratch
from jwrules.products.stripes import is_superstriped
from jwrules.stages import legs
from jwrules.stages.exposure import Exposure
from jwrules.stages.legs import Leg

MEGABYTE = 2**20
USUAL = 820
"""Megabytes that a stage takes where nobody says how many it may, and an integration fits."""
BASE = 240
"""Megabytes of Python with its libraries."""
FRAME = 45
"""Bytes for each pixel of the detector: flags, and the reference files of steps that need whole frames."""
SPECTRA = 40
"""More bytes for each pixel of frames in IRS2 readout (NIRSpec): outputs wave by wave, and their weights."""
SAMPLE = 5
"""Bytes of a group of a pixel: its counts and its flags."""
WORKED_ON = 6
"""Bytes of a group of a pixel in a block that is being worked on."""
RAMP = 300
"""Bytes of a pixel in a block besides: reference files and what they are turned into."""
INTEGRATION = 40
"""Bytes of an integration of a pixel in a block besides: its rate, errors and flags."""
BLOCK = 48 * MEGABYTE
"""What a block is not to exceed without need: caches are small."""
LEAST_ROWS = 8
ROOMS = 256 * MEGABYTE
"""What is kept in memory at most where nobody says how much there is, and it can be had again."""


@dataclass(frozen=True)
class Budget:
    """`memory` of the process in megabytes, `threads` that work at once, `scratch`: the folder of large files.

    `beside` are the bytes for each group of a pixel of what steps give beside a block of whole frames.
    """

    memory: int | None = None
    threads: int = 1
    scratch: Path | None = None
    beside: int = 0

    def _free(self, exposure: Exposure) -> int:
        rooms = sum(room.array.nbytes for room in exposure.rooms.values() if isinstance(room, Memory))
        return self._allowed(exposure) * MEGABYTE - BASE * MEGABYTE - self._maps(exposure) - rooms

    def _maps(self, exposure: Exposure) -> int:
        ny, nx = exposure.frame
        return ny * nx * (FRAME + (SPECTRA if is_interleaved(exposure.meta) else 0))

    def _allowed(self, exposure: Exposure) -> int:
        """Return the megabytes that the process may take."""
        _, ngroups, ny, nx = exposure.shape
        one = ngroups * ny * nx * (2 * SAMPLE + self.beside) + self._maps(exposure) + 2 * BLOCK
        return self.memory or max(USUAL, BASE + -(-one // MEGABYTE))

    def kept(self, exposure: Exposure, route: Sequence[Leg]) -> tuple[str, ...]:
        """Return which fields are kept between legs, and make room for them.

        In memory if there is enough, for frames of both sizes where their size changes; else what cannot be had again
        by going through the steps once more goes to a file.
        """
        if len(route) < 2:
            return ()
        nints, ngroups, ny, nx = exposure.shape
        samples, free = nints * ngroups * ny * nx, self._free(exposure)
        data, flags = (self._is_lost(exposure, route, what) for what in ("data", "flags"))
        shapes: dict[str, tuple[tuple[int, ...], str]] = {
            "data": (exposure.shape, "f4"),
            "groupdq": (exposure.shape, "u1"),
        }
        if "zeroframe" in exposure.sources:
            shapes["zeroframe"] = ((nints, ny, nx), "f4")
        if any(turn.step.name == "err_init" and turn.part for leg in route for turn in leg.turns):
            shapes["err"] = (exposure.shape, "f4")
        twice = 1 + DETECTOR / ny if layout_of(exposure.meta, exposure.frame) else 1
        twice += is_superstriped(exposure.meta)
        size = twice * samples * SAMPLE
        blocks = max(self.threads * BLOCK, ngroups * ny * nx * self.beside)
        enough = size + blocks <= free and (bool(self.memory) or data or size <= ROOMS)
        if not (enough or data):
            exposure.rooms |= {"groupdq": Packed(exposure.shape, self.scratch)} if flags else {}
            return tuple(exposure.rooms)
        for name, (shape, dtype) in shapes.items():
            exposure.rooms[name] = self.room(shape, dtype, in_memory=enough)
        return tuple(shapes)

    def _is_lost(self, exposure: Exposure, route: Sequence[Leg], what: str) -> bool:
        """Whether some leg needs what an earlier one did, and cannot do it again."""
        done = [leg.turns for leg in route]
        return any(
            not legs.again([t for turns in done[:k] for t in turns], leg, exposure.meta, what)
            for k, leg in enumerate(route)
        )

    def room(self, shape: Sequence[int], dtype: str, *, in_memory: bool) -> Room:
        """Return room for an array."""
        return Memory(shape, dtype) if in_memory else Scratch(shape, dtype, self.scratch)

    def integrations(self, exposure: Exposure) -> int:
        """Return how many integrations make a block of whole frames; CannotRun where one is too much."""
        nints, ngroups, ny, nx = exposure.shape
        lent, free = isinstance(exposure.rooms.get("data"), Memory), self._free(exposure)
        one = ngroups * ny * nx * (self.beside + (0 if lent else SAMPLE))
        if one > free:
            raise CannotRun(self._too_little("one integration", one, free, exposure))
        one = ngroups * ny * nx * (self.beside + SAMPLE)
        return max(1, min(nints, BLOCK // one, max(free, one) // one))

    def patch(self, exposure: Exposure, margin: int) -> tuple[int, int]:
        """Return how many rows and columns, beside a margin, make a block of whole ramps.

        Whole rows where that is possible: they lie side by side in files. CannotRun where a single pixel is too much.
        """
        nints, ngroups, ny, nx = exposure.shape
        pixel = nints * (ngroups * WORKED_ON + INTEGRATION) + RAMP
        free = int(0.9 * self._free(exposure)) // self.threads
        least = min(ny, max(LEAST_ROWS, 8 * margin))
        rows = min(free, max(BLOCK, pixel * nx * (least + 2 * margin))) // (pixel * nx) - 2 * margin
        if rows >= min(least, 4 * margin + 1):
            return min(ny, rows), nx
        rows = least
        columns = free // (pixel * (rows + 2 * margin)) - 2 * margin
        if columns < 1:
            rows = 1
            columns = free // (pixel * (rows + 2 * margin)) - 2 * margin
        if columns < 1:
            raise CannotRun(self._too_little("the ramps of a pixel", pixel * (1 + 2 * margin) ** 2, free, exposure))
        return rows, min(nx, columns)

    def _too_little(self, what: str, size: int, free: int, exposure: Exposure) -> str:
        lacking = -(-(size - free) // MEGABYTE)
        return (
            f"{exposure.meta.source}: --memory {self._allowed(exposure)}M is too little: {what} of this exposure and"
            f" what is kept of it do not fit; it takes {lacking} MB more"
        )


def share_memory() -> None:
    """Let what one block, or one thread, gives back serve the next, where the C library can.

    Without this each thread takes from places of its own, and large arrays come from the system, which clears every
    page of them anew: a tenth of the time of a stage.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is None:
        return
    choose(_ARENA_MAX, 1)
    if choose(_MMAP_THRESHOLD, 512 * MEGABYTE):
        choose(_TRIM_THRESHOLD, 64 * MEGABYTE)


_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
"""Names of glibc: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD."""


def give_back() -> None:
    """Give freed memory back to the system, where the C library can: glibc keeps pieces of tens of megabytes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
