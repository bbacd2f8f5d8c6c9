"""Add images to one grid by drizzling, with weights, context and variances.

Source: Fruchter & Hook 2002, PASP 114, 144; the pixel loop is that of the library `drizzle`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from drizzle.resample import Drizzle


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One image to be added.

    data, weight (ny, nx): surface brightness, and weight (0 keeps a pixel out, whatever its value); pixmap (ny, nx, 2):
    x, y in the output; variances: by name, (ny, nx); dq (ny, nx): bits to be united; importance: the weight of the
    whole image when variances are combined, where no variance gives it.
    """

    data: np.ndarray
    weight: np.ndarray
    pixmap: np.ndarray
    variances: Mapping[str, np.ndarray] = field(default_factory=dict)
    dq: np.ndarray | None = None
    importance: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Drizzled:
    """The sum of the layers on the output grid.

    data, weight (ny, nx) float32; context (nplanes, ny, nx) int32: bit k of plane p tells that layer 32 p + k
    contributed, None where not asked for; variances by name, (ny, nx), NaN where nothing fell; dq (ny, nx) or None.
    """

    data: np.ndarray
    weight: np.ndarray
    context: np.ndarray | None
    variances: Mapping[str, np.ndarray]
    dq: np.ndarray | None


def drizzle(
    layers: Iterable[Layer],
    shape: tuple[int, int],
    *,
    pixfrac: float = 1.0,
    kernel: str = "square",
    fillval: float = np.nan,
    pixel_scale_ratio: float = 1.0,
    enable_ctx: bool = True,
    count: int = 1,
    weight_from: str | None = None,
) -> Drizzled:
    """Add `layers` one by one to a grid of `shape` (ny, nx); only one of them is held at a time.

    data is the mean of what falls on a pixel, weighted by overlap and weight; `fillval` where nothing does.
    `pixel_scale_ratio` (output over input) sets the kernel size and the gain in noise of larger pixels. `count` is the
    number of layers, so that the context need not grow. `weight_from` names the variance whose inverse, after
    drizzling, is the weight w of a layer in Σ w² v / (Σ w)², the combined variance; without it w is its `importance`.

    A variance is drizzled as its square root and squared again, so that the noise in an aperture that is summed over
    output pixels comes out right although neighbours are correlated. Source: JWST documentation, resample step.
    """
    result = Drizzle(
        kernel=kernel, fillval=str(fillval), out_shape=shape, max_ctx_id=count - 1, disable_ctx=not enable_ctx
    )
    options = {"pixfrac": pixfrac, "pixel_scale_ratio": pixel_scale_ratio}
    combined = _Variances(shape, weight_from)
    for layer in layers:
        _add(result, layer, layer.data, layer.pixmap, options, layer.dq)
        combined.add(layer, kernel, pixel_scale_ratio, options)
    variances = combined.finish(pixel_scale_ratio)
    return Drizzled(
        data=result.out_img, weight=result.out_wht, context=result.out_ctx, variances=variances, dq=result.out_dq
    )


def _add(
    target: Drizzle,
    layer: Layer,
    data: np.ndarray,
    pixmap: np.ndarray,
    options: Mapping[str, float],
    dq: np.ndarray | None = None,
) -> None:
    used = (layer.weight > 0) & np.isfinite(pixmap[..., 0])
    rows, columns = np.flatnonzero(used.any(axis=1)), np.flatnonzero(used.any(axis=0))
    if not len(rows):
        rows = columns = np.zeros(1, dtype=int)
    target.add_image(
        np.where(used, data, 0).astype(np.float32),
        exptime=1.0,
        pixmap=pixmap,
        weight_map=np.where(used, layer.weight, 0).astype(np.float32),
        dq=dq,
        xmin=int(columns[0]),
        xmax=int(columns[-1]),
        ymin=int(rows[0]),
        ymax=int(rows[-1]),
        **options,
    )


class _Variances:
    """Running sums Σ w² v and Σ w on the output grid, for each variance by name."""

    def __init__(self, shape: tuple[int, int], weight_from: str | None) -> None:
        self.shape = shape
        self.weight_from = weight_from
        self.sums: dict[str, np.ndarray] = {}
        self.norms: dict[str, np.ndarray] = {}

    def add(self, layer: Layer, kernel: str, ratio: float, options: Mapping[str, float]) -> None:
        """Add the variances of a layer, on the part of the grid that it covers."""
        window = _window(layer.pixmap, self.shape, margin=int(np.ceil(4 / min(ratio, 1.0))) + 2)
        if not layer.variances or window is None:
            return
        drizzled = {name: _drizzled_variance(layer, v, kernel, window, options) for name, v in layer.variances.items()}
        weight = self._weight(drizzled, layer.importance)
        for name, variance in drizzled.items():
            total = self.sums.setdefault(name, np.zeros(self.shape, np.float32))[window]
            norm = self.norms.setdefault(name, np.zeros(self.shape, np.float32))[window]
            good = np.isfinite(variance) & (weight > 0)
            total[good] += weight[good] * variance[good] * weight[good]
            norm[good] += weight[good]

    def _weight(self, drizzled: Mapping[str, np.ndarray], importance: float) -> np.ndarray:
        if self.weight_from is None:
            return np.full(next(iter(drizzled.values())).shape, importance, np.float32)
        variance = drizzled[self.weight_from]
        return np.divide(1.0, variance, out=np.zeros_like(variance), where=variance > 0)

    def finish(self, ratio: float) -> dict[str, np.ndarray]:
        """Return Σ w² v / (Σ w)² by name, NaN where nothing fell; a larger pixel has the mean of ratio² pixels."""
        result = {}
        for name, total in self.sums.items():
            norm = self.norms[name]
            filled = norm > 0
            value = np.full(self.shape, np.nan, np.float32)
            value[filled] = total[filled] / norm[filled] / norm[filled] / ratio**2
            result[name] = value
        return result


def _drizzled_variance(
    layer: Layer, variance: np.ndarray, kernel: str, window: tuple[slice, slice], options: Mapping[str, float]
) -> np.ndarray:
    rows, columns = window
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    part = Drizzle(kernel=kernel, fillval="nan", out_shape=shape, disable_ctx=True)
    _add(part, layer, np.sqrt(variance), layer.pixmap - (columns.start, rows.start), options)
    return part.out_img**2


def _window(pixmap: np.ndarray, shape: tuple[int, int], margin: int) -> tuple[slice, slice] | None:
    """Return rows and columns of the output that a layer can reach, or None where it misses the grid."""
    slices = []
    for axis, size in ((1, shape[0]), (0, shape[1])):
        reach = pixmap[..., axis]
        if not np.isfinite(reach).any():
            return None
        start, stop = int(np.floor(np.nanmin(reach))) - margin, int(np.ceil(np.nanmax(reach))) + margin + 1
        slices.append(slice(max(0, start), min(size, stop)))
    return None if any(s.stop <= s.start for s in slices) else (slices[0], slices[1])
