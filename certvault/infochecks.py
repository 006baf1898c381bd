"""Checking claimed facts against the vault: 信息验证, with the result codes 0 to 7 that national platforms use.

A registered system says what it was told of a license (its type, its number or a holder's code, some members of its
data) and learns one code and, of what it asked, which members differ: never a value, and nothing it did not ask about.
Each check is an audit line that names number or holder by blind index alone.
"""

from __future__ import annotations

import enum
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from certvault.catalog import Catalog
from certvault.cipher import Cipher, normalised
from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import Database, View
from certvault.errors import forbidden
from certvault.licenses import FaceData, Licenses
from certvault.model.actor import Actor, Role
from certvault.model.keys import event
from certvault.model.license import License, LicenseState, Standing
from certvault.model.standing import standing_at
from certvault.numbering import number_index
from templates.registry import LicenseType
from templates.schema import canonical, field_named
from verify.formats.license import Holder
from verify.formats.refusal import Text

MAX_FIELDS = 40
MAX_VALUE = 2_000


class InfoResult(enum.IntEnum):
    """The result codes of 信息验证."""

    IN_FORCE = 0
    NOT_YET = 1
    SUSPENDED = 2
    ENDED = 3
    INCOMPLETE = 4
    NOT_FOUND = 5
    DIFFERS = 6
    PARTLY_DIFFERS = 7


MEANINGS: Mapping[InfoResult, Text] = {
    InfoResult.IN_FORCE: Text("信息正确且有效", "correct, and in force"),
    InfoResult.NOT_YET: Text("信息正确，尚未生效", "correct, not yet in force"),
    InfoResult.SUSPENDED: Text("信息正确，暂时失效", "correct, suspended"),
    InfoResult.ENDED: Text("信息正确，已失效", "correct, no longer in force"),
    InfoResult.INCOMPLETE: Text("信息不全，无法验证", "incomplete: it cannot be checked"),
    InfoResult.NOT_FOUND: Text("查无此信息", "not found"),
    InfoResult.DIFFERS: Text("信息错误或不一致", "wrong, or inconsistent"),
    InfoResult.PARTLY_DIFFERS: Text("部分信息有误", "partly wrong"),
}
_BY_STANDING = {
    Standing.IN_FORCE: InfoResult.IN_FORCE,
    Standing.NOT_YET: InfoResult.NOT_YET,
    Standing.SUSPENDED: InfoResult.SUSPENDED,
}
MATCH, DIFFERS, UNKNOWN = "match", "differs", "unknown"
HOLDER_NAME, HOLDER_CODE = "holder_name", "holder_code"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a system was told. ``fields`` are members of the type's data by name, Chinese title or alias, and
    ``holder_name``, ``holder_code`` for any of the holders."""

    type: str | None
    number: str | None
    holder_code: str | None
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InfoAnswer:
    """The code, and for each member asked about: match, differs, or unknown (no member of that type, or empty)."""

    result: InfoResult
    fields: Mapping[str, str]


class InfoChecks:
    """Answers claims."""

    def __init__(self, database: Database, cipher: Cipher, catalog: Catalog, licenses: Licenses, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self._licenses = licenses
        self._clock = clock

    def check(self, claim: Claim, actor: Actor) -> InfoAnswer:
        """The answer to one claim. ForbiddenError for whoever is no registered system."""
        if not actor.has(Role.VERIFIER):
            raise forbidden(Role.VERIFIER)
        license_type = self._type(claim.type)
        answer = self._answer(claim, license_type)
        with self._database.writing() as uow:
            details: dict[str, str | int] = {"result": int(answer.result), "fields": len(claim.fields)}
            if license_type is not None:
                details["type"] = license_type.name
            uow.record([event("INFO_CHECKED", f"info:{self._about(claim, license_type)}", actor.subject, **details)])
        return answer

    def _answer(self, claim: Claim, license_type: LicenseType | None) -> InfoAnswer:
        if not claim.type or not (claim.number or claim.holder_code):
            return InfoAnswer(InfoResult.INCOMPLETE, {})
        if license_type is None:
            return InfoAnswer(InfoResult.NOT_FOUND, {})
        names = {given: self._name(license_type, given, value) for given, value in claim.fields.items()}
        unknown = {given: UNKNOWN for given, name in names.items() if name is None}
        if unknown:
            return InfoAnswer(InfoResult.INCOMPLETE, unknown)
        with self._database.reading() as view:
            found = self._found(view, claim, license_type)
            histories = view.statuses.histories([f.identifier for f in found])
        now = self._clock.now()
        judged = [
            (
                self._compared(claim, names, license_type, self._licenses.face(one)),
                standing_at(one, histories[one.identifier], now, legal_date(now)),
            )
            for one in found
        ]
        if not judged:
            return InfoAnswer(InfoResult.NOT_FOUND, {})
        fields, standing = max(judged, key=_nearness)
        return InfoAnswer(_result(fields, standing), {k: v for k, v in fields.items() if k in claim.fields})

    def _found(self, view: View, claim: Claim, license_type: LicenseType) -> list[License]:
        """The newest version of each license that is meant."""
        if claim.number:
            index = number_index(self._cipher, license_type.name, claim.number)
            known = view.licenses.by_number(license_type.name, [index])
        else:
            holder = self._cipher.index("holder", claim.holder_code or "")
            known = view.licenses.among("identifier", view.holders.identifiers(holder))
        issued = [f for f in known if f.state is LicenseState.ISSUED and f.type == license_type.name]
        newest = {f.stem: f for f in sorted(issued, key=lambda f: f.version)}
        return list(newest.values())

    def _compared(
        self, claim: Claim, names: Mapping[str, str | None], license_type: LicenseType, face: FaceData
    ) -> dict[str, str]:
        today = legal_date(self._clock.now())
        compared = {}
        for given, name in names.items():
            value = claim.fields[given]
            if name in (HOLDER_NAME, HOLDER_CODE) and name not in license_type.fields:
                same = any(_same(_of_holder(h, name), normalised(value)) for h in face.holders)
            else:
                claimed = canonical(license_type, name or "", value, today=today)
                same = claimed is not None and _same(face.fields.get(name or "", ""), claimed)
            compared[given] = MATCH if same else DIFFERS
        if claim.number and claim.holder_code:  # the number found it, so the code is a claim like any other
            codes = [normalised(h.code) for h in face.holders]
            compared[" holder"] = MATCH if any(_same(c, normalised(claim.holder_code)) for c in codes) else DIFFERS
        return compared

    @staticmethod
    def _name(license_type: LicenseType, given: str, value: str) -> str | None:
        """The member that is meant; None when it cannot be checked."""
        name = field_named(license_type, given) or (given if given in (HOLDER_NAME, HOLDER_CODE) else None)
        return name if name is not None and value.strip() else None

    def _type(self, named: str | None) -> LicenseType | None:
        found = [t for t in self._catalog.list() if named in (t.name, t.type_code)]
        newest = max(found, key=lambda t: t.version, default=None)
        return None if newest is None else self._catalog.get(newest.name, newest.version)

    def _about(self, claim: Claim, license_type: LicenseType | None) -> str:
        if claim.number:
            return number_index(self._cipher, "" if license_type is None else license_type.name, claim.number)
        return self._cipher.index("holder", claim.holder_code) if claim.holder_code else "-"


def _of_holder(holder: Holder, name: str | None) -> str:
    return normalised(holder.name if name == HOLDER_NAME else holder.code)


def _same(stored: str, claimed: str) -> bool:
    """Compared in constant time: how near a guess came must not show."""
    return hmac.compare_digest(stored.encode("utf-8", "surrogatepass"), claimed.encode("utf-8", "surrogatepass"))


def _nearness(judged: tuple[Mapping[str, str], Standing]) -> tuple[int, bool]:
    fields, standing = judged
    return -sum(v == DIFFERS for v in fields.values()), standing is Standing.IN_FORCE


def _result(fields: Mapping[str, str], standing: Standing) -> InfoResult:
    wrong = sum(v == DIFFERS for v in fields.values())
    if wrong:
        return InfoResult.DIFFERS if wrong == len(fields) else InfoResult.PARTLY_DIFFERS
    return _BY_STANDING.get(standing, InfoResult.ENDED)
