"""The summary page shows each program: exposures, members, roles, products, what is missing, what was left out."""

import re

import pytest
from association_scene import exposure, gather_all

from jwrules.associations import summary


@pytest.fixture(scope="module")
def page():
    rows = [exposure(1), exposure(2, exposerr="unsuccessful"), exposure(3), exposure(4, exp_type="nrs_bota")]
    rows.append(exposure(5, observation=2, exp_type="nrc_coron", pupil="maskrnd", subarray="sub320", targetid="<3>"))
    gathered = gather_all(*rows, exclude={"*_00003_*": "satellite <trail>"})
    return summary.text(gathered, "jw01234_pool.csv")


@pytest.mark.parametrize(
    "words",
    [
        "Associations of jw01234_pool.csv",
        "Program 01234",
        "jw01234-o001_t001_nircam_clear-f090w",
        "jw01234001001_02101_00001_nrca1_rate.fits (science)",
        "jw01234001001_02101_00001_nrca1_cal.fits (science) → jw01234001001_02101_00001_nrca1_o001_crf.fits",
        "What is missing (1)",
        "coron3 of o002 needs a member with the role psf",
        "excluded: satellite &lt;trail&gt; <small>jw01234001001_02101_00003_nrca1</small>",
        "no recipe is for it (EXP_TYPE NRS_BOTA)",
        "jw01234001001_02101_00002_nrca1: unsuccessful (kept; its associations are marked degraded)",
        "<b>degraded</b>",
    ],
)
def test_the_page_shows_what_became_of_the_pool(page, words):
    assert words in page


def test_the_page_needs_nothing_from_elsewhere(page):
    assert not re.findall(r"https?:|src=|href=|@import|url\(", page)


def test_what_stands_in_the_pool_is_no_markup(page):
    assert "<3>" not in page
    assert "&lt;3&gt;" in page


def test_the_page_is_written_whole(tmp_path):
    path = summary.write(gather_all(exposure(1)), "x_pool.csv", tmp_path / "deep" / "summary.html")
    assert path.read_text().endswith("</html>\n")
    assert [one.name for one in path.parent.iterdir()] == ["summary.html"]
