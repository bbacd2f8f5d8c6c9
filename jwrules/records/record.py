"""The record of one job: what it was made from, with what, and what it gave. A JSON file beside the products."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jwrules import names, whole
from jwrules.errors import DataFault
from jwrules.recipes.cards import STAGES
from jwrules.records.contents import Stat, digest, stat

_LAYOUT = 1


@dataclass(frozen=True)
class Member:
    """A file that a job opened: its name, its role, what it held, and as what it stood on disk."""

    file: str
    role: str
    digest: str
    stat: Stat


@dataclass(frozen=True)
class Gave:
    """A file that a job made: its path from the folder of the record, what it holds, and as what it stood on disk."""

    file: str
    digest: str
    stat: Stat


@dataclass(frozen=True)
class Record:
    """How the products of a job were made.

    `identity` is what the plan called the job: a digest of stage, name, options, references, names and roles of its
    members, and code, but not of what the members held. `told` is the rest, for people: steps, references, command,
    versions, seconds and megabytes.
    """

    stage: str
    name: str
    identity: str
    members: tuple[Member, ...]
    gave: tuple[Gave, ...]
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """A digest of all that the products depend on."""
        return key(self.identity, (one.digest for one in self.members))


def key(identity: str, digests: Iterable[str]) -> str:
    """Return the key of a job: of its identity, and of what its members hold, in order."""
    return hashlib.sha256("\n".join([identity, *digests]).encode()).hexdigest()


def place(folder: Path | str, name: str, stage: str) -> Path:
    """Return the path of the record of a job whose products are in `folder`."""
    return Path(folder) / file_of(name, stage)


def file_of(name: str, stage: str) -> str:
    """Return the name of the record of a job."""
    return f"{name}_{stage}.json"


def write(record: Record, folder: Path) -> Path:
    """Write a record, complete or not at all; return the path."""
    path = place(folder, record.name, record.stage)
    content = {
        "layout": _LAYOUT,
        "stage": record.stage,
        "name": record.name,
        "key": record.key,
        "identity": record.identity,
        "members": [vars(one) for one in record.members],
        "gave": [vars(one) for one in record.gave],
        **record.told,
    }
    try:
        whole.write(path, json.dumps(content, indent=1) + "\n")
    except OSError as reason:
        raise DataFault(
            f"{path}: cannot be written ({reason.strerror}); the products stand, without record"
        ) from reason
    return path


def forget(folder: Path, name: str, stage: str) -> None:
    """Remove the record of a job whose products are about to be replaced; DataFault where it cannot be."""
    path = place(folder, name, stage)
    try:
        path.unlink(missing_ok=True)
    except OSError as reason:
        raise DataFault(f"{path}: cannot be removed ({reason.strerror}); nothing was made") from reason


def read(path: Path) -> Record | None:
    """Return the record in a file; None where there is none, or one that cannot be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("layout") != _LAYOUT:
            return None
        del content["key"]
        return Record(
            stage=content.pop("stage"),
            name=content.pop("name"),
            identity=content.pop("identity"),
            members=tuple(Member(**{**one, "stat": tuple(one["stat"])}) for one in content.pop("members")),
            gave=tuple(Gave(**{**one, "stat": tuple(one["stat"])}) for one in content.pop("gave")),
            told=content,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def digest_of(path: Path) -> str:
    """Return the digest of a file: what a record beside it says where it is as it was then, else by reading it."""
    now = stat(path)
    for stage in STAGES:
        found = read(place(path.parent, names.stem(path), stage))
        for one in found.gave if found else ():
            if one.file == path.name and one.stat == now:
                return one.digest
    return digest(path)
