"""What the recipes declare for templates whose exposures belong together in ways of their own."""

from association_scene import IMAGING, SmallRecipe, every_recipe, exposure, make_all

from jwrules import associations, house, names
from jwrules.associations import pages
from jwrules.pool import Pool

MOS = {"exp_type": "nrs_msaspec", "instrume": "nirspec", "detector": "nrs1", "grating": "g140m", "filter": "f100lp"}
SLIT = MOS | {"exp_type": "nrs_fixedslit", "fxd_slit": "s1600a1", "expspcin": "1"}


def backgrounds(made):
    """Dither of the science -> dithers of its backgrounds, in stage 2."""
    return {
        int(one.product[20:25]): [int(name[20:25]) for name in one.of("background")]
        for one in made
        if one.type == "spec2"
    }


def test_the_nods_of_micro_shutters_are_each_other_s_background_but_not_at_the_same_place():
    plan = {"msametfl": "jw_msa.fits", "expspcin": "1", "subpxpts": "2", "numdthpt": "4"}
    made = make_all(*(exposure(n, patt_num=str(n), **MOS, **plan) for n in (1, 2, 3, 4)))
    assert backgrounds(made) == {1: [3, 4], 2: [3, 4], 3: [1, 2], 4: [1, 2]}


def test_neighbours_of_five_nods_in_the_wide_slit_overlap():
    nods = {"numdthpt": "5", "subpxpts": "1"}
    made = make_all(*(exposure(n, patt_num=str(n), **SLIT, **nods) for n in (1, 2, 3, 4, 5)))
    assert backgrounds(made) == {1: [3, 4, 5], 2: [4, 5], 3: [1, 5], 4: [1, 2], 5: [1, 2, 3]}


def test_the_nods_of_the_low_resolution_slit_are_backgrounds_in_stage_3_too():
    path = {"exp_type": "mir_lrs-fixedslit", "instrume": "miri", "detector": "mirimage", "filter": "p750l"}
    path["patttype"] = "along-slit-nod"
    made = make_all(exposure(1, patt_num="1", **path), exposure(2, patt_num="2", **path))
    (spectrum,) = (one for one in made if one.type == "spec3")
    assert [name[20:25] + name[-9:] for name in spectrum.of("background")] == ["00001_x1d.fits", "00002_x1d.fits"]


def test_an_imprint_of_the_same_dither_position_is_preferred():
    path = MOS | {"exp_type": "nrs_ifu", "dithptin": "1"}
    rows = [exposure(1, **path), *(exposure(n, is_imprt="t", **(path | {"dithptin": str(n - 1)})) for n in (2, 3))]
    (science,) = (one for one in make_all(*rows) if one.product.endswith("_00001_nrca1"))
    assert [name[20:25] for name in science.of("imprint")] == ["00002"]


def test_slitless_spectra_take_the_products_of_the_next_direct_image():
    path = {"instrume": "niriss", "detector": "nis", "pupil": "f150w", "exp_type": "nis_image", "filter": "clear"}
    spectrum = path | {"exp_type": "nis_wfss", "filter": "gr150c"}
    rows = [exposure(1, expspcin="1", **path), exposure(2, expspcin="2", **spectrum), exposure(3, expspcin="3", **path)]
    (made,) = (one for one in make_all(*rows) if one.type == "spec2")
    direct = "jw01234-o001_t001_niriss_clear-f150w"
    assert [tuple(one) for one in made.members[1:]] == [
        (f"{direct}_i2d.fits", "direct_image"),
        (f"{direct}_cat.ecsv", "sourcecat"),
        (f"{direct}_segm.fits", "segmap"),
    ]


def test_the_roll_angles_of_a_star_go_with_every_reference_star_of_the_candidate():
    candidate = [("c1001", "coronagraphy")]
    path = {
        "exp_type": "mir_lyot",
        "instrume": "miri",
        "detector": "mirimage",
        "filter": "f2300c",
        "subarray": "masklyot",
    }
    rows = [exposure(n, observation=n, candidates=candidate, **path) for n in (1, 2)]
    rows += [exposure(n, observation=n, candidates=candidate, is_psf="t", targetid=str(n), **path) for n in (3, 4)]
    (made,) = (one for one in make_all(*rows) if one.type == "coron3" and one.candidate == "c1001")
    assert (len(made.of("science")), len(made.of("psf"))) == (2, 2)


def test_the_segments_of_a_time_series_are_one_light_curve_with_all_integrations():
    path = {"exp_type": "nrs_brightobj", "instrume": "nirspec", "grating": "prism", "filter": "clear"}
    path |= {"fxd_slit": "s1600a1", "detector": "nrs1", "subarray": "sub512"}
    file = "jw01234001001_02101_00001-seg00{}_nrs1_uncal.fits"
    made = make_all(*(exposure(1, filename=file.format(n), **path) for n in (1, 2)))
    (curve,) = (one for one in made if one.type == "tso3")
    assert [name[-24:] for name in curve.of("science")] == ["seg001_nrs1_calints.fits", "seg002_nrs1_calints.fits"]


def test_the_two_images_of_a_wavefront_pair_are_combined():
    path = {"patttype": "wfsc", "visitype": "prime_wfsc_routine", "act_id": "5", "obs_id": "v01234001001p0000000002105"}
    made = make_all(exposure(1, **path), exposure(2, **path), exposure(3, **(path | {"act_id": "6"})))
    assert [one.product for one in made if one.type == "wfs-image3"] == [
        "jw01234-o001_t001_nircam_clear-f090w-nrca1_{suffix}-05"
    ]


def test_a_moving_target_is_grouped_like_any_other():
    fixed, moving = (make_all(exposure(1, targtype=kind), exposure(2, targtype=kind)) for kind in ("fixed", "moving"))
    assert fixed == moving


def test_reserved_candidates_and_epochs_have_names_of_their_own():
    rules = IMAGING | {"image3": IMAGING["image3"] | {"product": "{target}-epoch2_{INSTRUME}_{optics}"}}
    rows = [exposure(n, observation=n, candidates=[("r5001", "group")]) for n in (1, 2)]
    made = associations.make(Pool(tuple(rows)), [SmallRecipe(rules)])
    found = [names.parse(one.product) for one in made if one.candidate == "r5001"]
    assert [(one.acid, one.subject, one.epoch) for one in found] == [("r5001", "t001", "2")]


def test_every_product_that_the_rules_name_can_be_read():
    made = make_all(exposure(1, **MOS, msametfl="m"), exposure(2, **SLIT), exposure(3, **MOS | {"exp_type": "nrs_ifu"}))
    assert all(str(names.parse(one.product)) == one.product for one in made)


def test_the_table_of_rules_is_what_the_recipes_say():
    text = (house.root() / "docs" / "associations.md").read_text()
    assert pages.fresh(text, every_recipe()) == text
