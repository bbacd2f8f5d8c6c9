"""How far the products of a simulated program are from its truth. Nothing here is made by the steps themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.stats import mad_std
from astropy.table import QTable, Table

BAD = 1 << 0
SATURATED = 1 << 1
JUMP = 1 << 2
REFERENCE = 1 << 31


@dataclass(frozen=True)
class Exposure:
    """A product and its truth on the same pixels; `good` are those that both stand for."""

    value: np.ndarray
    err: np.ndarray
    truth: np.ndarray
    dq: np.ndarray

    @property
    def good(self) -> np.ndarray:
        unusable = (self.dq & (BAD | REFERENCE)) > 0
        return ~unusable & np.isfinite(self.value) & (self.err > 0)

    def pull(self) -> np.ndarray:
        """(value − truth) / ERR of the good pixels."""
        return ((self.value - self.truth) / self.err)[self.good]

    def bias(self, faintest: float, brightest: float) -> float:
        """Relative excess of the summed signal over truth for pixels whose truth lies between the two."""
        chosen = self.good & (self.truth >= faintest) & (self.truth < brightest)
        return float(self.value[chosen].sum(dtype="f8") / self.truth[chosen].sum(dtype="f8") - 1)


def truth_of(product: Path, truth: Path) -> Path:
    """The truth file of an exposure's product."""
    return truth / f"{product.name.rsplit('_', 1)[0]}_truth.fits"


def exposure(product: Path, truth: Path, plane: str) -> Exposure:
    """Read a `_rate` (plane RATE) or `_cal` (plane CAL) with its truth."""
    with fits.open(product) as hdus, fits.open(truth_of(product, truth)) as true:
        value, err, dq = (np.array(hdus[name].data) for name in ("SCI", "ERR", "DQ"))
        return Exposure(value.astype("f8"), err.astype("f8"), np.array(true[plane].data, "f8"), dq)


def jumps_found(rateints: Path, truth: Path, noise: float, threshold: float = 6.0) -> tuple[int, int]:
    """Return (found, all) of the cosmic rays above `threshold` times the noise of a group difference.

    Only pixels that a fit could use, hits inside the ramp (not in the first group), in unsaturated ramps.
    `noise` is that of the difference of two groups, electron, without the signal's own; that is added from truth.
    """
    with fits.open(rateints) as hdus, fits.open(truth_of(rateints, truth)) as true:
        dq, group_time = np.array(hdus["DQ"].data), hdus[0].header["TGROUP"]
        hits, electrons = true["COSMIC"].data, np.array(true["ELECTRON"].data)
    counted = hits["group"] > 0
    i, y, x = (hits[name][counted].astype(int) for name in ("integration", "y", "x"))
    sigma = np.sqrt(noise**2 + np.maximum(electrons[y, x], 0) * group_time)
    pixel = dq[i, y, x]
    usable = (pixel & (BAD | SATURATED | REFERENCE)) == 0
    above = usable & (hits["electrons"][counted] > threshold * sigma)
    return int(((pixel & JUMP) > 0)[above].sum()), int(above.sum())


@dataclass(frozen=True)
class Photometry:
    """Matched stars: relative flux errors, offsets on the sky in mas."""

    flux: np.ndarray
    dra: np.ndarray
    ddec: np.ndarray


def photometry(catalog: Path, truth: Path, band: str, snr: float = 100.0) -> Photometry:
    """Match the isolated stars of the truth above `snr` that lie in several exposures.

    Stars that saturate have no flux in a catalogue (NaN).
    """
    sources = Table.read(truth / "sources.ecsv")
    chosen = (sources["type"] == "star") & sources[f"isolated_{band}"] & (sources[f"snr_{band}"] > snr)
    stars = sources[chosen & (sources[f"exposures_{band}"] >= 2)]
    found = QTable.read(catalog)
    true = SkyCoord(stars["ra"], stars["dec"], unit="deg")
    index, distance, _ = true.match_to_catalog_sky(found["sky_centroid"])
    near = distance < 100 * u.mas
    matched, stars, true = found[index[near]], stars[near], true[near]
    dra, ddec = true.spherical_offsets_to(matched["sky_centroid"])
    flux = matched["aper_total_flux"].to_value("Jy") / np.asarray(stars[f"flux_{band}"]) - 1
    return Photometry(flux, dra.to_value("mas"), ddec.to_value("mas"))


def scatter(values: np.ndarray) -> float:
    """Standard deviation of the bulk."""
    return float(mad_std(values[np.isfinite(values)]))
