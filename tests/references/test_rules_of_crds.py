"""Given the same files with the keywords that CRDS files them under, our rules choose what the library chooses.

The rules of a real context say which values each file is for; each becomes the header of a candidate.
"""

import random
from pathlib import Path

import pytest

from jwrules.references import keywords, selection
from jwrules.references.selection import Candidate

FITS = {f"META.{path.upper()}": keyword for keyword, path in keywords.PATHS.items()}
VAGUE = {"N/A", "ANY", "GENERIC", "*"}


@pytest.fixture
def library(monkeypatch, shared):
    crds = pytest.importorskip("crds")
    pytest.importorskip("stdatamodels")
    monkeypatch.setenv("CRDS_PATH", str(shared / "data" / "crds_jwst_0541"))
    monkeypatch.setenv("CRDS_SERVER_URL", "")
    monkeypatch.setenv("CRDS_READONLY_CACHE", "1")
    crds.core.utils.clear_function_caches()
    yield crds
    crds.core.utils.clear_function_caches()


def _rules(folder, name):
    """Return the keywords and {values: {useafter: file}} of an rmap."""
    text = (folder / name).read_text()
    scope = {"Match": dict, "UseAfter": dict}
    exec(text, scope)
    rules = {key if isinstance(key, tuple) else (key,): files for key, files in scope["selector"].items()}
    return [FITS[name] for name in scope["header"]["parkey"][0]], rules


def _candidates(instrument, names, rules):
    for values, files in rules.items():
        for useafter, file in files.items() if isinstance(files, dict) else ():
            header = dict(zip(names, values, strict=True)) | {"INSTRUME": instrument, "USEAFTER": useafter}
            yield Candidate(Path(file), header)


def _exposure(draw, instrument, names, rules):
    """Draw an exposure near one of the rules: its values, or sometimes those of another."""
    pools = [sorted({v for key in rules for v in key[i].split("|")} - VAGUE - {""}) for i in range(len(names))]
    exposure = {"INSTRUME": instrument, "DATE-OBS": draw.choice(["2014-06-01", "2016-06-01", "2022-08-01"])}
    exposure["TIME-OBS"] = "00:00:00"
    for name, value, pool in zip(names, draw.choice(sorted(rules)), pools, strict=True):
        near = sorted(set(value.split("|")) - VAGUE - {""})
        exposure[name] = draw.choice(near if near and draw.random() < 0.8 else pool or ["X"])
    return exposure


@pytest.mark.parametrize("instrument", ["NIRCAM", "MIRI", "NIRISS"])
def test_our_choice_is_that_of_the_library(library, shared, instrument):
    folder = shared / "data" / "crds_jwst_0541" / "mappings" / "jwst"
    draw, chosen = random.Random(1), 0
    for path in sorted(folder.glob(f"jwst_{instrument.lower()}_*.rmap")):
        reftype = path.name.split("_")[2]
        names, rules = _rules(folder, path.name)
        if set(names) != set(keywords.selectors(reftype, instrument)):
            continue
        candidates = list(_candidates(instrument, names, rules))
        for _ in range(20):
            exposure = _exposure(draw, instrument, names, rules)
            asked = {f"META.{keywords.PATHS[name].upper()}": value for name, value in exposure.items()}
            official = library.getrecommendations(asked, [reftype], "jwst_0541.pmap", observatory="jwst", fast=True)
            if official[reftype] == "NOT FOUND n/a":
                continue
            ours = [v.candidate.path.name for v in selection.best(selection.judge(candidates, reftype, exposure))]
            expected = [] if official[reftype].startswith("NOT FOUND") else [official[reftype]]
            assert ours == expected, (reftype, exposure)
            chosen += len(ours)
    assert chosen > 100
