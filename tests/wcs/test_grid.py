import numpy as np
import pytest

from jwrules.wcs import footprint, grid
from jwrules.wcs.pointing import Pointing

# V2 is a longitude: a step in it shrinks with the cosine of V3, here -490 arcsec.
SCALE = 0.03 * np.sqrt(np.cos(np.deg2rad(490 / 3600)))


@pytest.fixture
def pointing(keywords):
    return Pointing.of(keywords())


def test_the_grid_of_one_image_keeps_scale_and_orientation(make_wcs, pointing):
    made = grid.output([make_wcs()], pointing)
    assert made.shape == (64, 64)
    assert made.pixel_scale == pytest.approx(SCALE, rel=1e-8)
    pixmap = grid.pixmap(make_wcs(), made.wcs, (64, 64))
    y, x = np.mgrid[:64, :64] + 0.5
    assert pixmap == pytest.approx(np.stack([x, y], axis=-1), abs=1e-4)


def test_the_grid_holds_all_footprints(make_wcs, pointing):
    wcses = [make_wcs(RA_REF=53.1 + step, ROLL_REF=40 * k) for k, step in enumerate((0, 1e-4, 3e-4))]
    made = grid.output(wcses, pointing)
    x, y = made.wcs.invert(*np.concatenate([footprint.corners(w) for w in wcses]).T, with_bounding_box=False)
    assert x.min() == pytest.approx(0, abs=1e-6)
    assert y.min() == pytest.approx(0, abs=1e-6)
    assert x.max() < made.shape[1] + 0.5
    assert y.max() < made.shape[0] + 0.5


def test_rotation_zero_is_north_up_and_east_left(make_wcs):
    turned = Pointing(v2=120, v3=-490, ra=53.1, dec=-27.8, roll=77.0)
    wcs = grid.output([make_wcs(ROLL_REF=77.0)], turned, rotation=0.0).wcs
    ra, dec = wcs(np.array([30.0, 31.0, 30.0]), np.array([30.0, 30.0, 31.0]))
    assert ra[1] < ra[0]
    assert dec[2] - dec[0] == pytest.approx(0.03 / 3600, rel=1e-4)


def test_pixel_scale_wins_over_its_ratio(make_wcs, pointing):
    made = grid.output([make_wcs()], pointing, pixel_scale=0.06, pixel_scale_ratio=5)
    assert made.shape == (32, 32)
    assert made.pixel_scale_ratio == pytest.approx(2, rel=1e-5)


def test_reference_point_and_shape_are_taken_as_given(make_wcs, pointing):
    made = grid.output([make_wcs()], pointing, crpix=(10, 20), crval=(53.1, -27.8), output_shape=(50, 70))
    assert made.shape == (70, 50)
    assert made.wcs(10, 20) == pytest.approx((53.1, -27.8), abs=1e-10)


def test_a_grid_of_one_pixel_is_refused(make_wcs, pointing):
    with pytest.raises(ValueError, match="1 columns"):
        grid.output([make_wcs()], pointing, pixel_scale=2.0)


def test_pixels_outside_the_bounding_box_fall_nowhere(make_wcs, pointing):
    wcs = make_wcs()
    target = grid.output([wcs], pointing).wcs
    wcs.bounding_box = ((3.5, 63.5), (-0.5, 63.5))
    assert np.isnan(grid.pixmap(wcs, target, (64, 64))[..., 0]).sum() == 4 * 64


@pytest.mark.parametrize(("order", "error"), [(1, 2e-3), (3, 1e-7)])
def test_an_interpolated_pixmap_is_close_to_the_full_one(make_wcs, bent, pointing, order, error):
    wcs = make_wcs(bent)
    target = grid.output([wcs], pointing).wcs
    full = grid.pixmap(wcs, target, (64, 64))
    assert 0 < abs(grid.pixmap(wcs, target, (64, 64), stepsize=4, order=order) - full).max() < error


def test_the_mean_pixel_scale_is_the_nominal_one_without_distortion(make_wcs):
    assert grid.mean_pixel_scale(make_wcs()) == pytest.approx(SCALE, rel=1e-8)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.9999, 45.0), (10.0, 90.0), (10.0, -90.0)])
def test_mosaics_across_ra_zero_and_on_the_poles_are_no_larger_than_their_images(make_wcs, keywords, ra, dec):
    wcses = [make_wcs(RA_REF=ra, DEC_REF=dec, ROLL_REF=roll) for roll in (0.0, 90.0)]
    made = grid.output(wcses, Pointing.of(keywords(RA_REF=ra, DEC_REF=dec)), crval=(ra, dec))
    assert made.shape == (64, 64)
    pixmap = grid.pixmap(wcses[0], made.wcs, (64, 64))
    step = pixmap[1:, 1:] - pixmap[:-1, :-1]
    assert step == pytest.approx(np.ones((63, 63, 2)), abs=1e-4)
