"""X.509 certificates (RFC 5280), one profile for each key purpose.

Every leaf carries key usage (critical), the extended key usage of its purpose, key identifiers, and where to ask about
it. What a certificate is for is decided by the purpose of the key, so that no certificate for seals can be made over
a key for codes.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from asn1crypto import keys as asn1_keys
from asn1crypto import x509

from signing.errors import SigningError
from signing.formats import der
from signing.formats.identifiers import signature_identifier
from signing.keys import KeyHandle, KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats import purposes

_USAGE = {
    KeyPurpose.SEAL: purposes.SEAL,
    KeyPurpose.RECORD: purposes.RECORD,
    KeyPurpose.CODE: purposes.CODE,
    KeyPurpose.STATUS: purposes.STATUS,
    KeyPurpose.ANSWER: purposes.ANSWER,
    KeyPurpose.OCSP: purposes.OCSP,
    KeyPurpose.TSA: purposes.TSA,
    KeyPurpose.TRUST_LIST: purposes.TRUST_LIST,
    KeyPurpose.SEAL_MAKER: purposes.SEAL_MAKER,
    KeyPurpose.LOG: purposes.LOG,
}
_FURTHER_USAGE = {KeyPurpose.TRUST_LIST: purposes.TSL_SIGNING}
"""What readers of other formats look for; for ours the usage above counts."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a certificate names. ``organization_identifier`` is the unified social credit code (2.5.4.97)."""

    common_name: str
    organization: str = ""
    organization_identifier: str = ""
    country: str = "CN"

    def name(self) -> bytes:
        """As a distinguished name (DER), the most general attribute first.

        Raises SigningError for an attribute longer than the 64 characters that RFC 5280 allows.
        """
        parts = (
            ("2.5.4.6", 0x13, self.country),
            ("2.5.4.10", 0x0C, self.organization),
            (purposes.ORGANIZATION_IDENTIFIER, 0x0C, self.organization_identifier),
            ("2.5.4.3", 0x0C, self.common_name),
        )
        return der.sequence(*(_attribute(*part) for part in parts if part[2]))


def _attribute(kind: str, tag: int, text: str) -> bytes:
    if len(text) > 64:
        raise SigningError(f"a certificate name has at most 64 characters: {text}")
    return der.set_of([der.sequence(der.oid(kind), der.tagged(tag, text.encode()))])


@dataclass(frozen=True, slots=True)
class Ca:
    """A certificate authority: its certificate (DER) and the door to its key."""

    certificate: bytes
    signer: Signer


@dataclass(frozen=True, slots=True)
class CertificateRequestData:
    """What a certificate is to say. ``serial`` was stored by the caller before; times are aware.

    ``key`` brings the public half and the purpose; purpose CA makes an issuing CA (path length 0). ``ca_name`` and
    ``base_url`` (no slash at its end) make the addresses of the issuer's CRL, certificate and OCSP responder; without
    ``base_url`` there are none. ``signing_until`` ends the use of the private key (timestamps), RFC 3280 4.2.1.4.
    """

    subject: Subject
    key: KeyHandle
    serial: int
    not_before: datetime
    not_after: datetime
    ca_name: str = "issuing-1"
    base_url: str = ""
    signing_until: datetime | None = None


def random_serial() -> int:
    """A positive serial number of 127 random bits (RFC 5280 4.1.2.2)."""
    return secrets.randbits(126) | 1 << 126


def self_signed_root(
    signer: Signer, subject: Subject, *, serial: int, not_before: datetime, not_after: datetime
) -> bytes:
    """A root CA certificate (DER)."""
    spki = signer.handle.spki
    extensions = [
        _extension("basic_constraints", {"ca": True}, critical=True),
        _extension("key_usage", {"key_cert_sign", "crl_sign"}, critical=True),
        _extension("key_identifier", key_identifier(spki)),
    ]
    name = subject.name()
    return _signed(
        signer,
        _tbs(
            signer,
            issuer=name,
            subject=name,
            spki=spki,
            times=(not_before, not_after),
            serial=serial,
            extensions=extensions,
        ),
    )


def issue_certificate(ca: Ca, request: CertificateRequestData) -> bytes:
    """A certificate (DER) for an issuing CA or a leaf.

    Raises SigningError when the CA's key is not that of its certificate, or the certificate would outlive the CA's.
    """
    issuer = x509.Certificate.load(ca.certificate)
    if issuer.public_key.dump() != ca.signer.handle.spki:
        raise SigningError("the CA certificate belongs to another key", uri=ca.signer.handle.uri)
    if request.not_after > issuer.not_valid_after or request.not_before < issuer.not_valid_before:
        raise SigningError("the certificate would hold outside the time of its CA's", uri=ca.signer.handle.uri)
    extensions = [
        *(_ca_profile() if request.key.purpose is KeyPurpose.CA else _leaf_profile(request)),
        _extension("key_identifier", key_identifier(request.key.spki)),
        _extension("authority_key_identifier", {"key_identifier": issuer.key_identifier}),
        *_addresses(request),
    ]
    tbs = _tbs(
        ca.signer,
        issuer=issuer.subject.dump(),
        subject=request.subject.name(),
        spki=request.key.spki,
        times=(request.not_before, request.not_after),
        serial=request.serial,
        extensions=extensions,
    )
    return _signed(ca.signer, tbs)


def key_identifier(spki: bytes) -> bytes:
    """RFC 5280 4.2.1.2 (1): SHA-1 of the key bits. A name, not a protection."""
    bits = bytes(asn1_keys.PublicKeyInfo.load(spki)["public_key"])
    return hashlib.sha1(bits, usedforsecurity=False).digest()


def _ca_profile() -> list[x509.Extension]:
    return [
        _extension("basic_constraints", {"ca": True, "path_len_constraint": 0}, critical=True),
        _extension("key_usage", {"key_cert_sign", "crl_sign"}, critical=True),
    ]


def _leaf_profile(request: CertificateRequestData) -> list[x509.Extension]:
    purpose = request.key.purpose
    usage = {"digital_signature", "non_repudiation"} if purpose is KeyPurpose.SEAL else {"digital_signature"}
    further = [_FURTHER_USAGE[purpose]] if purpose in _FURTHER_USAGE else []
    extensions = [
        _extension("key_usage", usage, critical=True),
        _extension("extended_key_usage", [_USAGE[purpose], *further], critical=purpose is KeyPurpose.TSA),
    ]
    if purpose is KeyPurpose.OCSP:
        extensions.append(_extension("ocsp_no_check", None))
    if request.signing_until is not None:
        # PrivateKeyUsagePeriod has IMPLICIT tags, which a dictionary of asn1crypto does not get right for times.
        period = der.sequence(
            der.retagged(0x80, der.generalized_time(request.not_before)),
            der.retagged(0x81, der.generalized_time(request.signing_until)),
        )
        extensions.append(
            x509.Extension({"extn_id": "2.5.29.16", "extn_value": x509.PrivateKeyUsagePeriod.load(period)})
        )
    return extensions


def _addresses(request: CertificateRequestData) -> list[x509.Extension]:
    """CRL and CA certificate of the issuer; OCSP for leafs, whose issuer has a responder.

    A responder's own certificate is not to be asked about (RFC 6960 4.2.2.2.1), so it names neither CRL nor OCSP.
    """
    if not request.base_url:
        return []
    base, purpose = request.base_url, request.key.purpose
    access = [{"access_method": "ca_issuers", "access_location": _address(f"{base}/ca/{request.ca_name}")}]
    if purpose not in (KeyPurpose.CA, KeyPurpose.OCSP):
        access.insert(0, {"access_method": "ocsp", "access_location": _address(f"{base}/ocsp")})
    found = [_extension("authority_information_access", access)]
    if purpose is not KeyPurpose.OCSP:
        place = x509.DistributionPointName("full_name", [_address(f"{base}/crl/{request.ca_name}")])
        found.insert(0, _extension("crl_distribution_points", [{"distribution_point": place}]))
    return found


def _address(url: str) -> x509.GeneralName:
    return x509.GeneralName("uniform_resource_identifier", url)


def _extension(kind: str, value: object, *, critical: bool = False) -> x509.Extension:
    content = {"extn_id": kind, "extn_value": value}
    if critical:
        content["critical"] = True
    return x509.Extension(content)


def _tbs(
    signer: Signer,
    *,
    issuer: bytes,
    subject: bytes,
    spki: bytes,
    times: tuple[datetime, datetime],
    serial: int,
    extensions: list[x509.Extension],
) -> bytes:
    if serial < 1 or serial.bit_length() > 159:
        raise SigningError("a serial number is positive and has at most 20 bytes", uri=signer.handle.uri)
    if any(t.tzinfo is None for t in times) or times[0] >= times[1]:
        raise SigningError("a certificate needs two aware times in order", uri=signer.handle.uri)
    return der.sequence(
        der.tagged(0xA0, der.integer(2)),
        der.integer(serial),
        signature_identifier(signer.handle.algorithm),
        issuer,
        der.sequence(*(der.time(t) for t in times)),
        subject,
        spki,
        der.tagged(0xA3, der.sequence(*(e.dump(force=True) for e in extensions))),
    )


def _signed(signer: Signer, tbs: bytes) -> bytes:
    signature = signer.sign(ToBeSigned(tbs, KeyPurpose.CA))
    return der.sequence(tbs, signature_identifier(signer.handle.algorithm), der.tagged(0x03, b"\x00" + signature))
