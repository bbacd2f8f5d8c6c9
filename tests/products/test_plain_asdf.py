"""ASDF files that are read without the library say the same as with it, or are left to it."""

import asdf
import numpy as np
import pytest

from jwrules.products import plain_asdf

TREE = {"meta": {"reftype": "emicorr", "ends": [0.1, 1e30, None, True]}, "waves": {"a": np.arange(6.0).reshape(2, 3)}}


def written(path, tree, **how):
    asdf.AsdfFile(tree).write_to(path, **how)
    return path


def test_a_tree_of_numbers_and_arrays_is_read_as_the_library_does(tmp_path):
    tree = {**TREE, "turned": np.array([1 + 2j], ">c16"), "counts": np.array([[3], [-4]], "i2")}
    found = plain_asdf.read(written(tmp_path / "a.asdf", tree))
    assert found["meta"] == TREE["meta"]
    for name in ("turned", "counts"):
        np.testing.assert_array_equal(found[name], tree[name])
        assert found[name].dtype.isnative
    np.testing.assert_array_equal(found["waves"]["a"], TREE["waves"]["a"])


@pytest.mark.parametrize("how", [{"all_array_compression": "zlib"}, {"all_array_storage": "inline"}])
def test_arrays_that_are_packed_or_written_out_are_left_to_the_library(tmp_path, how):
    with pytest.raises(plain_asdf.NotPlain):
        plain_asdf.read(written(tmp_path / "a.asdf", TREE, **how))


def test_a_file_that_ends_too_early_or_is_another_is_left_to_the_library(tmp_path):
    content = written(tmp_path / "a.asdf", TREE).read_bytes()
    for damaged in (content[: content.index(b"\xd3BLK") + 60], content[:200], b"SIMPLE  =", b""):
        (tmp_path / "b.asdf").write_bytes(damaged)
        with pytest.raises(plain_asdf.NotPlain):
            plain_asdf.read(tmp_path / "b.asdf")


def test_values_that_need_a_converter_are_left_to_the_library(tmp_path):
    with pytest.raises(plain_asdf.NotPlain):
        plain_asdf.read(written(tmp_path / "a.asdf", {"z": 1 + 2j}))
