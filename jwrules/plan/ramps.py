"""What can be seen of raw exposures before anything runs: they are complete and hold the ramps that they promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jwrules import headers
from jwrules.errors import DataFault

_GUIDING = ("FGS_ID", "FGS_ACQ", "FGS_TRACK", "FGS_FINEGUIDE")
"""Exposures of guide stars: what their arrays hold is not told by NINTS and NGROUPS."""


def read(path: Path) -> headers.Header:
    """Return the primary header of a raw exposure, in one pass over its headers; raises as `inspect`."""
    hdus = headers.complete(path)
    inspect(path, hdus[0].header, hdus)
    return hdus[0].header


def inspect(path: Path, header: Mapping[str, Any], hdus: Sequence[headers.Hdu]) -> None:
    """Raise DataFault or HeaderFault where a raw exposure lacks SCI, or has other NINTS or NGROUPS there.

    `header` is the primary one. The pixels are not read.
    """
    array = headers.find(hdus, "SCI", path).header
    if str(header.get("EXP_TYPE")).startswith(_GUIDING) or array.get("NAXIS") != 4:
        return
    for keyword, axis, promised in (
        ("NINTS", "NAXIS4", _integrations(header)),
        ("NGROUPS", "NAXIS3", header.get("NGROUPS")),
    ):
        if promised is not None and promised != array[axis]:
            raise DataFault(
                f"{path}: {keyword} promises {promised}, but SCI holds {array[axis]} ({axis}); the file is damaged or "
                "its header was edited: get the file again"
            )


def _integrations(header: Mapping[str, Any]) -> Any:
    """Return how many integrations the file promises: those of the exposure, or of its segment."""
    if (header.get("EXSEGTOT") or 1) > 1:
        return header["INTEND"] - header["INTSTART"] + 1
    return header.get("NINTS")
