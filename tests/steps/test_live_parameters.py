"""Every parameter of the steps of stage 1 changes what comes out, in a scene that is made for it."""

import hashlib
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, get_args

import numpy as np
import pytest
import stage1_scene as scenes
from interference_scene import HERTZ

from jwrules.products.kinds import GuiderRaw, Meta, Ramp, Slopes
from jwrules.steps import registry
from jwrules.steps.declare import Skip, parameters

STEPS = {n: s for n, s in registry().items() if {Ramp, GuiderRaw, Slopes} & {s.takes, *get_args(s.takes)}}


@dataclass(frozen=True)
class Trial:
    """A parameter of a step, a value other than its default, and the scene and the other options that it is set in."""

    step: str
    name: str
    value: Any
    scene: scenes.Scene
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self):
        return f"{self.step}.{self.name}"


def trials(step, scene, options=None, /, **values):
    """Trials of several parameters in the same scene."""
    return [Trial(step, name, value, scene, options or {}) for name, value in values.items()]


STRUCK, FLICKER, WAVES, WINDOW = scenes.struck(), scenes.flicker(), scenes.interference(), scenes.after_saturation()
OFFICIAL, LARGE, FOLDING = {"statistic": "official"}, {"expand_large_events": True}, {"algorithm": "sequential"}
SHOWERS, SIRS, OPEN = {"find_showers": True}, {"refpix_algorithm": "sirs"}, {"persistence_time": 40}
TRAPS, AFTER = {"method": "traps"}, {"after_jump_flag_dn1": 400.0, "after_jump_flag_time1": 25.0}

TRIALS = [
    *trials("bad_ramp", scenes.bent, threshold=40.0, min_departure=0.1),
    *trials("charge_migration", scenes.bright, signal_threshold=4e4),
    *trials("clean_flicker_noise", FLICKER, autoparam=True, background_method="model", apply_flat_field=True),
    *trials("clean_flicker_noise", FLICKER, n_sigma=1.0, fit_histogram=True, single_mask=False, against="previous"),
    *trials("clean_flicker_noise", FLICKER, weighting="official", save_mask=True, save_background=True),
    *trials("clean_flicker_noise", FLICKER, save_noise=True),
    *trials("clean_flicker_noise", FLICKER, {"background_method": "model"}, background_box_size=(8, 8)),
    *trials("clean_flicker_noise", scenes.flicker_of_amplifiers, fit_by_channel=True),
    *trials("clean_flicker_noise", scenes.flicker_of_nirspec, fit_method="fft", mask_science_regions=True),
    *trials("dark_current", scenes.dark, average_dark_current=3.0, dark_output="mine.fits"),
    *trials("emicorr", WAVES, algorithm="sequential", onthefly_corr_freq=(HERTZ,)),
    *trials("emicorr", WAVES, FOLDING | {"use_n_cycles": None}, nints_to_phase=1),
    *trials("emicorr", WAVES, FOLDING, nbins=8, scale_reference=False, use_n_cycles=None),
    *trials("emicorr", WAVES, {"onthefly_corr_freq": (HERTZ,)}, save_intermediate_results=True),
    *trials("emicorr", scenes.interference([2.0, 6.0, 3.0, 5.0]), fit_ints_separately=True),
    *trials("firstframe", scenes.settling, bright_use_group1=False),
    *trials("guider_cds", scenes.guide_star, noise="official"),
    *trials("jump", STRUCK, rejection_threshold=6.0, flag_4_neighbors=False, statistic="official", minimum_groups=9),
    *trials("jump", STRUCK, max_jump_to_flag_neighbors=100.0, min_jump_to_flag_neighbors=50.0),
    *trials("jump", scenes.struck(3), three_group_rejection_threshold=4.0),
    *trials("jump", scenes.struck(4), four_group_rejection_threshold=4.0),
    *trials("jump", scenes.struck(NFRAMES=4), flag_rests=False),
    *trials("jump", STRUCK, OFFICIAL, min_diffs_single_pass=5),
    *trials("jump", scenes.struck(5, 12, 20), minimum_sigclip_groups=12),
    *trials("jump", scenes.struck(5, 12, 20), {"minimum_sigclip_groups": 12}, only_use_ints=False),
    *trials("jump", STRUCK, AFTER, after_jump_flag_dn1=4000.0, after_jump_flag_time1=0.0),
    *trials("jump", STRUCK, AFTER | {"after_jump_flag_time2": 45.0}, after_jump_flag_dn2=4000.0),
    *trials("jump", STRUCK, AFTER | {"after_jump_flag_dn2": 4000.0}, after_jump_flag_time2=45.0),
    *trials("jump", scenes.snowballs, expand_large_events=True),
    *trials("jump", scenes.snowballs, LARGE, snowball_search="official", min_jump_area=200.0, min_sat_area=60.0),
    *trials("jump", scenes.snowballs, LARGE, sat_required_snowball=False, edge_size=0, expand_factor=3.0),
    *trials("jump", scenes.snowballs, LARGE, max_extended_radius=6, min_sat_radius_extend=9.0, sat_expand=4),
    *trials("jump", scenes.snowballs, LARGE, mask_snowball_core_next_int=False, snowball_time_masked_next_int=30),
    *trials("jump", scenes.shower, find_showers=True),
    *trials("jump", scenes.shower, SHOWERS, max_shower_amplitude=0.05, extend_snr_threshold=2.5, extend_min_area=2000),
    *trials("jump", scenes.shower, SHOWERS, extend_inner_radius=6.0, extend_outer_radius=8.0),
    *trials("jump", scenes.shower, SHOWERS, extend_ellipse_expand_ratio=1.6, time_masked_after_shower=0.0),
    *trials("persistence", WINDOW, persistence_time=40),
    *trials("persistence", WINDOW, OPEN, dn_threshold=400.0, persistence_dnu=True, save_persistence=True),
    *trials("persistence", scenes.traps, OPEN, method="traps"),
    *trials("persistence", scenes.traps, TRAPS, flag_pers_cutoff=None, save_trapsfilled=False),
    *trials("picture_frame", scenes.picture, mask_science_regions=False, n_sigma=1.0, weighting="official"),
    *trials("picture_frame", scenes.picture, save_mask=True, save_correction=True),
    *trials("ramp_fit", scenes.flagged, algorithm="LIKELY", weighting="official", save_opt=True),
    *trials("ramp_fit", scenes.flagged, {"save_opt": True}, opt_name="mine"),
    *trials("ramp_fit", scenes.flagged, suppress_one_group=False, firstgroup=1, lastgroup=6),
    *trials("refpix", scenes.drifting, odd_even_columns=False, use_side_ref_pixels=False, side_smoothing_length=101),
    *trials("refpix", scenes.drifting, side_gain=0.5, siglimit=1.0, refpix_algorithm="sirs"),
    *trials("refpix", scenes.drifting, SIRS, sigreject=1e6, gaussmooth=5.0, halfwidth=3),
    *trials("refpix", scenes.mid_infrared_drift, odd_even_rows=False),
    *trials("refpix", scenes.interleaved, ovr_corr_mitigation_ftr=1e6, preserve_irs2_refpix=True),
    *trials("refpix", scenes.interleaved, irs2_mean_subtraction=True),
    *trials("rscd", scenes.decaying, method="decay"),
    *trials("saturation", scenes.saturating, n_pix_grow_sat=0, use_readpatt=False, partial_search="official"),
]


def outcome(step, scene, **options):
    """What comes out, one number each for arrays, flags, keywords and products; or why the step declined."""
    product, inputs = scene()
    known = {one.name for one in STEPS[step].inputs}
    try:
        result = STEPS[step](product, STEPS[step].params(**options), **{k: v for k, v in inputs.items() if k in known})
    except Skip as reason:
        return {"skipped": str(reason)}
    return dict(digest("", result))


def digest(name, value):
    """Numbers that stand for the arrays and keywords of a product, by their path."""
    if isinstance(value, np.ndarray):
        yield name, (value.shape, hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest())
    elif isinstance(value, Meta):
        yield name, [(k, v) for header in (value.primary, value.sci) for k, v in header.items()]
    elif is_dataclass(value):
        for one in fields(value):
            yield from digest(f"{name}.{one.name}", getattr(value, one.name))
    elif value is not None:
        yield name, repr(value)


@cache
def usual(step, scene, options):
    return outcome(step, scene, **dict(options))


@pytest.mark.parametrize("trial", TRIALS, ids=str)
def test_a_parameter_changes_what_comes_out(trial):
    plain = usual(trial.step, trial.scene, tuple(trial.options.items()))
    changed = outcome(trial.step, trial.scene, **(trial.options | {trial.name: trial.value}))
    assert plain.keys() != changed.keys() or any(plain[name] != changed[name] for name in plain)


@pytest.mark.parametrize("trial", {(t.step, t.scene): t for t in TRIALS}.values(), ids=str)
def test_without_a_change_the_same_comes_out(trial):
    plain = usual(trial.step, trial.scene, tuple(trial.options.items()))
    assert outcome(trial.step, trial.scene, **trial.options) == plain


def test_every_declared_parameter_has_a_trial_and_no_trial_is_of_another():
    declared = {f"{name}.{one}" for name, step in STEPS.items() for one in parameters(step.params)}
    assert {str(trial) for trial in TRIALS} == declared


def test_no_trial_repeats_what_the_options_say():
    for trial in TRIALS:
        default = getattr(STEPS[trial.step].params(**trial.options), trial.name)
        assert default != trial.value, str(trial)
