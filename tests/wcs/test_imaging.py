import numpy as np
import pytest
from astropy.modeling import bind_bounding_box

from jwrules.errors import HeaderFault
from jwrules.wcs import imaging
from jwrules.wcs.pointing import Pointing

MIDDLE = 31.5
ROWS = [
    {"filter": "F200W", "pupil": "CLEAR", "column_offset": 2.0, "row_offset": -3.0},
    {"filter": "F444W", "pupil": "CLEAR", "column_offset": "N/A", "row_offset": "N/A"},
]


def test_reference_point_falls_on_its_keywords(make_wcs):
    assert make_wcs()(MIDDLE, MIDDLE) == pytest.approx((53.1, -27.8), abs=1e-11)


def test_without_roll_y_is_north_and_x_is_west(make_wcs):
    ra, dec = make_wcs()(np.array([MIDDLE, MIDDLE + 1]), np.array([MIDDLE + 1, MIDDLE]))
    assert dec[0] - -27.8 == pytest.approx(0.03 / 3600, rel=1e-6)
    assert (ra[1] - 53.1) * np.cos(np.deg2rad(27.8)) == pytest.approx(-0.03 / 3600, rel=5e-6)


def test_a_roll_of_ninety_degrees_turns_y_to_the_east(make_wcs):
    ra, dec = make_wcs(ROLL_REF=90.0)(MIDDLE, MIDDLE + 1)
    assert (ra - 53.1) * np.cos(np.deg2rad(27.8)) == pytest.approx(0.03 / 3600, rel=1e-6)
    assert dec == pytest.approx(-27.8, abs=1e-9)


@pytest.mark.parametrize(("ra", "dec"), [(53.1, -27.8), (0.0, 10.0), (359.9999, 0.0), (10.0, 90.0), (200.0, -89.999)])
def test_pixels_go_to_the_sky_and_back(make_wcs, bent, ra, dec):
    wcs = make_wcs(bent, RA_REF=ra, DEC_REF=dec, ROLL_REF=33.0)
    y, x = np.mgrid[0:64:7, 0:64:7].astype(float)
    back_x, back_y = wcs.invert(*wcs(x, y), with_bounding_box=False)
    assert max(abs(back_x - x).max(), abs(back_y - y).max()) < 1e-4


def test_right_ascension_is_never_negative(make_wcs):
    ra, _ = make_wcs(RA_REF=0.0)(np.array([0.0, 63.0]), np.array([MIDDLE, MIDDLE]))
    assert ra[0] < 1
    assert 359 < ra[1] < 360


def test_a_subarray_sees_the_sky_of_its_part_of_the_detector(make_wcs):
    part = make_wcs(shape=(20, 10), SUBSTRT1=11, SUBSTRT2=31)
    assert part(3.0, 4.0) == pytest.approx(make_wcs()(13.0, 34.0), abs=1e-12)


def test_the_filter_offset_moves_the_image(keywords, plain, make_wcs):
    moved = imaging.build(keywords(), (64, 64), plain, ROWS)
    assert moved(10.0, 10.0) == pytest.approx(make_wcs()(12.0, 7.0), abs=1e-12)


@pytest.mark.parametrize("changed", [{"FILTER": "F444W"}, {"PUPIL": "GRISMR"}])
def test_a_filter_without_offset_stays(keywords, changed):
    assert imaging.filter_shift(keywords(**changed), ROWS) is None


def test_miri_has_no_pupil_wheel(keywords):
    miri = keywords(INSTRUME="MIRI", PUPIL=None)
    assert imaging.filter_shift(miri, [{**ROWS[0], "pupil": "N/A"}]) == (2.0, -3.0)


def test_velocity_aberration_scales_about_the_reference_point(make_wcs):
    aberrated = make_wcs(VA_SCALE=1.001)
    assert aberrated(MIDDLE, MIDDLE) == pytest.approx((53.1, -27.8), abs=1e-11)
    assert aberrated(MIDDLE, MIDDLE + 10)[1] + 27.8 == pytest.approx(10 * 0.03 * 1.001 / 3600, rel=1e-6)


def test_the_bounding_box_is_the_array(make_wcs):
    box = make_wcs(shape=(20, 10), SUBSTRT1=11, SUBSTRT2=31).bounding_box.bounding_box(order="F")
    assert box == ((-0.5, 9.5), (-0.5, 19.5))


def test_the_bounding_box_of_the_distortion_counts(make_wcs, plain):
    bind_bounding_box(plain, ((3.5, 200.0), (-0.5, 60.0)), order="F")
    assert make_wcs(plain).bounding_box.bounding_box(order="F") == ((3.5, 63.5), (-0.5, 60.0))


def test_frames_have_the_names_that_jwst_software_looks_for(make_wcs):
    assert make_wcs().available_frames == ["detector", "v2v3", "v2v3vacorr", "world"]


def test_a_missing_pointing_keyword_is_named(keywords):
    header = keywords().primary.copy()
    del header["ROLL_REF"]
    with pytest.raises(HeaderFault, match="ROLL_REF"):
        Pointing.of(type(keywords())(primary=header))
