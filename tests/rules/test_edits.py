"""What Snakemake runs after random edits is what the plan said: commands are real, the jobs are pretended."""

import os
import sys
from itertools import islice
from pathlib import Path

import pytest
from edited_program import Program, sequence

from jwrules.cli import waves

pytestmark = pytest.mark.workflow

STUB = """\
#!{python}
import sys
sys.path[:0] = {paths}
import pretend
pretend.command(sys.argv[1:])
"""


class ThroughSnakemake(Program):
    """A program that Snakemake runs; it is not killed."""

    def run(self):
        self.asked.write(self.folder / "run.yaml")
        os.environ["SAME"] = " ".join(self.same)
        ran = self.folder / "ran.txt"
        ran.write_text("")
        status, _ = waves.run(self.asked, self.folder, ["--cores", "2"])
        return [tuple(line.split()) for line in ran.read_text().splitlines()], status == 0


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A program of which everything is made; the command `jwrules` is one that pretends.

    The clock was set back meanwhile: exposures seem to be of the future, products older than they.
    """
    place = tmp_path_factory.mktemp("finished")
    stub = place / "bin" / "jwrules"
    stub.parent.mkdir()
    here = Path(__file__).parents[1]
    stub.write_text(STUB.format(python=sys.executable, paths=[str(here), str(here.parent)]))
    stub.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{stub.parent}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("SAME", "")
        patch.setattr("jwrules.recipes.all", dict)
        patch.setattr("jwrules.plan.workspace._let_rules_find_commands", lambda: None)
        program = ThroughSnakemake.begun(place / "run")
        for path in program.exposures().values():
            os.utime(path, (4e9, 4e9))
        program.run_and_check()
        yield program


@pytest.mark.parametrize("seed", [1, 2])
def test_snakemake_runs_what_the_plan_said(finished, tmp_path, seed):
    program = finished.copied(tmp_path / "run")
    for edits in islice(sequence(seed), 2):
        program.edit(edits)
        program.run_and_check()
    program.has_nothing_to_do()
