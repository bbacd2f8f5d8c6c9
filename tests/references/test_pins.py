"""What is pinned by name and content must stay so, or it is said what changed and how to accept it."""

from pathlib import Path

import pytest
import yaml

from jwrules.errors import RecipeFault, ReferenceFault
from jwrules.references import Chosen, Identity, pins

RULES = Identity("jwst_1464.pmap", {"a.rmap": "1a" * 32, "b.rmap": "2b" * 32})
FILES = {"dark": [Chosen(Path("/cache/dark_1.fits"), "dark_1.fits", "3c" * 32)]}


def check(content, rules=RULES, files=FILES):
    pins.check(pins.parse(content, "run file $.pin"), rules, files)


def test_what_is_there_is_as_it_was_pinned():
    check(yaml.safe_load(yaml.safe_dump(pins.of(RULES, FILES))))
    check({"context": "jwst_1464.pmap", "sha256": RULES.sha256, "files": {"dark": {"dark_1.fits": "3c" * 4}}})
    check({})


def test_a_rule_that_was_changed_in_place_is_named():
    now = Identity(RULES.name, {"a.rmap": "1a" * 32, "b.rmap": "4d" * 32})
    with pytest.raises(ReferenceFault, match=r"b\.rmap of jwst_1464\.pmap was changed in place(.|\n)*references pin"):
        check(pins.of(RULES, FILES), rules=now)
    with pytest.raises(ReferenceFault, match="the 2 mappings of jwst_1464"):
        check({"context": RULES.name, "sha256": RULES.sha256}, rules=now)


def test_rules_that_more_data_need_are_no_change():
    check(pins.of(RULES, FILES), rules=Identity(RULES.name, RULES.mappings | {"c.rmap": "4d" * 32}))


def test_another_context_is_refused():
    with pytest.raises(ReferenceFault, match=r"the context is jwst_1465\.pmap, pinned is jwst_1464\.pmap"):
        check({"context": "jwst_1464.pmap"}, rules=Identity("jwst_1465.pmap"))


@pytest.mark.parametrize(
    "dark", [{"file": "dark_1.fits", "sha256": "4d" * 32}, [{"dark_1.fits": "4d" * 32}, {"dark_2.fits": "3c" * 32}]]
)
def test_a_file_that_was_changed_in_place_is_named(dark):
    with pytest.raises(ReferenceFault, match=r"dark: /cache/dark_1\.fits was changed in place: its SHA-256 is 3c3c"):
        check({"files": {"dark": dark}})


def test_another_file_of_a_pinned_type_is_refused():
    with pytest.raises(ReferenceFault, match=r"dark: dark_1\.fits is chosen, pinned is dark_0\.fits"):
        check({"files": {"dark": {"file": "dark_0.fits", "sha256": "3c" * 32}}})


def test_everything_that_is_wrong_with_pins_is_said_at_once():
    wrong = {"contxt": "x", "sha256": "3c3c", "files": {"dark": "dark_1.fits"}}
    with pytest.raises(RecipeFault) as fault:
        check(wrong)
    for words in (
        "no such key as 'contxt'",
        "sha256: '3c3c' is no SHA-256",
        "dark_1.fits: '' is",
        "'context' is missing",
    ):
        assert words in str(fault.value)


def test_pins_are_read_from_a_file_of_the_working_directory(tmp_path):
    pins.write(tmp_path / "pins.yaml", pins.of(RULES, FILES))
    assert pins.read("pins.yaml", tmp_path).mappings == RULES.mappings
    with pytest.raises(RecipeFault, match=r"other\.yaml: the pins of the run file cannot be read"):
        pins.read("other.yaml", tmp_path)
