"""What is simulated of every instrument: its detectors, the parts of them that are read, and its readout patterns.

Numbers are of the right size (documentation of the instruments: Detectors, Detector Readout, Subarrays); they belong to
no real detector.
"""

from __future__ import annotations

from dataclasses import replace

from jwrules.errors import WorkflowFault
from jwrules.simulate import miri, nircam
from jwrules.simulate.nircam import NRCALONG, NRCB1, Detector, Window

NIS = Detector(
    name="NIS", module="", channel="", number=496, fast=-2, slow=-1,
    center=(-290.1, -697.5), scale=(0.0654, 0.0658), yang=-0.57, bend=(0.0, 0.0, 0.0, 0.0, 0.0),
    gain=1.62, read_noise=10.5, full_well=92000.0, dark=0.04, bias=11400.0, instrument="NIRISS",
)  # fmt: skip
GUIDER1 = replace(
    NIS, name="GUIDER1", number=497, center=(207.2, -697.5), scale=(0.0687, 0.0697), yang=-1.25,
    gain=1.97, read_noise=13.0, full_well=98000.0, dark=0.05, bias=12100.0, instrument="FGS",
)  # fmt: skip
GUIDER2 = replace(GUIDER1, name="GUIDER2", number=498, fast=2, slow=1, center=(24.4, -697.5), yang=0.25, parity=1)
NRS1 = replace(
    NIS, name="NRS1", number=491, fast=2, slow=1, center=(345.0, -410.0), scale=(0.1036, 0.1062), yang=138.8,
    gain=1.02, read_noise=7.2, full_well=58000.0, dark=0.0092, bias=9900.0, instrument="NIRSPEC",
)  # fmt: skip
NRS2 = replace(NRS1, name="NRS2", number=492, fast=-2, slow=-1, gain=1.14, dark=0.0057, bias=10300.0)
NRCA2 = replace(NRCB1, name="NRCA2", module="A", number=482, center=(86.0, -458.1), gain=2.14)
NRCBLONG = replace(NRCALONG, name="NRCBLONG", module="B", number=490, fast=1, slow=-2, center=(-85.6, -493.1))
MIRIFULONG = replace(miri.MIRIMAGE, name="MIRIFULONG", number=494, center=(-504.4, -318.7), bias=6500.0)
MIRIFUSHORT = replace(MIRIFULONG, name="MIRIFUSHORT", number=495, bias=6300.0)

PLAIN = (1, 0)
READ_PATTERNS: dict[str, dict[str, tuple[int, ...]]] = {
    "NIRCAM": {
        "BRIGHT1": (1, 1), "BRIGHT2": (2, 0), "RAPID": PLAIN, "SHALLOW2": (2, 3), "SHALLOW4": (4, 1),
        "MEDIUM2": (2, 8), "MEDIUM8": (8, 2), "DEEP2": (2, 18), "DEEP8": (8, 12),
    },
    "NIRISS": {"NIS": (4, 0), "NISRAPID": PLAIN},
    "NIRSPEC": {
        "NRS": (4, 0), "NRSRAPID": PLAIN, "NRSRAPIDD1": (1, 1), "NRSRAPIDD2": (1, 2),
        "NRSIRS2RAPID": PLAIN, "NRSIRS2": (5, 0),
    },
    "FGS": {
        "FGS": (2, 8), "FGSRAPID": PLAIN,
        "ID": PLAIN, "ACQ1": (1, 1), "ACQ2": (1, 1), "TRACK": (1, 1), "FINEGUIDE": (1, 0, 1, 39),
    },
    "MIRI": {"FASTR1": (1, 0, 1), "SLOWR1": (1, 0, 9)},
}  # fmt: skip
"""Frames that make a group, frames dropped between groups; samples of a pixel; frames between two sets of groups."""

FULL = {
    "NIRCAM": nircam.FULL,
    "MIRI": miri.FULL,
    **dict.fromkeys(("NIRISS", "NIRSPEC", "FGS"), replace(nircam.FULL, upright=True)),
}


def _square(name: str, x0: int, y0: int, side: int) -> Window:
    return Window(name, x0, y0, side, side, 1)


_SUBARRAYS = {
    "NIRCAM": (
        _square("SUB64P", 1984, 0, 64),
        _square("SUB32TATS", 1024, 76, 32),
        _square("SUB320A335R", 535, 1700, 320),
        _square("SUBFSA335R", 740, 1650, 64),
        *(Window(f"SUBGRISM{rows}", 0, 0, 2048, rows, 4) for rows in (64, 128, 256)),
    ),
    "NIRISS": (
        Window("SUB80", 1044, 0, 80, 80, 1, upright=True),
        Window("SUBTAAMI", 1054, 14, 64, 64, 1, upright=True),
        Window("SUBSTRIP96", 0, 1802, 2048, 96, 1, upright=True),
        Window("SUBSTRIP256", 0, 1792, 2048, 256, 1, upright=True),
    ),
    "NIRSPEC": (
        Window("SUB32", 960, 976, 32, 32, 1, True, 1, blind_ends=True),
        Window("SUB512", 896, 976, 512, 32, 1, True, 1, blind_ends=True),
        Window("SUB2048", 0, 976, 2048, 32, 1, True, 1),
        Window("ALLSLITS", 0, 896, 2048, 256, 1, True, 1),
    ),
    "FGS": (
        Window("SUB128LL", 860, 1010, 128, 128, 1, upright=True),
        Window("SUB32LL", 908, 1058, 32, 32, 1, upright=True),
        Window("SUB32DIAG", 909, 1057, 32, 32, 1, upright=True),
        Window("SUB8LL", 920, 1070, 8, 8, 1, upright=True),
    ),
    "MIRI": miri.WINDOWS,
}


def window(instrument: str, name: str) -> Window:
    """Return the subarray of this name; WorkflowFault where the instrument has none."""
    known = {one.name: one for one in (FULL[instrument], *_SUBARRAYS[instrument])}
    if name not in known:
        raise WorkflowFault(f"subarray {name!r} of {instrument} cannot be simulated; there are: {', '.join(known)}")
    return known[name]


def shortened(whole: Window, pixels: int) -> Window:
    """Return the part of a window that is read first or last, of so many pixels at most: fewer of its rows.

    Rows are those of the readout; it keeps them whole, so that all outputs and the reference pixels at their ends stay.
    """
    rows, columns = whole.readout
    rows = min(rows, max(pixels // columns, 1))
    return replace(whole, nx=rows) if whole.upright else replace(whole, ny=rows)
