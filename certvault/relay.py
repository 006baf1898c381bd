"""What a hub hands on between its regions: agreements, and notices such as that a key was compromised.

A hub vouches for none of it. It keeps what a region that it admits has signed, so that strangers cannot fill it, and
so many documents of each region; whoever fetches one checks the signatures again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import conflict
from certvault.hub import Hub
from certvault.hubrefusals import require_hub
from certvault.model.hub import RelayedDocument
from certvault.model.keys import event
from certvault.settings import Settings
from verify.formats import purposes
from verify.formats.agreement import MAX_BYTES as MAX_AGREEMENT
from verify.formats.agreement import Agreement, AgreementError, UnverifiedAgreement, unverified_agreement
from verify.formats.anchor import Anchor
from verify.formats.jose import UnverifiedJws
from verify.formats.notice import MAX_BYTES as MAX_NOTICE
from verify.formats.notice import NoticeError, unverified_notice
from verify.formats.refusal import RefusedError, refuse
from verify.trust.hubs import unsigned_reason, unsigned_under
from verify.trust.regions import KnownRegion

AGREEMENT, NOTICE = "agreement", "notice"
MOST = 500
"""Documents of one kind that are kept of one region."""
MAX_PAGE = 200
_COUNTER = "hub-document"
_ANONYMOUS = "anyone"


@dataclass(frozen=True, slots=True)
class Offered:
    """A document whose signatures lead to regions that are admitted."""

    kind: str
    region: str
    name: str
    version: int
    weight: int
    """Of two of one version the one with more signatures stays."""


class Relay:
    """Takes documents in and gives them out."""

    def __init__(self, database: Database, hub: Hub, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._hub = hub
        self._settings = settings
        self._clock = clock

    def offer_agreement(self, body: bytes, actor: str = _ANONYMOUS) -> RelayedDocument:
        """Take an agreement in. RefusedError: AGREEMENT_BROKEN, HUB_DOCUMENT_FOREIGN, HUB_DOCUMENT_OLD, HUB_FULL."""
        require_hub(self._settings)
        try:
            offered = unverified_agreement(body)
        except AgreementError as error:
            raise _broken(str(error)) from error
        found = self._agreement(offered)
        return self.keep(found, body, actor)

    def offer_notice(self, body: bytes, actor: str = _ANONYMOUS) -> RelayedDocument:
        """Take a region's notice in. RefusedError: NOTICE_BROKEN, HUB_DOCUMENT_FOREIGN, HUB_DOCUMENT_OLD, HUB_FULL."""
        require_hub(self._settings)
        try:
            notice = unverified_notice(body)
        except NoticeError as error:
            raise _notice_broken(str(error)) from error
        region = str(notice.claims.get("region"))
        anchors = self._anchors((region,)).get(region, [])
        if all(self._reason(a, notice.jws, notice.made, purposes.ANSWER) for a in anchors):
            raise _foreign()
        return self.keep(Offered(NOTICE, region, _notice_name(notice.number), 1, 1), body.strip(), actor)

    def take_notice(self, body: bytes, known: KnownRegion, actor: str) -> RelayedDocument:
        """Keep a notice of a region that this vault knows, whoever brought it: its own signature decides.

        RefusedError: NOTICE_BROKEN, HUB_DOCUMENT_FOREIGN, HUB_DOCUMENT_OLD.
        """
        try:
            notice = unverified_notice(body)
        except NoticeError as error:
            raise _notice_broken(str(error)) from error
        reason = unsigned_under(
            known.list.roots,
            notice.jws,
            notice.made,
            self._clock.now(),
            usage=purposes.ANSWER,
            crls=known.list.crls,
            allow_example=self._settings.allow_example,
        )
        if reason or notice.claims.get("region") != known.region:
            raise _foreign()
        return self.keep(Offered(NOTICE, known.region, _notice_name(notice.number), 1, 1), body.strip(), actor)

    def has(self, body: bytes) -> bool:
        """Whether this very document is kept."""
        with self._database.reading() as view:
            return view.hub_documents.get(hashlib.sha256(body).hexdigest()) is not None

    def kept(self, kind: str) -> list[RelayedDocument]:
        """What is kept of a kind, the latest first, at most :data:`MOST`."""
        with self._database.reading() as view:
            table = view.hub_documents.table.c
            query = view.hub_documents.query().where(table.kind == kind).order_by(table.number.desc())
            return view.hub_documents.all(query.limit(MOST))

    def documents(self, kind: str, after: int = 0, limit: int = MAX_PAGE) -> list[RelayedDocument]:
        """Documents behind number ``after``, in the order in which they came."""
        require_hub(self._settings)
        with self._database.reading() as view:
            table = view.hub_documents.table.c
            query = view.hub_documents.query().where(table.kind == kind, table.number > after)
            return view.hub_documents.all(query.order_by(table.number).limit(max(1, min(limit, MAX_PAGE))))

    def _agreement(self, offered: UnverifiedAgreement) -> Offered:
        """Each signature is by a key for trust lists of one of the two regions, the accepting one's among them."""
        agreement = offered.agreement
        anchors = self._anchors((agreement.accepting, agreement.issuing))
        signers = [self._signer(agreement, jws, anchors) for jws in offered.signatures]
        if None in signers or agreement.accepting not in signers or len(set(signers)) != len(signers):
            raise _foreign()
        return Offered(AGREEMENT, agreement.accepting, agreement.id, agreement.version, len(signers))

    def _signer(self, agreement: Agreement, jws: UnverifiedJws, anchors: dict[str, list[Anchor]]) -> str | None:
        for region, known in anchors.items():
            if any(not self._reason(a, jws, agreement.made) for a in known):
                return region
        return None

    def _reason(self, anchor: Anchor, jws: UnverifiedJws, made: datetime, usage: str = purposes.TRUST_LIST) -> str:
        return unsigned_reason(
            anchor,
            jws,
            made,
            self._clock.now(),
            usage=usage,
            allow_example=self._settings.allow_example,
        )

    def _anchors(self, regions: tuple[str, ...]) -> dict[str, list[Anchor]]:
        """The anchors, former and newest, of those regions that are admitted."""
        admitted = {i.entry.region for i in self._hub.entries() if i.holds}
        return {r: self._hub.region_anchors(r) for r in regions if r in admitted}

    def keep(self, offered: Offered, body: bytes, actor: str) -> RelayedDocument:
        """Keep a document whose signatures were checked. RefusedError: HUB_DOCUMENT_OLD, HUB_FULL."""
        digest = hashlib.sha256(body).hexdigest()
        about = f"region:{offered.region}"
        with self._database.writing() as uow:
            kept = uow.hub_documents.get(digest)
            if kept is not None:
                return kept
            same = uow.hub_documents.where(kind=offered.kind, region=offered.region, name=offered.name)
            if any(s.version > offered.version for s in same):
                raise _old()
            equal = [s for s in same if s.version == offered.version]
            if any(self._weight(s) >= offered.weight for s in equal):
                raise _old()
            for former in equal:
                uow.hub_documents.remove(former, event("HUB_DOCUMENT_REPLACED", about, actor, kind=former.kind))
            self._room(uow, offered, actor)
            told = "HUB_DOCUMENT_KEPT" if self._settings.is_hub else "REGION_DOCUMENT_KEPT"
            made = RelayedDocument(
                sha256=digest,
                number=uow.next_numbers(_COUNTER),
                kind=offered.kind,
                region=offered.region,
                name=offered.name,
                version=offered.version,
                body=body,
                received_at=self._clock.now(),
            )
            return uow.hub_documents.save(
                replace(made), event(told, about, actor, kind=offered.kind, name=offered.name)
            )

    def _weight(self, kept: RelayedDocument) -> int:
        return len(unverified_agreement(kept.body).signatures) if kept.kind == AGREEMENT else 1

    def _room(self, uow: UnitOfWork, offered: Offered, actor: str) -> None:
        """Of notices the oldest makes room; an older one than all that are kept comes too late."""
        kept = uow.hub_documents.where(kind=offered.kind, region=offered.region)
        if len(kept) < MOST:
            return
        if offered.kind == NOTICE:
            oldest = min(kept, key=lambda k: _number(k.name))
            if _number(oldest.name) > _number(offered.name):
                raise _old()
            about = f"region:{offered.region}"
            uow.hub_documents.remove(oldest, event("HUB_DOCUMENT_DROPPED", about, actor, name=oldest.name))
        else:
            raise conflict(
                "HUB_FULL",
                "",
                f"该区域在枢纽上的文件已达 {MOST} 份",
                f"the hub keeps {MOST} documents of that region, and no more",
                remedy_zh="请直接交给对方区域。",
                remedy_en="Hand it to the other region directly.",
            )


def _notice_name(number: int) -> str:
    return f"notice:{number}"


def _number(name: str) -> int:
    return int(name.removeprefix("notice:"))


def _broken(reason: str) -> RefusedError:
    return refuse(
        "AGREEMENT_BROKEN",
        "agreement",
        f"互认协议无法读取：{reason}",
        f"the agreement cannot be read: {reason}",
        remedy_zh="请原样发送已签名的互认协议。",
        remedy_en="Send the signed agreement as it is.",
    )


def _notice_broken(reason: str) -> RefusedError:
    return refuse(
        "NOTICE_BROKEN",
        "notice",
        f"通知无法读取：{reason}",
        f"the notice cannot be read: {reason}",
        remedy_zh="请原样发送区域签名的通知。",
        remedy_en="Send the notice as the region signed it.",
    )


def _foreign() -> RefusedError:
    return conflict(
        "HUB_DOCUMENT_FOREIGN",
        "",
        "文件的签名不全都出自本枢纽准入的、文件所述的区域",
        "not every signature is that of a region which the document names and this hub admits",
        remedy_zh="枢纽只转交其准入区域签名的文件。",
        remedy_en="A hub hands on what regions that it admits have signed.",
    )


def _old() -> RefusedError:
    return conflict(
        "HUB_DOCUMENT_OLD",
        "",
        "枢纽已有此文件的更新版本",
        "the hub has a later version of this document",
        remedy_zh="请取用枢纽上的版本。",
        remedy_en="Take the one that the hub has.",
    )


__all__ = ["AGREEMENT", "MAX_AGREEMENT", "MAX_NOTICE", "MAX_PAGE", "NOTICE", "Offered", "Relay"]
