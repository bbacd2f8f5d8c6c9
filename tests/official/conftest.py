"""What the tests of whole stages share."""

import pytest
from shared_folder import simulated_program
from side_by_side import Both


@pytest.fixture(scope="session")
def both(tmp_path_factory) -> Both:
    """A simulated program through both pipelines, made once. Read only."""
    pytest.importorskip("jwst")
    made = Both(tmp_path_factory.mktemp("both"))
    (made.folder / "demo").symlink_to(simulated_program(tmp_path_factory))
    made.make()
    return made
