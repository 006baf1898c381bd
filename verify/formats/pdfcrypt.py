"""The standard security handler (7.6.4): from a password to how each object is decrypted. Revisions 2 to 6, and
7 of ISO/TS 32003 (AES in GCM).

RC4 and MD5 are weak and are here because old files use them: what is read is not trusted for having been encrypted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verify.formats.pdflimits import PdfError, PdfPasswordError
from verify.formats.pdfobjects import ObjectCipher, is_type
from verify.formats.pdfvalues import Dictionary, Name, Text, Value

_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
_IDENTITY = b"Identity"
_LONGEST_PASSWORD = 127

Decrypt = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the encryption dictionary says, checked for shape. ``length`` of the key in bytes."""

    version: int
    revision: int
    length: int
    owner: bytes
    user: bytes
    owner_key: bytes
    user_key: bytes
    permissions: int
    metadata: bool
    file_id: bytes


class SecurityHandler:
    """Decrypts the objects of one file. Raises PdfPasswordError for a wrong password, PdfError for what is unknown."""

    def __init__(self, dictionary: Dictionary, file_id: bytes, password: str) -> None:
        if dictionary.get(b"Filter") != Name(b"Standard"):
            raise PdfPasswordError("encrypted for certificates or by an unknown handler")
        terms = _terms(dictionary, file_id)
        self.revision = terms.revision
        self.version = terms.version
        self.metadata = terms.metadata
        self._methods, self._streams, self._texts, self._files = _crypt_filters(dictionary, terms.version)
        self.key = _key(terms, password)

    def cipher(self, number: int, generation: int) -> ObjectCipher:
        """How the object's strings and stream are decrypted."""

        def stream(dictionary: Dictionary) -> Decrypt | None:
            method = self._method_of_stream(dictionary)
            return None if method == _IDENTITY else self._decrypt(method, number, generation)

        texts = self._methods.get(self._texts, _IDENTITY)
        return ObjectCipher(self._decrypt(texts, number, generation), stream)

    def _method_of_stream(self, dictionary: Dictionary) -> bytes:
        named = _crypt_filter_of(dictionary)
        if named is None and is_type(dictionary, b"Metadata") and not self.metadata:
            return _IDENTITY
        if named is None:
            named = self._files if is_type(dictionary, b"EmbeddedFile") else self._streams
        method = self._methods.get(named)
        if method is None:
            raise PdfError("encryption", "a crypt filter is not defined")
        return method

    def _decrypt(self, method: bytes, number: int, generation: int) -> Decrypt:
        if method == _IDENTITY:
            return lambda data: data
        if method == b"AESV3":
            return lambda data: _aes(self.key, data)
        if method == b"AESV4":
            return lambda data: _aes_authentic(self.key, data)
        salt = b"sAlT" if method == b"AESV2" else b""
        parts = self.key + number.to_bytes(4, "little")[:3] + generation.to_bytes(4, "little")[:2] + salt
        key = hashlib.md5(parts, usedforsecurity=False).digest()[: min(16, len(self.key) + 5)]
        return (lambda data: _aes(key, data)) if salt else (lambda data: _rc4(key, data))


def _crypt_filter_of(dictionary: Dictionary) -> bytes | None:
    """The crypt filter that a stream's own /Filter names (7.4.10), or None."""
    names, parameters = dictionary.get(b"Filter"), dictionary.get(b"DecodeParms")
    first = names[0] if isinstance(names, list) and names else names
    if first != Name(b"Crypt"):
        return None
    given = parameters[0] if isinstance(parameters, list) and parameters else parameters
    named = given.get(b"Name") if isinstance(given, dict) else None
    return bytes(named) if isinstance(named, Name) else _IDENTITY


def _crypt_filters(dictionary: Dictionary, version: int) -> tuple[dict[bytes, bytes], bytes, bytes, bytes]:
    """The method of each crypt filter by its name, and the names for streams, strings and embedded files."""
    if version < 4:
        return {b"Standard": b"V2", _IDENTITY: _IDENTITY}, b"Standard", b"Standard", b"Standard"
    methods: dict[bytes, bytes] = {}
    filters = dictionary.get(b"CF")
    for name, entry in (filters if isinstance(filters, dict) else {}).items():
        method = entry.get(b"CFM") if isinstance(entry, dict) else None
        known = isinstance(method, Name) and method in (b"V2", b"AESV2", b"AESV3", b"AESV4")
        if known:
            methods[bytes(name)] = bytes(method)  # type: ignore[arg-type]
        elif method is None or method == b"None":
            methods[bytes(name)] = _IDENTITY
    methods[_IDENTITY] = _IDENTITY
    streams, texts = _named(dictionary, b"StmF", _IDENTITY), _named(dictionary, b"StrF", _IDENTITY)
    return methods, streams, texts, _named(dictionary, b"EFF", streams)


def _named(dictionary: Dictionary, key: bytes, default: bytes) -> bytes:
    found = dictionary.get(key)
    return bytes(found) if isinstance(found, Name) else default


def _terms(dictionary: Dictionary, file_id: bytes) -> _Terms:
    version, revision = _integer(dictionary, b"V", 0), _integer(dictionary, b"R", 0)
    newest = {5: (5, 6), 6: (7,)}.get(version)
    if version not in (1, 2, 4, 5, 6) or revision not in (newest or (2, 3, 4)):
        raise PdfError("encryption", f"encryption of version {version} and revision {revision} is not known")
    size = 48 if revision >= 5 else 32
    owner, user = _octets(dictionary, b"O", size), _octets(dictionary, b"U", size)
    owner_key, user_key = b"", b""
    if revision >= 5:
        owner_key, user_key = _octets(dictionary, b"OE", 32), _octets(dictionary, b"UE", 32)
    metadata = dictionary.get(b"EncryptMetadata") is not False
    permissions = _integer(dictionary, b"P", 0) & 0xFFFFFFFF
    length = _key_length(dictionary, version)
    return _Terms(
        version, revision, length, owner, user, owner_key, user_key, permissions, metadata or version < 4, file_id
    )


def _key_length(dictionary: Dictionary, version: int) -> int:
    if version == 1:
        return 5
    if version >= 4:
        return 16 if version == 4 else 32
    bits = _integer(dictionary, b"Length", 40)
    bits = bits * 8 if bits in (5, 16) else bits
    if not 40 <= bits <= 128 or bits % 8:
        raise PdfError("encryption", "the length of the encryption key is wrong")
    return bits // 8


def _integer(dictionary: Dictionary, key: bytes, default: int) -> int:
    found: Value = dictionary.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def _octets(dictionary: Dictionary, key: bytes, size: int) -> bytes:
    found = dictionary.get(key)
    if not isinstance(found, Text) or len(found) < size:
        raise PdfError("encryption", f"the encryption entry {key.decode()} is missing or too short")
    return bytes(found[:size])


def _key(terms: _Terms, password: str) -> bytes:
    """The file's key, from the user's or the owner's password. Raises PdfPasswordError."""
    if terms.revision >= 5:
        return _new_key(terms, password)
    plain = (password.encode("latin-1", "replace") + _PADDING)[:32]
    for candidate in (plain, _user_password(terms, plain)):
        key = _old_key(terms, candidate)
        if _old_check(terms, key):
            return key
    raise PdfPasswordError


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _old_key(terms: _Terms, padded: bytes) -> bytes:
    """Algorithm 2."""
    data = padded + terms.owner + terms.permissions.to_bytes(4, "little") + terms.file_id
    if terms.revision >= 4 and not terms.metadata:
        data += b"\xff\xff\xff\xff"
    digest = _md5(data)
    if terms.revision >= 3:
        for _ in range(50):
            digest = _md5(digest[: terms.length])
    return digest[: terms.length]


def _old_check(terms: _Terms, key: bytes) -> bool:
    """Algorithms 4 to 6."""
    if terms.revision == 2:
        return _rc4(key, _PADDING) == terms.user
    digest = _md5(_PADDING + terms.file_id)
    for step in range(20):
        digest = _rc4(bytes(octet ^ step for octet in key), digest)
    return digest == terms.user[:16]


def _user_password(terms: _Terms, padded: bytes) -> bytes:
    """Algorithm 7: the user's password out of /O, if this is the owner's."""
    digest = _md5(padded)
    if terms.revision >= 3:
        for _ in range(50):
            digest = _md5(digest)
    key, found = digest[: terms.length], terms.owner
    for step in reversed(range(20 if terms.revision >= 3 else 1)):
        found = _rc4(bytes(octet ^ step for octet in key), found)
    return found


def _new_key(terms: _Terms, password: str) -> bytes:
    """Algorithm 2.A."""
    secret = _prepared(password)
    user = terms.user[:48]
    for hashed, extra, wrapped in ((terms.owner, user, terms.owner_key), (terms.user, b"", terms.user_key)):
        if _hardened(terms, secret, hashed[32:40], extra) == hashed[:32]:
            return _aes_plain(_hardened(terms, secret, hashed[40:48], extra), bytes(16), wrapped)
    raise PdfPasswordError


def _prepared(password: str) -> bytes:
    import unicodedata

    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace")[:_LONGEST_PASSWORD]


def _hardened(terms: _Terms, secret: bytes, salt: bytes, extra: bytes) -> bytes:
    """Algorithm 2.B; for revision 5, one SHA-256."""
    key = hashlib.sha256(secret + salt + extra).digest()
    if terms.revision == 5:
        return key
    step = 0
    while True:
        block = _aes_encrypt(key[:16], key[16:32], (secret + key + extra) * 64)
        key = hashlib.new(("sha256", "sha384", "sha512")[sum(block[:16]) % 3], block).digest()
        step += 1
        if step >= 64 and block[-1] <= step - 32:
            return key[:32]


def _modes() -> tuple[Any, Any, Any]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return Cipher, algorithms, modes


def _aes_encrypt(key: bytes, vector: bytes, data: bytes) -> bytes:
    cipher, algorithms, modes = _modes()
    machine = cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return bytes(machine.update(data) + machine.finalize())


def _aes_plain(key: bytes, vector: bytes, data: bytes) -> bytes:
    cipher, algorithms, modes = _modes()
    machine = cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    return bytes(machine.update(data) + machine.finalize())


def _aes(key: bytes, data: bytes) -> bytes:
    """CBC with the vector in front. A cut-off block is left out, and wrong padding kept, as viewers do."""
    vector, body = data[:16], data[16 : 16 + (len(data) - 16) // 16 * 16]
    if len(vector) < 16 or not body:
        return b""
    plain = _aes_plain(key, vector, body)
    return plain[: -plain[-1]] if 1 <= plain[-1] <= 16 else plain


def _aes_authentic(key: bytes, data: bytes) -> bytes:
    """GCM with twelve bytes of nonce in front and sixteen of tag behind (ISO/TS 32003); PdfError for other bytes."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(data[:12], data[12:], None)
    except (InvalidTag, ValueError) as error:
        raise PdfError("encryption", "what was encrypted is not what is there") from error


def _rc4(key: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    try:
        machine = Cipher(ARC4(key), mode=None).decryptor()
    except ValueError as error:
        raise PdfError("encryption", "the length of the encryption key is wrong") from error
    return machine.update(data) + machine.finalize()
