"""Why a job runs, said so that an astronomer understands it."""

import json

from jwrules import plan
from jwrules.plan.reasons import changes
from jwrules.records import Member, Record
from jwrules.references import Chosen

STAT = (0, 0, 0, 0)


def job(steps=(), references=None, members=()):
    return plan.Job(
        stage="image3",
        name="mosaic",
        recipe="x",
        science=tuple(f"results/{name}" for name in members),
        gives=("i2d",),
        steps=json.dumps(list(steps)),
        runs=(),
        references=references or {},
        mem_mb=1,
        runtime=1,
    )


def record(members=(), **told):
    return Record("image3", "mosaic", "id", tuple(Member(name, "science", "d", STAT) for name in members), (), told)


def chain(**options):
    return [{"step": step, "params": params} for step, params in options.items()]


def options(before, now):
    return changes(job(now), record(steps=before))


def test_a_changed_option_is_told_with_its_values():
    one, other = (chain(jump={"rejection_threshold": value}) for value in (4.0, 5.0))
    assert options(one, other) == "jump.rejection_threshold 4.0 -> 5.0"


def test_an_option_that_came_or_went_is_compared_with_the_default():
    assert options(chain(jump={}), chain(jump={"maximum": 5.0})) == "jump.maximum default -> 5.0"


def test_a_step_that_came_or_went_is_told():
    said = options(chain(jump={}, ipc={}), chain(jump={}, dark_current={}))
    assert said == "dark_current is new, ipc is gone"


def test_a_skipped_step_is_told():
    assert options(chain(ipc={}), [{"step": "ipc", "params": {}, "skip": True}]) == "ipc.skip default -> True"


def test_a_reference_of_another_content_is_told_by_its_hash(tmp_path):
    now = {"dark": Chosen(tmp_path, "dark_1.fits", "11112222" * 8)}
    said = changes(job(references=now), record(references={"dark": {"file": "dark_1.fits", "sha256": "aaaabbbb" * 8}}))
    assert said == "dark dark_1.fits (aaaabbbb) -> dark_1.fits (11112222)"


def test_members_that_came_or_went_are_named():
    said = changes(job(members=["b_cal.fits"]), record(members=["a_cal.fits"]))
    assert said == "b_cal.fits is a new member, a_cal.fits is no longer a member"


def test_many_changes_are_counted():
    said = changes(job(members=[f"{number}_cal.fits" for number in range(6)]), record())
    assert said.endswith("2_cal.fits is a new member and 3 more")


def test_without_any_other_change_it_is_the_code():
    assert changes(job(), record(release="0.0.9")).startswith("made by the code of release 0.0.9, now ")
