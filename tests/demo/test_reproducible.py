"""The same work gives the same products, whenever it is done and on however many threads; only dates differ."""

import json
import shlex

import pytest
from astropy.io import fits

from tests.demo import small

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


def assert_same(one, other):
    ours, theirs = content(one), content(other)
    assert ours == theirs, one.name


def test_every_extension_has_the_sum_of_its_data(small_finished):
    for path in small_finished.products("*.fits"):
        with fits.open(path) as hdus:
            assert all("DATASUM" in hdu.header for hdu in hdus), path.name


def test_a_second_run_gives_the_same_products(small_finished, raw):
    assert raw.counted() == small.EVERYTHING
    first = small_finished.products("*")
    assert {path.name for path in first} == {path.name for path in raw.products("*")}
    suffixes = {path.stem.rpartition("_")[2] for path in first}
    assert suffixes == {"rate", "rateints", "cal", "i2d", "crf", "segm", "cat", "asn"} | {
        "detector1",
        "image2",
        "image3",
    }
    for path in first:
        assert_same(path, raw.results / path.name)


def again(demo, log, folder, threads):
    """Repeat the job that wrote this log, its products going to `folder`, on so many threads."""
    _, *words = shlex.split(log.read_text().splitlines()[0])
    for option in {"--output", "--crf"} & set(words):
        words[words.index(option) + 1] = str(folder)
    del words[words.index("--record") : words.index("--record") + 2]
    demo.jwrules(*words, cwd=demo.folder, env={"NUMBA_NUM_THREADS": threads})
    return sorted(folder.iterdir())


@pytest.mark.parametrize(
    ("log", "count"),
    [
        ("detector1/jw09001001001_02101_00001_nrcb1.log", 2),
        ("detector1/jw09001002001_02101_00001_nrcalong.log", 2),
        ("image2/jw09001001001_02101_00001_nrcb1.log", 2),
        ("image3/jw09001-o001_t001_nircam_clear-f200w-sub640.log", 7),
    ],
)
def test_one_thread_gives_what_two_give(finished, tmp_path, log, count):
    made = {}
    for threads in ("1", "2"):
        paths = again(finished, finished.folder / "logs" / log, tmp_path / threads, threads)
        made[threads] = {path.name: content(path) for path in paths}
    assert len(made["1"]) == count
    assert made["1"] == made["2"]
