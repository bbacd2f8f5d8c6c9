"""The plan as a page: one file that needs no other, with the graph of what is made from what."""

from __future__ import annotations

import json
from pathlib import Path

from jwrules.cli.described import Content, disk_told, is_short, summary

_FRAME = Path(__file__).with_name("plan.html")
_PLACE = "@PLAN@"


def page(content: Content) -> str:
    """Return the page of a plan."""
    # In a script no text may look like its end.
    disk = {"disk_told": disk_told(content), "short": is_short(content)} if "disk" in content else {}
    said = json.dumps({**content, **disk, "summary": summary(content)}, separators=(",", ":"))
    text = said.replace("<", "\\u003c")
    return _FRAME.read_text(encoding="utf-8").replace(_PLACE, text)
