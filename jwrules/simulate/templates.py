"""The observing templates of which stage 1 data are made: a row for each kind of exposure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from jwrules.simulate import instruments
from jwrules.simulate.instruments import GUIDER1, MIRIFULONG, MIRIFUSHORT, NIS, NRCA2, NRCBLONG, NRS1, NRS2
from jwrules.simulate.miri import MIRIMAGE
from jwrules.simulate.nircam import NRCALONG, NRCB1, Band, Detector, Mode, Pointing
from jwrules.simulate.wishes import patterned

SMALL = 1 << 17
"""Pixels of a frame in the size `small`, at most: of larger ones only some rows are read."""
TINY = 1 << 15
"""The same in the size `tiny`."""
DARK_FRAMES = {"MIRI": 30}
"""Length of a dark, 12 frames elsewhere; one that is shorter than the exposure must be extended."""


@dataclass(frozen=True)
class Template:
    """How exposures of an observing template are taken.

    `light` names the picture that falls on the detectors (see `light`); `optics` are keywords, filter and pupil among
    them, `by_detector` those that differ. A variant of another template names that one's `recipe`.
    """

    name: str
    title: str
    exp_type: str
    detectors: tuple[Detector, ...]
    subarray: str
    pattern: str
    groups: int
    integrations: int
    light: str
    optics: Mapping[str, str]
    by_detector: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    series: bool = False
    segments: int = 1
    guiding: str = ""
    recipe: str = ""

    def pointings(self, size: str) -> list[Pointing]:
        """Return what each detector does in this size."""
        return [self._pointing(detector, size) for detector in self.detectors]

    def _pointing(self, detector: Detector, size: str) -> Pointing:
        window = instruments.window(detector.instrument, self.subarray)
        optics: dict[str, Any] = {**self.optics, **self.by_detector.get(detector.name, {})}
        band = replace(NO_BAND, filter=optics.pop("FILTER", ""), pupil=optics.pop("PUPIL", ""))
        return Pointing(
            observation=1,
            detector=detector,
            band=band,
            window=window if size == "full" else instruments.shortened(window, TINY if size == "tiny" else SMALL),
            readout=patterned(detector.instrument, self.pattern, self.groups, self.integrations),
            dithers=((0.0, 0.0),),
            stars=0,
            galaxies=0,
            dark_frames=DARK_FRAMES.get(detector.instrument, 12),
            mode=Mode(self.title, self.exp_type, optics, self.series, self.segments, self.guiding),
        )


NO_BAND = Band("", photmjsr=1.0, sky=0.0, fwhm=2.0, offset=(0.0, 0.0), ab_minus_vega=0.0, pupil="")

GRISM = {"FILTER": "F444W", "PUPIL": "GRISMR"}
PRISM = {"FILTER": "P750L"}
G395H = {"FILTER": "F290LP", "GRATING": "G395H", "LAMP": "NONE"}
BOTH = (NRS1, NRS2)
IFUS = (MIRIFUSHORT, MIRIFULONG)
CHANNELS = {"MIRIFUSHORT": {"CHANNEL": "12"}, "MIRIFULONG": {"CHANNEL": "34"}}
MASKS = {"FILTER": "F335M", "PUPIL": "MASKRND", "CORONMSK": "MASKA335R"}
OPAQUE = {"FILTER": "OPAQUE", "GRATING": "G395H", "LAMP": "NONE", "OPMODE": "NONE"}

# name, title, EXP_TYPE, detectors, subarray, pattern, groups, integrations, light, optics
TABLE = (
    Template("nircam_coronagraphy", "NIRCam Coronagraphic Imaging", "NRC_CORON", (NRCALONG,), "SUB320A335R",
             "MEDIUM8", 5, 2, "ring", MASKS),
    Template("nircam_time_series_imaging", "NIRCam Time Series", "NRC_TSIMAGE", (NRCB1, NRCBLONG), "SUB64P",
             "RAPID", 6, 12, "star", {"PUPIL": "CLEAR"},
             {"NRCB1": {"FILTER": "F210M"}, "NRCBLONG": {"FILTER": "F444W"}}, series=True, segments=2),
    Template("nircam_grism_time_series", "NIRCam Grism Time Series", "NRC_TSGRISM", (NRCALONG,), "SUBGRISM256",
             "RAPID", 6, 9, "spectrum", GRISM, series=True, segments=3),
    Template("nircam_wfss", "NIRCam Wide Field Slitless Spectroscopy", "NRC_WFSS", (NRCALONG,), "FULL",
             "SHALLOW4", 5, 1, "spectra", GRISM),
    Template("nircam_dark", "NIRCam Dark", "NRC_DARK", (NRCA2,), "FULL",
             "SHALLOW4", 5, 2, "none", {"FILTER": "F200W", "PUPIL": "FLAT"}),
    Template("nircam_target_acquisition", "NIRCam Time Series", "NRC_TACQ", (NRCBLONG,), "SUB32TATS",
             "RAPID", 5, 1, "star", {"FILTER": "F335M", "PUPIL": "CLEAR"}),
    Template("niriss_imaging", "NIRISS Imaging", "NIS_IMAGE", (NIS,), "FULL",
             "NIS", 5, 1, "stars", {"FILTER": "CLEAR", "PUPIL": "F150W"}),
    Template("niriss_ami", "NIRISS Aperture Masking Interferometry", "NIS_AMI", (NIS,), "SUB80",
             "NISRAPID", 8, 10, "star", {"FILTER": "F430M", "PUPIL": "NRM"}),
    Template("niriss_soss", "NIRISS Single-Object Slitless Spectroscopy", "NIS_SOSS", (NIS,), "SUBSTRIP256",
             "NISRAPID", 6, 9, "trace", {"FILTER": "CLEAR", "PUPIL": "GR700XD"}, series=True, segments=3),
    Template("niriss_wfss", "NIRISS Wide Field Slitless Spectroscopy", "NIS_WFSS", (NIS,), "FULL",
             "NIS", 5, 1, "spectra", {"FILTER": "GR150R", "PUPIL": "F200W"}),
    Template("niriss_dark", "NIRISS Dark", "NIS_DARK", (NIS,), "FULL",
             "NIS", 5, 2, "none", {"FILTER": "CLEAR", "PUPIL": "F150W"}),
    Template("niriss_target_acquisition", "NIRISS Aperture Masking Interferometry", "NIS_TACQ", (NIS,), "SUBTAAMI",
             "NISRAPID", 5, 1, "star", {"FILTER": "F480M", "PUPIL": "NRM"}),
    Template("nirspec_fixed_slit", "NIRSpec Fixed Slit Spectroscopy", "NRS_FIXEDSLIT", BOTH, "ALLSLITS",
             "NRSRAPID", 6, 1, "spectra", G395H | {"FXD_SLIT": "S200A1", "OPMODE": "FIXEDSLIT"}),
    Template("nirspec_mos", "NIRSpec MultiObject Spectroscopy", "NRS_MSASPEC", BOTH, "FULL",
             "NRS", 5, 1, "spectra", G395H | {"OPMODE": "MSASPEC"}),
    Template("nirspec_ifu", "NIRSpec IFU Spectroscopy", "NRS_IFU", BOTH, "FULL",
             "NRSRAPID", 6, 1, "slices", G395H | {"OPMODE": "IFU"}),
    Template("nirspec_fixed_slit_irs2", "NIRSpec Fixed Slit Spectroscopy", "NRS_FIXEDSLIT", (NRS2,), "FULL",
             "NRSIRS2RAPID", 4, 1, "spectra", G395H | {"FXD_SLIT": "S200A1", "OPMODE": "FIXEDSLIT"},
             recipe="nirspec_fixed_slit"),
    Template("nirspec_mos_irs2", "NIRSpec MultiObject Spectroscopy", "NRS_MSASPEC", (NRS1,), "FULL",
             "NRSIRS2", 4, 1, "spectra", G395H | {"OPMODE": "MSASPEC"}, recipe="nirspec_mos"),
    Template("nirspec_ifu_irs2", "NIRSpec IFU Spectroscopy", "NRS_IFU", (NRS1,), "FULL",
             "NRSIRS2RAPID", 4, 1, "slices", G395H | {"OPMODE": "IFU"}, recipe="nirspec_ifu"),
    Template("nirspec_bright_object_time_series", "NIRSpec Bright Object Time Series", "NRS_BRIGHTOBJ", BOTH, "SUB2048",
             "NRSRAPID", 8, 9, "spectrum", G395H | {"FXD_SLIT": "S1600A1", "OPMODE": "FIXEDSLIT"},
             series=True, segments=3),
    Template("nirspec_prism_time_series", "NIRSpec Bright Object Time Series", "NRS_BRIGHTOBJ", (NRS1,), "SUB512",
             "NRSRAPID", 6, 12, "spectrum",
             {"FILTER": "CLEAR", "GRATING": "PRISM", "LAMP": "NONE", "FXD_SLIT": "S1600A1", "OPMODE": "FIXEDSLIT"},
             series=True, segments=2, recipe="nirspec_bright_object_time_series"),
    Template("nirspec_dark", "NIRSpec Dark", "NRS_DARK", BOTH, "FULL",
             "NRSRAPID", 5, 2, "none", OPAQUE),
    Template("nirspec_target_acquisition", "NIRSpec Bright Object Time Series", "NRS_WATA", (NRS1,), "SUB32",
             "NRSRAPID", 5, 1, "star", {"FILTER": "F140X", "GRATING": "MIRROR", "LAMP": "NONE", "OPMODE": "IMAGE"}),
    Template("fgs_imaging", "FGS External Calibration", "FGS_IMAGE", (GUIDER1,), "FULL",
             "FGS", 5, 1, "stars", {}),
    Template("fgs_dark", "FGS Internal Flat", "FGS_DARK", (GUIDER1,), "FULL",
             "FGSRAPID", 5, 2, "none", {}),
    Template("fgs_guide_star", "FGS Guide Star", "FGS_ID-IMAGE", (GUIDER1,), "FULL",
             "ID", 2, 2, "stars", {}, guiding="id_1_image"),
    Template("fgs_guide_star", "FGS Guide Star", "FGS_ACQ1", (GUIDER1,), "SUB128LL",
             "ACQ1", 2, 6, "star", {}, guiding="acq1"),
    Template("fgs_guide_star", "FGS Guide Star", "FGS_ACQ2", (GUIDER1,), "SUB32LL",
             "ACQ2", 2, 5, "star", {}, guiding="acq2"),
    Template("fgs_guide_star", "FGS Guide Star", "FGS_TRACK", (GUIDER1,), "SUB32DIAG",
             "TRACK", 2, 40, "star", {}, guiding="track"),
    Template("fgs_guide_star", "FGS Guide Star", "FGS_FINEGUIDE", (GUIDER1,), "SUB8LL",
             "FINEGUIDE", 8, 40, "star", {}, guiding="fg"),
    Template("miri_lrs_fixed_slit", "MIRI Low Resolution Spectroscopy", "MIR_LRS-FIXEDSLIT", (MIRIMAGE,), "FULL",
             "FASTR1", 24, 1, "prism", PRISM),
    Template("miri_lrs_slitless", "MIRI Low Resolution Spectroscopy", "MIR_LRS-SLITLESS", (MIRIMAGE,), "SLITLESSPRISM",
             "FASTR1", 20, 6, "prism", PRISM, series=True, segments=2),
    Template("miri_time_series_imaging", "MIRI Imaging", "MIR_IMAGE", (MIRIMAGE,), "SUB64",
             "FASTR1", 20, 8, "star", {"FILTER": "F770W"}, series=True, segments=2),
    Template("miri_mrs", "MIRI Medium Resolution Spectroscopy", "MIR_MRS", IFUS, "FULL",
             "SLOWR1", 20, 1, "slices", {"BAND": "SHORT"}, CHANNELS),
    Template("miri_coronagraphy", "MIRI Coronagraphic Imaging", "MIR_4QPM", (MIRIMAGE,), "MASK1550",
             "FASTR1", 24, 2, "ring", {"FILTER": "F1550C", "CORONMSK": "4QPM_1550"}),
    Template("miri_dark", "MIRI Dark", "MIR_DARKIMG", (MIRIMAGE,), "FULL",
             "FASTR1", 20, 2, "none", {"FILTER": "OPAQUE"}),
    Template("miri_target_acquisition", "MIRI Imaging", "MIR_TACQ", (MIRIMAGE,), "SUB64",
             "FASTR1", 16, 1, "star", {"FILTER": "FND"}),
)  # fmt: skip
BY_NAME: dict[str, list[Template]] = {row.name: [one for one in TABLE if one.name == row.name] for row in TABLE}
