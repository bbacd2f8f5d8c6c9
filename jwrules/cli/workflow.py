"""Commands around the workflow: plan, run, explain."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jwrules import whole
from jwrules.cli.common import Commands, add_command, add_exclude, add_options, add_references, log
from jwrules.errors import WorkflowFault

if TYPE_CHECKING:
    from jwrules.plan import Plan, Settings

_RUN_EXAMPLES = """\
examples:
  jwrules run demo/uncal --references demo/references --output demo --cores 2
  jwrules run DATA --references crds:jwst_1464.pmap --cores 8 --set jump.rejection_threshold=5
  jwrules run DATA --references R --cores 8 --forcerun image3
  jwrules run DATA --variant jump5 --set jump.rejection_threshold=5    (beside the first: DIR/variants/jump5)
  jwrules run plan.yaml --output DIR                     (exactly what `jwrules plan --write` wrote there)
  jwrules run DATA --references R -n                     (what Snakemake would do)
  jwrules run DATA --references R --profile slurm        (on a cluster; docs/cluster.md)

The same run through Snakemake alone, once run.yaml is there:
  snakemake --snakefile SNAKEFILE --directory DIR --configfile DIR/run.yaml --cores 8"""

_PLAN_EXAMPLES = """\
examples:
  jwrules plan demo/uncal --references demo/references --output demo
  jwrules plan DATA --references R --set jump.rejection_threshold=5
  jwrules plan DATA --references R --html plan.html --json plan.json
  jwrules plan DATA --references R --write plan.yaml     (then: jwrules run plan.yaml)"""

_EXPLAIN_EXAMPLES = """\
example:
  jwrules explain demo/results/jw00042-o001_t001_nircam_clear-f200w_i2d.fits"""


def add(commands: Commands) -> None:
    """Declare the commands."""
    _add_plan(commands)
    _add_run(commands)
    _add_explain(commands)


def _add_asked(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "data", metavar="DATA|PLAN", type=Path, help="folder of the raw exposures (*_uncal.fits), or a plan file"
    )
    add_references(command)
    command.add_argument(
        "--output", metavar="DIR", type=Path, default=Path("."), help="working directory (default: here)"
    )
    add_options(command)
    add_exclude(command)
    command.add_argument(
        "--variant",
        metavar="NAME",
        help="work in DIR/variants/NAME; what is the same in DIR or another variant is linked, not made again",
    )


def _add_plan(commands: Commands) -> None:
    command = add_command(
        commands, "plan", plan, "show what would be made, from what, how and why; nothing is run", _PLAN_EXAMPLES
    )
    _add_asked(command)
    command.add_argument("--json", metavar="FILE", type=Path, help="write the plan there as JSON; - for the terminal")
    command.add_argument(
        "--write",
        metavar="PLAN",
        type=Path,
        help="write a plan file there (YAML), to edit and to keep: `jwrules run PLAN`",
    )
    command.add_argument("--html", metavar="FILE", type=Path, help="draw the plan there: one page, needs nothing else")


def plan(options: argparse.Namespace) -> int:
    """Show every product that would be made of DATA: from what, with which options and reference files, and why.

    It says how each product stands, what it costs in time, memory and disk (about), where options come from, why
    reference files were chosen, what is left out, and all that cannot be made (then the exit status is 1). It warns
    where less is free in DIR than products take. Nothing is run.
    """
    from jwrules import plan as planning
    from jwrules.cli import described, listing, page
    from jwrules.plan import planfile

    directory = _directory(options)
    asked = replace(asked_for(options, directory), partial=True)
    planned = planning.of(asked, directory)
    content = described.of(planned, asked, directory)
    if str(options.json) == "-":
        print(json.dumps(content, indent=1))
    else:
        print(listing.table(content))
        if options.json:
            whole.write(options.json, json.dumps(content, indent=1) + "\n")
    if options.write:
        planfile.write(planned, asked, options.write)
        log.info("plan file: %s", options.write)
    if described.is_short(content):
        log.warning("%s", described.disk_told(content))
    for words in planned.idle:
        log.warning("%s", words)
    if options.html:
        whole.write(options.html, page.page(content))
        log.info("page: %s", options.html)
    return 1 if planned.faults else 0


def _add_run(commands: Commands) -> None:
    help = "make everything that DATA gives, and only what is not up to date"
    command = add_command(commands, "run", run, help, _RUN_EXAMPLES)
    command.usage = "jwrules run DATA --references R [--output DIR] [options] [SNAKEMAKE OPTIONS]"
    command.set_defaults(passes_on=True)
    _add_asked(command)
    command.add_argument("--cores", "-c", metavar="N", help="how many cores at once (default: all)")
    command.add_argument(
        "--report",
        action=argparse.BooleanOptionalAction,
        help="write DIR/report.html, or do not (default: up to 2000 jobs; of more it takes minutes)",
    )
    command.add_argument("--dry-run", "-n", action="store_true", help="let Snakemake say what it would run first")
    command.add_argument(
        "--forcerun",
        "-R",
        metavar="NAME",
        nargs="+",
        action="extend",
        default=[],
        help="make these in any case: stages (image3) or products",
    )
    command.add_argument(
        "--partial", action="store_true", help="make what can be made, though some cannot; else nothing is run then"
    )
    command.add_argument("--forceall", "-F", action="store_true", help="make everything anew")


def run(options: argparse.Namespace) -> int:
    """Run the workflow on DATA in the working directory: results/, logs/, pictures/ and report.html.

    What is up to date is not made again; what another variant has made from the same is linked (with -n too). run.yaml
    records what was asked. It warns where less is free in DIR than products take. Options that are not listed here go
    to Snakemake as they are.
    """
    from jwrules import plan as planning
    from jwrules.cli import engine, waves

    directory = _directory(options)
    asked = replace(asked_for(options, directory), partial=options.partial)
    engine.open_up(directory)
    planned = planning.of(asked, directory)
    planned.targets()
    _warn(planned)
    forced = waves.ALL if options.forceall else tuple(options.forcerun)
    if options.dry_run:
        return waves.first(asked, directory, _snakemake_options(options), forced)
    status, ran = waves.run(asked, directory, _snakemake_options(options), forced)
    if status == 0 and engine.owes_report(directory):
        _report(options.report, len(planned.all()), ran, directory)
    return status or (1 if planned.faults else 0)


def _warn(planned: Plan) -> None:
    """Say what a partial run does not make, what a plan file does not know, what is pinned or set in vain."""
    from jwrules.plan import planfile, rows

    for words, files in planned.faults.items():
        log.warning("cannot be made: %s: %s", ", ".join(files), words)
    new = [Path(one.path).name for one in planned.left_out if one.reason == planfile.NOT_LISTED]
    if new:
        log.warning("not in the plan file, and not taken: %s", ", ".join(new))
    for words, exposures in planned.unfit.items():
        log.warning("%s: for %s", words, rows.few(exposures))
    for words in planned.idle:
        log.warning("%s", words)


def _report(wanted: bool | None, jobs: int, ran: int, directory: Path) -> None:
    """Write the report where it is wanted, or small enough to be written unasked."""
    from jwrules.cli import engine

    if wanted or (wanted is None and jobs <= engine.REPORTED):
        engine.write_report(directory)
    elif wanted is None and ran:
        log.info("no report was written: it takes minutes for %d jobs; --report writes it", jobs)


def _snakemake_options(options: argparse.Namespace) -> list[str]:
    from jwrules.cli import passed, profiles

    given = profiles.found(options.snakemake)
    if options.cores:
        given = ["--cores", options.cores, *given]
    elif not passed.say_where(given):
        given = ["--cores", "all", *given]
    return given


def _directory(options: argparse.Namespace) -> Path:
    """Return the working directory: that which --output names, or that of its variant."""
    from jwrules.plan import variants

    first: Path = options.output.resolve()
    return variants.place(first, options.variant) if options.variant else first


def asked_for(options: argparse.Namespace, directory: Path) -> Settings:
    """Return what the command line asks for; what it does not say is taken from the run file of the directory.

    A variant is its options: it keeps those that it was made with, until others are given. What a new one does not say
    is taken from the first run.
    """
    from jwrules import associations
    from jwrules import plan as planning
    from jwrules.plan import variants

    if options.data.is_file():
        return _planned(options)
    own = _before(directory)
    earlier = own or _before(variants.base(directory))
    kept = own if variants.base(directory) and not (options.sets or options.recipe) else None
    if not options.data.is_dir():
        raise WorkflowFault(f"{options.data}: no such folder; DATA, the folder of the raw exposures, comes first")
    return planning.Settings(
        data=options.data.resolve(),
        references=_references(options.references, earlier),
        recipe=kept.recipe if kept else _resolved(options.recipe),
        steps=earlier.steps if earlier else {},
        sets=kept.sets if kept else tuple(_in_full(text) for text in options.sets),
        exclude={
            **(earlier.exclude if earlier else {}),
            **dict(map(associations.parse, getattr(options, "exclude", ()))),
        },
        pin=earlier.pin if earlier else None,
    )


def _planned(options: argparse.Namespace) -> Settings:
    """Return what a plan file asks; nothing stands above it."""
    from jwrules.plan import settings

    above = {"--references": options.references, "--recipe": options.recipe, "--set": options.sets}
    given = [name for name, value in {**above, "--exclude": getattr(options, "exclude", ())}.items() if value]
    if given:
        raise WorkflowFault(f"{' '.join(given)}: {options.data} is a plan file, which alone decides; write it there")
    return settings.read_plan(options.data)


def _before(directory: Path | None) -> Settings | None:
    from jwrules import plan as planning

    return (
        planning.read(directory / planning.RUN_FILE)
        if directory and (directory / planning.RUN_FILE).is_file()
        else None
    )


def _resolved(recipe: str | None) -> Path | None:
    return Path(recipe).resolve() if recipe else None


def _in_full(text: str) -> str:
    """Return a setting whose value, where it is the path of a file, does not depend on the current folder."""
    name, sign, value = text.partition("=")
    return f"{name}{sign}{Path(value).resolve()}" if value and Path(value).is_file() else text


def _references(given: str | None, earlier: Settings | None) -> str:
    """Return where reference files come from: one context for the whole run, however long it takes."""
    from jwrules import plan as planning
    from jwrules import references

    if given is None and earlier:
        log.info("references: %s (from %s)", earlier.references, planning.RUN_FILE)
        return earlier.references
    return references.resolved(planning.references_or_default(given))


def _add_explain(commands: Commands) -> None:
    command = add_command(
        commands, "explain", explain, "tell how a product was made, and whether it is up to date", _EXPLAIN_EXAMPLES
    )
    command.add_argument("product", metavar="PRODUCT", type=Path, help="a product of jwrules (.fits or .ecsv)")


def explain(options: argparse.Namespace) -> None:
    """Tell the members, steps with their options, reference files with their hashes, and versions of PRODUCT.

    Where it lies in the working directory of a run, also whether it is up to date with it, and why not.
    """
    from jwrules.cli import provenance

    print(provenance.tell(options.product))
