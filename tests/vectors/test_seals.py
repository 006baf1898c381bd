"""Seals and seal signatures of another vendor, of each version, and bytes that are none."""

from __future__ import annotations

import zipfile
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
from verify.seal import Inspection, inspect_seal
from verify.trust.anchors import TrustStore

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


# --- every step of every file, judged on the day after which nothing here changes, without and with trust ---------

LATE = datetime(2027, 1, 1, tzinfo=UTC)
P, F, N = "PASSED", "FAILED", "NOT_RUN"
SEAL_ROWS = ("SEAL_FORMAT", "SEAL_SIG", "SEAL_CREATE_DATE", "SEAL_MAKER_CERT", "SEAL_VALIDITY", "TIMESTAMP", None)
PACKAGES = {
    "v4signed.ofd": ("测试全国统一发票监制章国家税务总局重庆市税务局", datetime(2020, 10, 10, 7, 11, 20, tzinfo=UTC)),
    "signedFile.ofd": ("国家税务总局江苏省税务局", datetime(2020, 10, 4, 7, 28, 55, tzinfo=UTC)),
    "allprotected.ofd": ("OFD R&W 测试用印章", datetime(2020, 10, 23, 11, 45, 37, tzinfo=UTC)),
}
FOLDER = "Doc_0/Signs/Sign_0"


def _rows(found: Inspection) -> list[tuple[str | None, str]]:
    return [(s.code, s.outcome.value) for s in found.steps]


@pytest.mark.parametrize(
    ("name", "at", "outcomes"),
    [
        ("UserV1.esl", datetime(2021, 1, 1, tzinfo=UTC), [P, P, N, N, P, N, N]),
        ("UserV1.esl", LATE, [P, P, N, N, F, N, F]),
        ("UserV4.esl", datetime(2021, 1, 1, tzinfo=UTC), [P, P, N, N, P, N, N]),
        ("UserV4.esl", LATE, [P, P, N, N, F, N, F]),
        ("UserV5.esl", LATE, [P, P, P, N, P, N, N]),
        ("UserV5.esl", datetime(2026, 4, 24, 8, 53, 22, tzinfo=UTC), [P, P, F, N, F, N, F]),
        ("UserV5.esl", datetime(2028, 4, 24, 8, 53, 24, tzinfo=UTC), [P, P, P, N, F, N, F]),
    ],
)
def test_every_step_of_a_seal(seals: Path, name: str, at: datetime, outcomes: list[str]) -> None:
    found = inspect_seal((seals / name).read_bytes(), trust=TrustStore(), at=at)
    assert (found.kind, found.version) == ("seal", SEALS[name])
    assert _rows(found) == list(zip(SEAL_ROWS, outcomes, strict=True))


@pytest.mark.parametrize("name", SEALS)
def test_the_makers_own_certificate_as_trust_does_not_help_what_lapsed(seals: Path, name: str) -> None:
    """Version 5 would forgive a maker that lapsed since the creation; this one had lapsed before."""
    data = (seals / name).read_bytes()
    trust = TrustStore((unverified_seal(data).maker,))
    assert ("SEAL_MAKER_CERT", F) in _rows(inspect_seal(data, trust=trust, at=LATE))
    if name != "UserV5.esl":
        early = datetime(2021, 1, 1, tzinfo=UTC)
        assert [o for _, o in _rows(inspect_seal(data, trust=trust, at=early))] == [P, P, N, P, P, N, P]


def _signature_rows(data_hash: str) -> list[tuple[str | None, str]]:
    return [
        ("FORMAT", P), ("SIG_VALUE", P), ("SIGNER_NOT_IN_SEAL", P), ("SEAL_MAKER_CERT", N), ("SIGNER_CERT_CHAIN", N),
        ("SIGN_TIME_OUTSIDE_CERT", P), ("DATA_HASH", data_hash), ("TIMESTAMP", N),
    ]  # fmt: skip


def test_every_step_of_a_signature_value(seals: Path) -> None:
    data = (seals / "SignedValueV4.dat").read_bytes()
    found = inspect_seal(data, trust=TrustStore(), at=LATE)
    assert (found.kind, found.version, _rows(found)) == ("signature", 4, _signature_rows(N))
    assert [s.outcome.value for s in found.steps[3].steps] == [P, P, N, N, P, N, N]
    other = inspect_seal(data, trust=TrustStore(), at=LATE, document=b"no document here is the one")
    assert _rows(other) == _signature_rows(F)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_step_of_a_signature_inside_a_package(seals: Path, name: str) -> None:
    """Their protected original is the description beside them, whose path they state."""
    with zipfile.ZipFile(seals / name) as package:
        data, described = (package.read(f"{FOLDER}/{part}") for part in ("SignedValue.dat", "Signature.xml"))
    found = inspect_seal(data, trust=TrustStore(), at=LATE, document=described)
    assert (found.kind, found.version, _rows(found)) == ("signature", 4, _signature_rows(P))
    assert [(s.code, s.outcome.value) for s in found.steps[3].steps] == list(
        zip(SEAL_ROWS, [P, P, N, N, P, N, N], strict=True)
    )
    assert found.signature is not None
    assert (found.signature.seal.name, found.signature.time) == PACKAGES[name]
    assert found.signature.property_info == f"/{FOLDER}/Signature.xml"
    changed = inspect_seal(data, trust=TrustStore(), at=LATE, document=described + b" ")
    assert _rows(changed) == _signature_rows(F)


def test_the_bare_seal_of_a_package_is_the_one_in_its_signature(seals: Path) -> None:
    with zipfile.ZipFile(seals / "allprotected.ofd") as package:
        data, bare = (package.read(f"{FOLDER}/{part}") for part in ("SignedValue.dat", "Seal.esl"))
    assert unverified_seal_signature(data).seal.encoded == bare
    found = inspect_seal(bare, trust=TrustStore(), at=datetime(2021, 1, 1, tzinfo=UTC))
    assert [o for _, o in _rows(found)] == [P, P, N, N, P, N, N]


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
