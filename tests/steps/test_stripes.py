"""Steps that treat stripes of a detector otherwise than a piece of it: on small frames, worked out by hand."""

import numpy as np
import pytest
from ramp_scene import ramp, reference

from jwrules.errors import CannotRun, RecipeFault
from jwrules.products.flags import DQ
from jwrules.products.kinds import Ipc, Saturation
from jwrules.products.stripes import KEYWORDS
from jwrules.stages import legs
from jwrules.stages.chain import Call
from jwrules.steps.ipc import ipc
from jwrules.steps.persistence import persistence
from jwrules.steps.refpix import refpix
from jwrules.steps.saturation import saturation

TWO = dict(zip(KEYWORDS, (1, 9, 2, 3, 1, 1, 0, 0), strict=True))
"""Rows 0, 10, 11 and 0, 15, 16 of the detector."""
SUPER = dict(zip(KEYWORDS, (1, 9, 2, 0, 1, 1, 2, 2), strict=True))
"""Rows 0, 10, 11 and then 0, 12, 13 of the detector."""
ACROSS = {"SUBSTRT1": 509, "SUBSTRT2": 1, "FASTAXIS": 1, "SLOWAXIS": 2, "SUBARRAY": "SUB"}
"""Eight columns, four of each of two amplifiers."""


def striped(keywords, level=100.0, **more):
    """Two groups of six rows by eight columns, of which rows 0 and 3 are reference pixels."""
    product = ramp(np.full((1, 2, 6, 8), level), **(ACROSS | keywords | more))
    product.pixeldq[[0, 3]] = DQ.REFERENCE_PIXEL
    return product


def test_all_reference_pixels_of_an_amplifier_and_parity_go_together():
    product = striped(TWO)
    product.data[0, 0, 0], product.data[0, 0, 3] = 10, 20
    product.data[0, 0, [0, 3], ::2] += 4
    product.data[0, 0, [0, 3], 4:] += 50
    done = refpix(product).data[0]
    assert done[0, 1].tolist() == [100 - 19, 100 - 15] * 2 + [100 - 69, 100 - 65] * 2
    assert np.all(done[1] == 0)


def test_even_and_odd_columns_may_go_together():
    product = striped(TWO)
    product.data[0, 0, [0, 3], ::2] = 104
    assert refpix(product, refpix.params(odd_even_columns=False)).data[0, 0, 1].tolist() == [-2] * 8


def test_an_amplifier_without_usable_reference_pixels_is_left_alone():
    product = striped(TWO)
    product.pixeldq[[0, 3], 4::2] |= np.uint32(DQ.DO_NOT_USE)
    assert refpix(product).data[0, 0, 1].tolist() == [0] * 4 + [100] * 4


def test_first_frames_are_corrected_by_their_own():
    product = striped(TWO)
    product = ramp(product.data, zeroframe=product.data[:, 0] + 5, **(ACROSS | TWO))
    product.pixeldq[[0, 3]] = DQ.REFERENCE_PIXEL
    product.zeroframe[0, 1, 1] = 0
    assert refpix(product).zeroframe[0, 1].tolist() == [0] * 8


def test_each_superstripe_is_corrected_by_its_own_and_put_in_its_place():
    product = striped(SUPER)
    product.data[0, :, 1:3] += np.array([[1], [2]])
    product.data[0, :, 4:6] += np.array([[3], [4]])
    product.data[0, :, 3:] += 1000
    product.groupdq[0, 1, 5, 7] = DQ.SATURATED
    product.pixeldq[4, 0] = DQ.HOT
    done = refpix(product)
    assert done.data[0, 1, :, 5].tolist() == [1, 2, 3, 4]
    assert np.argwhere(done.groupdq).tolist() == [[0, 1, 3, 7]]
    assert np.argwhere(done.pixeldq).tolist() == [[2, 0]]
    assert (done.meta["SUBSTRT2"], done.meta["SUBSIZE2"]) == (11, 4)
    assert [keyword for keyword in KEYWORDS if done.meta.get(keyword) is not None] == []


def test_a_superstripe_without_reference_pixels_is_left_alone():
    product = striped(SUPER)
    product.pixeldq[3] = 0
    assert refpix(product).data[0, 0, :, 0].tolist() == [0, 0, 100, 100]


def test_reference_pixels_lie_in_each_superstripe_where_its_own_flags_say():
    product = striped(SUPER)
    product.pixeldq[[0, 3]], product.pixeldq[5] = 0, DQ.REFERENCE_PIXEL
    product.data[0, :, 5] = 30
    assert refpix(product).data[0, 0, :, 0].tolist() == [100, 100, 70, 0]


def test_columns_between_superstripes_were_never_read():
    """Columns 10, 11 and 14, 15 of the detector, and to both sides the rest of it, as SOSS has it."""
    place = {"SUBSTRT1": 1, "SUBSTRT2": 509, "FASTAXIS": 2, "SLOWAXIS": 1, "SUBARRAY": "SUB60STRIPE_SOSS"}
    product = ramp(np.arange(6) + np.full((1, 2, 8, 6), 100.0), **(SUPER | place | {"SSTR_STP": 4}))
    product.pixeldq[:, [0, 3]] = DQ.REFERENCE_PIXEL
    done = refpix(product)
    assert done.data.shape == (1, 2, 8, 2048)
    assert done.data[0, 0, 0, 9:17].tolist()[1:3] == [1, 2]
    assert done.data[0, 0, 0, 14:16].tolist() == [1, 2]
    assert np.isfinite(done.data[0, 0, 0]).sum() == 4
    assert np.flatnonzero(done.pixeldq[0] == 0).tolist() == [10, 11, 14, 15]
    assert (done.meta["SUBSTRT1"], done.meta["SUBSIZE1"]) == (1, 2048)


def test_charge_does_not_spill_from_a_superstripe_into_another():
    product = striped(SUPER)
    product.data[0, 1, 2, 3] = 70000
    done = saturation(product, saturation=reference(Saturation, data=np.full((6, 8), 60000.0)))
    assert np.argwhere(done.groupdq[0, 1] & DQ.SATURATED).tolist() == [[y, x] for y in (1, 2) for x in (2, 3, 4)]


def test_first_frames_of_superstripes_are_blanked_where_they_saturate():
    product = ramp(np.full((1, 2, 6, 8), 100.0), zeroframe=np.full((1, 6, 8), 50.0), **(ACROSS | SUPER))
    product.zeroframe[0, 4, 0] = 70000
    done = saturation(product, saturation=reference(Saturation, data=np.full((6, 8), 60000.0)))
    assert np.argwhere(done.zeroframe[0] == 0).tolist() == [[y, x] for y in (3, 4, 5) for x in (0, 1)]


@pytest.mark.parametrize("keywords", [TWO, SUPER])
def test_stripes_are_coupled_within_themselves_alone(keywords):
    coupling = np.array([[0, 0.1, 0], [0, 1, 0], [0, 0.1, 0]])
    product = striped(keywords, level=0)
    product.data[..., :] = np.array([7, 10, 20, 7, 30, 40])[:, np.newaxis]
    done = ipc(product, ipc=reference(Ipc, data=coupling)).data[0, 0, :, 4]
    assert done.tolist() == pytest.approx([7, 12, 21, 7, 34, 43])


def test_chains_that_leave_superstripes_side_by_side_are_refused():
    meta = striped(SUPER).meta
    with pytest.raises(RecipeFault, match="put together by refpix"):
        legs.check([Call("superbias"), Call("refpix", skip=True)], meta, ())
    legs.check([Call("superbias"), Call("refpix"), Call("jump")], meta, ["jump"])
    legs.check([Call("superbias")], striped(TWO).meta, ["superbias"])


def test_windows_of_persistence_are_not_handed_on_by_rows_that_lie_elsewhere():
    product, options = striped(TWO, TGROUP=10.0, EFFINTTM=20.0, EXPSTART=60000.0), {"persistence_time": 40}
    assert persistence(product, persistence.params(**options)).windows is None
    with pytest.raises(CannotRun, match=r"reads stripes \(SUBARRAY = SUB\); leave out"):
        persistence(product, persistence.params(save_persistence=True, **options))
