"""Signature checking for pyHanko's certvalidator by our own arithmetic: one set of algorithms everywhere."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.errors import AlgorithmNotSupported
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    SignatureValidationContext,
    SignatureValidator,
)

from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_x509


class CheckedHere(SignatureValidator):
    """Asks :func:`verify.formats.publickeys.verify_x509`, and remembers what held."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Raises InvalidSignature or AlgorithmNotSupported."""
        _check(bytes(signature), bytes(signed_data), public_key_info.dump(), signature_algorithm.dump())


@lru_cache(maxsize=2048)
def _check(signature: bytes, signed: bytes, spki: bytes, algorithm: bytes) -> None:
    from asn1crypto import algos, keys

    try:
        verify_x509(signature, signed, keys.PublicKeyInfo.load(spki), algos.SignedDigestAlgorithm.load(algorithm))
    except BadSignatureError as error:
        raise InvalidSignature from error
    except UnsupportedKeyError as error:
        raise AlgorithmNotSupported(str(error)) from error
