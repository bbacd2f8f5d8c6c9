"""Polygons in a plane that overlap, joined to their common outline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

_CLOSE = 0.05


def union(polygons: Sequence[np.ndarray], window: np.ndarray | None = None) -> list[np.ndarray]:
    """Return the outlines of what `polygons` (n, 2) cover together, one for each connected part, inside of `window`.

    Vertices closer than 0.05 to the line between their neighbours are left out, as are holes. Nothing in common with
    the window gives an empty list.
    """
    joined = shapely.unary_union([shapely.Polygon(vertices) for vertices in polygons])
    if window is not None:
        joined = shapely.intersection(joined, shapely.Polygon(window))
    parts = [part for part in shapely.get_parts(joined) if part.geom_type == "Polygon" and not part.is_empty]
    return [np.array(part.simplify(_CLOSE).exterior.coords)[:-1] for part in parts]
