"""Commands around the data: simulate, associate, picture."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jwrules.cli.common import Commands, add_command, add_exclude, log
from jwrules.errors import WorkflowFault


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_simulate(commands)
    _add_associate(commands)
    _add_picture(commands)


def _add_simulate(commands: Commands) -> None:
    command = add_command(
        commands,
        "simulate",
        simulate,
        "simulate a program of an observing template, with every reference file and the truth",
        "examples:\n  jwrules simulate nircam_imaging demo --size small --seed 7\n"
        "  jwrules simulate niriss_soss soss --integrations 20 --effect snowballs=0.5",
    )
    command.add_argument("template", metavar="TEMPLATE", help="name of a recipe, such as nircam_imaging")
    command.add_argument("directory", metavar="DIR", type=Path, help="where uncal/, references/ and truth/ go")
    command.add_argument("--list", action=_List, nargs=0, help="list the templates that can be simulated")
    command.add_argument("--size", choices=("tiny", "small", "full"), default="small", help="small: seconds (default)")
    command.add_argument("--groups", type=int, metavar="N", help="groups of an integration")
    command.add_argument("--integrations", type=int, metavar="N", help="integrations of an exposure")
    command.add_argument("--pattern", metavar="P", help="readout pattern, such as BRIGHT2")
    command.add_argument("--subarray", metavar="S", help="another subarray, such as SUBSTRIP96")
    command.add_argument(
        "--effect",
        metavar="NAME=X",
        action="append",
        default=[],
        help="cosmic_rays, one_over_f: factors; snowballs, showers: per 10^6 pixels and second; zeroframe: 1",
    )
    command.add_argument("--seed", type=int, default=1, metavar="N", help="of the random numbers (default 1)")


class _List(argparse.Action):
    """Print the templates that can be simulated, and leave."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from jwrules import simulate as simulator

        print("\n".join(simulator.names()))
        parser.exit()


def simulate(options: argparse.Namespace) -> None:
    """Write DIR/uncal (raw exposures), DIR/references (in CRDS format) and DIR/truth.

    The imaging programs of NIRCam and MIRI have what all stages need, the other templates (--list) what stage 1 needs.
    The same options give the same data.
    """
    from jwrules import simulate as simulator

    simulator.run(
        options.template,
        options.directory,
        size=options.size,
        seed=options.seed,
        groups=options.groups,
        integrations=options.integrations,
        pattern=options.pattern,
        subarray=options.subarray,
        effects=dict(map(_effect, options.effect)),
    )
    log.info("next: jwrules run %s/uncal --references %s/references --output %s", *[options.directory] * 3)


def _effect(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError as reason:
        raise WorkflowFault(f"--effect {text}: a number is wanted, as in snowballs=0.5") from reason


def _add_associate(commands: Commands) -> None:
    command = add_command(
        commands,
        "associate",
        associate,
        "write the associations of a pool, or of a directory of exposures",
        "examples:\n  jwrules associate demo/uncal --output asn\n"
        "  jwrules associate jw01234_20260101t000000_pool.csv --output asn --summary asn/summary.html\n"
        "  jwrules associate demo/uncal --output asn --exclude jw00042001001_02101_00002_nrcb1='satellite trail'",
    )
    command.add_argument("pool", metavar="POOL.csv|DATA", type=Path, help="an official pool file, or a directory")
    command.add_argument("--output", metavar="DIR", type=Path, required=True, help="where *_asn.json are written")
    command.add_argument("--recipe", metavar="FILE", help="a recipe of your own, instead of those of jwrules")
    command.add_argument("--summary", metavar="HTML", type=Path, help="write a page that shows what belongs together")
    add_exclude(command)


def associate(options: argparse.Namespace) -> None:
    """Write one *_asn.json for each group of exposures that belong together by the rules of their recipe.

    For a directory, its pool is written beside them. The path of each file is printed; what is left out or lacking is
    said, and shown in the summary. Association files that lie in the directory are not read: the rules alone decide.
    `jwrules plan` and `run` use those as they are.
    """
    from jwrules import associations, pool, recipes
    from jwrules.plan import given

    table = pool.scan(options.pool) if options.pool.is_dir() else pool.read(options.pool)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.pool.is_dir():
        print(pool.write(table, options.output / table.name))
    known = [recipes.read(options.recipe)] if options.recipe else list(recipes.all().values())
    gathered = associations.gather(table, known, dict(map(associations.parse, options.exclude)))
    for association in gathered.associations:
        print(associations.write(association, options.output))
    for reason, ones in associations.by_reason(gathered.left_out).items():
        log.warning("in no association: %s: %s", _named(ones), reason)
    for lack in gathered.lacks:
        log.warning("not made: %s", lack)
    if options.summary:
        log.info("%s", associations.summary.write(gathered, table.name, options.summary))
    if lying := given.find(options.pool) if options.pool.is_dir() else []:
        log.info("%d association files in %s were not read; plan and run use them", len(lying), options.pool)
    log.info("%d associations of %d exposures", len(gathered.associations), len(table.rows))


_NAMED = 3
"""How many exposures of one reason are named on the terminal; the summary names all."""


def _named(ones: Sequence[object]) -> str:
    more = f" and {len(ones) - _NAMED} more" if len(ones) > _NAMED else ""
    return ", ".join(map(str, ones[:_NAMED])) + more


def _add_picture(commands: Commands) -> None:
    command = add_command(
        commands,
        "picture",
        picture,
        "draw a product, its sources marked, for the report",
        "example:\n  jwrules picture results/X_i2d.fits --catalog results/X_cat.ecsv --output X.png",
    )
    command.add_argument("product", metavar="PRODUCT", type=Path, help="a product with an image")
    command.add_argument("--catalog", metavar="CAT", type=Path, help="a catalogue whose sources are marked")
    command.add_argument("--output", metavar="PNG", type=Path, required=True, help="the picture to write")


def picture(options: argparse.Namespace) -> None:
    """Write a picture of PRODUCT with a stretch in which faint and bright can both be seen."""
    from jwrules.report import picture as drawing

    drawing.run(options.product, options.catalog, options.output)
