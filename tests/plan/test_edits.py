"""Whatever is edited, in whatever order: the jobs that run are those whose key changed, and the plan says so before.

JWRULES_SEQUENCES=1000 tries as many sequences, each time others; without it the same few are tried.
"""

import os
import tempfile
from pathlib import Path

import pytest
from edited_program import SEQUENCES, Program
from hypothesis import HealthCheck, Phase, given, settings

MANY = int(os.environ.get("JWRULES_SEQUENCES", "0"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A program of which everything is made."""
    program = Program.begun(tmp_path_factory.mktemp("finished") / "run")
    program.run_and_check()
    assert len(program.last) == 10
    return program


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
            program.run_and_check()
        program.lives = 0
        program.run_and_check()
        program.has_nothing_to_do()
