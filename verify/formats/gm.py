"""The national algorithms and content types, made known to asn1crypto and to the validation of paths.

Importing this module registers the identifiers of SM2, SM3 and GB/T 35275; :class:`SignatureValidator` then lets
certvalidator judge chains, revocation lists and timestamps that are signed with SM2.
"""

from __future__ import annotations

from typing import Any

from asn1crypto import algos, cms, keys
from pyhanko_certvalidator.sig_validate import DEFAULT_VALIDATION_CONTEXT, DefaultSignatureValidator
from pyhanko_certvalidator.sig_validate import SignatureValidationContext as Context

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
        """Check one signature. Raises what its base class raises: InvalidSignature or AlgorithmNotSupported."""
        from cryptography.exceptions import InvalidSignature
        from pyhanko_certvalidator.errors import AlgorithmNotSupported

        from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
        from verify.formats.sm2 import verify_digest, verify_sm2

        if str(signature_algorithm["algorithm"].native) not in SM2_NAMES:
            super().validate_signature(signature, signed_data, public_key_info, signature_algorithm, context)
            return
        check = verify_digest if context.prehashed else verify_sm2
        try:
            check(signature, signed_data, public_key_info.dump())
        except BadSignatureError as error:
            raise InvalidSignature(str(error)) from error
        except UnsupportedKeyError as error:
            raise AlgorithmNotSupported(str(error)) from error
