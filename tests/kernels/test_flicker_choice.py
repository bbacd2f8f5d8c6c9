"""The decisions of the official pipeline, on paper."""

import numpy as np
import pytest

from jwrules.kernels.flicker import Lines
from jwrules.kernels.flicker_choice import NIRCAM, NIRISS, Look, choose, look

NOTHING = Look(light=0.01, offset=0.0, slope=0.0, ratio=1.0, scatter=0.0)


@pytest.mark.parametrize(
    ("seen", "limits", "choice"),
    [
        ({}, NIRCAM, ("median", False)),
        ({"offset": 0.1}, NIRCAM, ("median", True)),
        ({"slope": 2e-5}, NIRCAM, ("model", False)),
        ({"slope": 2e-5, "ratio": 6.0}, NIRISS, ("median", False)),
        ({"slope": 2e-5, "ratio": 2.0}, NIRISS, ("model", False)),
        ({"slope": 2e-4, "ratio": 6.0}, NIRISS, ("model", False)),
        ({"offset": 0.01, "scatter": 0.03}, NIRCAM, ("median", True)),
        ({"scatter": 0.03}, NIRCAM, ("median", False)),
        ({"light": 0.5, "slope": 2e-5}, NIRISS, ("model", False)),
        ({"light": 0.5, "slope": 2e-5, "offset": 0.1}, NIRISS, ("median", False)),
        ({"light": 0.5, "slope": 2e-4, "offset": 0.1}, NIRISS, ("model", False)),
        ({"light": 0.5}, NIRISS, ("median", False)),
        ({"light": 0.08}, NIRCAM, ("median", False)),
    ],
)
def test_a_look_decides(seen, limits, choice):
    assert choose(NOTHING._replace(**seen), limits) == choice


@pytest.mark.parametrize("rows", [True, False])
def test_an_image_is_looked_at(rows):
    random = np.random.default_rng(1)
    image = random.normal(1, 0.5, (64, 2048)) + 0.3 * (np.arange(2048) // 512 == 2)
    image[10:30, 100:1000] += 10
    image[0, 0] = np.nan
    image = image if rows else image.T
    seen = look(image.astype(np.float32), np.empty((0, 0), np.float32), Lines(rows, 1))
    assert seen.light == pytest.approx(18000 / image.size, abs=0.06)
    assert seen.offset == pytest.approx(0.3, abs=0.05)
