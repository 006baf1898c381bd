"""Finding, making and using the objects of a PKCS#11 session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asn1crypto import keys
from pkcs11 import MGF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.constants import DEFAULT
from pkcs11.util.ec import decode_ec_public_key, encode_ec_public_key, encode_named_curve_parameters
from pkcs11.util.rsa import decode_rsa_public_key, encode_rsa_public_key

from signing.backends import software
from signing.backends.pkcs11_mechanisms import MappedMechanism
from signing.errors import KeyNotFoundError, MechanismError, SigningError
from verify.formats.algorithms import Algorithm

_CURVES = {"ec-p256": "secp256r1", "ec-p384": "secp384r1"}
_DIGEST_INFO_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 9.2, note 1

SECRET_TEMPLATE = {
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.PRIVATE: True,
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.UNWRAP: False,
    Attribute.SIGN: False,
    Attribute.VERIFY: False,
}


BACKUP_TEMPLATE = SECRET_TEMPLATE | {
    Attribute.ENCRYPT: False,
    Attribute.DECRYPT: False,
    Attribute.WRAP: True,
    Attribute.UNWRAP: True,
}
PASSING_TEMPLATE = {
    Attribute.TOKEN: False,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: False,
    Attribute.EXTRACTABLE: True,
}
"""A secret on its way through a token, gone with its session: it is this process's own already."""
PRIVATE_TEMPLATE = {
    Attribute.SENSITIVE: True,
    Attribute.PRIVATE: True,
    Attribute.SIGN: True,
    Attribute.DECRYPT: False,
    Attribute.UNWRAP: False,
    Attribute.DERIVE: False,
}
PUBLIC_TEMPLATE = {Attribute.VERIFY: True, Attribute.ENCRYPT: False, Attribute.WRAP: False, Attribute.PRIVATE: False}


def find(session: Any, kind: ObjectClass, label: str | None = None, key_id: bytes | None = None) -> list[Any]:
    """Objects of one class, by label, id or both."""
    wanted: dict[Attribute, Any] = {Attribute.CLASS: kind}
    if label is not None:
        wanted[Attribute.LABEL] = label
    if key_id is not None:
        wanted[Attribute.ID] = key_id
    return list(session.get_objects(wanted))


def one(found: list[Any], uri: str) -> Any:
    """The only object found; KeyNotFoundError for none, SigningError for several."""
    if not found:
        raise KeyNotFoundError("the token has no such key", uri=uri)
    if len(found) > 1:
        raise SigningError("several keys have this name: add the id", uri=uri)
    return found[0]


def generate_pair(
    session: Any,
    algorithm: Algorithm,
    name: tuple[str, bytes],
    *,
    exportable: bool,
    uri: str,
    mapped: MappedMechanism | None = None,
) -> tuple[Any, Any]:
    """Public and private key objects, kept on the token under ``name``, which is (label, id).

    ``mapped`` is how this token does the algorithm, where settings say so.
    """
    private = PRIVATE_TEMPLATE | {Attribute.EXTRACTABLE: exportable}
    named = {
        "id": name[1],
        "label": name[0],
        "store": True,
        "public_template": PUBLIC_TEMPLATE,
        "private_template": private,
    }
    if mapped is not None:
        return mapped.make_pair(session, named)
    if algorithm.key in _CURVES:
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(_CURVES[algorithm.key])}
        domain = session.create_domain_parameters(KeyType.EC, curve, local=True)
        return tuple(domain.generate_keypair(**named))
    if algorithm.key == "rsa-3072":
        return tuple(session.generate_keypair(KeyType.RSA, 3072, **named))
    raise MechanismError(f"no {algorithm.key} keys on this token{_hint(algorithm)}", uri=uri)


def _hint(algorithm: Algorithm) -> str:
    """What to do where PKCS#11 itself names no mechanism."""
    return f" unless [keys.mechanisms.{algorithm.name}] names its mechanisms" if algorithm.key == "sm2" else ""


def put_back(
    session: Any,
    backup_key: Any,
    name: tuple[str, bytes],
    spki: bytes,
    wrapped: bytes,
    mapped: MappedMechanism | None = None,
) -> None:
    """Both halves of a key that :func:`generate_pair` made exportable, under its name again."""
    rsa = keys.PublicKeyInfo.load(spki)["algorithm"]["algorithm"].native == "rsa"
    unset = dict.fromkeys((Attribute.ENCRYPT, Attribute.WRAP, Attribute.VERIFY), DEFAULT)  # no private key has them
    own = {} if mapped is None else mapped.public_attributes()
    kind = KeyType.RSA if rsa else own.get(Attribute.KEY_TYPE, KeyType.EC)
    backup_key.unwrap_key(
        ObjectClass.PRIVATE_KEY,
        kind,
        wrapped,
        id=name[1],
        label=name[0],
        capabilities=None if mapped is None else MechanismFlag.SIGN,
        mechanism=Mechanism.AES_KEY_WRAP_PAD,
        store=True,
        template=PRIVATE_TEMPLATE | {Attribute.EXTRACTABLE: True} | unset,
    )
    inner = keys.PublicKeyInfo.load(spki)["public_key"].parsed.dump() if rsa else spki
    public = decode_rsa_public_key(inner) if rsa else decode_ec_public_key(inner)
    named = {Attribute.TOKEN: True, Attribute.LABEL: name[0], Attribute.ID: name[1]}
    session.create_object(public | own | PUBLIC_TEMPLATE | named)


def secret_object(secret: bytes) -> dict[Attribute, Any]:
    """The attributes of an AES key that comes from outside."""
    return {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: KeyType.AES, Attribute.VALUE: secret}


def passing_secret(backup_key: Any, wrapped: bytes) -> bytes:
    """A secret that was wrapped under ``backup_key``, for this process."""
    passing = backup_key.unwrap_key(
        ObjectClass.SECRET_KEY,
        KeyType.AES,
        wrapped,
        mechanism=Mechanism.AES_KEY_WRAP_PAD,
        store=False,
        template=PASSING_TEMPLATE,
    )
    try:
        return bytes(passing[Attribute.VALUE])
    finally:
        passing.destroy()


def spki_of(public: Any) -> bytes:
    """DER SubjectPublicKeyInfo of a public key object."""
    if public.key_type == KeyType.EC:
        return bytes(encode_ec_public_key(public))
    return software.rsa_spki(encode_rsa_public_key(public))


def signing_with(algorithm: Algorithm, uri: str) -> Callable[[Any, bytes], bytes]:
    """How a private key object signs a digest; MechanismError for an algorithm it cannot."""
    if algorithm.is_ecdsa:
        return lambda key, digest: software.ecdsa_der(key.sign(digest, mechanism=Mechanism.ECDSA))
    if algorithm is Algorithm.RSA_PKCS1_SHA256:
        return lambda key, digest: bytes(key.sign(_DIGEST_INFO_SHA256 + digest, mechanism=Mechanism.RSA_PKCS))
    if algorithm is Algorithm.RSA_PSS_SHA256:
        pss = (Mechanism.SHA256, MGF.SHA256, 32)
        return lambda key, digest: bytes(key.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=pss))
    raise MechanismError(f"this token does not sign with {algorithm.name}{_hint(algorithm)}", uri=uri)
