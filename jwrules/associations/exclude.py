"""Exposures that a person leaves out, and why: from a recipe, a run file or the command line."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from jwrules import names
from jwrules.associations.rules import EXCLUDE, Recipe
from jwrules.errors import WorkflowFault

log = logging.getLogger("jwrules")


@dataclass(frozen=True)
class Exclusions:
    """The names of exposures, in which * stands for anything, and the reason of each."""

    reasons: Mapping[str, str] = field(default_factory=dict)

    def why(self, name: str) -> str | None:
        """Return why an exposure (its name without suffix) is left out, None where it is not."""
        if name in self.reasons:
            return self.reasons[name]
        patterns = (pattern for pattern in self.reasons if "*" in pattern and fnmatchcase(name, pattern))
        return next((self.reasons[pattern] for pattern in patterns), None)

    def among(self, known: Iterable[str]) -> dict[str, str]:
        """Return those of the exposures that are left out, and why; warn of what fits none of them."""
        if not self.reasons:
            return {}
        listed = list(known)
        out = {name: reason for name in listed if (reason := self.why(name)) is not None}
        for pattern in self.reasons:
            if pattern not in out and not any(fnmatchcase(name, pattern) for name in out):
                log.warning("exclude: no exposure is called %s", pattern)
        return out


def exclusions(given: Mapping[str, str], recipes: Iterable[Recipe] = ()) -> Exclusions:
    """Return what is given by name or file name, above what the recipes say."""
    said = [recipe.associations.get(EXCLUDE, {}) for recipe in recipes]
    return Exclusions({_name(name): why for reasons in (*said, given) for name, why in reasons.items()})


def parse(text: str) -> tuple[str, str]:
    """Return name and reason of NAME=REASON; raises WorkflowFault where there is no reason."""
    name, _, reason = (part.strip() for part in text.partition("="))
    if not (name and reason):
        raise WorkflowFault(
            f"--exclude {text}: a name and a reason are wanted, as in {name or 'NAME'}='satellite trail'"
        )
    return name, reason


def _name(text: str) -> str:
    return text if "*" in text else names.stem(text)
