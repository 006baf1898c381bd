"""What a form about a seal says, read into what the vault is asked for."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile

from certvault.clock import LEGAL_ZONE
from certvault.model.sealrules import SealRules
from certvault.sealart import Extras
from certvault.seals import Wanted
from templates.sealkinds import SEAL_KINDS
from verify.formats.refusal import Refusal, RefusedError, Text

KEPT = 900_000
"""Characters of a picture that a form may carry from its preview to its sending."""
_LIST = re.compile(r"[\s,，、;；]+")
_NAMES = {"diameter_mm": "diameter", "code": "owner", "issuer": "owner"}
_DAY = "until"


@dataclass(frozen=True, slots=True)
class Draft:
    """The form's text values as typed, and the picture (or PDF) that came with it or with the one before."""

    values: Mapping[str, str]
    picture: bytes | None = None

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "").strip()

    @property
    def kept(self) -> str:
        """The picture as text for the next form; "" when there is none, or it is too large for that."""
        text = base64.b64encode(self.picture or b"").decode("ascii")
        return text if len(text) <= KEPT else ""

    @property
    def diameter(self) -> int | None:
        """The size in millimetres; None for the kind's usual one. RefusedError."""
        return _whole(self["diameter"], "diameter", 8, 60)

    def extras(self, *, former: bool) -> Extras:
        """Person, purpose, shape, number, picture. ``former``: what is empty is taken away from a former edition."""
        person = self["person"] or None
        none = "" if former else None
        picture = b"" if former and self["drawn"] else self.picture
        return Extras(
            person=person if self["kind"] == "legal-representative" else None,
            purpose=self["purpose"] or none,
            shape=self["shape"] or none,
            serial=self["serial"] or none,
            picture=picture,
        )

    def rules(self) -> SealRules:
        """The rules of use. RefusedError."""
        return SealRules(
            actors=_listed(self["actors"]),
            types=_listed(self["types"]),
            regions=_listed(self["regions"]),
            purposes=_listed(self["purposes"]),
            max_uses=_whole(self["max_uses"], "max_uses", 1, 10**9),
            until=_end_of(self[_DAY]),
            approvers=2 if self["approvers"] == "2" else 1,
        )

    def wanted(self, *, former: bool) -> Wanted:
        """All of it, as the vault is asked. RefusedError with everything that cannot be read."""
        faults: list[Refusal] = []
        diameter, rules = None, None
        try:
            diameter = self.diameter
        except RefusedError as error:
            faults += error.refusals
        try:
            rules = self.rules()
        except RefusedError as error:
            faults += error.refusals
        if faults:
            raise RefusedError(faults)
        return Wanted(self["name"] or None, diameter, rules, self.extras(former=former))


@dataclass(frozen=True, slots=True)
class Faults:
    """Refusals beside the fields they are about; ``general`` are those about none."""

    by_field: Mapping[str, tuple[Refusal, ...]] = field(default_factory=dict)
    general: tuple[Refusal, ...] = ()

    def of(self, name: str) -> tuple[Refusal, ...]:
        """What is wrong with one field."""
        return self.by_field.get(name, ())

    @classmethod
    def sorted(cls, refusals: tuple[Refusal, ...], fields: frozenset[str]) -> Faults:
        """Refusals by the inputs of the form."""
        found: dict[str, tuple[Refusal, ...]] = {}
        general: tuple[Refusal, ...] = ()
        for refusal in refusals:
            last = refusal.field.rpartition(".")[2]
            name = _NAMES.get(last, last)
            if name in fields:
                found[name] = (*found.get(name, ()), refusal)
            else:
                general = (*general, refusal)
        return cls(found, general)


async def posted(request: Request) -> Draft:
    """The form with at most one file. A picture kept from a preview counts when no file came."""
    form = await request.form(max_files=1, max_fields=60)
    values = {k: v for k, v in form.items() if isinstance(v, str)}
    upload = form.get("picture") or form.get("file")
    picture = await upload.read() if isinstance(upload, UploadFile) and upload.filename else b""
    if not picture and values.get("kept"):
        try:
            picture = base64.b64decode(values["kept"], validate=True)
        except (binascii.Error, ValueError):
            picture = b""
    return Draft({k: v for k, v in values.items() if k != "kept"}, picture or None)


def rules_typed(rules: SealRules) -> dict[str, str]:
    """Rules as they stand in the form."""
    until = "" if rules.until is None else (rules.until.astimezone(LEGAL_ZONE) - datetime.timedelta(seconds=1)).date()
    return {
        "actors": " ".join(rules.actors or ()),
        "types": " ".join(rules.types or ()),
        "regions": " ".join(rules.regions or ()),
        "purposes": " ".join(rules.purposes or ()),
        "max_uses": "" if rules.max_uses is None else str(rules.max_uses),
        _DAY: str(until),
        "approvers": str(rules.approvers),
    }


def kinds() -> list[tuple[str, Text, str, str]]:
    """Kinds for a choice: name, title, usual sizes, shapes."""
    return [
        (name, kind.title, " / ".join(f"{size:g}" for size in kind.shapes.values()), " / ".join(kind.shapes))
        for name, kind in SEAL_KINDS.items()
    ]


def _listed(text: str) -> tuple[str, ...] | None:
    found = tuple(dict.fromkeys(part for part in _LIST.split(text[:2000]) if part))
    return found or None


def _whole(text: str, name: str, least: int, most: int) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise _unreadable(name, f"须为 {least} 至 {most} 的整数", f"a whole number from {least} to {most} is needed")
    return int(text)


def _end_of(text: str) -> datetime.datetime | None:
    """The end of a day (Asia/Shanghai)."""
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
        if not 2000 <= day.year < 2200:
            raise ValueError(text)
    except ValueError as error:
        raise _unreadable(_DAY, "日期无效", "that is no date") from error
    return datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), LEGAL_ZONE)


def _unreadable(name: str, zh: str, en: str) -> RefusedError:
    return RefusedError(Refusal("SEAL_OPTION", name, Text(zh, en), Text("请更正后重试", "correct it and try again")))
