"""Renewing and amending: a new version of a license, made like any other, takes the place of the one before.

Number and serial stay; the version in the identifier counts up. The act that ends the old version is recorded in the
transaction in which the new one becomes ISSUED, so there is no moment with two versions in force, and none with none
unless the new one begins later on its own face.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from certvault.catalog import Catalog
from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import conflict, not_found
from certvault.issuing import Issuing
from certvault.licenses import Licenses
from certvault.model.actor import Actor
from certvault.model.license import License
from certvault.model.standing import Act, Status, StatusChange, StepError, status_at
from certvault.model.views import IssuedLicense
from certvault.pipeline import Pipeline, Successor
from certvault.sealing import Sealing
from certvault.standing import Asked, Done, Standings, Step, day_begins, not_possible
from templates.registry import LicenseType
from templates.schema import CheckedData, field_named
from verify.formats.codes import IDENTIFIER_ROOT, Identifier, parse_identifier
from verify.formats.refusal import RefusedError, refuse

LAST_VERSION = 999


@dataclass(frozen=True, slots=True)
class Content:
    """What changes on the face. ``data`` are members of the type's schema, None takes one away; ``valid_to`` and
    ``valid_from`` are dates as the schema takes them."""

    data: Mapping[str, object]
    valid_to: str | None = None
    valid_from: str | None = None


@dataclass(frozen=True, slots=True)
class Renewed:
    """The new version and the identifier of the one whose place it takes."""

    issued: IssuedLicense
    act: Act
    supersedes: str
    effective_at: datetime.datetime
    changed: bool = True


class Versions:
    """Makes new versions."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        pipeline: Pipeline,
        sealing: Sealing,
        issuing: Issuing,
        licenses: Licenses,
        standings: Standings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._pipeline = pipeline
        self._sealing = sealing
        self._issuing = issuing
        self._licenses = licenses
        self._standings = standings
        self._clock = clock

    def checked(self, identifier: str, act: Act, content: Content, asked: Asked) -> Step:
        """The request as a step; RefusedError."""
        return self._standings.checked(
            identifier, act, asked, data=dict(content.data), valid_to=content.valid_to, valid_from=content.valid_from
        )

    def possible(self, identifier: str, step: Step, content: Content, actor: Actor) -> None:
        """Raise what :meth:`change` would, as far as that can be known beforehand."""
        old = self._standings.possible(identifier, step, actor)
        self._data(self._only_newest(identifier, old), step, content)

    def change(
        self,
        identifier: str,
        act: Act,
        *,
        content: Content,
        actor: Actor,
        asked: Asked,
        approver: str | None = None,
    ) -> Renewed:
        """Renew or amend the license whose newest version ``identifier`` is.

        Repeated with the same content it gives the same new version. Raises as issuing does, and ConflictError:
        ``LICENSE_…`` where the act is not possible, ACTS_AHEAD while acts wait for their moment.
        """
        step = self.checked(identifier, act, content, asked)
        with self._database.reading() as view:
            found = self._standings.mine(view, identifier, actor)
            changes = view.statuses.of(found.identifier)
            repeated = next((c for c in changes[-1:] if c.act is act and c.digest == step.digest), None)
            known = None if repeated is None else view.licenses.get(repeated.successor or "")
        if known is not None and repeated is not None:
            return Renewed(self._issuing.again(known), act, identifier, repeated.effective_at, changed=False)
        old = self._only_newest(identifier, self._standings.possible(identifier, step, actor))
        _check_free(old, self._standings.changes([old.identifier])[old.identifier], act, self._clock.now())
        license_type, data = self._data(old, step, content)
        return self._make(old, license_type, data, step, actor, approver)

    def _make(
        self,
        old: License,
        license_type: LicenseType,
        data: Mapping[str, object],
        step: Step,
        actor: Actor,
        approver: str | None,
    ) -> Renewed:
        with self._database.reading() as view:
            issuer = view.issuers.get(old.issuer_code)
        if issuer is None:
            raise not_found("颁发机构", "issuer", old.issuer_code)
        checked = self._pipeline.check(license_type, data, issuer)
        number = self._licenses.face(old).number
        check_same(old, license_type, checked, number)
        step = _with_moment(step, checked, self._clock.now())
        tools = self._sealing.tools(issuer, actor)
        draft = self._pipeline.draft(license_type, checked, tools, successor=self._next(old, number))
        done: list[Done] = []

        def ended(uow: UnitOfWork, issued: Sequence[License]) -> None:
            uow.licenses.get(old.identifier, lock=True)
            _check_free(old, uow.statuses.of(old.identifier), step.act, self._clock.now())
            done.append(self._standings.apply(uow, old, step, actor.subject, approver, issued[0]))

        made = self._issuing.successor(draft, tools, actor, self._holder_key(old), ended)
        return Renewed(made, step.act, old.identifier, done[-1].effective_at)

    def _holder_key(self, old: License) -> dict[str, str] | None:
        """The public key to which the old version's structured record is bound."""
        return holder_key_of(self._licenses.sdjwt(old))

    def _next(self, old: License, number: str) -> Successor:
        """The next version whose identifier was never given out; those of void attempts stay void."""
        with self._database.reading() as view:
            return next_version(view, old, number)

    def _data(self, old: License, step: Step, content: Content) -> tuple[LicenseType, dict[str, object]]:
        """The face's data with the changes; RefusedError for a period that the type does not have, or lacks."""
        license_type = self._catalog.get(old.type)
        if not old.identifier.startswith(f"{IDENTIFIER_ROOT}.{license_type.type_code}."):
            license_type = self._catalog.get(old.type, old.type_version)  # the code is part of the identifier
        data: dict[str, object] = dict(self._licenses.face(old).fields)
        if step.act is Act.RENEW:
            data |= self._period(license_type, content)
        for key, value in content.data.items():
            name = field_named(license_type, key) or key
            if value is None:
                data.pop(name, None)
            else:
                data[name] = value
        return license_type, data

    def _period(self, license_type: LicenseType, content: Content) -> dict[str, object]:
        rule = license_type.record
        if not rule.valid_to:
            if content.valid_to or content.valid_from:
                raise _no_period(license_type)
            return {}
        given = {field_named(license_type, key) or key for key in content.data}
        if not content.valid_to and rule.valid_to not in given:
            raise refuse(
                "REQUIRED",
                "valid_to",
                "缺少新的有效期截止日期",
                "the new end of validity is missing",
                remedy_zh="请给出截止日期，如 2030-12-31；长期的写“长期”。",
                remedy_en="Give it as a date, such as 2030-12-31.",
            )
        today = legal_date(self._clock.now()).isoformat()
        changed: dict[str, object] = {rule.valid_from: content.valid_from or today}
        if rule.issued != rule.valid_from:
            changed[rule.issued] = today
        if content.valid_to:
            changed[rule.valid_to] = content.valid_to
        return changed

    @staticmethod
    def _only_newest(identifier: str, newest: License) -> License:
        if newest.identifier == identifier:
            return newest
        raise conflict(
            "LICENSE_SUPERSEDED",
            "",
            f"该版本已由 {newest.identifier} 取代",
            f"this version was superseded by {newest.identifier}",
            remedy_zh="请对最新版本办理。",
            remedy_en="Renew or amend the newest version.",
        )


def next_version(view: View, old: License, number: str) -> Successor:
    """The next version of ``old`` whose identifier was never given out. ConflictError: VERSIONS_EXHAUSTED."""
    known = parse_identifier(old.identifier)[0]
    for version in range(old.version + 1, LAST_VERSION + 1):
        identifier = Identifier(known.type_code, known.issuer_code, known.serial, version)
        if view.licenses.get(str(identifier)) is None:
            return Successor(known.serial, version, number)
    raise conflict(
        "VERSIONS_EXHAUSTED",
        "",
        "该证照已有 999 个版本",
        "the license has had 999 versions",
        remedy_zh="请另行颁发。",
        remedy_en="Issue another license.",
    )


def holder_key_of(record: str) -> dict[str, str] | None:
    """The public key (JWK) to which a structured record is bound."""
    payload = record.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    jwk: dict[str, str] | None = claims.get("cnf", {}).get("jwk")
    return jwk


def _check_free(old: License, changes: Sequence[StatusChange], act: Act, now: datetime.datetime) -> None:
    """A suspension, or an act that waits for its moment, is about this version: a new one would escape it."""
    status = status_at(changes, now)
    if status is not Status.IN_FORCE:
        raise not_possible(StepError(status, act), old)
    if any(c.effective_at > now for c in changes):
        raise conflict(
            "ACTS_AHEAD",
            "",
            "该证照有尚未生效的办理事项",
            "acts on the license wait for their moment",
            remedy_zh="请等其生效后再办理，见 certvault status。",
            remedy_en="Wait until they count; certvault status shows them.",
        )


def check_same(old: License, license_type: LicenseType, checked: CheckedData, number: str) -> None:
    """A version has the number and the copy number of its license."""
    if checked.number is not None and checked.number != number:
        raise _fixed(license_type.number.field)
    if (checked.copy_number or 0) != old.copy_number:
        raise _fixed(license_type.record.copy_number)


def _with_moment(step: Step, checked: CheckedData, now: datetime.datetime) -> Step:
    """The old version gives way when the new one begins: now, or on the first day of its validity if that is to come.

    It may be told to give way earlier than that; later there would be two in force.
    """
    begins = day_begins(checked.valid_from)
    if step.effective is None:
        return replace(step, effective=begins) if begins > now else step
    if step.effective <= max(begins, now):
        return step
    raise refuse(
        "EFFECTIVE_TIME",
        "effective",
        "新版本届时已生效，旧版本不能更晚失效",
        "the new version begins before that moment, so the old one cannot end later",
        remedy_zh="请以新版本的有效期起始日决定生效时间。",
        remedy_en="Let the first day of the new version's validity decide.",
    )


def _fixed(field: str) -> RefusedError:
    return refuse(
        "NUMBER_FIXED",
        field,
        "新版本须沿用原编号与副本号",
        "a new version keeps the number and the copy number",
        remedy_zh="编号有变时请注销后另行颁发。",
        remedy_en="Where they change, revoke the license and issue another.",
    )


def _no_period(license_type: LicenseType) -> RefusedError:
    return refuse(
        "NO_PERIOD",
        "valid_to",
        f"{license_type.title.zh}没有有效期截止日期",
        f"a {license_type.title.en} has no end of validity",
        remedy_zh="请不带日期换发。",
        remedy_en="Renew it without dates.",
    )
