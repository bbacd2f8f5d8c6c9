"""Pictures of differences: where they are, where flags change, and how they are spread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from jwrules.kernels import distribution
from jwrules.products.fits import arriving
from jwrules.report.comparison.maps import TELLING, Maps
from jwrules.report.comparison.results import Science

_HUES = ("#f2f2f2", "#b8b8b8", "#e69f00", "#0072b2", "#d55e00")
"""Colours of the classes from the least telling to the most: such that everybody can tell apart."""

_BINS = 121
_SHOWN = 5.0
"""The largest difference with a colour of its own, in errors; what differs less has a scale of its own."""

_WIDEST = 8.0
"""Where the histogram ends at most, in errors."""

_FEW = 5000
"""So many places and fewer are marked by dots, which are seen where a single pixel is not."""


def draw(title: str, maps: Maps, found: Science, counts: np.ndarray, output: Path) -> Path:
    """Write a PNG of the differences of a science array to `output`; `counts` are their distribution."""
    wide = maps.size[1] > 1.6 * maps.size[0]
    panels = [_mean, _farthest, _classes] if maps.of else [_each, _classes]
    shape = (len(panels) + 1, 1) if wide else (1, len(panels) + 1) if len(panels) == 2 else (2, 2)
    figure = Figure(figsize=_size(maps, shape, wide), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(*shape, squeeze=False, height_ratios=_heights(maps, shape, wide)).reshape(-1)
    for axes, panel in zip(grid, panels, strict=False):
        panel(figure, axes, maps, found)
        axes.set_aspect("auto" if wide else "equal")
    _histogram(grid[len(panels)], found, counts)
    row = found.rows[0]
    figure.suptitle(f"{title}\n{row.differ} of {row.compared} pixels differ", fontsize=10)
    return save(figure, output)


def save(figure: Figure, output: Path) -> Path:
    """Write a figure as PNG to `output`, complete or not at all."""
    with arriving(output) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": "jwrules"})
    return output


def _size(maps: Maps, shape: tuple[int, int], wide: bool) -> tuple[float, float]:
    if wide:
        return 11.0, 0.8 + sum(_heights(maps, shape, wide))
    height = float(np.clip(5.5 * maps.size[0] / maps.size[1], 4.0, 8.0))
    return 6.2 * shape[1], (height + 0.8) * shape[0]


def _heights(maps: Maps, shape: tuple[int, int], wide: bool) -> list[float]:
    if not wide:
        return [1.0] * shape[0]
    strip = float(np.clip(8.5 * maps.size[0] / maps.size[1], 0.7, 5.0)) + 0.6
    return [strip] * (shape[0] - 1) + [3.0]


def _limit(counts: np.ndarray) -> float:
    """Return where the histogram ends: beyond 99.9 % of what is not equal, to either side."""
    values, numbers = distribution.occupied(distribution.without_zero(counts))
    if not len(values):
        return 1.0
    order = np.argsort(np.abs(values))
    upto = np.cumsum(numbers[order])
    return min(1.3 * float(np.abs(values[order])[np.searchsorted(upto, 0.999 * upto[-1])]), _WIDEST)


def _scale(image: np.ndarray) -> float:
    """Return where the scale of colours ends: at 99 % of the places that are not equal."""
    away = np.abs(image[np.isfinite(image) & (image != 0)])
    return min(float(np.percentile(away, 99)), _SHOWN) if len(away) else 1.0


def _each(figure: Figure, axes: Any, maps: Maps, found: Science) -> None:
    _scaled(figure, axes, maps.mean, "A - B", found, maps)


def _mean(figure: Figure, axes: Any, maps: Maps, found: Science) -> None:
    _scaled(figure, axes, maps.mean, f"A - B, mean of {maps.of}", found, maps)


def _farthest(figure: Figure, axes: Any, maps: Maps, found: Science) -> None:
    _scaled(figure, axes, maps.farthest, f"A - B, the farthest from 0 of {maps.of}", found, maps)


def _scaled(figure: Figure, axes: Any, image: np.ndarray, title: str, found: Science, maps: Maps) -> None:
    limit = _scale(image)
    colours = mpl.colormaps["RdBu_r"].with_extremes(bad="0.6")
    drawn = axes.imshow(
        image,
        origin="lower",
        cmap=colours,
        norm=Normalize(-limit, limit),
        interpolation="nearest",
        extent=_extent(maps),
    )
    _mark(axes, image, maps, np.isfinite(image) & (image != 0), cmap=colours, norm=drawn.norm)
    axes.set_title(title, fontsize=9)
    beside = axes.inset_axes((1.015, 0, 0.025, 1))
    figure.colorbar(drawn, cax=beside, label=f"in {found.unit}", extend="both")


def _classes(figure: Figure, axes: Any, maps: Maps, found: Science) -> None:
    named = [row for row in found.rows if row.label not in ("all", "unequal")]
    hues: dict[str, Any] = {"cmap": ListedColormap(_HUES), "norm": Normalize(-0.5, len(_HUES) - 0.5)}
    axes.imshow(maps.classes, origin="lower", interpolation="nearest", extent=_extent(maps), **hues)
    _mark(axes, maps.classes, maps, maps.classes > 1, **hues)
    entries = [
        Patch(facecolor=_HUES[TELLING.index(number)], edgecolor="0.4", label=f"{row.label} ({row.pixels})")
        for number, row in enumerate(named)
        if row.pixels
    ]
    title = "flags" if found.flags else "weights" if entries else "no flags"
    axes.set_title(f"{title}, the most telling of {maps.of}" if maps.of and entries else title, fontsize=9)
    if entries:
        axes.legend(handles=entries, fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)


def _mark(axes: Any, image: np.ndarray, maps: Maps, chosen: np.ndarray, **colours: Any) -> None:
    """Mark the chosen places by dots, where they are few."""
    rows, columns = np.nonzero(chosen)
    if 0 < len(rows) <= _FEW:
        x, y = ((place + 0.5) * maps.step - 0.5 for place in (columns, rows))
        axes.scatter(x, y, c=image[rows, columns], s=7, linewidths=0, **colours)


def _extent(maps: Maps) -> tuple[float, float, float, float]:
    ny, nx = (n * maps.step for n in maps.classes.shape)
    return -0.5, nx - 0.5, -0.5, ny - 0.5


def _histogram(axes: Any, found: Science, counts: np.ndarray) -> None:
    values, numbers = distribution.occupied(distribution.without_zero(counts))
    equal, total = int(counts.sum() - numbers.sum()), int(counts.sum())
    limit = _limit(counts)
    edges = np.linspace(-limit, limit, _BINS + 1)
    inside, _ = np.histogram(np.clip(values, -limit, limit), edges, weights=numbers)
    axes.stairs(inside, edges, fill=True, color="0.65", label="A - B; what is beyond stands in the last bins")
    middles = (edges[1:] + edges[:-1]) / 2
    normal = np.exp(-(middles**2) / 2) / np.sqrt(2 * np.pi) * total * (edges[1] - edges[0])
    axes.plot(middles, normal, color="#d55e00", linewidth=1, label="unit normal of as many pixels")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda number, place: f"{number:,.0f}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0.5, max(2.0, 3 * float(max(inside.max(), normal.max() if total else 1))))
    axes.set_xlim(-limit, limit)
    axes.set_xlabel(f"A - B in {found.unit}", fontsize=8)
    axes.set_ylabel("pixels", fontsize=8)
    axes.set_title(f"distribution, without the pixels that are equal ({equal})", fontsize=9)
    axes.legend(fontsize=7, loc="upper right")
