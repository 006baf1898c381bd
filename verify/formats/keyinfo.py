"""Reading public keys (RFC 5280 4.1.2.7), unusual ones too: RSA under other names, curves little known or spelt out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from verify.formats.curves import Curve, CurveError, CurveKey, explicit_curve, named_curve, point_of

_RSA = {"1.2.840.113549.1.1.1", "1.2.840.113549.1.1.7", "1.2.840.113549.1.1.10", "2.5.8.1.1"}
_EC = "1.2.840.10045.2.1"
_LEAST_RSA_BITS, _MOST_RSA_BITS, _MOST_EXPONENT_BITS = 512, 16_384, 256


class UnsupportedKeyError(Exception):
    """A key or algorithm that cannot be checked here. The message names it."""


@lru_cache(maxsize=256)
def load_key(spki: bytes) -> Any:
    """The key of a SubjectPublicKeyInfo: of ``cryptography``, or a CurveKey. Raises UnsupportedKeyError."""
    from asn1crypto import keys
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        return _bounded(serialization.load_der_public_key(spki))
    except (ValueError, UnsupportedAlgorithm, TypeError):
        pass
    try:
        info = keys.PublicKeyInfo.load(spki)
        oid = str(info["algorithm"]["algorithm"].dotted)
        if oid in _RSA:
            return _rsa(bytes(info["public_key"].contents)[1:])
        if oid == _EC:
            return _elliptic(info)
    except UnsupportedKeyError:
        raise
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # asn1crypto's lazy parsing raises a dozen types
        raise UnsupportedKeyError(f"a key that cannot be read ({type(error).__name__})") from error
    raise UnsupportedKeyError(f"a key of kind {oid}")


def key_bits(spki: bytes) -> bytes:
    """The bits of subjectPublicKey, over which key identifiers are made (RFC 5280 4.2.1.2, RFC 6960 4.1.1).

    Without the parser's typed view, which knows few kinds of keys and is spoilt by meeting another. Raises ValueError.
    """
    from asn1crypto import parser

    _, _, _, _, content, _ = parser.parse(spki)
    size = parser.peek(content)
    _, _, tag, _, bits, _ = parser.parse(content[size:], strict=True)
    if tag != 3 or not bits:
        raise ValueError("no SubjectPublicKeyInfo")
    return bytes(bits[1:])


def key_strength(spki: bytes) -> tuple[str, int]:
    """Kind (``RSA``, ``DSA``, ``EC`` or another name) and bits of a key. Raises UnsupportedKeyError."""
    key = load_key(spki)
    if isinstance(key, CurveKey):
        return "EC", key.curve.n.bit_length()
    kind = {"RSA": "RSA", "DSA": "DSA", "Ell": "EC"}.get(type(key).__name__[:3], "")
    curve = getattr(key, "curve", None)
    return kind or type(key).__name__.removesuffix("PublicKey"), int(getattr(curve or key, "key_size", 256))


def _rsa(encoded: bytes) -> Any:
    from asn1crypto import keys
    from cryptography.hazmat.primitives.asymmetric import rsa

    found = keys.RSAPublicKey.load(encoded)
    n, e = found["modulus"].native, found["public_exponent"].native
    if n < 0:  # written without the zero that says it is positive
        n += 1 << 8 * len(found["modulus"].contents)
    return _bounded(rsa.RSAPublicNumbers(e, n).public_key())


def _bounded(key: Any) -> Any:
    """The key itself unless it is an RSA one too short to mean anything or so long that checking it takes seconds."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        if not _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS or exponent.bit_length() > _MOST_EXPONENT_BITS:
            raise UnsupportedKeyError(f"RSA with {key.key_size} bits")
    return key


def _elliptic(info: Any) -> Any:
    encoded = bytes(info["public_key"].contents)[1:]
    parameters = info["algorithm"]["parameters"]
    try:
        if parameters.name == "specified":
            return _key(explicit_curve(parameters.chosen), encoded)
        oid = parameters.chosen.dotted if parameters.name == "named" else "?"
        curve = named_curve(oid)
    except CurveError as error:
        raise UnsupportedKeyError(f"EC: {error}") from error
    if curve is None:
        raise UnsupportedKeyError(f"EC on the curve {oid}")
    return _key(curve, encoded)


def _key(curve: Curve, encoded: bytes) -> CurveKey:
    try:
        return CurveKey(curve, *point_of(curve, encoded))
    except CurveError as error:
        raise UnsupportedKeyError(f"EC: {error}") from error
