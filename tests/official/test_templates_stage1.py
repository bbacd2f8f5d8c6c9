"""Stage 1 of observing templates through jwrules and through the official pipeline: same ramps, files and options."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from difference import flags, in_errors, keywords, relative, without_value
from template_scene import made, make

from pipeline import Task, start

pytest.importorskip("jwst", reason="jwst is not installed")
pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]

ALIKE = {
    "ramp_fit": {"weighting": "official"},
    "jump": {"expand_large_events": False, "find_showers": False},
}
"""Options with which both are to do the same: large events, weights and variances as the official defaults have them."""
CASES = {
    "niriss_soss": {"groups": 4, "integrations": 6},
    "niriss_ami": {"integrations": 4},
    "nirspec_mos_irs2": {"groups": 3},
    "nirspec_bright_object_time_series": {"groups": 6, "integrations": 6},
    "nircam_grism_time_series": {"integrations": 6},
    "fgs_imaging": {},
    "miri_mrs": {},
    "miri_lrs_slitless": {},
}
"""What is simulated of each template; of a detector the first two files are calibrated."""


class Both:
    """The products of both pipelines by template."""

    def __init__(self, folder):
        taken = {template: self._few(make(template, folder / template, **wishes)) for template, wishes in CASES.items()}
        tasks = [self._task(one) for files in taken.values() for one in files]
        official = start(tasks, folder, "official")
        ours = {template: [made(one, **ALIKE).products for one in files] for template, files in taken.items()}
        official.wait()
        self.pairs = {
            template: {
                suffix: [(one[suffix], file.folder / "official" / one[suffix].name) for one, file in zip(ours[template], files)]
                for suffix in ("rate", "rateints")
            }
            for template, files in taken.items()
        }

    @staticmethod
    def _few(files):
        return [one for one in files if one.detector == files[0].detector][:2]

    @staticmethod
    def _task(one):
        sets = tuple(f"{step}.{name}={str(value).lower()}" for step, values in ALIKE.items() for name, value in values.items())
        return Task("detector1", str(one.raw), str(one.folder / "official"), str(one.folder / "references"), sets)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return Both(tmp_path_factory.mktemp("stage1"))


@pytest.mark.parametrize("suffix", ["rate", "rateints"])
@pytest.mark.parametrize("template", CASES)
def test_look(both, template, suffix):
    for ours, official in both.pairs[template][suffix]:
        print(template, ours.name, flags(ours, official), without_value(ours, official), in_errors(ours, official),
              {n: relative(ours, official, n) for n in ("SCI", "ERR", "VAR_POISSON", "VAR_RNOISE")})
        a, b = keywords(ours, 0), keywords(official, 0)
        print({k: (a.get(k), b.get(k)) for k in sorted(set(a) | set(b)) if k.startswith("S_") and a.get(k) != b.get(k)})
