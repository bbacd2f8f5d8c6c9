"""Compiled kernels are kept on disk, for many processes at once, and none is used that does not fit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

OUTER = """
from jwrules.kernels.compiled import compiled
from twins.inner import factor

@compiled
def total(values):
    sum = values[0] - values[0]
    for value in values:
        sum += value * factor()
    return sum
"""
INNER = """
from jwrules.kernels.compiled import compiled

@compiled
def factor():
    return 3
"""
USE = """
import json, sys
import numpy as np
from jwrules.kernels import cache
from twins.outer import total
kinds = sys.argv[1:]
results = {kind: float(total(np.arange(5).astype(kind))) for kind in kinds}
print(json.dumps([results, [one.found for one in cache.asked], [one.file for one in cache.asked]]))
"""
KINDS = ("f4", "f8", "i4", "u2")


@pytest.fixture
def package(tmp_path):
    """A folder with a package of two modules, one kernel in each."""
    folder = tmp_path / "twins"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "inner.py").write_text(INNER)
    (folder / "outer.py").write_text(OUTER)
    return tmp_path


def begin(package, *kinds, **environment):
    house = Path(__file__).resolve().parents[2]
    unset = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA")}
    return subprocess.Popen(
        [sys.executable, "-c", USE, *kinds],
        env={**unset, "PYTHONPATH": f"{house}{os.pathsep}{package}", "PYTHONDONTWRITEBYTECODE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    out, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return (*json.loads(out), said)


def use(package, *kinds, **environment):
    """Return results by kind of array, whether each kernel was found, their files, and what was said."""
    return end(begin(package, *kinds, **environment))


def test_a_kernel_is_compiled_once_for_each_kind_of_array(package, tmp_path):
    there = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    assert use(package, "f4", **there)[1] == [False, False]
    results, found, *_ = use(package, "f4", "f8", **there)
    assert results == {"f4": 30.0, "f8": 30.0}
    assert found == [True, False, True]


def test_processes_that_begin_together_keep_what_each_of_them_compiled(package, tmp_path):
    there = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    together = [begin(package, *KINDS[k:], *KINDS[:k], **there) for k in range(4)]
    for process in together:
        assert end(process)[0] == dict.fromkeys(KINDS, 30.0)
    results, found, *_ = use(package, *KINDS, **there)
    assert (results, found) == (dict.fromkeys(KINDS, 30.0), [True] * 4)
    assert not list((tmp_path / "kept").rglob("*.tmp"))


@pytest.mark.parametrize("left", [0, 20, 1000, -1])
def test_a_file_that_was_cut_short_is_compiled_anew(package, tmp_path, left):
    there = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    use(package, "f8", **there)
    for path in (tmp_path / "kept").rglob("*.kernel"):
        path.write_bytes(path.read_bytes()[:left])
    results, found, *_ = use(package, "f8", **there)
    assert (results, any(found)) == ({"f8": 30.0}, False)
    assert use(package, "f8", **there)[1] == [True]


def test_a_kernel_is_compiled_anew_when_one_changes_that_it_calls(package, tmp_path):
    there = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    use(package, "f8", **there)
    (package / "twins" / "inner.py").write_text(INNER.replace("return 3", "return 4"))
    results, found, *_ = use(package, "f8", **there)
    assert (results, found) == ({"f8": 40.0}, [False, False])


def test_a_file_that_was_only_touched_is_not_compiled_anew(package, tmp_path):
    there = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    use(package, "f8", **there)
    os.utime(package / "twins" / "outer.py", (1, 1))
    assert use(package, "f8", **there)[1] == [True]


def test_each_kind_of_processor_has_files_of_its_own(package, tmp_path):
    there = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    *_, here, _ = use(package, "f8", **there)
    _, found, elsewhere, _ = use(package, "f8", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="", **there)
    assert not any(found)
    assert not set(here) & set(elsewhere)
    assert use(package, "f8", **there)[1] == [True]


def test_kernels_lie_beside_their_source_or_where_that_cannot_be_in_the_cache_of_the_user(package, tmp_path):
    there = {"XDG_CACHE_HOME": str(tmp_path / "home")}
    use(package, "f8", **there)
    beside = package / "twins" / "__pycache__"
    kept = sorted(path.name for path in beside.glob("*.kernel"))
    assert len(kept) == 2
    for path in beside.iterdir():
        path.unlink()
    beside.rmdir()
    beside.write_text("no folder can be made here")
    use(package, "f8", **there)
    assert sorted(path.name for path in (tmp_path / "home" / "jwrules").rglob("*.kernel")) == kept


def test_where_nothing_can_be_kept_it_is_said_once_and_the_kernels_run(package, tmp_path):
    (tmp_path / "taken").write_text("")
    results, _, _, said = use(package, *KINDS, NUMBA_CACHE_DIR=str(tmp_path / "taken"))
    assert results == dict.fromkeys(KINDS, 30.0)
    assert said.count("cannot be kept") == 1
