"""Which of several equal associations stands, and the number of each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from jwrules.associations.association import Association

log = logging.getLogger("jwrules")

Files = frozenset[tuple[str, str]]


def pruned(made: Sequence[Association]) -> list[Association]:
    """Leave out, of one stage, groups that stand already, and of products with the same name those with fewer members.

    One that gives a file another role is left alone, and so is one that has no file in common: it would be lost.
    """
    first: dict[Files, Association] = {}
    latest_rule_first = made[::-1]
    for one in sorted(latest_rule_first, key=lambda one: one.candidate, reverse=True):
        first.setdefault(_files(one), one)
    of_name: dict[str, list[tuple[Files, Association]]] = {}
    for files, one in sorted(first.items(), key=lambda pair: len(pair[0]), reverse=True):
        standing = of_name.setdefault(one.product, [])
        if not any(_says_less(files, other) for other, _ in standing):
            standing.append((files, one))
    return [one for standing in of_name.values() for _, one in standing]


def _says_less(files: Files, other: Files) -> bool:
    if len(files) >= len(other):
        return False
    roles = dict(other)
    shared = [roles[file] == role for file, role in files if file in roles]
    return bool(shared) and all(shared)


def _files(association: Association) -> Files:
    return frozenset((one.expname, one.exptype) for one in association.members)


def numbered(made: Sequence[Association]) -> list[Association]:
    """Number the associations of each type and candidate in the order of their first exposure.

    This comes before any is left out, so that an exposure that comes later, as new ones do, changes the number of none
    that stands: its file keeps its name, and nothing need be made again.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    numbers: dict[int, int] = {}
    for place in sorted(range(len(made)), key=lambda place: order(made[place])):
        one = made[place]
        counts[one.program, one.candidate, one.type] += 1
        numbers[place] = counts[one.program, one.candidate, one.type]
    return [replace(one, sequence=numbers[place]) for place, one in enumerate(made)]


def say_twins(made: Sequence[Association]) -> None:
    """Warn of products that have the name of another, and no place that the pipeline fills in."""
    files: dict[str, list[str]] = {}
    for one in made:
        files.setdefault(one.product, []).append(one.file)
    for name, several in files.items():
        if len(several) > 1 and "{" not in name:
            log.warning("%s: %s make a product of this name each", name, " and ".join(sorted(several)))


def order(association: Association) -> tuple[str, str, str]:
    """Return what associations are sorted by."""
    return association.type, association.members[0].expname, association.product
