"""Association files: written as the official pipeline reads them, read as it writes them, checked."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest
from association_scene import every_recipe, exposure, make
from hypothesis import given
from hypothesis import strategies as st
from jsonschema.validators import validator_for

from jwrules import associations, pool
from jwrules.associations import Association, Member
from jwrules.errors import DataFault

members = st.builds(
    Member,
    st.integers(1, 99999).map("jw01234001001_02101_{:05d}_nrca1_cal.fits".format),
    st.sampled_from(["science", "background", "target_acquisition"]),
    st.none() | st.just("unsuccessful"),
    st.none() | st.just("[('o001', 'observation')]"),
)
made = st.builds(
    Association,
    type=st.sampled_from(["image3", "spec3"]),
    program=st.just("01234"),
    candidate=st.sampled_from(["o001", "c1001", "a3001"]),
    product=st.just("jw01234-o001_t001_nircam_clear-f090w"),
    members=st.lists(members, min_size=1, unique_by=lambda one: one.expname).map(
        lambda found: (replace(found[0], exptype="science"), *found[1:])
    ),
    rule=st.text(),
    target=st.text(),
    pool=st.text(),
    constraints=st.text(),
    sequence=st.integers(1, 99999),
)


@given(made)
def test_an_association_is_read_as_it_was_written(tmp_path_factory, association):
    path = associations.write(association, tmp_path_factory.mktemp("asn"))
    read = associations.read(path)
    assert read == replace(association, sequence=1, details=read.details)


def test_the_name_of_the_file_says_program_candidate_type_and_number(tmp_path):
    (stage_2, stage_3) = make(exposure(1))
    assert associations.write(stage_2, tmp_path).name == "jw01234-o001_image2_00001_asn.json"
    assert associations.write(stage_3, tmp_path).name == "jw01234-o001_image3_00001_asn.json"


def test_only_members_of_stage_3_repeat_their_candidates():
    entries = [json.loads(associations.text(one))["products"][0]["members"][0] for one in make(exposure(1))]
    assert ["asn_candidate" in entry for entry in entries] == [False, True]


def test_an_exposure_with_an_error_degrades_its_associations():
    (stage_2, stage_3) = make(exposure(1, exposerr="unsuccessful"))
    assert json.loads(associations.text(stage_2))["degraded_status"].startswith("One or more members")
    assert json.loads(associations.text(stage_3))["products"][0]["members"][0]["exposerr"] == "unsuccessful"


def test_the_official_pipeline_reads_what_is_written(tmp_path):
    official = pytest.importorskip("jwst.associations")
    for association in make(exposure(1), exposure(2)):
        path = associations.write(association, tmp_path)
        with path.open() as text:
            theirs = official.load_asn(text)
        assert theirs["asn_type"] == association.type
        names = [member["expname"] for member in theirs["products"][0]["members"]]
        assert names == list(association.of("science"))


def test_official_associations_are_read(tmp_path, shared):
    count = 0
    for line in (shared / "data/associations/jw87800_20180412T163456_pool/asns.jsonl").read_text().splitlines():
        official = json.loads(line)
        path = tmp_path / official["file"]
        path.write_text(line)
        association = associations.read(path)
        assert (association.product, association.candidate) == (official["products"][0]["name"], official["asn_id"])
        assert len(association.members) == len(official["products"][0]["members"])
        count += 1
    assert count == 12


def test_a_file_made_by_hand_needs_products_and_members_alone(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"products": [{"name": "m", "members": [{"expname": "a_cal.fits", "exptype": "SCIENCE"}]}]}')
    association = associations.read(path)
    assert (association.product, association.of("science"), association.candidate) == ("m", ("a_cal.fits",), "a3001")


def test_a_file_of_several_products_gives_one_association_for_each(tmp_path):
    path = tmp_path / "mine.json"
    products = [{"name": name, "members": [{"expname": f"{name}_rate.fits", "exptype": "science"}]} for name in "ab"]
    path.write_text(json.dumps({"asn_type": "image2", "products": products}))
    assert [one.product for one in associations.read_all(path)] == ["a", "b"]
    with pytest.raises(DataFault, match=r"mine\.json: 2 products \(a, b, \.\.\.\) where one is expected"):
        associations.read(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "is no association file"),
        ("[]", r"\$\.products: expected a list of products"),
        ('{"products": []}', r"\$\.products: expected a list of products"),
        ('{"products": [{"members": []}]}', r"\$\.products\[0\]\.name: expected the name"),
        ('{"products": [{"name": "m", "members": []}]}', r"members: expected a list of members"),
        ('{"products": [{"name": "m", "members": [{"exptype": "science"}]}]}', r"members\[0\]\.expname: expected"),
    ],
)
def test_a_file_that_is_no_association_is_refused(tmp_path, content, fault):
    path = tmp_path / "x_asn.json"
    path.write_text(content)
    with pytest.raises(DataFault, match=fault):
        associations.read(path)


def test_all_that_is_wrong_with_the_members_is_said_at_once(tmp_path):
    path = tmp_path / "x_asn.json"
    entries = [("a_cal.fits", "sience"), ("b_cal.fits", "background"), ("b_cal.fits", "background")]
    listed = [{"expname": name, "exptype": role} for name, role in entries]
    path.write_text(json.dumps({"products": [{"name": "m", "members": listed}]}))
    with pytest.raises(DataFault) as fault:
        associations.read(path)
    said = str(fault.value)
    assert "members[0].exptype: 'sience' is no role of a member; did you mean 'science'?" in said
    assert "members[2]: b_cal.fits is already member 1" in said
    assert "there is no member with the exptype 'science'" in said


@pytest.mark.parametrize(("key", "value"), [("name", "../../home/x"), ("name", ".hidden"), ("asn_id", "../o001")])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, key, value):
    path = associations.write(make(exposure(1))[1], tmp_path)
    content = json.loads(path.read_text())
    (content if key == "asn_id" else content["products"][0])[key] = value
    path.write_text(json.dumps(content))
    with pytest.raises(DataFault, match=f"{key}: '{value}' is no (part of a )?file name; "):
        associations.read(path)


def test_the_official_schemas_accept_every_association_of_the_largest_pool(shared):
    package = importlib.util.find_spec("jwst") or pytest.skip("the official pipeline is not here")
    folder = Path(package.submodule_search_locations[0]) / "associations/lib"
    levels = {"2": "level2b", "3": "level3"}
    schemas = {
        stage: json.loads((folder / f"asn_schema_jw_{level}.json").read_text()) for stage, level in levels.items()
    }
    check = {stage: validator_for(schema)(schema).validate for stage, schema in schemas.items()}
    table = pool.read(shared / "data/associations/mega_pool/pool.csv")
    made = associations.make(table, every_recipe())
    for one in made:
        check[one.type[-1]](json.loads(associations.text(one)))
    assert len(made) == 858


def test_a_byte_order_mark_does_no_harm_and_nesting_without_end_is_told(tmp_path):
    path = associations.write(make(exposure(1))[1], tmp_path)
    sound = associations.read(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert associations.read(path) == sound
    path.write_text("[" * 100_000)
    with pytest.raises(DataFault, match="is no association file: "):
        associations.read(path)
