"""Encrypted key files: PKCS#8 under PBES2 with scrypt (RFC 7914) and AES-256-CBC, which OpenSSL reads too.

``cryptography`` writes PBKDF2 with 2,048 rounds, which a stolen file does not withstand for long, so the envelope is
built here.
"""

from __future__ import annotations

import base64
import os

from asn1crypto import core
from asn1crypto import pem as asn1_pem
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from signing.backends.sm2 import Sm2PrivateKey
from signing.backends.software import PrivateKey
from signing.errors import PinError, SigningError

# 16 MiB and about 0.2 s a guess; more memory would exceed what OpenSSL's own reader allows.
_N, _R, _P = 2**14, 8, 5

_PBES2 = "1.2.840.113549.1.5.13"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
_AES256_CBC = "2.16.840.1.101.3.4.1.42"
_SECRET_MAGIC = b"certvault wrapping key 1\n"


class _ScryptParams(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012
        ("salt", core.OctetString),
        ("n", core.Integer),
        ("r", core.Integer),
        ("p", core.Integer),
    ]


class _ScryptAlgorithm(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", core.ObjectIdentifier), ("parameters", _ScryptParams)]  # noqa: RUF012


class _Cipher(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", core.ObjectIdentifier), ("parameters", core.OctetString)]  # noqa: RUF012


class _Pbes2Params(core.Sequence):  # type: ignore[misc]
    _fields = [("kdf", _ScryptAlgorithm), ("cipher", _Cipher)]  # noqa: RUF012


class _Pbes2(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", core.ObjectIdentifier), ("parameters", _Pbes2Params)]  # noqa: RUF012


class _EncryptedPrivateKeyInfo(core.Sequence):  # type: ignore[misc]
    _fields = [("algorithm", _Pbes2), ("data", core.OctetString)]  # noqa: RUF012


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode())


def seal_private_key(key: PrivateKey, passphrase: str) -> bytes:
    """The key as PEM ``ENCRYPTED PRIVATE KEY``."""
    plain = plain_pkcs8(key)
    salt, iv = os.urandom(16), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(_stretch(passphrase, salt)), modes.CBC(iv)).encryptor()
    data = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
    kdf = {"algorithm": _SCRYPT, "parameters": {"salt": salt, "n": _N, "r": _R, "p": _P}}
    pbes2 = {"kdf": kdf, "cipher": {"algorithm": _AES256_CBC, "parameters": iv}}
    info = _EncryptedPrivateKeyInfo({"algorithm": {"algorithm": _PBES2, "parameters": pbes2}, "data": data})
    return pem("ENCRYPTED PRIVATE KEY", info.dump())


def plain_pkcs8(key: PrivateKey) -> bytes:
    """The key in the clear, DER: only ever to be encrypted by the caller."""
    if isinstance(key, Sm2PrivateKey):
        return key.pkcs8()
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_pkcs8(plain: bytes, uri: str) -> PrivateKey:
    """The inverse of :func:`plain_pkcs8`."""
    try:
        key = serialization.load_der_private_key(plain, None)
    except UnsupportedAlgorithm:
        return Sm2PrivateKey.load(plain, uri)
    except (ValueError, TypeError) as error:
        raise SigningError("this is no private key", uri=uri) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SigningError("this is a kind of key that is not used here", uri=uri)
    return key


def unpadded(plain: bytes) -> bytes:
    """A DER value without the up to seven zeros that SoftHSM leaves behind it when it wraps a key."""
    head = plain[:4]
    if len(head) < 4 or head[0] != 0x30:
        return plain
    size = 2 + head[1]
    if head[1] in (0x81, 0x82):
        size = 2 + (head[1] & 0x7F) + int.from_bytes(head[2 : 2 + (head[1] & 0x7F)], "big")
    return plain[:size] if len(plain) - size < 8 and not any(plain[size:]) else plain


def open_private_key(data: bytes, passphrase: str, uri: str) -> PrivateKey:
    """Read a PEM ``ENCRYPTED PRIVATE KEY``; PinError for a wrong passphrase, SigningError for other faults."""
    if b"BEGIN ENCRYPTED PRIVATE KEY" not in data:
        raise SigningError("the key file is not encrypted PKCS#8", uri=uri)
    try:
        key = serialization.load_pem_private_key(data, passphrase.encode())
    except UnsupportedAlgorithm:
        return Sm2PrivateKey.load(_opened(data, passphrase, uri), uri)
    except (ValueError, TypeError) as error:
        raise PinError("the passphrase does not open the key file", uri=uri) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise SigningError("the key file holds a kind of key that is not used here", uri=uri)
    return key


def _opened(data: bytes, passphrase: str, uri: str) -> bytes:
    """The plaintext in an envelope of :func:`seal_private_key`, for a kind of key that ``cryptography`` has not."""
    _, _, der = asn1_pem.unarmor(data)
    try:
        info = _EncryptedPrivateKeyInfo.load(der).native
        parameters = info["algorithm"]["parameters"]
        kdf, cipher = parameters["kdf"], parameters["cipher"]
        known = (info["algorithm"]["algorithm"], kdf["algorithm"], cipher["algorithm"])
        numbers = tuple(kdf["parameters"][name] for name in ("n", "r", "p"))
        if known != (_PBES2, _SCRYPT, _AES256_CBC) or numbers != (_N, _R, _P):
            raise SigningError("the key file is encrypted in another way", uri=uri)
        key = _stretch(passphrase, kdf["parameters"]["salt"])
        decryptor = Cipher(algorithms.AES(key), modes.CBC(cipher["parameters"])).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        return unpadder.update(decryptor.update(info["data"]) + decryptor.finalize()) + unpadder.finalize()
    except (ValueError, TypeError, KeyError) as error:
        raise PinError("the passphrase does not open the key file", uri=uri) from error


def seal_secret(secret: bytes, passphrase: str) -> bytes:
    """A symmetric key as a file: magic line, 16 bytes of salt, 12 of nonce, AES-256-GCM under scrypt."""
    salt, nonce = os.urandom(16), os.urandom(12)
    return _SECRET_MAGIC + salt + nonce + AESGCM(_stretch(passphrase, salt)).encrypt(nonce, secret, _SECRET_MAGIC)


def open_secret(data: bytes, passphrase: str, uri: str) -> bytes:
    """The inverse of :func:`seal_secret`."""
    start = len(_SECRET_MAGIC)
    if not data.startswith(_SECRET_MAGIC) or len(data) < start + 28 + 16:
        raise SigningError("not a wrapping key file", uri=uri)
    salt, nonce, body = data[start : start + 16], data[start + 16 : start + 28], data[start + 28 :]
    try:
        return AESGCM(_stretch(passphrase, salt)).decrypt(nonce, body, _SECRET_MAGIC)
    except InvalidTag as error:
        raise PinError("the passphrase does not open the wrapping key", uri=uri) from error


def pem(kind: str, der: bytes) -> bytes:
    """PEM text of one block."""
    body = base64.encodebytes(der).replace(b"\n", b"")
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (kind.encode(), b"\n".join(lines), kind.encode())
