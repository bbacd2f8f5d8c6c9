"""The version of a stage is that of the code it goes through, and of nothing else."""

import pytest

from jwrules.records import code
from jwrules.references.ledger import Ledger

MODULES = {
    "stages/one.py": "from jwrules.products import fits\n",
    "steps/a.py": 'from jwrules.kernels.sum import add\n\n\ndef a(x):\n    """Say."""\n    return add(x, 1)\n',
    "steps/b.py": "def b(x):\n    return x\n",
    "kernels/__init__.py": "",
    "kernels/sum.py": "def add(x, y):\n    return x + y\n",
    "kernels/other.py": "NOTHING = 1\n",
    "products/__init__.py": "",
    "products/fits.py": "import jwrules.kernels.sum\n",
}


@pytest.fixture
def version(tmp_path, monkeypatch):
    """Return what gives the version of stage `one` with some steps, after an edit."""
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(code, "_HERE", tmp_path)

    def now(*steps, edit=None, text=""):
        if edit:
            (tmp_path / edit).write_text(text)
        code._path.cache_clear()
        return code.Code(Ledger(tmp_path / "ledger.json")).version("one", steps)

    yield now
    code._path.cache_clear()


def test_comments_and_docstrings_do_not_count(version):
    before = version("a")
    text = (
        MODULES["steps/a.py"]
        .replace("Say.", "Say more,\n    and more.")
        .replace("    return", "\n    # why\n    return")
    )
    assert version("a", edit="steps/a.py", text=text) == before


def test_what_a_step_imports_counts(version):
    before = version("a")
    assert version("a", edit="kernels/sum.py", text="def add(x, y):\n    return x - y\n") != before


@pytest.mark.parametrize("edit", ["steps/b.py", "kernels/other.py"])
def test_what_the_stage_does_without_does_not_count(version, edit):
    before = version("a")
    assert version("a", edit=edit, text="CHANGED = 1\n") == before


def test_other_steps_are_another_version(version):
    assert version("a") != version("a", "b")


def test_a_step_from_outside_is_left_to_its_release(version):
    assert version("a") != version("a", "theirs")


def test_every_stage_of_the_house_has_a_version(tmp_path):
    versions = code.Code(Ledger(tmp_path / "ledger.json"))
    assert "kernels.ramp_fit" in versions._closure("steps.ramp_fit")
    assert "products.fits" in versions._closure("stages.image2")
    assert not any(name.startswith(("plan", "cli", "report")) for name in versions._closure("stages.detector1"))
