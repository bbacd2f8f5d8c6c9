"""What cannot be made, collected from everywhere, to be told at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jwrules.errors import JwrulesError

_NEXT = re.compile(r"\n(?! )")
"""Where in a message the next fault begins: what belongs to one is indented below it."""


@dataclass
class Faults:
    """Faults collected from everywhere, each with the files that it concerns."""

    _of: dict[str, dict[str, None]] = field(default_factory=dict)

    @property
    def found(self) -> dict[str, list[str]]:
        """The faults in words, each with its files, in the order in which they came."""
        return {words: list(files) for words, files in self._of.items()}

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Collect the fault that is raised inside, as one of `what`."""
        try:
            yield
        except JwrulesError as fault:
            self.add(what, str(fault))

    def add(self, what: str, said: str) -> None:
        """Collect what is said of `what`, one fault to a line and its indented ones."""
        for words in _NEXT.split(said):
            self._add(what, words.removeprefix(f"{what}: "))

    def _add(self, what: str, words: str) -> None:
        self._of.setdefault(words, {})[what] = None
