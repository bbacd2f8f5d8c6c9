"""Every observing template is made as its row says."""

import filecmp
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from astropy.io import fits
from template_scene import make

from jwrules import headers, names, recipes, simulate
from jwrules.errors import WorkflowFault
from jwrules.products.interleaved import layout_of
from jwrules.simulate import irs2, templates
from jwrules.simulate.stage1 import DIP
from jwrules.simulate.templates import BY_NAME, TABLE

SINGLE = [row for row in TABLE if not row.guiding]


def on_light(ramp):
    """The ramp without the reference pixels among the light."""
    layout = layout_of(ramp.meta, ramp.data.shape)
    return replace(ramp, data=ramp.data[..., layout.light, :]) if layout else ramp


@pytest.fixture(scope="module", params=SINGLE, ids=lambda row: row.name)
def made(request, tmp_path_factory):
    """A row of the table and the raw files made by it."""
    row = request.param
    return row, make(row.name, tmp_path_factory.mktemp(row.name))


def test_only_guide_stars_need_several_kinds_of_exposures():
    assert {name for name, rows in BY_NAME.items() if len(rows) > 1} == {"fgs_guide_star"}


def test_the_list_of_what_can_be_simulated_has_programs_and_templates():
    listed = simulate.names()
    assert {"nircam_imaging", "miri_imaging", *BY_NAME} == set(listed)
    assert listed == sorted(listed)


def test_every_detector_and_segment_has_a_file_with_an_official_name(made):
    row, files = made
    assert len(files) == len(row.detectors) * row.segments
    assert all(str(names.parse(taken.raw.name)) == taken.raw.name for taken in files)


def test_the_header_says_what_the_row_says(made):
    row, files = made
    for taken in files:
        header = headers.read(taken.raw)
        assert (header["TEMPLATE"], header["EXP_TYPE"]) == (row.title, row.exp_type)
        assert (header["READPATT"], header["SUBARRAY"]) == (row.pattern, row.subarray)
        assert (header["NGROUPS"], header["NINTS"]) == (row.groups, row.integrations)
        assert header["TSOVISIT"] is row.series
        assert row.optics.items() <= header.items()
        assert row.by_detector.get(header["DETECTOR"], {}).items() <= header.items()


def test_the_array_is_the_one_that_the_header_announces(made):
    for taken in made[1]:
        header, ramp = headers.read(taken.raw), taken.ramp()
        integrations = header["INTEND"] - header["INTSTART"] + 1
        rows = 3200 if "NRS_NORM" in header else header["SUBSIZE2"]
        assert ramp.data.shape == (integrations, header["NGROUPS"], rows, header["SUBSIZE1"])
        assert len(ramp.tables["GROUP"]) == integrations * header["NGROUPS"]
        numbers = ramp.tables["INT_TIMES"]["integration_number"]
        assert (numbers[0], numbers[-1]) == (header["INTSTART"], header["INTEND"])


def test_the_segments_of_an_exposure_follow_each_other(made):
    row, files = made
    if row.segments == 1:
        assert "EXSEGNUM" not in headers.read(files[0].raw)
        return
    by_detector = sorted((headers.read(taken.raw) for taken in files), key=lambda h: (h["DETECTOR"], h["EXSEGNUM"]))
    for one, other in pairwise(by_detector):
        assert other["INTSTART"] == (one["INTEND"] + 1 if other["DETECTOR"] == one["DETECTOR"] else 1)
    assert {header["EXSEGTOT"] for header in by_detector} == {row.segments}


def test_the_ramp_rises_as_the_truth_says(made):
    """By the difference of the last and first group of pixels that are well lit and neither full nor struck."""
    row, files = made
    if row.light == "none":
        assert not files[0].truth("RATE").any()
        return
    for taken in files:
        ramp, rate = on_light(taken.ramp()), taken.rate(taken.ramp())
        span = (ramp.data[:, -2] - ramp.data[:, 0]).mean(axis=0) / (row.groups - 2) / ramp.meta["TGROUP"]
        level = rate * ramp.meta["EFFINTTM"]
        lit = (level > 1000) & (level < 15_000)
        assert lit.sum() > 10
        assert np.median(span[lit] / rate[lit]) == pytest.approx(1.0, abs=0.1)


def test_what_is_full_in_the_truth_is_full_in_the_ramp(made):
    for taken in made[1]:
        ramp, rows = on_light(taken.ramp()), taken.truth("SATURATED")
        first, last = ramp.meta["INTSTART"] - 1, ramp.meta["INTEND"]
        rows = rows[(rows["integration"] >= first) & (rows["integration"] < last)]
        paths = taken.folder.glob("references/*_saturation_*")
        ceiling = {fits.getheader(path)["DETECTOR"]: fits.getdata(path) for path in paths}[ramp.meta["DETECTOR"]]
        wholly = rows[rows["wholly"] < ramp.meta["NGROUPS"] - 1]
        seen = ramp.data[wholly["integration"] - first, wholly["wholly"], wholly["y"], wholly["x"]]
        assert np.all(seen > ceiling[wholly["y"], wholly["x"]] - 250)


def test_a_time_series_dips_in_the_middle(tmp_path):
    light = make("miri_lrs_slitless", tmp_path)[0].truth("LIGHT")["light"]
    assert light == pytest.approx(np.array([1, 1, 1 - DIP, 1 - DIP, 1, 1]) / (1 - DIP / 3))


def test_the_whole_subarray_is_read_in_the_size_full(tmp_path):
    simulate.run("nircam_target_acquisition", tmp_path, size="full")
    header = headers.read(next((tmp_path / "uncal").iterdir()))
    assert (header["SUBSIZE1"], header["SUBSIZE2"]) == (32, 32)
    (pointing,) = templates.BY_NAME["niriss_dark"][0].pointings("full")
    assert (pointing.window.nx, pointing.window.ny) == (2048, 2048)


def test_a_small_frame_keeps_its_rows_whole():
    for row in TABLE:
        for small, full in zip(row.pointings("small"), row.pointings("full"), strict=True):
            assert small.window.readout[1] == full.window.readout[1]
            interleaved = row.pattern in irs2.PATTERNS
            assert small.window.nx * small.window.ny <= (2048**2 if interleaved else templates.SMALL)


def test_every_row_is_an_exposure_for_the_recipe_that_it_is_named_after():
    """The variants of a template have its recipe."""
    of_house = recipes.all()
    for row in TABLE:
        for pointing in row.pointings("small"):
            header = {"INSTRUME": pointing.detector.instrument, "EXP_TYPE": row.exp_type, "TSOVISIT": row.series}
            assert recipes.pick(header, of_house.values()).name == (row.recipe or row.name)
    assert all(row.recipe in BY_NAME for row in TABLE if row.recipe)


def test_groups_integrations_and_pattern_may_be_asked_for(tmp_path):
    (taken,) = make("nircam_target_acquisition", tmp_path, groups=3, integrations=2, pattern="BRIGHT2")
    header = headers.read(taken.raw)
    assert [header[name] for name in ("NGROUPS", "NINTS", "READPATT", "NFRAMES")] == [3, 2, "BRIGHT2", 2]


def test_another_subarray_may_be_asked_for(tmp_path):
    files = make("niriss_soss", tmp_path, subarray="SUBSTRIP96", integrations=3, groups=2)
    assert {headers.read(taken.raw)["SUBSIZE2"] for taken in files} == {96}


def test_a_slow_read_of_miri_takes_nine_samples(tmp_path):
    (taken, *_) = make("miri_dark", tmp_path, groups=3, integrations=1, pattern="SLOWR1")
    header = headers.read(taken.raw)
    assert (header["NSAMPLES"], header["READPATT"]) == (9, "SLOWR1")
    assert header["TFRAME"] == pytest.approx(1e-5 * (31 * 2333 + (1024 - 31) * 7))


@pytest.mark.parametrize(
    ("template", "wishes", "said"),
    [
        ("niriss_ami", {"pattern": "RAPID"}, "'RAPID' is none of NIRISS; there are: NIS, NISRAPID"),
        ("miri_coronagraphy", {"pattern": "SLOWR1"}, "SLOWR1 reads the full frame only, not MASK1550"),
        ("niriss_ami", {"effects": {"aliens": 1.0}}, r"\['aliens'\] cannot be asked for"),
        ("niriss_soss", {"subarray": "SUB64P"}, "'SUB64P' of NIRISS cannot be simulated; there are: FULL, SUB80"),
        ("nircam_imaging", {"subarray": "SUB64P"}, "nircam_imaging has subarrays of its own"),
    ],
)
def test_what_cannot_be_is_refused(template, wishes, said, tmp_path):
    with pytest.raises(WorkflowFault, match=said):
        simulate.run(template, tmp_path, **wishes)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        make("nircam_time_series_imaging", tmp_path / folder)
    paths = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert len(paths) == 22
    assert all(filecmp.cmp(tmp_path / "one" / path, tmp_path / "two" / path, shallow=False) for path in paths)
