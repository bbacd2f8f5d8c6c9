from dataclasses import replace

import numpy as np
import pytest
from ramp_scene import ramp, reference

from jwrules.errors import CannotRun
from jwrules.products.flags import DQ
from jwrules.products.kinds import Dark
from jwrules.steps.dark_current import Params, dark_current

SIX_FRAMES = np.arange(1.0, 7.0).reshape(6, 1, 1)  # 1 DN per frame


def dark(data, frames=1, gap=0, **more):
    return reference(Dark, {"NFRAMES": frames, "GROUPGAP": gap}, data=data, **more)


def subtracted(result):
    return (-result.data[0, :, 0, 0]).tolist()


def test_a_dark_read_like_the_exposure_is_subtracted_group_by_group():
    result = dark_current(ramp(np.zeros((2, 3, 1, 1))), dark=dark(SIX_FRAMES))
    assert np.all(result.data == -np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1))


def test_frames_are_averaged_and_skipped_as_in_the_exposure():
    # groups of two frames, one skipped: frames 1-2 and 4-5
    result = dark_current(ramp(np.zeros((2, 1, 1)), NFRAMES=2, GROUPGAP=1), dark=dark(SIX_FRAMES))
    assert subtracted(result) == [1.5, 4.5]


def test_a_short_dark_goes_on_at_its_last_rate():
    # frames 1-2, 4-5, 7-8 of a dark that rises by 1 DN per frame
    result = dark_current(ramp(np.zeros((3, 1, 1)), NFRAMES=2, GROUPGAP=1), dark=dark(SIX_FRAMES))
    assert subtracted(result) == [1.5, 4.5, 7.5]


def test_an_unknown_dark_is_taken_as_none():
    result = dark_current(ramp(np.zeros((2, 1, 1))), dark=dark([[[np.nan]], [[3.0]]]))
    assert subtracted(result) == [0.0, 3.0]


@pytest.mark.parametrize("readout", [{"frames": 4}, {"gap": 2}])
def test_a_dark_of_coarser_groups_than_the_exposure_cannot_serve(readout):
    with pytest.raises(CannotRun, match="cannot be split"):
        dark_current(ramp(np.zeros((2, 1, 1)), NFRAMES=2, GROUPGAP=1), dark=dark(SIX_FRAMES, **readout))


def test_a_dark_of_one_group_cannot_be_extended():
    with pytest.raises(CannotRun, match="one group"):
        dark_current(ramp(np.zeros((2, 1, 1))), dark=dark(SIX_FRAMES[:1]))


def test_the_average_dark_current_is_that_of_parameter_array_or_keyword_in_this_order():
    product, frames = ramp(np.zeros((1, 1, 2))), np.zeros((2, 1, 2))
    array = dark(frames, average=[[0.1, 0.2]])
    keyword = reference(Dark, {"NFRAMES": 1, "GROUPGAP": 0, "AVDRKCUR": 0.5}, data=frames)
    asked = dark_current(product, Params(average_dark_current=3.0), dark=array)
    assert asked.average_dark.tolist() == [[3.0, 3.0]]
    assert np.allclose(dark_current(product, dark=array).average_dark, [[0.1, 0.2]])
    assert dark_current(product, dark=keyword).average_dark.tolist() == [[0.5, 0.5]]


def test_its_flags_are_added():
    result = dark_current(ramp(np.zeros((1, 1, 1))), dark=dark(SIX_FRAMES, dq=[[DQ.WARM]]))
    assert result.pixeldq[0, 0] == DQ.WARM


# Two integrations of two groups: 1 and 2 DN in the first, 3 and 5 in the second.
BY_INTEGRATION = np.array([1.0, 2.0, 3.0, 5.0]).reshape(2, 2, 1, 1)


@pytest.mark.parametrize(
    ("nints", "start", "expected"),
    [(1, 1, [[1, 2]]), (4, 1, [[1, 2], [3, 5], [3, 5], [3, 5]]), (2, 2, [[3, 5]] * 2), (1, 9, [[3, 5]])],
)
def test_a_dark_of_several_integrations_serves_them_one_by_one_and_its_last_one_the_rest(nints, start, expected):
    result = dark_current(ramp(np.zeros((nints, 2, 1, 1)), INTSTART=start), dark=dark(BY_INTEGRATION))
    assert (-result.data[..., 0, 0]).tolist() == expected


def test_each_integration_of_a_dark_is_extended_at_its_own_rate():
    result = dark_current(ramp(np.zeros((2, 4, 1, 1))), dark=dark(BY_INTEGRATION))
    assert (-result.data[..., 0, 0]).tolist() == [[1, 2, 3, 4], [3, 5, 7, 9]]


def test_one_integration_of_such_a_dark_is_as_good_as_a_dark_without():
    product = np.ones((2, 3, 1, 1))
    one = dark_current(ramp(product), dark=dark(SIX_FRAMES[np.newaxis]))
    assert np.array_equal(one.data, dark_current(ramp(product), dark=dark(SIX_FRAMES)).data)


@pytest.mark.parametrize("ngroups", [1, 2, 5])
def test_a_dark_that_is_unknown_everywhere_takes_nothing_off(ngroups):
    result = dark_current(ramp(np.full((ngroups, 1, 1), 7.0)), dark=dark(np.full((3, 1, 1), np.nan)))
    assert np.all(result.data == 7.0)


def test_that_the_dark_is_extended_is_said_once(caplog):
    dark_current(ramp(np.zeros((3, 8, 1, 1))), dark=dark(SIX_FRAMES))
    assert [record.getMessage() for record in caplog.records] == [
        "dark_current: the dark has fewer frames than the exposure: it is extended"
    ]


READOUTS = {"as the exposure": (1, 0), "averaged": (2, 1)}


@pytest.mark.parametrize("frames", [SIX_FRAMES, SIX_FRAMES[:3]], ids=["long", "short"])
@pytest.mark.parametrize("readout", READOUTS.values(), ids=list(READOUTS))
def test_the_dark_that_is_written_is_what_is_subtracted(frames, readout):
    keywords = dict(zip(("NFRAMES", "GROUPGAP"), readout, strict=True))
    product = ramp(np.full((2, 4, 1, 1), 100.0), **keywords)
    result = dark_current(product, Params(dark_output="mine.fits"), dark=dark(frames, dq=np.full((1, 1), DQ.WARM)))
    written = result.beside["mine.fits"]
    np.testing.assert_allclose(100 - result.data, np.broadcast_to(written.data, (2, 4, 1, 1)))
    assert (written.data.shape, written.dq.tolist()) == ((4, 1, 1), [[DQ.WARM]])
    assert [written.meta[name] for name in ("REFTYPE", "NFRAMES", "GROUPGAP")] == ["DARK", *readout]


def test_a_dark_of_each_integration_is_written_as_such():
    frames = np.arange(12.0).reshape(2, 6, 1, 1)
    frames[1, 2] = np.nan
    product = ramp(np.zeros((3, 3, 1, 1)), NFRAMES=2, GROUPGAP=0)
    result = dark_current(product, Params(dark_output="mine"), dark=dark(frames))
    written = result.beside["mine.fits"]
    assert written.data[:, :, 0, 0].tolist() == [[0.5, 2.5, 4.5], [6.5, 4.5, 10.5]]
    assert np.array_equal(-result.data, written.data[[0, 1, 1]])
    assert (written.model, written.dq.shape) == ("DarkMIRIModel", (1, 1, 1, 1))


def test_the_dark_comes_with_the_first_integration_and_only_if_it_is_asked_for():
    asked = Params(dark_output="mine.fits")
    later = replace(ramp(np.zeros((1, 3, 1, 1))), corner=(2, 0, 0))
    assert dark_current(later, asked, dark=dark(SIX_FRAMES)).beside == {}
    assert dark_current(ramp(np.zeros((3, 1, 1))), dark=dark(SIX_FRAMES)).beside == {}


def test_the_dark_is_not_written_to_another_folder():
    with pytest.raises(CannotRun, match=r"dark_output=\.\./mine\.fits is no plain name"):
        dark_current(ramp(np.zeros((3, 1, 1))), Params(dark_output="../mine.fits"), dark=dark(SIX_FRAMES))
