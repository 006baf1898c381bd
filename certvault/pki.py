"""The vault's PKI as others see it: revocation lists, OCSP, timestamps, CA certificates; and rollover.

Names of CAs carry their generation: ``root-1``, ``issuing-1``, ``issuing-2``; ``root`` and ``issuing`` mean the newest.
Revocation lists of the issuing CAs are renewed hourly when somebody asks, hold for a week, and at once after a
revocation; the root's daily, for a month. Lists of every generation stay served.
"""

from __future__ import annotations

import base64
import datetime
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from certvault.certification import ISSUING, ROOT, Certification
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import conflict, forbidden, not_found
from certvault.keyring import Keyring
from certvault.model.actor import Actor, Role
from certvault.model.keys import (
    VAULT_OWNER,
    CertificateRecord,
    CertificateState,
    CrlRecord,
    KeyRecord,
    SerialBlock,
    event,
)
from certvault.model.views import KeyInfo
from certvault.sealkeys import FIRST_STEM, SealKeys
from signing.formats.crl import RevokedEntry, make_crl
from signing.formats.ocsp import GOOD, UNKNOWN, CertificateStatus, Responder, answer_ocsp
from signing.formats.x509 import Ca
from signing.keys import KeyPurpose
from signing.timestamp import TimestampAuthority
from verify.formats.purposes import ARC

TSA_POLICY = f"{ARC}.100"
"""The policy under which timestamps are given: accuracy one second, serials stored, clock of the vault's machine."""

_RENEWAL = {
    ROOT: (datetime.timedelta(days=1), datetime.timedelta(days=31)),
    ISSUING: (datetime.timedelta(hours=1), datetime.timedelta(days=7)),
}
SERIAL_BLOCK = 256


@dataclass(frozen=True, slots=True)
class Evidence:
    """Chain and revocation data of one certificate, DER, for embedding; the certificate itself is not in it."""

    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class Pki:
    """Answers about certificates and time."""

    def __init__(
        self, database: Database, keyring: Keyring, certification: Certification, seal_keys: SealKeys, clock: Clock
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._certification = certification
        self._seal_keys = seal_keys
        self._clock = clock
        self._serials = SerialStock(database, clock)
        self._crls: dict[str, CrlRecord] = {}
        self._lock = threading.Lock()

    def crl(self, ca_name: str) -> bytes:
        """The revocation list (DER) of a CA. NotFoundError."""
        return self.crl_record(self._ca(ca_name)).der

    def crl_record(self, ca: KeyRecord) -> CrlRecord:
        """The newest list of ``ca``, made anew when it is due or something was revoked since."""
        at = self._clock.now()
        known = self._crls.get(ca.name)
        if known is not None and _fresh(known, ca, at):
            return known
        with self._lock, self._database.reading() as view:
            crls = view.crls.table.c
            found = view.crls.all(view.crls.query().where(crls.ca == ca.name).order_by(crls.number.desc()).limit(1))
            revoked = view.certificates.where(ca=ca.name, state=CertificateState.REVOKED)
        changed = found and any(c.revoked_at is not None and c.revoked_at > found[0].this_update for c in revoked)
        if found and _fresh(found[0], ca, at) and not changed:
            self._crls[ca.name] = found[0]
            return found[0]
        return self._new_crl(ca, revoked, at)

    def ca_certificate(self, ca_name: str) -> bytes:
        """The certificate (DER) of a CA of any generation. NotFoundError."""
        return self._keyring.certificate_der(self._ca(ca_name))

    def ca_names(self) -> list[str]:
        """Every CA, oldest first."""
        return [k.name for k in self._keyring.all(KeyPurpose.CA) if self._certified(k)]

    def roots(self) -> list[bytes]:
        """Root certificates of all generations, DER."""
        return [self.ca_certificate(n) for n in self.ca_names() if n.startswith(f"{ROOT}-")]

    def chain_pem(self) -> str:
        """The active issuing CA and its root, PEM."""
        issuing = self._keyring.active_ca(ISSUING)
        return "".join(_pem(der) for der in (self._keyring.certificate_der(issuing), *self.above(issuing)))

    @property
    def root_pem(self) -> str:
        """Roots of all generations, newest first, PEM."""
        return "".join(_pem(der) for der in reversed(self.roots()))

    def above(self, key: KeyRecord, *, with_root: bool = True) -> tuple[bytes, ...]:
        """The CA certificates above ``key``, nearest first."""
        found: list[bytes] = []
        name = self._keyring.certificate(key).ca
        while True:
            ca = self._keyring.named(name)
            certificate = self._keyring.certificate(ca)
            is_root = certificate.ca == name
            if not is_root or with_root:
                found.append(certificate.der or b"")
            if is_root:
                return tuple(found)
            name = certificate.ca

    def evidence_for(self, key: KeyRecord) -> Evidence:
        """What a verifier needs to judge the certificate of ``key`` without asking anybody."""
        crls: list[bytes] = []
        name = self._keyring.certificate(key).ca
        while True:
            ca = self._keyring.named(name)
            crls.append(self.crl_record(ca).der)
            above = self._keyring.certificate(ca).ca
            if above == name:
                return Evidence(self.above(key), tuple(crls))
            name = above

    def ocsp(self, request: bytes) -> bytes:
        """Answer an OCSP request (DER) for certificates of any issuing CA."""
        self._keyring.refresh()
        responders = [self._responder(k) for k in self._keyring.all(KeyPurpose.OCSP) if _answers(k, self._certified(k))]
        return answer_ocsp(request, responders=responders, at=self._clock.now())

    def tsa(self, request: bytes) -> bytes:
        """Answer a timestamp request (DER)."""
        return self.authority().respond(request, self._clock.now())

    def authority(self, key: KeyRecord | None = None) -> TimestampAuthority:
        """The timestamp authority; each token takes a stored serial number."""
        key = key or self._keyring.active(KeyPurpose.TSA)
        return TimestampAuthority(
            self._keyring.signer(key),
            self._keyring.certificate_der(key),
            self.above(key, with_root=False),
            TSA_POLICY,
            self._serials.next,
        )

    def rollover(self, purpose: str, actor: Actor, *, owner: str | None = None, exportable: bool = False) -> KeyInfo:
        """A new generation of a key: ``root``, ``issuing``, a purpose, or a key's id.

        ``owner`` is an issuer's code for ``seal``, ``record`` and ``code``; by default the only issuer's. What was
        signed before stays good. ``exportable`` makes a key that can be backed up. NotFoundError for a purpose or key
        that is not here.
        """
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        at = self._clock.now()
        named = self._keyring.by_id(purpose)
        if named is not None:
            purpose, owner = named.name.rpartition("-")[0], named.owner
        if purpose == ROOT:
            key = self._certification.new_root(at, actor.subject, exportable=exportable)
        elif purpose == ISSUING:
            key = self._certification.new_issuing(at, actor.subject, exportable=exportable)
        elif named is not None and named.purpose is KeyPurpose.SEAL:
            key = self._seal_keys.renew(named.owner, purpose, at, actor.subject, exportable=exportable)
        else:
            key = self._roll_leaf(_purpose(purpose), at, actor, owner, exportable=exportable)
        self._keyring.refresh()
        return self._info(key)

    def keys(self, actor: Actor) -> list[KeyInfo]:
        """All keys by handle."""
        if not actor.has(Role.AUDITOR, Role.CUSTODIAN):
            raise forbidden(Role.AUDITOR)
        self._keyring.refresh()
        return [self._info(k) for k in self._keyring.all()]

    def revoke(self, key_id: str, reason: str, actor: Actor) -> None:
        """Revoke the certificate of a key; ``reason`` is a CRLReason name, e.g. ``key_compromise``."""
        if not actor.has(Role.OPERATOR):
            raise forbidden(Role.OPERATOR)
        key = self._keyring.by_id(key_id)
        if key is None:
            raise not_found("密钥", "key", key_id)
        found = self._keyring.certificate(key)
        if found.state is CertificateState.REVOKED:
            return
        with self._database.writing() as uow:
            about = f"certificate:{found.ca}:{found.serial}"
            revoked = found.revoked(self._clock.now(), reason)
            uow.certificates.save(revoked, event("CERTIFICATE_REVOKED", about, actor.subject, reason=reason))
            self._keyring.refresh(uow.view)
        self._crls.pop(found.ca, None)

    def _ca(self, name: str) -> KeyRecord:
        if name in (ROOT, ISSUING):
            return self._keyring.active_ca(name)
        found = [k for k in self._keyring.all(KeyPurpose.CA) if k.name == name and self._certified(k)]
        if not found:
            self._keyring.refresh()  # another process may have made it
            found = [k for k in self._keyring.all(KeyPurpose.CA) if k.name == name and self._certified(k)]
        if not found:
            raise not_found("证书颁发机构", "certificate authority", name[:40])
        return found[0]

    def _certified(self, key: KeyRecord) -> CertificateRecord | None:
        return self._keyring.certificate_or_none(key)

    def _new_crl(self, ca: KeyRecord, revoked: list[CertificateRecord], at: datetime.datetime) -> CrlRecord:
        this_update = at.replace(microsecond=0)
        next_update = this_update + _RENEWAL[ca.name.rpartition("-")[0]][1]
        entries = [RevokedEntry(int(c.serial), c.revoked_at or this_update, c.reason or "unspecified") for c in revoked]
        with self._database.writing() as uow:
            number = uow.next_numbers(f"crl:{ca.name}")
            der = make_crl(
                Ca(self._keyring.certificate_der(ca), self._keyring.signer(ca)),
                number=number,
                this_update=this_update,
                next_update=next_update,
                revoked=entries,
            )
            record = uow.crls.save(
                CrlRecord(ca.name, number, der, this_update, next_update),
                event("CRL_ISSUED", f"crl:{ca.name}", VAULT_OWNER, number=number, revoked=len(entries)),
            )
        self._crls[ca.name] = record
        return record

    def _responder(self, key: KeyRecord) -> Responder:
        certificate = self._keyring.certificate(key)
        ca = self._keyring.named(certificate.ca)

        def status(serial: int) -> CertificateStatus:
            with self._database.reading() as view:
                found = view.certificates.get(ca.name, str(serial))
            return _status(found)

        return Responder(self._keyring.certificate_der(ca), self._keyring.signer(key), certificate.der or b"", status)

    def _roll_leaf(
        self, purpose: KeyPurpose, at: datetime.datetime, actor: Actor, owner: str | None, *, exportable: bool
    ) -> KeyRecord:
        if purpose not in (KeyPurpose.SEAL, KeyPurpose.RECORD, KeyPurpose.CODE):
            return self._certification.new_leaf(purpose, at, actor.subject, exportable=exportable)
        with self._database.reading() as view:
            issuers = [i for i in view.issuers.all() if owner in (None, VAULT_OWNER, i.code)]
        if len(issuers) != 1:
            raise conflict(
                "ISSUER_AMBIGUOUS",
                "owner",
                "请指明颁发机构",
                "name the issuer whose key is meant",
                remedy_zh="请给出颁发机构代码。",
                remedy_en="Give the issuer's code.",
            )
        if purpose is KeyPurpose.SEAL:
            code = issuers[0].code
            return self._seal_keys.renew(code, FIRST_STEM, at, actor.subject, exportable=exportable)
        return self._certification.new_leaf(purpose, at, actor.subject, issuer=issuers[0], exportable=exportable)

    def _info(self, key: KeyRecord) -> KeyInfo:
        certificate = self._certified(key)
        return KeyInfo(
            id=key.id,
            uri=key.uri,
            purpose=key.name.rpartition("-")[0],
            algorithm=key.algorithm.name,
            owner=key.owner,
            generation=key.generation,
            state=key.state.value,
            certificate_serial=None if certificate is None else certificate.serial,
            not_after=None if certificate is None else certificate.not_after,
        )


class SerialStock:
    """Serial numbers of timestamps: taken from the database in blocks, so stored before any is used.

    What is left of a block when the process ends is never used.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._left: Iterator[int] = iter(())

    def next(self) -> int:
        """The next serial number."""
        with self._lock:
            found = next(self._left, None)
            if found is None:
                self._left = iter(self._reserve())
                found = next(self._left)
            return found

    def _reserve(self) -> range:
        with self._database.writing() as uow:
            first = uow.next_numbers("timestamp-serial", SERIAL_BLOCK)
            block = SerialBlock(first, SERIAL_BLOCK, self._database.session, self._clock.now())
            uow.serial_blocks.save(
                block, event("SERIALS_RESERVED", "timestamp-serial", VAULT_OWNER, first=first, count=SERIAL_BLOCK)
            )
        return range(first, first + SERIAL_BLOCK)


def _fresh(crl: CrlRecord, ca: KeyRecord, at: datetime.datetime) -> bool:
    return crl.this_update <= at < crl.this_update + _RENEWAL[ca.name.rpartition("-")[0]][0]


def _answers(key: KeyRecord, certificate: CertificateRecord | None) -> bool:
    return certificate is not None and key.retired_at is None


def _status(found: CertificateRecord | None) -> CertificateStatus:
    if found is None or found.state in (CertificateState.RESERVED, CertificateState.VOID):
        return UNKNOWN
    if found.state is CertificateState.REVOKED:
        return CertificateStatus("revoked", found.revoked_at, found.reason or "unspecified")
    return GOOD


def _purpose(name: str) -> KeyPurpose:
    try:
        purpose = KeyPurpose(name)
    except ValueError as error:
        raise not_found("密钥用途", "key purpose", name[:40]) from error
    if purpose is KeyPurpose.CA:
        raise not_found("密钥用途", "key purpose", "ca (say root or issuing)")
    return purpose


def _pem(der: bytes) -> str:
    text = base64.b64encode(der).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]  # RFC 7468, 2
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
