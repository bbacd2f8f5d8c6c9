"""The test that finds unread parameters finds them."""

from reading import reads
from recipe_scene import STEPS

from jwrules.steps import registry


def test_a_parameter_that_nobody_reads_is_found_out():
    assert "threshold" not in reads(STEPS["jump"])


def test_a_parameter_that_is_read_is_found():
    assert "n_pix_grow_sat" in reads(registry()["saturation"])
