"""A few steps with known parameters, and recipes of them."""

import json
import textwrap
from dataclasses import dataclass
from typing import Literal

from jwrules import house, recipes
from jwrules.products.kinds import Dark, Gain, Image, Images, Mosaic, Ramp, Rate, Rates, Readnoise, Slopes
from jwrules.recipes.cards import Cards
from jwrules.steps.declare import Part, par, step
from jwrules.steps.schema import card, recipe_schema


@dataclass(frozen=True, kw_only=True)
class Nothing:
    pass


@dataclass(frozen=True, kw_only=True)
class Jumps:
    threshold: float = par(4.0, "a difference above is a jump", unit="sigma", ge=0)
    neighbours: bool = par(True, "flag the neighbours too")
    groups: int | None = par(None, "groups flagged after a jump", gt=0)
    method: Literal["two-point", "fit"] = par("two-point", "how jumps are found")
    area: tuple[float, float] = par((1.0, 5.0), "smallest and largest event", unit="pixel", ge=0)
    comment: str | None = par(None, "what is logged")


@dataclass(frozen=True, kw_only=True)
class Grid:
    pixfrac: float = par(1.0, "shrinkage of the pixels", gt=0, le=1)
    weight: str | None = par("ivm", "weights of the images", choices=("ivm", "exptime"))


@step(status="S_DARK")
def dark_current(ramp: Ramp, params: Nothing, *, dark: Dark) -> Ramp:
    return ramp


def listen(ramp: Ramp, params: Jumps, *, readnoise: Readnoise | None = None) -> Ramp:
    return ramp


@step(status="S_JUMP", before=[Part(listen)], wants={"readnoise": {"method": "fit", "NGROUPS": ">4"}})
def jump(ramp: Ramp, params: Jumps, *, gain: Gain | None = None) -> Ramp:
    return ramp


@step(status="S_RAMP")
def ramp_fit(ramp: Ramp, params: Nothing) -> Slopes:
    raise NotImplementedError


@step(status="S_GANSCL")
def gain_scale(slopes: Slopes, params: Nothing) -> Slopes:
    return slopes


@step(status="S_BKDSUB")
def background(rate: Rate, params: Nothing, *, background: Rates | None = None) -> Rate:
    return rate


@step(status="S_WCS")
def assign_wcs(rate: Rate, params: Nothing) -> Image:
    raise NotImplementedError


@step(status="S_TWKREG")
def tweakreg(images: Images, params: Nothing) -> Images:
    return images


@step(status="S_RESAMP")
def resample(images: Images, params: Grid) -> Mosaic:
    raise NotImplementedError


STEPS = {
    one.name: one for one in (assign_wcs, background, dark_current, gain_scale, jump, ramp_fit, resample, tweakreg)
}
FRAGMENTS = ("conditions.schema.json", "associations.schema.json")
CARDS = Cards(
    {name: card(one) for name, one in STEPS.items()},
    recipe_schema(STEPS),
    {name: json.loads((house.root() / "schemas" / name).read_text()) for name in FRAGMENTS},
)

HEADER = "template: Some Imaging\nfor: {EXP_TYPE: NRC_IMAGE}\n"
F200W = {"INSTRUME": "NIRCAM", "EXP_TYPE": "NRC_IMAGE", "FILTER": "F200W", "PUPIL": "CLEAR", "NGROUPS": 6}
F444W = F200W | {"FILTER": "F444W"}


def written(folder, name, text):
    """Write a file of YAML and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def recipe(folder, chain, *, stage="detector1", head=HEADER, name="some.yaml"):
    """Read a recipe whose stage has this chain, one entry a line."""
    lines = textwrap.indent(textwrap.dedent(chain).strip(), "    ")
    return recipes.read(written(folder, name, f"{head}stages:\n  {stage}:\n{lines}\n"), CARDS)


def values(steps, step="jump"):
    """Return the values of the parameters of one resolved step."""
    return {name: given.value for name, given in next(one for one in steps if one.step == step).params.items()}


def origins(steps, step="jump"):
    """Return the origins of the parameters of one resolved step."""
    return {name: given.origin for name, given in next(one for one in steps if one.step == step).params.items()}
