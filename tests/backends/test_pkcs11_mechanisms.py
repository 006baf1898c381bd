"""Mechanisms that settings map: through SoftHSM where it has them, and the arithmetic of SM2 by a stand-in.

SoftHSM has the curve of SM2 and not its signature. So a real token makes and names keys, signs under mapped numbers
and is refused where its value is not SM2; only the value itself comes from a stand-in for one session below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism

from signing.backends import open_backend
from signing.backends.pkcs11_mechanisms import MappedMechanism, member_of, read_mechanisms
from signing.backends.pkcs11_objects import generate_pair
from signing.backends.sm2 import Sm2PrivateKey
from signing.errors import MechanismError, SigningError
from signing.keys import KeyPurpose
from verify.formats.algorithms import Algorithm
from verify.formats.sm2 import identity_digest, message_digest, point_of_spki, raw_of, sm3, verify_sm2

SM2, P256, P384 = Algorithm.SM2_SM3, Algorithm.ECDSA_P256_SHA256, Algorithm.ECDSA_P384_SHA384
ON_EC = {"generate": "EC_KEY_PAIR_GEN", "sign": "CKM_ECDSA"}
VENDOR = {"generate": 0x80010010, "sign": 0x80010011, "key-type": 0x80010001}


def _verify(spki: bytes, value: bytes, data: bytes, chosen: hashes.HashAlgorithm) -> None:
    public = load_der_public_key(spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(value, data, ec.ECDSA(chosen))


# -- a real token ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def token(new_token: Callable[[], Any]) -> Any:
    return new_token()


def _open(token: Any, **tables: Any) -> Any:
    return open_backend(token.uri, pin=lambda: token.pin, mechanisms=tables)


def test_mapped_curves_sign_and_are_found_again(token: Any) -> None:
    """The same path that SM2 takes: numbers, curve, point, digest and raw value all come from the mapping."""
    backend = _open(token, ECDSA_P256_SHA256=ON_EC | {"sign": int(Mechanism.ECDSA)}, ECDSA_P384_SHA384=ON_EC)
    for algorithm, chosen in ((P256, hashes.SHA256()), (P384, hashes.SHA384())):
        handle = backend.generate(f"mapped-{algorithm.key}", algorithm, KeyPurpose.SEAL)
        _verify(handle.spki, backend.sign(handle, b"data"), b"data", chosen)
        digest = hashlib.new(algorithm.hash, b"more").digest()
        _verify(handle.spki, backend.sign_digest(handle, digest), b"more", chosen)
        assert backend.handle_for(handle.uri, algorithm, KeyPurpose.SEAL) == handle
        plain = open_backend(token.uri, pin=lambda: token.pin)  # what is mapped makes the keys that PKCS#11 makes
        assert plain.handle_for(handle.uri, algorithm, KeyPurpose.SEAL).spki == handle.spki
        _verify(handle.spki, plain.sign(handle, b"data"), b"data", chosen)


def test_a_mapped_key_is_backed_up_and_put_back(token: Any) -> None:
    backend = _open(token, ECDSA_P256_SHA256=ON_EC)
    handle = backend.generate("kept", P256, KeyPurpose.SEAL, exportable=True)
    under = backend.generate_backup_key("kept-backup")
    wrapped = backend.back_up(handle, under)
    backend.destroy(handle)
    assert backend.put_back(handle, under, wrapped) == handle
    _verify(
        handle.spki, backend.sign(backend.handle_for(handle.uri, P256, KeyPurpose.SEAL), b"m"), b"m", hashes.SHA256()
    )


def test_a_token_without_a_mapping_keeps_no_sm2_and_says_what_to_set(token: Any) -> None:
    with pytest.raises(MechanismError, match=r"keys\.mechanisms\.SM2_SM3") as error:
        _open(token).generate("sm2", SM2, KeyPurpose.SEAL)
    assert "object=sm2" in str(error.value)


def test_a_vendors_number_that_the_token_has_not_is_refused_with_the_keys_uri(token: Any) -> None:
    backend = _open(token, SM2_SM3=VENDOR)
    before = backend.keys()
    with pytest.raises(MechanismError, match="MechanismInvalid") as error:
        backend.generate("vendor", SM2, KeyPurpose.SEAL)
    assert "object=vendor" in str(error.value)
    assert backend.keys() == before


def test_a_token_whose_value_is_no_sm2_keeps_no_key(token: Any) -> None:
    """SoftHSM makes a pair on sm2p256v1; its ECDSA over it is another signature, which is seen at once."""
    backend = _open(token, SM2_SM3=ON_EC)
    before = backend.keys()
    with pytest.raises(MechanismError, match=r"no SM2_SM3: check sign, takes and parameter") as error:
        backend.generate("not-sm2", SM2, KeyPurpose.SEAL)
    assert "object=not-sm2" in str(error.value)
    assert backend.keys() == before


def test_a_pair_on_the_curve_of_sm2_is_named_by_the_mapping(token: Any) -> None:
    backend = _open(token, SM2_SM3=ON_EC)
    mapped = read_mechanisms({"SM2_SM3": ON_EC})[SM2]
    with backend._sessions._module.entered(), backend._sessions.writable("pkcs11:") as session:
        pair = generate_pair(session, SM2, ("on-curve", b"12345678"), exportable=False, uri="pkcs11:", mapped=mapped)
        spki = mapped.spki_of(pair[0], "pkcs11:")
    assert len(point_of_spki(spki)) == 65
    handle = backend.handle_for("on-curve", SM2, KeyPurpose.SEAL)
    assert handle.spki == spki
    with pytest.raises(MechanismError):
        backend.handle_for("on-curve", P256, KeyPurpose.SEAL)
    backend.destroy(handle)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        ({"gives": "der"}, "is not der: see gives"),
        ({"takes": "message"}, "no ECDSA_P256_SHA256: check sign, takes"),
        ({"curve": "1.3.132.0.34"}, "is no ec-p256 key"),
    ],
)
def test_a_mapping_that_says_something_else_than_the_token_makes_no_key(
    token: Any, table: dict[str, str], wrong: str
) -> None:
    backend = _open(token, ECDSA_P256_SHA256=ON_EC | table)
    before = backend.keys()
    with pytest.raises(MechanismError, match=wrong):
        backend.generate("wrong", P256, KeyPurpose.SEAL)
    assert backend.keys() == before


# -- the tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("SM2", ON_EC, "no table for one of SM2_SM3"),
        ("RSA_PSS_SHA256", ON_EC, "no table for one of"),
        ("SM2_SM3", 7, "no table for one of"),
        ("SM2_SM3", {"sign": 1}, "generate is a number"),
        ("SM2_SM3", {"generate": "CKM_NO_SUCH", "sign": 1}, "names no mechanism CKM_NO_SUCH"),
        ("SM2_SM3", {"generate": True, "sign": 1}, "generate is a number"),
        ("SM2_SM3", {"generate": 1, "sign": 1 << 32}, "sign is a number"),
        ("SM2_SM3", ON_EC | {"take": "digest"}, "take is not known"),
        ("SM2_SM3", ON_EC | {"takes": "all"}, "takes is one of digest, message, identified"),
        ("ECDSA_P256_SHA256", ON_EC | {"takes": "identified"}, "only SM2 has an identity"),
        ("SM2_SM3", ON_EC | {"gives": "DER"}, "gives is one of raw, der"),
        ("SM2_SM3", ON_EC | {"curve": "sm2p256v1"}, "curve is an object identifier"),
        ("SM2_SM3", ON_EC | {"parameter": "0x12"}, "parameter is hexadecimal"),
        ("SM2_SM3", ON_EC | {"key-type": "EC"}, "key-type is a number"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_member(name: str, table: Any, said: str) -> None:
    with pytest.raises(SigningError, match=rf"\[keys\.mechanisms\.{name}\].*{said}"):
        read_mechanisms({name: table})


def test_a_vendors_number_becomes_a_member_that_the_library_takes() -> None:
    for kind in (Mechanism, KeyType):
        member = member_of(kind, 0x8ABC0001)
        assert isinstance(member, kind)
        assert (int(member), kind(0x8ABC0001), member_of(kind, 0x8ABC0001)) == (0x8ABC0001, member, member)
    assert member_of(Mechanism, int(Mechanism.ECDSA)) is Mechanism.ECDSA


# -- the arithmetic of SM2, by a stand-in ---------------------------------------------------------------------------


class _StandIn:
    """One key of a token as vendors make them, with libcrypto's SM2 behind it. No token, and no session."""

    def __init__(self, takes: str, gives: str, point: str) -> None:
        self._key = Sm2PrivateKey.generate("stand-in:")
        self._takes, self._gives, self._point = takes, gives, point
        self.given: tuple[Any, Any] = (None, None)

    def __getitem__(self, attribute: Attribute) -> bytes:
        assert attribute is Attribute.EC_POINT
        point = point_of_spki(self._key.spki)
        return {"octets": b"\x04\x41" + point, "bare": point, "numbers": point[1:]}[self._point]

    def sign(self, payload: bytes, *, mechanism: Mechanism, mechanism_param: bytes | None) -> bytes:
        self.given = int(mechanism), mechanism_param
        if self._takes == "message":
            digest = message_digest(point_of_spki(self._key.spki), payload)
        else:
            digest = payload if self._takes == "digest" else sm3(payload)
        value = self._key.sign_digest(digest, "stand-in:")
        return raw_of(value) if self._gives == "raw" else value


@pytest.mark.parametrize("takes", ["digest", "message", "identified"])
@pytest.mark.parametrize("gives", ["raw", "der"])
@pytest.mark.parametrize("point", ["octets", "bare", "numbers"])
def test_whatever_a_vendor_takes_and_gives_the_value_is_der_and_verifies(takes: str, gives: str, point: str) -> None:
    mapped = read_mechanisms({"SM2_SM3": VENDOR | {"takes": takes, "gives": gives, "parameter": "3132"}})[SM2]
    key = _StandIn(takes, gives, point)
    spki = mapped.spki_of(key, "pkcs11:object=k")
    mapped.prove(key, spki, "pkcs11:object=k")
    value = mapped.signed(key, mapped.payload(spki, b"a license"), "pkcs11:object=k")
    assert value[0] == 0x30
    verify_sm2(value, b"a license", spki)
    assert key.given == (0x80010011, b"12")


@pytest.mark.parametrize("told", ["digest", "message", "identified"])
@pytest.mark.parametrize("does", ["digest", "message", "identified"])
def test_a_mapping_that_tells_another_input_than_the_token_takes_is_found_out(told: str, does: str) -> None:
    mapped = read_mechanisms({"SM2_SM3": VENDOR | {"takes": told}})[SM2]
    key = _StandIn(does, "raw", "octets")
    spki = mapped.spki_of(key, "pkcs11:object=k")
    if told == does:
        mapped.prove(key, spki, "pkcs11:object=k")
        return
    # a token that takes a digest refuses other lengths; libcrypto's SM2 takes any, and the value is then another
    with pytest.raises((MechanismError, SigningError)):
        mapped.prove(key, spki, "pkcs11:object=k")


@pytest.mark.parametrize(("told", "does"), [("raw", "der"), ("der", "raw")])
def test_a_value_of_another_form_is_named(told: str, does: str) -> None:
    mapped = read_mechanisms({"SM2_SM3": VENDOR | {"gives": told}})[SM2]
    key = _StandIn("digest", does, "octets")
    with pytest.raises(MechanismError, match=f"is not {told}: see gives of"):
        mapped.signed(key, bytes(32), "pkcs11:object=k")


def test_digests_made_elsewhere_go_to_tokens_that_take_them() -> None:
    digest = sm3(b"made elsewhere")
    for takes in ("message", "identified"):
        mapped = read_mechanisms({"SM2_SM3": VENDOR | {"takes": takes}})[SM2]
        with pytest.raises(MechanismError, match="makes the digest itself"):
            mapped.digest_payload(digest, "pkcs11:object=k")
    assert read_mechanisms({"SM2_SM3": VENDOR})[SM2].digest_payload(digest, "pkcs11:object=k") == digest


def test_what_is_hashed_with_an_identity_begins_with_it() -> None:
    mapped: MappedMechanism = read_mechanisms({"SM2_SM3": VENDOR | {"takes": "identified"}})[SM2]
    spki = Sm2PrivateKey.generate("stand-in:").spki
    assert mapped.payload(spki, b"M") == identity_digest(point_of_spki(spki)) + b"M"
