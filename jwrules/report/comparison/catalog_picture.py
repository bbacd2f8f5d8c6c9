"""A picture of how two catalogues differ: brightness in units of its error, and positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jwrules.report.comparison.pictures import save
from jwrules.report.comparison.tables import Scatter


def draw(title: str, found: Scatter, output: Path) -> Path:
    """Write a PNG of the differences of two catalogues to `output`."""
    figure = Figure(figsize=(11, 5), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    brightness, places = figure.subplots(1, 2)
    _brightness(brightness, found)
    if found.offsets is not None and len(found.offsets):
        _places(places, found.offsets)
    else:
        places.set_axis_off()
    figure.suptitle(title, fontsize=10)
    return save(figure, output)


def _brightness(axes: Any, found: Scatter) -> None:
    axes.axhspan(-1, 1, color="0.92")
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.scatter(found.values, found.pulls, s=12, color="#0072b2", linewidths=0)
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter(lambda number, place: f"{number:g}")
    axes.set_xlabel(f"{found.column or 'no column with errors'} of A")
    axes.set_ylabel("A - B in its error")
    axes.set_title(f"{len(found.values)} sources; grey: within one error", fontsize=9)


def _places(axes: Any, offsets: np.ndarray) -> None:
    reach = 1.1 * float(np.percentile(np.abs(offsets), 99)) or 1.0
    shown = np.clip(offsets, -reach, reach)
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.scatter(shown[:, 0], shown[:, 1], s=12, color="#0072b2", linewidths=0)
    east, north = np.median(offsets, axis=0)
    axes.plot(east, north, "+", color="#d55e00", markersize=14, label=f"median {east:.3g}, {north:.3g}")
    axes.set_xlim(reach, -reach)
    axes.set_ylim(-reach, reach)
    axes.set_aspect("equal")
    axes.set_xlabel("east (mas)")
    axes.set_ylabel("north (mas)")
    axes.set_title("positions A - B; what is beyond stands at the border", fontsize=9)
    axes.legend(fontsize=8, loc="upper right")
