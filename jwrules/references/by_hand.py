"""Reference files that a person names, in place of those that would be chosen: what speaks against them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import own, selection
from jwrules.references.keywords import SELECTORS, selectors
from jwrules.references.selection import Candidate

_MUST = ("INSTRUME", "DETECTOR")


def check(given: Mapping[str, Path], header: Mapping[str, Any]) -> list[str]:
    """Return in what the files, by type, are not for the exposure (FILTER, SUBARRAY, ...), each with its name.

    Raises ReferenceFault that says every file which is for another instrument or detector. What a file does not say
    does not speak against it; nor, in types that no rules choose, do keywords of the exposure that it was made from.
    """
    refused, told = [], []
    for reftype, path in given.items():
        said = _objections(reftype, path, header)
        words = f"--reference {reftype}={path}: {'; '.join(said.values())}"
        if any(keyword in said for keyword in _MUST):
            refused.append(f"{words}; give a file that is for this instrument and detector")
        elif said and selectors(reftype, str(header.get("INSTRUME"))) is not SELECTORS:
            told.append(words)
    if refused:
        raise ReferenceFault("\n".join(refused))
    return told


def _objections(reftype: str, path: Path, header: Mapping[str, Any]) -> dict[str, str]:
    if not own.is_readable(path):
        return {}
    return selection.objections(Candidate(path, own.keywords(path)), reftype, header)
