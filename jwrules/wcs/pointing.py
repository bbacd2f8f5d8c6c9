"""Where the telescope points: the keywords of a header that place an aperture on the sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


class Keywords(Protocol):
    """Anything that looks up header keywords, as `products.kinds.Meta` does."""

    def __getitem__(self, keyword: str) -> Any: ...

    def get(self, keyword: str, default: Any = None) -> Any:
        """Return the value of `keyword`, or `default` where it is missing."""


@dataclass(frozen=True, kw_only=True)
class Pointing:
    """The reference point of an aperture: V2, V3 in arcsec; RA, Dec, roll and Y angle in degrees.

    `roll` is the position angle of V3 at the reference point; `va_scale` the velocity aberration scale.
    """

    v2: float
    v3: float
    ra: float
    dec: float
    roll: float
    y_angle: float = 0.0
    parity: int = -1
    va_scale: float = 1.0

    @classmethod
    def of(cls, keywords: Keywords) -> Pointing:
        """Read the pointing from V2_REF, V3_REF, RA_REF, DEC_REF, ROLL_REF, V3I_YANG, VPARITY, VA_SCALE.

        Raises HeaderFault (from `keywords`) where one of the first five is missing.
        """
        return cls(
            v2=keywords["V2_REF"],
            v3=keywords["V3_REF"],
            ra=keywords["RA_REF"],
            dec=keywords["DEC_REF"],
            roll=keywords["ROLL_REF"],
            y_angle=keywords.get("V3I_YANG", 0.0),
            parity=int(keywords.get("VPARITY", -1)),
            va_scale=keywords.get("VA_SCALE") or 1.0,
        )

    def position_angle(self) -> float:
        """Return the position angle of the aperture's Y axis, degrees east of north."""
        return self.roll - self.parity * self.y_angle
