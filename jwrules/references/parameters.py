"""Parameter files of CRDS (`pars-jumpstep`, `pars-detector1pipeline`, ...): what they say about our steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jwrules.errors import ReferenceFault
from jwrules.references import tree

# Our step -> the official class, where it is not the step's name without underscores and with "step" behind it.
_CLASSES = {"background": "backgroundstep", "srctype": "sourcetypestep", "msa_flagging": "msaflagopenstep"}

# What the official pipeline calls a step inside a pipeline, where it differs from the name of its class.
_ALIASES = {"bkg_subtract": "background", "imprint_subtract": "imprint"}

# What every official step has for its own machinery: files, hooks, suffixes. A recipe has no word for it.
_MACHINERY = {
    "pre_hooks",
    "post_hooks",
    "output_file",
    "output_dir",
    "output_ext",
    "output_use_model",
    "output_use_index",
    "save_results",
    "suffix",
    "search_output_file",
    "input_dir",
    "class",
    "name",
    "steps",
}


def of_step(step: str) -> str:
    """Return the type of the parameter file of a step: `pars-` and its official class in lower case."""
    return f"pars-{_class(step)}"


def of_pipeline(stage: str) -> str:
    """Return the type of the parameter file of a stage's pipeline, such as `pars-detector1pipeline`."""
    return f"pars-{stage}pipeline"


def read(path: Path) -> Mapping[str, Any]:
    """Return what a parameter file holds; ReferenceFault where that is no parameters."""
    content = tree.read(path)
    if not isinstance(content.get("parameters"), Mapping):
        raise ReferenceFault(f"{path}: this parameter file has no 'parameters'; it has {sorted(content)}")
    return content


def given(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters in the file of a step, without those of the official machinery."""
    return _parameters(content)


def given_by_pipeline(content: Mapping[str, Any], steps: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the parameters that the file of a pipeline gives to those of `steps` that it names."""
    by_class = {_class(step): step for step in steps}
    named = ((by_class.get(_entry_class(entry)), entry) for entry in _entries(content))
    return {step: _parameters(entry) for step, entry in named if step is not None}


def _class(step: str) -> str:
    return _CLASSES.get(step, step.replace("_", "") + "step")


def _parameters(entry: Mapping[str, Any]) -> dict[str, Any]:
    given = entry.get("parameters", entry)
    return {name: _value(value) for name, value in given.items() if name not in _MACHINERY}


def _value(value: Any) -> Any:
    return None if value == "None" else value


def _entries(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a pipeline's file says of each step: a list of them, or in the older form a mapping by name."""
    steps = content.get("steps") or content["parameters"].get("steps") or []
    if isinstance(steps, Mapping):
        steps = [{"name": name, **entry} for name, entry in steps.items()]
    yield from steps


def _entry_class(entry: Mapping[str, Any]) -> str:
    name = str(entry.get("name", ""))
    if official := entry.get("class"):
        return str(official).rpartition(".")[2].lower()
    return _class(_ALIASES.get(name, name))
