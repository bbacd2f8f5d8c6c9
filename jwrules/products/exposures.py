"""Which images were taken at the same time, in several detectors, and therefore belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jwrules.products.kinds import Image, Meta


def group_id(meta: Meta) -> str:
    """Return `jw{program}{obs}{visit}_{visitgrp}{seq}{act}_{exposure}`; the file's own name where one is missing."""
    keywords = ("PROGRAM", "OBSERVTN", "VISIT", "VISITGRP", "SEQ_ID", "ACT_ID", "EXPOSURE")
    values = [meta.get(keyword) for keyword in keywords]
    if None in values:
        return meta.source
    program, observation, visit, group, sequence, activity, exposure = (str(value).strip() for value in values)
    return f"jw{program}{observation}{visit}_{group}{sequence}{activity}_{exposure}"


def groups(images: Sequence[Image]) -> dict[str, list[int]]:
    """Return the indices of the images of each exposure, in the order in which the exposures first appear."""
    found: dict[str, list[int]] = {}
    for index, image in enumerate(images):
        name = group_id(image.meta) or f"image {index + 1}"
        found.setdefault(name, []).append(index)
    return found


def declined(image: Image, step: str, reason: str) -> Image:
    """Return the image with a note in its provenance that `step` ran for its association but left it alone, and why."""
    notes = {**image.provenance.get("declined", {}), step: reason}
    return replace(image, provenance={**image.provenance, "declined": notes})
