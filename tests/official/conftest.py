"""What the tests of whole stages share."""

import pytest
from side_by_side import Both


@pytest.fixture(scope="session")
def both(tmp_path_factory) -> Both:
    """A simulated program through both pipelines, made once. Read only."""
    pytest.importorskip("jwst")
    made = Both(tmp_path_factory.mktemp("both"))
    made.make()
    return made
