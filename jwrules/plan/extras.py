"""What steps are asked to write besides the products of their stage: the room that it takes in memory and on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jwrules.plan.resources import Size


@dataclass(frozen=True)
class Extra:
    """Bytes for each group, and for each integration, of a pixel.

    `held`: a block of whole frames holds it beside the ramp. `once`: it is of one integration, whatever their number.
    """

    group: int = 0
    integration: int = 0
    held: bool = True
    once: bool = False


_EXTRAS = {
    "dark_current": {"dark_output": Extra(4, once=True)},
    "picture_frame": {"save_correction": Extra(4)},
    "clean_flicker_noise": {
        "save_background": Extra(4),
        "save_noise": Extra(4),
        "save_mask": Extra(integration=4, held=False),
    },
    "persistence": {"save_persistence": Extra(4, held=False)},
}
"""By step and parameter."""
_SEGMENTS, _OF_SEGMENTS = 6, 32
"""The most segments of a ramp in an exposure, about, and bytes of one in `_fitopt`: seven numbers, and a jump."""


def held(steps: str) -> int:
    """Return the bytes for each group of a pixel of what a chain of steps (JSON) is to hold beside the ramp."""
    return sum(extra.group for extra in _asked(steps) if extra.held)


def written(steps: str, sizes: Sequence[Size]) -> int:
    """Return the bytes on disk of what a chain of steps (JSON) is to write of exposures of these sizes."""
    asked, segments = _asked(steps), _are_segments_asked(steps)
    return sum(_of(asked, size) + (_of_segments(size) if segments else 0) for size in sizes)


def _of(asked: Sequence[Extra], size: Size) -> int:
    integrations = size.integrations * size.frame
    return sum(
        extra.group * (size.groups * size.frame if extra.once else size.samples) + extra.integration * integrations
        for extra in asked
    )


def _of_segments(size: Size) -> int:
    segments = min(size.groups // 2 + 1, _SEGMENTS)
    return size.integrations * size.frame * (4 + segments * _OF_SEGMENTS)


@cache
def _asked(steps: str) -> tuple[Extra, ...]:
    known = ((_EXTRAS.get(step, {}), params) for step, params in calls(steps))
    return tuple(extra for extras, params in known for name, extra in extras.items() if params.get(name))


@cache
def _are_segments_asked(steps: str) -> bool:
    return any(params.get("save_opt") and params.get("algorithm") != "LIKELY" for _, params in calls(steps))


@cache
def calls(steps: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the steps of a chain (JSON) that are not skipped, with their parameters."""
    return tuple((call["step"], call.get("params", {})) for call in json.loads(steps) if not call.get("skip"))
