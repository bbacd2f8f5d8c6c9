"""A picture of a product as an astronomer would look at it: down to the noise, stars not burnt out, axes on the sky."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from astropy.io import fits
from astropy.stats import sigma_clipped_stats
from astropy.table import Table
from astropy.visualization import AsinhStretch, ImageNormalize
from astropy.wcs import WCS
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from jwrules.errors import DataFault
from jwrules.products.fits import arriving, opened

_SIDE = 900


def run(product: Path, catalog: Path | None, output: Path) -> Path:
    """Write a PNG of the SCI array of `product` to `output`, with the sources of `catalog` marked.

    Raises DataFault for a file without a two-dimensional SCI array.
    """
    with opened(product) as hdus:
        if "SCI" not in hdus or hdus["SCI"].data is None or hdus["SCI"].data.ndim not in (2, 3):
            raise DataFault(f"{product}: no image to draw; SCI must have two or three axes")
        primary, header, data = hdus[0].header, hdus["SCI"].header, np.array(hdus["SCI"].data)
    image = data if data.ndim == 2 else np.nanmean(data.astype("f4"), axis=0)
    sources = Table.read(catalog, format="ascii.ecsv") if catalog else None
    figure = _figure(image, header)
    draw = _labels if np.issubdtype(data.dtype, np.integer) else _intensity
    draw(figure, image, str(header.get("BUNIT", "")))
    if sources is not None:
        _mark(figure.axes[0], sources)
    figure.suptitle(_title(product, primary), fontsize=10)
    return _save(figure, output)


def _figure(image: np.ndarray, header: fits.Header) -> Figure:
    ny, nx = image.shape
    scale = _SIDE / max(ny, nx) / 100
    figure = Figure(figsize=(max(nx * scale, 4) + 2, max(ny * scale, 2) + 1.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    on_sky = str(header.get("CTYPE1", "")).startswith("RA")
    axes = figure.add_subplot(projection=WCS(header, fix=False)) if on_sky else figure.add_subplot()
    axes.set_xlabel("RA (ICRS)" if on_sky else "x (pixel)")
    axes.set_ylabel("Dec (ICRS)" if on_sky else "y (pixel)")
    return figure


def stretch(image: np.ndarray) -> ImageNormalize:
    """Return a scaling that is linear in the noise and logarithmic in the stars.

    Black is two sigma below the sky; white is the 99.8th percentile, or thirty sigma where the field is empty.
    """
    good = image[np.isfinite(image)]
    if good.size == 0:
        return ImageNormalize(vmin=0, vmax=1, stretch=AsinhStretch())
    _, sky, noise = sigma_clipped_stats(good, sigma=3, maxiters=5)
    noise = noise or max(float(np.ptp(good)) / 100, 1e-12)
    top = max(float(np.percentile(good, 99.8)), sky + 30 * noise)
    bottom = sky - 2 * noise
    return ImageNormalize(vmin=bottom, vmax=top, stretch=AsinhStretch(a=min(1.0, 4 * noise / (top - bottom))))


def _intensity(figure: Figure, image: np.ndarray, unit: str) -> None:
    colours = mpl.colormaps["inferno"].with_extremes(bad="0.35")
    drawn = figure.axes[0].imshow(
        _reduced(image), origin="lower", norm=stretch(image), cmap=colours, extent=_extent(image)
    )
    figure.colorbar(drawn, ax=figure.axes[0], label=unit, fraction=0.046)


def _labels(figure: Figure, image: np.ndarray, unit: str) -> None:
    hues = np.random.default_rng(5).permutation(np.linspace(0, 1, max(int(image.max()), 1)))
    colours = ListedColormap(np.vstack([[0, 0, 0, 1], mpl.colormaps["turbo"](hues)]))
    figure.axes[0].imshow(image, origin="lower", cmap=colours, interpolation="nearest", vmin=0)


def _reduced(image: np.ndarray) -> np.ndarray:
    """Average blocks of pixels so that a mosaic of 10,000 pixels a side still draws in a second."""
    step = max(1, max(image.shape) // (2 * _SIDE))
    if step == 1:
        return image
    ny, nx = (n // step for n in image.shape)
    blocks = image[: ny * step, : nx * step].reshape(ny, step, nx, step)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.nansum(blocks, axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _extent(image: np.ndarray) -> tuple[float, float, float, float]:
    ny, nx = image.shape
    return -0.5, nx - 0.5, -0.5, ny - 0.5


def _mark(axes: Any, sources: Table) -> None:
    extended = np.array(sources["is_extended"], dtype=bool)
    place: Callable[..., Any] = axes.scatter
    for chosen, colour, label in ((~extended, "cyan", "star-like"), (extended, "lime", "extended")):
        x, y = np.array(sources["xcentroid"])[chosen], np.array(sources["ycentroid"])[chosen]
        place(
            x,
            y,
            s=60,
            facecolors="none",
            edgecolors=colour,
            linewidths=0.7,
            label=f"{label} ({chosen.sum()})",
        )
    axes.legend(loc="upper right", fontsize=8, framealpha=0.7)


def _title(product: Path, primary: fits.Header) -> str:
    elements = "/".join(str(primary[k]) for k in ("FILTER", "PUPIL", "GRATING") if primary.get(k))
    parts = [primary.get("TARGPROP"), primary.get("INSTRUME"), elements]
    return f"{product.name}\n{' · '.join(str(p) for p in parts if p)}"


def _save(figure: Figure, output: Path) -> Path:
    output = Path(output)
    with arriving(output) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": "jwrules"})
    return output
