"""What a working directory keeps between runs, as pickles from which no code can run: they may come from anybody."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from jwrules import whole


class _Known(pickle.Unpickler):
    """Makes values of Python and of these classes, and looks for no others."""

    def __init__(self, file: IO[bytes], classes: Iterable[type]) -> None:
        super().__init__(file)
        self._classes = {(one.__module__, one.__qualname__): one for one in classes}

    def find_class(self, module: str, name: str) -> type:
        try:
            return self._classes[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not among what is kept") from None


def load(path: Path, classes: Iterable[type] = ()) -> Any:
    """Return what a file keeps, of plain values and these classes; None where it is missing, damaged or of others."""
    try:
        with path.open("rb") as file:
            return _Known(file, classes).load()
    except Exception:
        # What a damaged pickle raises can be anything; whatever it was, it is learnt again.
        return None


def save(path: Path, content: Any) -> None:
    """Keep plain values and objects, complete or not at all; OSError where that cannot be."""
    whole.write(path, pickle.dumps(content))
