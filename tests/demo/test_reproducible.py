"""The same work gives the same products, whenever it is done and on however many threads; only dates differ."""

import json
import random
import shlex

import kills
import pytest
from astropy.io import fits

pytestmark = pytest.mark.workflow

DATES = ("DATE", "CHECKSUM")
"""When a file was written, and the sum over the header that says so."""


PASSING = ("cost", "stat")
"""What a record says that another run need not say: how long it took, and how the files stood on the disk."""


def lasting(value):
    """A value of a record without what passes."""
    if isinstance(value, dict):
        return {key: lasting(one) for key, one in value.items() if key not in PASSING}
    return [lasting(one) for one in value] if isinstance(value, list) else value


def content(path):
    """Everything in a product, or in its record, but when it was written."""
    if path.suffix == ".json":
        return lasting(json.loads(path.read_text()))
    if path.suffix != ".fits":
        return path.read_text()
    with fits.open(path) as hdus:
        return {
            (number, hdu.name): [str(card) for card in hdu.header.cards if card.keyword not in DATES]
            for number, hdu in enumerate(hdus)
        }


def test_every_extension_has_the_sum_of_its_data(small_finished):
    for path in small_finished.products("*.fits"):
        with fits.open(path) as hdus:
            assert all("DATASUM" in hdu.header for hdu in hdus), path.name


def test_runs_that_are_killed_give_in_the_end_the_same_bytes(small_finished, raw):
    suffixes = {path.stem.rpartition("_")[2] for path in small_finished.products("*")}
    records = {"detector1", "image2", "image3"}
    assert suffixes == {"rate", "rateints", "cal", "i2d", "crf", "segm", "cat", "asn"} | records
    killed = kills.Kills(raw.folder, small_finished.folder, random.Random(3), longest=15.0)
    killed.run(kills=3)


def again(demo, log, folder, threads):
    """Repeat the job that wrote this log, its products going to `folder`, on so many threads."""
    _, *words = shlex.split(log.read_text().splitlines()[0])
    for option in {"--output", "--crf"} & set(words):
        words[words.index(option) + 1] = str(folder)
    del words[words.index("--record") : words.index("--record") + 2]
    demo.jwrules(*words, cwd=demo.folder, env={"NUMBA_NUM_THREADS": threads})
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    ("program", "log", "count"),
    [
        ("finished", "detector1/jw09001001001_02101_00001_nrcb1.log", 2),
        ("finished", "detector1/jw09001002001_02101_00001_nrcalong.log", 2),
        ("finished", "image2/jw09001001001_02101_00001_nrcb1.log", 2),
        ("small_finished", "image3/jw09001-o001_t001_nircam_clear-f200w-sub160.log", 5),
    ],
)
def test_one_thread_gives_what_two_give(request, tmp_path, program, log, count):
    demo, made = request.getfixturevalue(program), {}
    for threads in ("1", "2"):
        paths = again(demo, demo.folder / "logs" / log, tmp_path / threads, threads)
        made[threads] = {path.name: content(path) for path in paths}
    assert len(made["1"]) == count
    assert made["1"] == made["2"]
