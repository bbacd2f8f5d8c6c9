"""Ramps and reference files with known truth, made with numpy alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from astropy.io import fits

from jwrules.products.kinds import Gain, Meta, Ramp, Readnoise, Reference

AnyReference = TypeVar("AnyReference", bound=Reference)

EXPOSURE = {
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCALONG",
    "NFRAMES": 1,
    "GROUPGAP": 0,
    "TFRAME": 10.0,
    "TGROUP": 10.0,
    "SUBSTRT1": 1,
    "SUBSTRT2": 1,
    "FASTAXIS": -1,
    "SLOWAXIS": 2,
    "NOUTPUTS": 4,
}


def meta(**keywords: Any) -> Meta:
    """Return a Meta with these keywords in its primary header."""
    return Meta(primary=fits.Header(list(keywords.items())), source="made for a test")


def ramp(data: np.ndarray, *, zeroframe: np.ndarray | None = None, **keywords: Any) -> Ramp:
    """Return a Ramp of `data`, (nints, ngroups, ny, nx) or (ngroups, ny, nx), without flags; keywords over EXPOSURE."""
    data = np.array(data, np.float32, ndmin=4)
    return Ramp(
        meta=meta(**(EXPOSURE | keywords)),
        data=data,
        pixeldq=np.zeros(data.shape[2:], np.uint32),
        groupdq=np.zeros(data.shape, np.uint8),
        zeroframe=None if zeroframe is None else np.array(zeroframe, np.float32, ndmin=3),
    )


def one_pixel(counts: Any, **keywords: Any) -> Ramp:
    """Return a Ramp of a single pixel and integration with these counts in its groups."""
    return ramp(np.reshape(np.asarray(counts, np.float32), (1, -1, 1, 1)), **keywords)


def rows(product: Ramp, band: slice) -> Ramp:
    """Return a copy of a band of rows of a Ramp, as a block of an exposure."""
    zeroframe = None if product.zeroframe is None else product.zeroframe[:, band].copy()
    return replace(
        product,
        data=product.data[:, :, band].copy(),
        pixeldq=product.pixeldq[band].copy(),
        groupdq=product.groupdq[:, :, band].copy(),
        zeroframe=zeroframe,
    )


def segment(product: Ramp, integrations: slice) -> Ramp:
    """Return a copy of some integrations of a Ramp, with the keywords of a segment of the exposure."""
    start, stop, _ = integrations.indices(len(product.data))
    zeroframe = None if product.zeroframe is None else product.zeroframe[integrations].copy()
    return replace(
        product,
        meta=product.meta.updated(INTSTART=start + 1, INTEND=stop),
        data=product.data[integrations].copy(),
        pixeldq=product.pixeldq.copy(),
        groupdq=product.groupdq[integrations].copy(),
        zeroframe=zeroframe,
    )


def reference(kind: type[AnyReference], meta_keywords: dict[str, Any] | None = None, **arrays: Any) -> AnyReference:
    """Return a reference file of `kind` with these arrays, read-only as the door hands them out."""
    if any(f == "dq" for f in kind.__dataclass_fields__) and "dq" not in arrays:
        arrays["dq"] = np.zeros(np.shape(next(iter(arrays.values())))[-2:], np.uint32)
    for name, array in arrays.items():
        if array is not None:
            arrays[name] = np.array(array, np.uint32 if name == "dq" else np.float32)
            arrays[name].flags.writeable = False
    return kind(meta=meta(**(meta_keywords or {})), **arrays)


def gain_and_readnoise(
    shape: tuple[int, int], gain: float = 2.0, readnoise: float | np.ndarray = 8.0
) -> dict[str, Any]:
    """Return references: a uniform gain, electron/DN, and read noise, DN of a correlated double sample."""
    return {
        "gain": reference(Gain, data=np.full(shape, gain)),
        "readnoise": reference(Readnoise, data=np.full(shape, readnoise)),
    }


def noisy(
    rate: float | np.ndarray,
    shape: tuple[int, int, int, int],
    *,
    gain: float = 2.0,
    readnoise: float = 8.0,
    tgroup: float = 10.0,
    frames: int = 1,
    gap: int = 0,
    seed: int = 1,
) -> np.ndarray:
    """Return groups (DN) of a steady `rate` (DN/s): photons are Poisson, `frames` reads averaged, `gap` skipped.

    `readnoise` is that of a correlated double sample of single reads, so one read has it over √2.
    """
    nints, ngroups, ny, nx = shape
    random = np.random.default_rng(seed)
    reads = ngroups * (frames + gap)
    tframe = tgroup / (frames + gap)
    photons = random.poisson(np.broadcast_to(rate, (ny, nx)) * gain * tframe, (nints, reads, ny, nx))
    counts = photons.cumsum(axis=1) / gain + random.normal(0, readnoise / np.sqrt(2), (nints, reads, ny, nx))
    groups = counts.reshape(nints, ngroups, frames + gap, ny, nx)[:, :, :frames]
    return groups.mean(axis=2).astype(np.float32)
