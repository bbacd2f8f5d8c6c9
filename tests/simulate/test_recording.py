"""Raw files are written group by group, and what happened in them is told."""

import numpy as np
import pytest
from astropy.io import fits
from template_scene import make, slopes

from jwrules import headers
from jwrules.simulate import happened, recording, stored, stream
from jwrules.simulate.noise import Pooled
from jwrules.simulate.ramps import COSMIC
from jwrules.simulate.snowballs import TOUCHED
from jwrules.simulate.templates import BY_NAME
from jwrules.simulate.wishes import Wishes


def test_planes_written_out_of_order_are_read_back(tmp_path):
    planes = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5) + 65_000 - 100
    primary, table = fits.Header([("ZEROFRAM", True)]), fits.BinTableHDU(np.zeros(3, [("a", "i4")]), name="GROUP")
    path = tmp_path / "raw.fits"
    with stream.raw(path, primary, fits.Header([("BUNIT", "DN")]), planes.shape, [table]) as (science, first):
        for i, g in reversed(list(np.ndindex(2, 3))):
            science.write(planes[i, g], i, g)
        first.write(planes[1, 0], 1)
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "ZEROFRAME", "GROUP"]
        assert np.array_equal(hdus["SCI"].data, planes)
        assert np.array_equal(hdus["ZEROFRAME"].data[1], planes[1, 0])
        assert hdus["SCI"].header["BUNIT"] == "DN"
    assert headers.check_complete(path) == ("PRIMARY", "SCI", "ZEROFRAME", "GROUP")


def test_a_first_frame_is_sent_where_it_is_asked_for(tmp_path):
    (taken,) = make("nircam_coronagraphy", tmp_path, effects={"zeroframe": 1})
    ramp = taken.ramp()
    assert ramp.meta["ZEROFRAM"] is True
    light = taken.truth("RATE") * ramp.meta["TFRAME"]
    lit = light > np.percentile(light, 97)
    apart = (ramp.data[:, 0] - ramp.zeroframe)[:, lit]
    assert np.median(apart / light[lit]) == pytest.approx(3.5, rel=0.1)  # the mean of frames 1 to 8 less the first


def test_a_single_frame_is_its_own_first_frame(tmp_path):
    (taken,) = make("nircam_target_acquisition", tmp_path, effects={"zeroframe": 1})
    ramp = taken.ramp()
    assert np.array_equal(ramp.zeroframe, ramp.data[:, 0])


def test_frames_that_fill_within_a_group_are_told(tmp_path):
    (taken,) = make("niriss_imaging", tmp_path, pattern="NIS")
    rows = taken.truth("SATURATED")
    assert np.all(rows["partly"] <= rows["wholly"])
    assert np.any(rows["partly"] < rows["wholly"])


def test_showers_are_told_with_what_they_left(tmp_path):
    (taken,) = make("miri_lrs_fixed_slit", tmp_path, effects={"showers": 40.0})
    events, touched, jumps = (taken.truth(name) for name in ("LARGE", "TOUCHED", "JUMPS"))
    assert len(events) > 0
    assert set(touched["group"]) <= set(events["group"])
    assert jumps["is_large"].sum() == len(np.unique(touched[["group", "y", "x"]]))


def test_cosmic_rays_are_as_many_as_are_asked_for(tmp_path):
    number = {}
    for often in (0.0, 1.0, 50.0):
        (taken,) = make("nircam_wfss", tmp_path / str(often), effects={"cosmic_rays": often})
        number[often] = len(taken.truth("COSMIC"))
    assert number[0.0] == 0
    assert number[50.0] > 100 > 5 * number[1.0]


def test_one_over_f_noise_is_in_the_readnoise_file(tmp_path):
    noise = []
    for strength in (0.0, 10.0):
        make("niriss_ami", tmp_path / str(strength), effects={"one_over_f": strength})
        noise.append(np.median(fits.getdata(next((tmp_path / str(strength) / "references").glob("*readnoise*")))))
    assert noise[1] ** 2 - noise[0] ** 2 == pytest.approx(2 * 100 * (0.75**2 + 0.3**2), rel=0.05)


def test_charges_that_come_to_a_pixel_in_a_group_are_one_jump():
    cosmic, touched = np.zeros(3, COSMIC), np.zeros(1, TOUCHED)
    cosmic["group"], cosmic["y"], cosmic["electrons"] = [2, 2, 3], [5, 5, 5], [10.0, 20.0, 40.0]
    touched["group"], touched["y"], touched["electrons"] = 3, 5, 100.0
    rows = happened.jumps(cosmic, touched, (8, 8))
    assert rows["group"].tolist() == [2, 3]
    assert rows["electrons"].tolist() == [30.0, 140.0]
    assert rows["is_large"].tolist() == [False, True]


def test_a_very_long_series_takes_its_noise_from_a_pool_and_its_rates_are_true(tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(recording, "Pooled", lambda rng: used.append(rng) or Pooled(rng))
    files = make("nirspec_prism_time_series", tmp_path, integrations=recording.MANY + 2, groups=5)
    rate = slopes(files[0]).rate
    good = (rate.dq & np.uint32(2**31 + 2**11 + 1)) == 0
    pull = ((rate.data - files[0].rate(files[0].ramp())) / rate.err)[good]
    assert len(used) == 1
    assert abs(np.median(pull)) < 0.15
    assert np.ptp(np.percentile(pull, [16, 84])) / 2 == pytest.approx(1.0, abs=0.05)


def test_a_pattern_may_store_its_frames_in_a_way_of_its_own(tmp_path, monkeypatch):
    def twice(frame, pointing, frames, noise):
        return np.concatenate([frame, np.full_like(frame, pointing.detector.bias)])

    def shape(window):
        return 2 * window.ny, window.nx

    monkeypatch.setitem(stored.BY_PATTERN, "NRSRAPID", stored.Way(shape, twice))
    (taken,) = make("nirspec_target_acquisition", tmp_path)
    with fits.open(taken.raw) as hdus:
        assert hdus["SCI"].data.shape == (1, 5, 64, 32)
        assert np.all(hdus["SCI"].data[:, :, 32:] == 9900)


def test_a_longer_exposure_comes_in_more_files():
    (pointing,) = BY_NAME["nircam_grism_time_series"][0].pointings("full")
    assert Wishes(20, 600).granted(pointing).mode.segments == 7  # 12.6 GB
    assert Wishes(20, 2).granted(pointing).mode.segments == 2
