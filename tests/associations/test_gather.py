"""Which exposures belong together, by the rules for imaging as they stand in the recipes."""

import pytest
from association_scene import IMAGING, SmallRecipe, exposure, make, products
from hypothesis import given
from hypothesis import strategies as st

from jwrules import associations
from jwrules.errors import RecipeFault
from jwrules.pool import Pool

BACKGROUND = [("c1001", "background")]
GROUP = [("c1002", "group")]
MOSAIC = [("c1003", "mosaic")]


def test_each_exposure_is_a_product_of_stage_2_and_the_dithers_are_one_of_stage_3():
    made = make(exposure(1), exposure(2))
    assert products(made, "image2") == {
        "jw01234001001_02101_00001_nrca1": {("00001", "science")},
        "jw01234001001_02101_00002_nrca1": {("00002", "science")},
    }
    assert products(made, "image3") == {
        "jw01234-o001_t001_nircam_clear-f090w": {("00001", "science"), ("00002", "science")}
    }


def test_members_are_rates_in_stage_2_and_calibrated_in_stage_3():
    made = make(exposure(1))
    assert [one.of("science") for one in made] == [
        ("jw01234001001_02101_00001_nrca1_rate.fits",),
        ("jw01234001001_02101_00001_nrca1_cal.fits",),
    ]


@pytest.mark.parametrize(
    ("columns", "product"),
    [
        ({"filter": "f444w", "pupil": "f405n"}, "nircam_f405n-f444w"),
        ({"subarray": "sub160"}, "nircam_clear-f090w-sub160"),
        ({"targetid": "12"}, "t012_nircam"),
        ({"instrume": "fgs", "filter": "null", "pupil": "null"}, "fgs_clear"),
        ({"instrume": "miri", "filter": "f560w", "pupil": "null"}, "miri_f560w"),
    ],
)
def test_what_differs_is_another_mosaic_with_a_name_of_its_own(columns, product):
    found = products(make(exposure(1), exposure(2, **columns)), "image3")
    assert len(found) == 2
    assert any(product in name for name in found)


def test_an_exposure_without_subarray_is_in_no_mosaic_and_it_is_said(caplog):
    made = make(exposure(1, subarray="null"), exposure(2, subarray="null"))
    assert products(made, "image3") == {}
    assert caplog.messages == ["imaging.image3: jw01234001001_02101_00001_nrca1 and 1 more left out: no SUBARRAY"]


@pytest.mark.parametrize("flag", ["t", "true", "y"])
def test_a_background_of_the_candidate_goes_with_each_science_exposure(flag):
    made = make(exposure(1, candidates=BACKGROUND), exposure(2, observation=2, candidates=BACKGROUND, bkgdtarg=flag))
    assert products(made, "image2") == {
        "jw01234001001_02101_00001_nrca1": {("00001", "science"), ("00002", "background")},
        "jw01234002001_02101_00002_nrca1": {("00002", "science")},
    }
    assert {one.candidate for one in made if one.type == "image2"} == {"c1001", "o002"}


@pytest.mark.parametrize("flag", ["f", "n", "null", "", "FALSE", "N/A", "--"])
def test_a_flag_that_is_not_set_makes_no_background(flag):
    made = make(exposure(1, candidates=BACKGROUND), exposure(2, observation=2, candidates=BACKGROUND, bkgdtarg=flag))
    assert {role for one in made for _, role in one.members} == {"science"}


def test_a_reference_star_that_is_also_a_background_is_a_reference_star():
    rules = {"coron3": {"one_for_each": ["INSTRUME"], "members": {"science": "calints", "psf": "calints"}}}
    (made,) = make(exposure(1), exposure(2, is_psf="t", bkgdtarg="t"), rules=rules)
    assert [role for _, role in made.members] == ["science", "psf"]


def test_nods_are_each_other_s_background():
    background = {"file": "rate", "played_by": ["science"], "same": ["DETECTOR"]}
    rules = {"spec2": {"one_for_each": "exposure", "members": {"science": "rate", "background": background}}}
    made = make(exposure(1), exposure(2), rules=rules)
    assert [[(name[20:25], role) for name, role in one.members] for one in made] == [
        [("00001", "science"), ("00002", "background")],
        [("00002", "science"), ("00001", "background")],
    ]


@pytest.mark.parametrize("columns", [{"filter": "f200w"}, {"subarray": "sub160"}, {"detector": "nrca2"}])
def test_a_background_taken_otherwise_is_not_subtracted(columns):
    other = exposure(2, observation=2, candidates=BACKGROUND, bkgdtarg="t", **columns)
    found = products(make(exposure(1, candidates=BACKGROUND), other), "image2")
    assert found["jw01234001001_02101_00001_nrca1"] == {("00001", "science")}


def test_a_background_is_in_no_mosaic_but_its_own():
    made = make(exposure(1, candidates=BACKGROUND), exposure(2, observation=2, candidates=BACKGROUND, bkgdtarg="t"))
    assert products(made, "image3") == {
        "jw01234-o001_t001_nircam_clear-f090w": {("00001", "science")},
        "jw01234-o002_t001_nircam_clear-f090w": {("00002", "science")},
    }


def test_a_background_of_the_program_without_a_candidate_is_not_subtracted():
    found = products(make(exposure(1), exposure(2, observation=2, bkgdtarg="t")), "image2")
    assert found["jw01234001001_02101_00001_nrca1"] == {("00001", "science")}


def test_the_observations_of_a_group_make_a_mosaic_besides_their_own():
    made = make(exposure(1, candidates=GROUP), exposure(2, observation=2, candidates=GROUP))
    assert set(products(made, "image3")) == {
        "jw01234-o001_t001_nircam_clear-f090w",
        "jw01234-o002_t001_nircam_clear-f090w",
        "jw01234-c1002_t001_nircam_clear-f090w",
    }


@pytest.mark.parametrize("kind", ["group", "background", "mosaic"])
def test_a_part_of_one_observation_is_no_group(kind):
    made = make(exposure(1), exposure(2, candidates=[("c1002", kind)]))
    assert set(products(made, "image3")) == {"jw01234-o001_t001_nircam_clear-f090w"}


def test_a_mosaic_candidate_combines_targets():
    made = make(exposure(1, candidates=MOSAIC), exposure(2, observation=2, candidates=MOSAIC, targetid="2"))
    found = products(made, "image3")["jw01234-c1003_t000_nircam_clear-f090w"]
    assert found == {("00001", "science"), ("00002", "science")}


def test_exposures_without_candidates_are_discovered():
    made = make(exposure(1, asn_candidate="null"), exposure(2, asn_candidate="null"))
    assert set(products(made, "image3")) == {"jw01234-a3001_t001_nircam_clear-f090w"}


def test_the_same_target_in_two_observations_is_discovered_besides_both():
    found = products(make(exposure(1), exposure(2, observation=2)), "image3")
    assert {name.split("_")[0] for name in found} == {"jw01234-o001", "jw01234-o002", "jw01234-a3001"}


def test_an_acquisition_goes_with_the_mosaic_of_its_observation():
    acquisition = exposure(9, exp_type="nrc_tacq", filter="f335m", subarray="sub32tats")
    found = products(make(exposure(1), exposure(2, observation=2), acquisition), "image3")
    assert ("00009", "target_acquisition") in found["jw01234-o001_t001_nircam_clear-f090w"]
    assert ("00009", "target_acquisition") not in found["jw01234-o002_t001_nircam_clear-f090w"]


def test_wavefront_sensing_is_calibrated_but_not_combined():
    made = make(exposure(1, visitype="prime_wfsc_routine"))
    assert [one.type for one in made] == ["image2"]


@pytest.mark.parametrize("exp_type", ["nrc_wfss", "nrc_tacq", "nis_image"])
def test_exposures_that_no_recipe_is_for_associate_with_nothing(exp_type):
    assert make(exposure(1, exp_type=exp_type)) == []


def test_an_exposure_goes_by_the_recipe_with_the_most_conditions():
    plain = SmallRecipe(IMAGING)
    wide = SmallRecipe({"image2": IMAGING["image2"]}, {"EXP_TYPE": "NRC_IMAGE", "FILTER": "F090W"}, "wide")
    pool = Pool((exposure(1), exposure(2, filter="f200w")))
    rules = {one.product[-11:-6]: one.rule for one in associations.make(pool, [plain, wide]) if one.type == "image2"}
    assert rules == {"00001": "wide.image2", "00002": "imaging.image2"}


def test_a_file_that_stands_twice_in_the_pool_is_one_member():
    made = make(exposure(1), exposure(1))
    assert [len(one.members) for one in made] == [1, 1]


def test_programs_are_never_mixed():
    other = exposure(1, program="999", filename="jw00999001001_02101_00001_nrca1_uncal.fits")
    assert {one.program for one in make(exposure(1), other)} == {"01234", "00999"}
    assert all(len(one.members) == 1 for one in make(exposure(1), other))


rows = st.builds(
    exposure,
    st.integers(1, 6),
    observation=st.integers(1, 3),
    candidates=st.sampled_from([[], BACKGROUND, GROUP, BACKGROUND + GROUP]),
    filter=st.sampled_from(["f090w", "f200w"]),
    bkgdtarg=st.sampled_from(["f", "t"]),
    targetid=st.sampled_from(["1", "2"]),
)
pools = st.lists(rows, max_size=12, unique_by=lambda row: row["filename"])


@given(pools, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert make(*shuffled) == make(*rows)


@given(pools)
def test_every_association_has_a_file_of_its_own_and_none_is_part_of_another_with_its_name(rows):
    made = make(*rows)
    assert len({one.file for one in made}) == len(made)
    pairs = [
        (set(map(tuple, one.members)), set(map(tuple, other.members)), one, other) for one in made for other in made
    ]
    assert not [1 for mine, theirs, one, other in pairs if one.product == other.product and mine < theirs]


@given(pools)
def test_every_exposure_has_a_product_of_stage_2(rows):
    stems = {row["filename"].removesuffix("_uncal.fits") for row in rows}
    assert {one.product for one in make(*rows) if one.type == "image2"} == stems


@given(pools, st.sampled_from(["f090w", "f200w", "f444w"]), st.sampled_from(["1", "2"]))
def test_a_new_exposure_changes_its_own_associations_alone(rows, optics, target):
    before = {one.file: one for one in make(*rows)}
    new = exposure(1, observation=9, filter=optics, targetid=target)
    after = {one.file: one for one in make(*rows, new)}
    changed = [one for name, one in after.items() if before.get(name) != one]
    assert all(any("jw01234009" in name for name, _ in one.members) for one in changed)


def test_a_rule_of_an_unknown_type_is_refused_with_the_nearest():
    with pytest.raises(RecipeFault, match=r"recipe imaging \$\.associations\.imag3: 'imag3' is no type .*'image3'"):
        make(exposure(1), rules={"imag3": IMAGING["image3"]})


def test_a_keyword_that_pools_do_not_have_is_refused_with_the_nearest():
    with pytest.raises(RecipeFault, match="pools have no column for 'SUBARAY'; did you mean 'SUBARRAY'"):
        make(exposure(1), rules={"image3": IMAGING["image3"] | {"one_for_each": ["SUBARAY"]}})


@pytest.mark.parametrize("missing", ["one_for_each", "members"])
def test_a_rule_without_what_it_needs_is_refused(missing):
    rule = {key: value for key, value in IMAGING["image3"].items() if key != missing}
    with pytest.raises(RecipeFault, match=rf"'{missing}' is missing"):
        make(exposure(1), rules={"image3": rule})


def test_a_role_that_is_required_and_not_there_makes_no_association():
    psf = {"file": "cal", "required": True}
    rule = {"one_for_each": ["INSTRUME"], "members": {"science": "cal", "psf": psf}}
    assert make(exposure(1), rules={"image3": rule}) == []
    assert len(make(exposure(1), exposure(2, is_psf="t"), rules={"image3": rule})) == 1
