"""Choosing once for all exposures that agree in every keyword that was looked at.

A choice is a function of what it reads of a header, in an order that only what it has read decides. So the choices of
a topic form a tree: at each fork a keyword, at each branch a value of it, at the end what was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from jwrules.errors import JwrulesError

Header = Mapping[str, Any]
Answer = TypeVar("Answer")

ERA = "era"
"""What stands for date and time where reference files are chosen: they are only compared with USEAFTER."""

_TIME = ("DATE-OBS", "TIME-OBS")
_NAME = "FILENAME"
"""It names the exposure in messages, and decides nothing: neither recipes nor reference files know it."""
_MARK = "\0"


class Watched(Mapping[str, Any]):
    """A header that notes what is asked of it: keyword -> value, in order; `whole` where all of it was."""

    def __init__(self, header: Header, era: Callable[[Header], Hashable]) -> None:
        self.header, self.era = header, era
        self.asked: dict[str, Hashable] = {}
        self.whole = False

    def __getitem__(self, keyword: str) -> Any:
        self._note(keyword)
        return self.header[keyword]

    def __contains__(self, keyword: object) -> bool:
        self._note(str(keyword))
        return keyword in self.header

    def __iter__(self) -> Iterator[str]:
        self.whole = True
        return iter(self.header)

    def __len__(self) -> int:
        self.whole = True
        return len(self.header)

    @property
    def in_its_era(self) -> Header:
        """The header for choosing reference files: of its date only the era is noted."""
        return _InItsEra(self)

    def _note(self, keyword: str) -> None:
        if keyword not in self.asked and keyword != _NAME:
            self.asked[keyword] = _told(self.header, keyword, self.era)

    def note_era(self) -> None:
        """Note that the era was asked for."""
        self._note(ERA)


class _InItsEra(Mapping[str, Any]):
    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def __getitem__(self, keyword: str) -> Any:
        return self._place(keyword)[keyword]

    def __contains__(self, keyword: object) -> bool:
        return keyword in self._place(str(keyword))

    def __iter__(self) -> Iterator[str]:
        return iter(self._watched)

    def __len__(self) -> int:
        return len(self._watched)

    def _place(self, keyword: str) -> Header:
        if keyword in _TIME:
            self._watched.note_era()
            return self._watched.header
        return self._watched


def _told(header: Header, keyword: str, era: Callable[[Header], Hashable]) -> Hashable:
    """Return the value of a keyword so that only equal ones are equal: 1 is not True, nor 1.0; None where it lacks."""
    if keyword == ERA:
        return era(header)
    return repr(header[keyword]) if keyword in header else None


@dataclass
class _Fork:
    keyword: str
    branches: dict[Hashable, _Fork | _End] = field(default_factory=dict)


@dataclass
class _End:
    chosen: Any


@dataclass(frozen=True)
class _Refused:
    """A fault, in whose words a mark stands for the name of the exposure."""

    kind: type[JwrulesError]
    words: str

    @classmethod
    def of(cls, fault: JwrulesError, name: str) -> _Refused:
        alone = rf"(?<![\w.-]){re.escape(name)}(?![\w.-])"
        return cls(type(fault), re.sub(alone, _MARK, str(fault)))

    def said_of(self, name: str) -> JwrulesError:
        return self.kind(self.words.replace(_MARK, name))


class Once:
    """Choices by topic. `era(header)` tells dates apart between which reference files may change."""

    def __init__(self, era: Callable[[Header], Hashable]) -> None:
        self._era = era
        self._trees: dict[Hashable, _Fork | _End] = {}

    def choose(self, topic: Hashable, header: Header, choose: Callable[[Watched], Answer]) -> Answer:
        """Return what `choose` gives for a header, or gave for one that agrees in all that it looked at.

        A fault of the user's is raised likewise, and names this exposure; any other is not remembered.
        """
        place = self._trees.get(topic)
        while isinstance(place, _Fork):
            place = place.branches.get(_told(header, place.keyword, self._era))
        name = str(header.get(_NAME) or "")
        if place is None or (isinstance(place.chosen, _Refused) and not name):
            return self._anew(topic, header, choose, name)
        if isinstance(place.chosen, _Refused):
            raise place.chosen.said_of(name)
        known: Answer = place.chosen
        return known

    def _anew(self, topic: Hashable, header: Header, choose: Callable[[Watched], Answer], name: str) -> Answer:
        watched = Watched(header, self._era)
        try:
            chosen = choose(watched)
        except JwrulesError as fault:
            if name and not watched.whole:
                self._keep(topic, watched.asked, _Refused.of(fault, name))
            raise
        if not watched.whole:
            self._keep(topic, watched.asked, chosen)
        return chosen

    def _keep(self, topic: Hashable, asked: Mapping[str, Hashable], chosen: Any) -> None:
        """Grow the tree of a topic by what was asked, unless the questions came in another order than before."""
        branches, at = self._trees, topic
        for keyword, value in asked.items():
            fork = branches.setdefault(at, _Fork(keyword))
            if not isinstance(fork, _Fork) or fork.keyword != keyword:
                return
            branches, at = fork.branches, value
        branches.setdefault(at, _End(chosen))
