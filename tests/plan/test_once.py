"""One choice serves all exposures that agree in what it looked at, and no other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from program_scene import RECIPE, header, write_reference, write_references

from jwrules import recipes, references
from jwrules.errors import JwrulesError, ReferenceFault
from jwrules.plan.choose import Planner
from jwrules.plan.once import Once

VALUES = st.sampled_from(["x", "y", 1, 1.0, True, 0, False, None])
HEADERS = st.dictionaries(st.sampled_from("ABCDE"), VALUES)


def winding(header):
    """A choice whose later questions depend on earlier answers, and that may look for a keyword without its value."""
    if header.get("A") == "x":
        return "A", repr(header.get("B"))
    if "C" in header:
        return "C", repr(header["C"]), repr(header.get("D", "none"))
    return "neither", repr(header.get("E"))


@given(st.lists(HEADERS, max_size=20))
def test_what_is_remembered_is_what_would_be_chosen_anew(headers):
    once = Once(lambda header: 0)
    assert [once.choose("topic", one, winding) for one in headers] == [winding(one) for one in headers]


def counted(once, headers, choose):
    calls = []

    def counting(header):
        calls.append(header)
        return choose(header)

    return [once.choose("topic", one, counting) for one in headers], len(calls)


def test_keywords_that_were_not_looked_at_do_not_matter():
    headers = [{"A": "x", "E": number, "FILENAME": f"{number}.fits"} for number in range(5)]
    assert counted(Once(lambda header: 0), headers, winding)[1] == 1


def test_a_choice_that_went_through_the_whole_header_is_made_again():
    headers = [{"A": 1}, {"A": 1, "B": 2}]
    assert counted(Once(lambda header: 0), headers, dict)[0] == headers


def test_a_fault_is_found_once_and_names_each_exposure():
    calls, faults = [], []

    def failing(header):
        calls.append(header["FILENAME"])
        raise ReferenceFault(f"{header['FILENAME']}: no dark for {header['A']}; considered: someone.fits")

    once = Once(lambda header: 0)
    for name in ("one.fits", "two.fits"):
        with pytest.raises(ReferenceFault) as fault:
            once.choose("topic", {"FILENAME": name, "A": "NRCA1"}, failing)
        faults.append(str(fault.value))
    assert calls == ["one.fits"]
    assert faults == [f"{name}: no dark for NRCA1; considered: someone.fits" for name in ("one.fits", "two.fits")]


def test_what_is_no_fault_of_the_user_is_not_remembered():
    once, faults = Once(lambda header: 0), []

    def failing(header):
        raise KeyError(header["FILENAME"])

    for name in ("one.fits", "two.fits"):
        try:
            once.choose("topic", {"FILENAME": name}, failing)
        except KeyError as fault:
            faults.append(fault.args[0])
    assert faults == ["one.fits", "two.fits"]


def test_of_the_date_only_the_era_counts_where_files_are_chosen():
    once = Once(lambda header: header["DATE-OBS"] >= "2024")
    headers = [{"DATE-OBS": date} for date in ("2022-01-01", "2023-01-01", "2024-01-01", "2025-01-01")]
    chosen, calls = counted(once, headers, lambda header: header.in_its_era["DATE-OBS"])
    assert calls == 2
    assert chosen == ["2022-01-01"] * 2 + ["2024-01-01"] * 2


WITH_CASES = RECIPE.replace("ramp_fit,", "{ramp_fit: {cases: [{when: {NGROUPS: '>=6'}, weighting: official}]}},")


@pytest.fixture(scope="module")
def planners(tmp_path_factory):
    """Return a way to planners of files that follow each other in time: each has chosen nothing yet."""
    folder = tmp_path_factory.mktemp("scene")
    write_references(folder / "references")
    for year in (2024, 2025):
        later = write_reference(folder / str(year), "dark", "nrca1", USEAFTER=f"{year}-01-01T00:00:00")
        later.rename(folder / "references" / f"dark_{year}.fits")
    (folder / "short.yaml").write_text(WITH_CASES)
    own, chooser = recipes.read(folder / "short.yaml"), references.open(folder / "references", folder / "ledger.json")
    return lambda: Planner({}, chooser, own=own)


def chosen(planner, keywords):
    try:
        return planner.choose("detector1", keywords)
    except JwrulesError as fault:
        return str(fault)


EXPOSURES = st.builds(
    lambda detector, changes: header(1, detector, **changes),
    st.sampled_from(["nrca1", "nrcalong"]),
    st.fixed_dictionaries(
        {},
        optional={
            "DATE-OBS": st.sampled_from(["2021-07-01", "2023-12-31", "2024-01-01", "2025-06-01", "no date", ""]),
            "TIME-OBS": st.sampled_from(["00:00:00.000", "23:59:59.9"]),
            "FILENAME": st.sampled_from(["one.fits", "another.fits"]),
            "NGROUPS": st.integers(4, 7),
            "SUBARRAY": st.sampled_from(["FULL", "SUB160", "N/A"]),
            "FILTER": st.sampled_from(["F200W", "F444W"]),
        },
    ),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(EXPOSURES, min_size=2, max_size=8))
def test_a_planner_chooses_for_each_exposure_as_if_it_were_the_first(planners, exposures):
    one = planners()
    assert [chosen(one, keywords) for keywords in exposures] == [chosen(planners(), keywords) for keywords in exposures]


def test_exposures_of_one_era_share_their_choice(planners):
    planner = planners()
    before, same, after = (
        header(1, "nrca1", **{"DATE-OBS": date}) for date in ("2024-01-01", "2024-12-31", "2025-01-01")
    )
    assert planner.choose("detector1", before) is planner.choose("detector1", same)
    names = [planner.choose("detector1", keywords).references["dark"].name for keywords in (same, after)]
    assert names == ["dark_2024.fits", "dark_2025.fits"]
