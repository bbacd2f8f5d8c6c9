"""A pinned file is taken in place of the one that the selection would choose.

It must be of the type, and for the instrument and detector. What else speaks against it (FILTER, SUBARRAY, ...) is
told with the reason; USEAFTER and the context do not count: a pin is for files that these would pass over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import selection
from jwrules.references.selection import Candidate

Header = Mapping[str, Any]

_MUST = ("INSTRUME", "DETECTOR")

_WAY_OUT = "pin one that is, or accept what the selection chooses: jwrules references pin DATA --output DIR"


def choose(pinned: Sequence[Candidate], reftype: str, header: Header) -> tuple[Candidate, str]:
    """Return which of the pinned files of a type is taken for an exposure, and what speaks against it.

    Raises ReferenceFault where none is for its instrument and detector, one is of another type, or two are as good.
    """
    _check_type(pinned, reftype)
    timeless = [replace(one, keywords={**one.keywords, "USEAFTER": None}) for one in pinned]
    verdicts = selection.judge(timeless, reftype, header)
    against = [selection.objections(verdict.candidate, reftype, header) for verdict in verdicts]
    allowed = [number for number, said in enumerate(against) if not any(keyword in said for keyword in _MUST)]
    if not allowed:
        raise ReferenceFault(_none(reftype, header, [verdict.candidate for verdict in verdicts], against))
    least = min(len(against[number]) for number in allowed)
    best = [number for number in allowed if len(against[number]) == least]
    first = [number for number in best if verdicts[number].rank == verdicts[best[0]].rank]
    if len(first) > 1:
        names = " and ".join(verdicts[number].candidate.path.name for number in first)
        raise ReferenceFault(
            f"{reftype}: {names} are pinned, and equally good for {_who(header)}; pin one of them alone"
        )
    return verdicts[first[0]].candidate, "; ".join(against[first[0]].values())


def _check_type(pinned: Sequence[Candidate], reftype: str) -> None:
    for one in pinned:
        kind = str(one.keywords.get("REFTYPE") or "").strip().lower()
        if kind != reftype:
            raise ReferenceFault(
                f"pinned as '{reftype}' is {one.path}, which is of type '{kind}' (REFTYPE); change `pin`"
            )


def _none(reftype: str, header: Header, pinned: Sequence[Candidate], against: Sequence[Mapping[str, str]]) -> str:
    each = [f"  {one.path.name}: {'; '.join(said.values())}" for one, said in zip(pinned, against, strict=True)]
    return "\n".join([f"no pinned file of type '{reftype}' is for {_who(header)}:", *each, f"  {_WAY_OUT}"])


def _who(header: Header) -> str:
    return " ".join(str(header[keyword]) for keyword in _MUST if header.get(keyword)) or "the exposure"
