"""What models of the background do to the process that they run in."""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import photutils.background
from astropy.utils.exceptions import AstropyUserWarning

from jwrules.kernels import flicker_background


class Slow:
    """A background that takes its time, and warns of NaN."""

    def __init__(self, image, *_, **__):
        time.sleep(0.01 * (1 + float(image[0, 0])))
        warnings.warn("NaN were clipped", AstropyUserWarning, stacklevel=1)
        self.background = image


def test_threads_do_not_undo_what_each_other_silence(monkeypatch):
    monkeypatch.setattr(photutils.background, "Background2D", Slow)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)

        def model(number):
            image = np.full((8, 8), number % 3, np.float32)
            return flicker_background.model(image, np.ones(image.shape, bool), (4, 4))

        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(model, range(12)))
        assert [image[0, 0] for image in made] == [number % 3 for number in range(12)]
        assert list(warnings.filters) == before
