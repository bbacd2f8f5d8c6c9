"""The profiles of Snakemake that come with jwrules, found by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jwrules import house
from jwrules.cli.common import log

_OPTION, _WORKFLOW = "--profile", "--workflow-profile"
_FOR_ALL = "default"


def found(options: Sequence[str]) -> list[str]:
    """Return options of Snakemake in which the profiles of the house are named by their folders.

    A profile of the house goes above profiles/default, and below one of the user that has the same name. Where none of
    it is named the options stay as they are.
    """
    split = [word for option in options for word in _split(option)]
    named = [place + 1 for place, word in enumerate(split[:-1]) if word == _OPTION and _ours(split[place + 1])]
    if not named:
        return list(options)
    first = [] if _WORKFLOW in split else [_WORKFLOW, "none", _OPTION, str(_folder(_FOR_ALL))]
    for place in reversed(named):
        folders = _folders(split[place])
        log.info("profile: %s", ", ".join(folders))
        split[place - 1 : place + 1] = [word for folder in folders for word in (_OPTION, folder)]
    return [*first, *split]


def _split(option: str) -> list[str]:
    name, sign, value = option.partition("=")
    return [name, value] if sign and name in (_OPTION, _WORKFLOW) else [option]


def _ours(name: str) -> bool:
    return name not in (".", "..") and Path(name).name == name and _folder(name).is_dir()


def _folder(name: str) -> Path:
    return house.root() / "profiles" / name


def _folders(name: str) -> list[str]:
    return [str(_folder(name)), *(str(folder) for folder in _of_the_user(name))]


def _of_the_user(name: str) -> Iterator[Path]:
    """The profile that Snakemake knows by this name: the user's, or else that of the site."""
    from snakemake.common import get_appdirs

    dirs = get_appdirs()
    places = [Path(dirs.user_config_dir) / name, Path(dirs.site_config_dir) / name]
    yield from [place for place in places if place.exists()][:1]
