"""What has to be done from time to time, by whoever runs the vault (daily is enough).

* Before the certificate behind a document's outermost timestamp ends (180 days before), an archive timestamp of the
  present authority is added, with fresh validation data: the document stays provable. Certificate lifetimes and when
  keys are rolled over stand in :mod:`certvault.certification`.
* Keys near the end of their time are rolled over; revocation lists are renewed.
* Audit heads are anchored, answers older than a day forgotten, what dead processes left is put right.
"""

from __future__ import annotations

import datetime
import hashlib

from certvault.audit import Audit
from certvault.certification import ISSUING, ROOT, YEAR, Certification
from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, View
from certvault.idempotency import Idempotency
from certvault.keyring import Keyring
from certvault.licenses import Licenses
from certvault.model.keys import VAULT_OWNER, Issuer, KeyRecord, KeyState, event
from certvault.model.license import License
from certvault.model.seal import SealState
from certvault.model.views import MaintenanceReport
from certvault.pki import Pki
from certvault.recovery import Recovery
from certvault.sealing import Sealing
from certvault.sealkeys import SealKeys
from certvault.store import Store, new_name
from signing.formats.pades import extend_archive
from signing.keys import KeyPurpose

EVIDENCE_MARGIN = datetime.timedelta(days=180)
LEAF_MARGIN = datetime.timedelta(days=90)
SHORT_MARGIN = datetime.timedelta(days=30)
ISSUING_MARGIN = 6 * YEAR + YEAR / 4
ROOT_MARGIN = 10 * YEAR + YEAR / 4
_PORTION = 100


class Maintenance:
    """Runs the steps."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        store: Store,
        keyring: Keyring,
        certification: Certification,
        seal_keys: SealKeys,
        pki: Pki,
        sealing: Sealing,
        licenses: Licenses,
        audit: Audit,
        idempotency: Idempotency,
        recovery: Recovery,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._store = store
        self._keyring = keyring
        self._certification = certification
        self._seal_keys = seal_keys
        self._pki = pki
        self._sealing = sealing
        self._licenses = licenses
        self._audit = audit
        self._idempotency = idempotency
        self._recovery = recovery
        self._clock = clock

    def run(self, at: datetime.datetime) -> MaintenanceReport:
        """Everything that is due at ``at``."""
        recovered = self._recovery.recover(strays=True)
        done = {
            "voided": recovered.voided,
            "strays_removed": recovered.strays,
            "keys_rolled": self._roll_keys(at),
            "crls": self._renew_lists(),
            "archive_timestamps": self._extend_evidence(at),
            "answers_forgotten": self._idempotency.purge(),
            "anchored": int(self._audit.anchor(at)),
        }
        return MaintenanceReport(done)

    def _roll_keys(self, at: datetime.datetime) -> int:
        self._keyring.refresh()
        with self._database.reading() as view:
            issuers = {i.code: i for i in view.issuers.all()}
            sealing = _keys_at_work(view)
        rolled = 0
        if self._ends(self._keyring.active_ca(ROOT)) < at + ROOT_MARGIN:
            self._certification.new_root(at, VAULT_OWNER)
            rolled += 1
        elif self._ends(self._keyring.active_ca(ISSUING)) < at + ISSUING_MARGIN:
            self._certification.new_issuing(at, VAULT_OWNER)
            rolled += 1
        for key in self._keyring.all():
            if key.purpose is KeyPurpose.SEAL and key.id not in sealing:
                continue  # of an edition on its way, or left by a crash
            if key.state is KeyState.ACTIVE and key.purpose is not KeyPurpose.CA and self._due(key, at):
                self._roll(key, issuers.get(key.owner), at)
                rolled += 1
        if rolled:
            self._sealing.forget()
        return rolled

    def _roll(self, key: KeyRecord, issuer: Issuer | None, at: datetime.datetime) -> None:
        if key.purpose is KeyPurpose.OCSP:
            ca = self._keyring.named(self._keyring.certificate(key).ca)
            self._certification.new_responder(ca, at, VAULT_OWNER)
        elif key.purpose is KeyPurpose.SEAL:
            self._seal_keys.renew(key.owner, key.name.rpartition("-")[0], at, VAULT_OWNER)
        else:
            self._certification.new_leaf(key.purpose, at, VAULT_OWNER, issuer=issuer)

    def _due(self, key: KeyRecord, at: datetime.datetime) -> bool:
        certificate = self._keyring.certificate_or_none(key)
        if certificate is None:
            return False
        if key.purpose is KeyPurpose.OCSP:
            ca = self._keyring.certificate(self._keyring.named(certificate.ca))
            return certificate.not_after < at + SHORT_MARGIN and certificate.not_after < ca.not_after
        if certificate.signs_until is not None:
            return certificate.signs_until < at + SHORT_MARGIN
        return certificate.not_after < at + LEAF_MARGIN

    def _ends(self, key: KeyRecord) -> datetime.datetime:
        return self._keyring.certificate(key).not_after

    def _renew_lists(self) -> int:
        return sum(1 for name in self._pki.ca_names() if self._pki.crl(name))

    def _extend_evidence(self, at: datetime.datetime) -> int:
        """Archive timestamps for all documents whose evidence ends within the margin."""
        count = 0
        with self._recovery.rewriting() as free:
            while free:
                with self._database.reading() as view:
                    due = view.licenses.evidence_ends_before(at + EVIDENCE_MARGIN, _PORTION)
                for found in due:
                    self._extend(found, at)
                count += len(due)
                if len(due) < _PORTION:
                    break
        return count

    def _extend(self, found: License, at: datetime.datetime) -> None:
        tsa = self._keyring.active(KeyPurpose.TSA)
        until = self._keyring.certificate(tsa).not_after
        pdf = extend_archive(
            self._licenses.document(found),
            stamp=self._pki.authority(tsa).at(at),
            validation=self._sealing.validation_for(self._seal_key(found), tsa),
            at=at,
        )
        former, name = found.document, new_name()
        self._store.put(name, self._cipher.seal(f"document:{found.identifier}", pdf))
        digest = hashlib.sha256(pdf).hexdigest()
        with self._database.writing() as uow:
            uow.licenses.save(
                found.rewritten(document=name, document_sha256=digest, evidence_until=until),
                event("ARCHIVE_TIMESTAMP_ADDED", found.identifier, VAULT_OWNER, sha256=digest),
            )
        if former is not None:
            self._store.delete(former)

    def _seal_key(self, found: License) -> KeyRecord:
        """The key that sealed the document, by its last seal use."""
        with self._database.reading() as view:
            uses = sorted(view.seal_uses.where(identifier=found.identifier), key=lambda u: u.used_at)
        key = self._keyring.by_id(uses[-1].key_id) if uses else None
        return key or self._keyring.active(KeyPurpose.SEAL, found.issuer_code)


def _keys_at_work(view: View) -> set[str]:
    """The keys of the editions at work of seals in life."""
    alive = {s.id: s.version for s in view.seals.all() if s.state in (SealState.ACTIVE, SealState.SUSPENDED)}
    return {v.key_id for v in view.seal_versions.all() if alive.get(v.seal_id) == v.version and v.key_id is not None}
