import numpy as np
import pytest
from ramp_scene import gain_and_readnoise, noisy, one_pixel, ramp, reference

from jwrules.errors import CannotRun
from jwrules.products import fits
from jwrules.products.kinds import Gain, Ramp
from jwrules.steps.err_init import err_init


def errors(counts, frames=1, **references):
    references = gain_and_readnoise((1, 1), gain=2.0, readnoise=8.0) | references
    return err_init(one_pixel(counts, NFRAMES=frames), **references).err[0, :, 0, 0]


def test_the_error_is_that_of_the_reads_and_of_the_photons():
    np.testing.assert_allclose(errors([0.0, 136.0]), [np.sqrt(32.0), np.sqrt(32.0 + 68.0)], rtol=1e-6)


def test_averaged_frames_have_less_read_noise():
    np.testing.assert_allclose(errors([0.0], frames=8), [2.0], rtol=1e-6)


def test_below_zero_there_is_no_light():
    np.testing.assert_allclose(errors([-1000.0]), errors([0.0]))


@pytest.mark.parametrize("gain", [0.0, -1.0, np.nan])
def test_without_a_gain_the_error_is_unknown(gain):
    assert np.isnan(errors([5.0], gain=reference(Gain, data=[[gain]]))).all()


def test_it_is_the_scatter_of_many_pixels():
    product = ramp(noisy(20.0, (1, 4, 100, 100)))
    scatter = product.data.std(axis=(2, 3))
    expected = err_init(product, **gain_and_readnoise((100, 100))).err.mean(axis=(2, 3))
    np.testing.assert_allclose(expected, scatter, rtol=0.03)


def test_a_written_ramp_carries_it(tmp_path):
    product = err_init(one_pixel([1.0, 2.0]), **gain_and_readnoise((1, 1)))
    read = fits.read(fits.write(tmp_path / "jw_ramp.fits", product), Ramp)
    assert np.array_equal(read.err, product.err)


def test_a_group_of_no_frames_cannot_be():
    with pytest.raises(CannotRun, match="NFRAMES=0"):
        errors([1.0], frames=0)
