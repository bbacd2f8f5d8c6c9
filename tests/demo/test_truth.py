"""The demo recovers the truth that its simulator wrote down."""

import numpy as np
import pytest

from tests.demo import measure

pytestmark = pytest.mark.workflow

BANDS = {"F200W": "nrcb1", "F444W": "nrcalong"}


@pytest.mark.parametrize("detector", BANDS.values())
def test_rates_are_unbiased(finished, detector):
    for rate in finished.products(f"*_{detector}_rate.fits"):
        exposure = measure.exposure(rate, finished.truth, "RATE")
        typical = float(np.median(exposure.truth[exposure.good]))
        assert abs(exposure.bias(0.5 * typical, np.inf)) <= 0.003


@pytest.mark.parametrize(("suffix", "plane"), [("rate", "RATE"), ("cal", "CAL")])
@pytest.mark.parametrize("detector", BANDS.values())
def test_errors_tell_the_truth(finished, detector, suffix, plane):
    for product in finished.products(f"*_{detector}_{suffix}.fits"):
        pull = measure.exposure(product, finished.truth, plane).pull()
        assert 0.9 <= measure.scatter(pull) <= 1.1


@pytest.mark.parametrize(("detector", "noise"), [("nrcb1", 12.0), ("nrcalong", 14.0)])
def test_cosmic_rays_are_found(finished, detector, noise):
    counts = [measure.jumps_found(p, finished.truth, noise) for p in finished.products(f"*_{detector}_rateints.fits")]
    found, total = np.sum(counts, axis=0)
    assert total > 500
    assert found / total >= 0.99


@pytest.mark.parametrize("band", BANDS)
def test_isolated_stars_have_their_flux(finished, band):
    (catalog,) = finished.products(f"*{band.lower()}*_cat.ecsv")
    flux = measure.photometry(catalog, finished.truth, band).flux
    measured = flux[np.isfinite(flux)]
    assert len(measured) >= max(20, 0.85 * len(flux))
    assert abs(np.median(measured)) <= 0.01


@pytest.mark.parametrize("band", BANDS)
def test_stars_are_where_they_are(finished, band):
    (catalog,) = finished.products(f"*{band.lower()}*_cat.ecsv")
    stars = measure.photometry(catalog, finished.truth, band)
    for offset in (stars.dra, stars.ddec):
        assert abs(np.median(offset)) <= 2.0
