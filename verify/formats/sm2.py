"""SM2 signatures over SM3 (GB/T 32918.2, GM/T 0009): reading values and keys, and checking them.

The digest that SM2 signs depends on key and identity (``ZA``), so it is made here; the arithmetic is libcrypto's.
Values are written in DER by us and read in DER or as raw ``r || s``, which devices return.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import lru_cache

from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError

DEFAULT_IDENTITY = b"1234567812345678"
"""The identity that certificates, CRLs, CMS and seals are signed under (GM/T 0009)."""

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
_GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""SubjectPublicKeyInfo up to the point: id-ecPublicKey with sm2p256v1."""


def sm3(data: bytes) -> bytes:
    """The SM3 digest (GB/T 32905), 32 bytes."""
    from cryptography.hazmat.primitives.hashes import SM3, Hash

    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize()


def point_of_spki(spki: bytes) -> bytes:
    """The 65 bytes ``04 || x || y`` of an SM2 SubjectPublicKeyInfo. Raises UnsupportedKeyError for anything else."""
    if not spki.startswith(_SPKI):
        raise UnsupportedKeyError("the key is not on sm2p256v1")
    return checked_point(spki[len(_SPKI) :])


def spki_of_point(point: bytes) -> bytes:
    """SubjectPublicKeyInfo in DER of a point ``04 || x || y``."""
    return _SPKI + checked_point(point)


def checked_point(point: bytes) -> bytes:
    """The point itself when it lies on the curve, uncompressed. Raises UnsupportedKeyError otherwise."""
    if len(point) != 65 or point[0] != 4:
        raise UnsupportedKeyError("the point is not uncompressed")
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if x >= P or y >= P or (y * y - (x * x * x + A * x + B)) % P:
        raise UnsupportedKeyError("the point is not on the curve")
    return point


def identity_digest(point: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """``ZA`` of GB/T 32918.2 5.5. ``identity`` has at most 8191 bytes."""
    bits = 8 * len(identity)
    if bits > 0xFFFF:
        raise ValueError("the identity is too long")
    curve = b"".join(number.to_bytes(32, "big") for number in (A, B, _GX, _GY))
    return sm3(bits.to_bytes(2, "big") + identity + curve + point[1:])


def message_digest(point: bytes, message: bytes, identity: bytes = DEFAULT_IDENTITY) -> bytes:
    """``e = SM3(ZA || M)``, what is signed."""
    return sm3(_cached_identity_digest(point, identity) + message)


@lru_cache(maxsize=1024)
def _cached_identity_digest(point: bytes, identity: bytes) -> bytes:
    return identity_digest(point, identity)


def der_of(signature: bytes) -> bytes:
    """A signature value as DER, whether it came in DER or as 64 raw bytes. Raises BadSignatureError.

    Refused are other lengths, numbers outside 1..n-1, ``r + s`` divisible by n, and DER with longer forms or a tail.
    """
    numbers = _raw(signature) if len(signature) == 64 and signature[:1] != b"\x30" else _numbers(signature)
    if numbers is None and len(signature) == 64:
        numbers = _raw(signature)
    if numbers is None:
        raise BadSignatureError("SM2: the value is neither DER nor 64 bytes")
    r, s = numbers
    if not (0 < r < N and 0 < s < N) or (r + s) % N == 0:
        raise BadSignatureError("SM2: a number is out of range")
    return written(r, s)


def der_of_raw(signature: bytes) -> bytes:
    """The DER of 64 bytes ``r || s``, the one form in which JOSE and COSE carry it here. Raises BadSignatureError."""
    if len(signature) != 64:
        raise BadSignatureError("SM2: the value has not 64 bytes")
    return der_of(written(*_raw(signature)))


def written(r: int, s: int) -> bytes:
    """``SEQUENCE { r INTEGER, s INTEGER }`` in DER (GM/T 0009 7.3)."""
    body = b"".join(_integer(number) for number in (r, s))
    return bytes((0x30, len(body))) + body


def raw_of(signature: bytes) -> bytes:
    """A signature value as 64 bytes ``r || s``, from either form. Raises BadSignatureError."""
    r, s = _numbers(der_of(signature)) or (0, 0)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _integer(number: int) -> bytes:
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((2, len(content))) + content


def _raw(signature: bytes) -> tuple[int, int]:
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def _numbers(der: bytes) -> tuple[int, int] | None:
    """The two numbers of a DER value; None when it is not the one DER encoding of two non-negative numbers."""
    if len(der) < 8 or len(der) > 72 or der[0] != 0x30 or der[1] != len(der) - 2 or der[2] != 2:
        return None
    middle = 4 + der[3]
    if middle + 2 > len(der) or der[middle] != 2 or middle + 2 + der[middle + 1] != len(der):
        return None
    r = int.from_bytes(der[4:middle], "big", signed=True)
    s = int.from_bytes(der[middle + 2 :], "big", signed=True)
    return (r, s) if min(r, s) >= 0 and written(r, s) == der else None


def verify_sm2(signature: bytes, message: bytes, spki: bytes, identity: bytes = DEFAULT_IDENTITY) -> None:
    """Check an SM2 signature over ``message``. Raises BadSignatureError or UnsupportedKeyError."""
    point = point_of_spki(spki)
    verify_digest(signature, message_digest(point, message, identity), spki)


def verify_digest(signature: bytes, digest: bytes, spki: bytes) -> None:
    """Check an SM2 signature over ``e``, 32 bytes. Raises BadSignatureError or UnsupportedKeyError."""
    key = _public_key(spki)
    value = der_of(signature)
    library = key.library
    context = library.EVP_PKEY_CTX_new(key.handle, None)
    try:
        if not context or library.EVP_PKEY_verify_init(context) != 1:
            raise UnsupportedKeyError("SM2: this libcrypto has it not")
        good = library.EVP_PKEY_verify(context, value, len(value), digest, len(digest)) == 1
    finally:
        library.EVP_PKEY_CTX_free(context)
        library.ERR_clear_error()
    if not good:
        raise BadSignatureError("SM2")


class _PublicKey:
    """A public key inside libcrypto, which several threads may use at once."""

    def __init__(self, spki: bytes) -> None:
        from verify.formats.libcrypto import LibcryptoMissingError, libcrypto

        point_of_spki(spki)
        try:
            self.library = libcrypto()
        except LibcryptoMissingError as error:
            raise UnsupportedKeyError("SM2: " + str(error)) from error
        self.handle = self.library.d2i_PUBKEY(None, ctypes.byref(ctypes.c_char_p(spki)), len(spki))
        weakref.finalize(self, self.library.EVP_PKEY_free, self.handle)
        if not self.handle or self.library.EVP_PKEY_is_a(self.handle, b"SM2") != 1:
            self.library.ERR_clear_error()
            raise UnsupportedKeyError("SM2: this libcrypto has it not")


@lru_cache(maxsize=256)
def _public_key(spki: bytes) -> _PublicKey:
    return _PublicKey(spki)
