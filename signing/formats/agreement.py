"""Signing agreements on recognition: a JWS in general serialization, first by the accepting region, then the other."""

from __future__ import annotations

from signing.errors import PurposeError
from signing.formats.jose import compact_json, signed_payload
from signing.keys import KeyPurpose
from signing.signer import Signer
from verify.formats.agreement import JWS_TYPE, Agreement, AgreementError, unverified_agreement
from verify.formats.jose import strict_object

MAX_SIGNATURES = 4


def sign_agreement(agreement: Agreement, *, signer: Signer, chain: tuple[bytes, ...]) -> bytes:
    """The agreement with one signature. ``chain`` begins with the certificate of the signer's key.

    Raises PurposeError for a key of another purpose than trust lists.
    """
    body, signature = _signature(agreement, signer, chain)
    return compact_json({"payload": body, "signatures": [signature]})


def countersign(signed: bytes, *, signer: Signer, chain: tuple[bytes, ...]) -> bytes:
    """A signed agreement with one signature more, over the same payload; those that are there stay as they are.

    Raises AgreementError for bytes that are no signed agreement, or have signatures enough; PurposeError.
    """
    read = unverified_agreement(signed)
    value = strict_object(signed, "agreement")
    if len(read.signatures) >= MAX_SIGNATURES:
        raise AgreementError("it has signatures enough")
    body, signature = _signature(read.agreement, signer, chain)
    if body != value["payload"]:
        raise AgreementError("its payload is written in another way")
    return compact_json({"payload": body, "signatures": [*value["signatures"], signature]})


def _signature(agreement: Agreement, signer: Signer, chain: tuple[bytes, ...]) -> tuple[str, dict[str, str]]:
    if signer.handle.purpose is not KeyPurpose.TRUST_LIST:
        raise PurposeError(f"a {signer.handle.purpose.value} key signs no agreements", uri=signer.handle.uri)
    token = signed_payload({"typ": JWS_TYPE}, agreement.payload(), signer=signer, chain=chain)
    protected, body, signature = token.split(".")
    return body, {"protected": protected, "signature": signature}
