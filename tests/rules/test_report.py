"""The report is one page that needs no network, neither when it is made nor when it is opened."""

import os
import re
import subprocess
import sys

import pytest

from jwrules.cli import engine

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def page(finished):
    folder, _ = finished
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    arguments = [sys.executable, "-m", "snakemake", *engine.command(folder), "--report", str(folder / "report.html")]
    done = subprocess.run(arguments, env={**os.environ, **nowhere}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return (folder / "report.html").read_text()


def test_it_loads_nothing_from_elsewhere(page):
    assert re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"']?(?:https?:)?//", page) == []


def test_it_shows_a_picture_of_every_mosaic_and_exposure_by_target(page):
    assert page.count('"pictures/jw00042001001') >= 8
    assert page.count('"pictures/jw00042-o001_t001_nircam_clear-f200w_i2d.png"') >= 1
    assert '"FIELD": {"Calibrated exposures"' in page


def test_its_labels_say_instrument_and_filter(page):
    assert '"filter": "F200W"' in page
