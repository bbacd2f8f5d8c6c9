"""Numbers as FITS stores them, big-endian, turned into those that arithmetic works on; sums that prove them whole."""

from __future__ import annotations

from typing import Any

import numpy as np

from jwrules.kernels.compiled import compiled


@compiled
def floats_from_shorts(stored: np.ndarray, zero: float, values: np.ndarray) -> None:
    """Write 16-bit signed big-endian numbers, `stored` (n,) as uint16, plus `zero` into `values` (n,) float32."""
    for k in range(stored.size):
        swapped = np.uint16((stored[k] >> np.uint16(8)) | (stored[k] << np.uint16(8)))
        values[k] = np.float32(np.int16(swapped)) + np.float32(zero)


@compiled
def count_not_finite(bits: np.ndarray) -> int:
    """Return how many of the big-endian float32 numbers, given by their `bits` (n,) as uint32, are NaN or infinite."""
    exponent, found = np.uint32(0x0000807F), 0
    for k in range(bits.size):
        found += (bits[k] & exponent) == exponent
    return found


@compiled
def swap_and_sum(words: np.ndarray, stored: np.ndarray) -> int:
    """Write 32-bit `words` (n,) big-endian into `stored` (n,), both uint32; return their sum, of 64 bits.

    The checksum of a FITS data unit is that sum folded to 32 bits: the order of the words does not matter. Source: FITS
    standard 4.0, appendix J.
    """
    total: Any = np.uint64(0)
    for k in range(words.size):
        word = words[k]
        total += np.uint64(word)
        stored[k] = (
            (word >> np.uint32(24))
            | ((word >> np.uint32(8)) & np.uint32(0xFF00))
            | ((word << np.uint32(8)) & np.uint32(0xFF0000))
            | (word << np.uint32(24))
        )
    return total


@compiled
def translate(flags: np.ndarray, bits: np.ndarray, meanings: np.ndarray) -> None:
    """Replace, in `flags` (n,) uint32 in place, each of the private `bits` (m,) by its meaning; drop other ones."""
    for k in range(flags.size):
        found = flags[k]
        if found:
            result = np.uint32(0)
            for m in range(bits.size):
                if found & bits[m]:
                    result |= meanings[m]
            flags[k] = result
