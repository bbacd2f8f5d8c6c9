"""Take off the drifts of the readout, as the reference pixels of the detector show them.

Each of the four amplifiers reads 512 columns (in the order of readout, which FASTAXIS and SLOWAXIS tell). The
reference pixels in the first and the last four rows give a clipped mean per amplifier, of even and odd columns apart;
those in the first and the last four columns of the rows, by a running median over rows, give the drift along the
readout. With `refpix_algorithm: sirs` full frames get the latter by kernels that the sirskernel file has for each
amplifier; without that file, or the detector in it, the median serves. A subarray uses the reference pixels that it
holds; one read by a single amplifier uses all of them together (SUB512, SUB512S and SUB32 of NIRSpec their first and
last four columns). Without any there is nothing to do. The detectors of MIRI have reference pixels at the ends of the
rows alone, and outputs that read every fourth column: what an output has drifted since the first group is a clipped
mean over the rows, even and odd ones apart; in a subarray nothing is done.

A multistripe subarray uses all the reference pixels that it holds, by amplifier and, along the readout, by even and odd
columns; an amplifier that lacks them is left alone. Of a superstripe exposure each stripe uses its own, and then takes
its place in a frame of the detector; lines that were never read are NaN and REFERENCE_PIXEL. (The official step takes
the reference pixels of all stripes to lie where the first one has them.)

The frames of NIRSpec in IRS2 readout hold a reference output and reference pixels among the light. Suspect ones are
sought in the whole exposure and replaced by those around, as are those that the refpix file lists. A straight line in
time is taken off what each output differs from its mean over the integration; then, wave by wave, what light shares
with the reference output and the reference pixels by the weights of that file. What is left are frames of the detector,
unless `preserve_irs2_refpix` is set. Three things differ from the official step: a pixel that happens to equal its
mean is corrected like any other; a flag on a pixel that sees light does not condemn its row; a reference pixel that the
file lists never stands in for another one. Source: JWST documentation, CALWEBB_DETECTOR1, reference pixel correction;
Rauscher et al. 2017, PASP 129, 105003.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from jwrules.errors import CannotRun
from jwrules.kernels import irs2, irs2_means, irs2_suspects, refpix_interleaved, refpix_sets
from jwrules.kernels.irs2_layout import Layout
from jwrules.products.flags import DQ
from jwrules.products.interleaved import blocks_of, is_interleaved, layout_of, listed_rows, spectral_weights
from jwrules.products.kinds import Ramp, Refpix, SirsKernel
from jwrules.products.stripes import is_superstriped, stripes_of
from jwrules.products.superstripes import put_together
from jwrules.steps.declare import Part, Skip, par, step
from jwrules.steps.parts import reference_edges

BORDER = refpix_sets.BORDER
MIRI_COLUMNS = 1032
"""Columns of the detectors of MIRI, the reference pixels at both ends included."""


@dataclass(frozen=True, kw_only=True)
class Params:
    """What is told apart, how the drift along the readout is smoothed, and what becomes of interleaved pixels."""

    odd_even_columns: bool = par(True, "measure even and odd columns apart")
    use_side_ref_pixels: bool = par(True, "take off the drift along the readout too")
    side_smoothing_length: int = par(11, "rows of the running median; an even number counts as the next odd one", ge=1)
    side_gain: float = par(1.0, "factor on the drift along the readout")
    odd_even_rows: bool = par(True, "measure even and odd rows apart (MIRI)")
    ovr_corr_mitigation_ftr: float = par(3.0, "excess from which on reference pixels are suspect", unit="sigma", gt=0)
    preserve_irs2_refpix: bool = par(False, "keep the interleaved reference pixels")
    irs2_mean_subtraction: bool = par(False, "first take off the mean of the first and last lines of each output")
    refpix_algorithm: str = par("median", "how the drift along the readout is found", choices=("median", "sirs"))
    sigreject: float = par(4.0, "deviation beyond which side pixels are left out (sirs)", unit="sigma", gt=0)
    gaussmooth: float = par(1.0, "width of the Gaussian that smooths the kernels (sirs)", unit="pixel", gt=0)
    halfwidth: int = par(30, "half the length of the kernels (sirs)", unit="pixel", ge=1)
    siglimit: float = par(3.0, "deviation beyond which reference pixels are left out", unit="sigma", gt=0)


def _measure(ramp: Ramp, params: Params, *, sirskernel: SirsKernel | None = None) -> Ramp:
    """Return the ramp with notes of what its rows and columns are too high, in every group."""
    if layout := layout_of(ramp.meta, ramp.pixeldq.shape):
        return _note_suspects(ramp, params, layout)
    if ramp.meta.get("INSTRUME") == "MIRI":
        return _measure_interleaved(ramp, params)
    if is_superstriped(ramp.meta):
        return ramp
    return reference_edges.note(ramp, params, sirskernel)


def _measure_interleaved(ramp: Ramp, params: Params) -> Ramp:
    """Note what each output of a detector of MIRI has drifted since the first group of the integration."""
    nints, ngroups, ny, nx = ramp.data.shape
    if nx != MIRI_COLUMNS:
        raise Skip(f"a subarray of {nx} columns does not hold the reference pixels of {MIRI_COLUMNS}")
    blind = np.r_[:BORDER, nx - BORDER : nx]
    usable = (ramp.pixeldq[:, blind] & np.uint32(DQ.DO_NOT_USE)) == 0
    since_first = (ramp.data[..., blind] - ramp.data[:, :1][..., blind]).reshape(nints * ngroups, ny, 2 * BORDER)
    excess = refpix_interleaved.drifts(since_first, usable, 2 if params.odd_even_rows else 1, params.siglimit)
    if np.isnan(excess).any():
        raise Skip("there are outputs without usable reference pixels")
    return ramp.noting("excess", excess.reshape(nints, ngroups, *excess.shape[1:]), "ig--")


def _note_suspects(ramp: Ramp, params: Params, layout: Layout) -> Ramp:
    """Note which rows of the frames hold reference pixels that are suspect in any integration so far."""
    known = ((ramp.pixeldq & np.uint32(DQ.BAD_REF_PIXEL)) != 0).any(axis=1)
    bad = ramp.notes["bad"].array if "bad" in ramp.notes else np.zeros(layout.rows, bool)
    for frames in ramp.data:
        bad = bad | irs2_suspects.suspects(frames, layout, known, params.ovr_corr_mitigation_ftr)
    return ramp.noting("bad", bad, "-")


@step(
    status="S_REFPIX",
    blind_to_flags=True,
    along=blocks_of,
    awaited=is_superstriped,
    before=[Part(_measure, along="frames", awaited=is_interleaved, changes="nothing")],
    wants={
        "refpix": {"INSTRUME": "NIRSPEC", "READPATT": ["NRSIRS2", "NRSIRS2RAPID"]},
        "sirskernel": {"refpix_algorithm": "sirs", "use_side_ref_pixels": True},
    },
)
def refpix(ramp: Ramp, params: Params, *, refpix: Refpix | None = None) -> Ramp:
    """Return the ramp with every group and the first frames corrected (DN)."""
    if is_superstriped(ramp.meta):
        return _put_together(ramp, params)
    notes = {name: note.array for name, note in ramp.notes.items()}
    if layout := layout_of(ramp.meta, ramp.pixeldq.shape):
        return _correct_among_light(ramp, params, layout, notes["bad"], refpix)
    if "excess" in notes:
        planes = ramp.data.reshape(-1, *ramp.pixeldq.shape)
        excess = notes["excess"].reshape(len(planes), *notes["excess"].shape[2:])
        refpix_interleaved.subtract(planes, excess, ramp.corner[1:])
    else:
        reference_edges.subtract(ramp, notes)
    return ramp


def _put_together(ramp: Ramp, params: Params) -> Ramp:
    """Return the ramp with frames of the detector, each superstripe corrected by its own reference pixels."""

    def correct(frame: Ramp) -> Ramp:
        frame = replace(frame, meta=frame.meta.without("SSTR_NST"))
        try:
            return refpix.function(_measure(frame, params), params)
        except Skip:
            return frame  # its lines hold none, those of others may

    stripes = stripes_of(ramp.meta, ramp.pixeldq.shape)
    assert stripes is not None
    return put_together(ramp, stripes, correct)


def _correct_among_light(ramp: Ramp, params: Params, layout: Layout, bad: np.ndarray, refpix: Refpix | None) -> Ramp:
    """Return the ramp with frames of the detector, corrected by the reference output and pixels among the light."""
    if refpix is None:
        raise CannotRun("there is no reference file of type 'refpix', which frames in IRS2 readout need")
    ramp.pixeldq[bad] |= np.uint32(DQ.BAD_REF_PIXEL | DQ.DO_NOT_USE)
    if params.irs2_mean_subtraction:
        usable = (ramp.pixeldq & np.uint32(DQ.DO_NOT_USE)) == 0
        irs2_means.subtract(ramp.data, usable, layout, params.odd_even_columns, params.siglimit)
    taken = irs2_suspects.replacements(bad | listed_rows(refpix, layout), layout)
    correction = irs2.Correction(layout, taken, spectral_weights(refpix, layout), keep=params.preserve_irs2_refpix)
    rows = correction.kept
    return replace(
        ramp,
        data=correction.apply(ramp.data),
        pixeldq=ramp.pixeldq[rows],
        groupdq=irs2.packed(ramp.groupdq, rows),
        zeroframe=None if ramp.zeroframe is None else ramp.zeroframe[:, rows],
    )
