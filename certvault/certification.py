"""Making certificates: serial stored, then signed, then the certificate stored. And rollover.

Lifetimes. Root CA 20 years; issuing CA 10; leafs of issuers and vault 3; OCSP responder 1; timestamp authority 6, of
which its key signs for 1. A certificate never outlives its CA's. So that none has to be shortened, maintenance rolls

* the issuing CA when less than 6 years and a quarter of it are left (it may issue a timestamp certificate until then),
* the root when less than 10 years and a quarter of it are left,
* a leaf when less than 90 days (OCSP and timestamp keys: 30 days of their use) are left.

Rolled-over keys stay known for ever: their certificates are served, CAs go on signing their revocation lists.
"""

from __future__ import annotations

import datetime

from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.keyring import Keyring
from certvault.model.keys import VAULT_OWNER, CertificateRecord, CertificateState, Issuer, KeyRecord, event
from certvault.settings import Settings
from signing.formats.x509 import (
    Ca,
    CertificateRequestData,
    Subject,
    issue_certificate,
    random_serial,
    self_signed_root,
)
from signing.keys import KeyPurpose
from verify.formats.algorithms import Algorithm

YEAR = datetime.timedelta(days=365)
ROOT_LIFETIME = 20 * YEAR
ISSUING_LIFETIME = 10 * YEAR
LEAF_LIFETIME = 3 * YEAR
OCSP_LIFETIME = YEAR
TSA_LIFETIME = 6 * YEAR
TSA_SIGNS_FOR = YEAR
CLOCK_SKEW = datetime.timedelta(minutes=1)

ROOT, ISSUING = "root", "issuing"
VAULT_PURPOSES = (
    KeyPurpose.OCSP,
    KeyPurpose.TSA,
    KeyPurpose.STATUS,
    KeyPurpose.ANSWER,
    KeyPurpose.TRUST_LIST,
    KeyPurpose.SEAL_MAKER,
    KeyPurpose.LOG,
)
ISSUER_PURPOSES = (KeyPurpose.RECORD, KeyPurpose.CODE)
"""What every issuer has; its seals have a life of their own (:mod:`certvault.seals`)."""
_JOSE = (KeyPurpose.RECORD, KeyPurpose.STATUS, KeyPurpose.ANSWER, KeyPurpose.TRUST_LIST)
_TITLES = {
    KeyPurpose.OCSP: "OCSP",
    KeyPurpose.TSA: "TSA",
    KeyPurpose.STATUS: "status lists",
    KeyPurpose.ANSWER: "answers",
    KeyPurpose.TRUST_LIST: "trust list",
    KeyPurpose.SEAL_MAKER: "seal maker",
    KeyPurpose.LOG: "log",
    KeyPurpose.RECORD: "record",
    KeyPurpose.CODE: "code",
}


def algorithm_for(suite: str, purpose: KeyPurpose, *, root: bool = False) -> Algorithm:
    """The algorithm of a new key. Codes are always P-256, so that the URL on the page stays short and any scanner's
    software can check them."""
    if purpose is KeyPurpose.CODE:
        return Algorithm.ECDSA_P256_SHA256
    if suite == "sm2":
        return Algorithm.SM2_SM3
    if suite == "rsa3072":
        return Algorithm.RSA_PSS_SHA256 if purpose in _JOSE else Algorithm.RSA_PKCS1_SHA256
    return Algorithm.ECDSA_P384_SHA384 if root else Algorithm.ECDSA_P256_SHA256


class Certification:
    """Makes keys with their certificates, and new generations of both."""

    def __init__(self, database: Database, keyring: Keyring, settings: Settings) -> None:
        self._database = database
        self._keyring = keyring
        self._settings = settings

    def found(self, at: datetime.datetime, actor: str) -> None:
        """Everything a new vault needs: root, issuing CA, the vault's leafs."""
        self.new_root(at, actor)
        for purpose in VAULT_PURPOSES:
            if purpose is not KeyPurpose.OCSP:  # came with the issuing CA
                self.new_leaf(purpose, at, actor)

    def equip(self, issuer: Issuer, at: datetime.datetime, actor: str) -> None:
        """An issuer's record and code keys."""
        for purpose in ISSUER_PURPOSES:
            self.new_leaf(purpose, at, actor, issuer=issuer)

    def new_root(self, at: datetime.datetime, actor: str, *, exportable: bool = False) -> KeyRecord:
        """The next root, and an issuing CA under it."""
        key = self._new_key(KeyPurpose.CA, ROOT, VAULT_OWNER, at, actor, exportable=exportable)
        subject = self._ca_subject("Root CA", key)
        start = _start(at)
        record = self._reserve(key.name, key, subject, start, start + ROOT_LIFETIME, None, actor)
        der = self_signed_root(
            self._keyring.signer(key),
            subject,
            serial=int(record.serial),
            not_before=record.not_before,
            not_after=record.not_after,
        )
        self._store(record, der, actor)
        self.new_issuing(at, actor)
        return key

    def new_issuing(self, at: datetime.datetime, actor: str, *, exportable: bool = False) -> KeyRecord:
        """The next issuing CA under the active root, and its OCSP responder."""
        key = self._new_key(KeyPurpose.CA, ISSUING, VAULT_OWNER, at, actor, exportable=exportable)
        root = self._keyring.active_ca(ROOT)
        self._certify(root, key, self._ca_subject("Issuing CA", key), at, ISSUING_LIFETIME, actor)
        self.new_responder(key, at, actor)
        return key

    def new_responder(self, ca: KeyRecord, at: datetime.datetime, actor: str) -> KeyRecord:
        """An OCSP responder for ``ca``; the one it had before retires."""
        key = self._new_key(KeyPurpose.OCSP, KeyPurpose.OCSP.value, VAULT_OWNER, at, actor)
        self._certify(ca, key, self._leaf_subject(key, None), at, OCSP_LIFETIME, actor)
        return key

    def new_leaf(
        self,
        purpose: KeyPurpose,
        at: datetime.datetime,
        actor: str,
        *,
        issuer: Issuer | None = None,
        exportable: bool = False,
        ca: KeyRecord | None = None,
    ) -> KeyRecord:
        """A new key and certificate for one purpose of the vault, or of ``issuer``; the former key retires.

        ``exportable``: the key can be backed up. ``ca``: the issuing CA, another than the active one.
        """
        if purpose is KeyPurpose.OCSP:
            return self.new_responder(self._keyring.active_ca(ISSUING), at, actor)
        owner = VAULT_OWNER if issuer is None else issuer.code
        key = self._new_key(purpose, purpose.value, owner, at, actor, exportable=exportable)
        tsa = purpose is KeyPurpose.TSA
        self._certify(
            ca or self._keyring.active_ca(ISSUING),
            key,
            self._leaf_subject(key, issuer),
            at,
            TSA_LIFETIME if tsa else LEAF_LIFETIME,
            actor,
            signs_for=TSA_SIGNS_FOR if tsa else None,
        )
        return key

    def new_seal_key(
        self, stem: str, name: str, issuer: Issuer, at: datetime.datetime, actor: str, *, exportable: bool = False
    ) -> KeyRecord:
        """A key with its certificate for an edition of a seal. The key before it goes on sealing until the new edition
        is activated."""
        key = self._new_key(KeyPurpose.SEAL, stem, issuer.code, at, actor, exportable=exportable)
        subject = Subject(name, organization=issuer.name, organization_identifier=issuer.code)
        self._certify(self._keyring.active_ca(ISSUING), key, subject, at, LEAF_LIFETIME, actor)
        return key

    def _new_key(
        self,
        purpose: KeyPurpose,
        stem: str,
        owner: str,
        at: datetime.datetime,
        actor: str,
        *,
        exportable: bool = False,
    ) -> KeyRecord:
        algorithm = algorithm_for(self._settings.suite, purpose, root=stem == ROOT)
        with self._database.writing() as uow:
            return self._keyring.create(
                uow, purpose, algorithm, stem=stem, owner=owner, at=at, actor=actor, exportable=exportable
            )

    def _certify(
        self,
        ca: KeyRecord,
        key: KeyRecord,
        subject: Subject,
        at: datetime.datetime,
        lifetime: datetime.timedelta,
        actor: str,
        *,
        signs_for: datetime.timedelta | None = None,
    ) -> None:
        ca_certificate = self._keyring.certificate(ca)
        start = max(_start(at), ca_certificate.not_before)
        end = min(start + lifetime, ca_certificate.not_after)
        until = None if signs_for is None else min(start + signs_for, end)
        record = self._reserve(ca.name, key, subject, start, end, until, actor)
        request = CertificateRequestData(
            subject=subject,
            key=key.handle,
            serial=int(record.serial),
            not_before=start,
            not_after=end,
            ca_name=ca.name,
            base_url=self._settings.base_url,
            signing_until=until,
        )
        der = issue_certificate(Ca(ca_certificate.der or b"", self._keyring.signer(ca)), request)
        self._store(record, der, actor)

    def _reserve(
        self,
        ca: str,
        key: KeyRecord,
        subject: Subject,
        start: datetime.datetime,
        end: datetime.datetime,
        signs_until: datetime.datetime | None,
        actor: str,
    ) -> CertificateRecord:
        record = CertificateRecord(
            ca=ca,
            serial=str(random_serial()),
            key_id=key.id,
            subject=subject.common_name,
            purpose=key.purpose,
            not_before=start,
            not_after=end,
            signs_until=signs_until,
        )
        with self._database.writing() as uow:
            about = f"certificate:{ca}:{record.serial}"
            return uow.certificates.save(record, event("SERIAL_RESERVED", about, actor, key=key.id))

    def _store(self, record: CertificateRecord, der: bytes, actor: str) -> None:
        """Store the certificate; only now do keys of the same stem that came before retire.

        Keys of seals retire when the edition that has the new one is activated."""
        with self._database.writing() as uow:
            about = f"certificate:{record.ca}:{record.serial}"
            uow.certificates.save(record.signed(der), event("CERTIFICATE_ISSUED", about, actor, key=record.key_id))
            key = uow.keys.get(record.key_id)
            if key is not None and key.purpose is not KeyPurpose.SEAL:
                for old in _superseded(uow, key, record.ca):
                    uow.keys.save(old.retired(key.created_at), event("KEY_RETIRED", f"key:{old.id}", actor))
            self._keyring.refresh(uow.view)

    def _ca_subject(self, title: str, key: KeyRecord) -> Subject:
        return Subject(f"{self._settings.name} {title} {key.generation}", organization=self._settings.name)

    def _leaf_subject(self, key: KeyRecord, issuer: Issuer | None) -> Subject:
        if issuer is None:
            return Subject(f"{self._settings.name} {_TITLES[key.purpose]}", organization=self._settings.name)
        name = f"{issuer.name} {_TITLES[key.purpose]}"
        return Subject(name, organization=issuer.name, organization_identifier=issuer.code)


def _superseded(uow: UnitOfWork, key: KeyRecord, ca: str) -> list[KeyRecord]:
    """The keys that ``key`` takes over from. Each CA has a responder of its own, so those follow their CA."""
    before = [
        k
        for k in uow.keys.where(owner=key.owner)
        if k.retired_at is None and k.generation < key.generation and _stem(k) == _stem(key)
    ]
    if key.purpose is not KeyPurpose.OCSP:
        return before
    return [k for k in before if any(c.ca == ca for c in uow.certificates.where(key_id=k.id))]


def void_reserved(database: Database, still_alive: datetime.datetime, actor: str) -> int:
    """Give serials up that were stored before ``still_alive`` and never led to a certificate; returns how many."""
    with database.writing() as uow:
        stale = [
            c
            for c in uow.certificates.where(state=CertificateState.RESERVED)
            if c.not_before + CLOCK_SKEW < still_alive
        ]
        for record in stale:
            about = f"certificate:{record.ca}:{record.serial}"
            uow.certificates.save(record.voided(), event("SERIAL_VOIDED", about, actor))
    return len(stale)


def _stem(key: KeyRecord) -> str:
    return key.name.rpartition("-")[0]


def _start(at: datetime.datetime) -> datetime.datetime:
    return at.replace(microsecond=0) - CLOCK_SKEW
