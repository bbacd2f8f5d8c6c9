"""What a run is asked to do: data, references, recipe, options; the content of `run.yaml`."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jwrules import whole
from jwrules.errors import RecipeFault, did_you_mean
from jwrules.recipes import amend, source

log = logging.getLogger("jwrules")

RUN_FILE = "run.yaml"


@dataclass(frozen=True)
class Settings:
    """The run file. `steps` are its own options (step -> parameter -> value), `sets` those of the command line.

    `exclude` names exposures that are left out (* stands for anything), and why.
    `pin` is what `references.pins` reads: reference files that must not change. `partial`: what can be made is made,
    though some cannot.
    A plan file has more: `exposures`, by name with their recipes, are those that are taken; `associations` stand in
    place of those that rules make.
    """

    data: Path
    references: str
    recipe: Path | None = None
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    exclude: Mapping[str, str] = field(default_factory=dict)
    pin: str | Mapping[str, Any] | None = None
    partial: bool = False
    exposures: Mapping[str, str] = field(default_factory=dict)
    associations: tuple[Mapping[str, Any], ...] = ()

    def write(self, path: Path) -> None:
        """Write the run file, complete or not at all; of one that is there only the lines whose values change."""
        content = self._content()
        _check_names(content, path)
        text = _amended(path, content) if path.is_file() else _HEAD + source.written(content)
        if text is not None:
            whole.write(path, text)

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = {"data": str(self.data), "references": self.references}
        if self.recipe:
            content["recipe"] = str(self.recipe)
        content["steps"] = {step: dict(values) for step, values in self.steps.items()}
        content["set"] = list(self.sets)
        if self.exclude:
            content["exclude"] = dict(self.exclude)
        if self.pin:
            content["pin"] = self.pin
        if self.partial:
            content["partial"] = True
        if self.exposures:
            content["exposures"] = dict(self.exposures)
            content["associations"] = [dict(one) for one in self.associations]
        return content


def _check_names(content: Mapping[str, Any], path: Path) -> None:
    """Raise RecipeFault for a name that no text file can hold, before one is written that cannot be read."""
    for key, value in content.items():
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError as fault:
            raise RecipeFault(
                f"{path} $.{key}: {str(value)!a} is no name in UTF-8; rename the file or folder, or link to it"
            ) from fault


def _amended(path: Path, content: Mapping[str, Any]) -> str | None:
    """Return the text of a run file that is to hold this, None where it does; what a person wrote there stays."""
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    try:
        there = read(path)._content()
        changed = {key for key in {**there, **content} if not amend.same(there.get(key), content.get(key))}
        if not changed:
            return None
        gone = frozenset(changed - content.keys())
        return amend.amend(text, {key: content[key] for key in content if key in changed}, gone)
    except (RecipeFault, amend.CannotAmend) as reason:
        before = path.with_name(f"{path.name}.before")
        before.write_bytes(path.read_bytes())
        log.warning("%s: is written anew, as it was it is %s: %s", path, before, reason)
        return _HEAD + source.written(content)


_HEAD = """\
# What `jwrules run` was asked to do; `snakemake --configfile run.yaml` does the same.
# `steps` is yours: options of steps above the recipe's, such as  steps: {jump: {rejection_threshold: 5.0}}
# `exclude` too: exposures to leave out (* stands for anything) and why, such as  exclude: {jw00042001001_*: trail}
"""

_KEYS = ("data", "references", "recipe", "steps", "set", "exclude", "pin", "partial", "exposures", "associations")


def read(path: Path) -> Settings:
    """Return the settings in the run file at `path`; RecipeFault lists everything that is wrong with it."""
    if not path.is_file():
        raise RecipeFault(f"{path}: there is no such run file; `jwrules run DATA` writes it")
    found = source.load(path)
    source.refuse(found.faults)
    source.plainly(path)
    return parse(found.value, str(path))


def read_plan(path: Path) -> Settings:
    """Return the settings in a plan file, whose paths are seen from its folder."""
    asked, folder = read(path), path.resolve().parent
    crds = asked.references.startswith("crds:")
    return replace(
        asked,
        data=(folder / asked.data).resolve(),
        references=asked.references if crds else str((folder / asked.references).resolve()),
        recipe=(folder / asked.recipe).resolve() if asked.recipe else None,
    )


def parse(content: Any, where: str = RUN_FILE) -> Settings:
    """Return the settings that `content` (the run file as read from YAML) holds."""
    if not isinstance(content, Mapping):
        raise RecipeFault(f"{where}: expected the keys {', '.join(_KEYS)}")
    faults = list(_faults(content, where))
    if faults:
        raise RecipeFault("\n".join(faults))
    return Settings(
        data=Path(content["data"]),
        references=str(content["references"]),
        recipe=Path(content["recipe"]) if content.get("recipe") else None,
        steps=content.get("steps") or {},
        sets=tuple(content.get("set") or ()),
        exclude=content.get("exclude") or {},
        pin=content.get("pin") or None,
        partial=bool(content.get("partial")),
        exposures=content.get("exposures") or {},
        associations=tuple(content.get("associations") or ()),
    )


def _associations_faults(entries: Any, where: str) -> Iterable[str]:
    from jwrules.plan import planfile

    return planfile.faults(entries, where)


def _faults(content: Mapping[str, Any], where: str) -> Iterable[str]:
    for key in content:
        if key not in _KEYS:
            yield f"{where} $.{key}: no such key{did_you_mean(str(key), _KEYS)}"
    for key in ("data", "references"):
        if not isinstance(content.get(key), str):
            yield f"{where} $.{key}: missing, or no text"
    if not isinstance(content.get("recipe") or "", str):
        yield f"{where} $.recipe: expected the path of a file"
    sets = content.get("set") or []
    if not (isinstance(sets, list) and all(isinstance(one, str) for one in sets)):
        yield f"{where} $.set: expected a list of STEP.PARAMETER=VALUE"
    if content.get("exposures") == {} and content.get("associations"):
        yield f"{where} $.exposures: none is listed, so that there is nothing to make; list them, or take the key out"
    excluded = content.get("exclude") or {}
    if not (isinstance(excluded, Mapping) and all(isinstance(why, str) and why for why in excluded.values())):
        yield f"{where} $.exclude: expected exposure -> why it is left out"
    if not isinstance(content.get("pin") or "", str | Mapping):
        yield f"{where} $.pin: expected the path of a file, or pins"
    exposures = content.get("exposures") or {}
    if not (isinstance(exposures, Mapping) and all(isinstance(recipe, str) for recipe in exposures.values())):
        yield f"{where} $.exposures: expected exposure -> recipe"
    yield from _associations_faults(content.get("associations") or [], f"{where} $.associations")
    if not isinstance(content.get("partial") or False, bool):
        yield f"{where} $.partial: expected true or false"
    steps = content.get("steps") or {}
    if not isinstance(steps, Mapping):
        yield f"{where} $.steps: expected step -> parameter -> value"
        return
    for step, values in steps.items():
        if not isinstance(values, Mapping):
            yield f"{where} $.steps.{step}: expected parameter -> value, found {values!r}"


def references_or_default(given: str | None) -> str:
    """Return where reference files come from: as given, or the CRDS cache that the environment names."""
    if given is None and os.environ.get("CRDS_PATH"):
        return "crds:"
    if given is None:
        raise RecipeFault("--references R is missing: a directory of reference files, or crds:CONTEXT")
    return given if given.startswith("crds:") else str(Path(given).resolve())
