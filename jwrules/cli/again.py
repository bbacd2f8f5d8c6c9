"""A job made again from its record: what it opened is looked for, and refused where it holds something else now."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath

from jwrules import below, headers, names, records
from jwrules.errors import DataFault, JwrulesError, WorkflowFault
from jwrules.house import STORE
from jwrules.plan import RUN_FILE, STAGES, read
from jwrules.plan.links import sha256_of
from jwrules.records import Record
from jwrules.references import content_hash

_SHOWN = 12
"""Characters of a digest that are shown."""


@dataclass(frozen=True)
class Again:
    """A job that is to be made again: its record, and the folder of the products beside which that lies."""

    record: Record
    results: Path

    @property
    def directory(self) -> Path:
        """The working directory, in which the command ran."""
        return self.results.parent

    @cached_property
    def options(self) -> argparse.Namespace:
        """The command as it was given."""
        from jwrules import cli

        command = str(self.record.told.get("command", ""))
        with contextlib.redirect_stderr(None), contextlib.redirect_stdout(None):
            try:
                options = cli.build().parse_args(shlex.split(command)[1:])
            except (SystemExit, ValueError):
                options = argparse.Namespace()
        is_whole = getattr(options, "steps", None) and all("=" in text for text in options.chosen)
        if getattr(options, "command", "") != self.record.stage or not is_whole:
            raise WorkflowFault(f"its record has no command of the stage {self.record.stage}: {command}")
        return options

    @property
    def dates(self) -> dict[str, str]:
        """When each product was made, as it says itself."""
        made = {PurePath(one.file).name: self.results / one.file for one in self.record.gave}
        found = {name: _date(path) for name, path in made.items() if path.is_file() and name.endswith(".fits")}
        return {name: date for name, date in found.items() if date}

    def faults(self) -> list[str]:
        """Return everything that is not as it was when the job ran: what, which file, then, now."""
        return [*self._changed_members(), *self._changed_association(), *self._changed_files()]

    def _changed_members(self) -> Iterator[str]:
        for member in self.record.members:
            path = self._member(member.file)
            if path is None:
                yield f"{member.role} {member.file}: is not there; looked in {', '.join(map(str, self._folders))}"
            elif (now := records.digest(path)) != member.digest:
                yield f"{member.role} {path}: held {_short(member.digest)} then, holds {_short(now)} now"

    @cached_property
    def _folders(self) -> list[Path]:
        """Where members may be: as the command names them, among the products, below the data of the run."""
        given = [*getattr(self.options, "uncal", ()), *getattr(self.options, "inputs", ())]
        named = [self.directory / Path(one).parent for one in given]
        run_file = self.directory / RUN_FILE
        return list(dict.fromkeys([*named, self.results, *([read(run_file).data] if run_file.is_file() else [])]))

    def _member(self, name: str) -> Path | None:
        at_once = (folder / name for folder in self._folders)
        deeper = (path for path in sorted(below.files(self._folders[-1])) if path.name == name)
        return next((path for paths in (at_once, deeper) for path in paths if path.is_file()), None)

    def _changed_association(self) -> Iterator[str]:
        from jwrules import associations

        path = getattr(self.options, "association", None)
        if path is None:
            return
        try:
            now = {name for name, role in associations.read(self.directory / path).members if role == "science"}
        except DataFault as fault:
            yield f"association {fault}"
            return
        then = {member.file for member in self.record.members}
        yield from (f"association {path}: {name} is no longer a member" for name in sorted(then - now))
        yield from (f"association {path}: {name} was no member" for name in sorted(now - then))

    def _changed_files(self) -> Iterator[str]:
        for what, path, then in self._files():
            place = self.directory / path
            if not place.is_file():
                gone = f"; it was {place.readlink()}" if place.is_symlink() else ""
                yield f"{what} {PurePath(path).name} ({_short(then)}): is not there{gone}"
            elif (now := content_hash(place)) != then:
                yield f"{what} {place.resolve()}: held {_short(then)} then, holds {_short(now)} now"

    def _files(self) -> Iterator[tuple[str, str, str]]:
        """Yield reference files, and files that options name: what, path, and content then."""
        chosen: dict[str, str] = dict(text.split("=", 1) for text in self.options.chosen)
        told: Mapping[str, Mapping[str, str]] = self.record.told.get("references", {})
        for kind, one in told.items():
            yield f"reference {kind}", chosen.get(kind, one["file"]), one["sha256"]
        for call in json.loads(self.options.steps):
            for name, value in call.get("params", {}).items():
                sha256 = sha256_of(Path(value)) if isinstance(value, str) and value.startswith(STORE) else None
                if sha256:
                    yield f"{call['step']}.{name}", value, sha256

    def make(self, folder: Path, threads: int | None) -> list[Path]:
        """Run the same job into a folder; return its products, in the order of the record."""
        from jwrules.products import fits

        options = argparse.Namespace(**vars(self.options))
        options.output, options.record, options.threads = folder, None, threads
        for attribute in ("uncal", "inputs", "background"):
            if getattr(options, attribute, None):
                setattr(options, attribute, [self._member(Path(one).name) for one in getattr(options, attribute)])
        if "crf" in options:
            options.crf = folder
            options.members = self._folders[0]
        with contextlib.chdir(self.directory), fits.dated(self.dates):
            options.run(options)
        return [folder / PurePath(one.file).name for one in self.record.gave]


def _date(path: Path) -> str:
    try:
        return str(headers.read(path).get("DATE", ""))
    except JwrulesError:
        return ""


def _short(digest: str) -> str:
    return digest.rpartition(":")[2][:_SHOWN]


def _records(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files that may be the record of a product: those that are called as it is, then all that name it."""
    yield from (records.place(folder, names.stem(name), stage) for stage in STAGES)
    for path in sorted(folder.glob("*.json")):
        if path.is_file() and name in path.read_text(errors="replace"):
            yield path


def of(product: Path) -> Again:
    """Return the job that made a product, by the record beside it; WorkflowFault where there is none."""
    folder = product.resolve().parent
    folders = [folder, *([folder.parents[2] / "results"] if STORE in folder.parts else [])]
    for place in folders:
        for path in _records(place, product.name):
            record = records.read(path)
            if record and product.name in {PurePath(one.file).name for one in record.gave}:
                return Again(record, place)
    looked = " and ".join(str(place) for place in folders)
    raise WorkflowFault(
        f"{product}: no record in {looked} says how it was made (NAME_STAGE.json); `jwrules run` writes one beside "
        "every product"
    )
