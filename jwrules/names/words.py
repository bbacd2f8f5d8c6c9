"""The words that stand in names: detectors, instruments, optical elements, suffixes, and patterns for Snakemake."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DETECTORS = (
    *(f"nrc{module}{number}" for module in "ab" for number in (1, 2, 3, 4, "long")),
    *("nrs1", "nrs2", "nis", "mirimage", "mirifulong", "mirifushort", "guider1", "guider2"),
)

INSTRUMENTS = ("nircam", "niriss", "nirspec", "miri", "fgs")

ASSOCIATION_TYPES = (
    *("image2", "spec2", "tso-image2", "tso-spec2", "nrslamp-spec2", "wfs-image2"),
    *("image3", "spec3", "coron3", "ami3", "tso3", "wfs-image3"),
)

OPTICAL_ELEMENTS = _words(
    """
    clear clearp flat flens fnd opaque f070w f070lp f090w f100lp f110w f115w f140m f140x f150w f150w2 f158m f162m f164n
    f170lp f182m f187n f200w f210m f212n f250m f277w f290lp f300m f322w2 f323n f335m f356w f360m f380m f405n f410m f430m
    f444w f460m f466n f470n f480m f560w f770w f1000w f1065c f1130w f1140c f1280w f1500w f1550c f1800w f2100w f2300c
    f2550w f2550wr p750l nrm gdhs0 gdhs60 gr150c gr150r gr700xd grismc grismr grismv2 grismv3 maskbar maskipr maskrnd
    pinholes wlm8 wlp4 wlp8 g140m g235m g395m g140h g235h g395h prism mirror
    """
)
"""Filters, pupil elements and gratings of all instruments (core schema: FILTER, PUPIL, GRATING)."""

SLITS = ("s200a1", "s200a2", "s200b1", "s400a1", "s1600a1", "{slit_name}")

SUFFIXES = _words(
    """
    uncal ramp rate rateints dark emi_ref_waves fitopt trapsfilled output_pers flat mask pctfrm_mask pctfrm_correction
    flicker_bkg flicker_noise bsub bsubints cal calints i2d s2d s3d x1d x1dints c1d crf crfints cat segm phot whtlt
    psfstack psfalign psfsub wfscmb ami amiavg aminorm ami-oi amimulti-oi aminorm-oi psf-ami-oi amilg simul contam
    median blot outlier_i2d outlier_s2d mbsub snr {suffix}
    """
)
"""What a product is (stages 0 to 3); `{suffix}` is the placeholder in the associations of wavefront sensing."""

INTERMEDIATE = _words(
    """
    group_scale dq_init emicorr saturation ipc firstframe lastframe reset superbias refpix rscd linearity persistence
    dark_current picture_frame charge_migration jump clean_flicker_noise ramp_fit gain_scale guider_cds assign_wcs
    badpix_selfcal msaflagopen imprint bkg_subtract background targ_centroid extract_2d srctype master_background
    wavecorr flat_field straylight fringe residual_fringe pathloss barshadow wfss_contam photom pixel_replace
    adaptive_trace_model cube_build resample resample_spec extract_1d assign_mtwcs tweakreg skymatch outlier_detection
    source_catalog spectral_leak combine_1d stack_refs align_refs klip ami_analyze ami_normalize tso_photometry
    white_light
    """
)
"""Suffixes under which the result of a single step is saved on request."""

EXTENSIONS = ("fits.gz", "fits", "ecsv", "asdf", "json", "csv")

_TARGET = r"(?:t\d\d\d+(?:-[sbv]\d{9})?|[sbv]\d{9}|s\d{5})"

ACID = r"(?:o\d{3}|[car]\d{4})"
"""Pattern (for Snakemake) of the id of an association candidate."""

EXPOSURE = rf"jw\d{{11}}_\d{{2}}[1-5][0-9a-z]{{2}}_\d{{5}}(?:-seg\d{{3}})?_(?:{'|'.join(DETECTORS)})"
"""Pattern (for Snakemake) of the name of an exposure without suffix."""

GUIDE_STAR = r"jw\d{11}_gs-(?:id_[1-8]_(?:image|stacked)|(?:acq1|acq2|track|fg)_\d{13}(?:-seg\d{3})?)"
"""Pattern (for Snakemake) of the name of a guide-star exposure without suffix."""

PRODUCT = (
    rf"jw\d{{5}}-{ACID}_{_TARGET}(?:-epoch\d)?_(?:{'|'.join(INSTRUMENTS)})"
    rf"(?:_(?:ch[1-4]|{'|'.join(OPTICAL_ELEMENTS)})(?:-[a-z0-9]+)*(?:_(?:ips?|prism|dhs|soss|irs2|supstp[0-9]+p?))?(?:-[a-z0-9]+)*)?"
)
"""Pattern (for Snakemake) of the name of a stage-3 product without suffix."""
