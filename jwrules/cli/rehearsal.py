"""Small exposures that go through the stages, so that every kernel is called with what it is called with in earnest.

What kernels are compiled for is nowhere written down: the stages themselves are run, on every template that can be
simulated, with few pixels. So a new kernel, step or template is rehearsed without anybody thinking of it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jwrules.plan import Job, Plan

log = logging.getLogger("jwrules")


@dataclass(frozen=True)
class Rehearsal:
    """A template to simulate and to reduce; `wishes` are arguments of the simulator, `sets` options as for --set."""

    template: str
    wishes: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[str, ...] = ()
    size: str = "tiny"

    @property
    def title(self) -> str:
        """What is rehearsed, in words."""
        effects = {**self.wishes, **self.wishes.get("effects", {})}
        wishes = [f"{key}={value}" for key, value in effects.items() if key != "effects"]
        return "  ".join([self.template, " ".join([*wishes, *self.sets])]).rstrip()

    def play(self, folder: Path) -> None:
        """Simulate exposures in an empty folder and reduce them there."""
        from jwrules import plan, simulate

        with _silence():
            simulate.run(self.template, folder, size=self.size, **self.wishes)
            asked = plan.Settings(data=folder / "uncal", references=str(folder / "references"), sets=self.sets)
            planned = plan.of(asked, folder)
            for job in planned.all():
                _run(job, planned, folder)


def usual() -> list[Rehearsal]:
    """Return what serves every recipe as it stands, the events that are rare in few pixels made frequent."""
    from jwrules import simulate

    return [
        *(Rehearsal(name) for name in simulate.names() if name not in _LARGE),
        Rehearsal("nircam_coronagraphy", {"effects": {"snowballs": 5.0, "zeroframe": 1.0}, "groups": 8}),
        Rehearsal("nircam_time_series_imaging", {"groups": 2}),
        Rehearsal("niriss_ami", {"groups": 1}),
        Rehearsal("niriss_ami", {"groups": 5, "integrations": _MANY}),
        Rehearsal("miri_coronagraphy", {"effects": {"showers": 50.0}}),
        Rehearsal("miri_mrs", {"groups": 5}),
    ]


_MANY = 104
"""Integrations of a long exposure: jumps are then sought in another way."""
_LARGE = ("nircam_imaging",)
"""Programs that take long to simulate, and call for nothing that others do not."""

_AFTER = ("jump.after_jump_flag_dn1=10", "jump.after_jump_flag_time1=15")


def _with(template: str, *sets: str, **wishes: int) -> Rehearsal:
    return Rehearsal(template, wishes, sets)


def _streaks(template: str, *sets: str) -> Rehearsal:
    step = "clean_flicker_noise"
    return _with(template, f"{step}.skip=false", *(f"{step}.{one}" for one in sets))


ON_REQUEST = (
    _streaks("niriss_imaging"),
    _streaks("niriss_imaging", "background_method=model", "autoparam=true"),
    _streaks("nirspec_fixed_slit", "fit_method=fft"),
    _streaks("nircam_coronagraphy", "background_method=median_image"),
    _streaks("nircam_coronagraphy", "single_mask=false", "against=previous"),
    _streaks("miri_coronagraphy"),
    _with(
        "niriss_wfss", "persistence.skip=false", "persistence.persistence_time=1000", "persistence.dn_threshold=9999"
    ),
    _with("niriss_wfss", "ipc.skip=false", "err_init.skip=false", "bad_ramp.skip=false", "jump.statistic=official"),
    _with("nircam_wfss", "ramp_fit.algorithm=LIKELY", "ramp_fit.save_opt=true", "jump.only_use_ints=false"),
    _with("nircam_wfss", "ramp_fit.weighting=official", "ramp_fit.save_opt=true", *_AFTER),
    _with("miri_mrs", "jump.find_showers=true", "refpix.skip=false", "emicorr.algorithm=sequential", *_AFTER),
    _with("miri_coronagraphy", "firstframe.skip=false", "ipc.skip=false"),
    _with("miri_time_series_imaging", "jump.find_showers=true", groups=6, integrations=2 * _MANY),
)
"""What recipes leave out unless they are told otherwise."""


def _run(job: Job, planned: Plan, folder: Path) -> None:
    """Run a job as its rule does, within this process."""
    from jwrules.cli import build

    command = [job.stage, *_inputs(job, planned, folder), "--output", str(folder / "results"), "--steps", job.steps]
    chosen = [f"{kind}={reference.path}" for kind, reference in job.references.items()]
    options = build().parse_args([*command, "--reference", *chosen] if chosen else command)
    options.run(options)


def _inputs(job: Job, planned: Plan, folder: Path) -> list[str]:
    from jwrules import associations

    if job.stage != "image3":
        background = ["--background", *(str(folder / path) for path in job.background)] if job.background else []
        return [*(str(folder / path) for path in job.science), *background]
    written = associations.write(planned.associations[job.association], folder)
    return [str(written), "--members", str(folder / "results"), "--crf", str(folder / "results")]


@contextmanager
def _silence() -> Iterator[None]:
    """Let the stages say nothing: nobody wants to know what becomes of these exposures."""
    loggers = (log, logging.getLogger("py.warnings"))
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
