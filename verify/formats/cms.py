"""Reading CMS SignedData (RFC 5652) as PDFs and timestamps carry it.

``unverified_cms`` reads leniently, for anybody's files. ``canonical_fault`` says whether the value is written in the
one way in which certvault writes it, field by field: what a signature does not cover (versions, the list of hashes,
the signer's name, unsigned attributes) must then follow from what it does cover.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from verify.formats.der import NotDerError, require_der, wrap
from verify.formats.publickeys import verify_x509

_NULL = b"\x05\x00"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_SINGLE = {
    "content_type", "message_digest", "signing_time", "signing_certificate", "signing_certificate_v2",
    "cms_algorithm_protection", "signer_attributes_v2", "signature_policy_identifier", "commitment_type",
}  # fmt: skip
"""Attributes that have exactly one value (RFC 5652 11, ETSI EN 319 122-1 5)."""
_HASH_OIDS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


class CmsError(ValueError):
    """The bytes are no SignedData with exactly one signer whose certificate is inside. The message says why."""


class CmsDigestError(Exception):
    """The signed digest is not that of the content."""


class CmsAttributeError(Exception):
    """A signed attribute is missing or contradicts the rest. The message says which."""


@dataclass(frozen=True, slots=True)
class UnverifiedCms:
    """A SignedData with one signer. ``signer`` and ``certificates`` are asn1crypto values, ``der`` the exact bytes."""

    der: bytes
    signed_data: Any
    signer_info: Any
    signer: Any
    certificates: tuple[Any, ...]
    digest_name: str
    content_type: str
    content: bytes | None
    attributes: dict[str, Any]
    attributes_der: bytes
    tokens: tuple[bytes, ...]

    @property
    def signature(self) -> bytes:
        """The raw signature value."""
        return bytes(self.signer_info["signature"].native)

    @property
    def claimed_time(self) -> datetime | None:
        """The signing time that the signer states, if any."""
        value = self.attributes.get("signing_time")
        return value[0].native if value is not None else None

    @property
    def has_signing_certificate(self) -> bool:
        """Whether the signer's certificate is itself signed (RFC 5035)."""
        return "signing_certificate_v2" in self.attributes or "signing_certificate" in self.attributes


def unverified_cms(der: bytes) -> UnverifiedCms:
    """Read a ContentInfo that holds SignedData. Raises CmsError."""
    from asn1crypto import cms, tsp

    _ = tsp  # its import names the attributes and content types of timestamps
    try:
        info = cms.ContentInfo.load(der)
        if info["content_type"].native != "signed_data":
            raise CmsError("it is no SignedData")
        data = info["content"]
        if len(data["signer_infos"]) != 1:
            raise CmsError(f"it has {len(data['signer_infos'])} signers")
        signer_info = data["signer_infos"][0]
        # as written: asn1crypto encodes anew what it has looked into, when that was not in DER
        attributes_der = signer_info["signed_attrs"].dump() if signer_info["signed_attrs"] else b""
        certificates = tuple(c.chosen for c in data["certificates"] if c.name == "certificate")
        for certificate in certificates:
            _ = certificate.serial_number, certificate.subject.dump()
        return UnverifiedCms(
            der=der,
            signed_data=data,
            signer_info=signer_info,
            signer=_find_signer(signer_info["sid"], certificates),
            certificates=certificates,
            digest_name=str(signer_info["digest_algorithm"]["algorithm"].native),
            content_type=str(data["encap_content_info"]["content_type"].native),
            content=_content(data),
            attributes=_attributes(signer_info),
            attributes_der=attributes_der,
            tokens=_tokens(signer_info),
        )
    except CmsError:
        raise
    except RecursionError:
        raise
    except Exception as error:  # asn1crypto's lazy parsing raises a dozen types
        raise CmsError(f"{type(error).__name__} while reading it") from error


def _find_signer(sid: Any, certificates: tuple[Any, ...]) -> Any:
    if sid.name == "issuer_and_serial_number":
        issuer, serial = sid.chosen["issuer"], sid.chosen["serial_number"].native
        found = [c for c in certificates if c.serial_number == serial and c.issuer == issuer]
    else:
        found = [c for c in certificates if c.key_identifier == sid.chosen.native]
    if not found:
        raise CmsError("the signer's certificate is not inside")
    return found[0]


def _content(data: Any) -> bytes | None:
    content = data["encap_content_info"]["content"]
    return bytes(content.contents) if content.dump() else None


def _attributes(signer_info: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in signer_info["signed_attrs"] if signer_info["signed_attrs"] else ():
        name = str(attribute["type"].native)
        if name in found:
            raise CmsError(f"the signed attribute {name} stands twice")
        if len(attribute["values"]) != 1 and name in _SINGLE:
            raise CmsError(f"the signed attribute {name} has {len(attribute['values'])} values")
        found[name] = attribute["values"]
    return found


def _tokens(signer_info: Any) -> tuple[bytes, ...]:
    tokens: list[bytes] = []
    for attribute in signer_info["unsigned_attrs"] if signer_info["unsigned_attrs"] else ():
        if attribute["type"].native == "signature_time_stamp_token":
            tokens.extend(value.dump() for value in attribute["values"])
    return tuple(tokens)


def hash_by_name(name: str, data: bytes) -> bytes:
    """Digest ``data`` under asn1crypto's name of a hash. Raises CmsError for one that is not known."""
    if name in ("shake256", "shake256_len"):
        return hashlib.shake_256(data).digest(64)  # RFC 8702, RFC 8419: 512 bits
    try:
        return hashlib.new(name.replace("-", "_") if name.startswith("sha3") else name, data).digest()
    except (ValueError, TypeError) as error:
        raise CmsError(f"the hash {name} is not known") from error


def check_signature(cms: UnverifiedCms, digest: bytes, expected_type: str) -> None:
    """Check the signature over content whose digest under ``cms.digest_name`` is ``digest``.

    Raises CmsDigestError, CmsAttributeError, BadSignatureError or UnsupportedKeyError.
    """
    info = cms.signer_info
    if not info["signed_attrs"]:
        verify_x509(
            cms.signature, digest, cms.signer.public_key, info["signature_algorithm"], cms.digest_name, prehashed=True
        )
        return
    _check_attributes(cms, expected_type)
    if cms.attributes["message_digest"][0].native != digest:
        raise CmsDigestError
    verify_x509(
        cms.signature,
        b"\x31" + cms.attributes_der[1:],
        cms.signer.public_key,
        info["signature_algorithm"],
        cms.digest_name,
    )


def _check_attributes(cms: UnverifiedCms, expected_type: str) -> None:
    for name in ("content_type", "message_digest"):
        if name not in cms.attributes or len(cms.attributes[name]) != 1:
            raise CmsAttributeError(f"{name} is missing or repeated")
    if cms.attributes["content_type"][0].native != expected_type:
        raise CmsAttributeError("content_type is not that of the content")
    protection = cms.attributes.get("cms_algorithm_protection")
    if protection is not None:
        stated = protection[0]["digest_algorithm"]["algorithm"].native, protection[0]["signature_algorithm"].native
        actual = cms.digest_name, cms.signer_info["signature_algorithm"].native
        if stated[0] != actual[0] or (stated[1] or {}).get("algorithm") != actual[1]["algorithm"]:
            raise CmsAttributeError("cms_algorithm_protection names other algorithms")
    _check_signing_certificate(cms)


def _check_signing_certificate(cms: UnverifiedCms) -> None:
    der = cms.signer.dump()
    if "signing_certificate_v2" in cms.attributes:
        first = cms.attributes["signing_certificate_v2"][0]["certs"][0]
        name = first["hash_algorithm"]["algorithm"].native
        if hash_by_name(name, der) != first["cert_hash"].native:
            raise CmsAttributeError("signing_certificate_v2 names another certificate")
    elif "signing_certificate" in cms.attributes:
        first = cms.attributes["signing_certificate"][0]["certs"][0]
        if hashlib.sha1(der, usedforsecurity=False).digest() != first["cert_hash"].native:
            raise CmsAttributeError("signing_certificate names another certificate")


def canonical_fault(cms: UnverifiedCms, *, is_token: bool) -> str | None:
    """What is not written in the one canonical way, or None. ``is_token``: a timestamp token, else a detached value."""
    try:
        require_der(cms.der)
    except NotDerError as error:
        return str(error)
    data, info = cms.signed_data, cms.signer_info
    digest_der = info["digest_algorithm"].dump()
    faults = (
        (data["version"].native != ("v3" if is_token else "v1"), "the version does not follow from the content"),
        ([a.dump() for a in data["digest_algorithms"]] != [digest_der], "the list of hashes is not the signer's"),
        (digest_der not in canonical_digest_algorithms(), "the hash is not named canonically"),
        (any(c.name != "certificate" for c in data["certificates"]), "it holds something other than certificates"),
        (len({c.dump() for c in cms.certificates}) != len(cms.certificates), "a certificate stands twice"),
        (bool(data["crls"]), "it holds revocation lists"),
        (cms.content_type != ("tst_info" if is_token else "data"), "the content is of another type"),
        (is_token is (cms.content is None), "the content is not where it belongs"),
        (info["version"].native != "v1", "the signer's version is wrong"),
        (not _names_exactly(info["sid"], cms.signer), "the signer is not named as in the certificate"),
        (not is_canonical_algorithm(info["signature_algorithm"], cms.digest_name), "the algorithm is not canonical"),
        (not cms.has_signing_certificate, "the signer's certificate is not signed"),
        (not _unsigned_as_expected(info, is_token), "it holds unexpected unsigned attributes"),
        (_rebuilt(cms) != cms.der, "it holds elements that belong nowhere"),
    )
    return next((reason for wrong, reason in faults if wrong), None)


def _names_exactly(sid: Any, signer: Any) -> bool:
    return bool(
        sid.name == "issuer_and_serial_number"
        and sid.chosen["issuer"].dump() == signer.issuer.dump()
        and sid.chosen["serial_number"].dump() == signer["tbs_certificate"]["serial_number"].dump()
    )


def _unsigned_as_expected(info: Any, is_token: bool) -> bool:
    unsigned = info["unsigned_attrs"]
    if not unsigned:
        return True
    return (
        not is_token
        and len(unsigned) == 1
        and unsigned[0]["type"].native == "signature_time_stamp_token"
        and len(unsigned[0]["values"]) == 1
    )


def _rebuilt(cms: UnverifiedCms) -> bytes:
    """The value built anew from the parts that were read and checked, and from nothing else."""
    data, info = cms.signed_data, cms.signer_info
    unsigned = [wrap(0x30, a["type"].dump(), wrap(0x31, *cms.tokens)) for a in info["unsigned_attrs"] or ()]
    signer = wrap(
        0x30,
        *(info[k].dump() for k in ("version", "sid", "digest_algorithm")),
        cms.attributes_der,
        info["signature_algorithm"].dump(),
        wrap(0x04, cms.signature),
        wrap(0xA1, *unsigned) if unsigned else b"",
    )
    encapsulated = wrap(
        0x30,
        data["encap_content_info"]["content_type"].dump(),
        wrap(0xA0, wrap(0x04, cms.content)) if cms.content is not None else b"",
    )
    signed = wrap(
        0x30,
        data["version"].dump(),
        data["digest_algorithms"].dump(),
        encapsulated,
        wrap(0xA0, *(c.dump() for c in cms.certificates)),
        wrap(0x31, signer),
    )
    return wrap(0x30, _SIGNED_DATA, wrap(0xA0, signed))


@lru_cache(maxsize=1)
def canonical_digest_algorithms() -> frozenset[bytes]:
    """The encodings of SHA-2 hashes, parameters absent or NULL (RFC 5754 2)."""
    return frozenset(_identifier(oid, tail) for oid in _HASH_OIDS.values() for tail in (b"", _NULL))


def is_canonical_algorithm(algorithm: Any, digest_name: str | None = None) -> bool:
    """Whether a signature algorithm is one of ours, canonically encoded, with the hash ``digest_name`` if given."""
    names = (digest_name,) if digest_name else tuple(_HASH_OIDS)
    return any(algorithm.dump() in _signature_algorithms(name) for name in names if name in _HASH_OIDS)


@lru_cache(maxsize=4)
def _signature_algorithms(name: str) -> frozenset[bytes]:
    """ECDSA, RSA PKCS#1 v1.5 and PSS with one hash throughout, in their encodings."""
    ecdsa = {"sha256": "1.2.840.10045.4.3.2", "sha384": "1.2.840.10045.4.3.3", "sha512": "1.2.840.10045.4.3.4"}
    rsa = {"sha256": "11", "sha384": "12", "sha512": "13"}
    return frozenset(
        (
            _identifier(ecdsa[name]),
            _identifier(f"1.2.840.113549.1.1.{rsa[name]}", _NULL),
            _identifier("1.2.840.113549.1.1.1", _NULL),
            *(_identifier("1.2.840.113549.1.1.10", _pss(name, tail)) for tail in (b"", _NULL)),
        )
    )


def _pss(name: str, tail: bytes) -> bytes:
    """RSASSA-PSS-params (RFC 4055 3.1): one hash, a salt of its length, the default trailer left out."""
    from asn1crypto import core

    digest = _identifier(_HASH_OIDS[name], tail)
    mask = _identifier("1.2.840.113549.1.1.8", digest)
    salt = core.Integer(int(name[3:]) // 8).dump()
    return wrap(0x30, wrap(0xA0, digest), wrap(0xA1, mask), wrap(0xA2, salt))


def _identifier(oid: str, tail: bytes = b"") -> bytes:
    """An AlgorithmIdentifier with these parameters."""
    from asn1crypto import core

    return wrap(0x30, core.ObjectIdentifier(oid).dump() + tail)
