"""Pools and recipes for the tests of associations, as small as can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jwrules import associations, recipes
from jwrules.pool import Pool, Row
from jwrules.recipes import hold

IMAGING = recipes.named("nircam_imaging").associations
"""The rules for imaging as they stand in the recipes."""


@dataclass(frozen=True)
class SmallRecipe:
    """What associations need of a recipe."""

    associations: Mapping[str, Any]
    conditions: Mapping[str, Any] = field(default_factory=lambda: {"EXP_TYPE": "NRC_IMAGE"})
    name: str = "imaging"

    def applies(self, header):
        return hold(self.conditions, header)


def exposure(number, *, observation=1, candidates=(), **columns):
    """A row: dither `number` of a NIRCam F090W image of target 1, changed by `columns`."""
    listed = [(f"o{observation:03d}", "observation"), *candidates]
    values = {
        "filename": f"jw01234{observation:03d}001_02101_{number:05d}_nrca1_uncal.fits",
        "program": "1234",
        "obs_num": str(observation),
        "exp_type": "nrc_image",
        "instrume": "nircam",
        "detector": "nrca1",
        "targetid": "1",
        "pntgtype": "science",
        "mostilno": "1",
        "filter": "f090w",
        "pupil": "clear",
        "subarray": "full",
        "asn_candidate": str(listed),
    }
    return Row(values | columns)


def make(*rows, rules=IMAGING):
    return associations.make(Pool(tuple(rows)), [SmallRecipe(rules)])


@cache
def every_recipe():
    """The recipes that come with jwrules."""
    return tuple(recipes.all().values())


def gather_all(*rows, **options):
    """What becomes of the rows by all recipes."""
    return associations.gather(Pool(tuple(rows)), every_recipe(), **options)


def make_all(*rows):
    """The associations of the rows by all recipes."""
    return gather_all(*rows).associations


def products(made, kind):
    """Type image2 or image3 -> {product: {(file without the exposure's name, role), ...}}."""
    return {one.product: {(name.split("_")[2], role) for name, role in one.members} for one in made if one.type == kind}
