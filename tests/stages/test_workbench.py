"""What a stage is told on the command line, and what it keeps of how its products were made."""

from pathlib import Path

import pytest
from astropy.io import fits

from jwrules.errors import RecipeFault
from jwrules.products.kinds import Meta
from jwrules.stages import workbench


def test_a_chain_in_json_becomes_calls():
    (call,) = workbench.calls('[{"step": "group_scale", "skip": true}]')
    assert (call.step, call.skip, call.if_impossible) == ("group_scale", True, "stop")


def test_lists_of_json_are_tuples_again():
    (call,) = workbench.calls('[{"step": "resample", "params": {"output_shape": [10, 20]}}]')
    assert call.params["output_shape"] == (10, 20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[{", "no list of steps in JSON"),
        ('[{"step": "rampfit"}]', "'rampfit' is no step"),
        ('[{"step": "group_scale", "params": {"factor": 2}}]', r"has no parameter \['factor'\]"),
    ],
)
def test_a_chain_at_fault_is_refused(text, said):
    with pytest.raises(RecipeFault, match=said):
        workbench.calls(text)


def test_the_hash_of_a_file_is_that_of_its_content(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert workbench.sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_raw_member_is_recorded_with_its_date_and_one_of_ours_without():
    raw, ours = Meta(primary=fits.Header({"DATE": "now"})), Meta(primary=fits.Header({"DATE": "now", "JWRULES": "1"}))
    assert workbench.member(Path("a_uncal.fits"), raw) == {"file": "a_uncal.fits", "role": "science", "date": "now"}
    assert workbench.member(Path("a_rate.fits"), ours) == {"file": "a_rate.fits", "role": "science"}


def test_each_option_gives_a_recipe_of_its_own():
    def recipe(text):
        return workbench.Workbench("detector1", workbench.calls(text), {}, Path()).recipe

    plain, same = recipe('[{"step": "jump"}]'), recipe('[{"step": "jump", "params": {}}]')
    other = recipe('[{"step": "jump", "params": {"rejection_threshold": 5}}]')
    assert plain == same != other
    assert len(other) == 16
