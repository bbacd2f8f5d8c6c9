"""The checks of the house: form, types, who imports whom, rules. The test line of the README runs them all."""

import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).resolve().parent.parent
RULES = ["Snakefile", *sorted(str(path.relative_to(HOUSE)) for path in (HOUSE / "rules").glob("*.smk"))]


def check(*arguments):
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=HOUSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_code_is_clean_to_ruff():
    check("ruff", "check", "jwrules", "tests", "benchmarks")


def test_the_code_is_formatted_by_ruff():
    check("ruff", "format", "--check", "jwrules", "tests", "benchmarks")


def test_the_types_agree():
    check("mypy")


def test_nobody_imports_up_the_stairs():
    check("importlinter.cli", "lint")


def test_the_rules_are_formatted_by_snakefmt():
    check("snakefmt", "--check", "--quiet", *RULES)


@pytest.mark.workflow
def test_the_rules_are_clean_to_the_linter_of_snakemake(empty_run):
    check("snakemake", "--lint", "--directory", str(empty_run), "--configfile", str(empty_run / "run.yaml"))
