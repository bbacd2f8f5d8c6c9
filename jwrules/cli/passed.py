"""Options that are passed on to Snakemake, as Snakemake reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

_SHORT = {"-c": "--cores", "-j": "--jobs", "-e": "--executor"}
"""Letters of those options that we look at."""


def given(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options by their long names with their values: `-j4`, `-j 4`, `-j=4`, `--jobs 4` and `--jobs=4` alike.

    The value is empty where none follows.
    """
    for word, after in zip(options, [*options, ""][1:], strict=True):
        if word.startswith("--"):
            name, sign, value = word.partition("=")
        else:
            name, sign, value = _SHORT.get(word[:2], ""), word[2:], word[2:].removeprefix("=")
        if name:
            yield name, value if sign else "" if after.startswith("-") else after


def cores(options: Sequence[str]) -> int:
    """Return how many processors the options ask for; those of this machine where they do not say."""
    counts = [value for name, value in given(options) if name in ("--cores", "--jobs")]
    return next((int(count) for count in counts if count.isdecimal() and int(count)), os.cpu_count() or 1)


def say_where(options: Sequence[str]) -> bool:
    """Return whether the options say themselves where jobs run, and how many at once."""
    return any(name in ("--executor", "--profile", "--jobs", "--cores") for name, _ in given(options))
