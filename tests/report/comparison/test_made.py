"""Keywords and options that differ are told, but for what differs in any two files."""

from dataclasses import replace

import pytest
from comparison_scene import write

from jwrules.report.comparison import made, opened
from jwrules.report.comparison.results import Change

HOW = {"stage": "detector1", "release": "1.0", "steps": [{"step": "jump", "status": "COMPLETE", "params": {}}]}


def changed(**steps):
    return {**HOW, "steps": [{"step": "jump", "status": "COMPLETE", **steps}]}


def test_keywords_differ_but_for_dates(tmp_path):
    a = opened.read(write(tmp_path / "a.fits", primary={"TARGPROP": "LMC", "EFFEXPTM": 10.0, "ONLY_A": 1}))
    b = opened.read(write(tmp_path / "b.fits", primary={"TARGPROP": "SMC", "EFFEXPTM": 10.0}))
    assert made.keywords(a, b) == (Change("TARGPROP", "LMC", "SMC"), Change("ONLY_A", "1", None))


def test_an_option_that_one_does_not_tell_has_its_default():
    found = made.options(HOW, changed(params={"rejection_threshold": 5.0}))
    assert found == (Change("jump.rejection_threshold", "(default)", "5.0"),)


def test_a_step_that_was_skipped_is_told():
    skipped = {"step": "jump", "status": "SKIPPED", "params": {}}
    assert made.options(HOW, {**HOW, "steps": [skipped]}) == (Change("jump", "COMPLETE", "SKIPPED"),)


def test_reference_files_differ_by_their_content():
    one, two = ({**HOW, "references": {"dark": {"file": "d.fits", "sha256": digest * 64}}} for digest in "ab")
    (found,) = made.options(one, two)
    assert found == Change("detector1: reference dark", f"d.fits (sha256 {'a' * 12})", f"d.fits (sha256 {'b' * 12})")


def test_a_product_of_others_tells_nothing():
    assert made.options(HOW, {}) == (Change("how", "told by jwrules", "not told"),)
    assert made.options({}, {}) == ()


class Sky:
    """A WCS of pixels of 1e-5 degrees, its first pixel at `ra`, `dec`."""

    output_frame, world_n_dim, pixel_n_dim = "icrs", 2, 2

    def __init__(self, ra, dec):
        self.ra, self.dec = ra, dec

    def __call__(self, x, y, with_bounding_box):
        return (self.ra + 1e-5 * x) % 360, self.dec + 1e-5 * y


def test_pixels_lie_apart_on_the_sky_in_milliarcseconds(tmp_path):
    product = opened.read(write(tmp_path / "a.fits"))
    a, b = (replace(product, tree={"meta": {"wcs": Sky(*place)}}) for place in ((1e-6, 60.0), (-1e-6, 60 - 1e-6)))
    found = made.offsets(a, b)
    assert len(found) == 5
    assert found[1] == (pytest.approx(2 * 3.6 * 0.5, rel=1e-6), pytest.approx(3.6, rel=1e-6))
    assert made.offsets(a, product) == ()
