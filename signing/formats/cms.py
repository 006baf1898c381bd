"""CMS SignedData (RFC 5652) with one signer, in canonical DER; under the names of GB/T 35275 as well.

Signed attributes are those of CAdES and PAdES baseline (ETSI EN 319 122-1): content-type, message-digest and
signing-certificate-v2 (RFC 5035); a signing-time only where asked for, since PAdES states it in the signature
dictionary (ETSI EN 319 142-1 5.3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from asn1crypto import x509 as asn1_x509

from signing.errors import MechanismError, SigningError
from signing.formats import der
from signing.formats.identifiers import DIGEST_SIZES, digest_identifier, longest_signature, signature_identifier
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats.algorithms import Algorithm
from verify.formats.sm2 import sm3

ID_DATA = "1.2.840.113549.1.7.1"
ID_SIGNED_DATA = "1.2.840.113549.1.7.2"
ID_TST_INFO = "1.2.840.113549.1.9.16.1.4"
ID_NATIONAL_DATA = "1.2.156.10197.6.1.4.2.1"
ID_NATIONAL_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"
_NATIONAL_SIGNATURE = der.sequence(der.oid("1.2.156.10197.1.301.1"))
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_SIGNATURE_TIMESTAMP = "1.2.840.113549.1.9.16.2.14"


@dataclass(frozen=True, slots=True)
class SignerIdentity:
    """What a SignerInfo says of its certificate, read once: usable for any number of signatures."""

    certificate: bytes
    issuer: bytes
    serial: int
    spki: bytes

    @staticmethod
    @lru_cache(maxsize=256)
    def of(certificate: bytes) -> SignerIdentity:
        """Of a certificate, DER."""
        tbs = asn1_x509.Certificate.load(certificate)["tbs_certificate"]
        spki = tbs["subject_public_key_info"].dump()
        return SignerIdentity(certificate, tbs["issuer"].dump(), tbs["serial_number"].native, spki)


def require_own_certificate(identity: SignerIdentity, signer: Signer) -> None:
    """Raise SigningError when the certificate is not that of the signer's key."""
    if identity.spki != signer.handle.spki:
        raise SigningError("the certificate belongs to another key", uri=signer.handle.uri)


def signed_attributes(
    identity: SignerIdentity,
    digest: bytes,
    *,
    content_type: str = ID_DATA,
    signing_time: datetime | None = None,
    hash_name: str = "sha256",
) -> bytes:
    """The attributes as the DER ``SET OF`` that is signed (RFC 5652 5.4).

    ``hash_name`` is the signer's; its certificate is named by SM3 under that hash, by SHA-256 under all others.
    """
    attributes = [
        _attribute(_CONTENT_TYPE, der.oid(content_type)),
        _attribute(_MESSAGE_DIGEST, der.octets(digest)),
        _attribute(_SIGNING_CERTIFICATE_V2, _signing_certificate(identity, hash_name)),
    ]
    if signing_time is not None:
        attributes.append(_attribute(_SIGNING_TIME, der.time(signing_time)))
    return der.set_of(attributes)


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.set_of([value]))


def _signing_certificate(identity: SignerIdentity, hash_name: str) -> bytes:
    """SigningCertificateV2 with one ESSCertIDv2; SHA-256 is its DEFAULT and so not written."""
    issuer = der.sequence(der.tagged(0xA4, identity.issuer))
    national = hash_name == "sm3"
    digest = sm3(identity.certificate) if national else hashlib.sha256(identity.certificate).digest()
    cert_id = der.sequence(
        digest_identifier("sm3") if national else b"",
        der.octets(digest),
        der.sequence(issuer, der.integer(identity.serial)),
    )
    return der.sequence(der.sequence(cert_id))


def signed_data(
    identity: SignerIdentity,
    signer: Signer,
    attributes: bytes,
    signature: bytes,
    *,
    certificates: tuple[bytes, ...],
    content_type: str = ID_DATA,
    content: bytes | None = None,
    timestamp: bytes | None = None,
) -> bytes:
    """The ContentInfo around a signature value; ``timestamp`` is a signature timestamp token.

    Content of the national type makes it a national SignedData, whose SignerInfo names SM2 by the key's algorithm.
    """
    algorithm = signer.handle.algorithm
    national = content_type == ID_NATIONAL_DATA
    parts = [
        der.integer(1),
        der.sequence(identity.issuer, der.integer(identity.serial)),
        digest_identifier(algorithm.hash),
        der.retagged(0xA0, attributes),
        _NATIONAL_SIGNATURE if national else signature_identifier(algorithm),
        der.octets(signature),
    ]
    if timestamp is not None:
        parts.append(der.retagged(0xA1, der.set_of([_attribute(_SIGNATURE_TIMESTAMP, timestamp)])))
    encapsulated = der.oid(content_type)
    if content is not None:
        encapsulated += der.tagged(0xA0, der.octets(content))
    distinct = dict.fromkeys(certificates)
    body = der.sequence(
        der.integer(1 if national or content_type == ID_DATA else 3),
        der.set_of([digest_identifier(algorithm.hash)]),
        der.sequence(encapsulated),
        der.retagged(0xA0, der.set_of(distinct)) if distinct else b"",
        der.set_of([der.sequence(*parts)]),
    )
    return der.sequence(der.oid(ID_NATIONAL_SIGNED_DATA if national else ID_SIGNED_DATA), der.tagged(0xA0, body))


def sign_detached(
    digest: bytes,
    *,
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    purpose: KeyPurpose = KeyPurpose.SEAL,
    signing_time: datetime | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """A detached signature over content whose digest (of the signer's hash) is given; ContentInfo as DER.

    ``stamp`` turns the signature value into a timestamp token over its hash.
    Raises PurposeError when the signer is not for ``purpose``, SigningError when the certificate is of another key.
    """
    identity = SignerIdentity.of(certificate)
    require_own_certificate(identity, signer)
    hash_name = signer.handle.algorithm.hash
    attributes = signed_attributes(identity, digest, signing_time=signing_time, hash_name=hash_name)
    signature = signer.sign(ToBeSigned(attributes, purpose))
    timestamp = None if stamp is None else stamp(signature)
    return signed_data(identity, signer, attributes, signature, certificates=(certificate, *chain), timestamp=timestamp)


def sign_national(
    digest: bytes,
    *,
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...] = (),
    content: bytes | None = None,
    purpose: KeyPurpose = KeyPurpose.SEAL,
    signing_time: datetime | None = None,
    stamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """SignedData of GB/T 35275 (DER) over content with this SM3 digest, which is plain, without ``ZA``.

    Detached, or around ``content`` where that is given. ``stamp`` turns the signature value into a timestamp token
    over its hash. Raises MechanismError for a key that is not SM2, SigningError when the certificate is of another key
    or the digest of other content, PurposeError when the signer is not for ``purpose``.
    """
    if signer.handle.algorithm is not Algorithm.SM2_SM3:
        raise MechanismError(
            f"GB/T 35275 signs with SM2, not with {signer.handle.algorithm.name}", uri=signer.handle.uri
        )
    if len(digest) != DIGEST_SIZES["sm3"] or (content is not None and sm3(content) != digest):
        raise SigningError("this is no SM3 digest of the content", uri=signer.handle.uri)
    identity = SignerIdentity.of(certificate)
    require_own_certificate(identity, signer)
    attributes = signed_attributes(
        identity, digest, content_type=ID_NATIONAL_DATA, signing_time=signing_time, hash_name="sm3"
    )
    signature = signer.sign(ToBeSigned(attributes, purpose))
    return signed_data(
        identity,
        signer,
        attributes,
        signature,
        certificates=(certificate, *chain),
        content_type=ID_NATIONAL_DATA,
        content=content,
        timestamp=None if stamp is None else stamp(signature),
    )


def longest_signed_data(
    identity: SignerIdentity, signer: Signer, *, certificates: tuple[bytes, ...], timestamp_size: int = 0
) -> int:
    """The most bytes that a detached signature of this signer takes, with a timestamp token of at most that size."""
    algorithm = signer.handle.algorithm
    attributes = signed_attributes(identity, bytes(DIGEST_SIZES[algorithm.hash]), hash_name=algorithm.hash)
    timestamp = der.tagged(0x30, bytes(timestamp_size)) if timestamp_size else None
    return len(
        signed_data(
            identity,
            signer,
            attributes,
            bytes(longest_signature(algorithm)),
            certificates=certificates,
            timestamp=timestamp,
        )
    )
