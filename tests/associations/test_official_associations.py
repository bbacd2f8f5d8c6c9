"""The same pools give the same associations as the official generator (jwst 3.0.0) makes of them."""

import json
from collections import Counter

import pytest

from jwrules import associations, house, pool, recipes

POOLS = 58
ASSOCIATIONS = 2443


def official(folder):
    return {
        (one["asn_type"], product["name"], one["asn_id"], members(product))
        for one in map(json.loads, (folder / "asns.jsonl").read_text().splitlines())
        for product in one["products"]
    }


def members(product):
    return frozenset((member["expname"], member["exptype"]) for member in product["members"])


def ours(folder, known):
    made = associations.make(pool.read(folder / "pool.csv"), known)
    return {(one.type, one.product, one.candidate, frozenset(map(tuple, one.members))) for one in made}


@pytest.fixture(scope="module")
def known():
    return list(recipes.all().values())


def test_every_pool_gives_every_official_association_and_no_other(shared, known):
    counts = Counter()
    for folder in sorted((shared / "data/associations").iterdir()):
        expected = official(folder)
        assert ours(folder, known) == expected, folder.name
        counts += Counter(pools=1, associations=len(expected))
    assert counts == {"pools": POOLS, "associations": ASSOCIATIONS}


def test_the_page_says_what_was_compared():
    page = " ".join((house.root() / "docs" / "associations.md").read_text().split())
    assert (
        f"On the {POOLS} pools of the ground system and of the official tests (jwst 3.0.0; {ASSOCIATIONS:,} associ"
        in page
    )
    assert "Differences on purpose in them: 0." in page
