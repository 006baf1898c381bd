"""Reading and proving the audit: chains per writer, heads anchored together under the LOG key."""

from __future__ import annotations

import datetime
import json

from certvault.clock import LEGAL_ZONE
from certvault.db.audit_log import AuditReader, cursor_moment, cursor_parts, cursor_text
from certvault.db.unit_of_work import Database
from certvault.errors import cursor_unknown, forbidden
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.chain import Head, Line, faults, genesis, heads_text
from certvault.model.keys import event
from certvault.model.views import AuditAnchor, AuditEntry, AuditFilter, AuditPage
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned

_CONTEXT = b"certvault-audit-anchor/1\n"


def sees_all(actor: Actor) -> bool:
    """Whether the audit of the whole vault is ``actor``'s to read."""
    return actor.has(Role.AUDITOR) and actor.issuer_code is None


class Audit:
    """The vault's memory of who did what. Lines name people by blind index only.

    It is one for all organizations, so nobody who is bound to one of them reads it: ForbiddenError.
    """

    def __init__(self, database: Database, keyring: Keyring, vault_id: str) -> None:
        self._database = database
        self._keyring = keyring
        self._vault_id = vault_id

    def entries(
        self, actor: Actor, *, cursor: str | None = None, limit: int = 100, about: str | None = None
    ) -> AuditPage:
        """Lines, newest first; with ``about``, all lines about one object, oldest first."""
        _admit(actor)
        with self._database.reading() as view:
            if about is not None:
                return AuditPage(tuple(_entry(line) for line in view.audit.about(about)), None)
            lines = view.audit.newest(min(max(limit, 1), 500) + 1, _before(cursor))
        return _page(lines, limit)

    def find(self, actor: Actor, wanted: AuditFilter, *, cursor: str | None = None, limit: int = 50) -> AuditPage:
        """Lines that match, newest first."""
        _admit(actor)
        with self._database.reading() as view:
            lines = view.audit.matching(
                limit + 1,
                _before(cursor),
                about=wanted.about,
                kind=wanted.kind,
                by=wanted.by,
                since=None if wanted.first is None else _midnight(wanted.first),
                until=None if wanted.last is None else _midnight(wanted.last) + datetime.timedelta(days=1),
            )
        return _page(lines, limit)

    def anchors(self, actor: Actor, limit: int = 20) -> list[AuditAnchor]:
        """The newest anchors, each signature checked."""
        _admit(actor)
        with self._database.reading() as view:
            found = view.audit.newest_anchors(limit)
        return [
            AuditAnchor(
                a.n,
                a.at,
                len(json.loads(a.heads)),
                sum(seq for _, seq, _ in json.loads(a.heads)),
                a.key_id,
                self._keyring.verifies(a.key_id, anchored_bytes(a.at, a.heads), a.signature),
            )
            for a in found
        ]

    def anchor(self, at: datetime.datetime, actor: str = "vault") -> bool:
        """Sign the heads of the chains that grew since the last anchor; False when none did."""
        with self._database.writing() as uow:
            last = uow.view.audit.last_anchor()
            heads = uow.view.audit.heads(None if last is None else last.at)
            if last is not None and _without_anchor_lines(uow.view.audit, last.heads, heads):
                return False
            text = heads_text(heads)
            key = self._keyring.active(KeyPurpose.LOG)
            signature = self._keyring.signer(key).sign(ToBeSigned(anchored_bytes(at, text), KeyPurpose.LOG))
            uow.add_anchor(text, key.id, signature, at, event("AUDIT_ANCHORED", "audit", actor, chains=len(heads)))
        return True

    def verify_chain(self) -> list[str]:
        """Every fault found in lines and anchors; empty when the audit is whole."""
        found: list[str] = []
        with self._database.reading() as view:
            for head in view.audit.heads():
                found += faults(genesis(self._vault_id, head.writer), view.audit.chain(head.writer))
            for anchor in view.audit.anchors():
                data = anchored_bytes(anchor.at, anchor.heads)
                if not self._keyring.verifies(anchor.key_id, data, anchor.signature):
                    found.append(f"anchor {anchor.n}: the signature is wrong")
                for writer, seq, value in json.loads(anchor.heads):
                    if view.audit.line_hash(writer, seq) != value:
                        found.append(f"anchor {anchor.n}: line {seq} of {writer} is not what was anchored")
        return found


def anchored_bytes(at: datetime.datetime, heads: str) -> bytes:
    """What the LOG key signs: a context line, the instant, the heads."""
    moment = at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    return _CONTEXT + moment.encode() + b"\n" + heads.encode()


def _admit(actor: Actor) -> None:
    if not sees_all(actor):
        raise forbidden(Role.AUDITOR)


def _without_anchor_lines(reader: AuditReader, anchored: str, heads: list[Head]) -> bool:
    """Whether the only thing since the anchor is the line about the anchor itself."""
    before = {writer: seq for writer, seq, _ in json.loads(anchored)}
    fresh = [h for h in heads if h.seq > before.get(h.writer, 0)]
    return all(h.seq == before.get(h.writer, 0) + 1 for h in fresh) and all(
        line.kind == "AUDIT_ANCHORED" for h in fresh for line in reader.chain(h.writer) if line.seq == h.seq
    )


def _page(lines: list[Line], limit: int) -> AuditPage:
    """A page of ``limit`` lines, when one more was read."""
    more = len(lines) > limit
    lines = lines[:limit]
    last = lines[-1] if more and lines else None
    next_cursor = None if last is None else cursor_text([last.at.isoformat(), last.writer, last.seq])
    return AuditPage(tuple(_entry(line) for line in lines), next_cursor)


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), LEGAL_ZONE)


def _before(cursor: str | None) -> tuple[datetime.datetime, str, int] | None:
    if not cursor:
        return None
    parts = cursor_parts(cursor)
    try:
        if parts is not None and len(parts) == 3:
            return cursor_moment(parts[0]), str(parts[1]), int(parts[2])
    except ValueError:
        pass
    raise cursor_unknown()


def _entry(line: Line) -> AuditEntry:
    return AuditEntry(
        line.writer, line.seq, line.at, line.kind, line.actor, line.object, json.loads(line.details), line.hash
    )
