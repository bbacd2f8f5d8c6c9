"""The table of rules in docs/associations.md, from the recipes: `python -m jwrules.associations.pages [--check]`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from jwrules import house, names, recipes
from jwrules.associations.rules import Recipe, Role, Rule, rules_of
from jwrules.generated import settle

BEGIN, END = "<!-- rules: begin -->", "<!-- rules: end -->"
_HEAD = "| type | templates | one product for each | members |\n| --- | --- | --- | --- |"


def page() -> Path:
    """Return the place of the page."""
    return house.root() / "docs" / "associations.md"


def fresh(text: str, known: Iterable[Recipe]) -> str:
    """Return the page with the table as the recipes give it now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join([_HEAD, *_lines(known)])
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _lines(known: Iterable[Recipe]) -> Iterator[str]:
    """Yield a line for each rule; those that say the same in several recipes are one."""
    templates: dict[tuple[str, str, str], list[str]] = {}
    for recipe in known:
        for rule in rules_of(recipe):
            listed = templates.setdefault((rule.type, _each(rule), _members(rule)), [])
            if recipe.name not in listed:
                listed.append(recipe.name)
    order = sorted(templates.items(), key=lambda item: (names.ASSOCIATION_TYPES.index(item[0][0]), item[1]))
    for (kind, each, members), listed in order:
        links = ", ".join(f"[{name}](recipes/{name}.md)" for name in listed)
        yield f"| {kind} | {links} | {each} | {members} |"


def _each(rule: Rule) -> str:
    what = ", ".join(rule.one_for_each) or _played(rule.science, "exposure")
    within = f" (in candidates {', '.join(rule.candidates)})" if rule.stage == "3" and rule.candidates else ""
    return f"{what}{within}"


def _played(role: Role, what: str) -> str:
    return f"{what} ({', '.join(sorted(role.played_by))})"


def _members(rule: Rule) -> str:
    return "; ".join(dict.fromkeys(_member(role) for role in (rule.science, *rule.others)))


def _member(role: Role) -> str:
    of = "product's " if role.of_product else ""
    also = f" of {', '.join(sorted(role.played_by))}" if role.played_by != {role.name} else ""
    differ = f" that differ in {', '.join(role.differ)}" if role.differ else ""
    return (
        f"{role.name}: {of}{role.file}{also}{differ}{' (required)' if role.required and role.name != 'science' else ''}"
    )


def main() -> int:
    """Write the page, or with --check print how far it is behind."""
    place = page()
    text = fresh(place.read_text(encoding="utf-8"), recipes.all().values())
    return settle({place: text}, [], "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
