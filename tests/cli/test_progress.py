"""The progress line says what is done and how long the rest will take."""

import io
import logging

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from jwrules.cli import progress
from jwrules.cli.progress import killed, tail
from jwrules.cli.tally import Tally, clock


def tally(totals, done=()):
    """Jobs of which some are done, each in `seconds`, one after the other."""
    made = Tally()
    made.expect(totals)
    for number, (rule, seconds) in enumerate(done):
        made.start(number, rule, 0.0)
        made.finish(number, seconds)
    return made


def test_nothing_is_promised_before_the_first_job_is_done():
    assert tally({"detector1": 4}).remaining(0.0, cores=1) is None


def test_the_rest_lasts_as_long_as_what_is_done():
    assert tally({"detector1": 4}, [("detector1", 10.0)]).remaining(10.0, cores=1) == pytest.approx(30.0)


def test_twice_the_cores_half_the_time():
    one, two = (tally({"detector1": 5}, [("detector1", 10.0)]).remaining(0.0, cores) for cores in (1, 2))
    assert one == pytest.approx(2 * two)


def test_until_one_of_its_rule_is_done_a_job_lasts_as_its_effort_says():
    made = tally({"detector1": 1, "image3": 1, "crf": 1}, [("detector1", 10.0)])
    assert made.remaining(10.0, cores=1) == pytest.approx(15.0, rel=0.01)


def test_each_rule_has_its_own_mean():
    made = tally({"detector1": 2, "image3": 2}, [("detector1", 10.0), ("image3", 100.0)])
    assert made.remaining(0.0, cores=1) == pytest.approx(110.0)


def test_a_job_that_has_begun_is_partly_done():
    made = tally({"detector1": 2}, [("detector1", 10.0)])
    made.start(9, "detector1", now=20.0)
    assert made.remaining(24.0, cores=1) == pytest.approx(6.0)


def test_stages_are_counted_in_their_order():
    made = tally({"image3": 2, "all": 1, "detector1": 8, "total": 11}, [("detector1", 1.0)])
    assert made.counts() == "detector1 1/8  image3 0/2"


def test_pictures_of_all_kinds_are_counted_together():
    assert tally({"picture_exposure": 8, "picture_mosaic": 2}).counts() == "picture 0/10"


def test_the_line_shows_the_share_that_is_done():
    made = tally({"detector1": 2}, [("detector1", 65.0)])
    assert made.line(now=65.0, began=0.0, cores=1) == "████████░░░░░░░░  50%  1:05, 1:05 left  detector1 1/2"


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65, "1:05"), (3725, "1:02:05")])
def test_durations_are_read_at_a_glance(seconds, text):
    assert clock(seconds) == text


def test_the_end_of_a_log_is_shown_indented(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("jwrules detector1 a --steps []\n" + "\n".join(f"line {n}" for n in range(100)))
    assert tail([str(log)], lines=2) == "    line 98\n    line 99"


def test_the_command_that_begins_a_log_is_left_out(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("jwrules detector1 a --steps []\nwhat went wrong")
    assert tail([str(log)]) == "    what went wrong"


def test_of_a_log_that_ends_in_an_error_the_error_is_shown(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("jwrules detector1 a --steps []\njump: COMPLETE\njwrules detector1: first line\n  second line\n")
    assert tail([str(log)]) == "    jwrules detector1: first line\n      second line"


def test_what_a_batch_system_says_is_shown_where_the_job_itself_told_no_error(tmp_path):
    own, batch = tmp_path / "own.log", tmp_path / "batch.log"
    own.write_text("jwrules image2 a --steps []\nflat_field: COMPLETE\n")
    batch.write_text("killed: too much memory\n")
    assert tail([str(own), str(batch)]) == "    flat_field: COMPLETE\n    killed: too much memory"
    own.write_text("jwrules image2: the reason\n")
    assert tail([str(own), str(batch)]) == "    jwrules image2: the reason"


def emitted(handler, event, **said):
    handler.emit(logging.makeLogRecord({"event": event, "levelno": logging.INFO, **said}))


def test_a_job_that_is_tried_again_has_not_failed():
    terminal = io.StringIO()
    with progress.shown(terminal) as handlers:
        handler = progress.LogHandler(None, None)
        assert list(handlers) == [handler]
        for error in (True, False):
            emitted(handler, LogEvent.JOB_INFO, jobid=1, rule_name="detector1", wildcards={"exposure": "a"})
            if error:
                emitted(handler, LogEvent.JOB_ERROR, jobid=1, rule_name="detector1", log=["none.log"])
                assert handler.failed == {1}
        handler.close()
    assert handler.failed == set()
    assert "detector1 a failed" in terminal.getvalue()
    assert "detector1 a is tried again" in terminal.getvalue()


def test_of_jobs_that_failed_together_the_log_of_the_batch_system_is_named():
    terminal = io.StringIO()
    with progress.shown(terminal):
        handler = progress.LogHandler(None, None)
        emitted(handler, LogEvent.GROUP_ERROR, groupid="exposures", aux_logs=["logs/slurm/2.log"])
        handler.close()
    assert "(log: logs/slurm/2.log)" in terminal.getvalue()


def test_a_log_that_is_not_there_is_no_failure(tmp_path):
    assert tail([str(tmp_path / "none.log")]) == ""


def test_a_job_that_was_killed_says_by_what():
    assert killed(137) == "    killed by SIGKILL (out of memory?)"
    assert killed(143) == "    killed by SIGTERM"


def test_a_job_that_failed_by_itself_was_not_killed():
    assert killed(1) == ""
