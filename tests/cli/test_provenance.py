"""How a product was made, and whether it is up to date."""

import pytest
from astropy.table import Table

from jwrules.cli import provenance
from jwrules.errors import DataFault
from jwrules.products import tables

HOW = {
    "stage": "image3",
    "members": [
        {"file": "a_cal.fits", "role": "science", "date": "2026-01-01"},
        {"file": "b_rate.fits", "role": "background"},
    ],
    "steps": [
        {"step": "tweakreg", "status": "COMPLETE", "reason": "", "params": {"kernel_fwhm": 2.14}},
        {"step": "skymatch", "status": "SKIPPED", "reason": "the recipe says skip", "params": {}},
    ],
    "references": {"apcorr": {"file": "jwst_nircam_apcorr_0001.fits", "sha256": "ab12" * 16}},
    "before": [{"stage": "detector1", "release": "0.0.9"}, {"stage": "image2", "release": "0.0.9"}],
}


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "results" / "x_cat.ecsv"
    path.parent.mkdir()
    tables.write(path, Table({"flux": [1.0]}), HOW)
    return provenance.tell(path)


def test_members_are_told_with_their_role(text):
    assert "a_cal.fits  2026-01-01" in text
    assert "b_rate.fits (background)" in text


def test_steps_are_told_with_their_options_or_why_they_were_skipped(text):
    assert "COMPLETE  (kernel_fwhm=2.14)" in text
    assert "SKIPPED: the recipe says skip" in text


def test_references_are_told_with_their_whole_hash(text):
    assert f"jwst_nircam_apcorr_0001.fits  sha256 {'ab12' * 16}" in text


def test_earlier_stages_follow_the_last(text):
    stages = [line.split(" (")[0] for line in text.splitlines() if "(jwrules " in line]
    assert stages == ["image3", "image2", "detector1"]


def test_a_product_outside_of_a_run_cannot_be_said_to_be_up_to_date(text):
    assert "that cannot be told" in text


def test_a_table_of_somebody_else_is_told(tmp_path):
    Table({"flux": [1.0]}).write(tmp_path / "x.ecsv", format="ascii.ecsv")
    with pytest.raises(DataFault, match="does not say how it was made"):
        provenance.tell(tmp_path / "x.ecsv")
