import numpy as np
from scipy.signal import convolve2d

from jwrules.kernels import ipc


def test_it_is_the_convolution_of_scipy():
    random = np.random.default_rng(1)
    image, kernel = random.normal(size=(20, 25)), random.normal(size=(3, 5))
    ours = ipc.convolve(image, kernel[:, :, np.newaxis, np.newaxis])
    assert np.allclose(ours, convolve2d(image, kernel, mode="same"))


def test_equal_kernels_for_all_pixels_are_one_kernel():
    random = np.random.default_rng(1)
    image, kernel = random.normal(size=(20, 25)), random.normal(size=(3, 3, 1, 1))
    assert np.array_equal(ipc.convolve(image, kernel), ipc.convolve(image, np.tile(kernel, (1, 1, 20, 25))))
