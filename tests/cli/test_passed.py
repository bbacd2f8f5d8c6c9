"""Options of Snakemake mean to us what they mean to Snakemake, however they are written."""

import os

import pytest

from jwrules.cli import passed

FOUR = ["--cores 4", "--cores=4", "-c 4", "-c4", "-c=4", "--jobs 4", "--jobs=4", "-j4", "-j 4", "--verbose -j4"]


@pytest.mark.parametrize("text", FOUR)
def test_as_many_processors_as_are_asked_for(text):
    assert passed.cores(text.split()) == 4
    assert passed.say_where(text.split())


@pytest.mark.parametrize("text", ["--cores all", "--jobs unlimited", "--retries 4", "-p", "-j -n", ""])
def test_those_of_the_machine_where_no_number_is_asked_for(text):
    assert passed.cores(text.split()) == os.cpu_count()


@pytest.mark.parametrize(
    ("text", "says"), [("--executor=slurm", True), ("-e slurm", True), ("--profile x", True), ("--retries 3", False)]
)
def test_whether_options_say_where_jobs_run(text, says):
    assert passed.say_where(text.split()) is says
