"""The environment of CRDS, as tests want it."""

from pathlib import Path

import pytest


@pytest.fixture
def at(monkeypatch):
    """Set the environment of CRDS to a cache, and to no server or one that is given."""
    utils = pytest.importorskip("crds.core.utils")
    pytest.importorskip("stdatamodels")

    def at(cache: Path, server: str = "") -> Path:
        monkeypatch.setenv("CRDS_PATH", str(cache))
        monkeypatch.setenv("CRDS_SERVER_URL", server)
        monkeypatch.setenv("CRDS_IGNORE_MAPPING_CHECKSUM", "1")
        monkeypatch.delenv("CRDS_CONTEXT", raising=False)
        utils.clear_function_caches()
        return cache

    yield at
    utils.clear_function_caches()
