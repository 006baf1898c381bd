"""How one token makes keys on an elliptic curve and signs with them, where that is no part of PKCS#11: SM2 above all.

Vendors give SM2 numbers of their own and differ in what a mechanism takes and gives, so that a setting says it: one
table for each algorithm (:class:`verify.formats.algorithms.Algorithm`), with the members

    generate    number of the mechanism that makes a pair, or PKCS#11's own name, as in "EC_KEY_PAIR_GEN"
    sign        number or name of the mechanism that signs
    takes       "digest" (default): what the signature's equation takes, for SM2 ``e = SM3(ZA || M)``;
                "message": the data, which the token hashes, for SM2 with the signer's identity;
                "identified": ``ZA || M``, for a token that hashes but knows no identity
    gives       "raw" (default): r and s side by side; "der": SEQUENCE of both
    curve       object identifier in CKA_EC_PARAMS; by default the algorithm's own
    key-type    CKA_KEY_TYPE, a number; 3 (CKK_EC) by default
    parameter   the signing mechanism's parameter in hexadecimal, such as the identity; none by default

A mapping that is wrong makes no key: each new one signs a text at once, and is destroyed when that does not verify.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag

from signing.backends import software
from signing.errors import MechanismError, SigningError
from verify.formats.algorithms import Algorithm
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_named
from verify.formats.sm2 import der_of, der_of_raw, identity_digest, message_digest, point_of_spki, spki_of_point

E = TypeVar("E", bound=IntEnum)

_CURVES = {
    Algorithm.SM2_SM3: "1.2.156.10197.1.301",
    Algorithm.ECDSA_P256_SHA256: "1.2.840.10045.3.1.7",
    Algorithm.ECDSA_P384_SHA384: "1.3.132.0.34",
}
_EC: dict[Algorithm, ec.EllipticCurve] = {
    Algorithm.ECDSA_P256_SHA256: ec.SECP256R1(),
    Algorithm.ECDSA_P384_SHA384: ec.SECP384R1(),
}
_TAKES, _GIVES = ("digest", "message", "identified"), ("raw", "der")
_MEMBERS = {"generate", "sign", "takes", "gives", "curve", "key-type", "parameter"}
_OID = re.compile(r"[0-2](\.\d{1,10}){2,20}")
_PROBE = b"certvault mechanism test 1: this text was signed to test a token and means nothing"


@dataclass(frozen=True, slots=True)
class MappedMechanism:
    """How one token does one algorithm; see the module. ``curve`` is CKA_EC_PARAMS."""

    algorithm: Algorithm
    generate: int
    sign: int
    takes: str
    gives: str
    curve: bytes
    key_type: int
    parameter: bytes | None

    def make_pair(self, session: Any, named: Mapping[str, Any]) -> tuple[Any, Any]:
        """Public and private key objects in a session that may write."""
        kind = member_of(KeyType, self.key_type)
        domain = session.create_domain_parameters(kind, {Attribute.EC_PARAMS: self.curve}, local=True)
        capabilities = MechanismFlag.SIGN | MechanismFlag.VERIFY
        pair = domain.generate_keypair(
            **named, capabilities=capabilities, mechanism=member_of(Mechanism, self.generate)
        )
        return tuple(pair)

    def public_attributes(self) -> dict[Attribute, Any]:
        """What this token calls the kind of key and its curve."""
        return {Attribute.KEY_TYPE: member_of(KeyType, self.key_type), Attribute.EC_PARAMS: self.curve}

    def spki_of(self, public: Any, uri: str) -> bytes:
        """SubjectPublicKeyInfo of a public key object; its point is an OCTET STRING, or bare, or x and y alone."""
        value, size = bytes(public[Attribute.EC_POINT]), 2 * self._half
        if len(value) == size + 3 and value[:2] == bytes((4, size + 1)):
            value = value[2:]
        point = b"\x04" + value if len(value) == size else value
        try:
            if self.algorithm is Algorithm.SM2_SM3:
                return spki_of_point(point)
            key = ec.EllipticCurvePublicKey.from_encoded_point(_EC[self.algorithm], point)
        except (UnsupportedKeyError, ValueError) as error:
            raise MechanismError(
                f"the token's public key of {len(value)} bytes is no {self.algorithm.key} key", uri=uri
            ) from error
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def payload(self, spki: bytes, data: bytes) -> bytes:
        """What the token is given to sign ``data``."""
        if self.takes == "message":
            return data
        if self.algorithm is not Algorithm.SM2_SM3:
            return hashlib.new(self.algorithm.hash, data).digest()
        point = point_of_spki(spki)
        return identity_digest(point) + data if self.takes == "identified" else message_digest(point, data)

    def digest_payload(self, digest: bytes, uri: str) -> bytes:
        """What it is given to sign a digest that was made elsewhere; MechanismError when it makes them itself."""
        if self.takes != "digest":
            raise MechanismError("this token makes the digest itself and signs none made elsewhere", uri=uri)
        return digest

    def signed(self, private: Any, payload: bytes, uri: str) -> bytes:
        """The signature value of a private key object, DER. MechanismError for a value of another form."""
        mechanism = member_of(Mechanism, self.sign)
        value = bytes(private.sign(payload, mechanism=mechanism, mechanism_param=self.parameter))
        try:
            return self._der(value)
        except (BadSignatureError, ValueError) as error:
            raise MechanismError(
                f"the token's value of {len(value)} bytes is not {self.gives}: see gives of {self._table}", uri=uri
            ) from error

    def prove(self, private: Any, spki: bytes, uri: str) -> None:
        """Let a new key sign; MechanismError when its public half does not verify that."""
        value = self.signed(private, self.payload(spki, _PROBE), uri)
        raw = b"".join(part.to_bytes(self._half, "big") for part in decode_dss_signature(value))
        try:
            verify_named(raw, _PROBE, spki, self.algorithm)
        except (BadSignatureError, UnsupportedKeyError) as error:
            raise MechanismError(
                f"the token's signature is no {self.algorithm.name}: check sign, takes and parameter of {self._table}",
                uri=uri,
            ) from error

    @property
    def _table(self) -> str:
        return f"[keys.mechanisms.{self.algorithm.name}]"

    @property
    def _half(self) -> int:
        """Bytes of a coordinate, and of each number of a value."""
        return 48 if self.algorithm.key == "ec-p384" else 32

    def _der(self, value: bytes) -> bytes:
        national = self.algorithm is Algorithm.SM2_SM3
        if self.gives == "der":
            again = encode_dss_signature(*decode_dss_signature(value))
            return der_of(again) if national else again
        if len(value) != 2 * self._half:
            raise ValueError("not r and s side by side")
        return der_of_raw(value) if national else software.ecdsa_der(value)


def read_mechanisms(tables: Mapping[str, Any]) -> dict[Algorithm, MappedMechanism]:
    """The mapping that tables of settings give. Raises SigningError that names table and member."""
    return {mapped.algorithm: mapped for mapped in (_read(name, table) for name, table in tables.items())}


def _read(name: str, table: Any) -> MappedMechanism:
    where = f"[keys.mechanisms.{name}]"
    algorithm = next((a for a in _CURVES if a.name == name), None)
    if algorithm is None or not isinstance(table, Mapping):
        raise SigningError(f"{where} is no table for one of {', '.join(a.name for a in _CURVES)}")
    unknown = sorted(set(table) - _MEMBERS)
    if unknown:
        raise SigningError(f"{where} {unknown[0]} is not known; there are {', '.join(sorted(_MEMBERS))}")
    takes = _choice(where, table, "takes", _TAKES)
    if takes == "identified" and algorithm is not Algorithm.SM2_SM3:
        raise SigningError(f"{where} takes: only SM2 has an identity")
    return MappedMechanism(
        algorithm=algorithm,
        generate=_mechanism(where, table, "generate"),
        sign=_mechanism(where, table, "sign"),
        takes=takes,
        gives=_choice(where, table, "gives", _GIVES),
        curve=_curve(where, table, algorithm),
        key_type=_number(where, "key-type", table.get("key-type", int(KeyType.EC))),
        parameter=_parameter(where, table),
    )


def _choice(where: str, table: Mapping[str, Any], member: str, known: tuple[str, ...]) -> str:
    value = table.get(member, known[0])
    if value not in known:
        raise SigningError(f"{where} {member} is one of {', '.join(known)}")
    return str(value)


def _mechanism(where: str, table: Mapping[str, Any], member: str) -> int:
    value = table.get(member)
    if isinstance(value, str):
        found = Mechanism.__members__.get(value.removeprefix("CKM_"))
        if found is None:
            raise SigningError(f"{where} {member}: PKCS#11 names no mechanism {value[:60]}")
        return int(found)
    return _number(where, member, value)


def _number(where: str, member: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 0xFFFFFFFF:
        raise SigningError(f"{where} {member} is a number from 0 to 0xFFFFFFFF")
    return value


def _curve(where: str, table: Mapping[str, Any], algorithm: Algorithm) -> bytes:
    value = table.get("curve", _CURVES[algorithm])
    if not isinstance(value, str) or not _OID.fullmatch(value):
        raise SigningError(f"{where} curve is an object identifier")
    return bytes(core.ObjectIdentifier(value).dump())


def _parameter(where: str, table: Mapping[str, Any]) -> bytes | None:
    value = table.get("parameter")
    if value is None:
        return None
    try:
        return bytes.fromhex(value)[:1024]
    except (ValueError, TypeError) as error:
        raise SigningError(f"{where} parameter is hexadecimal") from error


def member_of(kind: type[E], number: int) -> E:
    """``number`` as a member of an enumeration of python-pkcs11, which takes nothing else; a vendor's becomes one."""
    try:
        return kind(number)
    except ValueError:
        member = int.__new__(kind, number)
        member._name_, member._value_ = f"VENDOR_{number:#x}", number
        kind._value2member_map_[number] = member
        return member
