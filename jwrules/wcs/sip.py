"""The approximation of a WCS by FITS keywords: a tangent plane with SIP polynomials, for readers without gwcs.

Source: Shupe et al. 2005, ASP Conf. Ser. 347, 491; JWST documentation, assign_wcs step.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Sequence

from astropy.io.fits import Header
from gwcs import WCS

log = logging.getLogger("jwrules")

MAX_DEGREE = 6
_LINEAR = re.compile(r"^(WCSAXES|CRPIX\d|CRVAL\d|CDELT\d|CTYPE\d|CUNIT\d|PC\d_\d|CD\d_\d|LONPOLE|LATPOLE)$")
_SIP = re.compile(r"^([AB]P?_(ORDER|\d_\d)|SIP(MX|IV)ERR)$")
_NOT_KEPT = {"WCSNAME", "MJDREF", "NAXIS", "NAXIS1", "NAXIS2"}


def approximated(
    header: Header,
    wcs: WCS,
    *,
    max_pix_error: float | None = 0.01,
    degree: int | None = None,
    max_inv_pix_error: float | None = 0.01,
    inv_degree: int | None = None,
    npoints: int = 12,
) -> Header:
    """Return a copy of `header` whose WCS keywords approximate `wcs` inside of its bounding box.

    The reference pixel is that of CRPIX1, CRPIX2 in `header`, else the middle. Without `degree` (`inv_degree`) the
    lowest one up to 6 is taken whose largest error is below `max_pix_error` (`max_inv_pix_error`) pixels; without
    `max_inv_pix_error` there is no inverse. SIPMXERR and SIPIVERR tell the errors reached. An accuracy that no degree
    reaches is logged. Raises ValueError where nothing can be fitted.
    """
    crpix = [header.get("CRPIX1"), header.get("CRPIX2")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = wcs.to_fits_sip(
            max_pix_error=max_pix_error,
            degree=_degrees(degree),
            max_inv_pix_error=max_inv_pix_error,
            inv_degree=_degrees(inv_degree),
            npoints=npoints,
            crpix=None if None in crpix else crpix,
        )
    for warning in caught:
        log.warning("SIP approximation of the WCS: %s", warning.message)
    return replaced(header, fitted)


def replaced(header: Header, wcs_keywords: Header) -> Header:
    """Return a copy of `header` in which the WCS keywords, linear and SIP, are those of `wcs_keywords` alone."""
    result = header.copy()
    for keyword in [k for k in result if _LINEAR.match(k) or _SIP.match(k)]:
        del result[keyword]
    for card in wcs_keywords.cards:
        if card.keyword not in _NOT_KEPT:
            result[card.keyword] = (card.value, card.comment)
    return result


def _degrees(degree: int | None) -> int | Sequence[int]:
    return range(1, MAX_DEGREE + 1) if degree is None else degree
