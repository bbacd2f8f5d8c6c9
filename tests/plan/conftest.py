"""Plans are made with the recipe of the test alone."""

import pytest
from crds_environment import at

from jwrules import recipes

__all__ = ["at"]


@pytest.fixture(autouse=True)
def no_recipes_of_the_house(monkeypatch):
    monkeypatch.setattr(recipes, "all", dict)
