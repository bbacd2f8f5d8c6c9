"""Where random numbers come from: drawn anew for every read, or from a pool for exposures of very many reads."""

from __future__ import annotations

import numpy as np
from scipy import fft

POOL = 1 << 24
SERIES = 12


class Noise:
    """Random numbers drawn anew."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def photons(self, mean: np.ndarray) -> np.ndarray:
        """Return how many photons arrive where so many are expected."""
        return self.rng.poisson(mean).astype(np.float32)

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return numbers of mean 0 and variance 1."""
        return self.rng.standard_normal(shape, np.float32)

    def series(self, spectrum: np.ndarray) -> np.ndarray:
        """Return a periodic series in time with these amplitudes."""
        wave = self.rng.standard_normal((2, len(spectrum)), np.float32)
        return np.asarray(fft.irfft((wave[0] + 1j * wave[1]) * spectrum))


class Pooled(Noise):
    """Random numbers from a pool that is made once: every read takes a stretch of it from a random place on.

    Means, variances and spectra are the same; two reads may share a stretch, by chance and for different pixels. The
    number of photons is normally distributed, which is good enough where more than a few arrive in a read.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self._pool = rng.standard_normal(POOL, np.float32)
        self._made: dict[int, list[np.ndarray]] = {}

    def photons(self, mean: np.ndarray) -> np.ndarray:
        """Return how many photons arrive where so many are expected."""
        spread: np.ndarray = np.sqrt(mean, dtype=np.float32)
        spread *= self.normal(mean.shape)
        spread += mean
        return spread

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return numbers of mean 0 and variance 1; read only."""
        return self._stretch(self._pool, int(np.prod(shape))).reshape(shape)

    def series(self, spectrum: np.ndarray) -> np.ndarray:
        """Return a periodic series in time with these amplitudes; read only."""
        if len(spectrum) not in self._made:
            twice = [np.tile(super(Pooled, self).series(spectrum), 2) for _ in range(SERIES)]
            self._made[len(spectrum)] = twice
        made = self._made[len(spectrum)][self.rng.integers(SERIES)]
        return self._stretch(made, len(made) // 2)

    def _stretch(self, pool: np.ndarray, count: int) -> np.ndarray:
        start = int(self.rng.integers(len(pool) - count))
        stretch = pool[start : start + count]
        stretch.flags.writeable = False
        return stretch
