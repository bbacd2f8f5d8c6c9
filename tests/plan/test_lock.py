"""A directory is locked by one run; only another run is taken for another run."""

import errno
import fcntl
import os

import pytest

from jwrules.errors import WorkflowFault
from jwrules.plan import lock


def refusing(number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_is_told_and_done_without(tmp_path, monkeypatch, caplog, number):
    monkeypatch.setattr(fcntl, "flock", refusing(number))
    with lock.held(tmp_path) as is_held, lock.held(tmp_path):
        assert is_held
    [said] = caplog.messages
    assert said.startswith(f"{tmp_path}/.jwrules/run.lock: no lock can be had on this file system ")


def test_another_refusal_is_told_as_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", refusing(errno.EACCES))
    with pytest.raises(WorkflowFault, match=r"run.lock: the lock .* \(Permission denied\); make the file yours"):
        lock.held(tmp_path).__enter__()


def test_a_lock_that_cannot_be_opened_is_told(tmp_path):
    (tmp_path / ".jwrules").write_text("in the way")
    with pytest.raises(WorkflowFault, match=r"run\.lock: the lock of this working directory cannot be had"):
        lock.held(tmp_path).__enter__()


def test_two_do_not_hold_it_at_once(tmp_path):
    with lock.held(tmp_path) as one, lock.held(tmp_path) as other:
        assert (one, other) == (True, False)
