"""The metadata of an ASDF file are read from its front, whatever its tags and arrays are."""

import asdf
import numpy as np
import pytest
from astropy.modeling.models import Shift

from jwrules.errors import HeaderFault
from jwrules.references import tree


@pytest.fixture
def path(tmp_path):
    content = {"meta": {"reftype": "distortion", "instrument": {"name": "NIRCAM"}}, "model": Shift(2) & Shift(3)}
    asdf.AsdfFile(content | {"table": np.arange(1000.0)}).write_to(tmp_path / "d.asdf")
    return tmp_path / "d.asdf"


def test_metadata_are_read_beside_models_and_arrays(path):
    assert tree.read(path)["meta"] == {"reftype": "distortion", "instrument": {"name": "NIRCAM"}}


def test_the_arrays_need_not_be_there(path):
    path.write_bytes(path.read_bytes()[:-7000])
    assert tree.read(path)["meta"]["reftype"] == "distortion"


def test_a_time_stays_text_even_where_the_calendar_has_no_such_day(tmp_path):
    (tmp_path / "t.asdf").write_text(
        "#ASDF 1.0.0\n---\ndate: 2019-02-30T01:02:03\nday: !!timestamp '2019-02-30'\n...\n"
    )
    assert tree.read(tmp_path / "t.asdf") == {"date": "2019-02-30T01:02:03", "day": "2019-02-30"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("SIMPLE  =", "this is no ASDF file"),
        ("#ASDF 1.0.0\n---\nmeta: {reftype: gain}\n", "has no end; the file is truncated"),
        ("#ASDF 1.0.0\n---\nmeta: {reftype: [\n...\n", "is no YAML"),
        ("#ASDF 1.0.0\n---\n- 1\n...\n", "is no mapping"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, content, says):
    (tmp_path / "d.asdf").write_text(content)
    with pytest.raises(HeaderFault, match=rf"d\.asdf.*{says}"):
        tree.read(tmp_path / "d.asdf")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(HeaderFault, match="No such file"):
        tree.read(tmp_path / "d.asdf")
