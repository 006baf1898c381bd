"""Seals that somebody changed, borrowed or made in another's name: none passes. One function per forgery.

A forgery is found when a step of the standard says FAILED; the step it must be is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import core, x509

from tests.support.seals import Maker, extension, make_pki
from verify.checks.sealsteps import check_value
from verify.formats.der import wrap
from verify.formats.seal import SealSignature, unverified_seal, unverified_seal_signature
from verify.formats.sealvalues import SealFormatError, node_at
from verify.formats.sm2 import sm3
from verify.seal import Inspection, inspect_seal
from verify.trust.anchors import TrustStore

AT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
DAY = timedelta(days=1)
VERSIONS = pytest.mark.parametrize("version", [1, 4, 5])
SIGNING = extension("2.5.29.15", bytes.fromhex("030206c0"), True)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(make_pki(tmp_path_factory.mktemp("seals")), AT)


def inspect(maker: Maker, data: bytes, *, trusted: bool = True) -> Inspection:
    trust = TrustStore((maker.pki.root,)) if trusted else TrustStore()
    return inspect_seal(data, trust=trust, at=AT, document=b"doc")


def failed(found: Inspection) -> set[str | None]:
    """The codes of all steps that failed, those inside a row as well."""
    inner = [s for row in found.steps for s in row.steps]
    return {s.code for s in [*found.steps, *inner] if s.outcome.value == "FAILED"} - {None}


def parts(data: bytes) -> list[bytes]:
    """The elements of a sequence, whole."""
    return [node.encoded for node in node_at(data, 0, len(data), "value").children("value")]


def joined(*elements: bytes) -> bytes:
    return wrap(0x30, *elements)


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- bits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 4])
def test_no_bit_of_a_value_can_change(maker: Maker, version: int) -> None:
    """Every bit of the maker's and of the signer's value."""
    value = unverified_seal_signature(maker.signature(version, b"doc"))
    seal = value.seal
    for signature, covered, by, algorithm in (
        (value.signature, value.covered, value.signer, value.algorithm),
        (seal.signature, seal.covered, seal.maker, seal.algorithm),
    ):
        assert check_value("X", signature, covered, by, algorithm).outcome.value == "PASSED"
        assert len(signature) >= 68
        for bit in range(8 * len(signature)):
            assert check_value("X", flipped(signature, bit), covered, by, algorithm).outcome.value == "FAILED", bit


@pytest.mark.parametrize("version", [1, 4])
def test_no_signed_bit_can_change(maker: Maker, version: int) -> None:
    """Every bit of what the signer signed, the seal and its maker's certificate within it; of version 1 every third."""
    data = maker.signature(version, b"doc", listed="digest" if version == 4 else "certificate")
    value = unverified_seal_signature(data)
    start = data.index(value.covered)
    assert _value_fits(data)
    for bit in range(8 * start, 8 * (start + len(value.covered)), 1 if version == 4 else 3):
        assert not _value_fits(flipped(data, bit)), bit


def _value_fits(data: bytes) -> bool:
    try:
        value = unverified_seal_signature(data)
    except SealFormatError:
        return False
    return check_value("X", value.signature, value.covered, value.signer, value.algorithm).outcome.value == "PASSED"


@pytest.mark.parametrize("version", [1, 4])
@pytest.mark.parametrize("kind", ["seal", "signature"])
def test_no_bit_outside_can_change_either(maker: Maker, version: int, kind: str) -> None:
    """What nobody signed: certificates, algorithms, lengths and tags around; every 23rd bit, under trust."""
    data = maker.seal(version) if kind == "seal" else maker.signature(version, b"doc")
    covered = unverified_seal_signature(data).covered if kind == "signature" else parts(data)[0]
    start = data.index(covered)
    around = [*range(8 * start), *range(8 * (start + len(covered)), 8 * len(data))]
    assert not failed(inspect(maker, data))
    for bit in [*around[:64], *around[64::23]]:
        assert failed(inspect(maker, flipped(data, bit))), bit


# --- one part of another ------------------------------------------------------------------------------------------


def _replanted(data: bytes, seal: bytes) -> bytes:
    """A signature with another seal inside, all lengths right."""
    signed, *rest = parts(data)
    version, _, *others = parts(signed)
    return joined(joined(version, seal, *others), *rest)


@VERSIONS
def test_the_seal_of_another(maker: Maker, version: int) -> None:
    other = maker.seal(version, seal_id="37030000009999")
    found = inspect(maker, _replanted(maker.signature(version, b"doc"), other))
    assert failed(found) == {"SIG_VALUE"}


@VERSIONS
def test_the_same_seal_with_a_longer_validity(maker: Maker, version: int) -> None:
    seal = maker.seal(version, until=AT - DAY / 100)
    late = maker.signature(version, b"doc", seal=seal)
    assert failed(inspect(maker, late)) == {"SEAL_VALIDITY"}
    style = "%y%m%d%H%M%SZ" if version == 1 else "%Y%m%d%H%M%SZ"
    old, new = ((AT + d).strftime(style).encode() for d in (-DAY / 100, 100 * DAY))
    assert "SEAL_SIG" in failed(inspect(maker, seal.replace(old, new)))
    assert "SIG_VALUE" in failed(inspect(maker, late.replace(old, new)))


@VERSIONS
def test_another_picture_under_the_makers_value(maker: Maker, version: int) -> None:
    seal, other = maker.seal(version), maker.seal(version, data=b"another picture")
    (info, *rest), (changed, *_) = parts(seal), parts(other)
    assert info != changed
    assert failed(inspect(maker, joined(changed, *rest))) == {"SEAL_SIG"}


@VERSIONS
def test_another_signer_in_the_list_under_the_makers_value(maker: Maker, version: int) -> None:
    other = maker.seal(version, signer=maker.pki.certificate("stranger"))
    seal = joined(parts(other)[0], *parts(maker.seal(version))[1:])
    found = inspect(maker, maker.signature(version, b"doc", signer="stranger", seal=seal))
    assert failed(found) == {"SEAL_SIG"}


@VERSIONS
def test_a_stranger_with_a_seal_that_does_not_list_him(maker: Maker, version: int) -> None:
    assert failed(inspect(maker, maker.signature(version, b"doc", signer="stranger"))) == {"SIGNER_NOT_IN_SEAL"}


@VERSIONS
def test_the_certificate_of_the_listed_signer_over_anothers_value(maker: Maker, version: int) -> None:
    borrowed = maker.pki.certificate("signer")
    found = inspect(maker, maker.signature(version, b"doc", signer="stranger", certificate=borrowed))
    assert failed(found) == {"SIG_VALUE"}


@VERSIONS
def test_a_certificate_of_the_signers_name_over_another_key(maker: Maker, version: int) -> None:
    """The same root, the same name and number: a list of certificates means these bytes alone."""
    own = x509.Certificate.load(maker.pki.certificate("signer"))
    twin = maker.pki.issued("stranger", SIGNING, subject=own.subject.dump(), serial=own.serial_number)
    found = inspect(maker, maker.signature(version, b"doc", signer="stranger", certificate=twin))
    assert failed(found) == {"SIGNER_NOT_IN_SEAL"}


@VERSIONS
def test_a_renewed_certificate_of_the_listed_signer(maker: Maker, version: int) -> None:
    """The same key and name: the seal must be made anew (GM/T 0031-2014 6.2.2)."""
    renewed = maker.pki.issued("signer", SIGNING)
    assert failed(inspect(maker, maker.signature(version, b"doc", certificate=renewed))) == {"SIGNER_NOT_IN_SEAL"}


def test_a_signer_listed_by_a_hash_that_no_longer_counts(maker: Maker) -> None:
    by_sm3 = maker.seal(4, listed="digest")
    signer = maker.pki.certificate("signer")
    entry = joined(wrap(19, b"1.2.156.10197.1.401"), wrap(4, sm3(signer)))
    digest = hashlib.sha1(signer, usedforsecurity=False).digest()
    weak = joined(wrap(19, b"1.3.14.3.2.26"), wrap(4, digest))
    seal = _resigned(maker, by_sm3, lambda info: _replaced(info, entry, weak))
    assert not failed(inspect(maker, seal))
    assert failed(inspect(maker, maker.signature(4, b"doc", seal=seal))) == {"SIGNER_NOT_IN_SEAL"}


def _replaced(info: bytes, old: bytes, new: bytes) -> bytes:
    """``SES_SealInfo`` with another entry in its list, all lengths right."""
    header, seal_id, properties, *rest = parts(info)
    kind, name, list_type, listed, *times = parts(properties)
    assert parts(listed) == [old]
    return joined(header, seal_id, joined(kind, name, list_type, joined(new), *times), *rest)


def _resigned(maker: Maker, seal: bytes, change: Callable[[bytes], bytes]) -> bytes:
    info, certificate, algorithm, _ = parts(seal)
    changed = change(info)
    return joined(changed, certificate, algorithm, wrap(3, b"\0" + maker.pki.sign("maker", changed)))


# --- makers in another's name -------------------------------------------------------------------------------------


@VERSIONS
def test_a_maker_of_the_same_name_under_another_root_of_the_same_name(maker: Maker, version: int) -> None:
    own = x509.Certificate.load(maker.pki.certificate("maker"))
    twin = maker.pki.issued("rogue", SIGNING, subject=own.subject.dump(), serial=own.serial_number, authority="other")
    assert x509.Certificate.load(twin).issuer.dump() == own.issuer.dump()
    assert failed(inspect(maker, maker.seal(version, maker="rogue", certificate=twin))) == {"SEAL_MAKER_CERT"}


@VERSIONS
def test_a_maker_certified_by_a_signer(maker: Maker, version: int) -> None:
    """A certificate that is no authority's issues one: its holder would make seals."""
    made = maker.pki.issued("rogue", SIGNING, authority="signer")
    assert failed(inspect(maker, maker.seal(version, maker="rogue", certificate=made))) == {"SEAL_MAKER_CERT"}


@VERSIONS
def test_a_maker_certified_by_nobody(maker: Maker, version: int) -> None:
    """Self-signed under the root's name."""
    root = x509.Certificate.load(maker.pki.root).subject.dump()
    made = maker.pki.issued("rogue", SIGNING, authority="rogue", subject=root, issuer=root)
    assert failed(inspect(maker, maker.seal(version, maker="rogue", certificate=made))) == {"SEAL_MAKER_CERT"}


@VERSIONS
def test_the_makers_certificate_over_anothers_value(maker: Maker, version: int) -> None:
    borrowed = maker.pki.certificate("maker")
    assert failed(inspect(maker, maker.seal(version, maker="rogue", certificate=borrowed))) == {"SEAL_SIG"}


@VERSIONS
def test_a_whole_seal_of_another_tree_in_a_signature_of_the_listed_signer(maker: Maker, version: int) -> None:
    """The signer is genuine and sealed with an instrument of his own making."""
    found = inspect(maker, maker.signature(version, b"doc", seal=maker.seal(version, maker="rogue")))
    assert failed(found) == {"SEAL_MAKER_CERT"}


# --- versions -----------------------------------------------------------------------------------------------------


def test_a_seal_of_version_1_in_the_shape_of_version_4(maker: Maker) -> None:
    info, signed = parts(maker.seal(1, stated=4))
    assert "SEAL_FORMAT" in failed(inspect(maker, joined(info, *parts(signed))))


def test_a_seal_of_version_4_in_the_shape_of_version_1(maker: Maker) -> None:
    info, *signed = parts(maker.seal(4))
    assert failed(inspect(maker, joined(info, joined(*signed)))) == {"SEAL_FORMAT"}


def test_a_value_of_version_1_over_what_version_4_signs(maker: Maker) -> None:
    """The maker's value over the first element alone, or over all three, does not do for the other version."""
    info, certificate, algorithm, _ = parts(maker.seal(4))
    value = maker.pki.sign("maker", joined(info, certificate, algorithm))
    assert failed(inspect(maker, joined(info, certificate, algorithm, wrap(3, b"\0" + value)))) == {"SEAL_SIG"}
    old, _ = parts(maker.seal(1))
    alone = maker.pki.sign("maker", old)
    assert failed(inspect(maker, joined(old, joined(certificate, algorithm, wrap(3, b"\0" + alone))))) == {"SEAL_SIG"}


def test_a_version_5_made_of_a_version_4_for_its_milder_rule(maker: Maker) -> None:
    """Version 5 forgives a maker that lapsed since; the number that says so is signed."""
    later = AT + 500 * DAY
    seal = maker.seal(4, until=later + DAY)
    old, new = b"\x16\x02ES\x02\x01\x04", b"\x16\x02ES\x02\x01\x05"
    assert old in seal
    milder = inspect_seal(seal.replace(old, new), trust=TrustStore((maker.pki.root,)), at=later)
    assert milder.version == 5
    assert failed(milder) == {"SEAL_SIG"}


# --- documents and timestamps --------------------------------------------------------------------------------------


@VERSIONS
def test_the_value_over_another_document(maker: Maker, version: int) -> None:
    found = inspect(maker, maker.signature(version, b"another document"))
    assert failed(found) == {"DATA_HASH"}


@VERSIONS
def test_the_digest_of_this_document_put_into_another_signature(maker: Maker, version: int) -> None:
    data = maker.signature(version, b"another document")
    found = inspect(maker, data.replace(sm3(b"another document"), sm3(b"doc")))
    assert failed(found) == {"SIG_VALUE"}


@VERSIONS
def test_a_protected_range_that_was_narrowed(maker: Maker, version: int) -> None:
    assert failed(inspect(maker, maker.signature(version, b"doc").replace(b"/whole", b"/whale"))) == {"SIG_VALUE"}


@pytest.mark.parametrize("version", [4, 5])
def test_the_timestamp_of_another_signature(maker: Maker, version: int) -> None:
    present = Maker(maker.pki, datetime.now(UTC).replace(microsecond=0))
    other = present.signature(version, b"another document", stamp=maker.pki.token)
    stamp = _stamp_of(unverified_seal_signature(other))
    found = inspect(maker, present.signature(version, b"doc", stamp=lambda _: stamp))
    assert failed(found) == {"TIMESTAMP"}


def _stamp_of(value: SealSignature) -> bytes:
    assert value.timestamp is not None
    return value.timestamp


def test_the_timestamp_of_another_seal(maker: Maker) -> None:
    other = unverified_seal(maker.seal(5, created=AT - DAY / 12, seal_id="1", stamp=maker.pki.token)).timestamp
    assert other is not None
    seal = maker.seal(5, created=AT - DAY / 12, stamp=lambda _: other)
    assert failed(inspect(maker, seal)) == {"TIMESTAMP"}


def test_a_token_that_calls_its_content_something_else(maker: Maker) -> None:
    """The type beside the content is not signed; the signed attribute says what it is."""
    own, data = (
        bytes(core.ObjectIdentifier(oid).dump()) for oid in ("1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.9.16.1.5")
    )

    def renamed(value: bytes) -> bytes:
        token = maker.pki.token(value)
        assert token.count(own) == 2
        return token.replace(own, data, 1)

    assert failed(inspect(maker, maker.seal(5, created=AT - DAY / 12, stamp=renamed))) == {"TIMESTAMP"}


def test_a_timestamp_of_an_authority_that_nobody_chose(maker: Maker, tmp_path_factory: pytest.TempPathFactory) -> None:
    stranger = make_pki(tmp_path_factory.mktemp("stranger"))
    found = inspect(maker, maker.seal(5, created=AT - DAY / 12, stamp=stranger.token))
    assert failed(found) == {"TIMESTAMP"}
