"""Conditions on header keywords."""

import pytest

from jwrules.conditions import any_holds, cases_said, failed, hold, said


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("F200W", "F200W"),
        ("F200W", " f200w "),
        (["F200W", "F444W"], "F444W"),
        ("!FULL", "SUB64"),
        (["!FULL", "!SUB64"], "SUB160"),
        (["SUB64", "SUB160", "!SUB64"], "SUB160"),
        (5, 5),
        (">=5", 5),
        ("<5", 4),
        ("<=4", "4"),
        (">4", 5.0),
        (True, True),
        (True, "T"),
        (False, "false"),
    ],
)
def test_a_condition_holds(wanted, value):
    assert hold({"KEYWORD": wanted}, {"KEYWORD": value})


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("F200W", "F444W"),
        (["F200W", "F444W"], "F090W"),
        ("!FULL", "FULL"),
        (["!FULL", "!SUB64"], "SUB64"),
        (["SUB64", "!SUB64"], "SUB64"),
        (">=5", 4),
        ("<5", 5),
        (">=5", "many"),
        (True, False),
        (False, "T"),
    ],
)
def test_a_condition_does_not_hold(wanted, value):
    assert not hold({"KEYWORD": wanted}, {"KEYWORD": value})


@pytest.mark.parametrize(
    ("wanted", "holds"), [("FULL", False), ("!FULL", True), (False, True), (True, False), (">=0", False)]
)
def test_a_missing_keyword_agrees_with_false_and_with_what_must_not_be_there(wanted, holds):
    assert hold({"KEYWORD": wanted}, {}) is holds


def test_every_keyword_must_agree():
    wanted = {"FILTER": "F200W", "PUPIL": "CLEAR"}
    assert hold(wanted, {"FILTER": "F200W", "PUPIL": "CLEAR"})
    assert not hold(wanted, {"FILTER": "F200W", "PUPIL": "F164N"})


def test_what_failed_is_said_with_what_was_wanted():
    wanted = {"FILTER": ["F200W", "F444W"], "TSOVISIT": False, "PUPIL": "CLEAR"}
    header = {"FILTER": "F090W", "TSOVISIT": True}
    assert failed(wanted, header) == [
        "FILTER is F090W, wanted F200W or F444W",
        "TSOVISIT is true, wanted false",
        "PUPIL is missing, wanted CLEAR",
    ]


def test_conditions_are_said_in_words():
    assert said({"FILTER": ["F444W", "F480M"], "SUBARRAY": "!FULL"}) == "FILTER F444W or F480M, SUBARRAY !FULL"


CASES = [{"method": "traps"}, {"NFRAMES": ">1", "use": True}, {"only": None}]


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ({"method": "traps", "only": 1}, True),
        ({"NFRAMES": 2, "use": True, "only": 1}, True),
        ({"NFRAMES": 2, "use": False, "only": 1}, False),
        ({"NFRAMES": 1, "use": True, "only": 1}, False),
        ({"only": None}, True),
        ({"only": "none"}, False),
    ],
)
def test_of_several_cases_one_must_hold(told, holds):
    assert any_holds(CASES, told) is holds


def test_without_cases_there_is_no_limit():
    assert any_holds((), {})


def test_cases_are_said_in_words():
    assert cases_said(CASES) == "method is traps, or NFRAMES is >1 and use is true, or only is none"
