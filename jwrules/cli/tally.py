"""How far a run is: jobs by rule, and the time that the rest will take."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

FAMILIES = ("detector1", "dark", "guider", "image2", "image3", "picture")
"""What the live line counts, in order; rules whose name begins so are counted together."""

_EFFORT = {
    "detector1": 2.0,
    "dark": 1.0,
    "guider": 0.5,
    "image2": 1.0,
    "image3": 3.0,
    "picture": 1.0,
    "association": 0.01,
    "crf": 0.01,
}
"""How long a job lasts compared with others, until one of its own rule is done."""

_BAR = 16
_BATCH = re.compile(r"(?P<stage>\w+)_batch\d+_(?P<jobs>\d+)jobs")


@dataclass
class Tally:
    """How many jobs of each rule there are, run and are done, and how long those took (seconds)."""

    totals: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    running: dict[int, tuple[str, float]] = field(default_factory=dict)

    def expect(self, stats: Mapping[str, int]) -> None:
        """Take the number of jobs by rule, as Snakemake counts them."""
        self.totals = Counter()
        for rule, count in stats.items():
            if rule not in ("total", "all"):
                name, jobs = _several(rule)
                self.totals[name] += count * jobs

    def start(self, job: int, rule: str, now: float) -> None:
        """Note that a job started."""
        self.running[job] = (rule, now)

    def finish(self, job: int, now: float) -> str:
        """Note that a job finished; return its rule."""
        rule, began = self.running.pop(job, ("", now))
        rule, jobs = _several(rule)
        if rule in self.totals:
            self.done[rule] += jobs
            self.spent[rule] += now - began  # type: ignore[assignment]
        return rule

    def remaining(self, now: float, cores: int) -> float | None:
        """Return the estimated seconds that are left, or None while nothing is known.

        Jobs last as long as the mean of their rule; until one of it is done, as its usual effort says.
        """
        finished = self.done.total()
        effort = sum(_effort(rule) * count for rule, count in self.done.items())
        if not effort:
            return None
        unit = self.spent.total() / effort
        mean = {r: self.spent[r] / self.done[r] if self.done[r] else _effort(r) * unit for r in self.totals}
        left = sum((self.totals[rule] - self.done[rule]) * mean[rule] for rule in self.totals)
        begun = sum(min(now - began, mean.get(_several(rule)[0], 0.0)) for rule, began in self.running.values())
        return max(left - begun, 0.0) / max(min(cores, self.totals.total() - finished), 1)

    def counts(self) -> str:
        """Return `detector1 3/8  image2 0/8 ...`, in the order of the stages."""
        return "  ".join(filter(None, map(self._count, FAMILIES)))

    def _count(self, family: str) -> str:
        rules = [rule for rule in self.totals if rule.startswith(family)]
        done, total = (sum(counter[rule] for rule in rules) for counter in (self.done, self.totals))
        return f"{family} {done}/{total}" if rules else ""

    def line(self, now: float, began: float, cores: int) -> str:
        """Return the live line: bar, percent, counts, time."""
        total = max(self.totals.total(), 1)
        share = self.done.total() / total
        bar = "█" * int(share * _BAR) + "░" * (_BAR - int(share * _BAR))
        left = self.remaining(now, cores)
        eta = f", {clock(left)} left" if left is not None else ""
        return f"{bar} {share:4.0%}  {clock(now - began)}{eta}  {self.counts()}"


def _several(rule: str) -> tuple[str, int]:
    """Return the stage of a batch and how many jobs are in it, as its name says; a rule by itself is one job."""
    batch = _BATCH.fullmatch(rule)
    return (batch["stage"], int(batch["jobs"])) if batch else (rule, 1)


def _effort(rule: str) -> float:
    return next((effort for family, effort in _EFFORT.items() if rule.startswith(family)), 1.0)


def rank(rule: str) -> int:
    """Return the place of a rule in the order of the stages."""
    ranks = [rank for rank, family in enumerate(FAMILIES) if rule.startswith(family)]
    return ranks[0] if ranks else len(FAMILIES)


def clock(seconds: float) -> str:
    """Return a duration as m:ss or h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
