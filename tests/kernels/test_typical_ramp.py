import numpy as np
import pytest

from jwrules.kernels import typical_ramp


def test_the_median_over_integrations_passes_over_what_has_no_value():
    data = np.array([1, 2, 9, np.nan], np.float32).reshape(4, 1, 1, 1) * np.ones((4, 2, 3, 5), np.float32)
    data[:, 1, 2, 4] = np.nan
    result = typical_ramp.median(data)
    assert result[0].tolist() == np.full((3, 5), 2.0).tolist()
    assert np.isnan(result[1, 2, 4])


def test_an_integration_is_scaled_by_the_light_that_all_share():
    typical, light = np.array([[10.0, 20.0, 1.0]]), np.array([[True, True, False]])
    rates = np.stack([0.5 * typical, 2 * typical])
    rates[:, 0, 2] = 100
    assert typical_ramp.scales(rates, typical, light) == pytest.approx([0.5, 2])
    assert typical_ramp.scales(rates, typical, ~light & False).tolist() == [1, 1]
