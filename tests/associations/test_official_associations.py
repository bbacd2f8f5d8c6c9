"""The same pools give the same associations as the official generator (jwst 3.0.0) makes of them."""

import json

import yaml
from association_scene import IMAGING, OTHERS, SmallRecipe

from jwrules import associations, pool

IMAGES = ("NRC_IMAGE", "NIS_IMAGE", "MIR_IMAGE", "FGS_IMAGE", "NRS_MIMF")
KINDS = ("image2", "image3")


def imaging():
    return [SmallRecipe(IMAGING, {"EXP_TYPE": exp_type, "TSOVISIT": False}, exp_type.lower()) for exp_type in IMAGES]


def others():
    return [
        SmallRecipe(one["associations"], one["for"], name) for name, one in yaml.safe_load(OTHERS.read_text()).items()
    ]


def official(folder, wanted=lambda product: True):
    found = set()
    for line in (folder / "asns.jsonl").read_text().splitlines():
        association = json.loads(line)
        for product in association["products"] if association["asn_type"] in KINDS else ():
            members = frozenset((member["expname"], member["exptype"]) for member in product["members"])
            if wanted(members):
                found.add((association["asn_type"], product["name"], association["asn_id"], members))
    return found


def ours(folder, recipes):
    made = associations.make(pool.read(folder / "pool.csv"), recipes)
    return {(one.type, one.product, one.candidate, frozenset(tuple(member) for member in one.members)) for one in made}


def test_every_pool_with_images_gives_the_official_associations(shared):
    compared = 0
    for folder in sorted((shared / "data/associations").iterdir()):
        rows = pool.read(folder / "pool.csv").rows
        images = {row["filename"].removesuffix("_uncal.fits") for row in rows if row["exp_type"].upper() in IMAGES}

        def of_images(members, images=images):
            return any(role == "science" and name.rsplit("_", 1)[0] in images for name, role in members)

        if images:
            compared += 1
            assert ours(folder, imaging()) == official(folder, of_images), folder.name
    assert compared == 29


def test_every_pool_gives_the_official_associations_of_the_stages_for_images(shared):
    compared = 0
    for folder in sorted((shared / "data/associations").iterdir()):
        expected = official(folder)
        assert ours(folder, [*imaging(), *others()]) == expected, folder.name
        compared += bool(expected)
    assert compared == 41
