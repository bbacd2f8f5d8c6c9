"""The library `crds`: the only place that imports it, and that knows where its cache and its server are."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from importlib import metadata
from pathlib import Path
from typing import Any

from jwrules.errors import JwrulesError, ReferenceFault

SERVER = "https://jwst-crds.stsci.edu"
"""The public server of CRDS for JWST."""

_PICKLES = "CRDS_USE_PICKLED_CONTEXTS"
"""Pickled rules are not used: nobody tells whether they say the same as the mappings that they were made from."""

_NO_SERVER = "https://jwst-serverless.stsci.edu"
"""What the library takes for the wish to be left alone (CRDS User Guide, "Environment variables")."""


def folder(kind: str) -> Path:
    """Return the folder of `mappings`, `references` or `config` (CRDS User Guide, "Environment variables")."""
    variable = {"mappings": "CRDS_MAPPATH", "references": "CRDS_REFPATH", "config": "CRDS_CFGPATH"}[kind]
    given = os.environ.get
    if single := given(f"{variable}_SINGLE"):
        return Path(single)
    if several := given(variable):
        return Path(several) / "jwst"
    if single := given("CRDS_PATH_SINGLE"):
        return Path(single) / kind
    return Path(given("CRDS_PATH") or given("CRDS_DEFAULT_CACHE") or "/grp/crds/cache") / kind / "jwst"


def place(name: str) -> Path:
    """Return where a file of the cache is; where it belongs, if it is not there: by instrument, or in a flat cache."""
    if name.endswith((".pmap", ".imap", ".rmap")):
        return folder("mappings") / name
    flat = folder("references") / name
    ordered = flat.parent / (name.split("_")[1] if name.count("_") > 1 else "") / name
    there = [path for path in (ordered, flat) if path.is_file()]
    return there[0] if there else flat if _is_flat() else ordered


def _is_flat() -> bool:
    """Tell whether the library noted that it puts reference files side by side."""
    try:
        return (folder("config") / "ref_cache_subdir_mode").read_text().strip() == "flat"
    except OSError:
        return False


def server() -> str:
    """Return the server that the environment names (CRDS_SERVER_URL), or nothing."""
    url = os.environ.get("CRDS_SERVER_URL", "").rstrip("/")
    return "" if "serverless" in url or "server-less" in url else url


def version() -> str:
    """Return the version of the library, or nothing where it is not installed."""
    try:
        return metadata.version("crds")
    except metadata.PackageNotFoundError:
        return ""


def listed() -> Mapping[str, Mapping[str, str]]:
    """Return size and sha1sum of every file that the server knew when the cache was last brought up to date."""
    import ast

    try:
        info = ast.literal_eval((folder("config") / "server_config").read_text())
        with opened() as crds:
            known: Mapping[str, Mapping[str, str]] = crds.client.proxy.crds_decode(info["download_metadata"])
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, ReferenceFault):
        return {}
    return known


@contextmanager
def opened(server: str = "", *, writes: bool = False) -> Iterator[Any]:
    """Give the `crds` library, silent, with this server or none, its cache read-only unless `writes`.

    It is left as it was found. ReferenceFault where it is not installed.
    """
    crds = _imported()
    api, config = crds.client.api, crds.core.config
    logger = logging.getLogger("CRDS")
    level, readonly = logger.level, config._CRDS_CACHE_READONLY
    url, proxy, pickles = api.URL, api.S, os.environ.get(_PICKLES)
    try:
        os.environ[_PICKLES] = "0"
        logger.setLevel(logging.CRITICAL)
        config.set_cache_readonly(readonly or not writes)
        with redirect_stderr(io.StringIO()):
            api.set_crds_server(server or _NO_SERVER)
            yield crds
    finally:
        api.URL, api.S = url, proxy
        if pickles is None:
            del os.environ[_PICKLES]
        else:
            os.environ[_PICKLES] = pickles
        config.set_cache_readonly(readonly)
        logger.setLevel(level)


def _imported() -> Any:
    try:
        import crds
        import crds.client
        import crds.core.heavy_client
    except ImportError as reason:
        raise ReferenceFault(
            f"the library crds cannot be used ({reason}); install it together with stdatamodels, which it needs for"
            " JWST and does not bring along: pip install crds stdatamodels"
        ) from reason
    return crds


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Turn whatever the library raises into a ReferenceFault that says `what` was wanted and what CRDS said."""
    try:
        yield
    except JwrulesError:
        raise
    except Exception as reason:
        raise ReferenceFault(
            f"{what}: CRDS says: {reason} (cache {folder('mappings').parent.parent}, from CRDS_PATH)"
        ) from reason
