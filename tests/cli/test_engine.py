"""Snakemake is run as it is asked."""

import pytest

from jwrules.cli import engine
from jwrules.errors import WorkflowFault


@pytest.mark.parametrize("option", ["-n", "-np", "--dry-run", "--dryrun"])
def test_a_dry_run_is_recognised(option):
    assert engine._SILENT.fullmatch(option)


@pytest.mark.parametrize("option", ["--cores", "-c", "--no-hooks", "image3"])
def test_other_options_are_no_dry_run(option):
    assert not engine._SILENT.fullmatch(option)


@pytest.mark.workflow
def test_an_option_that_snakemake_does_not_know_is_told(tmp_path):
    with pytest.raises(WorkflowFault, match="--no-such-option"):
        engine.run(tmp_path, ["--no-such-option"])
