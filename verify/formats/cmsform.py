"""Is a CMS value written in the one way in which certvault writes it?

What a signature does not cover (versions, the list of hashes, the signer's name, unsigned attributes) must follow
from what it does cover; then no bit of the value can be changed without notice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from verify.formats.cms import UnverifiedCms
from verify.formats.der import NotDerError, require_der, wrap

_NULL = b"\x05\x00"
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_HASH_OIDS = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sm3": "1.2.156.10197.1.401",
}
_SM2_WITH_SM3 = "1.2.156.10197.1.501"


def canonical_fault(cms: UnverifiedCms, *, is_token: bool) -> str | None:
    """What is not written in the one canonical way, or None. ``is_token``: a timestamp token, else a detached value."""
    try:
        require_der(cms.der)
    except NotDerError as error:
        return str(error)
    try:
        return _fault(cms, is_token)
    except (RecursionError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - asn1crypto reads late, and broken certificates make it throw many types
        return "a certificate cannot be read"


def _fault(cms: UnverifiedCms, is_token: bool) -> str | None:
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
        (not _is_plain_value(cms), "the signature value is not encoded canonically"),
        (not _unsigned_as_expected(info, is_token), "it holds unexpected unsigned attributes"),
        (_rebuilt(cms) != cms.der, "it holds elements that belong nowhere"),
    )
    return next((reason for wrong, reason in faults if wrong), None)


def _is_plain_value(cms: UnverifiedCms) -> bool:
    """Whether an elliptic signature is in DER: a lenient reader would take r and s side by side as well."""
    if cms.signer.public_key["algorithm"]["algorithm"].dotted != "1.2.840.10045.2.1":
        return True
    try:
        require_der(cms.signature)
    except NotDerError:
        return False
    return cms.signature[:1] == b"\x30"


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
    """The encodings of SHA-2 hashes and SM3, parameters absent or NULL (RFC 5754 2)."""
    return frozenset(_identifier(oid, tail) for oid in _HASH_OIDS.values() for tail in (b"", _NULL))


def is_canonical_algorithm(algorithm: Any, digest_name: str | None = None) -> bool:
    """Whether a signature algorithm is one of ours, canonically encoded, with the hash ``digest_name`` if given."""
    names = (digest_name,) if digest_name else tuple(_HASH_OIDS)
    return any(algorithm.dump() in _signature_algorithms(name) for name in names if name in _HASH_OIDS)


@lru_cache(maxsize=4)
def _signature_algorithms(name: str) -> frozenset[bytes]:
    """ECDSA, RSA PKCS#1 v1.5 and PSS with one hash throughout, or SM2 with SM3, in their encodings."""
    if name == "sm3":
        return frozenset((_identifier(_SM2_WITH_SM3),))
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
