"""What is simulated: the detectors of NIRCam, their windows and readouts, and the imaging program.

Numbers are of the right size for NIRCam (documentation: NIRCam Detector Performance, NIRCam Detector Readout
Patterns, NIRCam Detector Subarrays); they belong to no real detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EDGE = 4
FULL_SIZE = 2048


@dataclass(frozen=True)
class Window:
    """The part of a detector that is read: start in science pixels, counted from 0, and shape.

    `upright` windows are read along y, not along x. Through one output, `idle_rows` rows of the readout pass before a
    frame. `blind_ends`: four columns at both ends see no light wherever the window lies. After a row comes a
    `pause`, in pixels.
    """

    name: str
    x0: int
    y0: int
    nx: int
    ny: int
    outputs: int
    upright: bool = False
    idle_rows: int = 2
    blind_ends: bool = False
    pause: int = 12

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.ny, self.nx

    @property
    def slices(self) -> tuple[slice, slice]:
        """Where the window lies in an array of the full frame."""
        return slice(self.y0, self.y0 + self.ny), slice(self.x0, self.x0 + self.nx)

    @property
    def frame_time(self) -> float:
        """Seconds to read the window once: 10 us a pixel, with the pause after a row and the extra rows."""
        rows, columns = self.readout
        extra_rows, extra_pixels = (1, 1) if self.outputs == 4 else (self.idle_rows, 0)
        return 1e-5 * ((columns // self.outputs + self.pause) * (rows + extra_rows) + extra_pixels)

    @property
    def readout(self) -> tuple[int, int]:
        """Rows, columns in the order of readout."""
        return (self.nx, self.ny) if self.upright else (self.ny, self.nx)


FULL = Window("FULL", 0, 0, FULL_SIZE, FULL_SIZE, 4)


@dataclass(frozen=True)
class Detector:
    """One detector: where it looks, how it is read, how it answers to light.

    `center` is V2, V3 (arcsec) of its middle; `scale` arcsec per pixel in x and y; `bend` are the relative
    quadratic and cubic terms of the distortion; `yang` and `parity` relate its ideal frame to V2, V3.
    gain in electron/DN, read noise and full well in electron, dark in electron/s, bias in DN.
    """

    name: str
    module: str
    channel: str
    number: int
    fast: int
    slow: int
    center: tuple[float, float]
    scale: tuple[float, float]
    yang: float
    bend: tuple[float, ...]
    gain: float
    read_noise: float
    full_well: float
    dark: float
    bias: float
    parity: int = -1
    instrument: str = "NIRCAM"


NRCB1 = Detector(
    name="NRCB1", module="B", channel="SHORT", number=486, fast=1, slow=-2,
    center=(-120.9687, -457.7527), scale=(0.03102, 0.03127), yang=-0.2731,
    bend=(2.1e-3, -1.3e-3, 0.9e-3, 1.7e-4, -1.1e-4),
    gain=2.05, read_noise=11.0, full_well=105000.0, dark=0.002, bias=11800.0,
)  # fmt: skip
NRCALONG = Detector(
    name="NRCALONG", module="A", channel="LONG", number=485, fast=-1, slow=2,
    center=(86.1035, -493.2275), scale=(0.06279, 0.06306), yang=-0.0276,
    bend=(-1.6e-3, 1.9e-3, -1.2e-3, -1.4e-4, 1.6e-4),
    gain=1.82, read_noise=9.5, full_well=88000.0, dark=0.034, bias=12600.0,
)  # fmt: skip


@dataclass(frozen=True)
class Readout:
    """How the detector is read in an exposure.

    `samples` of a pixel make a read (MIRI). Where there is a `rest`, groups are in two sets with so many frames
    between them that are not read (fine guide).
    """

    pattern: str
    frames: int
    gap: int
    groups: int
    integrations: int
    samples: int = 1
    rest: int = 0

    @property
    def frames_read(self) -> int:
        """Frames of an integration from its reset to its last read, the dropped ones between groups included."""
        return (self.groups - 1) * (self.frames + self.gap) + self.frames + self.rest

    @property
    def said(self) -> tuple[int, int]:
        """NFRAMES and GROUPGAP: what is averaged and dropped, or what makes a set and lies between two."""
        return (self.groups // 2, self.rest) if self.rest else (self.frames, self.gap)

    def dropped(self, group: int) -> int:
        """Return how many frames are dropped before a group, counted from 0."""
        return (self.gap if group else 0) + (self.rest if group == self.groups // 2 else 0)


@dataclass(frozen=True)
class Band:
    """A filter: MJy/sr that give 1 DN/s, sky in MJy/sr, width of the image of a star, offset of the image in pixels."""

    filter: str
    photmjsr: float
    sky: float
    fwhm: float
    offset: tuple[float, float]
    ab_minus_vega: float
    pupil: str = "CLEAR"


F200W = Band("F200W", 1.89, 0.41, 2.1, (0.113, -0.086), 1.69)
F444W = Band("F444W", 0.402, 0.61, 2.3, (-0.064, 0.147), 3.18)


@dataclass(frozen=True)
class Mode:
    """The kind of observation: observing template, EXP_TYPE, keywords of the optics beyond filter and pupil.

    A time series may be cut into `segments`, files of so many integrations each. `guiding` says what a guider does, as
    the name of its file has it.
    """

    template: str
    exp_type: str
    optics: Mapping[str, Any] = field(default_factory=dict, hash=False)
    series: bool = False
    segments: int = 1
    guiding: str = ""

    @property
    def model(self) -> str:
        """The data model of its raw files."""
        return "GuiderRawModel" if self.guiding else "Level1bModel"


IMAGING = Mode("NIRCam Imaging", "NRC_IMAGE")


@dataclass(frozen=True)
class Extras:
    """What may be asked for in the ramps of any exposure.

    cosmic_rays, one_over_f: factors on their usual number and amplitude. snowballs (near infrared), showers (MIRI): how
    many per 10^6 pixels and second. zeroframe: whether the first frame of each integration is sent by itself.
    """

    cosmic_rays: float = 1.0
    one_over_f: float = 1.0
    snowballs: float = 0.0
    showers: float = 0.0
    zeroframe: bool = False


@dataclass(frozen=True)
class Pointing:
    """An observation: one detector, filter and readout, dithered; dithers are x, y in arcsec of the ideal frame.

    `dark_frames` is the length of its dark; one that is too short for the exposure must be extended.
    """

    observation: int
    detector: Detector
    band: Band
    window: Window
    readout: Readout
    dithers: tuple[tuple[float, float], ...]
    stars: int
    galaxies: int
    dark_frames: int
    mode: Mode = IMAGING
    extras: Extras = Extras()


# In pixels these end in 0, 1/4, 1/2 and 3/4 on both axes, as the sub-pixel dithers of NIRCam do.
SMALL_DITHERS = ((0.0, 0.0), (1.8135, 0.95325), (-1.07725, 1.7205), (0.73625, -1.51125))
STRIPE_DITHERS = ((0.0, 0.0), (4.42575, 0.8505), (-3.1185, 1.27575), (2.31525, -1.14975))
WIDE_DITHERS = ((0.0, 0.0), (5.2137, 3.9562), (-4.0783, 4.7261), (3.7429, -5.4908))

SHORT_READOUT = Readout("MEDIUM8", frames=8, gap=2, groups=7, integrations=1)
LONG_READOUT = Readout("MEDIUM2", frames=2, gap=8, groups=8, integrations=2)


def imaging(size: str) -> tuple[Pointing, ...]:
    """Return the observations of the program 'nircam_imaging' in this size.

    `small` reads a corner of NRCB1 through one output, as SUB640 does, and a stripe of NRCALONG through four, as
    SUBGRISM256 does: between them they hold reference rows and columns, and exercise both ways of correcting with
    them. `full` reads both detectors whole.
    """
    if size == "full":
        return (
            Pointing(1, NRCB1, F200W, FULL, SHORT_READOUT, WIDE_DITHERS, 220, 40, 12),
            Pointing(2, NRCALONG, F444W, FULL, LONG_READOUT, WIDE_DITHERS, 260, 60, 12),
        )
    corner = Window("SUB640", 0, FULL_SIZE - 640, 640, 640, 1)
    stripe = Window("SUBGRISM256", 0, 0, FULL_SIZE, 256, 4)
    return (
        Pointing(1, NRCB1, F200W, corner, SHORT_READOUT, SMALL_DITHERS, 72, 8, 68),
        Pointing(2, NRCALONG, F444W, stripe, LONG_READOUT, STRIPE_DITHERS, 70, 8, 24),
    )
