"""What several tests share."""

import logging
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does; pytest and CI bound the whole.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


FIRST = "test_disk.py"
"""Tests that make the program of which all others of tests/demo have a copy: these would wait for it."""


def pytest_collection_modifyitems(items):
    """Put FIRST first."""
    items.sort(key=lambda item: item.path.name != FIRST)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the repository with facts and data that nobody in this project made."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip("../shared is not here")
    return folder


@pytest.fixture
def quiet_afterwards():
    """Undo what the command line sets up of logging."""
    yield
    logging.captureWarnings(False)
    logging.getLogger("jwrules").handlers = []
    logging.getLogger("jwrules").propagate = True


@pytest.fixture
def settled(monkeypatch):
    """Let files that changed a moment ago count as old ones: what is learnt of them is kept."""
    for name in ("SETTLED", "FINE"):
        monkeypatch.setattr(f"jwrules.unchanged.{name}", -(10**18))
