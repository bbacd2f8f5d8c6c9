"""The chain alone writes status, references and history, and decides what a refusal means."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from astropy.io import fits as pyfits

from jwrules.errors import CannotRun
from jwrules.products.kinds import Image, Images, Mask, Meta, Rate
from jwrules.stages import chain
from jwrules.steps.declare import Part, Skip, step


@dataclass(frozen=True, kw_only=True)
class Params:
    """One number."""

    factor: float = 2.0


@step(status="S_TWICE")
def twice(rate: Rate, params: Params) -> Rate:
    return replace(rate, data=rate.data * np.float32(params.factor))


@step(status="S_SKIP")
def declines(rate: Rate, params: Params) -> Rate:
    raise Skip("nothing to do")


@step(status="S_FAIL")
def fails(rate: Rate, params: Params) -> Rate:
    raise CannotRun("the moon is up")


@step(status="S_MASK")
def masks(rate: Rate, params: Params, *, mask: Mask) -> Rate:
    return replace(rate, dq=rate.dq | mask.dq)


@step(status="S_MANY")
def counts(images: Images, params: Params) -> Images:
    assert len(images) == 1
    return images


@pytest.fixture(autouse=True)
def _steps(monkeypatch):
    known = {s.name: s for s in (twice, declines, fails, masks, counts)}
    monkeypatch.setattr(chain, "find", known.__getitem__)


def _rate(kind=Rate):
    planes = {name: np.ones((2, 2), "f4") for name in ("data", "err", "var_poisson", "var_rnoise")}
    return kind(meta=Meta(), dq=np.zeros((2, 2), "u4"), **planes)


def _run(*calls, reference=None, product=None):
    steps = chain.run(product or _rate(), calls, lambda kind, one: reference, {})
    return [result for _, result in steps][-1]


def test_a_step_that_ran_is_complete_and_its_options_are_kept():
    result = _run(chain.Call("twice", {"factor": 3.0}))
    assert result.meta["S_TWICE"] == "COMPLETE"
    assert result.provenance["steps"][0]["params"] == {"factor": 3.0}
    assert result.data[0, 0] == 3.0


def test_a_step_with_nothing_to_do_is_skipped_with_its_reason():
    result = _run(chain.Call("declines"))
    assert result.meta["S_SKIP"] == "SKIPPED"
    assert result.provenance["steps"][0]["reason"] == "nothing to do"


def test_a_step_that_the_recipe_skips_does_not_run():
    result = _run(chain.Call("twice", skip=True))
    assert (result.data[0, 0], result.meta["S_TWICE"]) == (1.0, "SKIPPED")


def test_a_step_that_cannot_run_stops_the_product():
    with pytest.raises(CannotRun, match="fails: the moon is up; 'if_impossible: skip'"):
        _run(chain.Call("fails"))


def test_unless_the_recipe_says_otherwise():
    assert _run(chain.Call("fails", if_impossible="skip")).meta["S_FAIL"] == "SKIPPED"


def test_the_reference_used_is_recorded():
    mask = Mask(meta=Meta(source="jwst_nircam_mask_0001.fits", primary=pyfits.Header()), dq=np.ones((2, 2), "u4"))
    result = _run(chain.Call("masks"), reference=mask)
    assert result.meta["R_MASK"] == "crds://jwst_nircam_mask_0001.fits"
    assert (result.dq == 1).all()


def test_a_missing_reference_stops_the_product_by_name():
    with pytest.raises(CannotRun, match="no reference file of type 'mask'"):
        _run(chain.Call("masks"))


def test_a_step_on_many_images_takes_one():
    (image,) = _run(chain.Call("counts"), product=_rate(Image))
    assert image.meta["S_MANY"] == "COMPLETE"


def test_the_input_is_not_changed():
    rate = _rate()
    _run(chain.Call("twice"), product=rate)
    assert "S_TWICE" not in rate.meta.primary


@step(status="S_SOME")
def leaves_the_first(images: Images, params: Params) -> Images:
    first, *others = images
    return (replace(first, provenance={"declined": {"leaves_the_first": "no stars"}}), *others)


def test_an_image_that_a_step_leaves_alone_is_skipped_with_its_reason(monkeypatch):
    monkeypatch.setattr(chain, "find", {"leaves_the_first": leaves_the_first}.__getitem__)
    left, taken = _run(chain.Call("leaves_the_first"), product=(_rate(Image), _rate(Image)))
    assert (left.meta["S_SOME"], taken.meta["S_SOME"]) == ("SKIPPED", "COMPLETE")
    assert left.provenance["steps"][0]["reason"] == "no stars"


@dataclass(frozen=True, kw_only=True)
class Choosing:
    """One choice."""

    masked: bool = False


def _reads(rate: Rate, params: Choosing, *, mask: Mask | None = None) -> Rate:
    return rate if mask is None else replace(rate, dq=rate.dq | mask.dq)


@step(status="S_CHOOSE", before=[Part(_reads)], wants={"mask": {"masked": True}})
def chooses(rate: Rate, params: Choosing) -> Rate:
    return rate


def test_a_step_takes_what_its_parts_name():
    (mask,) = chooses.inputs
    assert (mask.name, mask.kind, mask.required) == ("mask", Mask, False)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_reference_is_opened_and_recorded_only_where_the_parameters_want_it(monkeypatch, wanted):
    monkeypatch.setattr(chain, "find", {"chooses": chooses}.__getitem__)
    opened = []

    def open_reference(kind, product):
        opened.append(kind)
        return Mask(meta=Meta(source="mask.fits"), dq=np.ones((2, 2), "u4"))

    calls = [chain.Call("chooses", {"masked": wanted})]
    ((_, result),) = chain.run(_rate(), calls, open_reference, {})
    assert bool(opened) is wanted
    assert ("R_MASK" in result.meta.primary) is wanted
    assert bool(result.provenance["steps"][0]["references"]) is wanted
    assert result.dq.any() == wanted


def test_a_step_cannot_want_what_it_does_not_take():
    def takes_nothing(rate: Rate, params: Choosing) -> Rate:
        return rate

    with pytest.raises(TypeError, match="takes_nothing wants mask, which none of its functions takes"):
        step(status="S_NONE", wants={"mask": {"masked": True}})(takes_nothing)
