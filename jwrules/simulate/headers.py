"""The header and tables of a raw exposure (documentation: JWST Keyword Dictionary, Science Data Overview)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.time import Time

from jwrules.simulate import irs2
from jwrules.simulate.optics import nominal_area
from jwrules.simulate.program import ABERRATION, PROGRAM, TARGET, Taken

Card = tuple[str, Any, str]
BARYCENTRIC = -214.3
HELIOCENTRIC = -215.1
OPTICS = {
    "CORONMSK": "coronagraph",
    "CHANNEL": "channel of the spectrograph",
    "BAND": "part of the channel",
    "GRATING": "grating",
    "FXD_SLIT": "slit",
    "LAMP": "internal lamp",
    "OPMODE": "mode of operation",
    "MSAMETFL": "what the shutters do",
    "MSAMETID": "entry of that file",
    "FOCUSPOS": "focus",
}
PATTERNS = {"NIRCAM": "INTRAMODULEBOX", "MIRI": "4-POINT-SETS"}


def primary(taken: Taken) -> fits.Header:
    """Return the primary header of the raw exposure."""
    blocks = (_file, _identity, _visit, _target, _instrument, _exposure, _times, _subarray, _dither, _guiding)
    return _header(card for block in blocks for card in block(taken))


def science(taken: Taken) -> fits.Header:
    """Return the header of the SCI extension: times, orbit, pointing and WCS."""
    return _header(card for block in (_science_times, _orbit, _pointing, _wcs) for card in block(taken))


def _header(cards: Iterator[Card]) -> fits.Header:
    header = fits.Header()
    for keyword, value, comment in cards:
        header[keyword] = (value, comment)
    return header


def iso(mjd: float) -> str:
    """Return the date and time, UTC, of an MJD."""
    return str(Time(mjd, format="mjd", scale="utc").isot)


def _spaced(mjd: float) -> str:
    return iso(mjd).replace("T", " ") + "0000"


def end(taken: Taken) -> float:
    """Return the end of the exposure, MJD."""
    return taken.start + taken.duration / 86400


def _seconds(taken: Taken) -> dict[str, float]:
    """Return the times of the readout, in seconds, by keyword."""
    readout, frame = taken.pointing.readout, taken.pointing.window.frame_time
    group = frame * sum(readout.said)
    integration = frame * readout.frames_read
    return {
        "TFRAME": frame,
        "TGROUP": group,
        "EFFINTTM": integration,
        "EFFEXPTM": integration * readout.integrations,
        "TMEASURE": (readout.groups - 1) * group * readout.integrations,
    }


def _file(taken: Taken) -> Iterator[Card]:
    yield "DATE", iso(end(taken) + 0.25), "[UTC] when this file was made"
    yield "ORIGIN", "JWRULES", "who made this file"
    yield "TIMESYS", "UTC", "time system of the keywords"
    yield "TIMEUNIT", "s", "unit of times"
    yield "FILENAME", f"{taken.name}_uncal.fits", "its name"
    yield "FILETYPE", "raw", "kind of data"
    yield "SDP_VER", "simulated", "software that packed the telemetry"
    yield "PRD_VER", "simulated", "project reference database"
    yield "OSS_VER", "simulated", "on-board scripts"
    yield "DATAMODL", taken.pointing.mode.model, "data model"
    yield "TELESCOP", "JWST", "telescope"
    yield "HGA_MOVE", False, "antenna moved during the exposure"
    yield "COMPRESS", False, "compressed on board"


def _identity(taken: Taken) -> Iterator[Card]:
    observation = f"{taken.pointing.observation:03d}"
    start = iso(taken.start)
    yield "TITLE", "Simulated stars and galaxies", "title of the proposal"
    yield "PI_NAME", "Simulator, A.", "principal investigator"
    yield "CATEGORY", "CAL", "kind of program"
    yield "SUBCAT", taken.pointing.detector.instrument, "sub-category"
    yield "DATE-OBS", start[:10], "[UTC] date of the start"
    yield "TIME-OBS", start[11:], "[UTC] time of the start"
    yield "DATE-BEG", start, "[UTC] start of the exposure"
    yield "DATE-END", iso(end(taken)), "[UTC] end of the exposure"
    yield "OBS_ID", f"V{taken.visit}P0000000002101", "programmatic identifier"
    yield "VISIT_ID", taken.visit, "visit"
    yield "PROGRAM", PROGRAM, "program"
    yield "OBSERVTN", observation, "observation"
    yield "VISIT", "001", "visit in the observation"
    yield "VISITGRP", "02", "visit group"
    yield "SEQ_ID", "1", "parallel sequence, 1 is prime"
    yield "ACT_ID", "01", "activity, base 36"
    yield "EXPOSURE", str(taken.number), "exposure request"
    yield "BKGDTARG", False, "target is background"
    yield "TEMPLATE", taken.pointing.mode.template, "observing template"
    yield "OBSLABEL", f"{taken.pointing.band.filter} field", "label of the observation"
    yield "OBSFOLDR", "Simulated", "folder of the observation"


def _visit(taken: Taken) -> Iterator[Card]:
    yield "ENG_QUAL", "OK", "quality of the engineering data"
    yield "ENGQLPTG", "CALCULATED_TRACK_TR_202111", "how the pointing was found"
    yield "VISITYPE", "PRIME_TARGETED_FIXED", "kind of visit"
    yield "VSTSTART", _spaced(taken.start - 0.02), "[UTC] start of the visit"
    yield "VISITSTA", "SUCCESSFUL", "how the visit went"
    yield "NEXPOSUR", len(taken.pointing.dithers), "exposures planned in the visit"
    yield "INTARGET", False, "internal target in the visit"
    yield "TARGOOPP", False, "target of opportunity"
    yield "TSOVISIT", taken.pointing.mode.series, "time series"
    yield "EXP_ONLY", False, "no configuration of the instrument"
    yield "CROWDFLD", False, "crowded guide field"


def _target(taken: Taken) -> Iterator[Card]:
    ra, dec = TARGET
    yield "TARGPROP", "SIMULATED-FIELD", "name in the proposal"
    yield "TARGNAME", "SIMULATED-FIELD", "name in catalogues"
    yield "TARGTYPE", "FIXED", "kind of target"
    yield "TARG_RA", ra, "[deg] right ascension"
    yield "TARG_DEC", dec, "[deg] declination"
    yield "TARGURA", 0.1, "[arcsec] uncertainty"
    yield "TARGUDEC", 0.1, "[arcsec] uncertainty"
    yield "MU_RA", 0.0, "[arcsec/yr] proper motion"
    yield "MU_DEC", 0.0, "[arcsec/yr] proper motion"
    yield "MU_EPOCH", "2016-01-01 00:00:00.0000000", "epoch of the proper motion"
    yield "PROP_RA", ra, "[deg] right ascension in the proposal"
    yield "PROP_DEC", dec, "[deg] declination in the proposal"


def _instrument(taken: Taken) -> Iterator[Card]:
    detector, band = taken.pointing.detector, taken.pointing.band
    yield "INSTRUME", detector.instrument, "instrument"
    yield "DETECTOR", detector.name, "detector"
    if detector.module:
        yield "MODULE", detector.module, "module"
    if detector.channel:
        yield "CHANNEL", detector.channel, "channel"
    if band.filter:
        yield "FILTER", band.filter, "filter wheel"
    if band.pupil:
        yield "PUPIL", band.pupil, "pupil wheel"
    if detector.instrument == "NIRCAM":
        yield "PILIN", False, "pupil imaging lens in the beam"
    optics = {"CORONMSK": "NONE"} | dict(taken.pointing.mode.optics)
    for keyword, value in optics.items():
        yield keyword, value, OPTICS[keyword]


def _exposure(taken: Taken) -> Iterator[Card]:
    readout, seconds = taken.pointing.readout, _seconds(taken)
    yield "EXPCOUNT", taken.number, "running count in the visit"
    yield "EXPRIPAR", "PRIME", "prime or parallel"
    yield "EXP_TYPE", taken.pointing.mode.exp_type, "kind of exposure"
    yield "EXPSTART", taken.start, "[d] start, MJD UTC"
    yield "EXPMID", (taken.start + end(taken)) / 2, "[d] middle, MJD UTC"
    yield "EXPEND", end(taken), "[d] end, MJD UTC"
    yield "READPATT", readout.pattern, "readout pattern"
    is_interleaved = readout.pattern in irs2.PATTERNS
    yield "NOUTPUTS", taken.pointing.window.outputs + is_interleaved, "outputs of the detector in use"
    if is_interleaved:
        yield "NRS_NORM", irs2.Clock().normal, "pixels between reference pixels (IRS2)"
        yield "NRS_REF", irs2.Clock().reference, "reference pixels that follow each other (IRS2)"
    yield "NINTS", readout.integrations, "integrations"
    yield "NGROUPS", readout.groups, "groups in an integration"
    yield "NFRAMES", readout.said[0], "frames averaged in a group"
    yield "FRMDIVSR", readout.frames, "divisor of the average"
    yield "GROUPGAP", readout.said[1], "frames dropped between groups"
    yield "DRPFRMS1", 0, "frames dropped before the first integration"
    yield "DRPFRMS3", 0, "frames dropped between integrations"
    yield "INTSTART", taken.integrations[0] + 1, "first integration in this file"
    yield "INTEND", taken.integrations[-1] + 1, "last integration in this file"
    if taken.segment:
        yield "EXSEGNUM", taken.segment, "number of this file of the exposure"
        yield "EXSEGTOT", taken.pointing.mode.segments, "files of the exposure"
    yield "NSAMPLES", readout.samples, "samples of a pixel"
    yield "TSAMPLE", 10.0, "[us] between samples"
    yield "TFRAME", seconds["TFRAME"], "[s] between frames"
    yield "TGROUP", seconds["TGROUP"], "[s] between groups"
    yield "EFFINTTM", seconds["EFFINTTM"], "[s] an integration"
    yield "EFFEXPTM", seconds["EFFEXPTM"], "[s] all integrations"
    yield "TMEASURE", seconds["TMEASURE"], "[s] first to last group, all integrations"
    yield "DURATION", taken.duration, "[s] whole exposure"
    yield "NRSTSTRT", 1, "resets at the start"
    yield "NRESETS", 1, "resets between integrations"
    yield "ZEROFRAM", taken.pointing.extras.zeroframe, "first frame sent by itself"
    yield "DATAPROB", False, "problem in the telemetry"
    yield "SCA_NUM", taken.pointing.detector.number, "number of the detector"
    yield "DATAMODE", 0, "processing on board"


def _times(taken: Taken) -> Iterator[Card]:
    for prefix, delay in (("B", BARYCENTRIC), ("H", HELIOCENTRIC)):
        where = "barycentre" if prefix == "B" else "heliocentre"
        yield ("BARTDELT" if prefix == "B" else "HELIDELT"), delay, f"[s] to the {where}"
        for name, mjd in (("STRTIME", taken.start), ("MIDTIME", _middle(taken)), ("ENDTIME", end(taken))):
            yield prefix + name, mjd + delay / 86400, f"[d] MJD at the {where}"


def _middle(taken: Taken) -> float:
    return (taken.start + end(taken)) / 2


def _subarray(taken: Taken) -> Iterator[Card]:
    window, detector = taken.pointing.window, taken.pointing.detector
    yield "SUBARRAY", window.name, "subarray"
    yield "SUBSTRT1", window.x0 + 1, "first pixel, axis 1"
    yield "SUBSTRT2", window.y0 + 1, "first pixel, axis 2"
    yield "SUBSIZE1", window.nx, "pixels, axis 1"
    yield "SUBSIZE2", window.ny, "pixels, axis 2"
    yield "FASTAXIS", detector.fast, "axis read fast"
    yield "SLOWAXIS", detector.slow, "axis read slowly"
    aperture = f"{detector.name}_{window.name}"
    yield "APERNAME", aperture, "aperture"
    yield "PPS_APER", aperture, "aperture asked for"


def _dither(taken: Taken) -> Iterator[Card]:
    count = len(taken.pointing.dithers)
    x, y = taken.pointing.dithers[taken.number - 1]
    yield "PATTTYPE", PATTERNS.get(taken.pointing.detector.instrument, "NONE"), "primary dither"
    yield "PRIDTYPE", str(count), "primary dither points"
    yield "PRIDTPTS", count, "primary dither points"
    yield "PATT_NUM", taken.number, "position in the pattern"
    yield "NUMDTHPT", count, "positions in the pattern"
    yield "PATTSTRT", 1, "first position of the pattern"
    yield "SUBPXPTS", 1, "subpixel dither points"
    yield "SUBPXPAT", "STANDARD", "subpixel dither"
    yield "XOFFSET", x, "[arcsec] from the start of the pattern"
    yield "YOFFSET", y, "[arcsec] from the start of the pattern"


def _guiding(taken: Taken) -> Iterator[Card]:
    attitude = taken.nominal
    yield "VA_RA", attitude.ra + 2.1e-3, "[deg] apparent right ascension"
    yield "VA_DEC", attitude.dec - 1.3e-3, "[deg] apparent declination"
    yield "GS_ORDER", 1, "guide star tried"
    yield "GSSTRTTM", _spaced(taken.start - 0.012), "[UTC] start of guiding"
    yield "GSENDTIM", _spaced(taken.start - 0.010), "[UTC] end of acquisition"
    yield "GDSTARID", "SIM000001", "guide star"
    yield "GS_RA", TARGET[0] + 0.05, "[deg] guide star"
    yield "GS_DEC", TARGET[1] + 0.06, "[deg] guide star"
    yield "GS_MAG", 15.1, "[mag] guide star"
    yield "PCS_MODE", "FINEGUIDE", "pointing control"
    yield "VISITEND", _spaced(end(taken) + 0.02), "[UTC] end of the visit"


def _science_times(taken: Taken) -> Iterator[Card]:
    shift = BARYCENTRIC / 86400
    yield "MJD-BEG", taken.start, "[d] start, UTC"
    yield "MJD-AVG", _middle(taken), "[d] middle, UTC"
    yield "MJD-END", end(taken), "[d] end, UTC"
    yield "TDB-BEG", taken.start + shift, "[d] start, TDB at the barycentre"
    yield "TDB-MID", _middle(taken) + shift, "[d] middle, TDB at the barycentre"
    yield "TDB-END", end(taken) + shift, "[d] end, TDB at the barycentre"
    yield "XPOSURE", _seconds(taken)["EFFEXPTM"], "[s] effective exposure time"
    yield "TELAPSE", taken.duration, "[s] elapsed time"


def _orbit(taken: Taken) -> Iterator[Card]:
    yield "REFFRAME", "EME2000", "frame of the ephemeris"
    yield "EPH_TYPE", "Predicted", "definitive or predicted"
    yield "EPH_TIME", _middle(taken), "[d] MJD of the ephemeris"
    for axis, place, speed in zip("XYZ", (-1.478e8, 1.56e7, 6.7e6), (-3.1, -27.4, -11.9), strict=True):
        yield f"JWST_{axis}", place, "[km] barycentric place"
        yield f"OBSGEO-{axis}", place * 10, "[m] geocentric place"
        yield f"JWST_D{axis}", speed, "[km/s] barycentric velocity"
        yield f"OBSGEOD{axis}", speed * 10, "[m/s] geocentric velocity"


def _pointing(taken: Taken) -> Iterator[Card]:
    axis = taken.nominal.to_sky(np.zeros(1), np.zeros(1))
    detector = taken.pointing.detector
    yield "PA_APER", (taken.nominal.roll + detector.yang) % 360, "[deg] position angle of the aperture"
    yield "VA_SCALE", ABERRATION, "velocity aberration scale factor"
    yield "BUNIT", "DN", "unit of the array"
    yield "RADESYS", "ICRS", "frame of the coordinates"
    yield "RA_V1", float(axis[0][0]), "[deg] right ascension of V1"
    yield "DEC_V1", float(axis[1][0]), "[deg] declination of V1"
    yield "PA_V3", taken.nominal.roll_at(0.0, 0.0), "[deg] position angle of V3 at V1"


def _wcs(taken: Taken) -> Iterator[Card]:
    attitude, window, detector = taken.nominal, taken.pointing.window, taken.pointing.detector
    scale = np.sqrt(nominal_area(detector)) / 3600
    angle = np.radians(attitude.roll + detector.yang)
    parity = detector.parity
    yield "WCSAXES", 2, "axes"
    yield "CRPIX1", (window.nx + 1) / 2, "reference pixel, axis 1"
    yield "CRPIX2", (window.ny + 1) / 2, "reference pixel, axis 2"
    yield "CRVAL1", attitude.ra, "[deg] right ascension there"
    yield "CRVAL2", attitude.dec, "[deg] declination there"
    for axis, name in ((1, "RA---TAN"), (2, "DEC--TAN")):
        yield f"CTYPE{axis}", name, "projection"
        yield f"CUNIT{axis}", "deg", "unit"
        yield f"CDELT{axis}", scale, "[deg] pixel"
    yield "PC1_1", parity * np.cos(angle), "rotation"
    yield "PC1_2", np.sin(angle), "rotation"
    yield "PC2_1", -parity * np.sin(angle), "rotation"
    yield "PC2_2", np.cos(angle), "rotation"
    yield "S_REGION", _footprint(taken), "outline on the sky"
    yield "V2_REF", attitude.v2, "[arcsec] V2 of the reference point"
    yield "V3_REF", attitude.v3, "[arcsec] V3 of the reference point"
    yield "VPARITY", parity, "handedness of the ideal frame"
    yield "V3I_YANG", detector.yang, "[deg] from V3 to ideal y"
    yield "RA_REF", attitude.ra, "[deg] right ascension of the reference point"
    yield "DEC_REF", attitude.dec, "[deg] declination of the reference point"
    yield "ROLL_REF", attitude.roll, "[deg] position angle of V3 there"
    yield "VELOSYS", -8123.4, "[m/s] towards the barycentre"


def _footprint(taken: Taken) -> str:
    nx, ny = taken.pointing.window.nx, taken.pointing.window.ny
    corners = np.array([[-0.5, nx - 0.5, nx - 0.5, -0.5], [-0.5, -0.5, ny - 0.5, ny - 0.5]])
    places = np.transpose(taken.claimed.to_sky(*corners)).ravel()
    return "POLYGON ICRS  " + " ".join(f"{place:.9f}" for place in places)
