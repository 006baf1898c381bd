"""What a key made since a moment, from the vault's own history.

A seal's uses are on record before each signature. Records carry their signer's certificate. What a code was signed
with stands on the page alone, so licenses are counted there by the time in which the key was at work, a minute more.
Of the vault's own keys nothing is suspended license by license: what they made is counted where it is on record.
Anything else that the key signed was made by somebody else; the revocation of its certificate covers that already.
"""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import View
from certvault.keyring import Keyring
from certvault.licenses import Licenses
from certvault.model.drill import ItemState
from certvault.model.keys import CertificateState, KeyRecord
from certvault.model.license import License, Standing
from certvault.model.standing import Act, Status, StatusChange, standing_at, status_at
from certvault.successions import JOB_PREFIX
from signing.keys import KeyPurpose

PER_LICENSE = (KeyPurpose.SEAL, KeyPurpose.RECORD, KeyPurpose.CODE)
"""Purposes of which each use belongs to a license."""
KEY_COMPROMISE = "key-compromise"
PORTION = 500
_GRACE = datetime.timedelta(minutes=1)
"""A process that had the key in hand when it retired may have finished what it was at."""

_MEANING: Mapping[KeyPurpose, tuple[str, str]] = {
    KeyPurpose.SEAL: ("该密钥所盖证照", "licenses that the key sealed"),
    KeyPurpose.RECORD: ("由该密钥签发结构化记录的证照", "licenses whose structured record the key signed"),
    KeyPurpose.CODE: ("由该密钥签发二维码的证照", "licenses whose code the key signed"),
    KeyPurpose.CA: (
        "该机构签发的证书不再可信：新的证书颁发机构已建立，其下各密钥须逐一更换，再逐一演练",
        "certificates of this CA count no more: a new CA is made; roll each key under it over, then drill each of them",
    ),
    KeyPurpose.STATUS: (
        "此后可能有伪造的状态列表；各列表已由新密钥重新签发",
        "status lists may have been forged since; all are signed anew under the new key",
    ),
    KeyPurpose.ANSWER: (
        "此后的签名答复、回执、报告可能系伪造；须重新出具",
        "signed answers, receipts and reports since then may be forged; have them given anew",
    ),
    KeyPurpose.OCSP: ("此后的 OCSP 答复可能系伪造", "OCSP answers since then may be forged"),
    KeyPurpose.TSA: (
        "此后的时间戳不再证明时间；所列证照的签章本身未失密",
        "timestamps since then prove no time any more; the seals on the licenses counted are not compromised",
    ),
    KeyPurpose.TRUST_LIST: ("此后的信任列表可能系伪造", "trust lists since then may be forged"),
    KeyPurpose.SEAL_MAKER: ("此后由该制章者签出的印章结构可能系伪造", "seal structures made since then may be forged"),
    KeyPurpose.LOG: ("此后的审计锚点可能系伪造", "anchors of the audit since then may be forged"),
}


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A license, and what is to be done with it."""

    identifier: str
    state: ItemState
    reason: str = ""


class Exposure:
    """Finds what a key made."""

    def __init__(self, keyring: Keyring, licenses: Licenses, clock: Clock) -> None:
        self._keyring = keyring
        self._licenses = licenses
        self._clock = clock

    def identifiers(self, view: View, key: KeyRecord, since: datetime.datetime) -> list[str]:
        """The licenses, in any of their versions, of which the key made a part from ``since`` on; sorted."""
        if key.purpose is KeyPurpose.SEAL:
            return view.licenses.sealed_with(key.id, since)
        if key.purpose in (KeyPurpose.RECORD, KeyPurpose.CODE):
            begun = max(since, key.created_at)
            return view.licenses.made_between(begun, self._ended(key), key.owner)
        return []

    def evaluated(self, view: View, key: KeyRecord, identifiers: Sequence[str]) -> list[Evaluated]:
        """What is to be done with some of them; numbers that led to no license are left out, as are versions that a
        drill made itself under another key."""
        licenses = view.licenses.among("identifier", identifiers)
        histories = view.statuses.histories([f.identifier for f in licenses])
        now = self._clock.now()
        return [
            _evaluated(found, histories[found.identifier], now)
            for found in sorted(licenses, key=lambda f: f.identifier)
            if found.document_sha256 is not None and self._concerns(found, key)
        ]

    def facts(self, view: View, key: KeyRecord, since: datetime.datetime) -> dict[str, object]:
        """What else is on record of a key's work, counted, and what it means in both languages."""
        zh, en = _MEANING[key.purpose]
        return {"purpose": key.purpose.value, "meaning": {"zh": zh, "en": en}, **self._counted(view, key, since)}

    def _counted(self, view: View, key: KeyRecord, since: datetime.datetime) -> dict[str, int]:
        if key.purpose is KeyPurpose.SEAL:
            table = view.seal_uses.table.c
            uses = view.seal_uses.all(view.seal_uses.query().where(table.key_id == key.id, table.used_at >= since))
            return {"uses": len(uses), "uses_elsewhere": sum(1 for u in uses if u.identifier is None)}
        if key.purpose is KeyPurpose.CA:
            below = [c for c in view.certificates.where(ca=key.name) if c.key_id != key.id]
            return {
                "certificates": sum(1 for c in below if c.state is CertificateState.ISSUED),
                "certificates_since": sum(1 for c in below if c.not_before >= since),
            }
        if key.purpose is KeyPurpose.STATUS:
            return {"status_lists": len(view.status_lists.all())}
        if key.purpose is KeyPurpose.TSA:
            begun = max(since, key.created_at)
            return {"licenses": len(view.licenses.made_between(begun, self._ended(key)))}
        if key.purpose is KeyPurpose.SEAL_MAKER:
            return {"seal_structures": sum(1 for v in view.seal_versions.all() if v.structure is not None)}
        if key.purpose is KeyPurpose.LOG:
            return {"anchors": sum(1 for a in view.audit.anchors() if a.key_id == key.id and a.at >= since)}
        return {}

    def _ended(self, key: KeyRecord) -> datetime.datetime | None:
        """When the key stopped working: revoked, or rolled over."""
        certificate = self._keyring.certificate_or_none(key)
        revoked = None if certificate is None else certificate.revoked_at
        moments = [m for m in (revoked, key.retired_at) if m is not None]
        return min(moments) + _GRACE if moments else None

    def _concerns(self, found: License, key: KeyRecord) -> bool:
        """Whether the key had a part in it, as far as that can be seen in the license itself."""
        if key.purpose is KeyPurpose.RECORD:
            certificate = base64.b64encode(self._keyring.certificate_der(key)).decode()
            return signer_of(self._licenses.sdjwt(found)) == certificate
        if key.purpose is KeyPurpose.CODE and (found.job or "").startswith(JOB_PREFIX):
            certificate_record = self._keyring.certificate_or_none(key)
            revoked = None if certificate_record is None else certificate_record.revoked_at
            return revoked is None or found.allotted_at < revoked
        return True


def signer_of(record: str) -> str | None:
    """The first certificate (base64 DER) in the header of a structured record of this vault's own."""
    head = record.split(".", maxsplit=1)[0]
    chain = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))).get("x5c") or [None]
    found: str | None = chain[0]
    return found


def _evaluated(found: License, changes: Sequence[StatusChange], now: datetime.datetime) -> Evaluated:
    status = status_at(changes, now)
    standing = standing_at(found, changes, now, legal_date(now))
    if status in (Status.REVOKED, Status.SUPERSEDED):
        return Evaluated(found.identifier, ItemState.LEFT, status.name)
    if standing is Standing.EXPIRED:
        return Evaluated(found.identifier, ItemState.LEFT, standing.name)
    if status is Status.IN_FORCE:
        return Evaluated(found.identifier, ItemState.PLANNED)
    acts = [c for c in changes if c.effective_at <= now and c.act is Act.SUSPEND]
    if acts and acts[-1].reason == KEY_COMPROMISE:
        return Evaluated(found.identifier, ItemState.SUSPENDED)
    return Evaluated(found.identifier, ItemState.LEFT, "ALREADY_SUSPENDED")
