"""What the README tells to type can be typed."""

import os
import re
from pathlib import Path

from jwrules import cli

HOUSE = Path(__file__).resolve().parent.parent
README = (HOUSE / "README.md").read_text()


def test_every_command_that_it_names_exists():
    commands = set(re.findall(r"jwrules ([a-z][a-z0-9]+) ", README))
    known = cli.build()._subparsers._group_actions[0].choices
    assert {"simulate", "plan", "run", "explain"} <= commands <= set(known)


def test_one_line_of_it_runs_the_tests_and_the_integration_takes_that_line():
    assert len([line for line in README.splitlines() if "-m pytest" in line]) == 1
    assert os.access(HOUSE / ".ci" / "run", os.X_OK)
    assert "grep -m 1 -- '-m pytest' README.md" in (HOUSE / ".ci" / "run").read_text()
