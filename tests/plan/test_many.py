"""Very many exposures of which reference files are missing cost no more than as many that have them."""

import time
from unittest import mock

import pytest
from program_scene import OPTICS, exposure, header, program

from jwrules.plan import Planner, make
from jwrules.plan.workspace import planner
from jwrules.pool import COLUMNS, Pool, Row
from jwrules.pool.scan import _text


def row(number, folder):
    """One of many exposures, of which there is no file: each with a time of its own."""
    observation, place = divmod(number, 16)
    detector, dither = list(OPTICS)[place % 2], place // 2 + 1
    name = f"{exposure(dither, detector, observation + 1)}_uncal.fits"
    own = {"OBSERVTN": f"{observation + 1:03}", "FILENAME": name, "TARGPROP": f"F{observation}"}
    keywords = header(dither, detector, **own) | {
        "TIME-OBS": f"{number % 24:02}:{number % 60:02}:00.{number % 1000:03}"
    }
    cells = {column: _text(keywords, column) for column in COLUMNS}
    known = {"filename": name, "targetid": str(observation + 1)}
    known["asn_candidate"] = str([(f"o{observation + 1:03}", "observation")])
    return Row(cells | known, folder / name, keywords)


@pytest.fixture
def asked(tmp_path):
    return program(tmp_path)


def planned(asked, folder, count):
    """Return a plan of so many exposures, how many choices it took, and the seconds of a processor."""
    pool, chooses = Pool(tuple(row(number, folder) for number in range(count))), planner(asked, folder)
    began = time.process_time()
    with mock.patch.object(Planner, "_choose", autospec=True, side_effect=Planner._choose) as chosen:
        plan = make(pool, chooses, folder)
    return plan, chosen.call_count, time.process_time() - began


def without_darks(folder):
    for path in (folder / "references").glob("*_dark_*"):
        path.unlink()


def test_what_is_common_to_many_is_found_once_and_told_once(asked, tmp_path):
    without_darks(tmp_path)
    (few, choices, _), (many, as_many, _) = (planned(asked, tmp_path, count) for count in (32, 320))
    assert choices == as_many
    assert [len(files) for files in few.faults.values()] == [32]
    assert [len(files) for files in many.faults.values()] == [320]
    assert "no reference file of type 'dark'" in next(iter(many.faults))


def test_it_takes_about_as_long_as_where_nothing_is_missing(asked, tmp_path):
    good = planned(asked, tmp_path, 1000)[2]
    without_darks(tmp_path)
    assert planned(asked, tmp_path, 1000)[2] < 1.5 * good
