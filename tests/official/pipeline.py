"""The official pipeline (package jwst) without a network, with the reference files and options that jwrules chooses.

`start` runs stages in a process of its own: the environment that CRDS reads, warnings and logs stay there. That takes
long to load, so one process serves all tests. Both pipelines are asked for the same recipe with the same `--set`
options; those that only jwrules has are left out, and a step of theirs that the recipe does not name gets no reference
file. As a script, `python pipeline.py TASKS.json` runs the tasks of that file. `python pipeline.py` alone reads lines,
each a folder and a name as JSON; it runs the tasks of FOLDER/NAME.json and answers with a line: 0, or 1 where they
failed.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONTEXT = "jwst_0001.pmap"
NAMES = {"background": "bkg_subtract"}
"""Steps that the official pipelines call otherwise."""


@dataclass(frozen=True)
class Task:
    """One stage on one file: a ramp, count rates, or an association. `sets` are options as of --set."""

    stage: str
    source: str
    output: str
    references: str
    sets: tuple[str, ...] = ()

    def exposure(self) -> Path:
        """The file whose header chooses options and reference files."""
        source = Path(self.source)
        if source.suffix != ".json":
            return source
        return source.parent / json.loads(source.read_text())["products"][0]["members"][0]["expname"]


class Official:
    """Tasks that the process works on; `wait` for what it writes."""

    def __init__(self, tasks: Sequence[Task], folder: Path, name: str) -> None:
        self.log = folder / f"{name}.log"
        (folder / f"{name}.json").write_text(json.dumps([asdict(task) for task in tasks]))
        self.process = _process()
        assert self.process.stdin
        self.process.stdin.write(json.dumps([str(folder), name]) + "\n")
        self.process.stdin.flush()

    def wait(self) -> None:
        """Return when all is written; AssertionError with the end of the log where it failed."""
        assert self.process.stdout
        answer = self.process.stdout.readline().strip()
        assert answer == "0", "\n".join(self.log.read_text().splitlines()[-30:])


@cache
def _process() -> subprocess.Popen[str]:
    """The process that runs the official pipeline until this one ends."""
    crds = tempfile.TemporaryDirectory()
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **_offline(Path(crds.name))},
    )
    atexit.register(lambda: (process.communicate(), crds.cleanup()))
    return process


def start(tasks: Sequence[Task], folder: Path, name: str) -> Official:
    """Run the tasks one after the other, beside this process, in `folder`; the log there is called `name`."""
    return Official(tasks, folder, name)


def _offline(cache: Path) -> dict[str, str]:
    """An empty CRDS cache, and the environment that makes it the only one."""
    for part in ("mappings/jwst", "references/jwst", "config/jwst"):
        (cache / part).mkdir(parents=True, exist_ok=True)
    config = {"observatory": "jwst", "bad_files_list": [], "mappings": [CONTEXT], "context_history": []}
    config |= {"operational_context": CONTEXT, "edit_context": CONTEXT, "last_synced": "never"}
    (cache / "config" / "jwst" / "server_config").write_text(repr(config | {"force_remote_mode": False}))
    header = {"derived_from": "none", "sha1sum": "none", "observatory": "JWST", "mapping": "PIPELINE"}
    header |= {"name": CONTEXT, "parkey": ("META.INSTRUMENT.NAME",)}
    (cache / "mappings" / "jwst" / CONTEXT).write_text(f"header = {header!r}\nselector = {{}}\n")
    return {
        "CRDS_PATH": str(cache),
        "CRDS_SERVER_URL": "",
        "CRDS_OBSERVATORY": "jwst",
        "CRDS_CONTEXT": CONTEXT,
        "CRDS_READONLY_CACHE": "1",
        "CRDS_IGNORE_MAPPING_CHECKSUM": "1",
        "STPIPE_DISABLE_CRDS_STEPPARS": "true",
    }


def _kinds() -> dict[str, Any]:
    from jwst import pipeline

    return {
        "detector1": pipeline.Detector1Pipeline,
        "dark": pipeline.DarkPipeline,
        "guider": pipeline.GuiderPipeline,
        "image2": pipeline.Image2Pipeline,
        "image3": pipeline.Image3Pipeline,
    }


def once(tasks: Path) -> bool:
    """Run the tasks that a file lists, from a cold start as people do; return whether one failed."""
    return _failed([Task(**entry) for entry in json.loads(tasks.read_text())], _kinds())


def serve() -> None:
    """Run what is asked for on the standard input, each with a log of its own, until that ends."""
    answers, kinds = os.fdopen(os.dup(1), "w"), _kinds()
    gc.freeze()  # the official steps collect garbage each time, a second of searching in what was loaded
    for line in sys.stdin:
        folder, name = json.loads(line)
        os.chdir(folder)
        with Path(f"{name}.log").open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        failed = _failed([Task(**entry) for entry in json.loads(Path(f"{name}.json").read_text())], kinds)
        sys.stdout.flush()
        sys.stderr.flush()
        print(int(failed), file=answers, flush=True)


def _failed(tasks: Sequence[Task], kinds: Mapping[str, Any]) -> bool:
    """Run the tasks; tell whether one failed, and why on the standard error."""
    try:
        for task in tasks:
            Path(task.output).mkdir(parents=True, exist_ok=True)
            kind = kinds[task.stage]
            named = {"suffix": "dark"} if task.stage == "dark" else {}
            kind.call(task.source, steps=options(kind, task), output_dir=task.output, save_results=True, **named)
    except (Exception, SystemExit):
        traceback.print_exc()
        return True
    return False


def options(kind: Any, task: Task) -> dict[str, dict[str, Any]]:
    """Return what each step of the pipeline `kind` is told."""
    from jwrules import headers, plan

    settings = plan.Settings(Path(task.source), task.references, sets=tuple(task.sets))
    choice = plan.planner(settings, plan.cache_of(None)).choose(task.stage, headers.read(task.exposure()))
    files = {reftype: str(chosen.path) for reftype, chosen in choice.references.items()}
    calls = {NAMES.get(call["step"], call["step"]): call for call in json.loads(choice.steps)}
    return {name: dict(_told(step, calls.get(name), files)) for name, step in kind.step_defs.items()}


def _told(step: Any, call: Mapping[str, Any] | None, files: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    known = set(step.load_spec_file())
    if call:
        yield from ((name, value) for name, value in call.get("params", {}).items() if name in known)
        yield "skip", call.get("skip", False)
    for reftype in step.reference_file_types:
        yield f"override_{reftype}", files.get(reftype, "N/A")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(once(Path(sys.argv[1])))
    serve()
