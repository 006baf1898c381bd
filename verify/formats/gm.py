"""The national algorithms and content types, made known to asn1crypto and to the validation of paths.

Importing this module registers the identifiers of SM2, SM3 and GB/T 35275; :class:`SignatureValidator` then lets
certvalidator judge chains, revocation lists and timestamps that are signed with SM2, and pyHanko judge PDFs:

    context = ValidationContext(trust_roots=[root], signature_validator=SignatureValidator())
    status = validate_pdf_signature(embedded_signature, context, context)

``CertValidationPolicySpec`` takes it under the same name for pyHanko's AdES validation. Certvalidator 0.33 forgets it
where it judges a delegated OCSP responder, so with SM2 it needs revocation lists.
"""

from __future__ import annotations

from typing import Any

from asn1crypto import algos, cms, keys, x509
from pyhanko_certvalidator.sig_validate import DEFAULT_VALIDATION_CONTEXT, DefaultSignatureValidator
from pyhanko_certvalidator.sig_validate import SignatureValidationContext as Context

from verify.formats.sm2 import sm3, verify_sm2

CURVE = "1.2.156.10197.1.301"
SM3 = "1.2.156.10197.1.401"
SM3_MISNAMED = "1.2.156.10197.1.401.2"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
SM2_SIGNATURE = "1.2.156.10197.1.301.1"
DATA, SIGNED_DATA = "1.2.156.10197.6.1.4.2.1", "1.2.156.10197.6.1.4.2.2"
SM2_NAMES = frozenset({"sm2_sm3", "sm2_sign"})


def _register() -> None:
    """Add the identifiers to asn1crypto's maps. They are class attributes, meant to be extended in this way."""
    _add(algos.DigestAlgorithmId, {SM3: "sm3", SM3_MISNAMED: "sm3_hmac"})
    _add(algos.SignedDigestAlgorithmId, {SM2_WITH_SM3: "sm2_sm3", SM2_SIGNATURE: "sm2_sign"})
    _add(cms.ContentType, {DATA: "gm_data", SIGNED_DATA: "gm_signed_data"})
    cms.ContentInfo._oid_specs["gm_signed_data"] = cms.SignedData
    keys.NamedCurve.register("sm2p256v1", CURVE, 32)
    # OCSP answers name issuers by a digest, which certvalidator asks names and keys for as an attribute
    x509.Name.sm3 = property(lambda name: sm3(name.dump()))
    keys.PublicKeyInfo.sm3 = property(lambda key: sm3(bytes(key["public_key"])))


def _add(kind: Any, names: dict[str, str]) -> None:
    kind._map.update(names)
    reverse = getattr(kind, "_reverse_map", None)
    if reverse is not None:
        reverse.update({name: oid for oid, name in names.items()})


_register()


class SignatureValidator(DefaultSignatureValidator):
    """Certvalidator's own, and SM2 beside it."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: Context = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Check one signature. Raises what its base class raises: InvalidSignature or AlgorithmNotSupported.

        The latter also for a mere digest of the data: what SM2 signs begins with the signer's identity.
        """
        from cryptography.exceptions import InvalidSignature
        from pyhanko_certvalidator.errors import AlgorithmNotSupported

        from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError

        if str(signature_algorithm["algorithm"].native) not in SM2_NAMES:
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
            return
        if context.prehashed:
            raise AlgorithmNotSupported("SM2 over a digest that was made without the signer's identity")
        try:
            verify_sm2(signature, signed_data, public_key_info.dump())
        except BadSignatureError as error:
            raise InvalidSignature(str(error)) from error
        except UnsupportedKeyError as error:
            raise AlgorithmNotSupported(str(error)) from error
