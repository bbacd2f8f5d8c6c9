"""The keywords that reference files are chosen by: their names, and which of them count for which type of file."""

from __future__ import annotations

from types import MappingProxyType

# FITS keyword -> its place in the metadata of the official data models, which ASDF files and CRDS spell out
# (schemas of the package stdatamodels).
PATHS = MappingProxyType(
    {
        "TELESCOP": "telescope",
        "REFTYPE": "reftype",
        "USEAFTER": "useafter",
        "INSTRUME": "instrument.name",
        "DETECTOR": "instrument.detector",
        "CHANNEL": "instrument.channel",
        "MODULE": "instrument.module",
        "BAND": "instrument.band",
        "FILTER": "instrument.filter",
        "PUPIL": "instrument.pupil",
        "GRATING": "instrument.grating",
        "CORONMSK": "instrument.coronagraph",
        "LAMP": "instrument.lamp_state",
        "OPMODE": "instrument.lamp_mode",
        "EXP_TYPE": "exposure.type",
        "READPATT": "exposure.readpatt",
        "NOUTPUTS": "exposure.noutputs",
        "SUBARRAY": "subarray.name",
        "SUBSTRT1": "subarray.xstart",
        "SUBSTRT2": "subarray.ystart",
        "SUBSIZE1": "subarray.xsize",
        "SUBSIZE2": "subarray.ysize",
        "TSOVISIT": "visit.tsovisit",
        "VISITYPE": "visit.type",
        "CROWDFLD": "visit.crowded_field",
        "DATE-OBS": "observation.date",
        "TIME-OBS": "observation.time",
    }
)

# Keyword -> the one that lists its alternatives in a reference file, and the place of that one.
PATTERNS = MappingProxyType(
    {
        "EXP_TYPE": ("P_EXP_TY", "exposure.p_exptype"),
        "READPATT": ("P_READPA", "exposure.p_readpatt"),
        "SUBARRAY": ("P_SUBARR", "subarray.p_subarray"),
        "DETECTOR": ("P_DETECT", "instrument.p_detector"),
        "CHANNEL": ("P_CHANNE", "instrument.p_channel"),
        "MODULE": ("P_MODULE", "instrument.p_module"),
        "BAND": ("P_BAND", "instrument.p_band"),
        "FILTER": ("P_FILTER", "instrument.p_filter"),
        "PUPIL": ("P_PUPIL", "instrument.p_pupil"),
        "GRATING": ("P_GRATIN", "instrument.p_grating"),
        "CORONMSK": ("P_CORONM", "instrument.p_coronagraph"),
    }
)

_NO_SELECTOR = {"TELESCOP", "REFTYPE", "USEAFTER", "INSTRUME", "DATE-OBS", "TIME-OBS"}
SELECTORS = tuple(keyword for keyword in PATHS if keyword not in _NO_SELECTOR)

_CORNERS = "SUBSTRT1 SUBSTRT2 SUBSIZE1 SUBSIZE2"
_READOUT = "DETECTOR READPATT SUBARRAY"
_OPTICS = "DETECTOR FILTER PUPIL"

# Type -> keywords that count, for all instruments ("*") or for one (the mappings of CRDS; documentation of the
# reference files, "selection keywords"). A real file has more keywords than these: those of the data that it was made
# from, which say nothing about the exposures that it is for.
_BY_TYPE = {
    "mask": {
        "*": "DETECTOR SUBARRAY",
        "FGS": "DETECTOR SUBARRAY EXP_TYPE",
        "NIRSPEC": "DETECTOR SUBARRAY READPATT",
    },
    "saturation": {"*": "DETECTOR", "NIRSPEC": "DETECTOR SUBARRAY"},
    "ipc": {"*": "DETECTOR"},
    "superbias": {"*": _READOUT, "NIRSPEC": f"{_READOUT} {_CORNERS}"},
    "refpix": {"*": "DETECTOR READPATT"},
    "linearity": {"*": "DETECTOR SUBARRAY", "MIRI": "DETECTOR SUBARRAY BAND FILTER"},
    "dark": {
        "*": _READOUT,
        "NIRCAM": "DETECTOR EXP_TYPE NOUTPUTS SUBARRAY",
        "NIRSPEC": f"{_READOUT} {_CORNERS}",
    },
    "reset": {"*": _READOUT},
    "rscd": {"*": "DETECTOR"},
    "emicorr": {"*": ""},
    "sirskernel": {"*": ""},
    "pictureframe": {"*": "DETECTOR"},
    "trapdensity": {"*": "DETECTOR"},
    "trappars": {"*": "DETECTOR"},
    "persat": {"*": "DETECTOR"},
    "gain": {"*": "DETECTOR SUBARRAY"},
    "readnoise": {"*": _READOUT},
    "flat": {
        "*": _OPTICS,
        "FGS": "DETECTOR EXP_TYPE",
        "MIRI": "DETECTOR FILTER BAND READPATT SUBARRAY",
        "NIRSPEC": "DETECTOR FILTER GRATING EXP_TYPE",
    },
    "fflat": {"*": "GRATING FILTER EXP_TYPE"},
    "sflat": {"*": "DETECTOR FILTER GRATING EXP_TYPE LAMP OPMODE"},
    "dflat": {"*": "DETECTOR EXP_TYPE"},
    "photom": {"*": "DETECTOR", "MIRI": "DETECTOR BAND", "NIRSPEC": "EXP_TYPE"},
    "area": {
        "*": f"{_OPTICS} EXP_TYPE",
        "FGS": "DETECTOR",
        "MIRI": "DETECTOR FILTER EXP_TYPE",
        "NIRSPEC": "DETECTOR FILTER GRATING EXP_TYPE",
    },
    "bkg": {"*": f"{_OPTICS} EXP_TYPE"},
    "distortion": {
        "FGS": "DETECTOR EXP_TYPE",
        "MIRI": "DETECTOR EXP_TYPE CHANNEL BAND",
        "NIRCAM": "DETECTOR EXP_TYPE CHANNEL FILTER PUPIL",
        "NIRISS": "EXP_TYPE PUPIL FILTER",
    },
    "filteroffset": {"MIRI": "DETECTOR EXP_TYPE SUBARRAY", "NIRCAM": "CHANNEL MODULE", "NIRISS": "EXP_TYPE"},
    "specwcs": {
        "MIRI": "DETECTOR EXP_TYPE CHANNEL BAND SUBARRAY",
        "NIRCAM": "EXP_TYPE MODULE PUPIL FILTER",
        "NIRISS": "EXP_TYPE FILTER PUPIL SUBARRAY",
    },
    "regions": {"MIRI": "DETECTOR EXP_TYPE CHANNEL BAND", "NIRCAM": "EXP_TYPE SUBARRAY DETECTOR"},
    "wavelengthrange": {"*": "EXP_TYPE"},
    "apcorr": {"*": "EXP_TYPE", "NIRSPEC": "EXP_TYPE FILTER GRATING LAMP OPMODE"},
    "abvegaoffset": {"*": ""},
    "psfmask": {"*": "FILTER CORONMSK SUBARRAY"},
    "throughput": {"*": "FILTER"},
    "nrm": {"*": "EXP_TYPE"},
    "fringe": {"*": "DETECTOR BAND"},
}


def selectors(reftype: str, instrument: str) -> tuple[str, ...]:
    """Return the keywords that count in choosing a file of this type: every one that is known where none are listed."""
    by_instrument = _BY_TYPE.get(reftype, {})
    listed = by_instrument.get(instrument, by_instrument.get("*"))
    return SELECTORS if listed is None else tuple(listed.split())
