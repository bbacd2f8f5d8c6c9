"""Frames of NIRSpec in IRS2 readout: reference pixels read among the light, beside a reference output.

A frame of the detector becomes one as it is stored. What wanders slowly is common to all outputs, or an amplifier's own
and then the same for its light and its reference pixels: so the reference file can tell how much of it to take off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Protocol

import numpy as np
from astropy.io import fits

from jwrules.simulate import references
from jwrules.simulate.nircam import Pointing, Window
from jwrules.simulate.pixels import Pixels
from jwrules.simulate.references import Flags, Shelf, image

LINES, AMPLIFIERS, COLUMNS = 2048, 4, 512
END_OF_LINE = 8
PATTERNS = ("NRSIRS2RAPID", "NRSIRS2")


@dataclass(frozen=True)
class Clock:
    """When the pixels of a line are read: `normal` ones and `reference` ones by turns."""

    normal: int = 16
    reference: int = 4

    @cached_property
    def line(self) -> tuple[np.ndarray, np.ndarray, int]:
        """When each pixel is read, which are reference pixels, and how long a line takes, in pixels."""
        when: list[int] = []
        blind: list[bool] = []
        now = 0
        for _ in range(COLUMNS // self.normal):
            for count, is_reference, step in (
                (self.normal // 2, False, 1),
                (self.reference, True, 1),
                (self.normal // 2, False, 0),
            ):
                when += range(now, now + count)
                blind += [is_reference] * count
                now += count + step
        return np.array(when), np.array(blind), now + END_OF_LINE

    @property
    def samples(self) -> int:
        """Pixels that could be read in the time of a frame."""
        return self.line[2] * LINES


@dataclass(frozen=True)
class Noise:
    """What adds to the light, DN: slow noise of all outputs, of an amplifier alone; white noise of what sees no light.

    The slow noise goes as 1/f between two waves, in waves per frame.
    """

    common: float = 6.0
    own: float = 4.0
    pixels: float = 5.0
    output: float = 3.0
    slowest: float = 20.0
    fastest: float = 12000.0

    def times(self, strength: float) -> Noise:
        """Return the noise with slow noise of so many times the amplitude."""
        return replace(self, common=self.common * strength, own=self.own * strength)

    def spectrum(self, waves: np.ndarray) -> np.ndarray:
        """Return the power of slow noise in these waves, for a series of unit variance."""
        number = np.minimum(waves, waves.size - waves)
        power = np.exp(-((number / self.fastest) ** 2)) / np.maximum(number, self.slowest)
        return np.asarray(power / power.sum())


class Source(Protocol):
    """Where random numbers come from."""

    def normal(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return numbers of mean 0 and variance 1."""

    def series(self, spectrum: np.ndarray) -> np.ndarray:
        """Return a periodic series in time with these amplitudes."""


class Electronics:
    """The readout of one detector. Images are in science orientation, DN; interleaved ones have (3200, 2048) pixels."""

    def __init__(self, detector: str, noise: Noise | None = None, clock: Clock | None = None) -> None:
        self.detector, self.noise, self.clock = detector, noise or Noise(), clock or Clock()
        _, blind, _ = self.clock.line
        rng = np.random.default_rng([LINES, int(detector == "NRS1")])
        self._pixel_bias = rng.normal(9000.0, 300.0, (AMPLIFIERS, LINES, int(blind.sum())))
        self._output_bias = rng.normal(11000.0, 30.0, (LINES, blind.size))
        waves = np.arange(self.clock.samples)
        power = self.noise.spectrum(waves)[: waves.size // 2 + 1]
        self._amplitudes = np.asarray(np.sqrt(power / 2) * waves.size, np.float32)

    def stored(self, frame: np.ndarray, source: Source, frames: int = 1) -> np.ndarray:
        """Return a frame of the detector (2048, 2048), the mean of so many, as it is read and stored."""
        when, blind, period = self.clock.line
        less = 1 / np.sqrt(frames)
        slow = less * self.noise.common * source.series(self._amplitudes)
        sampled = slow.reshape(LINES, period)[:, when]
        output = self._output_bias + sampled + less * self.noise.output * source.normal(sampled.shape)
        pixels = self._pixel_bias + less * self.noise.pixels * source.normal(self._pixel_bias.shape)
        light = np.empty((AMPLIFIERS, LINES, COLUMNS))
        for amplifier in range(AMPLIFIERS):
            wandering = slow + less * self.noise.own * source.series(self._amplitudes)
            sampled = wandering.reshape(LINES, period)[:, when]
            light[amplifier] = sampled[:, ~blind]
            pixels[amplifier] += sampled[:, blind]
        return interleave(frame, pixels, output, self.detector, self.clock, light)

    def bias(self, frame: np.ndarray) -> np.ndarray:
        """Return the bias (2048, 2048) of the detector with that of the reference pixels and the reference output."""
        return interleave(frame, self._pixel_bias, self._output_bias, self.detector, self.clock)


@cache
def electronics(detector: str, strength: float = 1.0) -> Electronics:
    """Return the readout of a detector, with slow noise of so many times the usual amplitude."""
    return Electronics(detector, Noise().times(strength))


def pause() -> int:
    """Return the pixels that could be read after those of an amplifier in a line: reference pixels and idle time."""
    return Clock().line[2] - COLUMNS


def shape(window: Window) -> tuple[int, int]:
    """Return rows and columns of a stored frame of the full detector."""
    return (AMPLIFIERS + 1) * Clock().line[0].size, window.nx


def store(frame: np.ndarray, pointing: Pointing, frames: int, source: Source) -> np.ndarray:
    """Return a frame of the detector, the mean of so many, as it is stored."""
    return _electronics(pointing).stored(frame, source, frames)


def _electronics(pointing: Pointing) -> Electronics:
    return electronics(pointing.detector.name, pointing.extras.one_over_f)


def interleave(
    frame: np.ndarray,
    pixels: np.ndarray,
    output: np.ndarray,
    detector: str,
    clock: Clock,
    excess: np.ndarray | None = None,
) -> np.ndarray:
    """Return a frame as it is stored, of light (2048, 2048) and of what sees none, in order of time.

    `pixels` (4, lines, k), `output` (lines, n); `excess` (4, lines, 512), in order of time, adds to the light.
    """
    _, blind, _ = clock.line
    light = _turned(frame, detector).reshape(LINES, AMPLIFIERS, COLUMNS)
    parts = [output[:, ::-1]]
    for amplifier in range(AMPLIFIERS):
        forward = 1 if amplifier % 2 == 0 else -1
        part = np.empty((LINES, blind.size))
        part[:, ~blind] = light[:, amplifier, ::forward]
        if excess is not None:
            part[:, ~blind] += excess[amplifier]
        part[:, blind] = pixels[amplifier]
        parts.append(part[:, ::forward])
    return np.ascontiguousarray(_turned(np.hstack(parts), detector), np.float32)


def _turned(image: np.ndarray, detector: str) -> np.ndarray:
    """Return an image from science orientation to that of the detector, or back."""
    return image.T if detector == "NRS1" else image[::-1, ::-1].T


def weights(noise: Noise, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (samples,) of reference output and reference pixels that leave the least slow noise.

    The pixels of a step stand for twice their time: their series holds the slow noise in part, and white noise of
    four times the power of each.
    """
    _, blind, period = clock.line
    slow = noise.spectrum(np.arange(clock.samples))
    common, all_of_it = noise.common**2 * slow, (noise.common**2 + noise.own**2) * slow
    part = 2 * blind.sum() / period
    output = common + noise.output**2 / clock.samples
    pixels = part**2 * all_of_it + 4 * noise.pixels**2 * blind.sum() / period / clock.samples
    shared = part * common
    determinant = output * pixels - shared**2
    of_output = (common * pixels - part * all_of_it * shared) / determinant
    of_pixels = (part * all_of_it * output - common * shared) / determinant
    return of_output, of_pixels


def left_over(noise: Noise, clock: Clock) -> float:
    """Return the standard deviation, DN, of the slow noise that the weights leave in a pixel."""
    _, blind, period = clock.line
    slow = noise.spectrum(np.arange(clock.samples))
    all_of_it = (noise.common**2 + noise.own**2) * slow
    of_output, of_pixels = weights(noise, clock)
    explained = of_output * noise.common**2 * slow + of_pixels * 2 * blind.sum() / period * all_of_it
    return float(np.sqrt(np.sum(all_of_it - explained)))


_BOTH = {"READPATT": PATTERNS[0], "P_READPA": " | ".join(PATTERNS) + " |"}


def weight_table(noise: Noise, clock: Clock) -> fits.BinTableHDU:
    """Return the extension IRS2: weights with real and imaginary parts by turns, the same for every amplifier."""
    columns = []
    for name, values in zip(("alpha", "beta"), weights(noise, clock), strict=True):
        pairs = values.astype(np.complex64).view(np.float32)
        columns += [fits.Column(f"{name}_{k}", "E", array=pairs) for k in range(AMPLIFIERS)]
    return fits.BinTableHDU.from_columns(columns, name="IRS2")


def refpix(shelf: Shelf, detector: str, noise: Noise, clock: Clock, bad: list[tuple[int, int, int]]) -> None:
    """Write the weights, and the reference pixels that are not to be used: amplifier (1 to 4), half (1, 2), bits."""
    dtype = [("OUTPUT", "u2"), ("ODD_EVEN", "u2"), ("MASK", "u4")]
    listed = fits.BinTableHDU(np.array(bad, dtype=dtype), name="DQ")
    keys = {"DETECTOR": detector, **_BOTH}
    describe = "Weights of reference output and reference pixels"
    shelf.put("refpix", describe, [weight_table(noise, clock), listed], "IRS2Model", **keys)


def superbias(shelf: Shelf, electronics: Electronics, bias: np.ndarray, keys: Mapping[str, Any]) -> None:
    """Write the bias (2048, 2048) of a detector as its interleaved frames have it."""
    stored = electronics.bias(bias)
    flags = Flags((stored.shape[0], stored.shape[1]), ("UNRELIABLE_BIAS",))
    hdus = [image("SCI", stored, unit="DN"), image("ERR", np.full(stored.shape, 0.5)), *flags.hdus()]
    shelf.put("superbias", "Level of every pixel after its reset", hdus, "SuperBiasModel", **keys, **_BOTH)


def mask(shelf: Shelf, pixels: Pixels, keys: Mapping[str, Any]) -> None:
    """Write which pixels of interleaved frames are bad or see no light."""
    clock, detector = Clock(), pixels.detector.name
    _, blind, _ = clock.line

    def interleaved(array: np.ndarray, bits: int) -> np.ndarray:
        between = np.full((AMPLIFIERS, LINES, int(blind.sum())), bits)
        return interleave(array, between, np.full((LINES, blind.size), bits), detector, clock).astype(np.uint32)

    flags = references.bad_pixels(pixels).rearranged(interleaved, "REFERENCE_PIXEL", "NON_SCIENCE")
    references.mask(shelf, flags, {**keys, **_BOTH})


def write_for_ramps(shelf: Shelf, pointing: Pointing, pixels: Pixels, seed: int) -> None:
    """Write what stage 1 needs."""
    detector, readout = pointing.detector, _electronics(pointing)
    references.write_of_pixels(shelf, pointing, pixels, seed)
    references.noise(shelf, pointing, pixels, left_over(readout.noise, readout.clock) ** 2)
    refpix(shelf, detector.name, readout.noise, readout.clock, [])
    keys = references.detector_keywords(detector, pointing.window)
    mask(shelf, pixels, keys)
    superbias(shelf, readout, pixels.bias, keys)
