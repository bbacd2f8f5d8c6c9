"""Nothing is lost: what is in no association is named, with its line and the reason."""

import pytest
from association_scene import exposure, gather_all

from jwrules import associations, pool
from jwrules.associations import exclude
from jwrules.errors import WorkflowFault


def reasons(gathered):
    return {one.exposure[20:25]: one.reason for one in gathered.left_out}


def test_an_excluded_exposure_is_in_no_association_and_its_reason_is_kept():
    name = "jw01234001001_02101_00002_nrca1"
    gathered = gather_all(exposure(1), exposure(2), exclude={name: "satellite trail"})
    assert all(name not in member.expname for one in gathered.associations for member in one.members)
    assert reasons(gathered) == {"00002": "excluded: satellite trail"}


@pytest.mark.parametrize("name", ["jw01234001001_02101_00002_nrca1_uncal.fits", "jw01234001001_*_00002_*"])
def test_an_exposure_is_excluded_by_file_name_or_pattern_too(name):
    assert reasons(gather_all(exposure(1), exposure(2), exclude={name: "guide star lost"})).keys() == {"00002"}


def test_a_name_that_fits_no_exposure_is_said(caplog):
    gather_all(exposure(1), exclude={"jw09999*": "x"})
    assert caplog.messages == ["exclude: no exposure is called jw09999*"]


def test_a_recipe_excludes_exposures_of_its_own(caplog):
    from association_scene import IMAGING, SmallRecipe

    rules = IMAGING | {"exclude": {"*_00001_*": "shutter"}}
    made = associations.gather(pool.Pool((exposure(1), exposure(2))), [SmallRecipe(rules)])
    assert reasons(made) == {"00001": "excluded: shutter"}


@pytest.mark.parametrize("text", ["jw01234001001_02101_00002_nrca1", "jw01=", "=reason"])
def test_an_exclusion_without_name_or_reason_is_refused(text):
    with pytest.raises(WorkflowFault, match="a name and a reason are wanted"):
        exclude.parse(text)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"exp_type": "nrs_bota"}, r"no recipe is for it (EXP_TYPE NRS_BOTA)"),
        ({"exp_type": "null"}, r"no recipe is for it (EXP_TYPE missing)"),
        ({"exp_type": "nrc_dark"}, "exposures of the recipe nircam_dark make no products of later stages"),
        ({"exp_type": "nrc_wfss"}, "nircam_wfss.spec2_direct lacks direct_image; nircam_wfss.spec2_parallel"),
        ({"exp_type": "nrs_msaspec"}, "nirspec_mos.spec2 needs MSAMETFL, EXPSPCIN, which the pool does not say"),
        ({"asn_candidate": "null", "subarray": "null"}, "it belongs to no association candidate"),
        ({"pntgtype": "weird"}, "image2 takes no exposure of the kind weird by itself"),
        ({"exp_type": "nrs_ifu", "filter": "clear"}, "nirspec_ifu.spec2: not for GRATING"),
    ],
)
def test_an_exposure_that_is_in_no_association_has_a_reason(columns, reason):
    (found,) = gather_all(exposure(1, **columns)).left_out
    assert reason in found.reason


def test_a_group_that_lacks_a_role_is_named_unless_another_candidate_has_it():
    psf = [("c1001", "coronagraphy")]
    path = {"exp_type": "nrc_coron", "pupil": "maskrnd", "subarray": "sub320a335r"}
    alone = gather_all(exposure(1, **path))
    assert [str(one) for one in alone.lacks] == [
        "jw01234-o001_t001_nircam_f090w-maskrnd-sub320a335r: coron3 of o001 needs a member with the role psf"
    ]
    star = exposure(2, observation=2, candidates=psf, is_psf="t", targetid="2", **path)
    assert gather_all(exposure(1, candidates=psf, **path), star).lacks == []


def test_a_line_of_the_pool_is_named(tmp_path):
    rows = (exposure(1), exposure(2, exp_type="nrs_bota"))
    path = pool.write(pool.Pool(rows), tmp_path / "jw01234_pool.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (found,) = associations.gather(pool.read(path), []).left_out[1:]
    assert str(found) == "jw01234001001_02101_00002_nrca1 (line 3)"


def test_rows_that_say_the_same_are_one_exposure_in_the_candidates_of_both():
    made = gather_all(
        exposure(1),
        exposure(1, candidates=[("c1002", "group")]),
        exposure(2, observation=2, candidates=[("c1002", "group")]),
    )
    assert len(made.exposures) == 2
    assert {len(one.members) for one in made.associations if one.candidate == "c1002"} == {2}


def test_rows_that_contradict_each_other_are_both_kept_and_it_is_said(caplog):
    made = gather_all(exposure(1), exposure(1, filter="f200w"))
    assert [one.column("filter") for one in made.exposures] == ["f090w", "f200w"]
    assert caplog.messages == [
        "jw01234001001_02101_00001_nrca1_uncal.fits: 2 rows of the pool contradict each other in FILTER"
    ]


def test_two_products_of_one_name_are_said(caplog):
    background = exposure(2, observation=2, bkgdtarg="t", asn_candidate="null")
    gather_all(exposure(1, asn_candidate="null"), background)
    assert caplog.messages == [
        "jw01234-a3001_t001_nircam_clear-f090w: jw01234-a3001_image3_00001_asn.json and "
        "jw01234-a3001_image3_00002_asn.json make a product of this name each"
    ]
