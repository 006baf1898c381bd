"""The libcrypto that Python itself is linked with, asked for the one thing that ``cryptography`` does not offer: SM2.

Python's ``hashlib`` is a binding of libcrypto, so looking names up through that extension finds the library which the
system keeps patched, and no second copy of it is loaded. Only public-key operations are declared here.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import lru_cache

_OLDEST = 0x30000000
_POINTER, _SIZE, _INT, _BYTES = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p
_FUNCTIONS = {
    "OpenSSL_version_num": (ctypes.c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "d2i_PUBKEY": (_POINTER, (_POINTER, ctypes.POINTER(_BYTES), ctypes.c_long)),
    "EVP_PKEY_free": (None, (_POINTER,)),
    "EVP_PKEY_is_a": (_INT, (_POINTER, _BYTES)),
    "EVP_PKEY_CTX_new": (_POINTER, (_POINTER, _POINTER)),
    "EVP_PKEY_CTX_free": (None, (_POINTER,)),
    "EVP_PKEY_verify_init": (_INT, (_POINTER,)),
    "EVP_PKEY_verify": (_INT, (_POINTER, _BYTES, _SIZE, _BYTES, _SIZE)),
}


class LibcryptoMissingError(Exception):
    """No libcrypto of version 3 or later can be reached from this Python."""


@lru_cache(maxsize=1)
def libcrypto() -> ctypes.CDLL:
    """The library with its argument types declared. Raises LibcryptoMissingError."""
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError):
            continue
        if library.OpenSSL_version_num() >= _OLDEST:
            return library
    raise LibcryptoMissingError("no libcrypto 3 is linked with Python or installed")


def _candidates() -> list[str]:
    import _hashlib

    linked = getattr(_hashlib, "__file__", None)
    return [path for path in (linked, ctypes.util.find_library("crypto")) if path]
