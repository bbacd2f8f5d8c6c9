"""Say where on the sky each pixel of an image looks.

The distortion reference file, the filter offset and the pointing in the header make a chain of transforms: detector,
V2V3, V2V3 corrected for velocity aberration, sky (ICRS). The product carries it as a gwcs object; its headers carry the
outline (S_REGION) and an approximation with SIP polynomials for software that knows FITS keywords only.
Source: JWST documentation, assign_wcs step.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from gwcs import WCS

from jwrules.errors import CannotRun
from jwrules.products.kinds import Distortion, FilterOffset, Image, Meta, Rate
from jwrules.steps.declare import par, step
from jwrules.wcs import footprint, imaging, sip

log = logging.getLogger("jwrules")


@dataclass(frozen=True, kw_only=True)
class Params:
    """How the approximation in FITS keywords is made."""

    sip_approx: bool = par(True, "write an approximation of the WCS with SIP polynomials to the header")
    sip_max_pix_error: float = par(0.01, "largest error allowed in the approximation", unit="pixel", gt=0)
    sip_degree: int | None = par(None, "degree of the polynomials; none: the lowest that is good enough", ge=1, le=6)
    sip_max_inv_pix_error: float = par(0.01, "largest error allowed in its inverse", unit="pixel", gt=0)
    sip_inv_degree: int | None = par(None, "degree of the inverse; none: the lowest that is good enough", ge=1, le=6)
    sip_npoints: int = par(12, "points along each axis at which the polynomials are fitted", ge=3)


@step(status="S_WCS")
def assign_wcs(
    rate: Rate, params: Params, *, distortion: Distortion, filteroffset: FilterOffset | None = None
) -> Image:
    """Return the image with its WCS; CannotRun for exposures that are no images of the sky."""
    exp_type = rate.meta["EXP_TYPE"]
    if exp_type not in imaging.EXP_TYPES:
        raise CannotRun(f"EXP_TYPE is {exp_type}; this step knows {', '.join(imaging.EXP_TYPES)}")
    offsets = None if filteroffset is None else filteroffset.tree["filters"]
    wcs = imaging.build(rate.meta, rate.data.shape, distortion.tree["model"], offsets)
    return Image(
        meta=with_keywords(rate.meta, wcs, params),
        tables=rate.tables,
        provenance=rate.provenance,
        data=rate.data,
        err=rate.err,
        dq=rate.dq,
        var_poisson=rate.var_poisson,
        var_rnoise=rate.var_rnoise,
        wcs=wcs,
    )


def with_keywords(meta: Meta, wcs: WCS, params: Params) -> Meta:
    """Return the keywords with S_REGION and, where asked for, the SIP approximation of `wcs`."""
    outline = footprint.to_s_region([footprint.corners(wcs)])
    meta = meta.updated_sci(S_REGION=(outline, "spatial extent of the observation"), WCSAXES=2, RADESYS="ICRS")
    if not params.sip_approx:
        return meta
    try:
        header = sip.approximated(
            meta.sci,
            wcs,
            max_pix_error=params.sip_max_pix_error,
            degree=params.sip_degree,
            max_inv_pix_error=params.sip_max_inv_pix_error,
            inv_degree=params.sip_inv_degree,
            npoints=params.sip_npoints,
        )
    except (ValueError, RuntimeError) as reason:
        log.warning("no SIP approximation of the WCS in the header: %s", reason)
        return meta
    return Meta(primary=meta.primary, sci=header, source=meta.source)
