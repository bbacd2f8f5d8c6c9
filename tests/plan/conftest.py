"""Plans are made with the recipe of the test alone."""

import pytest

from jwrules import recipes


@pytest.fixture(autouse=True)
def no_recipes_of_the_house(monkeypatch):
    monkeypatch.setattr(recipes, "all", dict)
