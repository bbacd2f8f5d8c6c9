"""The checks of the house: form, types, who imports whom, rules. The test line of the README runs them all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
RULES = ["Snakefile", *sorted(str(path.relative_to(HOUSE)) for path in (HOUSE / "rules").glob("*.smk"))]


def check(*arguments: str) -> None:
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join([here, os.environ.get("PATH", "")])
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=HOUSE,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_clean_to_ruff():
    check("-m", "ruff", "check", ".")


def test_the_code_is_formatted_by_ruff():
    check("-m", "ruff", "format", "--check", ".")


def test_the_types_agree():
    check("-m", "mypy")


def test_nobody_imports_up_the_stairs():
    check("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


def test_the_rules_are_formatted_by_snakefmt():
    check("-m", "snakefmt", "--check", *RULES)


@pytest.mark.workflow
def test_the_rules_are_clean_to_the_linter_of_snakemake(tmp_path):
    check("-m", "snakemake", "--lint", "--snakefile", str(HOUSE / "Snakefile"), "--directory", str(tmp_path))
