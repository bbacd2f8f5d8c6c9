import numpy as np
import pytest
from ramp_scene import ramp, reference

from jwrules.errors import CannotRun
from jwrules.products.kinds import Ipc
from jwrules.steps.ipc import ipc

COUPLING = np.array([[0, -0.01, 0], [-0.02, 1.06, -0.02], [0, -0.01, 0]])


def kernel(data):
    return reference(Ipc, data=data)


def point(ny=12, nx=14, y=6, x=7, **keywords):
    data = np.zeros((1, 2, ny, nx))
    data[..., y, x] = 100.0
    return ramp(data, **({"SUBSTRT1": 101, "SUBSTRT2": 101} | keywords))


def test_a_point_becomes_the_kernel():
    result = ipc(point(), ipc=kernel(COUPLING)).data
    assert np.allclose(result[0, :, 5:8, 6:9], 100 * COUPLING)
    assert np.count_nonzero(result[0, 0]) == 5


def test_an_asymmetric_kernel_is_convolved_not_correlated():
    shift = np.zeros((3, 3))
    shift[1, 2] = 1.0  # what a pixel gives to its right neighbour
    result = ipc(point(), ipc=kernel(shift)).data
    assert result[0, 0, 6, 8] == 100.0


def test_a_kernel_per_pixel_is_that_of_the_pixel_that_receives():
    kernels = np.zeros((3, 3, 12, 14))
    kernels[1, 1] = 1.0
    kernels[1, 0, 6, 6] = 0.5
    result = ipc(point(), ipc=kernel(kernels)).data
    assert result[0, 0, 6, 6] == 50.0
    assert np.count_nonzero(result[0, 0]) == 2


@pytest.mark.parametrize(("corner", "y", "x"), [((1, 1), 4, 7), ((1, 1), 6, 4), ((2035, 2037), 7, 9)])
def test_reference_pixels_neither_give_nor_take(corner, y, x):
    product = point(y=y, x=x, SUBSTRT1=corner[0], SUBSTRT2=corner[1])
    border = ~np.isin(corner[1] - 1 + np.arange(12), range(4, 2044))[:, np.newaxis] | ~np.isin(
        corner[0] - 1 + np.arange(14), range(4, 2044)
    )
    product.data[:, :, border] = 7.0
    result = ipc(product, ipc=kernel(COUPLING)).data
    assert np.all(result[:, :, border] == 7.0)
    assert np.isclose(result[0, 0, y, x], 106.0)


def test_signal_is_conserved_away_from_the_edge():
    assert np.isclose(ipc(point(), ipc=kernel(COUPLING)).data[0, 1].sum(), 100 * COUPLING.sum())


def test_coupling_and_its_inverse_leave_the_image():
    coupled = np.array([[0, 0.005, 0], [0.005, 0.98, 0.005], [0, 0.005, 0]])
    inverse = np.real(np.fft.ifft2(1 / np.fft.fft2(np.pad(coupled, ((0, 12), (0, 12))))))
    inverse = np.roll(inverse, (3, 3), axis=(0, 1))[:5, :5]  # of centre (1, 1), its inverse lies at (-1, -1)
    product = point()
    product.data[:] = np.random.default_rng(1).uniform(500, 1000, product.data.shape)
    before = product.data.copy()
    result = ipc(ipc(product, ipc=kernel(coupled)), ipc=kernel(inverse)).data
    assert np.allclose(result[..., 3:-3, 3:-3], before[..., 3:-3, 3:-3], atol=0.05)


def test_an_even_kernel_has_no_middle_and_is_refused():
    with pytest.raises(CannotRun, match="odd"):
        ipc(point(), ipc=kernel(np.ones((2, 3))))
