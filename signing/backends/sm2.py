"""SM2 private keys by the libcrypto that Python is linked with: ``cryptography`` has none.

A key is a handle inside libcrypto. Its plaintext encoding is made for one purpose, to be encrypted into a key file, and
wiped afterwards; see :mod:`signing.backends.pkcs8`.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import lru_cache
from typing import Any

from signing.errors import MechanismError, SigningError
from verify.formats.libcrypto import LibcryptoMissingError, libcrypto
from verify.formats.sm2 import der_of, message_digest, point_of_spki

_POINTER, _SIZE, _INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_OUT = ctypes.POINTER(ctypes.c_void_p)
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "EVP_PKEY_CTX_new_from_name": (_POINTER, (_POINTER, ctypes.c_char_p, ctypes.c_char_p)),
    "EVP_PKEY_keygen_init": (_INT, (_POINTER,)),
    "EVP_PKEY_generate": (_INT, (_POINTER, _OUT)),
    "EVP_PKEY_sign_init": (_INT, (_POINTER,)),
    "EVP_PKEY_sign": (_INT, (_POINTER, ctypes.c_char_p, ctypes.POINTER(_SIZE), ctypes.c_char_p, _SIZE)),
    "i2d_PUBKEY": (_INT, (_POINTER, _OUT)),
    "EVP_PKEY2PKCS8": (_POINTER, (_POINTER,)),
    "i2d_PKCS8_PRIV_KEY_INFO": (_INT, (_POINTER, _OUT)),
    "PKCS8_PRIV_KEY_INFO_free": (None, (_POINTER,)),
    "d2i_AutoPrivateKey": (_POINTER, (_POINTER, ctypes.POINTER(ctypes.c_char_p), ctypes.c_long)),
    "CRYPTO_clear_free": (None, (_POINTER, _SIZE, ctypes.c_char_p, _INT)),
}


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    library = libcrypto()
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Sm2PrivateKey:
    """An SM2 key pair. Thread-safe: each signature has a context of its own."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        weakref.finalize(self, _library().EVP_PKEY_free, handle)
        self.spki = _encoded(handle, _library().i2d_PUBKEY, secret=False)
        self._point = point_of_spki(self.spki)

    @classmethod
    def generate(cls, uri: str) -> Sm2PrivateKey:
        """A fresh key. Raises MechanismError where libcrypto offers no SM2."""
        library = _offered(uri)
        context = library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        handle = _POINTER()
        try:
            made = context and library.EVP_PKEY_keygen_init(context) == 1
            if not made or library.EVP_PKEY_generate(context, ctypes.byref(handle)) != 1 or not handle.value:
                raise MechanismError("this libcrypto makes no SM2 keys", uri=uri)
        finally:
            library.EVP_PKEY_CTX_free(context)
            library.ERR_clear_error()
        return cls(handle.value)

    @classmethod
    def load(cls, pkcs8: bytes, uri: str) -> Sm2PrivateKey:
        """A key from plaintext PKCS#8 (DER). Raises SigningError when it is no SM2 key."""
        library = _offered(uri)
        handle = library.d2i_AutoPrivateKey(None, ctypes.byref(ctypes.c_char_p(pkcs8)), len(pkcs8))
        library.ERR_clear_error()
        if not handle or library.EVP_PKEY_is_a(handle, b"SM2") != 1:
            library.EVP_PKEY_free(handle)
            raise SigningError("the key file holds no SM2 key", uri=uri)
        return cls(handle)

    def pkcs8(self) -> bytes:
        """Plaintext PKCS#8 (DER), for the envelope of a key file alone."""
        library = _library()
        info = library.EVP_PKEY2PKCS8(self._handle)
        try:
            return _encoded(info, library.i2d_PKCS8_PRIV_KEY_INFO, secret=True)
        finally:
            library.PKCS8_PRIV_KEY_INFO_free(info)

    def sign(self, message: bytes, uri: str) -> bytes:
        """The signature value over ``message`` under the default identity, DER."""
        return self.sign_digest(message_digest(self._point, message), uri)

    def sign_digest(self, digest: bytes, uri: str) -> bytes:
        """The signature value over ``e`` of GB/T 32918.2, 32 bytes, DER."""
        library = _library()
        context = library.EVP_PKEY_CTX_new(self._handle, None)
        value, size = ctypes.create_string_buffer(80), _SIZE(80)
        try:
            ready = context and library.EVP_PKEY_sign_init(context) == 1
            if not ready or library.EVP_PKEY_sign(context, value, ctypes.byref(size), digest, len(digest)) != 1:
                raise SigningError("libcrypto gave no SM2 signature", uri=uri)
        finally:
            library.EVP_PKEY_CTX_free(context)
            library.ERR_clear_error()
        return der_of(value.raw[: size.value])


def _offered(uri: str) -> ctypes.CDLL:
    try:
        return _library()
    except (LibcryptoMissingError, AttributeError) as error:
        raise MechanismError(f"no SM2 here: {error}", uri=uri) from error


def _encoded(handle: int, encode: Any, *, secret: bool) -> bytes:
    """What an ``i2d`` function writes; libcrypto's own copy is wiped when it is secret."""
    library = _library()
    place = _POINTER()
    size = encode(handle, ctypes.byref(place))
    if size <= 0 or not place.value:
        raise SigningError("libcrypto cannot encode the key", uri="")
    try:
        return ctypes.string_at(place.value, size)
    finally:
        library.CRYPTO_clear_free(place, size if secret else 0, b"", 0)
