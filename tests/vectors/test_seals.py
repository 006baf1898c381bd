"""Seals and seal signatures of another vendor, of each version, and bytes that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.formats.publickeys import BadSignatureError
from verify.formats.seal import Seal, looks_like_signature, unverified_seal, unverified_seal_signature
from verify.formats.sealvalues import SealFormatError
from verify.formats.sm2 import sm3, verify_sm2

SEALS = {"UserV1.esl": 1, "UserV4.esl": 4, "UserV5.esl": 5}


@pytest.fixture(scope="session")
def seals(shared: Path) -> Path:
    return shared / "vectors" / "seals"


def _key(certificate: bytes) -> bytes:
    return bytes(x509.Certificate.load(certificate).public_key.dump())


@pytest.mark.parametrize(("name", "version"), SEALS.items())
def test_a_seal_of_each_version_is_read_and_its_makers_signature_is_good(seals: Path, name: str, version: int) -> None:
    data = (seals / name).read_bytes()
    seal = unverified_seal(data)
    assert (seal.version, seal.stated_version) == (version, version)
    assert not looks_like_signature(data)
    assert "测试用印章" in seal.name
    assert (seal.picture.kind, seal.picture.width_mm, seal.picture.height_mm) == ("PNG", 40, 40)
    assert seal.picture.data.startswith(b"\x89PNG")
    verify_sm2(seal.signature, seal.covered, _key(seal.maker))


@pytest.mark.parametrize(("name", "until"), [("UserV1.esl", 2022), ("UserV4.esl", 2022), ("UserV5.esl", 2028)], ids=str)
def test_times_of_either_kind_are_read(seals: Path, name: str, until: int) -> None:
    seal = unverified_seal((seals / name).read_bytes())
    assert seal.created <= seal.valid_from < seal.valid_to
    assert seal.valid_to.year == until
    assert seal.valid_to.tzinfo is UTC


def test_a_seal_signature_is_read_and_good(seals: Path) -> None:
    data = (seals / "SignedValueV4.dat").read_bytes()
    assert looks_like_signature(data)
    value = unverified_seal_signature(data)
    assert value.version == 4
    assert value.time == datetime(2020, 10, 12, 11, 14, 3, tzinfo=UTC)
    assert value.property_info == "/Doc_0/Signs/Sign_0/Signature.xml"
    assert len(value.data_hash) == 32
    verify_sm2(value.signature, value.covered, _key(value.signer))
    verify_sm2(value.seal.signature, value.seal.covered, _key(value.seal.maker))
    assert value.seal.lists(value.signer, lambda _, der: sm3(der))


def test_the_formula_of_one_version_does_not_fit_another(seals: Path) -> None:
    """Version 1 signs three elements, version 4 the first of them: a mixed-up reader would refuse every real seal."""
    old, new = (unverified_seal((seals / name).read_bytes()) for name in ("UserV1.esl", "UserV4.esl"))
    info = old.covered[4 : -(len(old.maker) + 14)]
    with pytest.raises(BadSignatureError):
        verify_sm2(old.signature, info, _key(old.maker))
    with pytest.raises(BadSignatureError):
        verify_sm2(new.signature, b"\x30\x82\x42\x1d" + new.covered, _key(new.maker))


@pytest.mark.parametrize("name", [*SEALS, "SignedValueV4.dat"])
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_no_changed_bit_of_a_seal_stays_unseen(seals: Path, name: str, data: st.DataObject) -> None:
    """Each bit is in what the maker signed, in the value, in the maker's certificate, or makes the seal unreadable."""
    original = (seals / name).read_bytes()
    bit = data.draw(st.integers(0, 8 * len(original) - 1))
    changed = bytearray(original)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        seal = _seal_in(bytes(changed), name)
    except SealFormatError:
        return
    before = _seal_in(original, name)
    if name == "SignedValueV4.dat":
        first, second = (unverified_seal_signature(v) for v in (original, bytes(changed)))
        if (first.signer, first.algorithm) != (second.signer, second.algorithm):
            return  # another certificate: judged by its chain and by the seal's list
        with pytest.raises(BadSignatureError):
            verify_sm2(second.signature, second.covered, _key(second.signer))
        return
    if (seal.maker, seal.algorithm) != (before.maker, before.algorithm):
        return
    with pytest.raises(BadSignatureError):
        verify_sm2(seal.signature, seal.covered, _key(seal.maker))


def _seal_in(data: bytes, name: str) -> Seal:
    return unverified_seal_signature(data).seal if name.startswith("Signed") else unverified_seal(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (unverified_seal, unverified_seal_signature):
        with pytest.raises(SealFormatError):
            read(data)
    assert looks_like_signature(data) in (True, False)


@pytest.mark.parametrize("name", SEALS)
def test_cut_and_lengthened_seals_are_refused(seals: Path, name: str) -> None:
    data = (seals / name).read_bytes()
    for broken in (data[:-1], data + b"\0", data[:100], b"\x30\x80" + data[4:] + b"\0\0"):
        with pytest.raises(SealFormatError):
            unverified_seal(broken)
