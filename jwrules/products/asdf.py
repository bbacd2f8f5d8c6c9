"""The ASDF extension of a FITS product: a tree with the WCS and how the product was made."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml
from astropy.io import fits

from jwrules.products.table_hdu import TableHDU

_PLAIN = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
"""How an ASDF file of plain values begins; loading the extensions of the library takes longer than most steps."""

_OURS = _PLAIN + b"jwrules:"
_WORTH_READING = (b"wcs: !", b"jwrules:")
"""What is looked for in the tree of a file that the library wrote; raw exposures have neither."""


def embed(tree: Mapping[str, Any]) -> TableHDU:
    """Return the tree as the last extension of a product: one row, one cell of bytes (documentation: ASDF in FITS)."""
    text, science = _written(tree)
    cell = np.frombuffer(text, np.uint8)[np.newaxis]
    column = fits.Column(name="ASDF_METADATA", format=f"{cell.shape[1]}B", array=cell)
    hdu = TableHDU.from_columns([column], name="ASDF")
    hdu.header["TREESUM"] = (science, "sum of the tree without how it was made")
    return hdu


def _written(tree: Mapping[str, Any]) -> tuple[bytes, str]:
    """Return the tree as ASDF, and a sum of what it says besides `jwrules`; '' where that is nothing.

    The extensions that it needs stand in the order of their names, not in that of a set.
    """
    if "meta" not in tree:
        return _PLAIN + yaml.dump(dict(tree), Dumper=yaml.CSafeDumper, sort_keys=False).encode() + b"...\n", ""
    import asdf

    draft = io.BytesIO()
    asdf.AsdfFile({name: value for name, value in tree.items() if name != "jwrules"}).write_to(draft)
    with asdf.open(io.BytesIO(draft.getvalue()), lazy_load=True) as file:
        needed = sorted(file["history"]["extensions"], key=lambda one: str(one.get("extension_uri")))
    final = io.BytesIO()
    asdf.AsdfFile({"history": {"extensions": needed}, **tree}).write_to(final)
    said = draft.getvalue().partition(b"\nmeta:")[2]
    return final.getvalue(), hashlib.sha256(said).hexdigest()[:32]


def extract(hdus: fits.HDUList) -> dict[str, Any]:
    """Return the tree of the ASDF extension; empty where there is none.

    Nodes that only other packages understand stay as they are: the arrays they point to live in the FITS file.
    """
    if "ASDF" not in hdus:
        return {}
    stored = hdus["ASDF"].data["ASDF_METADATA"].tobytes()
    if stored.startswith(_OURS):
        return dict(yaml.load(stored[len(_PLAIN) :].removesuffix(b"...\n"), Loader=yaml.CSafeLoader))
    if not any(words in stored for words in _WORTH_READING):
        return {}
    import asdf

    with asdf.open(io.BytesIO(stored), memmap=False, lazy_load=True, ignore_unrecognized_tag=True) as file:
        meta = file.tree.get("meta") or {}
        return {"meta": {"wcs": meta.get("wcs")}, "jwrules": file.tree.get("jwrules") or {}}
