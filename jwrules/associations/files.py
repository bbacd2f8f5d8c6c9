"""Association files in the official format (`*_asn.json`): written, read, and checked when read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any

import jwrules
from jwrules import names
from jwrules.associations.association import Association, Member
from jwrules.errors import DataFault, nearest

ROLES = (
    *("science", "background", "psf", "imprint", "sourcecat", "segmap", "direct_image", "target_acquisition"),
    *("selfcal", "autoflat", "autowave"),
)
"""The roles that a member may have (JWST documentation, "Stage 2 Associations" and "Stage 3 Associations")."""

_NO_ERRORS = "No known degraded exposures in association."
_ERRORS = (
    "One or more members have an error associated with them.\nDetails can be found in the member.exposerr attribute."
)


def text(association: Association) -> str:
    """Return an association as JSON, the same text every time."""
    content = {
        "asn_type": association.type,
        "asn_rule": association.rule,
        "version_id": None,
        "code_version": jwrules.__version__,
        "degraded_status": _ERRORS if any(one.exposerr for one in association.members) else _NO_ERRORS,
        "program": association.program,
        "constraints": association.constraints,
        "asn_id": association.candidate,
        "asn_pool": association.pool,
        "target": association.target,
    }
    head = json.dumps(content | dict(association.details), indent=4).removesuffix("\n}")
    members = ",\n".join(_entry(one, association.type) for one in association.members)
    return _LAYOUT.format(head=head, product=json.dumps(association.product), members=members)


_LAYOUT = """\
{head},
    "products": [
        {{
            "name": {product},
            "members": [
{members}
            ]
        }}
    ]
}}
"""
"""As json.dumps with an indent of 4 lays it out, which takes several times as long where there are many members."""


def _entry(member: Member, kind: str) -> str:
    """Return a member as it stands in the file: official associations of stage 2 do not repeat the candidate."""
    entry = {"expname": member.expname, "exptype": member.exptype, "exposerr": member.exposerr}
    if not (kind.endswith("2") or member.asn_candidate is None):
        entry["asn_candidate"] = member.asn_candidate
    lines = (f'                    "{key}": {_value(value)}' for key, value in entry.items())
    return "                {\n" + ",\n".join(lines) + "\n                }"


def _value(value: str | None) -> str:
    return "null" if value is None else encode_basestring_ascii(value)


def write(association: Association, folder: Path | str) -> Path:
    """Write an association into a folder, under its own name, and return the path."""
    path = Path(folder) / association.file
    path.write_text(text(association), encoding="utf-8")
    return path


def read(path: Path | str) -> Association:
    """Return the association in a file with one product; raises DataFault that lists all that is wrong."""
    found = read_all(path)
    if len(found) > 1:
        products = ", ".join(one.product for one in found[:3])
        raise DataFault(
            f"{path}: {len(found)} products ({products}, ...) where one is expected; give one file for each"
        )
    return found[0]


def read_all(path: Path | str, kind: str = "image3") -> tuple[Association, ...]:
    """Return one association for each product of a file; raises DataFault that lists all that is wrong.

    `kind` is the type where the file does not say one.
    """
    path = Path(path)
    try:
        # Some editors put a byte-order mark first.
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as fault:
        raise DataFault(f"{path}: is no association file: {fault}") from fault
    faults = list(_faults(content))
    if faults:
        raise DataFault("\n".join(f"{path} {fault}" for fault in faults))
    return tuple(_association(content, product, kind) for product in content["products"])


def _association(content: Mapping[str, Any], product: Mapping[str, Any], kind: str) -> Association:
    known = {
        "asn_type": kind,
        "program": "00000",
        "asn_id": "a3001",
        "asn_rule": "",
        "target": "",
        "asn_pool": "none",
        "constraints": "",
    } | {key: value for key, value in content.items() if value is not None}
    details = {key: content[key] for key in ("version_id", "code_version", "degraded_status") if key in content}
    return Association(
        type=known["asn_type"],
        program=str(known["program"]).zfill(5),
        candidate=known["asn_id"],
        product=product["name"],
        members=tuple(_member(entry) for entry in product["members"]),
        rule=known["asn_rule"],
        target=str(known["target"]),
        pool=known["asn_pool"],
        constraints=str(known["constraints"]),
        details=tuple(details.items()),
    )


def _member(entry: Mapping[str, Any]) -> Member:
    return Member(entry["expname"], entry["exptype"].lower(), entry.get("exposerr"), entry.get("asn_candidate"))


def _faults(content: Any) -> Iterator[str]:
    products = content.get("products") if isinstance(content, Mapping) else None
    if not isinstance(products, list) or not products:
        yield "$.products: expected a list of products, each with name and members"
        return
    candidate = content.get("asn_id")
    if candidate is not None and not (isinstance(candidate, str) and names.is_one_name(candidate)):
        yield f"$.asn_id: {candidate!r} is no part of a file name; expected such as 'o001' or 'a3001'"
    for number, product in enumerate(products):
        yield from _product_faults(product, f"$.products[{number}]")


def _product_faults(product: Any, where: str) -> Iterator[str]:
    if not isinstance(product, Mapping) or not isinstance(product.get("name"), str):
        yield f"{where}.name: expected the name of the product, without suffix"
        return
    if not names.is_one_name(product["name"]):
        yield f"{where}.name: '{product['name']}' is no file name; --output names the folder of products"
    members = product.get("members")
    if not isinstance(members, list) or not members:
        yield f"{where}.members: expected a list of members, each with expname and exptype"
        return
    seen: dict[str, int] = {}
    for number, member in enumerate(members):
        yield from _member_faults(member, f"{where}.members[{number}]", number, seen)
    if "science" not in {str(one.get("exptype")).lower() for one in members if isinstance(one, Mapping)}:
        yield f"{where}.members: there is no member with the exptype 'science'"


def _member_faults(member: Any, where: str, number: int, seen: dict[str, int]) -> Iterator[str]:
    name = member.get("expname") if isinstance(member, Mapping) else None
    if not isinstance(name, str) or not name:
        yield f"{where}.expname: expected the name of a file"
        return
    if seen.setdefault(name, number) != number:
        yield f"{where}: {name} is already member {seen[name]}"
    role = str(member.get("exptype")).lower()
    if role not in ROLES:
        near = nearest(role, ROLES)
        hint = f"did you mean '{near}'?" if near else f"known are {', '.join(ROLES)}"
        yield f"{where}.exptype: '{member.get('exptype')}' is no role of a member; {hint}"
