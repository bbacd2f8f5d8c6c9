"""A page that shows what was made of a pool: one HTML file that needs nothing from elsewhere."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import jwrules
from jwrules import names, whole
from jwrules.associations.association import Association, Member
from jwrules.associations.exposures import Candidate, Exposure
from jwrules.associations.gather import Gathered
from jwrules.associations.left_out import LeftOut, by_reason
from jwrules.associations.page import COLOURS, PAGE

_TITLES = ("exposure", "obs", "EXP_TYPE", "kind", "optics", "target", "candidates", "in")

Users = Mapping[str, Sequence[Association]]
"""The associations that an exposure is a member of, by its name."""


def write(gathered: Gathered, pool: str, path: Path | str) -> Path:
    """Write the summary of a pool, and return its path."""
    whole.write(Path(path), text(gathered, pool))
    return Path(path)


def text(gathered: Gathered, pool: str) -> str:
    """Return the page: each program with its products, its exposures, what is missing and what was left out."""
    programs = sorted({one.program for one in gathered.exposures})
    sections = "\n".join(_program(program, _of(gathered, program)) for program in programs)
    return PAGE.format(
        title=html.escape(f"Associations of {pool}"),
        made=f"jwrules {jwrules.__version__}",
        sections=sections or "<p>The pool is empty.</p>",
        legend="".join(f'<span class="{role}">{role.replace("_", " ")}</span>' for role in COLOURS),
    )


def _of(gathered: Gathered, program: str) -> Gathered:
    found = [one for one in gathered.exposures if one.program == program]
    own = {one.name for one in found}
    return Gathered(
        [one for one in gathered.associations if one.program == program],
        found,
        [one for one in gathered.left_out if one.exposure in own],
        [one for one in gathered.lacks if own.intersection(one.science)],
    )


def _program(program: str, its: Gathered) -> str:
    parts = [
        f'<h2 id="p{program}">Program {program}</h2>',
        f'<p class="facts">{_facts(its)}</p>',
        _observations(its.exposures),
        _listed("What is missing", [html.escape(str(one)) for one in its.lacks]),
        _listed("What was left out, and why", list(_reasons(its.left_out))),
        _listed("Exposures with an error", [*map(_error, (one for one in its.exposures if one.column("exposerr")))]),
        *(_products(stage, [one for one in its.associations if one.type.endswith(stage)]) for stage in "32"),
        _exposures(its),
    ]
    return "\n".join(filter(None, parts))


def _facts(its: Gathered) -> str:
    kinds = Counter(one.type for one in its.associations)
    made = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
    return html.escape(
        f"{len(its.exposures)} exposures, of which {len(its.left_out)} are in no association; "
        f"{len(its.associations)} associations: {made}"
    )


def _observations(found: Sequence[Exposure]) -> str:
    """Draw the exposures of each observation, coloured by what they are."""
    of: dict[str, Counter[str]] = {}
    for one in found:
        of.setdefault(one.observation, Counter())[one.role if one.role in COLOURS else "other"] += 1
    widest = max(sum(counts.values()) for counts in of.values())
    bars = (_bar(place, number, of[number], 560 / widest) for place, number in enumerate(sorted(of)))
    size = 18 * len(of)
    return f'<svg width="700" height="{size}" role="img" aria-label="exposures by observation">{"".join(bars)}</svg>'


def _bar(place: int, observation: str, counts: Counter[str], scale: float) -> str:
    top, left = 18 * place, 50.0
    drawn = [f'<text x="0" y="{top + 12}">{html.escape(observation)}</text>']
    for role in COLOURS:
        width = counts[role] * scale
        title = f"<title>{counts[role]} {role.replace('_', ' ')}</title>"
        shape = f'<rect class="{role}" x="{left:.1f}" y="{top}" width="{width:.1f}" height="14">{title}</rect>'
        drawn += [shape] if width else []
        left += width
    return "".join([*drawn, f'<text x="{left + 6:.1f}" y="{top + 12}">{sum(counts.values())}</text>'])


def _listed(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<details open><summary>{title} ({len(lines)})</summary><ul>{items}</ul></details>"


def _reasons(left_out: Iterable[LeftOut]) -> Iterator[str]:
    """Yield each reason once, with its exposures."""
    for reason, ones in by_reason(left_out).items():
        yield f"{html.escape(reason)} <small>{html.escape(', '.join(map(str, ones)))}</small>"


def _error(exposure: Exposure) -> str:
    return html.escape(f"{exposure.name}: {exposure.column('exposerr')} (kept; its associations are marked degraded)")


def _products(stage: str, made: Sequence[Association]) -> str:
    if not made:
        return ""
    rows = "".join(map(_product, made))
    head = "<tr><th>product</th><th>type</th><th>candidate</th><th>members</th><th>rule</th></tr>"
    return (
        f"<details {'open' if stage == '3' else ''}><summary>Products of stage {stage} ({len(made)})</summary>"
        f"<table>{head}{rows}</table></details>"
    )


def _product(made: Association) -> str:
    roles = Counter(role for _, role in made.members)
    shown = " ".join(f'<span class="{role}">{count} {role.replace("_", " ")}</span>' for role, count in roles.items())
    degraded = " <b>degraded</b>" if any(one.exposerr for one in made.members) else ""
    members = "".join(_member(one, made) for one in made.members)
    listed = f"<details><summary>{shown}{degraded}</summary><ul>{members}</ul></details>"
    cells = (html.escape(made.product), made.type, html.escape(made.candidate), listed, html.escape(made.rule))
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _member(member: Member, made: Association) -> str:
    again = _written_again(member, made)
    words = [member.expname, f"({member.exptype})", f"→ {again}" if again else "", member.exposerr or ""]
    return f"<li>{html.escape(' '.join(filter(None, words)))}</li>"


def _written_again(member: Member, made: Association) -> str:
    """Return the file (stage 2c) in which stage 3 writes a science exposure again, its outliers flagged."""
    suffixes = {"_cal.fits": "crf", "_calints.fits": "crfints"}
    suffix = next((suffixes[end] for end in suffixes if member.expname.endswith(end)), "")
    wanted = suffix and member.exptype == "science" and made.type in ("image3", "spec3", "tso3", "coron3")
    return names.flagged(member.expname, made.candidate, suffix) if wanted else ""


def _exposures(its: Gathered) -> str:
    users: dict[str, list[Association]] = {}
    for made in its.associations:
        for name in {names.stem(one.expname) for one in made.members}:
            users.setdefault(name, []).append(made)
    why = {one.exposure: one.reason for one in its.left_out}
    rows = "".join(_exposure(one, users, why) for one in its.exposures)
    head = "".join(f"<th>{name}</th>" for name in _TITLES)
    return f"<details><summary>Exposures ({len(its.exposures)})</summary><table><tr>{head}</tr>{rows}</table></details>"


def _exposure(one: Exposure, users: Users, why: Mapping[str, str]) -> str:
    observation = Candidate("", "observation")
    listed = " ".join(f"{candidate.id} ({candidate.kind})" for candidate in one.candidates)
    where = Counter(made.type for made in users.get(one.name, ()))
    used = ", ".join(f"{count} {kind}" for kind, count in sorted(where.items())) or why.get(one.name, "")
    kind = f'<span class="{one.role}">{html.escape(one.role.replace("_", " "))}</span>'
    target, optics = one.column("targetid", "targprop"), one.value("optics", observation)
    before = (one.name, one.observation, one.column("exp_type").upper())
    after = (optics, target, listed, used)
    cells = [*map(html.escape, before), kind, *map(html.escape, after)]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
