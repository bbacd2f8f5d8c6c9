"""What a product is made of: frozen values, each array declared with its extension and type.

The declaration (`hdu(...)`) is the single source for reading and writing (`products.fits`). Arrays are indexed
[integration, group, row, column]; the last axis is the FITS NAXIS1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from astropy.io import fits

from jwrules.errors import HeaderFault

if TYPE_CHECKING:
    from astropy.table import Table

_AXES = {2: "yx", 3: "iyx", 4: "igyx"}


@dataclass(frozen=True)
class Hdu:
    """Where an array lives in a FITS file: extension name, stored type, number of axes (0 for any).

    `or_ndim` is a second number of axes that reference files of the kind may have. `axes` names the axes of what is cut
    into blocks, a letter each: integrations, groups, rows (y), columns (x), those of the reference output (r).
    """

    name: str
    dtype: str
    ndim: int
    optional: bool = False
    version: int = 1
    or_ndim: int | None = None
    axes: str = ""


def hdu(
    name: str,
    dtype: str,
    ndim: int,
    *,
    optional: bool = False,
    version: int = 1,
    or_ndim: int | None = None,
    axes: str = "",
) -> Any:
    """Declare the field of a kind that is stored in extension `name`."""
    where = {"hdu": Hdu(name, dtype, ndim, optional, version, or_ndim, axes or _AXES.get(ndim, ""))}
    return field(default=None, metadata=where) if optional else field(metadata=where)


class Cards(dict[str, Any]):
    """Keywords and their values alone: what a block needs of a header, without the cost of copying one."""

    def __setitem__(self, keyword: str, value: Any) -> None:
        super().__setitem__(keyword, value[0] if isinstance(value, tuple) else value)

    def copy(self) -> Cards:
        """Return a copy."""
        return Cards(self)


@dataclass(frozen=True, kw_only=True)
class Meta:
    """The keywords of a file: those of the primary header and those of its SCI extension.

    A Meta is a value: `updated` and `updated_sci` give a new one, nobody writes into its headers.
    """

    primary: fits.Header | Cards = field(default_factory=fits.Header)
    sci: fits.Header | Cards = field(default_factory=fits.Header)
    source: str = ""

    def __getitem__(self, keyword: str) -> Any:
        value = self.get(keyword)
        if value is None:
            raise HeaderFault(f"{self.source or 'header'}: the keyword {keyword} is missing")
        return value

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return the value of `keyword`, from the primary header first, then from SCI."""
        for header in (self.primary, self.sci):
            if keyword in header and not isinstance(header[keyword], fits.card.Undefined):
                return header[keyword]
        return default

    def updated(self, **keywords: Any) -> Meta:
        """Return a copy with these keywords set in the primary header (value, or (value, comment))."""
        return Meta(primary=_set(self.primary, keywords), sci=self.sci, source=self.source)

    def without(self, *keywords: str) -> Meta:
        """Return a copy without these keywords in the primary header."""
        return Meta(primary=_without(self.primary, keywords), sci=self.sci, source=self.source)

    def updated_sci(self, **keywords: Any) -> Meta:
        """Return a copy with these keywords set in the SCI header (value, or (value, comment))."""
        return Meta(primary=self.primary, sci=_set(self.sci, keywords), source=self.source)

    def without_sci(self, *keywords: str) -> Meta:
        """Return a copy without these keywords in the SCI header."""
        return Meta(primary=self.primary, sci=_without(self.sci, keywords), source=self.source)


def _without(header: fits.Header | Cards, keywords: Sequence[str]) -> fits.Header | Cards:
    header = header.copy()
    for keyword in keywords:
        if keyword in header:
            del header[keyword]
    return header


def _set(header: fits.Header | Cards, keywords: Mapping[str, Any]) -> fits.Header | Cards:
    header = header.copy()
    for keyword, value in keywords.items():
        header[keyword] = value
    return header


@dataclass(frozen=True, kw_only=True)
class Product:
    """Anything that a stage reads or writes. `tables` are the extensions that `carried` names: carried along unread."""

    model: ClassVar[str] = ""
    carried: ClassVar[tuple[str, ...]] = ("GROUP", "INT_TIMES", "INT_TIMES_STRIPE")
    meta: Meta
    tables: Mapping[str, fits.FITS_rec] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def model_of(cls, meta: Meta) -> str:
        """Return the official data model (DATAMODL) of a product with these keywords."""
        return cls.model


@dataclass(frozen=True)
class Note:
    """What one part of a step tells the next: an array, and what its axes are, one letter each.

    Along `i` (integrations), `y` and `x` (rows, columns) it is cut as the exposure is, along others it stays whole.
    With the axis `>` the largest of all blocks counts, element by element.
    """

    array: np.ndarray
    axes: str


@dataclass(frozen=True, kw_only=True)
class Ramp(Product):
    """Groups of every pixel (DN), as read or corrected: an exposure, or a block of one.

    data, groupdq and err (nints, ngroups, ny, nx), pixeldq (ny, nx), zeroframe (nints, ny, nx), average_dark (ny, nx)
    in electron/s, for the Poisson variance. refout (nints, ngroups, ny, nx / 4), what the reference output of MIRI
    reads beside the light, is carried along as it is; no block has it. A block begins at `corner` (integration, row,
    column) of its exposure, and `own` are its rows and columns without the margin.

    left_out (nints, ngroups), bool, says which groups firstframe, lastframe and rscd leave out as a whole, whatever
    single pixels keep. traps_filled (nfamilies, ny, nx), persistence (like data) and windows (ny, nx), the end of each
    pixel's time of persistence in Unix seconds or 0, are what persistence finds; the stage writes them as products of
    their own, as what steps put `beside` the ramp, by suffix. These five live within a stage, `notes`, `counts` and
    `round` within a step: see `steps.declare`.
    """

    model: ClassVar[str] = "RampModel"
    data: np.ndarray = hdu("SCI", "f4", 4)
    pixeldq: np.ndarray = hdu("PIXELDQ", "u4", 2)
    groupdq: np.ndarray = hdu("GROUPDQ", "u1", 4)
    err: np.ndarray | None = hdu("ERR", "f4", 4, optional=True)
    zeroframe: np.ndarray | None = hdu("ZEROFRAME", "f4", 3, optional=True)
    refout: np.ndarray | None = hdu("REFOUT", "f4", 4, optional=True, axes="igyr")
    average_dark: np.ndarray | None = hdu("AVDRKCUR", "f4", 2, optional=True)
    left_out: np.ndarray | None = None
    corner: tuple[int, int, int] = (0, 0, 0)
    own: tuple[slice, slice] = field(default_factory=lambda: (slice(None), slice(None)))
    round: int = 0
    traps_filled: np.ndarray | None = None
    persistence: np.ndarray | None = None
    windows: np.ndarray | None = None
    beside: Mapping[str, Product] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)

    def noting(self, name: str, array: np.ndarray, axes: str) -> Ramp:
        """Return the ramp with a note for the next part of the step."""
        return replace(self, notes={**self.notes, name: Note(array, axes)})

    def leaving_out(self, groups: slice, integrations: slice = slice(None)) -> Ramp:
        """Return the ramp with these groups of these integrations noted as left out."""
        known = np.zeros(self.data.shape[:2], bool) if self.left_out is None else self.left_out.copy()
        known[integrations, groups] = True
        return replace(self, left_out=known)

    def counting(self, **numbers: float) -> Ramp:
        """Return the ramp with these numbers added to its counts."""
        return replace(self, counts={**self.counts, **{k: self.counts.get(k, 0) + n for k, n in numbers.items()}})


@dataclass(frozen=True, kw_only=True)
class Persistence(Product):
    """What persistence took off each group (`_output_pers`), (nints, ngroups, ny, nx), DN."""

    model: ClassVar[str] = "RampModel"
    data: np.ndarray = hdu("SCI", "f4", 4)


@dataclass(frozen=True, kw_only=True)
class ShownBackground(Product):
    """Where clean_flicker_noise (`_mask`) or picture_frame (`_pctfrm_mask`) sees background: 1, else 0, (ny, nx)."""

    model: ClassVar[str] = "ImageModel"
    data: np.ndarray = hdu("SCI", "f4", 2)


@dataclass(frozen=True, kw_only=True)
class ShownBackgrounds(Product):
    """Where clean_flicker_noise sees background (`_mask`): 1 there, else 0, (nints, ny, nx), in each integration."""

    model: ClassVar[str] = "CubeModel"
    data: np.ndarray = hdu("SCI", "f4", 3)


@dataclass(frozen=True, kw_only=True)
class FlickerBackground(Product):
    """How bright the background is that clean_flicker_noise leaves in the ramp (`_flicker_bkg`), DN.

    data (nints, ngroups, ny, nx): what came in since the group before, 0 in the first one; with `median_image` the
    scaled median of the group. Where the flat is applied, as the mean pixel would have it.
    """

    model: ClassVar[str] = "RampModel"
    data: np.ndarray = hdu("SCI", "f4", 4)


@dataclass(frozen=True, kw_only=True)
class FlickerNoise(Product):
    """What clean_flicker_noise adds to each group (`_flicker_noise`), DN, (nints, ngroups, ny, nx): after - before."""

    model: ClassVar[str] = "RampModel"
    data: np.ndarray = hdu("SCI", "f4", 4)


@dataclass(frozen=True, kw_only=True)
class PictureFrameCorrection(Product):
    """What picture_frame adds to each group (`_pctfrm_correction`), DN, (nints, ngroups, ny, nx): after - before."""

    model: ClassVar[str] = "RampModel"
    data: np.ndarray = hdu("SCI", "f4", 4)


@dataclass(frozen=True, kw_only=True)
class StoredTree(Product):
    """What a step gives that is written as an ASDF file: its tree, the same in every block."""

    tree: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DarkOfGroups(Product):
    """The dark as dark_current subtracts it (`dark_output`), a reference file: data (ngroups, ny, nx), DN."""

    model: ClassVar[str] = "DarkModel"
    data: np.ndarray = hdu("SCI", "f4", 3, axes="gyx")
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class DarkOfIntegrations(Product):
    """The same where the dark has integrations of its own (MIRI): data (n, ngroups, ny, nx), dq (1, 1, ny, nx)."""

    model: ClassVar[str] = "DarkMIRIModel"
    data: np.ndarray = hdu("SCI", "f4", 4, axes="-gyx")
    dq: np.ndarray = hdu("DQ", "u4", 4, axes="--yx")


@dataclass(frozen=True, kw_only=True)
class Rate(Product):
    """Count rates of an exposure, (ny, nx), DN/s."""

    model: ClassVar[str] = "ImageModel"
    data: np.ndarray = hdu("SCI", "f4", 2)
    err: np.ndarray = hdu("ERR", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)
    var_poisson: np.ndarray = hdu("VAR_POISSON", "f4", 2)
    var_rnoise: np.ndarray = hdu("VAR_RNOISE", "f4", 2)

    @classmethod
    def model_of(cls, meta: Meta) -> str:
        """Return that of an image, or of what integral field units cut into slices, lamps included."""
        lamp = meta.get("EXP_TYPE") in ("NRS_AUTOWAVE", "NRS_LAMP") and meta.get("OPMODE") == "IFU"
        return "IFUImageModel" if lamp or meta.get("EXP_TYPE") in ("NRS_IFU", "MIR_MRS") else cls.model


@dataclass(frozen=True, kw_only=True)
class RateInts(Product):
    """Count rates of each integration, (nints, ny, nx), DN/s."""

    model: ClassVar[str] = "CubeModel"
    data: np.ndarray = hdu("SCI", "f4", 3)
    err: np.ndarray = hdu("ERR", "f4", 3)
    dq: np.ndarray = hdu("DQ", "u4", 3)
    var_poisson: np.ndarray = hdu("VAR_POISSON", "f4", 3)
    var_rnoise: np.ndarray = hdu("VAR_RNOISE", "f4", 3)


@dataclass(frozen=True, kw_only=True)
class FitOpt(Product):
    """The segments of each ramp and its cosmic rays (`_fitopt`), in order of time, 0 where there are no more.

    slope, sigslope, var_poisson, var_rnoise in DN/s and (DN/s)², yint and sigyint (DN at group 0), weights:
    (nints, nsegments, ny, nx); pedestal (nints, ny, nx), DN at reset; crmag (nints, nrays, ny, nx), DN.
    """

    model: ClassVar[str] = "RampFitOutputModel"
    slope: np.ndarray = hdu("SLOPE", "f4", 4, axes="isyx")
    sigslope: np.ndarray = hdu("SIGSLOPE", "f4", 4, axes="isyx")
    var_poisson: np.ndarray = hdu("VAR_POISSON", "f4", 4, axes="isyx")
    var_rnoise: np.ndarray = hdu("VAR_RNOISE", "f4", 4, axes="isyx")
    yint: np.ndarray = hdu("YINT", "f4", 4, axes="isyx")
    sigyint: np.ndarray = hdu("SIGYINT", "f4", 4, axes="isyx")
    pedestal: np.ndarray = hdu("PEDESTAL", "f4", 3)
    weights: np.ndarray = hdu("WEIGHTS", "f4", 4, axes="isyx")
    crmag: np.ndarray = hdu("CRMAG", "f4", 4, axes="isyx")


@dataclass(frozen=True, kw_only=True)
class ChiSquare(Product):
    """χ² of the most likely rate of each pixel (`_likely_chisq`), (ny, nx)."""

    model: ClassVar[str] = "ImageModel"
    data: np.ndarray = hdu("SCI", "f4", 2)


@dataclass(frozen=True, kw_only=True)
class Slopes:
    """What ramp fitting gives: the exposure as a whole, and integration by integration; on request how it was found."""

    rate: Rate
    rateints: RateInts
    fitopt: FitOpt | None = None
    chisq: ChiSquare | None = None


@dataclass(frozen=True, kw_only=True)
class Image(Product):
    """A calibrated exposure (`_cal`), (ny, nx), DN/s until photom and MJy/sr after; `wcs` is a gwcs.WCS."""

    model: ClassVar[str] = "ImageModel"
    data: np.ndarray = hdu("SCI", "f4", 2)
    err: np.ndarray = hdu("ERR", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)
    area: np.ndarray | None = hdu("AREA", "f4", 2, optional=True)
    var_poisson: np.ndarray = hdu("VAR_POISSON", "f4", 2)
    var_rnoise: np.ndarray = hdu("VAR_RNOISE", "f4", 2)
    var_flat: np.ndarray | None = hdu("VAR_FLAT", "f4", 2, optional=True)
    wcs: Any = None


Images = tuple[Image, ...]
Rates = tuple[Rate, ...]


@dataclass(frozen=True, kw_only=True)
class Mosaic(Product):
    """Images resampled to one grid (`_i2d`), (ny, nx), MJy/sr; context (nplanes, ny, nx): bit k is input k."""

    model: ClassVar[str] = "ImageModel"
    data: np.ndarray = hdu("SCI", "f4", 2)
    err: np.ndarray | None = hdu("ERR", "f4", 2, optional=True)
    context: np.ndarray | None = hdu("CON", "i4", 3, optional=True)
    weight: np.ndarray = hdu("WHT", "f4", 2)
    var_poisson: np.ndarray | None = hdu("VAR_POISSON", "f4", 2, optional=True)
    var_rnoise: np.ndarray | None = hdu("VAR_RNOISE", "f4", 2, optional=True)
    var_flat: np.ndarray | None = hdu("VAR_FLAT", "f4", 2, optional=True)
    headers: Table | None = None
    wcs: Any = None


@dataclass(frozen=True, kw_only=True)
class Segmentation(Product):
    """The label of the source that owns each pixel (`_segm`), (ny, nx), 0 is background."""

    model: ClassVar[str] = "SegmentationMapModel"
    data: np.ndarray = hdu("SCI", "u4", 2)
    wcs: Any = None


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What source_catalog gives: one row per source, and the map of who owns which pixel."""

    catalog: Table
    segmentation: Segmentation


@dataclass(frozen=True, kw_only=True)
class Guiding(Product):
    """What guide-star exposures have in common: tables of stars, pointing, centroids and places of the subarray."""

    carried: ClassVar[tuple[str, ...]] = (
        "PLANNED REFERENCE STARS",
        "FLIGHT REFERENCE STARS",
        "POINTING",
        "FGS CENTROID PACKET",
        "TRACK SUBARRAY TABLE",
    )


@dataclass(frozen=True, kw_only=True)
class GuiderRaw(Guiding):
    """Reads of a guide star (DN): data (nints, ngroups, ny, nx), dq (ny, nx) once it is known."""

    model: ClassVar[str] = "GuiderRawModel"
    data: np.ndarray = hdu("SCI", "f4", 4)
    dq: np.ndarray | None = hdu("DQ", "u4", 2, optional=True)


@dataclass(frozen=True, kw_only=True)
class GuiderCal(Guiding):
    """Count rates of a guide star (DN/s): data and err (nimages, ny, nx), dq (ny, nx) of all images together."""

    model: ClassVar[str] = "GuiderCalModel"
    data: np.ndarray = hdu("SCI", "f4", 3)
    err: np.ndarray = hdu("ERR", "f4", 3)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class Reference(Product):
    """A reference file. Arrays are read-only and cut to the exposure's subarray.

    `reftype` is CRDS's word for it, `keyword` the one that records in a product which file was used (some have none).
    Stacked strips of a guider have no place on the detector: there its mean stands for every pixel, if it has `a_mean`.
    """

    reftype: ClassVar[str] = ""
    keyword: ClassVar[str] = ""
    a_mean: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Mask(Reference):
    """Bad pixels, dq (ny, nx)."""

    reftype: ClassVar[str] = "mask"
    keyword: ClassVar[str] = "R_MASK"
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class UserMask(Reference):
    """Bad pixels that a person adds, dq (ny, nx)."""

    reftype: ClassVar[str] = "user_supplied_dq"
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class BackgroundMask(Reference):
    """Where a person says that there is nothing but background: not 0 in data (ny, nx), or (nints, ny, nx)."""

    reftype: ClassVar[str] = "user_mask"
    data: np.ndarray = hdu("SCI", "f4", 2, or_ndim=3)


@dataclass(frozen=True, kw_only=True)
class Saturation(Reference):
    """Saturation threshold, data (ny, nx), DN."""

    reftype: ClassVar[str] = "saturation"
    keyword: ClassVar[str] = "R_SATURA"
    data: np.ndarray = hdu("SCI", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class Ipc(Reference):
    """Deconvolution kernel of the inter-pixel capacitance, data (ky, kx) or (ky, kx, ny, nx)."""

    reftype: ClassVar[str] = "ipc"
    keyword: ClassVar[str] = "R_IPC"
    data: np.ndarray = hdu("SCI", "f4", 0)


@dataclass(frozen=True, kw_only=True)
class Superbias(Reference):
    """Bias of every pixel at reset, data (ny, nx), DN."""

    reftype: ClassVar[str] = "superbias"
    keyword: ClassVar[str] = "R_SUPERB"
    data: np.ndarray = hdu("SCI", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class Refpix(Reference):
    """Weights of the reference output and of the interleaved reference pixels (NIRSpec, IRS2), wave by wave.

    Columns alpha_0 ... alpha_3 (output) and beta_0 ... beta_3 (pixels), one for each amplifier: real and imaginary
    parts by turns. `bad` lists reference pixels that are not to be used: OUTPUT (1 to 4), ODD_EVEN (1 or 2), MASK.
    """

    reftype: ClassVar[str] = "refpix"
    keyword: ClassVar[str] = "R_REFPIX"
    table: fits.FITS_rec = hdu("IRS2", "table", 1)
    bad: fits.FITS_rec | None = hdu("DQ", "table", 1, optional=True)


@dataclass(frozen=True, kw_only=True)
class Linearity(Reference):
    """Polynomial coefficients, coeffs (ncoeffs, ny, nx), lowest order first; inverse ones where given."""

    reftype: ClassVar[str] = "linearity"
    keyword: ClassVar[str] = "R_LINEAR"
    coeffs: np.ndarray = hdu("COEFFS", "f4", 3)
    inv_coeffs: np.ndarray | None = hdu("INV_COEFFS", "f4", 3, optional=True)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class Dark(Reference):
    """Dark ramp in DN, average (ny, nx) electron/s where given.

    data is (ngroups, ny, nx), or (nints, ngroups, ny, nx) for the first integrations of an exposure (MIRI). Flags that
    a file gives for each of its planes are put together.
    """

    reftype: ClassVar[str] = "dark"
    keyword: ClassVar[str] = "R_DARK"
    data: np.ndarray = hdu("SCI", "f4", 3, or_ndim=4)
    dq: np.ndarray = hdu("DQ", "u4", 2, or_ndim=4)
    average: np.ndarray | None = hdu("AVDRKCUR", "f4", 2, optional=True)


@dataclass(frozen=True, kw_only=True)
class Reset(Reference):
    """What the reset leaves in the first groups, data (nints, ngroups, ny, nx), DN; the last integration goes on."""

    reftype: ClassVar[str] = "reset"
    keyword: ClassVar[str] = "R_RESET"
    data: np.ndarray = hdu("SCI", "f4", 4)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class Rscd(Reference):
    """How the groups of an integration recover from its reset: rows for each subarray and read pattern.

    table: columns subarray, readpatt, group_skip1 (first integration), group_skip (those after it). decay (files of
    older format): columns subarray, readpatt, rows (ODD, EVEN), tau, ascale, pow, illum_zp, illum_slope, illum2,
    param3, crossopt, sat_zp, sat_slope, sat_2, sat_mzp, sat_rowterm, sat_scale.
    """

    reftype: ClassVar[str] = "rscd"
    keyword: ClassVar[str] = "R_RSCD"
    table: fits.FITS_rec | None = hdu("RSCD_GROUP_SKIP", "table", 1, optional=True)
    decay: fits.FITS_rec | None = hdu("RSCD", "table", 1, optional=True)


@dataclass(frozen=True, kw_only=True)
class TrapDensity(Reference):
    """How many traps a pixel has, relative to the median, data (ny, nx)."""

    reftype: ClassVar[str] = "trapdensity"
    keyword: ClassVar[str] = "R_TRPDEN"
    data: np.ndarray = hdu("SCI", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class TrapPars(Reference):
    """Families of traps: one row each.

    Columns capture0 (coefficient of the exponential capture), capture1 (minus its rate, 1/s), capture2 (coefficient of
    what is captured at once), decay_param (minus the rate of release, 1/s).
    """

    reftype: ClassVar[str] = "trappars"
    keyword: ClassVar[str] = "R_TRPPAR"
    table: fits.FITS_rec = hdu("TRAPPARS", "table", 1)


@dataclass(frozen=True, kw_only=True)
class Persat(Reference):
    """Counts from which on a pixel is full and fills no more traps by its growth, data (ny, nx), DN."""

    reftype: ClassVar[str] = "persat"
    keyword: ClassVar[str] = "R_PERSAT"
    data: np.ndarray = hdu("SCI", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class TrapsFilled(Reference):
    """How many traps of each family are filled at EXPEND (`_trapsfilled`), data (nfamilies, ny, nx)."""

    model: ClassVar[str] = "TrapsFilledModel"
    reftype: ClassVar[str] = "trapsfilled"
    data: np.ndarray = hdu("SCI", "f4", 3, axes="fyx")


@dataclass(frozen=True, kw_only=True)
class PictureFrame(Reference):
    """What warmth adds to the borders of a detector of NIRSpec, data (ny, nx), DN/s."""

    reftype: ClassVar[str] = "pictureframe"
    data: np.ndarray = hdu("SCI", "f4", 2)


@dataclass(frozen=True, kw_only=True)
class Gain(Reference):
    """Gain, data (ny, nx), electron/DN."""

    reftype: ClassVar[str] = "gain"
    keyword: ClassVar[str] = "R_GAIN"
    a_mean: ClassVar[bool] = True
    data: np.ndarray = hdu("SCI", "f4", 2)


@dataclass(frozen=True, kw_only=True)
class Readnoise(Reference):
    """Noise of a correlated double sample, data (ny, nx), DN (√2 times that of a single read)."""

    reftype: ClassVar[str] = "readnoise"
    keyword: ClassVar[str] = "R_READNO"
    a_mean: ClassVar[bool] = True
    data: np.ndarray = hdu("SCI", "f4", 2)


@dataclass(frozen=True, kw_only=True)
class Flat(Reference):
    """Relative response, data and err (ny, nx)."""

    reftype: ClassVar[str] = "flat"
    keyword: ClassVar[str] = "R_FLAT"
    data: np.ndarray = hdu("SCI", "f4", 2)
    err: np.ndarray = hdu("ERR", "f4", 2)
    dq: np.ndarray = hdu("DQ", "u4", 2)


@dataclass(frozen=True, kw_only=True)
class Photom(Reference):
    """Flux conversion, a table with one row per optical configuration (photmjsr in (MJy/sr)/(DN/s))."""

    reftype: ClassVar[str] = "photom"
    keyword: ClassVar[str] = "R_PHOTOM"
    table: fits.FITS_rec = hdu("PHOTOM", "table", 1)
    linear: fits.FITS_rec | None = hdu("TIMECOEFF_LINEAR", "table", 1, optional=True)
    exponential: fits.FITS_rec | None = hdu("TIMECOEFF_EXPONENTIAL", "table", 1, optional=True)
    powerlaw: fits.FITS_rec | None = hdu("TIMECOEFF_POWERLAW", "table", 1, optional=True)


@dataclass(frozen=True, kw_only=True)
class Area(Reference):
    """Pixel area relative to the nominal one, data (ny, nx); header PIXAR_SR, PIXAR_A2."""

    reftype: ClassVar[str] = "area"
    keyword: ClassVar[str] = "R_AREA"
    data: np.ndarray = hdu("SCI", "f4", 2)


@dataclass(frozen=True, kw_only=True)
class Apcorr(Reference):
    """Aperture corrections of imaging: filter, pupil or subarray, eefraction, radius, apcorr, skyin, skyout."""

    reftype: ClassVar[str] = "apcorr"
    table: fits.FITS_rec = hdu("APCORR", "table", 1)


@dataclass(frozen=True, kw_only=True)
class Tree(Reference):
    """A reference file in ASDF: its tree."""

    tree: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Emicorr(Tree):
    """Waves of electromagnetic interference (MIRI).

    tree['frequencies']: name -> {frequency (Hz), phase_amplitudes, one period (DN)}; tree['subarray_cases']: subarray
    (FULL_FAST and FULL_SLOW for full frames) -> {rowclocks, frameclocks (10 µs), freqs: names by read pattern}.
    """

    reftype: ClassVar[str] = "emicorr"
    keyword: ClassVar[str] = "R_MIREMI"


@dataclass(frozen=True, kw_only=True)
class SirsKernel(Tree):
    """Convolution kernels of the side reference pixels.

    tree[detector, in lower case]: {gamma: those of the first columns, zeta: those of the last ones}, each the complex
    transform of a kernel for every amplifier.
    """

    reftype: ClassVar[str] = "sirskernel"
    keyword: ClassVar[str] = "R_SIRSKL"


@dataclass(frozen=True, kw_only=True)
class PersistenceArray(Tree):
    """Until when pixels have persistence from earlier exposures (`_persistence.asdf`).

    tree[detector]: rows, cols (of the whole detector, from 0), vals (Unix seconds), pers_time (s), of such pixels.
    """

    reftype: ClassVar[str] = "persistence_array_file"


@dataclass(frozen=True, kw_only=True)
class Pastasoss(Tree):
    """Where the spectra of NIRISS SOSS lie.

    tree['traces']: for each order {pivot_x, pivot_y, trace (n, 2)}, pixels of SUBSTRIP256 (0-based) at the pupil wheel
    angle tree['meta']['pwcpos_cmd']; tree['wavecal_models']: wavelengths along them.
    """

    reftype: ClassVar[str] = "pastasoss"
    keyword: ClassVar[str] = "R_PSTSOS"


@dataclass(frozen=True, kw_only=True)
class Distortion(Tree):
    """tree['model']: pixel of the full frame (0-based) to V2, V3 in arcsec."""

    reftype: ClassVar[str] = "distortion"
    keyword: ClassVar[str] = "R_DISTOR"


@dataclass(frozen=True, kw_only=True)
class FilterOffset(Tree):
    """tree['filters']: list of {filter, pupil, column_offset, row_offset}, pixels."""

    reftype: ClassVar[str] = "filteroffset"
    keyword: ClassVar[str] = "R_FILOFF"


@dataclass(frozen=True, kw_only=True)
class AbVegaOffset(Tree):
    """tree['abvega_offset']: table filter, pupil, abvega_offset (mag): m_AB − m_Vega."""

    reftype: ClassVar[str] = "abvegaoffset"
