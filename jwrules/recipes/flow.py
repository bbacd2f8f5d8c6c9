"""Whether each step of a chain can take what the one before it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jwrules.recipes.cards import STAGES, Cards


@dataclass(frozen=True)
class Link:
    """A step of a chain; `skip`: it leaves its product as it is; `sometimes`: it is not there for every exposure."""

    step: str
    skip: bool = False
    sometimes: bool = False


@dataclass(frozen=True)
class _Now:
    """The kinds that the product may be of (None: unknown), and what left it so."""

    kinds: frozenset[str] | None
    left_by: str

    def words(self) -> str:
        return f"{self.left_by} {' or '.join(sorted(self.kinds or ()))}"


def broken(stage: str, links: Iterable[Link], cards: Cards) -> Iterator[tuple[int | None, str]]:
    """Yield (position, what is wrong) for each step that cannot take what it is given, and (None, ...) for the end.

    A step on several products takes one as well: Images may follow Image.
    """
    now = _Now(frozenset({STAGES[stage].takes}), f"{stage} starts from")
    for position, link in enumerate(links):
        takes = _kinds(cards.steps[link.step]["takes"]) if link.step in cards.steps else None
        if takes and now.kinds is not None and not _accepted(takes, now.kinds):
            yield position, f"'{link.step}' takes {' or '.join(sorted(takes))}, but {now.words()}"
        now = _after(link, now, cards)
    if now.kinds is not None and not now.kinds & set(STAGES[stage].gives):
        yield None, f"{stage} must end in {' or '.join(STAGES[stage].gives)}, but {now.words()}"


def _after(link: Link, now: _Now, cards: Cards) -> _Now:
    if link.step not in cards.steps:
        return _Now(None, "")
    takes, gives = (_kinds(cards.steps[link.step][key]) for key in ("takes", "gives"))
    before = _accepted(takes, now.kinds or takes) or takes
    if link.skip:
        return _Now(before, f"'{link.step}' before it is skipped and leaves")
    given = gives & before or gives
    kinds = given | (now.kinds or frozenset()) if link.sometimes else given
    return _Now(kinds, f"'{link.step}' before it gives")


def _accepted(takes: frozenset[str], kinds: frozenset[str]) -> frozenset[str]:
    return frozenset(kind if kind in takes else f"{kind}s" for kind in kinds if {kind, f"{kind}s"} & takes)


def _kinds(names: str) -> frozenset[str]:
    return frozenset(names.split(" | "))
