"""Names: what the documentation shows is understood, what it does not allow is refused where it is wrong."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwrules import names
from jwrules.errors import NameFault
from jwrules.names import words

DOCUMENTED = [
    "jw80500012009_01101_00012_nrcalong_uncal.fits",
    "jw93065002001_02101_00001_nrca1_rate.fits",
    "jw93135022001_0210d_00001_nrs1_rate.fits",
    "jw01234001001_02101_00001-seg003_nis_rateints.fits.gz",
    "jw80500001001_01101_00001_nrcalong_o001_crf.fits",
    "jw01234001001_02101_00001_nis_a3001_ami-oi.fits",
    "jw01234001001_02101_00001_nrca2_c1001_psfalign.fits",
    "jw01022001001_gs-id_1_image-uncal.fits",
    "jw01022001001_gs-id_8_stacked_cal.fits",
    "jw01019001001_gs-acq1_2022117003102_uncal.fits",
    "jw01019001001_gs-fg_2022117003102-seg001_cal.fits",
    "jw84140-o003_t001-epoch2_nircam_f090w_i2d.fits",
    "jw87600-a3001_t001_niriss_f480m-nrm_amiavg.fits",
    "jw54321-o066_s000123456_nirspec_f170lp-g235m_s2d.fits",
    "jw54321-r5001_v000000003_nirspec_clear-prism_x1d.fits",
    "jw80600-o001_s00003_nirspec_f170lp-g235m_x1d.fits",
    "jw01234-o001_t001-s000000001_nirspec_f100lp-g140h-s200a1-subs200a1_x1d.fits",
    "jw01234-o001_t001_miri_ch1-short_s3d.fits",
    "jw01234-o001_t001_miri_ch1-2-shortmedium_x1d.fits",
    "jw01234-o001_t001_nirspec_g140h-f100lp_s3d.fits",
    "jw01234-o001_t001_miri_f560w-sub128_ip_i2d.fits",
    "jw01234-o001_t001_nircam_f200w-maskbar-image3_i2d.fits",
    "jw01234-o001_t001_nircam_clear-f090w_cat.ecsv",
    "jw00747-o002_t002_nircam_f212n-wlp8-nrca1_wfscmb-02.fits",
    "jw01714-c1002_20251220t103238_image2_00186_asn.json",
    "jw99009-o001_image3_00001_asn.json",
    "jw99999_20170719t112133_pool.csv",
    "jw01180025001_01_msa.fits",
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_name_is_written_as_it_was_read(name):
    assert str(names.parse(name)) == name


def test_the_parts_of_an_exposure_are_its_fields():
    name = names.parse("results/jw01075001002_0310z_00009-seg004_nrca2_c1001_crf.fits")
    parts = (name.program, name.observation, name.visit, name.group, name.sequence, name.activity)
    assert parts == ("01075", "001", "002", "03", "1", "0z")
    assert (name.exposure, name.segment, name.detector, name.acid, name.suffix) == (
        "00009",
        "004",
        "nrca2",
        "c1001",
        "crf",
    )


def test_the_parts_of_a_product_are_its_fields():
    name = names.parse("jw00747-o002_t002-epoch1_nircam_f212n-wlm8-sub96dhspila-nrca1_{suffix}-02")
    assert (name.target, name.source, name.epoch, name.elements) == ("002", "", "1", "f212n-wlm8")
    assert (name.subarray, name.extra, name.suffix, name.activity) == ("sub96dhspila", "nrca1", "{suffix}", "02")


def test_a_fixed_slit_that_is_also_the_subarray_is_both():
    name = names.parse("jw02640-o001_t001-{source_id}_nirspec_f100lp-g140m-s200a2-s200a2")
    assert (name.target, name.source, name.slit, name.subarray) == ("001", "{source_id}", "s200a2", "s200a2")


def test_a_pupil_mask_is_an_element_and_a_coronagraph_mask_a_subarray():
    name = names.parse("jw10005-c1027_t004_nircam_f430m-maskrnd-maska430r")
    assert (name.elements, name.subarray) == ("f430m-maskrnd", "maska430r")


@pytest.mark.parametrize(
    ("name", "wrong", "expected"),
    [
        ("jw0107500x001_03105_00009_nrca2_uncal.fits", "x", "the observation"),
        ("jw01075001001_03905_00009_nrca2_uncal.fits", "905", "the parallel sequence"),
        ("jw01075001001_03105_00009_nrca5_uncal.fits", "5_uncal", "did you mean 'nrca"),
        ("jw01075001001_03105_0009_nrca2_uncal.fits", "_nrca2", "the exposure (5 digits)"),
        ("jw01075001001_03105_00009_NRCA2_rate.fits", "NRCA2", "lower case"),
        ("jw01075001001_03105_00009_nrca2_rates.fits", "s.fits", "did you mean 'rate'"),
        ("jw01075001001_03105_00009_nrca2_rate.fits.bak", ".bak", "the end of the name"),
        ("jw80500001004_01101_00001_nrcalong_o0001_crf.fits", "0001_crf", "the association candidate"),
        ("jw80500-c3001_t001_nircam_f444w-clear_cal.fits", "3001", "the association candidate"),
        ("jw80500-o001_t01_nircam_clear-f090w_i2d.fits", "_nircam", "a target"),
        ("jw80500-o001_t001_nircam_clear-f09ow_i2d.fits", "f09ow", "did you mean 'f090w'"),
        ("jw80500-o001_image4_00001_asn.json", "4_", "did you mean 'image3'"),
        ("jw99999_2017019t112133_pool.csv", "t1121", "a time"),
        ("jw01019001001_gs-acq3_2022117003102_uncal.fits", "3_2022", "a guiding function"),
        ("hello.fits", "hello", "'jw' and the program"),
        ("jw_00001_uncal.fits", "_00001", "the program (5 digits)"),
    ],
)
def test_a_fault_is_marked_under_its_character(name, wrong, expected):
    with pytest.raises(NameFault) as fault:
        names.parse(name)
    _, shown, marked = str(fault.value).splitlines()
    assert shown[marked.index("^") :].startswith(wrong)
    assert expected in marked


@pytest.mark.parametrize("name", ["jw01234-o\u0660\u0660\u0661_image3_00001_asn.json", "jw0123\u0664_pool.csv"])
def test_only_the_digits_of_the_west_are_digits(name):
    with pytest.raises(NameFault):
        names.parse(name)


def test_a_name_cannot_be_built_of_parts_that_do_not_fit():
    with pytest.raises(NameFault, match="expected the visit"):
        names.ExposureName("01075", "1", "001", "03", "1", "05", "00009", "nrca2")


def digits(count):
    return st.text("0123456789", min_size=count, max_size=count)


def base36(count):
    return st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=count, max_size=count)


def maybe(strategy):
    return st.just("") | strategy


acids = (
    st.integers(1, 999).map("o{:03d}".format)
    | st.integers(1000, 2999).map("c{}".format)
    | st.integers(3000, 4999).map("a{}".format)
    | st.integers(5000, 9999).map("r{}".format)
)
suffixes = st.sampled_from(words.SUFFIXES + words.INTERMEDIATE)
visits = {"program": digits(5), "observation": digits(3), "visit": digits(3)}
times = st.datetimes().map("{:%Y%m%dt%H%M%S}".format).filter(lambda text: len(text) == 15)
subjects = st.one_of(
    st.integers(0, 9999).map("t{:03d}".format),
    st.tuples(st.sampled_from("sbv"), digits(9)).map("".join),
    st.tuples(st.just("t001-"), st.sampled_from("sbv"), digits(9)).map("".join),
    st.just("{source_id}"),
)
elements = st.lists(st.sampled_from(words.OPTICAL_ELEMENTS), min_size=1, max_size=3).map("-".join)

exposures = st.builds(
    names.ExposureName,
    **visits,
    group=digits(2),
    sequence=st.sampled_from("12345"),
    activity=base36(2),
    exposure=digits(5),
    detector=st.sampled_from(words.DETECTORS),
    segment=maybe(digits(3)),
    acid=maybe(acids),
    suffix=maybe(suffixes),
    extension=maybe(st.sampled_from(words.EXTENSIONS)),
)
products = st.builds(
    names.ProductName,
    program=digits(5),
    acid=acids,
    subject=subjects,
    epoch=maybe(digits(1)),
    instrument=st.sampled_from(words.INSTRUMENTS),
    elements=elements | st.sampled_from(["ch1-short", "ch1-2-3-4-shortmediumlong"]),
    slit=maybe(st.sampled_from(words.SLITS)),
    subarray=maybe(st.sampled_from(["sub160", "mask1065", "128x128", "full_supstp008p", "sub64_ip"])),
    extra=maybe(st.sampled_from(["image3", "nrca1"])),
    suffix=suffixes,
    activity=maybe(base36(2)),
    extension=maybe(st.sampled_from(words.EXTENSIONS)),
)
associations = st.builds(
    names.AssociationName,
    program=digits(5),
    acid=acids,
    time=maybe(times),
    type=st.sampled_from(words.ASSOCIATION_TYPES),
    sequence=digits(5),
)
guide_stars = st.builds(
    names.GuideStarName,
    **visits,
    function=st.sampled_from(["acq1", "acq2", "track", "fg"]),
    time=digits(13),
    segment=maybe(digits(3)),
    suffix=st.sampled_from(["uncal", "cal"]),
    extension=maybe(st.just("fits")),
)
identifications = st.builds(
    names.IdentificationName,
    **visits,
    attempt=st.sampled_from("12345678"),
    form=st.sampled_from(["image", "stacked"]),
    joint=st.sampled_from("-_"),
    suffix=st.sampled_from(["uncal", "cal"]),
    extension=maybe(st.just("fits")),
)
pools = st.builds(names.PoolName, program=digits(5), time=maybe(times))
msas = st.builds(names.MsaName, **visits, configuration=digits(2))
anything = st.one_of(exposures, products, associations, guide_stars, identifications, pools, msas)


@given(anything)
def test_a_name_is_read_as_it_was_built(name):
    assert names.parse(str(name)) == name


@given(anything, st.data())
def test_a_changed_character_is_refused_or_gives_another_name(name, data):
    text = str(name)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=0x6FF).filter(lambda c: c not in (text[at], "/")))
    changed = text[:at] + other + text[at + 1 :]
    try:
        read = names.parse(changed)
    except NameFault:
        return
    assert str(read) == changed
    assert read != name


@given(exposures)
def test_the_stem_of_an_exposure_is_what_all_its_products_share(name):
    bare = re.fullmatch(rf"({names.EXPOSURE})(?:_{names.ACID})?", names.stem(str(name)))
    assert bare
    assert names.with_suffix(f"{bare[1]}_uncal.fits", "rate") == f"{bare[1]}_rate.fits"


@given(st.one_of(guide_stars, identifications))
def test_the_pattern_of_guide_stars_fits_their_stem_and_no_exposure(name):
    stem = names.stem(str(name))
    assert re.fullmatch(names.GUIDE_STAR, stem)
    assert not re.fullmatch(names.EXPOSURE, stem)


@given(products.filter(lambda name: "{" not in str(name) and not name.activity))
def test_the_pattern_of_products_fits_their_stem(name):
    assert re.fullmatch(names.PRODUCT, names.stem(str(name)))


def test_a_suffix_takes_its_own_file_type_and_keeps_the_dash_of_guide_stars():
    assert names.with_suffix("raw/x_uncal.fits.gz", "rateints") == "x_rateints.fits"
    assert names.with_suffix("jw80500-o001_t001_nircam_clear-f090w_i2d.fits", "cat").endswith("f090w_cat.ecsv")
    assert names.with_suffix("jw01022001001_gs-id_1_image-uncal.fits", "cal") == "jw01022001001_gs-id_1_image-cal.fits"
    assert names.with_suffix("jw80500-o001_t001_nircam_clear-flat", "i2d") == "jw80500-o001_t001_nircam_clear-flat_i2d"


def test_a_flagged_exposure_names_its_association():
    assert names.flagged("jw01075001001_03105_00009_nrca2_cal.fits", "o001") == (
        "jw01075001001_03105_00009_nrca2_o001_crf.fits"
    )


def test_a_template_name_has_a_stem_though_the_grammar_refuses_it():
    assert names.stem("a/jw_00001_uncal.fits") == "jw_00001"


def test_every_name_of_the_official_associations_is_understood(shared):
    found = set()
    for path in (shared / "data/associations").glob("*/asns.jsonl"):
        for line in path.read_text().splitlines():
            association = json.loads(line)
            found.add(association["file"])
            for product in association["products"]:
                found |= {product["name"], *(member["expname"] for member in product["members"])}
    for path in (shared / "data/associations").glob("*/pool.csv"):
        found |= {line.split("|")[0] for line in path.read_text().splitlines()[1:]}
    # Test pools of the official pipeline number their exposures jw_00001: no file of the observatory is called so.
    real = {name for name in found if not name.startswith("jw_")}
    assert len(real) > 2000
    assert [name for name in real if str(names.parse(name)) != name] == []


def test_every_subarray_and_optical_element_of_the_official_schema_has_a_place_in_a_product():
    schema = pytest.importorskip("stdatamodels.jwst.datamodels").ImageModel().schema
    meta = schema["properties"]["meta"]["properties"]
    known = [value for choice in meta["subarray"]["properties"]["name"]["anyOf"] for value in choice["enum"]]
    for subarray in (text.lower() for text in known if text not in ("GENERIC", "N/A")):
        names.parse(f"jw01234-o001_t001_nircam_clear-f090w-{subarray}_i2d.fits")
    instrument = meta["instrument"]["properties"]
    for keyword in ("filter", "pupil", "grating"):
        words_of = {text.lower() for text in instrument[keyword]["enum"]} - {"any", "n/a", "multiple", "unknown"}
        assert words_of <= set(words.OPTICAL_ELEMENTS)


@pytest.mark.parametrize(
    ("product", "source", "kind", "name"),
    [
        ("jw01234-o001_{source_id}_nirspec_f100lp-g140m", 42, "s", "jw01234-o001_s000000042_nirspec_f100lp-g140m"),
        ("jw01234-o001_{source_id}_nirspec_f100lp-g140m", 42, "b", "jw01234-o001_b000000042_nirspec_f100lp-g140m"),
        ("jw01234-o001_{source_id}_nirspec_f100lp-g140m", -7, "v", "jw01234-o001_v000000007_nirspec_f100lp-g140m"),
        (
            "jw01234-o001_t001-{source_id}_nirspec_clear-prism-{slit_name}-subs200a1",
            1,
            "s",
            "jw01234-o001_t001-s000000001_nirspec_clear-prism-s200a1-s200a2-subs200a1",
        ),
    ],
)
def test_the_product_of_a_source_has_its_number_and_slits(product, source, kind, name):
    assert names.of_source(product, source, kind, ("S200A1", "S200A2")) == name
    assert str(names.parse(name)) == name
