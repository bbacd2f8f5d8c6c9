"""The kinds of names: each is a frozen dataclass of the texts that stand in the name, and its grammar.

Source: JWST documentation, "File Naming Schemes", "Guide star data products", "MSA metadata", "JWST Conventions" of
associations; and for segments of guide-star data and placeholders in the names of products, the archive's files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from jwrules.errors import NameFault
from jwrules.names.grammar import Part, characters, pattern, read, word_of, write
from jwrules.names.words import (
    ASSOCIATION_TYPES,
    DETECTORS,
    EXTENSIONS,
    INSTRUMENTS,
    INTERMEDIATE,
    OPTICAL_ELEMENTS,
    SLITS,
    SUFFIXES,
)


def _elements(text: str, at: int) -> int:
    """Read optical elements, or channels and bands of MIRI MRS (`ch1-2-shortmedium`), joined by dashes."""
    bands = re.compile(r"ch[1-4](?:-[1-4])*-(?:short|medium|long)+(?![a-z0-9])").match(text, at)
    if bands:
        return bands.end()
    end = word_of(OPTICAL_ELEMENTS)(text, at)
    more = re.compile(rf"(?:-(?:{'|'.join(OPTICAL_ELEMENTS)})(?![a-z0-9]))*").match(text, end)
    return more.end() if more else end


def _slits(text: str, at: int) -> int:
    """Read a fixed slit, or two different ones joined by a dash."""
    end = word_of(SLITS)(text, at)
    if text[at] == "{":
        return end
    second = re.compile(r"-(s[0-9]{3,4}[ab][0-9])(?![a-z0-9])").match(text, end)
    return second.end() if second and second[1] != text[at:end] else end


_BASE36 = "0-9a-z"
_SUBARRAY = (
    r"(?:sub|full|mask|wfss|slitless|brightsky|allslits|s\d{3,4}[ab]\d|\d+x\d+)[a-z0-9]*"
    r"(?:_(?:ips?|prism|dhs|soss|irs2|supstp\d{3}p?))?(?![a-z0-9])"
)
# The numbers that belong to each letter: JWST documentation, "Association names".
_CANDIDATE = pattern(r"o (?!000)\d \d \d", r"c [12] \d \d \d", r"a [34] \d \d \d", r"r [5-9] \d \d \d")


def _digits(field: str, count: int, what: str, before: str = "") -> Part:
    return Part(field, f"{what} ({count} digits)", characters(count), before)


_VISIT = (
    _digits("program", 5, "the program", "jw"),
    _digits("observation", 3, "the observation"),
    _digits("visit", 3, "the visit"),
)
_SEGMENT = Part("segment", "-seg and the segment (3 digits)", characters(3), "-seg", optional=True)
_ACID = Part("acid", "the association candidate (o001, c1001, a3001, r5001)", _CANDIDATE, "-")
_FILE_ACID = Part("acid", _ACID.what, _CANDIDATE, "_", optional=True, begins=r"[ocar]\d")
_SUFFIX = Part("suffix", "a suffix (uncal, rate, cal, ...)", word_of(SUFFIXES + INTERMEDIATE), "_", optional=True)
_ACTIVITY = Part("activity", "the activity (2 characters)", characters(2, _BASE36), "-", optional=True)
_TIME_STAMP = Part(
    "time", "a time (yyyymmddthhmmss)", pattern(r"\d " * 8 + "t" + r" \d" * 6), "_", optional=True, begins=r"\d"
)
_GUIDE_TIME = Part("time", "the time (yyyydddhhmmss, 13 digits)", characters(13), "_")


def _extension(*words: str) -> Part:
    return Part("extension", f"the file type ({', '.join(words)})", word_of(words), ".", optional=True)


_EXTENSION = _extension(*EXTENSIONS)


class _Name:
    """What all kinds of names share: they are written, and checked when built, by their grammar."""

    grammar: ClassVar[tuple[Part, ...]]

    def __post_init__(self) -> None:
        if read(self.grammar, str(self)) != vars(self):
            raise NameFault(f"{type(self).__name__}: {vars(self)} are not the parts of '{self}'")

    def __str__(self) -> str:
        return write(self.grammar, vars(self))


@dataclass(frozen=True)
class ExposureName(_Name):
    """One exposure of one detector (stages 0 to 2), or what stage 3 makes of it for association `acid`.

    `activity` is in base 36, `segment` numbers the files of a long exposure; all fields are text.
    """

    program: str
    observation: str
    visit: str
    group: str
    sequence: str
    activity: str
    exposure: str
    detector: str
    segment: str = ""
    acid: str = ""
    suffix: str = ""
    extension: str = ""

    grammar = (
        *_VISIT,
        _digits("group", 2, "the visit group", "_"),
        Part("sequence", "the parallel sequence (1 prime, 2 to 5 parallel)", characters(1, "1-5")),
        Part("activity", "the activity (2 characters, base 36)", characters(2, _BASE36)),
        _digits("exposure", 5, "the exposure", "_"),
        _SEGMENT,
        Part("detector", "a detector", word_of(DETECTORS), "_"),
        _FILE_ACID,
        _SUFFIX,
        _EXTENSION,
    )


@dataclass(frozen=True)
class IdentificationName(_Name):
    """Guide-star identification: `form` is image or stacked, `joint` what stands before the suffix (- or _)."""

    program: str
    observation: str
    visit: str
    attempt: str
    form: str
    joint: str = ""
    suffix: str = ""
    extension: str = ""

    grammar = (
        *_VISIT,
        Part("attempt", "the attempt (1 to 8)", characters(1, "1-8"), "_gs-id_"),
        Part("form", "image or stacked", word_of(("image", "stacked")), "_"),
        Part("joint", "- or _", characters(1, "_-"), optional=True, begins="[-_]"),
        Part("suffix", "a suffix (uncal, cal)", word_of(("uncal", "cal")), optional=True, begins=r"[^.]"),
        _EXTENSION,
    )


@dataclass(frozen=True)
class GuideStarName(_Name):
    """Guide-star acquisition, track or fine guide; `time` is the end of the data."""

    program: str
    observation: str
    visit: str
    function: str
    time: str
    segment: str = ""
    suffix: str = ""
    extension: str = ""

    grammar = (
        *_VISIT,
        Part(
            "function",
            "a guiding function (id, acq1, acq2, track, fg)",
            word_of(("acq1", "acq2", "track", "fg")),
            "_gs-",
        ),
        _GUIDE_TIME,
        _SEGMENT,
        Part("suffix", "a suffix (uncal, cal)", word_of(("uncal", "cal")), "_", optional=True),
        _EXTENSION,
    )


@dataclass(frozen=True)
class ProductName(_Name):
    """What stage 3 makes of an association.

    `subject` is the target (t001), the source (s000000042, of old s00042; b background, v virtual) or both
    (t001-s000000042); `{source_id}` and `{slit_name}` stand in associations for what the pipeline will fill in.
    `elements` are the optical elements, `channel` and band of an IFU cube included, joined by dashes; `extra` is a
    detector (wavefront sensing) or `image3` (coronagraphy as images); `activity` follows the suffix.
    """

    program: str
    acid: str
    subject: str
    instrument: str
    elements: str = ""
    slit: str = ""
    subarray: str = ""
    extra: str = ""
    epoch: str = ""
    suffix: str = ""
    activity: str = ""
    extension: str = ""

    grammar = (
        _VISIT[0],
        _ACID,
        Part(
            "subject",
            "a target (t and 3 digits) or a source (s, b or v and 9 digits)",
            pattern(
                r"t \d \d \d \d*",
                r"t \d \d \d \d* -[sbv]" + r" \d" * 9,
                r"t \d \d \d \d* -\{source_id\}",
                "[sbv]" + r" \d" * 9,
                "s" + r" \d" * 5 + r" (?!\d)",
                r"\{source_id\}",
            ),
            "_",
        ),
        Part("epoch", "-epoch and a digit", characters(1), "-epoch", optional=True),
        Part("instrument", "an instrument", word_of(INSTRUMENTS), "_"),
        Part(
            "elements",
            "optical elements (clear-f090w)",
            _elements,
            "_",
            optional=True,
            begins=rf"(?:ch\d|(?:{'|'.join(OPTICAL_ELEMENTS)})(?![a-z0-9]))",
        ),
        Part("slit", "a slit", _slits, "-", optional=True, begins=r"(s\d{3,4}[ab]\d(?![a-z0-9])|\{slit)"),
        Part("subarray", "a subarray", pattern(_SUBARRAY), "-", optional=True, begins=_SUBARRAY),
        Part(
            "extra",
            "an optical element, a subarray or a detector",
            word_of((*DETECTORS, "image3"), OPTICAL_ELEMENTS),
            "-",
            optional=True,
        ),
        _SUFFIX,
        _ACTIVITY,
        _EXTENSION,
    )

    @property
    def target(self) -> str:
        """The number of the target ('001'), or nothing where the product is of a source alone."""
        return self.subject.partition("-")[0][1:] if self.subject.startswith("t") else ""

    @property
    def source(self) -> str:
        """The source with its letter ('s000000042'), or nothing where the product is of a target alone."""
        return self.subject.partition("-")[2] if self.subject.startswith("t") else self.subject


@dataclass(frozen=True)
class AssociationName(_Name):
    """An association file; `time` is left out where the name is to stay the same from run to run."""

    program: str
    acid: str
    type: str
    sequence: str
    time: str = ""
    suffix: str = "asn"
    extension: str = "json"

    grammar = (
        _VISIT[0],
        _ACID,
        _TIME_STAMP,
        Part("type", "a type of association", word_of(ASSOCIATION_TYPES), "_"),
        Part("sequence", "the sequence number (5 digits)", pattern(r"\d \d \d (\d\d)?"), "_"),
        Part("suffix", "asn", word_of(("asn",)), "_"),
        _extension("json"),
    )


@dataclass(frozen=True)
class PoolName(_Name):
    """The table of the exposures of a program."""

    program: str
    time: str = ""
    suffix: str = "pool"
    extension: str = "csv"

    grammar = (_VISIT[0], _TIME_STAMP, Part("suffix", "pool", word_of(("pool",)), "_"), _extension("csv"))


@dataclass(frozen=True)
class MsaName(_Name):
    """The metadata of a configuration of the micro-shutters of NIRSpec."""

    program: str
    observation: str
    visit: str
    configuration: str
    suffix: str = "msa"
    extension: str = "fits"

    grammar = (
        *_VISIT,
        _digits("configuration", 2, "the MSA configuration", "_"),
        Part("suffix", "msa", word_of(("msa",)), "_"),
        _extension("fits"),
    )


Name = ExposureName | IdentificationName | GuideStarName | ProductName | AssociationName | PoolName | MsaName
