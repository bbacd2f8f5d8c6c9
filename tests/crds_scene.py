"""A tiny CRDS: a cache with one context, and a server on this machine that speaks what the library asks of it."""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from program_scene import write_header

EXPOSURE = {
    "FILENAME": "jw01234001001_02101_00001_nrca1_uncal.fits",
    "TELESCOP": "JWST",
    "INSTRUME": "NIRCAM",
    "DETECTOR": "NRCA1",
    "CHANNEL": "SHORT",
    "MODULE": "A",
    "FILTER": "F200W",
    "PUPIL": "CLEAR",
    "EXP_TYPE": "NRC_IMAGE",
    "READPATT": "BRIGHT2",
    "SUBARRAY": "FULL",
    "NOUTPUTS": 4,
    "SUBSTRT1": 1,
    "TSOVISIT": False,
    "DATE-OBS": "2022-07-01",
    "TIME-OBS": "10:20:30.456",
}

CONTEXT = "jwst_0001.pmap"
GAIN = "jwst_nircam_gain_0001.fits"
JUMP = "jwst_nircam_pars-jumpstep_0001.asdf"

_HEADER = (
    "header = {{'derived_from': 'none', 'sha1sum': 'none', 'observatory': 'JWST',"
    " 'mapping': '{mapping}', 'name': '{name}', 'parkey': {parkey}{more}}}\n"
)
_USEAFTER = "'META.OBSERVATION.DATE', 'META.OBSERVATION.TIME'"
_DETECTOR, _EXP_TYPE = "'META.INSTRUMENT.DETECTOR',", "'META.EXPOSURE.TYPE',"


def write_cache(folder: Path, types: Mapping[str, Mapping[str, str]] | None = None) -> Path:
    """Write a cache of one context: a gain of NRCA1, parameters of jump for NRC_IMAGE, and ipc, which does not apply.

    `types` adds types of reference files: detector -> name of the file.
    """
    rules, files = folder / "mappings" / "jwst", folder / "references" / "jwst" / "nircam"
    for path in (rules, files, folder / "config" / "jwst"):
        path.mkdir(parents=True)
    _mapping(rules, CONTEXT, "PIPELINE", "('META.INSTRUMENT.NAME',)", {"NIRCAM": "jwst_nircam_0001.imap"})
    by_detector = {"gain": {"NRCA1": GAIN}, **(types or {})}
    rows = [(kind, _DETECTOR, matches) for kind, matches in by_detector.items()]
    rows.append(("pars-jumpstep", _EXP_TYPE, {"NRC_IMAGE": JUMP}))
    names = {kind.upper(): f"jwst_nircam_{kind}_0001.rmap" for kind, _, _ in rows} | {"IPC": "N/A"}
    _mapping(rules, "jwst_nircam_0001.imap", "INSTRUMENT", "('REFTYPE',)", names, ", 'instrument': 'NIRCAM'")
    for kind, keys, matches in rows:
        selectors = [f"'{match}': UseAfter({{'2020-01-01 00:00:00': '{file}'}})" for match, file in matches.items()]
        more = f", 'instrument': 'NIRCAM', 'filekind': '{kind.upper()}', 'classes': ('Match', 'UseAfter')"
        parkey = f"(({keys}), ({_USEAFTER}))"
        _mapping(rules, names[kind.upper()], "REFERENCE", parkey, f"Match({{{', '.join(selectors)}}})", more)
        for detector, file in matches.items():
            _reference(files / file, kind, detector)
    (folder / "config" / "jwst" / "server_config").write_text(repr(info(folder)))
    return folder


def _reference(path: Path, kind: str, detector: str) -> None:
    if path.suffix == ".fits":
        write_header(path, {"REFTYPE": kind.upper(), "INSTRUME": "NIRCAM", "DETECTOR": detector})
    else:
        path.write_text("#ASDF 1.0.0\n--- !core/asdf-1.1.0\nparameters: {rejection_threshold: 5.5}\n...\n")


def _mapping(folder: Path, name: str, mapping: str, parkey: str, selector: object, more: str = "") -> None:
    text = _HEADER.format(mapping=mapping, name=name, parkey=parkey, more=more) + f"selector = {selector}\n"
    (folder / name).write_text(text)


def files(folder: Path) -> dict[str, Path]:
    """Return the mappings and reference files below a folder, by name."""
    return {path.name: path for kind in ("mappings", "references") for path in (folder / kind).rglob("*.*")}


def info(folder: Path, url: str = "none") -> dict[str, object]:
    """Return what a server says of itself that has the files below a folder."""
    known = {
        name: {"size": str(path.stat().st_size), "sha1sum": hashlib.sha1(path.read_bytes()).hexdigest()}
        for name, path in files(folder).items()
    }
    config = {"observatory": "jwst", "bad_files_list": [], "mappings": [], "context_history": []}
    config |= {"operational_context": CONTEXT, "latest_context": CONTEXT, "edit_context": CONTEXT}
    config |= {f"{kind}_url": {"jwst": f"{url}/{kind}/"} for kind in ("mapping", "reference")}
    return config | {"last_synced": "never", "force_remote_mode": False, "download_metadata": known}


class Served(BaseHTTPRequestHandler):
    """Answers calls by JSON, and gives files; `damage(name, content)` may change what is sent."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = {"get_server_info": lambda: info(self.server.folder, self.server.url)}
        answers["get_default_context"] = answers["get_build_context"] = lambda: CONTEXT
        self._send(json.dumps({"error": None, "result": answers[asked["method"]]()}).encode())

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.server.given.append(name)
        path = files(self.server.folder).get(name)
        if path is None:
            self.send_error(404)
        else:
            content = path.read_bytes()
            self._send(self.server.damage(name, content), len(content))

    def _send(self, content: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[ThreadingHTTPServer]:
    """Serve the cache at `folder`; `server.url` is where, `server.given` what was asked for, `damage` may be set."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    server.folder, server.given, server.damage = folder, [], lambda name, content: content
    server.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
