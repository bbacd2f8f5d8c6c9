"""Stage 3 for images: the calibrated exposures of an association to a mosaic (`_i2d`), `_crf`, `_segm`, `_cat.ecsv`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jwrules import names
from jwrules.products import fits, tables
from jwrules.products.kinds import Image, Images, Mosaic, Sources
from jwrules.stages.workbench import Workbench, fresh, last, member


def run(
    product: str, members: Sequence[Path], bench: Workbench, *, association: dict[str, str], crf_folder: Path
) -> list[Path]:
    """Return the paths of what was made of `members`, named after `product` (documentation: CALWEBB_IMAGE3).

    `association` are the keywords that say which association this is (ASNTABLE, ASNPOOL, asn_id); the flagged
    exposures go to `crf_folder`.
    """
    images = tuple(_member(path, association) for path in members)
    made_from = [member(path, image.meta) for path, image in zip(members, images, strict=True)]
    written: list[Path] = []

    def write_flagged(flagged: Images) -> None:
        crf = replace(bench, output=crf_folder)
        for path, image in zip(members, flagged, strict=True):
            written.append(crf.write(names.flagged(path.name, association["asn_id"]), image, made_from))

    def write_mosaic(mosaic: Mosaic) -> None:
        written.append(bench.write(f"{product}_i2d.fits", mosaic, made_from))

    saved: dict[str, Callable[[Any], None]] = {"outlier_detection": write_flagged, "resample": write_mosaic}
    end = last(bench.chain(images), saved)
    return written + (_write_sources(product, end, bench, made_from) if isinstance(end, Sources) else [])


def _member(path: Path, association: dict[str, str]) -> Image:
    image = fresh(fits.read(path, Image))
    keywords = {key: association[key] for key in ("ASNTABLE", "ASNPOOL") if association.get(key)}
    return replace(image, meta=image.meta.updated(**keywords))


def _write_sources(product: str, sources: Sources, bench: Workbench, made_from: Sequence[dict[str, Any]]) -> list[Path]:
    how = bench.provenance(sources.segmentation, made_from)
    return [
        bench.write(f"{product}_segm.fits", sources.segmentation, made_from),
        tables.write(bench.output / f"{product}_cat.ecsv", sources.catalog, how),
    ]
