"""What the summary of a pool looks like: its frame, its colours, and a line to search in."""

from __future__ import annotations

COLOURS = {
    "science": "#4c78a8",
    "background": "#f2cf5b",
    "psf": "#b279a2",
    "imprint": "#ff9da6",
    "target_acquisition": "#9ecae9",
    "direct_image": "#54a24b",
    "sourcecat": "#88d27a",
    "segmap": "#c6e5be",
    "other": "#bab0ac",
}
"""The colour of each kind of exposure or role."""

_RULES = "".join(f".{role}{{background:{colour};fill:{colour}}}" for role, colour in COLOURS.items())

_STYLE = (
    "body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#222}"
    "h1{margin-bottom:.2rem}h2{border-top:2px solid #4c78a8;padding-top:.6rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:2px 8px;vertical-align:top;"
    "border-bottom:1px solid #ddd}td:first-child{font-family:ui-monospace,monospace;font-size:12px}"
    "summary{cursor:pointer;font-weight:600;margin:.4rem 0}td summary{font-weight:400;margin:0}"
    "ul{margin:.2rem 0;padding-left:1.2rem}td ul{font:12px ui-monospace,monospace}small{color:#666}"
    "span{color:#111;border-radius:3px;padding:0 5px;margin-right:4px;white-space:nowrap}text{font-size:12px}"
    "b{color:#b00}input{padding:4px 8px;width:24rem}" + _RULES
)

_SEARCH = (
    "document.getElementById('search').oninput=e=>{const w=e.target.value.toLowerCase();"
    "document.querySelectorAll('tr').forEach(r=>{if(r.querySelector('td'))"
    "r.hidden=!r.textContent.toLowerCase().includes(w)})}"
)

PAGE = (
    '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>'
    + _STYLE.replace("{", "{{").replace("}", "}}")
    + "</style></head><body>\n<h1>{title}</h1>\n<p><small>{made}</small> {legend}</p>\n"
    '<p><input id="search" type="search" placeholder="show lines with ..." aria-label="search"></p>\n'
    "{sections}\n<script>" + _SEARCH.replace("{", "{{").replace("}", "}}") + "</script></body></html>\n"
)
"""The page; its fields are title, made, legend and sections."""
