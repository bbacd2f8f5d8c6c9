"""What a plan says of the room that products take is what they take."""

import json
from collections import Counter

import pytest

pytestmark = pytest.mark.workflow

STAGES = {
    **dict.fromkeys(("rate", "rateints"), "detector1"),
    **dict.fromkeys(("cal", "i2d"), "image2"),
    **dict.fromkeys(("crf", "segm", "cat"), "image3"),
}


def test_the_room_of_products_is_foreseen_within_a_fifth(finished):
    plan = json.loads(finished.jwrules("plan", *finished.asked(), "--json", "-").stdout)
    taken = Counter()
    for path in [*finished.products("*.fits"), *finished.products("*.ecsv")]:
        is_mosaic = path.name.startswith("jw09001-") and path.name.endswith("_i2d.fits")
        taken["image3" if is_mosaic else STAGES[path.stem.rpartition("_")[2]]] += path.stat().st_size
    for one in plan["stages"]:
        assert one["bytes"] == pytest.approx(taken[one["stage"]], rel=0.2)
    assert plan["disk"]["products"] == pytest.approx(taken.total(), rel=0.05)
    assert plan["disk"]["missing"] == 0
