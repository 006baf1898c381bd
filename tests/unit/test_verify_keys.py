"""Signature schemes and keys of other producers: each verifies, and with one bit changed does not."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import algos, core, keys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, utils

from verify.formats.keyinfo import key_strength, load_key
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError, verify_x509
from verify.formats.schemes import digest_of

DATA = b"what was signed"


def info(key: Any) -> Any:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return keys.PublicKeyInfo.load(der)


def named(oid: str, parameters: bytes = b"") -> Any:
    body = core.ObjectIdentifier(oid).dump() + parameters
    return algos.SignedDigestAlgorithm.load(bytes((0x30, len(body))) + body)


def refuses(signature: bytes, key: Any, algorithm: Any, digest: str | None = None) -> None:
    broken = signature[:-1] + bytes((signature[-1] ^ 1,))
    with pytest.raises(BadSignatureError):
        verify_x509(broken, DATA, key, algorithm, digest)
    with pytest.raises(BadSignatureError):
        verify_x509(signature, DATA + b".", key, algorithm, digest)


@pytest.fixture(scope="module")
def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def rsa2048() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("2.16.840.1.101.3.4.3.14", "SHA3_256"),
        ("2.16.840.1.101.3.4.3.16", "SHA3_512"),
        ("1.2.840.113549.1.1.11", "SHA256"),
        ("1.2.840.113549.1.1.5", "SHA1"),
    ],
)
def test_rsa_signatures_verify_with_sha2_sha3_and_sha1(rsa2048: rsa.RSAPrivateKey, oid: str, name: str) -> None:
    signature = rsa2048.sign(DATA, padding.PKCS1v15(), getattr(hashes, name)())
    verify_x509(signature, DATA, info(rsa2048), named(oid, b"\x05\x00"))
    refuses(signature, info(rsa2048), named(oid, b"\x05\x00"))


def test_an_rsa_digest_info_without_null_is_the_same_statement_and_another_tail_is_not(
    rsa2048: rsa.RSAPrivateKey,
) -> None:
    def signed(parameters: bytes) -> bytes:
        oid = core.ObjectIdentifier("2.16.840.1.101.3.4.2.1").dump() + parameters
        digest = digest_of("sha256", DATA)
        inner = bytes((0x30, len(oid))) + oid + bytes((0x04, 32)) + digest
        encoded = bytes((0x30, len(inner))) + inner
        block = b"\0\1" + b"\xff" * (256 - 3 - len(encoded)) + b"\0" + encoded
        numbers = rsa2048.private_numbers()
        return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")

    algorithm = named("1.2.840.113549.1.1.1", b"\x05\x00")
    verify_x509(signed(b""), DATA, info(rsa2048), algorithm, "sha256")
    with pytest.raises(BadSignatureError):
        verify_x509(signed(b"\x04\x00"), DATA, info(rsa2048), algorithm, "sha256")


def test_an_rsa_value_with_leading_zeros_too_many_is_the_same_number(rsa2048: rsa.RSAPrivateKey) -> None:
    signature = rsa2048.sign(DATA, padding.PKCS1v15(), hashes.SHA256())
    verify_x509(b"\0\0" + signature, DATA, info(rsa2048), named("1.2.840.113549.1.1.11"))


@pytest.mark.parametrize(
    ("hashed", "mask", "salt"), [("sha256", "sha256", 32), ("sha512", "sha1", 20), ("sha3_256", "sha3_256", 0)]
)
def test_pss_follows_its_parameters(rsa2048: rsa.RSAPrivateKey, hashed: str, mask: str, salt: int) -> None:
    parameters = algos.RSASSAPSSParams(
        {
            "hash_algorithm": {"algorithm": hashed},
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": mask}},
            "salt_length": salt,
        }
    )
    algorithm = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})
    pad = padding.PSS(padding.MGF1(getattr(hashes, mask.upper())()), salt)
    signature = rsa2048.sign(DATA, pad, getattr(hashes, hashed.upper())())
    verify_x509(signature, DATA, info(rsa2048), algorithm)
    refuses(signature, info(rsa2048), algorithm)


def test_a_key_bound_to_pss_parameters_refuses_others(rsa2048: rsa.RSAPrivateKey) -> None:
    def parameters(hashed: str, salt: int) -> Any:
        return algos.RSASSAPSSParams(
            {
                "hash_algorithm": {"algorithm": hashed},
                "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": {"algorithm": hashed}},
                "salt_length": salt,
            }
        )

    bound = info(rsa2048).copy()
    bound["algorithm"] = {"algorithm": "rsassa_pss", "parameters": parameters("sha256", 32)}
    key = keys.PublicKeyInfo.load(bound.dump(force=True))
    good = rsa2048.sign(DATA, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    short = rsa2048.sign(DATA, padding.PSS(padding.MGF1(hashes.SHA256()), 8), hashes.SHA256())
    algorithm = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters("sha256", 32)})
    verify_x509(good, DATA, key, algorithm)
    lax = algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters("sha256", 8)})
    with pytest.raises(BadSignatureError):
        verify_x509(short, DATA, key, lax)


@pytest.mark.parametrize(
    ("oid", "name"),
    [
        ("0.4.0.127.0.7.1.1.4.1.3", "SHA256"),
        ("0.4.0.127.0.7.1.1.4.1.9", "SHA3_256"),
        ("0.4.0.127.0.7.1.1.4.1.5", "SHA512"),
    ],
)
def test_plain_ecdsa_verifies(p256: ec.EllipticCurvePrivateKey, oid: str, name: str) -> None:
    r, s = utils.decode_dss_signature(p256.sign(DATA, ec.ECDSA(getattr(hashes, name)())))
    plain = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    verify_x509(plain, DATA, info(p256), named(oid))
    refuses(plain, info(p256), named(oid))


def test_ecdsa_with_sha3_and_side_by_side_under_the_usual_name_verify(p256: ec.EllipticCurvePrivateKey) -> None:
    signature = p256.sign(DATA, ec.ECDSA(hashes.SHA3_384()))
    verify_x509(signature, DATA, info(p256), named("2.16.840.1.101.3.4.3.11"))
    r, s = utils.decode_dss_signature(p256.sign(DATA, ec.ECDSA(hashes.SHA256())))
    plain = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    verify_x509(plain, DATA, info(p256), named("1.2.840.10045.4.3.2"))
    refuses(plain, info(p256), named("1.2.840.10045.4.3.2"))


def test_edwards_keys_sign_the_data_themselves() -> None:
    for key, oid in (
        (ed25519.Ed25519PrivateKey.generate(), "1.3.101.112"),
        (ed448.Ed448PrivateKey.generate(), "1.3.101.113"),
    ):
        signature = key.sign(DATA)
        verify_x509(signature, DATA, info(key), named(oid))
        refuses(signature, info(key), named(oid))
        with pytest.raises(UnsupportedKeyError):
            verify_x509(signature, DATA, info(key), named(oid), prehashed=True)


def test_dsa_with_sha256_verifies() -> None:
    key = dsa.generate_private_key(1024)
    signature = key.sign(DATA, hashes.SHA256())
    verify_x509(signature, DATA, info(key), named("2.16.840.1.101.3.4.3.2"))
    refuses(signature, info(key), named("2.16.840.1.101.3.4.3.2"))


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)  # noqa: S603, S607


@pytest.mark.parametrize(
    ("curve", "encoding"),
    [
        ("prime256v1", "explicit"),
        ("brainpoolP256r1", "named_curve"),
        ("brainpoolP320r1", "named_curve"),
        ("brainpoolP256t1", "named_curve"),
        ("brainpoolP224r1", "explicit"),
        ("secp160k1", "named_curve"),
        ("prime239v3", "explicit"),
    ],
)
def test_curves_spelt_out_and_little_known_verify_as_openssl_signs(tmp_path: Path, curve: str, encoding: str) -> None:
    key, public, data, value = (tmp_path / name for name in ("key", "public", "data", "value"))
    data.write_bytes(DATA)
    openssl("ecparam", "-genkey", "-noout", "-name", curve, "-param_enc", encoding, "-out", key)
    openssl("ec", "-in", key, "-pubout", "-outform", "DER", "-out", public)
    openssl("dgst", "-sha256", "-sign", key, "-out", value, data)
    spki = keys.PublicKeyInfo.load(public.read_bytes())
    algorithm = named("1.2.840.10045.4.3.2")
    verify_x509(value.read_bytes(), DATA, spki, algorithm)
    refuses(value.read_bytes(), spki, algorithm)
    assert key_strength(spki.dump())[0] == "EC"


def test_a_key_whose_curve_is_a_forgery_of_a_curve_is_refused(p256: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    """An order that is not the base point's lets anybody sign (as CVE-2020-0601 did with chosen base points)."""
    key, public = tmp_path / "key", tmp_path / "public"
    openssl("ecparam", "-genkey", "-noout", "-name", "brainpoolP224r1", "-param_enc", "explicit", "-out", key)
    openssl("ec", "-in", key, "-pubout", "-outform", "DER", "-out", public)
    spki = keys.PublicKeyInfo.load(public.read_bytes())
    domain = spki["algorithm"]["parameters"].chosen
    der = spki.dump().replace(domain["order"].contents, domain["field_id"]["parameters"].contents)
    assert der != spki.dump()
    with pytest.raises(UnsupportedKeyError):
        load_key(der)


@pytest.mark.parametrize("bits", [16_400, 64])
def test_rsa_keys_of_absurd_size_are_refused(bits: int) -> None:
    numbers = keys.RSAPublicKey({"modulus": (1 << bits) - 1, "public_exponent": 3})
    der = keys.PublicKeyInfo.wrap(numbers, "rsa").dump()
    with pytest.raises(UnsupportedKeyError):
        load_key(der)


def test_an_algorithm_nobody_here_knows_is_named_not_guessed(p256: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(UnsupportedKeyError, match=r"1\.2\.3\.4"):
        verify_x509(b"1234", DATA, info(p256), named("1.2.3.4"))
