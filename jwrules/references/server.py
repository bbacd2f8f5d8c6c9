"""A server of CRDS, asked through the `crds` library: what files it has, how large they are, their bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import library


@dataclass(frozen=True)
class Listed:
    """A file as a server lists it: its name, size in bytes and SHA-1, and where it belongs in the cache."""

    name: str
    size: int
    sha1: str
    place: Path

    def is_there(self) -> bool:
        """Tell whether a file of this name and size is in the cache."""
        return self.place.is_file() and self.place.stat().st_size == self.size


class Server:
    """A server of CRDS at `url`. Whatever is asked of it is asked within `connected()`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._crds: Any = None

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Open the library for this server; its cache may be written."""
        with library.opened(self.url, writes=True) as self._crds:
            self._crds.core.utils.clear_function_caches()
            yield

    def remember(self) -> None:
        """Write into the cache what the server says of itself and its files: the library needs it without a network."""
        with library.faults(f"{self.url}: it does not say what it has"):
            heavy_client = self._crds.core.heavy_client
            info = heavy_client.ConfigInfo(self._crds.client.api.get_server_info())
            heavy_client.cache_server_info(info, "jwst")

    def listed(self, name: str) -> Listed:
        """Return what the server says of a file; ReferenceFault where it does not know it."""
        known = self._metadata.get(name)
        if known is None or "size" not in known:
            raise ReferenceFault(f"{self.url} does not know a file {name}; is the context one of this server?")
        return Listed(name, int(known["size"]), str(known.get("sha1sum", "")).replace("none", ""), library.place(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file as it comes."""
        cacher = self._crds.client.api.FileCacher("jwst.pmap")
        cacher.info_map = {name: self._metadata[name]}
        yield from cacher.get_data_http(name)

    @cached_property
    def _metadata(self) -> Mapping[str, Mapping[str, str]]:
        with library.faults(f"{self.url}: it does not say what it has"):
            found: Mapping[str, Mapping[str, str]] = self._crds.client.api.get_download_metadata()
        return found
