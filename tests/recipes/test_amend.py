"""Values of a YAML file change, and all else stays as a person wrote it."""

import pytest
import yaml

from jwrules.recipes.amend import CannotAmend, amend, comments, same

TEXT = """\
# my notes
data: /a   # raw
steps:
  # gentle
  jump: {rejection_threshold: 5.0}   # because

set:
# of June
- a.b=1   # wide
exclude:
    jw1_*: trail   # seen by eye
    # lost
    jw2_*: guide star

# the end
"""


def test_only_the_lines_of_a_changed_key_change():
    assert amend(TEXT, {"data": "/b"}) == TEXT.replace("data: /a   # raw\n", "# raw\ndata: /b\n")


def test_comments_among_changed_lines_stand_above_them():
    assert "\n\n# of June\n# wide\nset:\n  - c.d=2\nexclude:\n    jw1_*" in amend(TEXT, {"set": ["c.d=2"]})


def test_a_new_entry_comes_last_as_far_in_as_the_others():
    wanted = {"jw1_*": "trail", "jw2_*": "guide star", "jw3_*": "2026-01-01"}
    added = "    jw2_*: guide star\n    jw3_*: '2026-01-01'\n"
    assert amend(TEXT, {"exclude": wanted}) == TEXT.replace("    jw2_*: guide star\n", added)


def test_a_key_that_goes_leaves_its_comments():
    amended = amend(TEXT, {}, frozenset({"exclude"}))
    assert yaml.safe_load(amended).keys() == {"data", "steps", "set"}
    assert comments(amended) == comments(TEXT)


def test_a_new_key_begins_a_line_of_its_own():
    assert amend("data: /a", {"partial": True}) == "data: /a\npartial: true\n"


def test_line_ends_stay_as_they_are():
    assert amend("data: /a\r\nset: []\r\n", {"data": "/b"}) == "data: /b\r\nset: []\r\n"


def test_what_a_block_of_text_holds_is_no_comment_but_its_first_line_may_have_one():
    assert comments("a: |  # why\n  text # not\nb: 'c # not'\n") == ["# why"]


@pytest.mark.parametrize("text", ["{data: /a} # mine\n", "data: &here {x: 1}\nset: *here\n", "? data\n: /a\n"])
def test_a_layout_of_another_kind_is_refused(text):
    with pytest.raises(CannotAmend):
        amend(text, {"data": "/b", "set": [1]})


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (1, True), ({"a": 1, "b": 2}, {"b": 2, "a": 1})])
def test_values_that_python_takes_for_equal_are_written_otherwise(one, other):
    assert not same(one, other)
