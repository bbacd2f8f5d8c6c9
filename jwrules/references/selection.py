"""Whether a reference file is for an exposure, and which of several: the rules of CRDS on the files' own headers.

A keyword of a file fits an exposure where it names the exposure's value, alone or among alternatives, or says ANY. It
is no condition where it is absent or says N/A or GENERIC, nor where the exposure says N/A. The file that names most of
the exposure's values wins (alone before among alternatives before ANY), then the one with the latest USEAFTER; what is
still equal is decided by the keywords that do not count for this type, where they are the exposure's (documentation:
CRDS User Guide, "Best References").
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

from jwrules.errors import HeaderFault, ReferenceFault
from jwrules.references.keywords import PATTERNS, SELECTORS, selectors

_NO_CONDITION = {"", "N/A", "NOT APPLICABLE", "NOT_APPLICABLE", "GENERIC"}
_EVERYTHING = {"ANY", "*"}
_ALWAYS = datetime.min


class Fit(IntEnum):
    """How closely a keyword of a file names the exposure's value."""

    NOT = -1
    FREE = 0
    ANY = 1
    AMONG = 2
    EXACT = 3


@dataclass(frozen=True)
class Candidate:
    """A reference file and the keywords it is selected by, as its header has them."""

    path: Path
    keywords: Mapping[str, Any]

    @property
    def useafter(self) -> datetime:
        """The earliest exposure that the file is for; HeaderFault where it cannot be read."""
        text = str(self.keywords.get("USEAFTER") or "").strip()
        return _time(text, f"{self.path}: USEAFTER") if text else _ALWAYS

    def wants(self, keyword: str) -> tuple[str, ...]:
        """Return the values that the file names for a keyword; those of its P_ pattern where it has one."""
        pattern = PATTERNS.get(keyword, ("", ""))[0]
        stated = self.keywords.get(pattern) or self.keywords.get(keyword)
        return tuple(part for text in str("" if stated is None else stated).split("|") if (part := plain(text)))


@dataclass(frozen=True)
class Verdict:
    """What was found out about a candidate: `against` says what rules it out; `rank` orders those that nothing does."""

    candidate: Candidate
    against: str
    rank: tuple[Any, ...]


def plain(value: Any) -> str:
    """Return a keyword's value as it is compared: upper case, numbers and truths in one spelling."""
    if isinstance(value, bool):
        return "T" if value else "F"
    text = str(value).strip().upper()
    try:
        return f"{float(text):g}"
    except ValueError:
        return {"TRUE": "T", "FALSE": "F"}.get(text, text)


def judge(candidates: Sequence[Candidate], reftype: str, header: Mapping[str, Any]) -> list[Verdict]:
    """Return a verdict on each candidate, the best first, those ruled out last.

    Raises HeaderFault for an exposure without date.
    """
    taken = taken_at(header)
    verdicts = [_verdict(candidate, reftype, header, taken) for candidate in candidates]
    verdicts.sort(key=lambda verdict: verdict.candidate.path)
    return sorted(verdicts, key=lambda verdict: (not verdict.against, verdict.rank), reverse=True)


def best(verdicts: Sequence[Verdict]) -> Sequence[Verdict]:
    """Return those verdicts that share the first place: none, one, or several equally good."""
    return [verdict for verdict in verdicts if not verdict.against and verdict.rank == verdicts[0].rank]


def _verdict(candidate: Candidate, reftype: str, header: Mapping[str, Any], taken: datetime) -> Verdict:
    instrument = plain(header.get("INSTRUME", ""))
    counting = selectors(reftype, instrument)
    fits = {keyword: _fit(candidate.wants(keyword), header.get(keyword)) for keyword in ("INSTRUME", *counting)}
    against = [_mismatch(candidate, keyword, header) for keyword, fit in fits.items() if fit is Fit.NOT]
    try:
        useafter = candidate.useafter
    except HeaderFault as fault:
        return Verdict(candidate, str(fault), ())
    if useafter > taken:
        against.append(f"USEAFTER is {useafter.isoformat()}, the exposure was taken before")
    degrees = [sum(fits[keyword] is degree for keyword in counting) for degree in (Fit.EXACT, Fit.AMONG, Fit.ANY)]
    return Verdict(candidate, "; ".join(against), (*degrees, useafter, -_strangeness(candidate, counting, header)))


def objections(candidate: Candidate, reftype: str, header: Mapping[str, Any]) -> dict[str, str]:
    """Return by keyword in what a candidate is not for an exposure, whenever that was taken."""
    counting = ("INSTRUME", *selectors(reftype, plain(header.get("INSTRUME", ""))))
    against = (keyword for keyword in counting if _fit(candidate.wants(keyword), header.get(keyword)) is Fit.NOT)
    return {keyword: _mismatch(candidate, keyword, header) for keyword in against}


def _strangeness(candidate: Candidate, counting: Sequence[str], header: Mapping[str, Any]) -> int:
    """Return how many keywords that do not count differ from the exposure's: what is left to break a tie with."""
    others = [keyword for keyword in SELECTORS if keyword not in counting]
    return sum(_fit(candidate.wants(keyword), header.get(keyword)) is Fit.NOT for keyword in others)


def _fit(wanted: Sequence[str], value: Any) -> Fit:
    if not wanted or _NO_CONDITION & set(wanted):
        return Fit.FREE
    if _EVERYTHING & set(wanted):
        return Fit.ANY
    ours = "" if value is None else plain(value)
    if value is not None and ours in _NO_CONDITION:
        return Fit.FREE
    if ours not in wanted:
        return Fit.NOT
    return Fit.EXACT if len(wanted) == 1 else Fit.AMONG


def _mismatch(candidate: Candidate, keyword: str, header: Mapping[str, Any]) -> str:
    wanted = "|".join(candidate.wants(keyword))
    if header.get(keyword) is None:
        return f"{keyword} is {wanted}, the exposure has none"
    return f"{keyword} is {wanted}, the exposure's {header[keyword]}"


def useafter(candidate: Candidate) -> datetime | None:
    """Return the earliest exposure that a file is for, or None where it does not say that in a way that can be read."""
    try:
        return candidate.useafter
    except HeaderFault:
        return None


def taken_at(header: Mapping[str, Any]) -> datetime:
    """Return when an exposure was taken, from DATE-OBS and TIME-OBS; HeaderFault where DATE-OBS is missing."""
    name = header.get("FILENAME") or "the exposure"
    date = header.get("DATE-OBS")
    if not date:
        raise HeaderFault(f"{name}: DATE-OBS is missing; reference files are chosen by it")
    return _time(f"{date}T{header.get('TIME-OBS') or '00:00:00'}", f"{name}: DATE-OBS, TIME-OBS")


def passed(times: Sequence[datetime], header: Mapping[str, Any]) -> Hashable:
    """Return how many of the times, in order, had passed when an exposure was taken; its date where that is none."""
    try:
        return bisect_right(times, taken_at(header))
    except HeaderFault:
        return header.get("DATE-OBS"), header.get("TIME-OBS")


def _time(text: str, what: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError as reason:
        raise HeaderFault(f"{what}: '{text}' is no time of the form YYYY-MM-DDTHH:MM:SS") from reason


def none_fits(reftype: str, source: str, who: str, verdicts: Sequence[Verdict]) -> str:
    """Return the message that no candidate is for the exposure, with what ruled out each."""
    ruled_out = [f"  {verdict.candidate.path.name}: {verdict.against}" for verdict in verdicts]
    considered = "none of this type is there" if not ruled_out else "considered:\n" + "\n".join(ruled_out)
    return (
        f"{who}: no reference file of type '{reftype}' in {source}; {considered}\n"
        f"  add one that fits; 'if_impossible: skip' in the recipe goes on without a step that can be left out"
    )


def tie(reftype: str, who: str, verdicts: Sequence[Verdict]) -> ReferenceFault:
    """Return the fault that several candidates are equally good."""
    paths = " and ".join(str(verdict.candidate.path) for verdict in verdicts)
    return ReferenceFault(
        f"{who}: {paths} are equally good reference files of type '{reftype}' (same keywords, same USEAFTER);"
        " remove one, or give the one to be used a later USEAFTER"
    )
