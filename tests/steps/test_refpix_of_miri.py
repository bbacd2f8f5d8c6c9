import numpy as np
import pytest
from ramp_scene import ramp

from jwrules.products.flags import DQ
from jwrules.steps.declare import Skip
from jwrules.steps.refpix import Params, refpix

MIRI = {"INSTRUME": "MIRI", "DETECTOR": "MIRIMAGE", "FASTAXIS": 1, "SLOWAXIS": 2}


def drifted(*drifts, nx=1032):
    """Groups of 8 rows whose four outputs have drifted by these numbers since the first, on a level of 100 DN."""
    product = ramp(np.full((1, 1 + len(drifts), 8, nx), 100.0), **MIRI)
    product.data[0, 1:] += np.tile(np.array(drifts)[:, np.newaxis], nx // 4)
    product.pixeldq[:, [*range(4), *range(nx - 4, nx)]] = DQ.REFERENCE_PIXEL
    return product


def test_the_drift_of_each_output_since_the_first_group_is_taken_off():
    result = refpix(drifted([1.0, 2.0, 3.0, 4.0], [-5.0, 0.0, 5.0, 9.0]))
    assert np.all(result.data == 100)


def test_the_level_of_the_first_group_stays():
    product = drifted([0.0] * 4)
    product.data[..., :4] = 7.0
    assert np.all(refpix(product).data[..., 4:] == 100)


def test_light_is_left():
    product = drifted([1.0, 2.0, 3.0, 4.0])
    product.data[0, 1, :, 500:600] += 50.0
    data = refpix(product).data[0, 1]
    assert np.all(data[:, 500:600] == 150)
    assert np.all(data[:, 600:] == 100)


def test_even_and_odd_rows_are_told_apart_unless_they_shall_not_be():
    product = drifted([0.0] * 4)
    product.data[0, 1, ::2] += 6.0
    together = refpix(ramp(product.data, **MIRI), Params(odd_even_rows=False)).data[0, 1, :2, 9]
    assert together.tolist() == [103, 97]
    assert np.all(refpix(product).data == 100)


def test_each_integration_starts_anew():
    product = drifted([1.0] * 4)
    both = ramp(np.concatenate([product.data, product.data + 40]), **MIRI)
    assert refpix(both).data[:, :, 3, 3].tolist() == [[100, 100], [140, 140]]


def test_a_subarray_is_left_alone():
    with pytest.raises(Skip, match="72 columns"):
        refpix(drifted([1.0] * 4, nx=72))


def test_an_output_without_reference_pixels_leaves_all_as_they_are():
    product = drifted([1.0] * 4)
    product.pixeldq[:, [2, 1030]] |= np.uint32(DQ.DO_NOT_USE)
    with pytest.raises(Skip, match="without usable"):
        refpix(product)
    assert np.all(product.data[0, 1] == 101)
