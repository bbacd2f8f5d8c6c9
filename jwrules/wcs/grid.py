"""The pixel grid of a mosaic: a tangent plane that holds all footprints, and where input pixels fall in it.

`output(wcses, pointing, ...)` makes the grid; `pixmap(wcs, grid.wcs, shape)` maps the pixels of an image onto it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.io.fits import Header
from astropy.modeling.models import AffineTransformation2D, Pix2Sky_TAN, RotateNative2Celestial, Scale
from gwcs import WCS, FITSImagingWCSTransform
from scipy.interpolate import RectBivariateSpline

from jwrules.kernels.outlines import union
from jwrules.wcs import footprint
from jwrules.wcs.pointing import Pointing

_STRIP = 256


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The grid of a mosaic.

    `wcs` (gwcs.WCS with bounding box and array shape), `shape` (ny, nx), `pixel_scale` in arcsec, and
    `pixel_scale_ratio`: output scale over that of the first input.
    """

    wcs: WCS
    shape: tuple[int, int]
    pixel_scale: float
    pixel_scale_ratio: float

    def keywords(self) -> Header:
        """Return the FITS keywords of the grid, which say all of it."""
        transform = self.wcs.forward_transform
        header = Header([("WCSAXES", 2, "number of World Coordinate System axes")])
        for i, (ctype, axis) in enumerate((("RA---TAN", "right ascension"), ("DEC--TAN", "declination"))):
            header[f"CRPIX{i + 1}"] = (float(transform.crpix[i]) + 1, f"Axis {i + 1} reference pixel, counted from 1")
            header[f"CRVAL{i + 1}"] = (float(transform.crval[i]), f"[deg] {axis} of the reference pixel")
            header[f"CDELT{i + 1}"] = (float(transform.cdelt[i]), f"[deg] Axis {i + 1} increment")
            header[f"CTYPE{i + 1}"] = (ctype, f"Axis {i + 1} type")
            header[f"CUNIT{i + 1}"] = ("deg", f"Axis {i + 1} units")
            for j in range(2):
                header[f"PC{i + 1}_{j + 1}"] = (float(transform.pc[i][j]), "Linear transformation matrix element")
        header["RADESYS"] = ("ICRS", "Name of the coordinate reference frame")
        return header

    def covered_by(self, wcses: Sequence[WCS]) -> str:
        """Return S_REGION: the outline of what images with these WCS cover of the grid."""
        ny, nx = self.shape
        edges = np.array([[-0.5, -0.5], [nx - 0.5, -0.5], [nx - 0.5, ny - 0.5], [-0.5, ny - 0.5]])
        images = [self.wcs.invert(*footprint.corners(wcs).T, with_bounding_box=False) for wcs in wcses]
        outlines = union([np.column_stack(image) for image in images], edges)
        return footprint.to_s_region([footprint.sky(self.wcs, *outline.T) for outline in outlines])


def output(
    wcses: Sequence[WCS],
    pointing: Pointing,
    *,
    rotation: float | None = None,
    pixel_scale: float | None = None,
    pixel_scale_ratio: float = 1.0,
    crpix: Sequence[float] | None = None,
    crval: Sequence[float] | None = None,
    output_shape: Sequence[int] | None = None,
    input_shape: tuple[int, int] | None = None,
) -> Grid:
    """Return the tangent-plane grid that holds the footprints of `wcses`.

    `pointing` belongs to the first image: it gives the orientation (Y axis of its aperture) unless `rotation`, the
    position angle of the Y axis in degrees, is given (0 is north up), and the point where its pixel scale counts.
    `pixel_scale` in arcsec wins over `pixel_scale_ratio`. `crpix` is (x, y), 0-based; `crval` is RA, Dec in degrees, by
    default the middle of the footprints; `output_shape` is (nx, ny). `input_shape` (ny, nx) serves inputs without
    bounding box. The lowest coordinate of the footprints falls on the centre of the first pixel, as in the products
    of the official pipeline, so that mosaics compare pixel by pixel.
    Raises ValueError for a grid of fewer than two pixels along an axis.
    Source: JWST documentation, resample step.
    """
    footprints = [footprint.corners(wcs, input_shape) for wcs in wcses]
    ra, dec = footprint.center(footprints) if crval is None else (float(crval[0]), float(crval[1]))
    scale, ratio = _scale(wcses[0], pointing, pixel_scale, pixel_scale_ratio, input_shape)
    pc = _orientation(pointing.position_angle() if rotation is None else rotation, pointing.parity)
    low, high = _extent(footprints, ra, dec, scale, pc)
    reference = -low if crpix is None else np.asarray(crpix, dtype=float)
    low, high = low + reference, high + reference
    ends = np.floor(high + 0.5).astype(int)
    size = ends if output_shape is None else np.asarray(output_shape, dtype=int)
    if min(size) < 2:
        raise ValueError(f"the mosaic would have {size[0]} columns and {size[1]} rows; at least 2 of each are needed")
    transform = FITSImagingWCSTransform(Pix2Sky_TAN(), crpix=reference, crval=(ra, dec), cdelt=(scale, scale), pc=pc)
    wcs = WCS([(wcses[0].input_frame, transform), (wcses[0].output_frame, None)])
    starts = np.zeros(2) if output_shape is None else np.maximum(0, np.floor(low + 0.5))
    wcs.bounding_box = tuple(
        (float(a) - 0.5, float(b) - 0.5) for a, b in zip(starts, np.minimum(ends, size), strict=True)
    )
    wcs.pixel_shape = (int(size[0]), int(size[1]))
    return Grid(wcs=wcs, shape=(int(size[1]), int(size[0])), pixel_scale=3600 * scale, pixel_scale_ratio=ratio)


def pixmap(source: WCS, target: WCS, shape: tuple[int, int], *, stepsize: float = 1.0, order: int = 1) -> np.ndarray:
    """Return x and y in `target` (0-based) of each pixel centre of an image of `shape`, (ny, nx, 2).

    Pixels outside of the bounding box of `source` are NaN; that of `target` does not matter. With a `stepsize` above 1
    the transforms are evaluated on a sparser grid and interpolated by splines of `order` 1 or 3.
    """
    x0, x1, y0, y1 = footprint.pixels(source, shape)
    result = np.full((*shape, 2), np.nan)
    columns, rows = np.arange(x0, x1 + 1.0), np.arange(y0, y1 + 1.0)
    if stepsize > 1 and max(len(columns), len(rows)) > 10:
        values = _interpolated(source, target, columns, rows, stepsize, order)
        if np.all(np.isfinite(values)):
            result[y0 : y1 + 1, x0 : x1 + 1] = values
            return result
    for start in range(0, len(rows), _STRIP):
        strip = rows[start : start + _STRIP]
        result[y0 + start : y0 + start + len(strip), x0 : x1 + 1] = _mapped(source, target, columns, strip)
    return result


def pixel_scale_at(wcs: WCS, ra: float, dec: float) -> float:
    """Return the geometric mean of the steps on the sky of one pixel in x and in y at a position, arcsec."""
    x, y = (float(v) for v in wcs.invert(ra, dec, with_bounding_box=False))
    here, right, above = footprint.unit_vectors(footprint.sky(wcs, np.array([x, x + 1, x]), np.array([y, y, y + 1])))
    return float(np.rad2deg(np.sqrt(_angle(here, right) * _angle(here, above))) * 3600)


def mean_pixel_scale(wcs: WCS, shape: tuple[int, int] | None = None) -> float:
    """Return the square root of the mean pixel area inside the bounding box, arcsec."""
    (x0, x1), (y0, y1) = footprint.limits(wcs, shape)
    sky_area = footprint.area(footprint.outline(wcs, shape))
    return float(np.rad2deg(np.sqrt(sky_area / ((x1 - x0) * (y1 - y0)))) * 3600)


def _scale(
    wcs: WCS, pointing: Pointing, pixel_scale: float | None, ratio: float, shape: tuple[int, int] | None
) -> tuple[float, float]:
    """Return the pixel scale of the mosaic in degrees, and its ratio to that of the first image."""
    if pixel_scale is not None:
        return pixel_scale / 3600, pixel_scale / mean_pixel_scale(wcs, shape)
    return pixel_scale_at(wcs, pointing.ra, pointing.dec) * ratio / 3600, ratio


def _orientation(position_angle: float, parity: int) -> np.ndarray:
    """Return the PC matrix: Y axis at `position_angle` degrees, X axis mirrored where `parity` is -1."""
    angle = np.deg2rad(position_angle)
    return np.array([[parity * np.cos(angle), np.sin(angle)], [-parity * np.sin(angle), np.cos(angle)]])


def _extent(
    footprints: Sequence[np.ndarray], ra: float, dec: float, scale: float, pc: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and highest x, y (pixels from the reference point) of all footprint vertices."""
    to_sky = (
        AffineTransformation2D(pc) | Scale(scale) & Scale(scale) | Pix2Sky_TAN() | RotateNative2Celestial(ra, dec, 180)
    )
    xy = np.array(to_sky.inverse(*np.concatenate(footprints).T))
    return xy.min(axis=1), xy.max(axis=1)


def _mapped(source: WCS, target: WCS, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    x, y = np.meshgrid(columns, rows)
    ra, dec = source(x, y, with_bounding_box=False)
    return np.stack(target.invert(ra, dec, with_bounding_box=False), axis=-1)


def _interpolated(
    source: WCS, target: WCS, columns: np.ndarray, rows: np.ndarray, stepsize: float, order: int
) -> np.ndarray:
    sparse_x, sparse_y = _thinned(columns, stepsize), _thinned(rows, stepsize)
    values = _mapped(source, target, sparse_x, sparse_y)
    if not np.all(np.isfinite(values)):
        return values
    splines = [RectBivariateSpline(sparse_y, sparse_x, values[..., k], kx=order, ky=order) for k in (0, 1)]
    return np.stack([spline(rows, columns) for spline in splines], axis=-1)


def _thinned(axis: np.ndarray, stepsize: float) -> np.ndarray:
    count = max(int(np.ceil(len(axis) / stepsize)), min(10, len(axis)))
    return np.linspace(axis[0], axis[-1], count)


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(2 * np.arcsin(0.5 * np.linalg.norm(a - b)))
