"""Whatever is edited, in whatever order: the jobs that run are those whose key changed, and the plan says so before.

JWRULES_SEQUENCES=1000 tries as many sequences, each time others; without it the same few are tried.
"""

import os
import tempfile
from pathlib import Path

import pytest
from edited_program import Program
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jwrules import plan as planning
from jwrules.plan import Is

MANY = int(os.environ.get("JWRULES_SEQUENCES", "0"))

EDITS = st.tuples(st.sampled_from([edit.__name__ for edit in Program.EDITS]), st.integers(0, 47))
SEQUENCES = st.lists(st.lists(EDITS, min_size=1, max_size=4), min_size=1, max_size=5)
"""Between runs several edits are made."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A program of which everything is made."""
    program = Program.begun(tmp_path_factory.mktemp("finished") / "run")
    ran, _ = program.run()
    program.settle(ran)
    assert len(program.last) == 10
    return program


def standing(program, *kinds):
    plan = planning.of(program.asked, program.folder)
    return set(planning.states(plan, program.asked, program.folder).standing(*kinds))


def run_and_check(program):
    """Run the program; what ran must be what had to, and what was planned."""
    absent, due, perhaps = program.absent(), standing(program, Is.DUE), standing(program, Is.PERHAPS)
    ran, is_whole = program.run()
    keys = program.keys()
    must = {job for job in keys if job in absent or program.last.get(job) != keys[job]}
    assert len(set(ran)) == len(ran)
    assert set(ran) <= due | perhaps
    if is_whole:
        assert set(ran) == must
        assert due <= must
    program.settle(ran)
    return is_whole


@settings(
    max_examples=MANY or 25,
    derandomize=not MANY,
    database=None,
    phases=[Phase.generate, *([Phase.shrink] if MANY else [])],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(SEQUENCES)
def test_the_jobs_that_run_are_those_whose_key_changed(finished, sequence):
    with tempfile.TemporaryDirectory() as folder:
        program = finished.copied(Path(folder) / "run")
        for edits in sequence:
            for name, n in edits:
                getattr(program, name)(n)
            run_and_check(program)
        program.lives = 0
        run_and_check(program)
        assert standing(program, Is.DUE, Is.PERHAPS) == set()
        assert program.run() == ([], True)
