"""Where associations differ from the official generator's on purpose: each case of docs/associations.md."""

import random

import pytest
from association_scene import exposure, make_all, products

from jwrules import house

BACKGROUND = [("c1001", "background")]


def test_the_order_of_the_rows_does_not_matter_to_the_backgrounds_of_slitless_spectra():
    image = {"exp_type": "nis_image", "instrume": "niriss", "detector": "nis", "pupil": "f200w", "filter": "clear"}
    spectrum = image | {"exp_type": "nis_wfss", "filter": "gr150r"}
    rows = [
        exposure(1, candidates=BACKGROUND, expspcin="1", **image),
        exposure(2, candidates=BACKGROUND, expspcin="2", **spectrum),
        exposure(3, observation=2, candidates=BACKGROUND, bkgdtarg="t", **spectrum),
    ]
    made = [one for one in make_all(*rows) if one.type == "spec2" and one.candidate == "c1001"]
    assert [one.of("background")[0][20:25] for one in made] == ["00003"]
    random.Random(1).shuffle(rows)
    assert [one for one in make_all(*rows) if one.type == "spec2" and one.candidate == "c1001"] == made


def test_an_exposure_without_a_filter_is_in_no_mosaic_of_a_filter():
    found = products(make_all(exposure(1), exposure(2, filter="null")), "image3")
    assert found["jw01234-o001_t001_nircam_clear-f090w"] == {("00001", "science")}


def test_another_slit_in_the_same_frame_goes_by_itself():
    path = {"exp_type": "nrs_fixedslit", "instrume": "nirspec", "detector": "nrs1", "subarray": "allslits"}
    path |= {"filter": "clear", "pupil": "null", "grating": "prism", "expspcin": "1", "numdthpt": "1", "subpxpts": "1"}
    slits = ("s200a1", "s200a2", "s1600a1")
    made = make_all(*(exposure(number, fxd_slit=slit, **path) for number, slit in enumerate(slits)))
    assert sorted(len(one.members) for one in made if one.type == "spec3") == [1, 2]


def test_two_slits_of_which_the_products_have_one_name_both_stand():
    path = {"exp_type": "nrs_fixedslit", "instrume": "nirspec", "detector": "nrs1", "subarray": "allslits"}
    path |= {"filter": "clear", "pupil": "null", "grating": "prism"}
    slits = ("s400a1", "s1600a1", "s1600a1")
    made = make_all(*(exposure(n, fxd_slit=slit, **path) for n, slit in enumerate(slits)))
    spectra = [one for one in made if one.type == "spec3"]
    assert {one.product for one in spectra} == {
        "jw01234-o001_t001-{source_id}_nirspec_clear-prism-{slit_name}-allslits"
    }
    assert sorted(len(one.members) for one in spectra) == [1, 2]


def test_the_image_that_confirms_an_acquisition_is_that_of_the_same_observation():
    path = {"exp_type": "mir_lrs-fixedslit", "instrume": "miri", "detector": "mirimage", "filter": "p750l"}
    rows = [
        exposure(1, candidates=BACKGROUND, **path),
        exposure(2, observation=2, candidates=BACKGROUND, bkgdtarg="t", **path),
        exposure(3, observation=2, candidates=BACKGROUND, **(path | {"exp_type": "mir_taconfirm", "filter": "f560w"})),
    ]
    (made,) = (one for one in make_all(*rows) if one.type == "spec2" and one.candidate == "c1001")
    assert {role for _, role in made.members} == {"science", "background"}


def test_open_micro_shutters_and_the_mirror_give_an_image_of_the_background_too():
    path = {"exp_type": "nrs_msaspec", "instrume": "nirspec", "detector": "nrs1", "grating": "mirror"}
    made = make_all(exposure(1, msastate="primarypark_allopen", bkgdtarg="t", **path))
    assert [one.type for one in made] == ["image2"]


@pytest.mark.parametrize("flag", ["is_psf", "is_imprt"])
def test_a_flag_that_a_template_does_not_know_makes_no_member(flag):
    path = {"exp_type": "mir_mrs", "instrume": "miri", "detector": "mirifushort", "filter": "null", "band": "short"}
    made = make_all(exposure(1, **path), exposure(2, **path, **{flag: "t"}))
    assert [len(one.members) for one in made if one.type == "spec3"] == [1]


def test_every_case_of_the_page_has_a_test():
    page = (house.root() / "docs" / "associations.md").read_text()
    cases = page.split("| case |")[1].strip().splitlines()[2:]
    assert len(cases) == sum(name.startswith("test_") for name in globals()) - 1
