"""Where the files that are not Python stand: Snakefile, rules, recipes, schemas, profiles."""

from __future__ import annotations

import site
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jwrules.errors import WorkflowFault

STORE = ".jwrules"
"""Folder of a working directory for everything that can be made again: caches, associations, links."""

SCRATCH = "JWRULES_SCRATCH"
"""Environment variable that names folders of the machine that a job runs on, for files that are being written."""


@cache
def root() -> Path:
    """Return the folder that holds Snakefile, rules/, recipes/, schemas/ and profiles/.

    It is the checkout that the package is imported from, or `share/jwrules` of the environment where it is
    installed. Raises WorkflowFault where neither has recipes and schemas.
    """
    places = list(_places())
    for place in places:
        if (place / "recipes").is_dir() and (place / "schemas").is_dir():
            return place
    raise WorkflowFault(
        "the folders recipes/ and schemas/ of jwrules were not found; considered "
        f"{', '.join(map(str, places))}; install jwrules again"
    )


def _places() -> Iterator[Path]:
    yield Path(__file__).resolve().parent.parent
    for prefix in (sysconfig.get_path("data"), site.getuserbase()):
        yield Path(prefix) / "share" / "jwrules"
