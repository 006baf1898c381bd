"""A seal signature (SES_Signature) as the value of a PDF signature: its form, its value, the digest of what it covers.

It is recognised by what it is, whatever /SubFilter says. It is given the shape of a CMS value without attributes, so
that byte ranges, later changes, chains and times are judged by the same rules; what only a seal has is judged in
:mod:`verify.checks.sealjudge`.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from verify.checks.chain import load_lenient
from verify.checks.sealsteps import document_hash
from verify.errors import UnreadableError
from verify.formats import gm
from verify.formats.cms import UnverifiedCms
from verify.formats.der import NotDerError, require_der
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_x509
from verify.formats.schemes import digest_of
from verify.formats.seal import SealSignature, unverified_seal_signature
from verify.formats.sealvalues import SealFormatError

if TYPE_CHECKING:
    from verify.checks.signature import SignatureView
    from verify.inquiry import Inquiry

_MOST_CERTIFICATES = 100
_MISSPELT = {"1.2.156.10197.501": gm.SM2_WITH_SM3}


def check_seal_value(inquiry: Inquiry, view: SignatureView, value: bytes, covered: bytes) -> None:
    """Judge the signature's own integrity; ``view`` keeps what was read. Raises UnreadableError."""
    try:
        read = unverified_seal_signature(value)
    except (SealFormatError, RecursionError) as error:
        raise UnreadableError("SEAL_FORMAT") from error
    hash_name = document_hash(read.algorithm)
    if hash_name is None:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=read.algorithm)
    signer = load_lenient(read.signer)
    if signer is None:
        raise UnreadableError("SEAL_FORMAT")
    view.ses, view.cms = read, _as_cms(read, value, signer, hash_name)
    view.ses_digest = digest_of(hash_name, covered)
    if not hmac.compare_digest(view.ses_digest, read.data_hash):
        inquiry.report("DIGEST_MISMATCH", where=view.where)
    try:
        verify_x509(read.signature, read.covered, signer.public_key, view.cms.signer_info["signature_algorithm"])
    except BadSignatureError:
        inquiry.report("SIGNATURE_WRONG", where=view.where)
    except UnsupportedKeyError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=str(error)) from error


def seal_fault(read: SealSignature, value: bytes) -> str | None:
    """Why the same seal signature could have been written otherwise, or None.

    Version 4 signs neither the signer's certificate nor the algorithm's name; the seal, which is signed, lists the one
    byte by byte, and the other has one spelling.
    """
    try:
        require_der(value)
        signer = load_lenient(read.signer)
        if signer is not None and signer.public_key.algorithm == "ec":
            require_der(read.signature)
    except NotDerError as error:
        return str(error)
    if read.signer not in read.seal.certificates:
        return "the signer's certificate is not signed"
    return "the algorithm is not canonical" if read.algorithm in _MISSPELT else None


def _as_cms(read: SealSignature, value: bytes, signer: Any, hash_name: str) -> UnverifiedCms:
    from asn1crypto import algos, cms, core

    listed = [load_lenient(der) for der in (read.seal.maker, *read.seal.certificates[:_MOST_CERTIFICATES])]
    named = cms.IssuerAndSerialNumber({"issuer": signer.issuer, "serial_number": signer.serial_number})
    algorithm = _MISSPELT.get(read.algorithm, read.algorithm)
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": named}),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": hash_name}),
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": algorithm}),
            "signature": read.signature,
        }
    )
    attributes: dict[str, Any] = {"message_digest": [core.OctetString(read.data_hash)]}
    if read.time is not None:
        attributes["signing_time"] = [core.GeneralizedTime(read.time)]
    return UnverifiedCms(
        der=value,
        signed_data=None,
        signer_info=info,
        candidates=(signer,),
        certificates=(signer, *(c for c in listed if c is not None)),
        digest_name=hash_name,
        content_type="data",
        content=None,
        attributes=attributes,
        attributes_der=b"",
        tokens=() if read.timestamp is None else (read.timestamp,),
    )
