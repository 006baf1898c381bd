"""Reading CMS SignedData (RFC 5652, GB/T 35275) as PDFs and timestamps carry it, leniently, for anybody's files.

Whether a value is written in the one way in which certvault writes it is asked by :mod:`verify.formats.cmsform`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from verify.formats.ber import BerError, definite, sorted_set
from verify.formats.certificates import once
from verify.formats.keyinfo import key_bits
from verify.formats.publickeys import BadSignatureError, verify_x509
from verify.formats.schemes import UnknownHashError, digest_of, hash_name, hash_of

_ATTRIBUTES = {
    "1.2.840.113549.1.9.3": "content_type",
    "1.2.840.113549.1.9.4": "message_digest",
    "1.2.840.113549.1.9.5": "signing_time",
    "1.2.840.113549.1.9.52": "cms_algorithm_protection",
    "1.2.840.113549.1.9.16.2.12": "signing_certificate",
    "1.2.840.113549.1.9.16.2.47": "signing_certificate_v2",
    "1.2.840.113549.1.9.16.2.15": "signature_policy_identifier",
    "1.2.840.113549.1.9.16.2.16": "commitment_type",
    "1.2.840.113549.1.9.16.2.17": "signer_location",
    "1.2.840.113549.1.9.16.2.18": "signer_attributes",
    "0.4.0.19122.1.1": "signer_attributes_v2",
    "1.2.840.113549.1.9.16.2.20": "content_time_stamp",
    "1.2.840.113583.1.1.8": "revocation_info_archival",
}
"""Our names of signed attributes, by object identifier: readers name them differently."""
_SINGLE = set(_ATTRIBUTES.values()) - {
    "content_time_stamp",
    "revocation_info_archival",
    "signer_attributes",
    "commitment_type",
}
"""Attributes that stand once and have exactly one value (RFC 5652 11, ETSI EN 319 122-1 5)."""
_NATIONAL = "1.2.156.10197.6.1.4.2.2"
_SIGNED_DATA = frozenset(("1.2.840.113549.1.7.2", _NATIONAL))
"""SignedData of RFC 5652 and of GB/T 35275, which is PKCS#7's under another name."""
_NATIONAL_DATA = "1.2.156.10197.6.1.4.2.1"
_DATA = frozenset(("data", "gm_data"))
"""Content that is just bytes, under either name; signers of GB/T 35275 mix the two."""
_TIMESTAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an object identifier


class CmsError(ValueError):
    """The bytes are no SignedData with exactly one signer. The message says why."""


class CmsSignerError(CmsError):
    """The signer's certificate is neither inside nor among those known."""


class CmsDigestError(Exception):
    """The signed digest is not that of the content."""


class CmsAttributeError(Exception):
    """A signed attribute is missing or contradicts the rest. The message says which."""


@dataclass(frozen=True, slots=True)
class UnverifiedCms:
    """A SignedData with one signer. ``signer`` and ``certificates`` are asn1crypto values, ``der`` the exact bytes.

    ``candidates`` are all certificates that the signer's name fits; ``attributes`` go by the names in this module.
    """

    der: bytes
    signed_data: Any
    signer_info: Any
    candidates: tuple[Any, ...]
    certificates: tuple[Any, ...]
    digest_name: str
    content_type: str
    content: bytes | None
    attributes: dict[str, Any]
    attributes_der: bytes
    tokens: tuple[bytes, ...]
    national: bool = False
    """Whether it is a SignedData of GB/T 35275."""

    @property
    def signer(self) -> Any:
        """The signer's certificate; of several that the name fits, the one that is itself signed."""
        return self.candidates[0]

    @property
    def signature(self) -> bytes:
        """The raw signature value."""
        return bytes(self.signer_info["signature"].native)

    @property
    def claimed_time(self) -> datetime | None:
        """The signing time that the signer states, if any that can be read."""
        try:
            value = self.attributes["signing_time"][0].native
        except Exception:  # noqa: BLE001 - asn1crypto's lazy parsing raises a dozen types; absent, too
            return None
        return as_utc(value) if isinstance(value, datetime) else None

    @property
    def has_signing_certificate(self) -> bool:
        """Whether the signer's certificate is itself signed (RFC 5035)."""
        return "signing_certificate_v2" in self.attributes or "signing_certificate" in self.attributes

    @property
    def signature_hash(self) -> str:
        """The hash that the signature value rests on."""
        try:
            return hash_of(self.signer_info["signature_algorithm"], self.digest_name)
        except Exception:  # noqa: BLE001 - parameters that cannot be read name no hash
            return self.digest_name


def as_utc(moment: datetime) -> datetime:
    """The instant in UTC; one without a zone is read as UTC, one outside the calendar as its end."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return datetime(1, 1, 1, tzinfo=UTC) if moment.year == 1 else datetime(9999, 12, 31, tzinfo=UTC)


def unverified_cms(der: bytes, known: Callable[[], Iterable[Any]] = tuple) -> UnverifiedCms:
    """Read a ContentInfo that holds SignedData, in DER or BER. Raises CmsError.

    ``known`` gives certificates from elsewhere, asked when the signer's is not inside.
    """
    try:
        return _read(der, known)
    except CmsSignerError:
        raise
    except CmsError as error:
        try:
            again, _ = definite(der)
        except BerError:
            raise error from None
        if again == der:
            raise
        return _read(again, known)


def _read(der: bytes, known: Callable[[], Iterable[Any]]) -> UnverifiedCms:
    from asn1crypto import cms, tsp

    _ = tsp  # its import names the attributes and content types of timestamps
    if der[1:2] == b"\x80":
        raise CmsError("its length is not definite")
    try:
        info = cms.ContentInfo.load(der)
        data = _signed_data(info)
        if len(data["signer_infos"]) != 1:
            raise CmsError(f"it has {len(data['signer_infos'])} signers")
        signer_info = data["signer_infos"][0]
        # as written: asn1crypto encodes anew what it has looked into, when that was not in DER
        attributes_der = signer_info["signed_attrs"].dump() if signer_info["signed_attrs"] else b""
        certificates = tuple(once(c.chosen) for c in data["certificates"] if c.name == "certificate")
        for certificate in certificates:
            _ = certificate.serial_number, certificate.subject.dump()
        attributes = _attributes(signer_info)
        return UnverifiedCms(
            der=der,
            signed_data=data,
            signer_info=signer_info,
            candidates=_find_signer(signer_info["sid"], certificates, attributes, known),
            certificates=certificates,
            digest_name=hash_name(signer_info["digest_algorithm"]),
            content_type=_type_name(data["encap_content_info"]["content_type"]),
            content=_content(data),
            attributes=attributes,
            attributes_der=attributes_der,
            tokens=_tokens(signer_info),
            national=info["content_type"].dotted == _NATIONAL,
        )
    except (CmsError, RecursionError, MemoryError):
        raise
    except Exception as error:  # asn1crypto's lazy parsing raises a dozen types
        raise CmsError(f"{type(error).__name__} while reading it") from error


def _signed_data(info: Any) -> Any:
    from asn1crypto import cms

    if info["content_type"].dotted not in _SIGNED_DATA:
        raise CmsError("it is no SignedData")
    content = info["content"]
    return content if isinstance(content, cms.SignedData) else content.parse(cms.SignedData)


def _type_name(content_type: Any) -> str:
    return "gm_data" if content_type.dotted == _NATIONAL_DATA else str(content_type.native)


def _find_signer(
    sid: Any, inside: tuple[Any, ...], attributes: dict[str, Any], known: Callable[[], Iterable[Any]]
) -> tuple[Any, ...]:
    """Certificates that the signer's name fits, the one that is itself signed first (RFC 5652 5.3, RFC 5035)."""
    for source in (lambda: inside, known):
        certificates = tuple(c for c in source() if _is_readable(c))
        found = [c for c in certificates if _fits(sid, c, exactly=True)]
        found = found or [c for c in certificates if _fits(sid, c, exactly=False)]
        signed = [c for c in found or certificates if _is_named(attributes, c)]
        if found or signed:
            return tuple(signed + [c for c in found if c not in signed])
    raise CmsSignerError("the signer's certificate is not inside")


def _is_readable(certificate: Any) -> bool:
    """Whether key, times and extensions can be read: the parser looks at each only when asked for it."""
    try:
        _ = key_bits(certificate.public_key.dump()), certificate.key_identifier, certificate.ca
        _ = certificate.not_valid_before.year, certificate.not_valid_after.year
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - asn1crypto's lazy parsing raises a dozen types
        return False
    return True


def _fits(sid: Any, certificate: Any, *, exactly: bool) -> bool:
    """RFC 5652 5.3. ``exactly``: the name as written; else as RFC 5280 7.1 compares it, which costs milliseconds."""
    if sid.name == "issuer_and_serial_number":
        if certificate.serial_number != sid.chosen["serial_number"].native:
            return False
        issuer = sid.chosen["issuer"]
        return bool(certificate.issuer.dump() == issuer.dump() or (not exactly and certificate.issuer == issuer))
    wanted = sid.chosen.native
    return bool(certificate.key_identifier == wanted or _key_digest(certificate) == wanted)


def _key_digest(certificate: Any) -> bytes:
    """The key number that RFC 5280 4.2.1.2 suggests where a certificate states none."""
    return digest_of("sha1", key_bits(certificate.public_key.dump()))


def _is_named(attributes: dict[str, Any], certificate: Any) -> bool:
    """Whether the signed attributes name this very certificate by its digest."""
    if "signing_certificate_v2" not in attributes and "signing_certificate" not in attributes:
        return False
    try:
        return _signing_certificate_fault(attributes, certificate) is None
    except Exception:  # noqa: BLE001 - an attribute that cannot be read names nobody
        return False


def _content(data: Any) -> bytes | None:
    content = data["encap_content_info"]["content"]
    if not content.dump():
        return None
    return bytes(content.native) if isinstance(content.native, bytes) else bytes(content.contents)


def _attributes(signer_info: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for attribute in signer_info["signed_attrs"] if signer_info["signed_attrs"] else ():
        oid = str(attribute["type"].dotted)
        name = _ATTRIBUTES.get(oid, oid)
        if name in found and (name in _SINGLE or name == oid):
            raise CmsError(f"the signed attribute {name} stands twice")
        if len(attribute["values"]) != 1 and name in _SINGLE:
            raise CmsError(f"the signed attribute {name} has {len(attribute['values'])} values")
        found[name] = attribute["values"]
    return found


def _tokens(signer_info: Any) -> tuple[bytes, ...]:
    tokens: list[bytes] = []
    for attribute in signer_info["unsigned_attrs"] if signer_info["unsigned_attrs"] else ():
        if attribute["type"].dotted == _TIMESTAMP_TOKEN:
            tokens.extend(value.dump() for value in attribute["values"])
    return tuple(tokens)


def hash_by_name(name: str, data: bytes) -> bytes:
    """Digest ``data`` under one of our names of a hash. Raises CmsError for one that is not known."""
    try:
        return digest_of(name, data)
    except UnknownHashError as error:
        raise CmsError(f"the hash {name} is not known") from error


def check_signature(cms: UnverifiedCms, content: bytes | None, expected_type: str) -> UnverifiedCms:
    """Check the signature over ``content``; the value itself, its signer the one whose key made it.

    A SignedData of GB/T 35275 may hold the digest of ``content`` as its own and sign that, as some makers do.
    ``content`` None: it is not at hand, and what the attributes say of it is left open.
    Raises CmsDigestError, CmsAttributeError, BadSignatureError, UnsupportedKeyError, or CmsError for an unknown hash.
    """
    if content is None and not cms.attributes_der:
        raise CmsError("it has no attributes, and its data are not at hand")
    if cms.national and content is not None and cms.content is not None and cms.content != content:
        if cms.content != hash_by_name(cms.digest_name, content):
            raise CmsDigestError
        content = cms.content
    if cms.attributes_der:
        _check_attributes(cms, expected_type)
        digest = None if content is None else hash_by_name(cms.digest_name, content)
        if digest not in (None, cms.attributes["message_digest"][0].native):
            raise CmsDigestError
    failure: Exception = BadSignatureError("no certificate")
    for signer in cms.candidates:
        try:
            _check_value(cms, content, signer)
        except BadSignatureError as error:
            failure = error
            continue
        others = tuple(c for c in cms.candidates if c is not signer)
        return cms if signer is cms.signer else _with(cms, (signer, *others))
    raise failure


def _with(cms: UnverifiedCms, candidates: tuple[Any, ...]) -> UnverifiedCms:
    from dataclasses import replace

    return replace(cms, candidates=candidates)


def _check_value(cms: UnverifiedCms, content: bytes | None, signer: Any) -> None:
    """The value over the attributes as DER (RFC 5652 5.4); some signers hash them as they wrote them, unsorted.

    Either way all the same attributes are signed, so both are accepted.
    """
    algorithm, name = cms.signer_info["signature_algorithm"], cms.digest_name
    if not cms.attributes_der:
        verify_x509(cms.signature, content or b"", signer.public_key, algorithm, name)
        return
    written = b"\x31" + cms.attributes_der[1:]
    try:
        verify_x509(cms.signature, written, signer.public_key, algorithm, name)
    except BadSignatureError:
        ordered = _ordered(written)
        if ordered == written:
            raise
        verify_x509(cms.signature, ordered, signer.public_key, algorithm, name)


def _ordered(attributes: bytes) -> bytes:
    try:
        return sorted_set(definite(attributes)[0])
    except BerError as error:
        raise BadSignatureError("signed attributes") from error


def _check_attributes(cms: UnverifiedCms, expected_type: str) -> None:
    for name in ("content_type", "message_digest"):
        if name not in cms.attributes or len(cms.attributes[name]) != 1:
            raise CmsAttributeError(f"{name} is missing or repeated")
    stated = _type_name(cms.attributes["content_type"][0])
    if stated != expected_type and not {stated, expected_type} <= _DATA:
        raise CmsAttributeError("content_type is not that of the content")
    protection = cms.attributes.get("cms_algorithm_protection")
    if protection is not None and not _protects(cms, protection[0]):
        raise CmsAttributeError("cms_algorithm_protection names other algorithms")
    fault = _signing_certificate_fault(cms.attributes, cms.signer)
    if fault is not None:
        raise CmsAttributeError(fault)


def _protects(cms: UnverifiedCms, stated: Any) -> bool:
    """RFC 6211 2: digest and signature algorithm must be the signer's, parameters too, but NULL may be absent."""

    def plain(algorithm: Any) -> tuple[str, bytes]:
        parameters = algorithm["parameters"].dump() if algorithm["parameters"] is not None else b""
        return str(algorithm["algorithm"].dotted), b"" if parameters == b"\x05\x00" else parameters

    info = cms.signer_info
    if stated["signature_algorithm"].native is None or stated["mac_algorithm"].native is not None:
        return False
    return plain(stated["digest_algorithm"]) == plain(info["digest_algorithm"]) and plain(
        stated["signature_algorithm"]
    ) == plain(info["signature_algorithm"])


def _signing_certificate_fault(attributes: dict[str, Any], signer: Any) -> str | None:
    """What contradicts the certificate in the attributes of RFC 5035; each that is there must name it."""
    der = signer.dump()
    if "signing_certificate_v2" in attributes:
        first = attributes["signing_certificate_v2"][0]["certs"][0]
        if hash_by_name(hash_name(first["hash_algorithm"]), der) != first["cert_hash"].native:
            return "signing_certificate_v2 names another certificate"
    if "signing_certificate" in attributes:
        first = attributes["signing_certificate"][0]["certs"][0]
        if hashlib.sha1(der, usedforsecurity=False).digest() != first["cert_hash"].native:
            return "signing_certificate names another certificate"
    return None
