"""Stage 1 of observing templates through jwrules and through the official pipeline: same ramps, files and options.

Flags are to agree bit for bit, rates to 1e-5 or 1e-3 of their errors. Large events, showers, weights and variances are
as the official defaults have them. Two things that differ on purpose are left out or avoided: see CASES.
"""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from difference import flags, in_errors, keywords, relative, without_value
from template_scene import Taken, made, make

from pipeline import Task, start

pytest.importorskip("jwst", reason="jwst is not installed")
pytestmark = [pytest.mark.official, pytest.mark.filterwarnings("ignore")]

ALIKE = {
    "saturation": {"partial_search": "official"},
    "ramp_fit": {"weighting": "official"},
    "jump": {"statistic": "official", "expand_large_events": False, "find_showers": False},
}
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
"""What is simulated of each template; the first file is calibrated, of SEGMENTED the first two."""
SEGMENTED = "niriss_soss"
LEFT_OUT = {"miri_lrs_slitless": {"emicorr": {"skip": True}}}
"""The official step rounds the start of later integrations to 1/500 of a period (test_mid_infrared_steps)."""
WHOLE_NUMBERS_DIFFER = {"nirspec_mos_irs2"}
"""The official refpix takes a pixel that equals its mean for a gap, which of whole numbers one in thirty does."""


OURS = {"S_ERRINI", "S_BADRMP"}


class Both:
    """The products of both pipelines by template: pairs of paths by suffix."""

    def __init__(self, folder):
        taken = {
            template: make(template, folder / template, **wishes)[: 2 if template == SEGMENTED else 1]
            for template, wishes in CASES.items()
        }
        for template in WHOLE_NUMBERS_DIFFER:
            for one in taken[template]:
                _unround(one)
        tasks = [_task(one, ALIKE | LEFT_OUT.get(template, {})) for template in taken for one in taken[template]]
        official = start(tasks, folder, "official")
        self._products = {
            template: [(one, made(one, **ALIKE, **LEFT_OUT.get(template, {})).products) for one in files]
            for template, files in taken.items()
        }
        official.wait()

    def pairs(self, template, suffix):
        """Yield the paths of our products and of the official ones."""
        for one, products in self._products[template]:
            yield products[suffix], one.folder / "official" / products[suffix].name


def _unround(one: Taken) -> None:
    """Let the raw file hold numbers that are not whole."""
    with fits.open(one.raw, mode="update", uint=True) as hdus:
        sci = hdus["SCI"]
        counts = np.asarray(sci.data, np.float32)
        counts += np.random.default_rng(1).uniform(-0.5, 0.5, counts.shape).astype(np.float32)
        header = sci.header
        for keyword in ("BZERO", "BSCALE"):
            header.remove(keyword, ignore_missing=True)
        hdus["SCI"] = fits.ImageHDU(counts, header, name="SCI")


def _task(one, options):
    pairs = [(step, name, value) for step, values in options.items() for name, value in values.items()]
    sets = tuple(f"{step}.{name}={str(value).lower()}" for step, name, value in pairs)
    return Task("detector1", str(one.raw), str(one.folder / "official"), str(one.folder / "references"), sets)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Everything, made once. Read only."""
    return Both(tmp_path_factory.mktemp("stage1"))


@pytest.mark.parametrize("suffix", ["rate", "rateints"])
@pytest.mark.parametrize("template", CASES)
def test_rates_are_the_same(both, template, suffix):
    for ours, official in both.pairs(template, suffix):
        assert flags(ours, official) == {}
        assert without_value(ours, official) == 0
        found = in_errors(ours, official)
        assert found.pixels > 5000
        assert found.p99 < 1e-3
        assert found.largest < (0.5 if template in WHOLE_NUMBERS_DIFFER else 1e-3)


@pytest.mark.parametrize("extension", ["ERR", "VAR_POISSON", "VAR_RNOISE"])
@pytest.mark.parametrize("template", CASES)
def test_errors_are_the_same(both, template, extension):
    """Poisson variance to 1 %, where it is next to nothing: it is a small difference of large numbers."""
    for suffix in ("rate", "rateints"):
        for ours, official in both.pairs(template, suffix):
            found = relative(ours, official, extension)
            assert found.p99 < 1e-4
            assert found.largest < {"ERR": 1e-3, "VAR_RNOISE": 1e-5, "VAR_POISSON": 0.01}[extension] or (
                template in WHOLE_NUMBERS_DIFFER
            )


@pytest.mark.parametrize("template", CASES)
def test_the_same_steps_are_applied(both, template):
    """Those that are ours alone, err_init and bad_ramp, aside."""
    for ours, official in both.pairs(template, "rate"):
        ours, official = (
            {key: value for key, value in keywords(path, 0).items() if key.startswith("S_") and key not in OURS}
            for path in (ours, official)
        )
        assert ours == official


@pytest.mark.parametrize("suffix", ["rate", "rateints"])
@pytest.mark.parametrize("template", CASES)
def test_products_are_of_the_same_data_model(both, template, suffix):
    for ours, official in both.pairs(template, suffix):
        assert keywords(ours, 0)["DATAMODL"] == keywords(official, 0)["DATAMODL"]
