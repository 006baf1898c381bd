"""A seal signature (SES_Signature, GB/T 38540-2020) as the value of a PDF signature, or over any digest.

In a PDF /Contents holds the DER value, and dataHash is the digest, by the signer's hash, of the bytes that /ByteRange
covers (SubFilter ``GM.sm2seal``, as products in the field write it). The name of the filter is our own.
"""

from __future__ import annotations

from datetime import datetime

from signing.formats import cms
from signing.formats.eseal import make_seal_signature
from signing.formats.eseal_1 import make_seal_signature_1
from signing.formats.identifiers import DIGEST_SIZES, longest_signature
from signing.formats.pdf_signature import Stamp, Value, room_of, stamp_of
from signing.signer import Signer
from verify.formats.refusal import refuse
from verify.formats.seal import Seal, has_shape_1, unverified_seal
from verify.formats.sealvalues import SealFormatError
from verify.formats.sm2 import sm3

FILTER = b"/Type /Sig /Filter /Certvault.SES /SubFilter /GM.sm2seal"
IN_PDF = "/ByteRange"
"""What the property of a signature in a PDF says is protected."""


def check_seal(seal: bytes, certificate: bytes, at: datetime) -> Seal:
    """The seal, when this certificate may use it at that time (clause 4.2 steps 2 and 3 of the verification spec).

    Refused: a seal that cannot be read, that does not list the certificate, or that does not hold then.
    """
    try:
        read = unverified_seal(seal)
    except SealFormatError as error:
        raise refuse(
            "SEAL_FORMAT",
            "seal",
            "印章结构无法解析",
            f"the seal cannot be read: {error}",
            remedy_zh="请提供 GB/T 38540 的印章数据",
            remedy_en="give a seal structure of GB/T 38540",
        ) from error
    if not read.lists(certificate, _digest):
        raise refuse(
            "SIGNER_NOT_IN_SEAL",
            "certificate",
            "签章证书不在印章的签章者列表内",
            "the seal does not list the signer's certificate",
            remedy_zh="证书更换后须重新制作印章",
            remedy_en="a seal is made anew when its certificate changes",
        )
    if not read.valid_from <= at <= read.valid_to:
        raise refuse(
            "SEAL_VALIDITY",
            "seal",
            "印章不在有效期内",
            "the seal is not within its validity",
            remedy_zh="请换用有效的印章",
            remedy_en="use a seal that is valid now",
        )
    return read


def _digest(name: str, data: bytes) -> bytes | None:
    import hashlib

    known = name.strip().lower()
    if known in ("sm3", "1.2.156.10197.1.401"):
        return sm3(data)
    return hashlib.sha256(data).digest() if known in ("sha256", "sha-256", "2.16.840.1.101.3.4.2.1") else None


def ses_value(
    signer: Signer, certificate: bytes, seal: bytes, *, at: datetime, stamp: Stamp | None, protects: str = IN_PDF
) -> Value:
    """How the value is made for a digest. Raises SigningError when the certificate is of another key.

    A seal of version 1 (GM/T 0031-2014) gives a signature of version 1, which has no place for a timestamp.
    """
    identity = cms.SignerIdentity.of(certificate)
    cms.require_own_certificate(identity, signer)
    if has_shape_1(seal):
        return _value_1(signer, certificate, seal, at=at, protects=protects)
    hash_name = signer.handle.algorithm.hash
    over = None if stamp is None else lambda value: stamp_of(stamp, value, hash_name)

    def make(digest: bytes) -> bytes:
        return make_seal_signature(
            seal,
            data_hash=digest,
            at=at,
            property_info=protects,
            signer=signer,
            certificate=certificate,
            stamp=over,
        )

    token = 0 if stamp is None else room_of(stamp)
    fixed = len(seal) + len(certificate) + DIGEST_SIZES[hash_name] + longest_signature(signer.handle.algorithm)
    return Value(FILTER, hash_name, make, fixed + token + len(protects) + 160)


def _value_1(signer: Signer, certificate: bytes, seal: bytes, *, at: datetime, protects: str) -> Value:
    def make(digest: bytes) -> bytes:
        return make_seal_signature_1(
            seal, data_hash=digest, at=at, property_info=protects, signer=signer, certificate=certificate
        )

    hash_name = signer.handle.algorithm.hash
    fixed = len(seal) + len(certificate) + DIGEST_SIZES[hash_name] + longest_signature(signer.handle.algorithm)
    return Value(FILTER, hash_name, make, fixed + len(protects) + 160)
