"""Electronic seals and seal signatures, version 4 (GB/T 38540-2020 6.1 and 7.1), in strict DER.

The seal maker's key signs ``SES_SealInfo``, the signer's key signs ``TBS_Sign``; certificates and algorithms stand
beside what is signed. Reading is in :mod:`verify.formats.seal`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from signing.errors import SigningError
from signing.formats import der
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned
from verify.formats.algorithms import Algorithm
from verify.formats.sm2 import sm3

VERSION = 4
_SIGNATURES = {
    Algorithm.SM2_SM3: "1.2.156.10197.1.501",
    Algorithm.ECDSA_P256_SHA256: "1.2.840.10045.4.3.2",
    Algorithm.RSA_PKCS1_SHA256: "1.2.840.113549.1.1.11",
}
_MOST = 2**31
_SM3 = "1.2.156.10197.1.401"


@dataclass(frozen=True, slots=True)
class SealPicture:
    """A seal's picture: ``kind`` as the standard names it (``PNG``, ``SVG``), size in whole millimetres."""

    kind: str
    data: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True)
class SealData:
    """What a seal says.

    ``seal_id`` has 14 digits, six of region and eight of serial; ``kind`` is the business's number; ``signers`` are the
    certificates (DER) that may use it, listed by their SM3 digests when ``by_digest``. Times are aware.
    """

    seal_id: str
    name: str
    kind: int
    vendor: str
    signers: tuple[bytes, ...]
    created: datetime
    valid_from: datetime
    valid_to: datetime
    picture: SealPicture
    by_digest: bool = False


def make_seal(data: SealData, signer: Signer, certificate: bytes) -> bytes:
    """SES_Seal (DER), signed by the seal maker, whose certificate this is.

    Raises SigningError for data that the structure cannot hold.
    """
    check_data(data, signer)
    info = der.sequence(
        der.sequence(ia5("ES"), der.integer(VERSION), ia5(data.vendor)),
        ia5(data.seal_id),
        _properties(data),
        picture_of(data.picture),
    )
    value = signer.sign(ToBeSigned(info, KeyPurpose.SEAL_MAKER))
    return der.sequence(info, der.octets(certificate), algorithm_of(signer), bits(value))


def make_seal_signature(
    seal: bytes,
    *,
    data_hash: bytes,
    at: datetime,
    property_info: str,
    signer: Signer,
    certificate: bytes,
    stamp: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """SES_Signature (DER) over data whose digest, by the signer's hash, is ``data_hash``.

    ``property_info`` names what is protected, in ASCII. ``stamp`` turns the signature value into a timestamp token
    (DER) over its hash; without it there is none.
    """
    signed = der.sequence(der.integer(VERSION), seal, der.generalized_time(at), bits(data_hash), ia5(property_info))
    value = signer.sign(ToBeSigned(signed, KeyPurpose.SEAL))
    parts = [signed, der.octets(certificate), algorithm_of(signer), bits(value)]
    if stamp is not None:
        parts.append(der.tagged(0xA0, bits(stamp(value))))
    return der.sequence(*parts)


def check_data(data: SealData, signer: Signer) -> None:
    """Raise SigningError for data that no seal can hold."""
    if not data.signers or not data.created <= data.valid_to or not data.valid_from < data.valid_to:
        raise SigningError("a seal needs signers and a time in which it holds", uri=signer.handle.uri)
    if not 0 <= data.kind < _MOST or not all(0 < n < _MOST for n in (data.picture.width_mm, data.picture.height_mm)):
        raise SigningError("a seal's kind and its picture's size are numbers of a likely size", uri=signer.handle.uri)


def _properties(data: SealData) -> bytes:
    if data.by_digest:
        oid = der.tagged(0x13, _SM3.encode("ascii"))
        listed = [der.sequence(oid, der.octets(sm3(certificate))) for certificate in data.signers]
    else:
        listed = [der.octets(certificate) for certificate in data.signers]
    return der.sequence(
        der.integer(data.kind),
        der.tagged(0x0C, data.name.encode()),
        der.integer(2 if data.by_digest else 1),
        der.sequence(*listed),
        *(der.generalized_time(moment) for moment in (data.created, data.valid_from, data.valid_to)),
    )


def picture_of(picture: SealPicture) -> bytes:
    """SES_ESPictrueInfo."""
    return der.sequence(
        ia5(picture.kind), der.octets(picture.data), der.integer(picture.width_mm), der.integer(picture.height_mm)
    )


def algorithm_of(signer: Signer) -> bytes:
    """The identifier of the algorithm with which ``signer`` signs."""
    known = _SIGNATURES.get(signer.handle.algorithm)
    if known is None:
        raise SigningError(f"seals are not signed with {signer.handle.algorithm.name}", uri=signer.handle.uri)
    return der.oid(known)


def ia5(text: str) -> bytes:
    """IA5String of printable characters."""
    if not text.isascii() or not text.isprintable():
        raise SigningError(f"{text!r} has characters outside ASCII")
    return der.tagged(0x16, text.encode("ascii"))


def bits(content: bytes) -> bytes:
    """BIT STRING of whole bytes."""
    return der.tagged(0x03, b"\0" + content)
