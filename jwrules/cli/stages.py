"""Commands that run one stage: detector1, dark, guider, image2, image3.

For a person they choose recipe and reference files from the headers. With --steps they choose nothing: a rule gives
them the chain and the files that the plan chose.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jwrules import house, names
from jwrules.cli.common import Commands, add_command, add_options, add_references, log
from jwrules.cli.recording import recorded, words
from jwrules.errors import RecipeFault, ReferenceFault, WorkflowFault

if TYPE_CHECKING:
    from jwrules.plan import Choice
    from jwrules.stages.workbench import Workbench

GARBAGE = 300_000
"""Objects after which cycles are sought: headers and trees are many small ones, and few of them are garbage."""

_EPILOG = """\
examples:
  {examples}

`jwrules steps` lists the steps, `jwrules recipes` the recipes and their options."""


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_detector1(commands)
    _add_dark(commands)
    _add_guider(commands)
    _add_image2(commands)
    _add_image3(commands)


def _add_stage(commands: Commands, run: Any, help: str, *examples: str) -> argparse.ArgumentParser:
    epilog = _EPILOG.format(examples="\n  ".join(examples))
    command = add_command(commands, run.__name__, run, help, epilog)
    add_references(command)
    command.add_argument("--output", metavar="DIR", type=Path, required=True, help="folder of the products")
    command.add_argument(
        "--scratch",
        metavar="DIR",
        type=Path,
        help="a folder of this machine where products are written before they are copied, once, to --output",
    )
    command.add_argument(
        "--threads",
        metavar="N",
        type=int,
        help="processors that the kernels may use (default: all); no result depends on it",
    )
    command.add_argument(
        "--reference",
        dest="chosen",
        metavar="TYPE=PATH",
        nargs="*",
        action="extend",
        default=[],
        help="a reference file, in place of the one that would be chosen; may be repeated",
    )
    add_options(command)
    rules = command.add_argument_group("what the rules of the workflow give, so that nothing is chosen here")
    rules.add_argument("--steps", metavar="JSON", help="the chain of steps with their parameters")
    rules.add_argument("--context", metavar="NAME", default="N/A", help="the context that chose the reference files")
    rules.add_argument(
        "--record", metavar="IDENTITY", help="write NAME_STAGE.json beside the products: how they were made"
    )
    return command


def _add_detector1(commands: Commands) -> None:
    example = "jwrules detector1 demo/uncal/*_uncal.fits --references demo/references --output rates"
    command = _add_stage(commands, detector1, "ramps (_uncal) to count rates (_rate, _rateints)", example)
    _add_ramps(command)
    command.add_argument(
        "--save",
        metavar="STEP",
        nargs="*",
        action="extend",
        default=[],
        help="steps whose result is written too, _STEP; 'ramp' for what is fitted",
    )


def _add_ramps(command: argparse.ArgumentParser) -> None:
    command.add_argument("uncal", metavar="UNCAL", type=Path, nargs="+", help="raw exposures")
    command.add_argument(
        "--memory",
        metavar="SIZE",
        type=_megabytes,
        help="what the process may take, such as 4G or 900M (default: about 700M, more where an integration takes it);"
        " no result depends on it",
    )


def detector1(options: argparse.Namespace) -> None:
    """Correct the ramps of raw exposures and fit them: _rate and _rateints of each."""
    _begin(options)
    from jwrules.stages import detector1 as stage

    for uncal in options.uncal:
        with recorded(options, names.stem(uncal), [(uncal, "science")]) as job:
            job.bench = _workbench("detector1", uncal, options)
            job.made = stage.run(uncal, job.bench, options.memory, options.save)


def _megabytes(text: str) -> int:
    """Return the size that a text such as 4G, 900M or 900 says, in megabytes."""
    units = {"": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0**2}
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"'{text}' is no size; say it as 4G or 900M")
    return max(1, int(float(found[1]) * units[found[2].upper()]))


def _add_dark(commands: Commands) -> None:
    example = "jwrules dark uncal/*_uncal.fits --references crds:latest --output darks"
    command = _add_stage(commands, dark, "ramps of dark exposures (_uncal) to corrected ramps (_dark)", example)
    _add_ramps(command)


def dark(options: argparse.Namespace) -> None:
    """Correct the ramps of dark exposures: _dark of each, to which no slope is fitted."""
    _begin(options)
    from jwrules.stages import dark as stage

    for uncal in options.uncal:
        with recorded(options, names.stem(uncal), [(uncal, "science")]) as job:
            job.bench = _workbench("dark", uncal, options)
            job.made = stage.run(uncal, job.bench, options.memory)


def _add_guider(commands: Commands) -> None:
    example = "jwrules guider guiding/*_gs-*uncal.fits --references crds:latest --output guiding"
    command = _add_stage(commands, guider, "guide-star exposures (_uncal) to count rates (_cal)", example)
    _add_ramps(command)


def guider(options: argparse.Namespace) -> None:
    """Turn the reads of guide stars (identification, acquisition, track, fine guide) into count rates: _cal of each."""
    _begin(options)
    from jwrules.stages import guider as stage

    for uncal in options.uncal:
        with recorded(options, names.stem(uncal), [(uncal, "science")]) as job:
            job.bench = _workbench("guider", uncal, options)
            job.made = stage.run(uncal, job.bench, options.memory)


def _add_image2(commands: Commands) -> None:
    command = _add_stage(
        commands,
        image2,
        "count rates (_rate) to calibrated images (_cal, _i2d)",
        "jwrules image2 rates/*_rate.fits --references demo/references --output cals",
        "jwrules image2 jw01234-o001_image2_00001_asn.json --references demo/references --output cals",
    )
    command.add_argument(
        "inputs", metavar="RATE|ASN", type=Path, nargs="+", help="count rates, or associations of them"
    )
    command.add_argument(
        "--background", metavar="RATE", type=Path, nargs="*", default=[], help="exposures of the background alone"
    )
    command.add_argument("--save-bsub", action="store_true", help="also write _bsub: the background taken off")
    _add_members(command)


def image2(options: argparse.Namespace) -> None:
    """Calibrate count rates in flux and position: _cal of each, and _i2d where the recipe resamples."""
    _begin(options)
    from jwrules.stages import image2 as stage

    for given in options.inputs:
        for rate, background in _science_and_background(given, options):
            members = [(rate, "science"), *((path, "background") for path in background)]
            with recorded(options, names.stem(rate), members) as job:
                job.bench = _workbench("image2", rate, options)
                job.made = stage.run(rate, job.bench, background, save_bsub=options.save_bsub)


def _science_and_background(given: Path, options: argparse.Namespace) -> list[tuple[Path, list[Path]]]:
    if given.suffix != ".json":
        return [(given, options.background)]
    from jwrules import associations

    association = associations.read(given)
    science = [_locate(name, given, options.members) for name in _members(association, "science")]
    background = [_locate(name, given, options.members) for name in _members(association, "background")]
    return [(path, background) for path in science]


def _add_image3(commands: Commands) -> None:
    command = _add_stage(
        commands,
        image3,
        "an association of calibrated images (_cal) to a mosaic and a catalogue",
        "jwrules image3 cals/jw01234-o001_image3_00001_asn.json --references demo/references --output final",
    )
    command.add_argument("association", metavar="ASN", type=Path, help="the association (*_asn.json)")
    command.add_argument("--crf", metavar="DIR", type=Path, help="folder of _crf (default: the output)")
    _add_members(command)


def image3(options: argparse.Namespace) -> None:
    """Align, match, clean and combine the members of ASN: _i2d, _cat.ecsv, _segm, and _crf of each member."""
    _begin(options)
    from jwrules import associations
    from jwrules.stages import image3 as stage

    association = associations.read(options.association)
    members = [_locate(m, options.association, options.members) for m in _members(association, "science")]
    keywords = {
        "ASNTABLE": options.association.name,
        "ASNPOOL": association.pool,
        "asn_id": association.candidate,
    }
    folder = options.crf or options.output
    folder.mkdir(parents=True, exist_ok=True)
    with recorded(options, association.product, [(path, "science") for path in members]) as job:
        job.bench = _workbench("image3", members[0], options)
        job.made = stage.run(association.product, members, job.bench, association=keywords, crf_folder=folder)


def _add_members(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--members", metavar="DIR", type=Path, help="folder of the members (default: beside the association)"
    )


def _members(association: Any, role: str) -> list[str]:
    found = [name for name, kind in association.members if kind == role]
    if not found and role == "science":
        raise WorkflowFault(f"association {association.product}: it has no science member")
    return found


def _locate(name: str, association: Path, folder: Path | None) -> Path:
    places = [folder] if folder else [association.parent, Path.cwd()]
    for place in places:
        if (place / name).is_file():
            return place / name
    looked = " and ".join(str(place) for place in places)
    raise WorkflowFault(f"{association}: its member {name} is not in {looked}; --members names its folder")


def _workbench(stage: str, path: Path, options: argparse.Namespace) -> Workbench:
    """Return the workbench of `stage` for the file at `path`, as the rule gave it or as its header wants it."""
    from jwrules.stages import workbench

    with suppress(OSError):
        options.output.mkdir(parents=True, exist_ok=True)
    if not (options.output.is_dir() and os.access(options.output, os.W_OK)):
        raise WorkflowFault(f"{options.output}: nothing can be written there; --output names another folder")
    if options.steps is not None:
        chosen = _given(options.chosen)
        hashes = _hashes(dict(text.split("=", 1) for text in options.chosen))
        calls = workbench.calls(options.steps)
        return workbench.Workbench(stage, calls, chosen, options.output, hashes, options.context)
    given = _given(options.chosen)
    choice, context = _choice(stage, path, options, given)
    log.info("%s: recipe %s", path.name, choice.recipe)
    for said in choice.idle.values():
        log.warning("%s: %s", path.name, said)
    for kind, reference in sorted(choice.references.items()):
        log.info("  %-14s %s", kind, reference.name)
    paths = {kind: reference.path for kind, reference in choice.references.items()} | given
    hashes = {kind: reference.sha256 for kind, reference in choice.references.items()} | _hashes(given)
    return workbench.Workbench(stage, workbench.calls(choice.steps), paths, options.output, hashes, context)


def _choice(stage: str, path: Path, options: argparse.Namespace, given: Mapping[str, Path]) -> tuple[Choice, str]:
    """Return recipe, steps and reference files for the file at `path`, by its header; and the context that chose.

    Of types that are `given` nothing is chosen.
    """
    from jwrules import headers, plan
    from jwrules.references import by_hand

    asked = plan.Settings(
        data=path,
        references=plan.references_or_default(options.references),
        recipe=Path(options.recipe) if options.recipe else None,
        sets=tuple(options.sets),
    )
    header = headers.read(path)
    for said in by_hand.check(given, header):
        log.warning("%s: %s", path.name, said)
    planner = replace(plan.planner(asked, plan.cache_of(None), header=header), given=frozenset(given))
    try:
        return planner.choose(stage, header), planner.references.name
    finally:
        planner.references.ledger.save()


def _given(chosen: Sequence[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in chosen]
    for kind, sign, path in pairs:
        if not (kind and sign and path):
            raise RecipeFault(f"--reference {kind}{sign}{path}: expected TYPE=PATH, such as dark=my_dark.fits")
    _refuse([(kind, path) for kind, _, path in pairs])
    return {kind: _known(Path(path)) for kind, _, path in pairs}


def _refuse(given: Sequence[tuple[str, str]]) -> None:
    """Refuse reference files that no step would open, that are not there, and two of one type."""
    from jwrules import recipes

    known = {kind for card in recipes.cards().steps.values() for kind in card["references"]}
    for number, (kind, path) in enumerate(given):
        if kind not in known:
            hint = recipes.nearest(kind, known) or f"; there are {', '.join(sorted(known))}"
            raise RecipeFault(f"--reference {kind}={path}: no step takes a reference file of type '{kind}'{hint}")
        if not Path(path).is_file():
            raise ReferenceFault(f"--reference {kind}={path}: there is no such file")
        if others := [other for name, other in given[:number] if name == kind and other != path]:
            raise RecipeFault(f"--reference {kind}: two files are given, {others[0]} and {path}; give one")


def _known(path: Path) -> Path:
    """Return the file that people know, where the plan linked to it: messages name that one."""
    return path.readlink() if house.STORE in path.parts and path.is_symlink() else path


def _hashes(chosen: Mapping[str, Path | str]) -> dict[str, str]:
    from jwrules.plan.links import sha256_of
    from jwrules.stages.workbench import sha256

    return {kind: sha256_of(Path(path)) or sha256(Path(path)) for kind, path in chosen.items()}


def _begin(options: argparse.Namespace) -> None:
    """Say what runs; set how many threads it may use, before anything reads that; let a polite kill clean up."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    gc.set_threshold(GARBAGE)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its idle threads wait busily, and kernels have their own
    if options.threads:
        os.environ["NUMBA_NUM_THREADS"] = str(options.threads)
    if options.scratch:
        _write_in(options.scratch)
    log.info("jwrules %s", shlex.join(words(options)))


def _write_in(scratch: Path) -> None:
    if not (scratch.is_dir() and os.access(scratch, os.W_OK | os.X_OK)):
        raise WorkflowFault(f"--scratch {scratch}: no folder that can be written in; name another, or leave it out")
    os.environ[house.SCRATCH] = str(scratch.resolve())
