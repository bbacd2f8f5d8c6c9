"""Why a job runs, said so that an astronomer understands it."""

import json

from jwrules.plan.reasons import explained


def params(before, now):
    texts = [",".join(map(repr, values)) for values in (before, now)]
    return (
        "Params have changed since last execution: Union of exclusive params before and now across all output: "
        f"before: {texts[0]} now: {texts[1]} "
    )


def chain(**options):
    return json.dumps([{"step": step, "params": params} for step, params in options.items()])


def test_a_missing_product_is_missing():
    assert explained("Missing output files: results/a_rate.fits, results/a_rateints.fits") == "missing"


def test_a_changed_option_is_told_with_its_values():
    reason = params([chain(jump={"rejection_threshold": 4.0})], [chain(jump={"rejection_threshold": 5.0})])
    assert explained(reason) == "jump.rejection_threshold 4.0 -> 5.0"


def test_an_option_that_came_or_went_is_compared_with_the_default():
    reason = params([chain(jump={})], [chain(jump={"rejection_threshold": 5.0})])
    assert explained(reason) == "jump.rejection_threshold default -> 5.0"


def test_a_step_that_came_or_went_is_told():
    reason = params([chain(jump={}, ipc={})], [chain(jump={}, dark_current={})])
    assert explained(reason) == "dark_current is new, ipc is gone"


def test_a_skipped_step_is_told():
    now = json.dumps([{"step": "ipc", "params": {}, "skip": True}])
    assert explained(params([chain(ipc={})], [now])) == "ipc.skip default -> True"


def test_a_reference_of_another_content_is_told_by_its_hash():
    one, other = ([f"dark=.jwrules/references/{h}/dark_1.fits"] for h in ("aaaabbbbccccdddd", "1111222233334444"))
    assert explained(params([one], [other])) == "dark dark_1.fits (aaaabbbb) -> dark_1.fits (11112222)"


def test_a_new_release_is_told():
    assert explained(params(["0.1.0"], ["0.2.0"])) == "release 0.1.0 -> 0.2.0"


def test_newer_inputs_are_named_without_their_folder():
    assert explained("Updated input files: data/a_uncal.fits") == "newer than it: a_uncal.fits"


def test_many_inputs_are_counted():
    reason = "Input files updated by another job: " + ", ".join(f"results/{i}_cal.fits" for i in range(6))
    assert explained(reason) == "made anew: 0_cal.fits, 1_cal.fits, 2_cal.fits and 3 more"


def test_several_reasons_are_all_told():
    reasons = ["Input files updated by another job: results/a_cal.fits", "Set of input files has changed since then"]
    assert explained("; ".join(reasons)) == "made anew: a_cal.fits; its members changed"
