"""What was learnt of a file is kept once a later change would show, whatever the file system."""

import time

import pytest

from jwrules import unchanged
from jwrules.pool.cache import Known

SECOND = 10**9


@pytest.mark.parametrize(
    ("changed", "seconds", "settled"), [(0, 1, False), (0, 3, True), (1, 0.01, False), (1, 1, True)]
)
def test_times_of_whole_seconds_take_longer_to_settle(changed, seconds, settled):
    found = (1, 1, 5 * SECOND + changed, 1)
    assert unchanged.is_settled(found, found[2] + int(seconds * SECOND)) is settled


@pytest.mark.parametrize("text", ["later", "now"])
def test_a_header_that_changed_a_moment_ago_is_read_again(tmp_path, monkeypatch, text):
    now = time.time_ns() if text == "now" else SECOND
    monkeypatch.setattr("jwrules.pool.cache.state", lambda path: (1, now, now, 1))
    (tmp_path / "a.fits").touch()
    reads = []
    for _ in range(2):
        known = Known.load(tmp_path / "cache")
        known.header(tmp_path / "a.fits", lambda path: reads.append(path) or {})
        known.save(tmp_path / "cache")
    assert len(reads) == (2 if text == "now" else 1)
