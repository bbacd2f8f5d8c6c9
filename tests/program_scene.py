"""A small NIRCam program whose files are headers alone, and holes for arrays: enough for everything that plans."""

import os
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path

from jwrules import plan, recipes
from jwrules.plan.settings import Settings

OPTICS = {"nrca1": ("SHORT", "F200W"), "nrcalong": ("LONG", "F444W")}

RECIPE = """\
template: NIRCam Imaging
for: {INSTRUME: NIRCAM, EXP_TYPE: NRC_IMAGE}
associations:
  image2: {one_for_each: exposure, members: {science: rate, background: {file: rate, same: [DETECTOR, optics]}}}
  image3: {one_for_each: [INSTRUME, optics, target], members: {science: cal}}
stages:
  detector1: [dq_init, dark_current, ramp_fit, gain_scale]
  image2: [background, assign_wcs, flat_field, photom, resample]
  image3: [tweakreg, skymatch, resample]
"""
"""Short, so that a test reads what it is about."""


def header(dither: int, detector: str, **changes: object) -> dict[str, object]:
    """Return the primary header of one exposure."""
    channel, passband = OPTICS[detector]
    keywords = {
        "TELESCOP": "JWST",
        "FILENAME": f"{exposure(dither, detector)}_uncal.fits",
        "PROGRAM": "00042",
        "OBSERVTN": "001",
        "VISIT": "001",
        "VISITGRP": "02",
        "SEQ_ID": "1",
        "ACT_ID": "01",
        "EXPOSURE": f"{dither}",
        "INSTRUME": "NIRCAM",
        "DETECTOR": detector.upper(),
        "CHANNEL": channel,
        "MODULE": "A",
        "FILTER": passband,
        "PUPIL": "CLEAR",
        "EXP_TYPE": "NRC_IMAGE",
        "TARGPROP": "FIELD",
        "TARGNAME": "FIELD",
        "SUBARRAY": "SUB160",
        "SUBSTRT1": 1,
        "SUBSTRT2": 1,
        "SUBSIZE1": 160,
        "SUBSIZE2": 160,
        "READPATT": "RAPID",
        "NINTS": 1,
        "NGROUPS": 5,
        "TSOVISIT": False,
        "BKGDTARG": False,
        "DATE-OBS": "2026-01-01",
        "TIME-OBS": "00:00:00.000",
    }
    return keywords | changes


def exposure(dither: int, detector: str, observation: int = 1) -> str:
    """Return the name of one exposure."""
    return f"jw00042{observation:03}001_02101_{dither:05}_{detector}"


def write_header(path: Path, keywords: Mapping[str, object]) -> Path:
    """Write a FITS file of a primary header alone; one named as a raw exposure also has a ramp, a hole in the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _block({"SIMPLE": True, "BITPIX": 8, "NAXIS": 0, "EXTEND": True, **keywords})
    size = len(text)
    if path.name.endswith("uncal.fits"):
        axes = [keywords[name] for name in ("SUBSIZE1", "SUBSIZE2", "NGROUPS", "NINTS")]
        shape = {f"NAXIS{number}": length for number, length in enumerate(axes, start=1)}
        text += _block({"XTENSION": "IMAGE", "BITPIX": 16, "NAXIS": 4, **shape, "EXTNAME": "SCI"})
        size = len(text) + -(-2 * prod(axes) // 2880) * 2880
    path.write_text(text)
    os.truncate(path, size)
    return path


def _block(cards: Mapping[str, object]) -> str:
    text = "".join(f"{name:<8}= {_value(value):<70}" for name, value in cards.items()) + f"{'END':<80}"
    return text.ljust(-(-len(text) // 2880) * 2880)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return f"{'T' if value else 'F':>20}"
    return f"{value:>20}" if isinstance(value, int) else f"'{value!s:<8}'"


def write_exposures(folder: Path, dithers: Iterable[int] = (1, 2, 3, 4), **changes: object) -> None:
    """Write the exposures of these dithers with both detectors."""
    for dither in dithers:
        for detector in OPTICS:
            write_header(folder / f"{exposure(dither, detector)}_uncal.fits", header(dither, detector, **changes))


def write_reference(folder: Path, kind: str, detector: str, **changes: object) -> Path:
    """Write a reference file of a type for one detector."""
    channel, passband = OPTICS[detector]
    keywords = {
        "TELESCOP": "JWST",
        "REFTYPE": kind.upper(),
        "INSTRUME": "NIRCAM",
        "DETECTOR": detector.upper(),
        "CHANNEL": channel,
        "MODULE": "A",
        "FILTER": passband,
        "PUPIL": "CLEAR",
        "USEAFTER": "2022-01-01T00:00:00",
    }
    return write_header(folder / f"jwst_nircam_{kind}_{detector}.fits", keywords | changes)


def write_guide_stars(folder: Path, references: Path) -> list[str]:
    """Write an identification, an acquisition and a fine guide, and their reference files; return their names."""
    modes = {"id_1_image": "FGS_ID-IMAGE", "acq1_2022117003102": "FGS_ACQ1", "fg_2022117003202-seg001": "FGS_FINEGUIDE"}
    guider = {"INSTRUME": "FGS", "DETECTOR": "GUIDER1", "CHANNEL": "", "MODULE": "", "FILTER": "", "PUPIL": ""}
    for name, exp_type in modes.items():
        path = folder / f"jw00042001001_gs-{name}{'-' if name.startswith('id') else '_'}uncal.fits"
        write_header(path, header(1, "nrca1", **guider, EXP_TYPE=exp_type, FILENAME=path.name))
    for kind in ("mask", "gain", "readnoise", "flat"):
        keywords = {"TELESCOP": "JWST", "REFTYPE": kind.upper(), "INSTRUME": "FGS", "DETECTOR": "GUIDER1"}
        write_header(references / f"jwst_fgs_{kind}.fits", keywords | {"USEAFTER": "2022-01-01T00:00:00"})
    return [f"jw00042001001_gs-{name}" for name in modes]


def write_references(folder: Path) -> None:
    """Write a reference file of every type that a step takes, for both detectors."""
    kinds = {kind for card in recipes.cards().steps.values() for kind in card["references"]}
    for kind in sorted(kinds):
        for detector in OPTICS:
            write_reference(folder, kind, detector, DESCRIP=f"{kind} of {detector}")


def program(folder: Path, recipe: str | None = RECIPE) -> Settings:
    """Write exposures, references and (unless None) a recipe below a folder; return what a run of them is asked."""
    write_exposures(folder / "uncal")
    write_references(folder / "references")
    if recipe:
        (folder / "short.yaml").write_text(recipe)
    return Settings(
        data=folder / "uncal",
        references=str(folder / "references"),
        recipe=folder / "short.yaml" if recipe else None,
    )


def planned(folder: Path, asked: Settings) -> plan.Plan:
    """Return the plan of a program in its folder."""
    return plan.of(asked, folder)
