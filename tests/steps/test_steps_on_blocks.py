"""However an exposure is cut into blocks, each step of stage 1 gives the same bits."""

from dataclasses import fields

import numpy as np
import pytest
from blocks import counted, in_bands, in_segments
from ramp_scene import gain_and_readnoise, ramp, reference

from jwrules.products import kinds
from jwrules.products.flags import DQ
from jwrules.steps import find

SHAPE = NY, NX = 17, 11
NINTS, NGROUPS = 4, 6


def values(*shape, low=0.0, high=1.0, seed=2):
    return np.random.default_rng(seed).uniform(low, high, (*shape, *SHAPE))


def flags(seed):
    bits = [0, 0, 0, int(DQ.DO_NOT_USE), int(DQ.HOT), int(DQ.NO_SAT_CHECK), int(DQ.NO_LIN_CORR)]
    return np.random.default_rng(seed).choice(bits, SHAPE)


def exposure(**keywords):
    """Frame-averaged groups of pixels of which many saturate sooner or later, some at the floor, with flags."""
    random = np.random.default_rng(7)
    rates = 10 ** random.uniform(2, 4.5, (NINTS, 1, *SHAPE))
    data = np.minimum(5000 + rates * np.arange(1, NGROUPS + 1)[:, np.newaxis, np.newaxis], 65535)
    data[random.random(data.shape) < 0.02] = 0
    product = ramp(data, zeroframe=data[:, 0] * 0.9, NFRAMES=4, **keywords)
    product.pixeldq[:] = flags(8)
    return product


REFERENCES = {
    "group_scale": {},
    "dq_init": {"mask": reference(kinds.Mask, dq=flags(3)), "user_supplied_dq": reference(kinds.UserMask, dq=flags(4))},
    "saturation": {
        "saturation": reference(kinds.Saturation, data=values(low=5e4, high=6.5e4), dq=flags(5)),
        "superbias": reference(kinds.Superbias, data=values(low=4e3, high=6e3)),
    },
    "superbias": {"superbias": reference(kinds.Superbias, data=values(low=4e3, high=6e3), dq=flags(6))},
    "linearity": {
        "linearity": reference(
            kinds.Linearity,
            coeffs=values(3) * np.array([1, 1, 1e-6])[:, np.newaxis, np.newaxis],
            inv_coeffs=values(2),
            dq=flags(9),
        )
    },
    "dark_current": {"dark": reference(kinds.Dark, data=values(3, 40), dq=flags(10), average=values())},
    "reset": {"reset": reference(kinds.Reset, data=values(3, 4), dq=flags(11))},
    "err_init": gain_and_readnoise(SHAPE),
    "firstframe": {},
    "lastframe": {},
}
EXPOSURES = {"group_scale": {"FRMDIVSR": 8}}

each = pytest.mark.parametrize("name", REFERENCES)


def whole(name):
    return find(name)(exposure(**EXPOSURES.get(name, {})), **REFERENCES[name])


def part_of(product, integrations=slice(None), rows=slice(None)):
    """The arrays of some integrations and rows of a ramp."""
    cut = {"pixeldq": (rows,), "average_dark": (rows,), "zeroframe": (integrations, rows), "left_out": (integrations,)}
    names = [f.name for f in fields(product) if isinstance(getattr(product, f.name), np.ndarray)]
    return {name: getattr(product, name)[cut.get(name, (integrations, slice(None), rows))] for name in names}


def assert_same_bits(block, expected):
    found = part_of(block)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@each
def test_segments_are_the_same_integrations_of_the_whole(name):
    step, bounds = find(name), [0, 1, 3, NINTS]
    blocks = in_segments(step, exposure(**EXPOSURES.get(name, {})), step.params(), bounds[1:-1], **REFERENCES[name])
    for block, start, stop in zip(blocks, bounds, bounds[1:], strict=False):
        assert_same_bits(block, part_of(whole(name), slice(start, stop)))


@each
def test_bands_are_the_same_rows_of_the_whole(name):
    step, bounds = find(name), [0, 1, 7, 12, NY]
    blocks = in_bands(step, exposure(**EXPOSURES.get(name, {})), step.params(), bounds[1:-1], **REFERENCES[name])
    for block, start, stop in zip(blocks, bounds, bounds[1:], strict=False):
        assert_same_bits(block, part_of(whole(name), rows=slice(start, stop)))


@pytest.mark.parametrize("pixels", [0, 1, 3])
@pytest.mark.parametrize("search", ["ramp", "official"])
def test_a_band_with_the_margin_of_saturation_has_its_flags_and_numbers(pixels, search):
    step, references = find("saturation"), REFERENCES["saturation"]
    params = step.params(n_pix_grow_sat=pixels, partial_search=search)
    expected = step(exposure(), params, **references)
    blocks = in_bands(step, exposure(), params, [2, 5, 9], **references)
    for block, start, stop in zip(blocks, [0, 2, 5, 9], [2, 5, 9, NY], strict=True):
        assert_same_bits(block, part_of(expected, rows=slice(start, stop)))
    saturated = (expected.groupdq & np.uint8(DQ.SATURATED)).any(axis=1)
    floor = (expected.groupdq & np.uint8(DQ.AD_FLOOR)).any(axis=1)
    numbers = {"saturated": np.count_nonzero(saturated), "floor": np.count_nonzero(floor)}
    assert counted(blocks) == numbers == counted(in_segments(step, exposure(), params, [1, 2], **references))
    assert min(numbers.values()) > 10


def test_a_band_with_a_smaller_margin_misses_partial_saturation_beyond_it():
    """A pixel four rows away saturates, and with it, two layers on, one that averages into the group before."""
    data = np.full((3, 9, 1), 1e4)
    data[2, 0], data[1, 2] = 6.1e4, 5.5e4
    step, params = find("saturation"), find("saturation").params(n_pix_grow_sat=2, partial_search="official")
    limit = reference(kinds.Saturation, data=np.full((9, 1), 6e4))
    product = step(ramp(data, NFRAMES=4), params, saturation=limit)
    assert product.groupdq[0, 1, :, 0].tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert step.parts[0].rows(params) == 4
    narrow = step.parts[0].function(
        ramp(data[:, 2:], NFRAMES=4), params, saturation=reference(kinds.Saturation, data=np.full((7, 1), 6e4))
    )
    assert not narrow.groupdq[0, 1, 2].any()


@pytest.mark.parametrize(("name", "along"), [("ipc", "frames"), ("rscd", "ramps"), ("persistence", "ramps")])
def test_what_needs_more_than_any_block_says_so(name, along):
    assert [part.along for part in find(name).parts] == [along]
