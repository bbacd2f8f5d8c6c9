"""Associations that lie among the data, the archive's or made by hand: used as they are, in place of those of rules.

Each is told by its file: one that cannot be read, members that nothing makes, two for one product, a type that no
stage makes. An exposure that is excluded is no member; nothing else is changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from jwrules import associations, below, names
from jwrules.associations import Association
from jwrules.errors import DataFault, did_you_mean
from jwrules.plan.rows import ENDING, RESULTS, LeftOut, few
from jwrules.plan.settings import RUN_FILE
from jwrules.recipes import Recipe

_UNTOLD = "none"
"""The type where a file says none, as `asn_from_list` writes it."""

TAKEN = {"image2": {"science": "rate", "background": "rate"}, "image3": {"science": "cal"}}
"""Type -> role -> suffix of the members that its stage opens; it has no use for others."""

_WAY_OUT = "or take out of the file what it does not need, or the file out of DATA"


def find(data: Path) -> list[Path]:
    """Return the association files in a folder and below it, by name; not those that a run wrote there itself."""
    found = [path for path in below.files(data) if path.name.endswith(ENDING) and not _is_of_a_run(path)]
    return sorted(found, key=lambda path: (path.name, path))


def _is_of_a_run(path: Path) -> bool:
    return path.parent.name == RESULTS and (path.parent.parent / RUN_FILE).is_file()


def read(data: Path, amiss: dict[str, list[str]]) -> list[Association]:
    """Return the associations in the files of a folder, one for each product.

    `amiss` takes what is wrong with files; of these nothing is used.
    """
    made: list[Association] = []
    for path in find(data):
        try:
            its = associations.read_all(path, _UNTOLD)
            faults = list(_faults(path, its))
        except DataFault as fault:
            its, faults = (), [words.removeprefix(f"{path} ") for words in str(fault).split("\n")]
        if faults:
            amiss.setdefault(str(path), []).extend(faults)
        else:
            made += [_of_file(one, path, number if len(its) > 1 else 0) for number, one in enumerate(its, start=1)]
    return made


def _faults(path: Path, its: Sequence[Association]) -> Iterator[str]:
    first = its[0]
    kind = first.type.lower()
    if kind not in (*names.ASSOCIATION_TYPES, _UNTOLD):
        hint = did_you_mean(kind, names.ASSOCIATION_TYPES)
        yield f"$.asn_type: '{first.type}' is no type of association{hint}"
    if not re.fullmatch(names.ACID, first.candidate):
        yield f"$.asn_id: '{first.candidate}' is no candidate; expected such as 'o001', 'c1001' or 'a3001'"
    for member in (member for one in its for member in one.members):
        if not names.is_one_name(PurePath(member.expname).name):
            yield f"'{member.expname}' is no name of a file"


def _of_file(one: Association, path: Path, number: int) -> Association:
    """Return an association as the plan names it: by its file, where that has several products by their number too."""
    named = path.name if not number else f"{path.name.removesuffix(ENDING)}_{number:05}{ENDING}"
    members = tuple(replace(member, expname=PurePath(member.expname).name) for member in one.members)
    details = (("code_version", None), *one.details)
    return replace(one, type=one.type.lower(), members=members, details=details, named=named, source=str(path))


@dataclass(frozen=True)
class Known:
    """The exposures of the data by name: the recipes of those that are processed, those that a person excludes, and of
    others why they are not processed, '' where that is told elsewhere.
    """

    recipes: Mapping[str, Recipe]
    excluded: Collection[str] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.recipes or name in self.others


@dataclass
class Merged:
    """Associations of the data and of rules together: `made`; the files `left_out`; `faults`, each with its file.

    `refused` are the products that cannot be made, by stage and name.
    """

    made: list[Association] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    refused: set[tuple[str, str]] = field(default_factory=set)

    def refuse(self, one: Association, faults: Iterable[str]) -> None:
        """Note that a product cannot be made, and why; in stage 2 it is named after its exposures."""
        self.faults += [(one.source, words) for words in faults]
        self.refused |= {(one.type, name) for name in (one.product, *(_science(one) if one.type == "image2" else ()))}


def merge(made: Sequence[Association], given: Sequence[Association], known: Known) -> Merged:
    """Return the associations of rules and data together.

    One of the data stands in place of those of its type that have its name, or no science exposure besides its own.
    """
    if not given:
        return Merged(list(made))
    merged = Merged()
    usable = [one for one in (_usable(one, known, merged) for one in given) if one]
    named = {(one.type, one.product) for one in usable}
    having: dict[tuple[str, str], list[set[str]]] = {}
    for one in usable:
        for name in _science(one):
            having.setdefault((one.type, name), []).append(_science(one))

    def stands(one: Association) -> bool:
        its = _science(one)
        others = having.get((one.type, next(iter(its))), ())
        return (one.type, one.product) not in named and not any(its <= other for other in others)

    _refuse_twins(usable, merged)
    alone = [one for one in usable if (one.type, one.product) not in merged.refused]
    merged.made = distinct([*alone, *filter(stands, made)])
    return merged


def _science(one: Association) -> set[str]:
    return {names.stem(name) for name in one.of("science")}


def _usable(one: Association, known: Known, merged: Merged) -> Association | None:
    """Return an association of the data as it is used; None where it is left out. What is wrong with it is noted."""
    members = tuple(member for member in one.members if names.stem(member.expname) not in known.excluded)
    kept = replace(one, type=_type(one, known), members=members)
    if why := _why_not(kept, known):
        merged.left_out.append(LeftOut(one.source, why))
        return None
    if faults := list(_member_faults(kept, known)):
        merged.refuse(kept, (f"{one.product}: {words}" for words in faults))
    return kept


def _type(one: Association, known: Known) -> str:
    """Return the type of an association; where it says none, that of its members: what their recipe makes of them."""
    if one.type != _UNTOLD:
        return one.type
    stage = "3" if any(_is(name, "cal") or _is(name, "calints") for name in one.of("science")) else "2"
    recipes = [known.recipes[name] for name in _science(one) if name in known.recipes]
    kinds = [kind for kind in TAKEN if kind.endswith(stage) and any(kind in recipe.stages for recipe in recipes)]
    return kinds[0] if kinds else _UNTOLD


def _is(name: str, suffix: str) -> bool:
    return names.with_suffix(name, suffix) == name


def _why_not(one: Association, known: Known) -> str:
    """Return why nothing is made of an association: not a fault of it; '' where something is."""
    science = sorted(_science(one))
    if not science:
        return "every science exposure of it is excluded"
    if not any(name in known for name in science):
        return f"no exposure in DATA makes a science member of it ({few(one.of('science'))})"
    recipes = sorted({known.recipes[name].name for name in science if name in known.recipes})
    if one.type == _UNTOLD:
        return f"it does not say its type, and no stage of jwrules makes it of exposures of {few(recipes)} yet"
    if one.type not in TAKEN:
        return f"no stage of jwrules makes {one.type} yet"
    lacking = sorted({r.name for name in science if (r := known.recipes.get(name)) and one.type not in r.stages})
    if lacking:
        return f"no stage of jwrules makes {one.type} of exposures of {few(lacking)} yet"
    wanted = TAKEN[one.type]["science"]
    series = [name for name in one.of("science") if _is(name, f"{wanted}ints")]
    return f"no stage of jwrules takes integrations one by one yet ({few(series)})" if series else ""


def _member_faults(one: Association, known: Known) -> Iterator[str]:
    """Yield what is wrong with the members that the stage opens, and with the name of the product."""
    opened = [(name, suffix) for role, suffix in TAKEN[one.type].items() for name in one.of(role)]
    for suffix in sorted({suffix for name, suffix in opened if not _is(name, suffix)}):
        others = [name for name, wanted in opened if wanted == suffix and not _is(name, suffix)]
        yield f"{one.type} is made of _{suffix} files, not of {few(others)}; name those, {_WAY_OUT}"
    absent = [name for name, _ in opened if names.stem(name) not in known]
    if absent:
        wanted = few([f"{names.stem(name)}_uncal.fits" for name in absent])
        yield f"no exposure in DATA makes its member {few(absent)}; get {wanted}, {_WAY_OUT}"
    for name, _ in opened:
        if why := known.others.get(names.stem(name)):
            yield f"its member {name} is not made: {why}"
    if one.type == "image2" and {one.product} != _science(one):
        its = " and ".join(sorted(_science(one)))
        yield f"a product of image2 is named after its one exposure, here {its}; name it so, {_WAY_OUT}"


def _refuse_twins(usable: Sequence[Association], merged: Merged) -> None:
    """Refuse products that several associations of the data are for, and files of one name."""
    for what, of in (("makes a product of this name", _product), ("has a file of this name", _file)):
        alike: dict[tuple[str, str], list[Association]] = {}
        for one in usable:
            alike.setdefault(of(one), []).append(one)
        for (_, name), its in alike.items():
            if len(its) > 1:
                places = " and ".join(sorted({one.source for one in its}))
                merged.refuse(its[0], [f"{name}: more than one association {what}: {places}; keep one of them in DATA"])
                merged.refused |= {(one.type, one.product) for one in its}


def _product(one: Association) -> tuple[str, str]:
    return one.type, one.product


def _file(one: Association) -> tuple[str, str]:
    return "", one.named


def distinct(made: Iterable[Association]) -> list[Association]:
    """Return the associations with a file name of its own each: of those of rules that lack one the number goes up."""
    made = list(made)
    if not any(one.named for one in made):
        return made
    taken: set[str] = set()
    found = []
    for one in made:
        while one.file in taken and not one.named:
            one = replace(one, sequence=one.sequence + 1)
        taken.add(one.file)
        found.append(one)
    return found
