"""The command compare: what it prints, what it writes, and its exit status."""

import json

import pytest
from comparison_scene import JUMP, write

from jwrules import cli


@pytest.fixture
def runs(tmp_path):
    """Two working directories with a rate that differs, one that does not, and one that only the first has."""
    for side in "ab":
        (tmp_path / side / "results").mkdir(parents=True)
    a, b = tmp_path / "a", tmp_path / "b"
    write(a / "results" / "x_rate.fits", sci={(0, 1): 12}, dq={(0, 1): JUMP})
    write(b / "results" / "x_rate.fits")
    for side in (a, b):
        write(side / "results" / "y_cal.fits")
    write(a / "results" / "z_i2d.fits")
    return a, b


def test_two_products_are_told_and_differ(runs, capsys):
    rates = [str(run / "results" / "x_rate.fits") for run in runs]
    assert cli.main(["compare", *rates]) == 1
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["flagged", "in", "A", "only", "1", "1", "1", "4", "0", "4", "4", "4", "[0,", "1]"] in words
    assert ["JUMP_DET", "0", "1", "0"] in words


def test_the_same_data_are_status_0_whatever_keywords_say(tmp_path):
    one = write(tmp_path / "a_rate.fits", primary={"TARGPROP": "LMC"})
    two = write(tmp_path / "b_rate.fits", primary={"TARGPROP": "SMC"})
    assert cli.main(["compare", str(one), str(two)]) == 0


def test_what_cannot_be_compared_is_status_2(runs, capsys):
    assert cli.main(["compare", str(runs[0]), str(runs[1] / "results" / "x_rate.fits")]) == 2
    assert "is a folder" in capsys.readouterr().err


def test_working_directories_are_compared_product_by_product(runs, capsys):
    assert cli.main(["compare", *map(str, runs)]) == 1
    out = capsys.readouterr().out
    assert "only in" in out
    assert "z_i2d.fits" in out.split("only in")[1]
    assert "2 products in both: 1 with the same data, 1 not" in out


def test_one_product_that_cannot_be_compared_does_not_keep_the_others_back(runs, capsys):
    write(runs[1] / "results" / "z_i2d.fits", unit="MJy/sr")
    assert cli.main(["compare", *map(str, runs)]) == 2
    assert "2 not" in capsys.readouterr().out


def test_one_file_under_both_names_is_not_read_twice(runs, capsys):
    (runs[1] / "results" / "z_i2d.fits").hardlink_to(runs[0] / "results" / "z_i2d.fits")
    assert cli.main(["compare", *map(str, runs), "--only", "_i2d", "--details"]) == 0
    assert "one file under both names" in capsys.readouterr().out


def test_numbers_and_pictures_are_written(runs, tmp_path):
    written, drawn = tmp_path / "x.json", tmp_path / "pictures"
    cli.main(["compare", *map(str, runs), "--only", "_rate", "--json", str(written), "--pictures", str(drawn), "-q"])
    found = json.loads(written.read_text())
    assert (found["status"], found["products"][0]["science"][0]["rows"][0]["largest"]) == (1, 4.0)
    assert (drawn / "x_rate.png").read_bytes()[:4] == b"\x89PNG"
    assert found["products"][0]["pictures"] == [str(drawn / "x_rate.png")]


def test_a_tolerance_below_zero_is_refused(runs):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compare", *map(str, runs), "--tolerance", "-1"])
