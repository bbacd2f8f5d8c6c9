"""What is simulated of MIRI: the detector of its imager, its windows and readout, and the imaging program.

Numbers are of the right size for MIRI (documentation: MIRI Detector Performance, MIRI Detector Readout Overview, MIRI
Detector Subarrays); they belong to no real detector.
"""

from __future__ import annotations

from dataclasses import dataclass

from jwrules.simulate import nircam
from jwrules.simulate.nircam import Band, Detector, Extras, Mode, Pointing, Readout

TICK, IDLE_ROW = 1e-5, 7
ROWS, COLUMNS, EDGE, OUTPUTS = 1024, 1032, 4, 4


@dataclass(frozen=True)
class Window(nircam.Window):
    """The part of the detector that is read; ticks of 10 us from a row to the next."""

    row_ticks: int = 0

    @property
    def frame_ticks(self) -> int:
        """Ticks from a frame to the next: rows that are passed over take a few too."""
        return self.ny * self.row_ticks + (ROWS - self.ny) * IDLE_ROW

    @property
    def frame_time(self) -> float:
        """Seconds to read the window once, the rows that it passes over included."""
        return TICK * self.frame_ticks


FULL = Window("FULL", 0, 0, COLUMNS, ROWS, OUTPUTS, row_ticks=271)
SUB128 = Window("SUB128", 0, 888, 136, 128, OUTPUTS, row_ticks=44)

# The plane of the optics is as large as that of NIRCam, with its middle beyond the upper right corner of the array.
MIRIMAGE = Detector(
    name="MIRIMAGE", module="", channel="", number=493, fast=1, slow=2,
    center=(-504.9, -312.6), scale=(0.11057, 0.11029), yang=4.8354,
    bend=(1.4e-3, -0.9e-3, 0.6e-3, 1.1e-4, -0.8e-4),
    gain=4.1, read_noise=18.0, full_well=230000.0, dark=0.25, bias=6200.0, instrument="MIRI",
)  # fmt: skip

F770W = Band("F770W", 0.452, 5.6, 2.445, (0.083, -0.121), 4.38, pupil="")

# In pixels these end in 0, 1/4, 1/2 and 3/4 on both axes.
DITHERS = ((0.0, 0.0), (2.7918, 1.6819), (-1.7144, 2.8124), (1.2715, -2.5091))


@dataclass(frozen=True)
class Effects:
    """What troubles the detector beyond its noise.

    residue: DN that the reset leaves in the first group, and how many groups it takes to fall by e. lag: share of the
    signal gathered before a reset that is missing after it, and its decay, groups. settling: DN that the dark of the
    first and later integrations falls short by at first, and its decay, groups. wave: DN and Hz of the interference.
    last: DN that every other pair of rows loses in the last frame. showers: how many per 10^6 pixels and second, mean
    radius (pixel) and height (DN).
    """

    residue: tuple[float, float] = (55.0, 1.6)
    lag: tuple[float, float] = (0.02, 0.7)
    settling: tuple[tuple[float, float], float] = ((6.0, 15.0), 5.0)
    wave: tuple[float, float] = (7.0, 390.625)
    last: float = 60.0
    showers: tuple[float, float, float] = (6.0, 9.0, 13.0)


EFFECTS = Effects()
RESET_GROUPS = 12
SKIPPED = (3, 5)
"""Groups that the first and later integrations leave out."""

IMAGING = Mode("MIRI Imaging", "MIR_IMAGE")
SHOWERY = Extras(showers=EFFECTS.showers[0])


SLOW_ROW = 2333
"""Ticks from a row to the next in slow mode, which reads the full frame only."""
WINDOWS = (
    FULL,
    SUB128,
    Window("SUB64", 0, 778, 72, 64, OUTPUTS, row_ticks=28),
    Window("SLITLESSPRISM", 0, 528, 72, 416, OUTPUTS, row_ticks=28),
    Window("MASK1550", 0, 466, 288, 224, OUTPUTS, row_ticks=82),
    Window("MASKLYOT", 0, 716, 320, 304, OUTPUTS, row_ticks=90),
)


def window(name: str) -> Window:
    """Return the window of this name, as it is read in fast mode."""
    return {one.name: one for one in WINDOWS}[name]


def imaging(size: str) -> tuple[Pointing, ...]:
    """Return the observations of the program 'miri_imaging' in this size.

    `small` reads SUB128, which lies at the left edge and holds reference pixels, and in which the phase of the
    interference changes from group to group; `full` reads all.
    """
    window, groups, stars, galaxies, dark = (FULL, 20, 150, 30, 24) if size == "full" else (SUB128, 40, 44, 4, 34)
    readout = Readout("FASTR1", 1, 0, groups, 2)
    return (Pointing(1, MIRIMAGE, F770W, window, readout, DITHERS, stars, galaxies, dark, IMAGING, SHOWERY),)
