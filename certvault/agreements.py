"""Agreements on recognition: what we accept of other regions, and what we countersigned for them.

An agreement of one region's type as one of ours is made in versions 1, 2, …; a later one takes the place of the
earlier once it counts. Each step (made, approved, countersigned) is a row that nothing changes, with an audit line.
What is made here is signed by the vault's key for trust lists: at once, or when a second person approves it where the
setting demands one. A version that revokes waits for nobody: who was wrong to revoke makes the next version.

The file goes to the issuing region and comes back: :meth:`Agreements.countersign` on both sides. Each side checks the
other's signature under the roots of the list that it adopted, and takes no other content than it knows.
"""

from __future__ import annotations

import builtins
import datetime
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from certvault.agreementrules import AgreementRules, check_rules, required_fields
from certvault.anchors import Anchors
from certvault.catalog import Catalog
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConflictError, NotFoundError, conflict, forbidden, not_found
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.agreement import AgreementEvent, AgreementStep, AgreementVersion, versions_of
from certvault.model.keys import event
from certvault.pki import Pki
from certvault.settings import Settings
from signing.formats.agreement import countersign, sign_agreement
from verify.formats.agreement import Agreement, AgreementError, UnverifiedAgreement, unverified_agreement
from verify.formats.jose import strict_object
from verify.formats.refusal import RefusedError, refuse
from verify.trust.agreements import is_signed_by
from verify.trust.regions import KnownAgreement, KnownRegion, Regions

COUNTER = "agreement-event"


class Adopted(Protocol):
    """Where the regions that were adopted are known from."""

    def known(self) -> tuple[KnownRegion, ...]:
        """Each with its list."""


@dataclass(frozen=True, slots=True)
class Term:
    """From when until when; None is now, and without end."""

    starts: datetime.datetime | None = None
    ends: datetime.datetime | None = None


class Agreements:
    """Makes, approves, countersigns and revokes. Thread-safe."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        pki: Pki,
        catalog: Catalog,
        anchors: Anchors,
        adopted: Adopted,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._pki = pki
        self._catalog = catalog
        self._anchors = anchors
        self._adopted = adopted
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._joined: tuple[Regions, object, Regions] | None = None
        self._kept: tuple[int, builtins.list[AgreementVersion]] = (0, [])

    def make(
        self,
        region: str,
        theirs: str,
        ours: str,
        actor: Actor,
        *,
        term: Term | None = None,
        rules: AgreementRules | None = None,
    ) -> AgreementVersion:
        """Make the next version. RefusedError for a region, type or field that is not there, with every reason."""
        self._require(actor)
        term, rules, now = term or Term(), rules or AgreementRules(), self._now()
        listed = self._region(region).list.type_named(theirs)
        if listed is None:
            raise _not_listed(region, theirs)
        check_rules(rules, listed, self._catalog.get(ours), self._clock.now().date())
        starts = term.starts or now
        if term.ends is not None and term.ends <= starts:
            raise _over_before()

        def made(name: str, version: int) -> Agreement:
            return Agreement(
                name, version, self._settings.region, region, theirs, ours, now, starts, term.ends, rules.fields,
                rules.conditions, note_zh=rules.note_zh, note_en=rules.note_en,
            )  # fmt: skip

        return self._add(region, theirs, ours, actor, made, waits=self._settings.agreement_approver)

    def revoke(self, region: str, theirs: str, ours: str, actor: Actor) -> AgreementVersion:
        """Make a version that says that the agreement no longer holds. It counts at once."""
        self._require(actor)
        newest = _newest(self._of(region, theirs, ours))
        if newest is None:
            raise _no_agreement(region, theirs, ours)
        last = content_of(newest)
        if last.revoked:
            raise _revoked_already(last.id)

        def made(name: str, version: int) -> Agreement:
            return replace(last, id=name, version=version, made=self._now(), revoked=True)

        return self._add(region, theirs, ours, actor, made, waits=False)

    def approve(self, region: str, theirs: str, ours: str, actor: Actor) -> AgreementVersion:
        """Approve the newest version, as another person than who made it, and sign it."""
        self._require(actor)
        newest = _newest(self._of(region, theirs, ours))
        if newest is None or not newest.waits:
            raise _nothing_waits(region, theirs, ours)
        if newest.made_by == actor.subject:
            raise _same_person()
        signed = self._signed(content_of(newest))
        self._save(_event(newest, AgreementStep.APPROVED, self._clock.now(), actor, signed))
        return self._again(newest)

    def countersign(self, data: bytes, actor: Actor) -> AgreementVersion:
        """Sign an agreement about our own type, or take ours back in with the other region's signature."""
        self._require(actor)
        try:
            read = unverified_agreement(data)
        except AgreementError as error:
            raise _broken(str(error)) from error
        agreement, home = read.agreement, self._settings.region
        if agreement.accepting == home:
            return self._take_back(read, data, actor)
        if agreement.issuing == home:
            return self._sign_for(read, data, actor)
        raise _of_others(agreement)

    def list(self) -> builtins.list[AgreementVersion]:
        """All versions, in the order in which they were made."""
        with self._database.reading() as view:
            mark = view.counter(COUNTER)
            with self._lock:
                if self._kept[0] == mark:
                    return builtins.list(self._kept[1])
            events = view.agreements.all(view.agreements.query().order_by(view.agreements.table.c.number))
        found = versions_of(events)
        with self._lock:
            self._kept = (mark, found)
        return builtins.list(found)

    def newest(self, region: str, theirs: str, ours: str) -> AgreementVersion:
        """The newest version of ours about these types. NotFoundError."""
        found = _newest(self._of(region, theirs, ours))
        if found is None:
            raise _no_agreement(region, theirs, ours)
        return found

    def known(self) -> tuple[KnownAgreement, ...]:
        """Ours as the verifier takes them."""
        return _as_known(self.list())

    def with_agreements(self, regions: Regions) -> Regions:
        """What is known of regions, together with our agreements and types. The same object while nothing changes."""
        published = tuple((t.name, t.version) for t in self._catalog.list())
        held = self.list()
        key = published, held
        with self._lock:
            if self._joined is None or self._joined[0] is not regions or self._joined[1] != key:
                self._joined = regions, key, self._joined_with(regions, held, sorted({name for name, _ in published}))
            return self._joined[2]

    def _joined_with(
        self, regions: Regions, held: builtins.list[AgreementVersion], names: builtins.list[str]
    ) -> Regions:
        types = [self._catalog.get(n) for n in names]
        return replace(
            regions,
            agreements=_as_known(held),
            countersigned=self._settings.agreement_countersigned,
            types=tuple((t.name, required_fields(t)) for t in types),
            fields=tuple((t.name, tuple(t.fields)) for t in types),
            schemas=tuple((t.name, json.dumps(t.schema["properties"], ensure_ascii=False)) for t in types),
            example=self._settings.sample,
        )

    def _take_back(self, read: UnverifiedAgreement, data: bytes, actor: Actor) -> AgreementVersion:
        agreement = read.agreement
        held = next((v for v in self.list() if (v.id, v.version) == (agreement.id, agreement.version)), None)
        if held is None or not held.accepting or held.waits or content_of(held) != agreement:
            raise _differs(agreement)
        now = self._clock.now()
        if not is_signed_by(read, self._pki.roots(), at=now):
            raise _not_signed(agreement.accepting)
        known = self._region(agreement.issuing)
        if not is_signed_by(read, known.list.roots, at=now, crls=known.list.crls):
            raise _not_signed(agreement.issuing)
        if held.countersigned_at is None:
            self._save(_event(held, AgreementStep.COUNTERSIGNED, now, actor, data))
        return self._again(held)

    def _sign_for(self, read: UnverifiedAgreement, data: bytes, actor: Actor) -> AgreementVersion:
        agreement, now = read.agreement, self._clock.now()
        self._catalog.get(agreement.theirs)
        known = self._region(agreement.accepting)
        if not is_signed_by(read, known.list.roots, at=now, crls=known.list.crls):
            raise _not_signed(agreement.accepting)
        known_as = [v for v in self.list() if v.id == agreement.id]
        if any(v.accepting or v.region != agreement.accepting for v in known_as):
            raise _differs(agreement)  # nobody takes the number of another's agreement, whose next version it would be
        same = known_as
        held = next((v for v in same if v.version == agreement.version), None)
        if (held is not None and content_of(held) != agreement) or any(v.version > agreement.version for v in same):
            raise _differs(agreement)
        if held is not None:
            return held
        key = self._anchors.list_key()
        signed = countersign(data, signer=self._keyring.signer(key.key), chain=key.chain)
        made = AgreementEvent(
            0, agreement.id, agreement.version, AgreementStep.MADE, agreement.accepting, False, agreement.theirs,
            agreement.ours, now, actor.subject, signed,
        )  # fmt: skip
        counter = replace(made, step=AgreementStep.COUNTERSIGNED)
        self._save(made, counter)
        return self._again_of(agreement.id, agreement.version)

    def _add(
        self, region: str, theirs: str, ours: str, actor: Actor, make: Callable[[str, int], Agreement], *, waits: bool
    ) -> AgreementVersion:
        newest = _newest(self._of(region, theirs, ours))
        name = newest.id if newest is not None else secrets.token_hex(8)
        agreement = make(name, 1 if newest is None else newest.version + 1)
        signed = agreement.payload() if waits else self._signed(agreement)
        made = AgreementEvent(
            0, agreement.id, agreement.version, AgreementStep.MADE, region, True, theirs, ours, self._clock.now(),
            actor.subject, signed,
        )  # fmt: skip
        self._save(made)
        return self._again_of(agreement.id, agreement.version)

    def _save(self, *events: AgreementEvent) -> None:
        with self._database.writing() as uow:
            first = uow.next_numbers(COUNTER, len(events))
            for n, e in enumerate(events):
                kind, about = f"AGREEMENT_{e.step.value}", f"agreement:{e.agreement}"
                told = event(kind, about, e.actor, version=e.version, region=e.region, theirs=e.theirs, ours=e.ours)
                uow.agreements.save(replace(e, number=first + n), told)

    def _signed(self, agreement: Agreement) -> bytes:
        key = self._anchors.list_key()
        return sign_agreement(agreement, signer=self._keyring.signer(key.key), chain=key.chain)

    def _of(self, region: str, theirs: str, ours: str) -> builtins.list[AgreementVersion]:
        wanted = (region, theirs, ours)
        return [v for v in self.list() if v.accepting and (v.region, v.theirs, v.ours) == wanted]

    def _again(self, version: AgreementVersion) -> AgreementVersion:
        return self._again_of(version.id, version.version)

    def _again_of(self, name: str, version: int) -> AgreementVersion:
        return next(v for v in self.list() if (v.id, v.version) == (name, version))

    def _region(self, region: str) -> KnownRegion:
        found = next((k for k in self._adopted.known() if k.region == region), None)
        if found is None:
            raise _not_adopted(region)
        return found

    def _now(self) -> datetime.datetime:
        return self._clock.now().replace(microsecond=0)

    @staticmethod
    def _require(actor: Actor) -> None:
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)


def _as_known(versions: builtins.list[AgreementVersion]) -> tuple[KnownAgreement, ...]:
    return tuple(
        KnownAgreement(content_of(v), approved=not v.waits, countersigned=v.countersigned_at is not None)
        for v in versions
        if v.accepting
    )


def content_of(version: AgreementVersion) -> Agreement:
    """What a version says; it was checked when it came here."""
    from verify.formats.agreement import agreement_from_json

    if version.waits:
        return agreement_from_json(strict_object(version.signed, "agreement"))
    return unverified_agreement(version.signed).agreement


def _newest(versions: builtins.list[AgreementVersion]) -> AgreementVersion | None:
    return max(versions, key=lambda v: v.version, default=None)


def _event(
    version: AgreementVersion, step: AgreementStep, at: datetime.datetime, actor: Actor, signed: bytes
) -> AgreementEvent:
    return AgreementEvent(
        0, version.id, version.version, step, version.region, version.accepting, version.theirs, version.ours, at,
        actor.subject, signed,
    )  # fmt: skip


# --- refusals -----------------------------------------------------------------------------------------------------


def _not_adopted(region: str) -> RefusedError:
    return refuse(
        "REGION_UNKNOWN",
        "region",
        f"尚未采纳区域 {region[:20]}",
        f"region {region[:20]} was not adopted",
        remedy_zh="请先执行 certvault region adopt。",
        remedy_en="Adopt it first: certvault region adopt.",
    )


def _not_listed(region: str, theirs: str) -> RefusedError:
    return refuse(
        "TYPE_NOT_LISTED",
        "theirs",
        f"区域 {region} 的信任列表中没有类型 {theirs[:60]}",
        f"the trust list of region {region} has no type {theirs[:60]}",
        remedy_zh="请核对名称，或先同步其列表。",
        remedy_en="Check the name, or sync its list first.",
    )


def _over_before() -> RefusedError:
    return refuse(
        "TERM_WRONG",
        "until",
        "终止时间不晚于起始时间",
        "the end is not after the beginning",
        remedy_zh="请给出更晚的终止日期。",
        remedy_en="Give a later end.",
    )


def _no_agreement(region: str, theirs: str, ours: str) -> NotFoundError:
    return not_found("互认协议", "agreement about", f"{region[:20]} {theirs[:60]} → {ours[:60]}")


def _revoked_already(name: str) -> ConflictError:
    return conflict(
        "AGREEMENT_REVOKED",
        "agreement",
        f"协议 {name} 已被撤销",
        f"agreement {name} was revoked already",
        remedy_zh="如需恢复，请另立新的一版。",
        remedy_en="Make a new version to accept the type again.",
    )


def _nothing_waits(region: str, theirs: str, ours: str) -> ConflictError:
    return conflict(
        "NOTHING_WAITS",
        "agreement",
        f"{region[:20]} {theirs[:60]} → {ours[:60]} 没有待批准的版本",
        f"no version about {region[:20]} {theirs[:60]} → {ours[:60]} waits for approval",
        remedy_zh="请查看 certvault region agreements。",
        remedy_en="See certvault region agreements.",
    )


def _same_person() -> ConflictError:
    return conflict(
        "SAME_PERSON",
        "approve",
        "订立人不能批准自己订立的协议",
        "who made it cannot approve it",
        remedy_zh="请由另一人批准。",
        remedy_en="Let somebody else approve it.",
    )


def _broken(reason: str) -> RefusedError:
    return refuse(
        "AGREEMENT_BROKEN",
        "file",
        f"文件不是可以读取的协议：{reason}",
        f"the file is no agreement that can be read: {reason}",
        remedy_zh="请向对方区域索取原文件。",
        remedy_en="Ask the other region for the file as it was exported.",
    )


def _of_others(agreement: Agreement) -> RefusedError:
    return refuse(
        "AGREEMENT_OF_OTHERS",
        "file",
        f"这是区域 {agreement.accepting} 与 {agreement.issuing} 之间的协议",
        f"this is an agreement between regions {agreement.accepting} and {agreement.issuing}",
        remedy_zh="请交由其中一方会签。",
        remedy_en="Have one of the two sign it.",
    )


def _differs(agreement: Agreement) -> ConflictError:
    name = f"{agreement.id}/{agreement.version}"
    return conflict(
        "AGREEMENT_DIFFERS",
        "file",
        f"协议 {name} 与本库所存的版本不同，或已有更新的版本",
        f"agreement {name} is not the version that is held here, or there is a newer one",
        remedy_zh="请用 certvault region agree 重新导出后会签。",
        remedy_en="Export it anew with region agree … -o and have that signed.",
    )


def _not_signed(region: str) -> RefusedError:
    return refuse(
        "AGREEMENT_NOT_SIGNED",
        "file",
        f"文件上没有区域 {region} 信任列表密钥的签名",
        f"the file bears no signature by a key for trust lists of region {region}",
        remedy_zh="请由该区域签署，或先同步其信任列表。",
        remedy_en="Have that region sign it, or sync its trust list first.",
    )
