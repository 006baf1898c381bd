"""Certificate revocation lists, RFC 5280 5: complete, version 2, with a number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import x509

from signing.errors import SigningError
from signing.formats import der
from signing.formats.identifiers import signature_identifier
from signing.formats.x509 import Ca, key_identifier
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned

REASONS = {
    "unspecified": 0,
    "key_compromise": 1,
    "ca_compromise": 2,
    "affiliation_changed": 3,
    "superseded": 4,
    "cessation_of_operation": 5,
    "certificate_hold": 6,
    "privilege_withdrawn": 9,
    "aa_compromise": 10,
}
"""CRLReason by name (RFC 5280 5.3.1)."""


@dataclass(frozen=True, slots=True)
class RevokedEntry:
    """One revoked certificate: ``reason`` of :data:`REASONS`, ``invalid_since`` when the key was lost earlier."""

    serial: int
    at: datetime
    reason: str = "unspecified"
    invalid_since: datetime | None = None


def make_crl(
    ca: Ca, *, number: int, this_update: datetime, next_update: datetime, revoked: Iterable[RevokedEntry] = ()
) -> bytes:
    """A CRL (DER) of all that ``ca`` issued; ``number`` grows with each.

    Raises SigningError when the CA's key is not that of its certificate.
    """
    if x509.Certificate.load(ca.certificate).public_key.dump() != ca.signer.handle.spki:
        raise SigningError("the CA certificate belongs to another key", uri=ca.signer.handle.uri)
    algorithm = signature_identifier(ca.signer.handle.algorithm)
    entries = [_entry(e) for e in sorted(revoked, key=lambda e: e.serial)]
    authority = der.sequence(der.tagged(0x80, key_identifier(ca.signer.handle.spki)))
    extensions = der.sequence(
        der.sequence(der.oid("2.5.29.35"), der.octets(authority)),
        der.sequence(der.oid("2.5.29.20"), der.octets(der.integer(number))),
    )
    tbs = der.sequence(
        der.integer(1),
        algorithm,
        x509.Certificate.load(ca.certificate).subject.dump(),
        der.time(this_update),
        der.time(next_update),
        der.sequence(*entries) if entries else b"",
        der.tagged(0xA0, extensions),
    )
    signature = ca.signer.sign(ToBeSigned(tbs, KeyPurpose.CA))
    return der.sequence(tbs, algorithm, der.tagged(0x03, b"\x00" + signature))


def _entry(entry: RevokedEntry) -> bytes:
    extensions = []
    if entry.reason != "unspecified":
        reason = der.tagged(0x0A, bytes((REASONS[entry.reason],)))
        extensions.append(der.sequence(der.oid("2.5.29.21"), der.octets(reason)))
    if entry.invalid_since is not None:
        date = der.generalized_time(entry.invalid_since)
        extensions.append(der.sequence(der.oid("2.5.29.24"), der.octets(date)))
    return der.sequence(der.integer(entry.serial), der.time(entry.at), der.sequence(*extensions) if extensions else b"")
