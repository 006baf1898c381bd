"""The vault's keys by name: which exist, which is active for a purpose, and the door to each.

Key bytes stay in the backend; here are handles. The list is read from the database when it may have changed: at the
start of each piece of work, so that a rollover by another process is seen.
"""

from __future__ import annotations

import datetime
import hashlib
import threading
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.asymmetric import utils

from certvault.db.unit_of_work import Database, UnitOfWork, View
from certvault.errors import not_found
from certvault.model.keys import VAULT_OWNER, CertificateRecord, CertificateState, KeyRecord, KeyState, event
from signing.backends.base import Backend
from signing.errors import SigningError
from signing.keys import KeyPurpose
from signing.signer import BackendSigner, DigestSigner
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.formats.sm2 import raw_of

_SIGNED = (CertificateState.ISSUED, CertificateState.REVOKED)
"""States of certificates that exist."""


class Keyring:
    """Knows keys and their certificates; gives signers."""

    def __init__(self, backend: Backend, database: Database, label_prefix: str) -> None:
        self.backend = backend
        self._database = database
        self._prefix = label_prefix
        self._lock = threading.Lock()
        self._keys: dict[str, KeyRecord] = {}
        self._certificates: dict[str, CertificateRecord] = {}
        self._digests: dict[tuple[str, str], str] = {}
        self._by_digest: dict[str, str] = {}
        self.edition = 0

    def refresh(self, view: View | None = None) -> None:
        """Read keys and their newest certificates again; ``edition`` grows when something has changed."""
        if view is None:
            with self._database.reading() as opened:
                self.refresh(opened)
            return
        keys = {k.id: k for k in view.keys.all()}
        certificates: dict[str, CertificateRecord] = {}
        signed = [c for c in view.certificates.all() if c.state in _SIGNED]
        for certificate in sorted(signed, key=lambda c: c.not_before):
            certificates[certificate.key_id] = certificate
        with self._lock:
            if {(c.ca, c.serial) for c in signed} != self._digests.keys():
                self._digests = _digests(signed, self._digests)
                self._by_digest = {self._digests[c.ca, c.serial]: c.key_id for c in signed}
            if (keys, certificates) != (self._keys, self._certificates):
                self._keys, self._certificates = keys, certificates
                self.edition += 1

    def all(self, purpose: KeyPurpose | None = None) -> list[KeyRecord]:
        """Every key, or those of one purpose, oldest first."""
        self._ensure()
        found = [k for k in self._keys.values() if purpose is None or k.purpose is purpose]
        return sorted(found, key=lambda k: (k.created_at, k.generation, k.name))

    def active(self, purpose: KeyPurpose, owner: str = VAULT_OWNER) -> KeyRecord:
        """The key that signs now; NotFoundError when the owner has none. For CAs ask :meth:`active_ca`."""
        return self._newest(purpose, owner, purpose.value)

    def active_ca(self, stem: str) -> KeyRecord:
        """The CA that issues now: ``root`` or ``issuing``."""
        return self._newest(KeyPurpose.CA, VAULT_OWNER, stem)

    def _newest(self, purpose: KeyPurpose, owner: str, stem: str) -> KeyRecord:
        found = [
            k
            for k in self.all(purpose)
            if k.owner == owner
            and k.state is KeyState.ACTIVE
            and k.name.rpartition("-")[0] == stem
            and k.id in self._certificates  # a key without certificate was left by a crash and signs nothing
            and self._certificates[k.id].state is CertificateState.ISSUED
        ]
        if not found:
            raise not_found("密钥", "key", f"{owner}/{stem}")
        return found[-1]

    def named(self, name: str, owner: str = VAULT_OWNER) -> KeyRecord:
        """The key of that name, e.g. ``issuing-1``; NotFoundError."""
        found = next((k for k in self.all() if k.name == name and k.owner == owner), None)
        if found is None:
            raise not_found("密钥", "key", name)
        return found

    def by_id(self, key_id: str) -> KeyRecord | None:
        """The key of that id."""
        self._ensure()
        return self._keys.get(key_id)

    def signer(self, key: KeyRecord) -> DigestSigner:
        """The door to ``key``."""
        return BackendSigner(self.backend, key.handle)

    def certificate(self, key: KeyRecord) -> CertificateRecord:
        """The newest certificate of ``key``."""
        self._ensure()
        found = self._certificates.get(key.id)
        if found is None or found.der is None:
            raise not_found("证书", "certificate of key", key.name)
        return found

    def certificate_or_none(self, key: KeyRecord) -> CertificateRecord | None:
        """The newest certificate of ``key``; None for a key that a crash left without one."""
        self._ensure()
        return self._certificates.get(key.id)

    def certificate_der(self, key: KeyRecord) -> bytes:
        """The newest certificate of ``key``, DER."""
        return self.certificate(key).der or b""

    def certified_by(self, sha256: str) -> KeyRecord | None:
        """The key that a certificate with that SHA-256 (hex) is for, whichever process made it; None for no key."""
        self._ensure()
        found = self._by_digest.get(sha256)
        if found is None:
            with self._database.reading() as view:
                if view.certificates.keys("state", _SIGNED) != self._digests.keys():
                    self.refresh(view)
            found = self._by_digest.get(sha256)
        return None if found is None else self._keys.get(found)

    def verifies(self, key_id: str, data: bytes, signature: bytes) -> bool:
        """Whether ``signature`` over ``data`` is that key's."""
        key = self.by_id(key_id)
        if key is None:
            return False
        try:
            verify_named(_plain(signature, key.algorithm), data, key.spki, key.algorithm)
        except (BadSignatureError, UnsupportedKeyError, ValueError):
            return False
        return True

    def create(
        self,
        uow: UnitOfWork,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        *,
        stem: str,
        owner: str,
        at: datetime.datetime,
        actor: str,
        exportable: bool = False,
    ) -> KeyRecord:
        """Make a key in the backend and store its name; the next generation of ``stem`` (``seal`` → ``seal-2``).

        A key that a crash left in the backend under this name is passed over, never used.
        """
        known = [k.generation for k in uow.keys.where(owner=owner) if k.name.rpartition("-")[0] == stem]
        generation = max(known, default=0) + 1
        handle = None
        for attempt in range(20):
            label = f"{self._prefix}-{owner}-{stem}-{generation}" + (f".{attempt}" if attempt else "")
            try:
                handle = self.backend.generate(label, algorithm, purpose, exportable=exportable)
                break
            except SigningError as error:
                if type(error) is not SigningError:
                    raise
        if handle is None:
            raise SigningError("the backend makes no new key", uri=self.backend.uri)
        record = KeyRecord(
            handle.id, f"{stem}-{generation}", owner, purpose, algorithm, handle.uri, handle.spki, generation, at
        )
        return uow.keys.save(
            record, event("KEY_CREATED", f"key:{record.id}", actor, purpose=purpose.value, name=record.name)
        )

    def _ensure(self) -> None:
        if not self._keys:
            self.refresh()


def _digests(
    certificates: Iterable[CertificateRecord], known: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str], str]:
    """SHA-256 (hex) of each by authority and serial. What a signed certificate is never changes, so ``known`` hold."""
    return {
        (c.ca, c.serial): known.get((c.ca, c.serial)) or hashlib.sha256(c.der or b"").hexdigest() for c in certificates
    }


def _plain(signature: bytes, algorithm: Algorithm) -> bytes:
    """ECDSA and SM2 values as r and s side by side, which the check takes."""
    if algorithm is Algorithm.SM2_SM3:
        return raw_of(signature)
    if not algorithm.is_ecdsa:
        return signature
    r, s = utils.decode_dss_signature(signature)
    size = 48 if algorithm is Algorithm.ECDSA_P384_SHA384 else 32
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
