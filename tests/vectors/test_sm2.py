"""SM2, SM3 and SM4 by the vectors of GB/T 32918.5, 32905 and 32907, beside OpenSSL, and values that must be refused."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
from verify.formats.sm2 import (
    N,
    P,
    checked_point,
    der_of,
    identity_digest,
    message_digest,
    point_of_spki,
    raw_of,
    sm3,
    spki_of_point,
    verify_sm2,
    written,
)

POINT = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
VALUE = bytes.fromhex(
    "3046022100F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "022100B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
KEY = spki_of_point(POINT)


def test_sm3_gives_the_digests_of_the_standard() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def test_sm4_gives_the_ciphertext_of_the_standard_here_and_by_openssl() -> None:
    """The block cipher that ``cryptography`` brings, for what is encrypted under the national suite."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    block = bytes.fromhex("0123456789abcdeffedcba9876543210")
    encryptor = Cipher(algorithms.SM4(block), modes.ECB()).encryptor()  # noqa: S305 - one block is one block
    ciphertext = encryptor.update(block) + encryptor.finalize()
    assert ciphertext.hex() == "681edf34d206965e86b3e94f536e4246"
    command = ["openssl", "enc", "-sm4-ecb", "-K", block.hex(), "-nopad"]
    assert subprocess.run(command, input=block, check=True, capture_output=True).stdout == ciphertext


def test_identity_and_message_give_the_digests_of_the_standard() -> None:
    assert identity_digest(POINT).hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    assert message_digest(POINT, MESSAGE).hex() == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"


def test_the_signature_of_the_standard_is_good_in_both_forms() -> None:
    verify_sm2(VALUE, MESSAGE, KEY)
    verify_sm2(R.to_bytes(32, "big") + S.to_bytes(32, "big"), MESSAGE, KEY)
    assert written(R, S) == VALUE
    assert der_of(raw_of(VALUE)) == VALUE


@pytest.mark.parametrize("identity", [b"", b"ALICE123@YAHOO.COM"])
def test_another_identity_is_another_signature(identity: bytes) -> None:
    with pytest.raises(BadSignatureError):
        verify_sm2(VALUE, MESSAGE, KEY, identity)


@pytest.mark.parametrize(
    ("r", "s"),
    [(0, S), (R, 0), (N, S), (R, N), (N + 1, S), (R, N + 1), (R, N - R), (S, R)],
    ids=["r=0", "s=0", "r=n", "s=n", "r>n", "s>n", "r+s=n", "swapped"],
)
def test_numbers_out_of_range_are_refused(r: int, s: int) -> None:
    with pytest.raises(BadSignatureError):
        verify_sm2(written(r, s), MESSAGE, KEY)
    with pytest.raises(BadSignatureError):
        verify_sm2(r.to_bytes(32, "big") + s.to_bytes(32, "big"), MESSAGE, KEY)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        VALUE + b"\0",
        VALUE[:-1],
        raw_of(VALUE)[:63],
        raw_of(VALUE) + b"\0",
        b"\x30\x47\x02\x22\0" + VALUE[4:],
        b"\x30\x45\x02\x20" + VALUE[5:],  # without its leading zero the first number is negative
        b"\x30\x81\x46" + VALUE[2:],
        b"\x31" + VALUE[1:],
        b"\0" + VALUE,
    ],
    ids=["empty", "tail", "cut", "63", "65", "padded", "negative", "long-form", "set", "stray-zero"],
)
def test_values_of_another_form_are_refused(value: bytes) -> None:
    with pytest.raises(BadSignatureError):
        verify_sm2(value, MESSAGE, KEY)


@pytest.mark.parametrize(
    "point",
    [
        POINT[:-1] + b"\x12",
        b"\x04" + bytes(64),
        b"\0",
        b"\x02" + POINT[1:33],
        b"\x07" + POINT[1:],
        b"\x04" + P.to_bytes(32, "big") + POINT[33:],
    ],
    ids=["off-curve", "zero", "infinity", "compressed", "hybrid", "x=p"],
)
def test_keys_that_are_no_point_on_the_curve_are_refused(point: bytes) -> None:
    with pytest.raises(UnsupportedKeyError):
        checked_point(point)
    with pytest.raises(UnsupportedKeyError):
        point_of_spki(KEY[: -len(POINT)] + point)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8 * len(VALUE) - 1))
def test_no_changed_bit_of_a_value_passes(bit: int) -> None:
    changed = bytearray(VALUE)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadSignatureError):
        verify_sm2(bytes(changed), MESSAGE, KEY)


def test_threads_share_a_key_and_each_has_its_own_answer() -> None:
    """The key is loaded once for all of them."""
    values = [VALUE, VALUE[:-1] + bytes((VALUE[-1] ^ 1,))] * 100

    def good(value: bytes) -> bool:
        try:
            verify_sm2(value, MESSAGE, KEY)
        except BadSignatureError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(good, values)) == [True, False] * 100


def test_what_openssl_signs_is_good_here(tmp_path: Path) -> None:
    def openssl(*arguments: str) -> bytes:
        return subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True).stdout

    (tmp_path / "m").write_bytes(b"license " * 100)
    openssl("genpkey", "-algorithm", "SM2", "-out", "k.pem")
    spki = openssl("pkey", "-in", "k.pem", "-pubout", "-outform", "DER")
    identity = "distid:1234567812345678"
    value = openssl("dgst", "-sm3", "-sign", "k.pem", "-sigopt", identity, "m")
    verify_sm2(value, b"license " * 100, spki)
    with pytest.raises(BadSignatureError):
        verify_sm2(value, b"license " * 99, spki)
