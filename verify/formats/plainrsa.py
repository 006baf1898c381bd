"""Signatures of SubFilter adbe.x509.rsa_sha1 (ISO 32000-2 12.8.3.2): a bare RSA value in an OCTET STRING.

They are given the shape of a CMS value without attributes, so that everything behind judges them alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from verify.formats.ber import BerError, definite
from verify.formats.cms import CmsError, UnverifiedCms, check_signature
from verify.formats.publickeys import BadSignatureError

_HASHES = ("sha1", "sha256", "sha384", "sha512", "ripemd160", "md5")
"""Table 260 names those from SHA-1 on; the oldest producers used MD5."""


def check_plain_rsa(value: bytes, content: bytes, certificates: Iterable[Any]) -> UnverifiedCms:
    """Check the value over ``content``; the first of ``certificates`` is the signer's.

    Raises CmsError, BadSignatureError or UnsupportedKeyError.
    """
    given = tuple(certificates)
    if not given:
        raise CmsError("the signature names no certificate")
    signature = _octets(value)
    for name in _HASHES:
        cms = _as_cms(value, signature, given, name)
        try:
            return check_signature(cms, content, "data")
        except BadSignatureError:
            continue
        except CmsError:  # a hash that is not there
            continue
    raise BadSignatureError("RSA")


def unverified_plain_rsa(value: bytes, certificates: Iterable[Any]) -> UnverifiedCms | None:
    """The same in shape, before it was checked; None when there is nothing to shape."""
    given = tuple(certificates)
    try:
        return _as_cms(value, _octets(value), given, "sha1") if given else None
    except CmsError:
        return None


def _octets(value: bytes) -> bytes:
    from asn1crypto import core

    try:
        return bytes(core.OctetString.load(definite(value)[0], strict=True).native)
    except (BerError, ValueError, TypeError) as error:
        raise CmsError("it is no octet string") from error


def _as_cms(value: bytes, signature: bytes, certificates: tuple[Any, ...], name: str) -> UnverifiedCms:
    from asn1crypto import algos, cms

    signer = certificates[0]
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {
                    "issuer_and_serial_number": cms.IssuerAndSerialNumber(
                        {"issuer": signer.issuer, "serial_number": signer.serial_number}
                    )
                }
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha1" if name == "ripemd160" else name}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "rsassa_pkcs1v15"}),
            "signature": signature,
        }
    )
    return UnverifiedCms(
        der=value,
        signed_data=None,
        signer_info=info,
        candidates=(signer,),
        certificates=certificates,
        digest_name=name,
        content_type="data",
        content=None,
        attributes={},
        attributes_der=b"",
        tokens=(),
    )
