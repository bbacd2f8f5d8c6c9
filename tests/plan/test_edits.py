"""Whatever is edited, in whatever order: the jobs that run are those whose key changed, and the plan says so before.

JWRULES_SEQUENCES=100 tries so many random sequences; without it a few are tried.
"""

import os

import pytest
from edited_program import Program, sequence


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A program of which everything is made."""
    program = Program.begun(tmp_path_factory.mktemp("finished") / "run")
    program.run_and_check()
    assert len(program.last) == 10
    return program


@pytest.mark.parametrize("seed", range(int(os.environ.get("JWRULES_SEQUENCES", "6"))))
def test_the_jobs_that_run_are_those_whose_key_changed(finished, tmp_path, seed):
    program = finished.copied(tmp_path / "run")
    for edits in sequence(seed):
        print(edits)
        program.edit(edits)
        program.run_and_check()
    program.run_and_check()
    program.has_nothing_to_do()
