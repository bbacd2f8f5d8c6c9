"""Reference pixels that are not to be trusted."""

import numpy as np
import pytest

from jwrules.kernels import irs2_suspects as kernel
from jwrules.kernels.irs2_layout import Layout

LAYOUT = Layout(lines=40)
NONE = np.zeros(LAYOUT.rows, bool)


def bad(*rows):
    flags = NONE.copy()
    flags[list(rows)] = True
    return flags


def frames(seed=1):
    return np.random.default_rng(seed).normal(1000, 5, (3, LAYOUT.rows, LAYOUT.lines)).astype(np.float32)


def test_a_bad_pixel_is_taken_from_the_steps_before_and_after():
    taken = kernel.replacements(bad(668), LAYOUT)
    assert taken[668].tolist() == [648, 688]
    assert taken[669].tolist() == [669, 669]


def test_it_is_taken_from_one_of_them_where_the_other_is_bad_or_of_another_output():
    assert kernel.replacements(bad(668, 688), LAYOUT)[668].tolist() == [648, 648]
    assert kernel.replacements(bad(648), LAYOUT)[648].tolist() == [668, 668]


def test_else_from_the_other_half_of_its_step():
    assert kernel.replacements(bad(648, 668, 688), LAYOUT)[668].tolist() == [670, 670]
    assert kernel.replacements(bad(650, 670, 690), LAYOUT)[670].tolist() == [668, 668]


def test_else_from_nowhere():
    assert kernel.replacements(bad(648, 668, 688, 670), LAYOUT)[668].tolist() == [-1, -1]


def test_light_is_never_replaced():
    assert kernel.replacements(bad(640), LAYOUT)[640].tolist() == [640, 640]


def test_a_list_names_pairs_by_output_half_and_step():
    names = kernel.listed(np.array([1, 2]), np.array([1, 1]), np.array([0b101, 0b1]), LAYOUT)
    assert np.flatnonzero(names).tolist() == [648, 649, 688, 689, 1290, 1291]


def test_a_list_is_in_the_order_of_the_detector():
    names = kernel.listed(np.array([1]), np.array([2]), np.array([0b1]), Layout(backwards=True, lines=40))
    assert np.flatnonzero(names).tolist() == [3199 - 651, 3199 - 650]


@pytest.mark.parametrize("excess", ["mean", "scatter", "difference"])
def test_a_pair_far_above_the_others_is_suspect(excess):
    data = frames()
    random = np.random.default_rng(2).normal(0, 20, (3, LAYOUT.lines))
    data[:, 668] += {"mean": 30, "scatter": random, "difference": -30}[excess]
    data[:, 669] += {"mean": 30, "scatter": random, "difference": 0}[excess]
    found = np.flatnonzero(kernel.suspects(data, LAYOUT, NONE, 6.0))
    assert found.tolist() == [668, 669]


def test_the_limit_decides():
    data = frames()
    data[:, 668:670] += 2.0
    assert kernel.suspects(data, LAYOUT, NONE, 3.0)[668]
    assert not kernel.suspects(data, LAYOUT, NONE, 30.0).any()


def test_a_pixel_that_is_low_or_sees_light_is_no_suspect():
    data = frames()
    data[:, 668:670] -= 100
    data[:, 641] += 100
    assert not kernel.suspects(data, LAYOUT, NONE, 6.0).any()


def test_known_pixels_stay_bad_alone_and_judge_no_other():
    data = frames()
    data[:, 1290:1292] += 1000
    found = kernel.suspects(data, LAYOUT, bad(1290, 640), 6.0)
    assert np.flatnonzero(found).tolist() == [1290]
