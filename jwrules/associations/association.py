"""What an association is: which files make one product, and the role of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jwrules import names


@dataclass(frozen=True, slots=True)
class Member:
    """A file, its role (science, background, ...), and what the pool says of it; it unpacks to name and role."""

    expname: str
    exptype: str
    exposerr: str | None = None
    asn_candidate: str | None = None

    def __iter__(self) -> Iterator[str]:
        return iter((self.expname, self.exptype))


@dataclass(frozen=True)
class Association:
    """One product and the files that it is made of.

    `type` says the stage (image2, image3, ...), `product` is the name of the product without suffix, `candidate` the
    id that the program gave to the group (o001, c1001) or a3001 where the pool alone did, `sequence` counts the
    associations of a type and candidate, `details` are further entries of a file that was read. One that lay among the
    data keeps the name of its file, `named`, and its path there, `source`.
    """

    type: str
    program: str
    candidate: str
    product: str
    members: tuple[Member, ...]
    rule: str = ""
    target: str = ""
    pool: str = "none"
    constraints: str = ""
    sequence: int = 1
    details: tuple[tuple[str, Any], ...] = ()
    named: str = ""
    source: str = ""

    @cached_property
    def file(self) -> str:
        """The name of its file."""
        return self.named or str(names.AssociationName(self.program, self.candidate, self.type, f"{self.sequence:05d}"))

    def of(self, role: str) -> tuple[str, ...]:
        """Return the files of the members with a role."""
        return tuple(name for name, kind in self.members if kind == role)
