"""The files that are not Python are found."""

import pytest

from jwrules import house
from jwrules.errors import WorkflowFault


def test_the_root_holds_recipes_and_schemas():
    assert (house.root() / "recipes").is_dir()
    assert (house.root() / "schemas").is_dir()


def test_a_lost_root_names_every_place_that_was_considered(monkeypatch, tmp_path):
    monkeypatch.setattr(house, "_places", lambda: iter([tmp_path / "one", tmp_path / "two"]))
    with pytest.raises(WorkflowFault, match=r"one, .*two"):
        house.root.__wrapped__()
