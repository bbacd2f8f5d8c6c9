"""All products that a stage makes of one exposure, on their way out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jwrules import names
from jwrules.errors import CannotRun
from jwrules.products import fits
from jwrules.products.kinds import Product, Ramp
from jwrules.stages.boxes import Box
from jwrules.stages.exposure import Exposure
from jwrules.stages.outgoing import Outgoing
from jwrules.stages.outgoing_ramp import OutgoingRamp
from jwrules.stages.workbench import Workbench

_WAY_OUT = "give the file that an option names another name"
NAMED_BY_STEP = ("fitopt", "likely_chisq")
"""Products that a parameter may give a name of their own: FILENAME."""


class Shelf:
    """All products of a stage on one exposure, by suffix or file name; all get their final names, or none does."""

    def __init__(
        self, bench: Workbench, source: str, made_from: Sequence[Mapping[str, Any]], exposure: Exposure
    ) -> None:
        self._bench, self._source, self._made_from, self._exposure = bench, source, made_from, exposure
        self._outgoing: dict[str, Outgoing] = {}
        self._names: set[str] = set()
        self._stack = ExitStack()
        self.paths: list[Path] = []

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._stack.__exit__(*error)

    def put(self, suffix: str, product: Product, box: Box) -> None:
        """Write a block of a product; the first one is to come alone."""
        if suffix not in self._outgoing:
            name = suffix if suffix.endswith(".fits") else names.with_suffix(self._source, suffix)
            if suffix in NAMED_BY_STEP and product.meta.get("FILENAME"):
                name = f"{names.stem(product.meta['FILENAME'])}_{suffix}.fits"
            if name in self._names:
                raise CannotRun(f"two products would be called {name}; {_WAY_OUT}")
            self._refuse_that_of_others(name)
            self._names.add(name)
            kind = OutgoingRamp if isinstance(product, Ramp) else Outgoing
            self._outgoing[suffix] = self._stack.enter_context(kind(self._bench, name, self._made_from))
        self._outgoing[suffix].put(product, box, self._exposure)

    def _refuse_that_of_others(self, name: str) -> None:
        """Refuse a file that is there and was made from something else; a product's own name tells its exposure."""
        path = self._bench.output / name
        if name.startswith(names.stem(self._source)) or not path.is_file():
            return
        known = fits.members(path)
        if known != {one["file"] for one in self._made_from}:
            source = f"made from {' and '.join(sorted(known))}" if known else "none of ours"
            raise CannotRun(f"{path} is there, {source}; {_WAY_OUT}, or remove it")

    def put_tree(self, suffix: str, tree: Mapping[str, Any]) -> None:
        """Write an ASDF file."""
        from jwrules.products import trees

        path = (self._bench.output / names.with_suffix(self._source, suffix)).with_suffix(".asdf")
        self.paths.insert(0, trees.write(path, tree))

    def complete(self, complete: Callable[[Any], Any]) -> None:
        """Write what is known at the end only."""
        self.paths += [one.finish(complete) for one in self._outgoing.values()]
