"""Programs of ten thousand exposures: what must not grow with them."""

import pytest

from jwrules.cli import engine, workflow


@pytest.mark.parametrize(
    ("wanted", "jobs", "is_written"),
    [(None, 2000, True), (None, 2001, False), (True, 50_000, True), (False, 10, False)],
)
def test_a_report_of_very_many_jobs_is_written_where_it_is_asked_for(monkeypatch, tmp_path, wanted, jobs, is_written):
    written = []
    monkeypatch.setattr(engine, "write_report", written.append)
    workflow._report(wanted, jobs, ran=1, directory=tmp_path)
    assert bool(written) is is_written


def test_what_a_snakefile_defines_is_not_handed_on_to_the_next():
    from snakemake import api
    from snakemake import workflow as module

    assert api
    names = vars(module)
    before = dict(names)
    with engine._forgetting():
        names["rules"], names["of_the_snakefile"] = "others", 1
    assert names == before
