"""Every row of the standards on seals (structures, procedures, tolerances), each with the step it must lead to.

Seals are written by our own forger and signed by OpenSSL; outcomes are asserted for every step, not for one alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.seals import (
    RSA_WITH_SHA1,
    RSA_WITH_SHA256,
    Maker,
    SealPki,
    extension,
    make_pki,
    name_of,
)
from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.der import wrap
from verify.formats.seal import unverified_seal, unverified_seal_signature
from verify.formats.sm2 import raw_of
from verify.policy import DEFAULT_POLICY, Policy
from verify.seal import Inspection, inspect_seal
from verify.trust.anchors import TrustStore

AT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)  # inside certificates that OpenSSL dates from now
DAY = timedelta(days=1)
P, W, F, N = "PASSED", "WARNING", "FAILED", "NOT_RUN"
SEAL_ROWS = ("SEAL_FORMAT", "SEAL_SIG", "SEAL_CREATE_DATE", "SEAL_MAKER_CERT", "SEAL_VALIDITY", "TIMESTAMP", None)
ROWS_1 = ("FORMAT", "SIG_VALUE", "SIGNER_CERT_CHAIN", None, "SIGN_TIME_OUTSIDE_CERT", "REVOKED_BEFORE_SIGNING", None)
ROWS_4 = ("FORMAT", "SIG_VALUE", "SIGNER_NOT_IN_SEAL", "SEAL_SIG", "SIGNER_CERT_CHAIN", "SIGN_TIME_OUTSIDE_CERT")


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(make_pki(tmp_path_factory.mktemp("seals")), AT)


@pytest.fixture(scope="module")
def unrevoked(maker: Maker) -> Evidence:
    """A list that says: nobody here was revoked."""
    return Evidence(crls=(maker.pki.revocations(),))


def inspect(
    maker: Maker,
    data: bytes,
    *,
    at: datetime = AT,
    document: bytes | None = b"doc",
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
) -> Inspection:
    trust = TrustStore((maker.pki.root,))
    return inspect_seal(data, trust=trust, at=at, document=document, policy=policy, evidence=evidence)


def outcomes(found: Inspection) -> list[str]:
    return [s.outcome.value for s in found.steps]


def codes(found: Inspection) -> tuple[str | None, ...]:
    return tuple(s.code for s in found.steps)


def failed(found: Inspection) -> list[str | None]:
    return [s.code for s in found.steps if s.outcome.value == F and s.code]


# --- 4.1, a seal: each row, and what each version makes of it ---------------------------------------------------------


@pytest.mark.parametrize(("version", "own"), [(1, [N, N]), (4, [N, N]), (5, [P, N])])
def test_rows_of_a_good_seal(maker: Maker, version: int, own: list[str]) -> None:
    found = inspect(maker, maker.seal(version))
    assert codes(found) == SEAL_ROWS
    assert outcomes(found) == [P, P, own[0], P, P, own[1], P]


def test_rows_of_a_good_seal_of_version_5_with_its_timestamp(maker: Maker) -> None:
    found = inspect(maker, maker.seal(5, created=AT - DAY / 12, stamp=maker.pki.token))
    assert (found.version, outcomes(found)) == (5, [P, P, P, P, P, P, P])


def test_row_1_without_structure_nothing_else_runs(maker: Maker) -> None:
    found = inspect(maker, maker.seal(4, more=b"\x05\x00" * 2))
    assert codes(found) == SEAL_ROWS
    assert outcomes(found) == [F, N, N, N, N, N, N]


@pytest.mark.parametrize("version", [1, 4, 5])
def test_row_2_another_value(maker: Maker, version: int) -> None:
    other = maker.pki.sign("maker", b"something else")
    assert outcomes(inspect(maker, maker.seal(version, value=lambda _: other)))[1] == F


@pytest.mark.parametrize("version", [1, 4, 5])
def test_row_3_creation_is_asked_of_version_5_alone(maker: Maker, version: int) -> None:
    for created in (AT + DAY, AT + 301 * DAY):
        found = inspect(maker, maker.seal(version, created=created))
        assert failed(found) == (["SEAL_CREATE_DATE"] if version == 5 else [])


@pytest.mark.parametrize("version", [1, 4, 5])
@pytest.mark.parametrize("name", ["rogue", "exchange"])
def test_row_4_chain_or_usage_fails_in_every_version(maker: Maker, version: int, name: str) -> None:
    assert failed(inspect(maker, maker.seal(version, maker=name))) == ["SEAL_MAKER_CERT"]


@pytest.mark.parametrize(("version", "outcome"), [(1, F), (4, F), (5, W)])
def test_row_4_expired_since(maker: Maker, version: int, outcome: str) -> None:
    later = AT + 500 * DAY
    assert outcomes(inspect(maker, maker.seal(version, until=later + DAY), at=later))[3] == outcome


@pytest.mark.parametrize(("version", "outcome"), [(1, F), (4, F), (5, W)])
def test_row_4_revoked_since(maker: Maker, version: int, outcome: str) -> None:
    evidence = Evidence(crls=(maker.pki.revocations(maker=AT - DAY / 96),))
    seal = maker.seal(version, created=AT - DAY / 48)
    found = inspect(maker, seal, evidence=evidence)
    assert outcomes(found)[3] == outcome
    assert outcomes(found)[6] == (P if version == 5 else F)


@pytest.mark.parametrize("version", [1, 4, 5])
def test_row_4_revoked_before_the_creation_fails_in_every_version(maker: Maker, version: int) -> None:
    evidence = Evidence(crls=(maker.pki.revocations(maker=AT - DAY / 24),))
    assert failed(inspect(maker, maker.seal(version), evidence=evidence)) == ["SEAL_MAKER_CERT"]


def test_row_4_a_version_5_whose_maker_had_expired_when_it_was_created_fails(maker: Maker) -> None:
    later = AT + 500 * DAY
    seal = maker.seal(5, created=later - DAY, since=later - DAY, until=later + DAY)
    assert failed(inspect(maker, seal, at=later)) == ["SEAL_MAKER_CERT"]


@pytest.mark.parametrize("version", [1, 4, 5])
def test_row_5_the_ends_of_validity_belong_to_it(maker: Maker, version: int) -> None:
    seal = maker.seal(version, since=AT, until=AT + DAY)
    assert [outcomes(inspect(maker, seal, at=AT + s * DAY))[4] for s in (0, 1)] == [P, P]
    second = timedelta(seconds=1)
    assert [outcomes(inspect(maker, seal, at=at))[4] for at in (AT - second, AT + DAY + second)] == [F, F]


def test_row_6_a_timestamp_before_the_creation_fails(maker: Maker) -> None:
    """The token is of now, the seal says that it was made later."""
    found = inspect(maker, maker.seal(5, created=AT - timedelta(minutes=5), stamp=maker.pki.token))
    assert failed(found) == ["TIMESTAMP"]


def test_row_6_a_timestamp_of_another_value_fails(maker: Maker) -> None:
    found = inspect(maker, maker.seal(5, stamp=lambda value: maker.pki.token(value + b".")))
    assert failed(found) == ["TIMESTAMP"]


def test_row_6_what_is_no_token_fails(maker: Maker) -> None:
    assert failed(inspect(maker, maker.seal(5, stamp=lambda value: b"\x30\x03\x02\x01\x01"))) == ["TIMESTAMP"]


# --- 4.3 and 4.4, a seal signature -----------------------------------------------------------------------------------


def test_rows_of_a_good_signature_of_version_1(maker: Maker, unrevoked: Evidence) -> None:
    found = inspect(maker, maker.signature(1, b"doc"), evidence=unrevoked)
    assert codes(found) == (*ROWS_1, "DATA_HASH", "SEAL_SIG", None)
    assert outcomes(found) == [P] * 10


@pytest.mark.parametrize("version", [4, 5])
def test_rows_of_a_good_signature_of_the_later_versions(maker: Maker, unrevoked: Evidence, version: int) -> None:
    present = Maker(maker.pki, datetime.now(UTC).replace(microsecond=0))
    found = inspect(maker, present.signature(version, b"doc", stamp=maker.pki.token), evidence=unrevoked)
    assert codes(found) == (*ROWS_4, "DATA_HASH", "TIMESTAMP")
    assert outcomes(found) == [P] * 8
    assert tuple(s.code for s in found.steps[3].steps) == SEAL_ROWS


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_signature_with_another_value(maker: Maker, version: int) -> None:
    other = maker.pki.sign("signer", b"something else")
    assert "SIG_VALUE" in failed(inspect(maker, maker.signature(version, b"doc", value=lambda _: other)))


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_signer_who_may_not_sign(maker: Maker, version: int) -> None:
    seal = maker.seal(version, signer=maker.pki.certificate("exchange"))
    found = inspect(maker, maker.signature(version, b"doc", signer="exchange", seal=seal))
    assert failed(found) == ["SIGNER_CERT_USAGE"]


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_signer_of_another_root(maker: Maker, version: int) -> None:
    seal = maker.seal(version, signer=maker.pki.certificate("rogue"))
    found = inspect(maker, maker.signature(version, b"doc", signer="rogue", seal=seal))
    assert "SIGNER_CERT_CHAIN" in failed(found)
    assert not {"SIG_VALUE", "SIGNER_NOT_IN_SEAL", "DATA_HASH"} & set(failed(found))


def test_times_of_a_signer_who_was_revoked_before(maker: Maker) -> None:
    """Rows 4a to 4d of version 1; the later versions have one row for them."""
    evidence = Evidence(crls=(maker.pki.revocations(signer=AT - DAY / 48),))
    first = inspect(maker, maker.signature(1, b"doc"), evidence=evidence)
    assert outcomes(first)[3:7] == [N, P, F, N]
    later = inspect(maker, maker.signature(4, b"doc"), evidence=evidence)
    assert failed(later) == ["REVOKED_BEFORE_SIGNING"]


def test_times_of_a_signer_who_was_revoked_after(maker: Maker) -> None:
    evidence = Evidence(crls=(maker.pki.revocations(signer=AT + DAY),))
    first = inspect(maker, maker.signature(1, b"doc"), evidence=evidence, at=AT + 2 * DAY)
    assert outcomes(first)[3:7] == [P, P, P, W]
    assert failed(inspect(maker, maker.signature(4, b"doc"), evidence=evidence, at=AT + 2 * DAY)) == []


def test_times_of_a_signer_whom_no_anchor_knows_are_open(maker: Maker, unrevoked: Evidence) -> None:
    """Nobody says "not revoked" of a certificate to which no way leads, whatever lists are at hand."""
    seal = maker.seal(1, signer=maker.pki.certificate("rogue"))
    found = inspect(maker, maker.signature(1, b"doc", signer="rogue", seal=seal), evidence=unrevoked)
    assert outcomes(found)[3:7] == [N, P, N, N]


def test_times_without_a_list_are_open_in_version_1(maker: Maker) -> None:
    assert outcomes(inspect(maker, maker.signature(1, b"doc")))[3:7] == [N, P, N, N]


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_time_outside_the_signers_certificate(maker: Maker, version: int, unrevoked: Evidence) -> None:
    late = AT + 450 * DAY
    seal = maker.seal(version, until=AT + 900 * DAY)
    found = inspect(maker, maker.signature(version, b"doc", at=late, seal=seal), at=late, evidence=unrevoked)
    assert "SIGN_TIME_OUTSIDE_CERT" in failed(found)
    assert "SIGNER_CERT_CHAIN" not in failed(found)  # expiry is the next row's


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_signing_outside_the_seals_validity(maker: Maker, version: int) -> None:
    seal = maker.seal(version, since=AT + DAY)
    found = inspect(maker, maker.signature(version, b"doc", seal=seal))
    assert failed(found) == ["SEAL_VALIDITY"]


@pytest.mark.parametrize("version", [4, 5])
def test_a_signature_timestamp_from_elsewhere(maker: Maker, version: int) -> None:
    token = maker.pki.token(b"another signature value")
    assert failed(inspect(maker, maker.signature(version, b"doc", stamp=lambda _: token))) == ["TIMESTAMP"]


@pytest.mark.parametrize("version", [4, 5])
def test_a_signature_that_says_it_was_made_after_its_timestamp(maker: Maker, version: int) -> None:
    """The claimed time is an hour from now, the token is of now."""
    assert failed(inspect(maker, maker.signature(version, b"doc", stamp=maker.pki.token))) == ["TIMESTAMP"]


@pytest.mark.parametrize("size", [0, 20, 31, 33])
def test_a_digest_of_another_length(maker: Maker, size: int) -> None:
    found = inspect(maker, maker.signature(4, b"doc", digest=bytes(size)))
    assert failed(found) == ["DATA_HASH"]


# --- 1.1, shapes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "stated", "read"),
    [(1, 1, 1), (1, 11, 1), (1, 0, 1), (4, 4, 4), (4, 5, 5), (5, 5, 5), (1, 4, None), (1, 5, None), (4, 1, None)],
)
def test_the_shape_decides_and_the_number_must_agree(maker: Maker, version: int, stated: int, read: int | None) -> None:
    found = inspect(maker, maker.seal(version, stated=stated))
    assert found.version == read
    assert failed(found) == ([] if read else ["SEAL_FORMAT"])


def test_five_elements_are_version_5_whose_number_must_be_5(maker: Maker) -> None:
    assert failed(inspect(maker, maker.seal(4, stamp=maker.pki.token))) == ["SEAL_FORMAT"]
    assert inspect(maker, maker.seal(5, stamp=maker.pki.token)).version == 5


@pytest.mark.parametrize(("version", "stated"), [(4, 5), (5, 4), (4, 1)])
def test_the_number_of_a_signature_is_that_of_its_seal(maker: Maker, version: int, stated: int) -> None:
    found = inspect(maker, maker.signature(version, b"doc", stated=stated))
    assert (found.version, failed(found)) == (None, ["FORMAT"])


def test_a_seal_of_version_1_in_a_later_signature(maker: Maker) -> None:
    found = inspect(maker, maker.signature(4, b"doc", seal=maker.seal(1)))
    assert (found.version, failed(found)) == (None, ["FORMAT"])


def test_a_wrong_seal_inside_a_signature_has_the_seals_code(maker: Maker) -> None:
    found = inspect(maker, maker.signature(4, b"doc", seal=maker.seal(4, stated=3)))
    assert (found.version, failed(found)) == (None, ["SEAL_FORMAT"])


# --- 2, structures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("listed", ["digest", "misnamed", "name"])
def test_a_list_of_digests_under_each_name_of_sm3(maker: Maker, listed: str) -> None:
    for version in (4, 5):
        found = inspect(maker, maker.signature(version, b"doc", listed=listed))
        assert failed(found) == []
        assert found.seal is not None
        assert found.seal.remarks == (("SM3_AS_HMAC",) if listed == "misnamed" else ())


def test_a_list_of_digests_under_an_unknown_name_lists_nobody(maker: Maker) -> None:
    assert failed(inspect(maker, maker.signature(4, b"doc", listed="unknown"))) == ["SIGNER_NOT_IN_SEAL"]


@pytest.mark.parametrize(("listed", "list_type"), [("certificate", 2), ("digest", 1), ("digest", 3), ("digest", 0)])
def test_a_list_of_another_kind_than_stated(maker: Maker, listed: str, list_type: int) -> None:
    found = inspect(maker, maker.seal(4, listed=listed, list_type=list_type))
    assert failed(found) == ["SEAL_FORMAT"]


@pytest.mark.parametrize("form", ["plain", "tagged", "implicit", "octets"])
@pytest.mark.parametrize("critical", [None, False, True])
@pytest.mark.parametrize("version", [1, 4])
def test_extensions_of_a_seal_in_each_form(maker: Maker, form: str, critical: bool | None, version: int) -> None:
    seal = unverified_seal(maker.seal(version, extensions=form, critical=critical))
    assert [(e.oid, e.critical) for e in seal.extensions] == [("1.2.156.10197.6.7.2.2.1", critical is True)]


@pytest.mark.parametrize("form", ["plain", "tagged", "octets"])
def test_extensions_of_a_signature_in_each_form(maker: Maker, form: str) -> None:
    data = maker.signature(4, b"doc", extensions=form)
    assert [e.oid for e in unverified_seal_signature(data).extensions] == ["1.2.156.10197.6.7.2.2.1"]
    assert failed(inspect(maker, data)) == []


# --- 5, tolerances, and what they do not reach ------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_raw_value_of_64_bytes_counts_for_maker_and_signer(maker: Maker, version: int) -> None:
    seal = maker.seal(version, value=raw_of)
    assert failed(inspect(maker, seal)) == []
    assert failed(inspect(maker, maker.signature(version, b"doc", seal=seal, raw=True))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda v: b"\0" + v,
        lambda v: b"\2" + v,
        lambda v: b"\0" + raw_of(v),
        lambda v: b"\2" + raw_of(v),
        lambda v: b"\4" + raw_of(v),
        lambda v: raw_of(v)[:63],
        lambda v: raw_of(v) + b"\0",
        lambda v: raw_of(v).rjust(128, b"\0"),
        lambda v: v + b"\0",
        lambda v: b"",
    ],
    ids=["00der", "02der", "00raw", "02raw", "04raw", "63", "65", "skf", "tail", "empty"],
)
def test_a_value_with_stray_bytes_does_not_count(maker: Maker, change: Callable[[bytes], bytes]) -> None:
    assert failed(inspect(maker, maker.seal(4, value=change))) == ["SEAL_SIG"]
    assert "SIG_VALUE" in failed(inspect(maker, maker.signature(4, b"doc", value=change)))


@pytest.mark.parametrize(
    ("info", "remarks"),
    [
        (f"{AT:%Y%m%d%H%M%SZ}".encode(), ("TIME_AS_TEXT",)),
        (f"{AT:%y%m%d%H%M%SZ}".encode(), ("TIME_AS_TEXT",)),
        (f"{AT:%Y-%m-%dT%H:%M:%SZ}".encode(), ("TIME_AS_TEXT",)),
        (f"{AT + timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+08:00".encode(), ("TIME_AS_TEXT",)),
        (wrap(23, f"{AT:%y%m%d%H%M%SZ}".encode()), ()),
        (wrap(24, f"{AT:%Y%m%d%H%M%SZ}".encode()), ()),
        (wrap(23, f"{AT + timedelta(hours=8):%y%m%d%H%M%S}+0800".encode()), ()),
    ],
    ids=["compact", "short", "iso", "zone", "utctime", "generalizedtime", "utctime-zone"],
)
def test_time_info_of_version_1_in_each_form(maker: Maker, info: bytes, remarks: tuple[str, ...]) -> None:
    found = inspect(maker, maker.signature(1, b"doc", time_info=info))
    assert found.signature is not None
    assert (found.signature.time, found.signature.remarks, failed(found)) == (AT, remarks, [])


def test_time_info_of_version_1_as_a_token(maker: Maker) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    seal = maker.seal(1, since=before - DAY)
    data = maker.signature(1, b"doc", time_info=maker.pki.token(b"document"), seal=seal)
    found = inspect(maker, data)
    assert found.signature is not None
    assert (found.signature.time, found.signature.time_token is None) == (None, False)
    assert "SIGN_TIME_OUTSIDE_CERT" not in failed(found)


@pytest.mark.parametrize("info", [b" ", b"yesterday", b"20261301000000Z", b"2611281338Z", wrap(23, b"991332000000Z")])
def test_time_info_that_is_no_time_is_no_structure(maker: Maker, info: bytes) -> None:
    assert failed(inspect(maker, maker.signature(1, b"doc", time_info=info))) == ["FORMAT"]


def test_time_info_that_is_no_token_leaves_no_time(maker: Maker) -> None:
    found = inspect(maker, maker.signature(1, b"doc", time_info=b"\x30\x03\x02\x01\x05"))
    assert failed(found) == ["SIGN_TIME_OUTSIDE_CERT"]


def test_bytes_behind_a_certificate_are_no_certificate(maker: Maker) -> None:
    """The maker's is not in what the maker signed: anybody could put them there."""
    by = maker.pki.certificate("maker") + b"\0"
    assert failed(inspect(maker, maker.seal(4, certificate=by))) == ["SEAL_FORMAT"]
    assert failed(inspect(maker, maker.seal(4, signer=maker.pki.certificate("signer") + b"\0"))) == ["SEAL_FORMAT"]


@pytest.mark.parametrize("kind", [-1, 0, 1, 3, 4, 6, 15, 99, 2**40])
def test_kinds_are_the_business_of_who_uses_them(maker: Maker, kind: int) -> None:
    assert unverified_seal(maker.seal(4, kind=kind)).kind == kind


@pytest.mark.parametrize("seal_id", ["ZhelibanTaxSeal", "0f8fad5bd9cb469fa16570867728950e", "1", "33010600000001"])
@pytest.mark.parametrize("version", [1, 4])
def test_identifiers_are_opaque(maker: Maker, seal_id: str, version: int) -> None:
    assert unverified_seal(maker.seal(version, seal_id=seal_id)).seal_id == seal_id


@pytest.mark.parametrize("kind", ["PNG", "png", "ofd", "SVG", "GIF", "BMP", "JPG"])
def test_picture_kinds_are_as_written(maker: Maker, kind: str) -> None:
    assert unverified_seal(maker.seal(4, picture=kind)).picture.kind == kind


@pytest.mark.parametrize(
    ("named", "remarks"),
    [
        ("06082a811ccf55018375", ()),
        ("300a06082a811ccf55018375", ()),
        ("300c06082a811ccf550183750500", ()),
        ("06072a811ccf558375", ("SM2_OID_SHORT",)),
    ],
    ids=["plain", "identifier", "null", "miswritten"],
)
@pytest.mark.parametrize("version", [1, 4])
def test_the_algorithm_in_each_way_it_is_written(
    maker: Maker, named: str, remarks: tuple[str, ...], version: int
) -> None:
    found = inspect(maker, maker.seal(version, named=bytes.fromhex(named)))
    assert failed(found) == []
    assert found.seal is not None
    assert found.seal.remarks == remarks


# --- RSA, by policy ---------------------------------------------------------------------------------------------------

OLD = replace(DEFAULT_POLICY, hashes_until={})


@pytest.mark.parametrize("version", [1, 4])
@pytest.mark.parametrize(
    ("algorithm", "policy", "wrong"),
    [
        (RSA_WITH_SHA256, DEFAULT_POLICY, []),
        (RSA_WITH_SHA1, DEFAULT_POLICY, ["SEAL_SIG"]),
        (RSA_WITH_SHA1, OLD, []),
    ],
    ids=["sha256", "sha1", "sha1-allowed"],
)
def test_seals_of_rsa_keys_by_policy(
    maker: Maker, version: int, algorithm: str, policy: Policy, wrong: list[str]
) -> None:
    found = inspect(maker, maker.seal(version, maker="rsa", algorithm=algorithm), policy=policy)
    assert failed(found) == wrong


@pytest.mark.parametrize("version", [1, 4])
def test_the_digest_of_the_document_follows_the_algorithm(maker: Maker, version: int) -> None:
    """GM/T 0031-2014 5: SHA-256 with an RSA signature that says so, SM3 with SM2."""
    import hashlib

    seal = maker.seal(version, signer=maker.pki.certificate("rsa"))
    for digest, wrong in ((hashlib.sha256(b"doc").digest(), []), (None, ["DATA_HASH"])):
        data = maker.signature(version, b"doc", signer="rsa", algorithm=RSA_WITH_SHA256, seal=seal, digest=digest)
        assert failed(inspect(maker, data)) == wrong


def test_an_algorithm_of_another_kind_of_key(maker: Maker) -> None:
    wrong = maker.pki.sign("maker", b"x")
    for named in ("06082a8648ce3d040302", "06092a864886f70d01010b", "06092a864886f70d010101", "0603550403"):
        found = inspect(maker, maker.seal(4, named=bytes.fromhex(named), value=lambda _: wrong))
        assert failed(found) == ["SEAL_SIG"], named


# --- 6, certificates of real government seals -------------------------------------------------------------------------

USAGE_SHORT = bytes.fromhex("030200c0")  # unused bits stated as 0, which is not DER
EXPLICIT_FALSE = bytes.fromhex("3003010100")
LDAP = b"ldap://10.0.0.1:389/CN=crl1,OU=CRL,O=CEGN_SEAL_CA?certificateRevocationList"
CRL_PLACE = wrap(0x30, wrap(0x30, wrap(0xA0, wrap(0xA0, wrap(0x86, LDAP)))))
GOVERNMENT = name_of(C="CN", O="11370306MB2867521U某区行政审批服务局", CN="37030000001721")
ODD: dict[str, bytes] = {
    "usage-not-minimal": extension("2.5.29.15", USAGE_SHORT, True),
    "usage-not-critical": extension("2.5.29.15", bytes.fromhex("030206c0")),
    "usage-critical-false": extension("2.5.29.15", bytes.fromhex("030206c0"), False),
    "ca-explicit-false": extension("2.5.29.19", EXPLICIT_FALSE) + extension("2.5.29.15", USAGE_SHORT),
    "server-and-mail": extension("2.5.29.37", bytes.fromhex("301406082b0601050507030106082b06010505070304")),
    "stamping-critical": extension("2.5.29.37", bytes.fromhex("300a06082b06010505070308"), True),
    "ldap": extension("2.5.29.31", CRL_PLACE) + extension("2.5.29.15", USAGE_SHORT),
    "national": extension("1.2.156.10260.4.1.1", wrap(0x13, b"SF370306199001010011"))
    + extension("1.2.156.10260.4.1.4", wrap(0x13, b"MB2867521"))
    + extension("1.2.156.10260.4.1.3", wrap(0x13, b"370300000000001")),
    "private": extension("1.2.5.29.1", b"91530000000000000X") + extension("1.2.86.11.7.1", wrap(0x0C, b"tax")),
    "no-extensions": b"",
}


@pytest.mark.parametrize("odd", ODD)
def test_certificates_as_governments_have_them_are_read(maker: Maker, odd: str) -> None:
    signer = maker.pki.issued("signer", ODD[odd], subject=GOVERNMENT)
    by = maker.pki.issued("maker", ODD[odd], serial=78)
    seal = maker.seal(4, signer=signer, certificate=by)
    found = inspect(maker, maker.signature(4, b"doc", certificate=signer, seal=seal))
    assert failed(found) == [], found.to_json("en")
    assert outcomes(found)[1:5] == [P, P, P, P]
    assert "37030000001721" in found.steps[1].reason.en


@pytest.mark.parametrize(
    ("usage", "good"),
    [("030206c0", True), ("030204f0", True), ("030203f8", True), ("03020780", True), ("03020640", True)]
    + [("03020106", False), ("03020308", False), ("03020520", False), ("0303000800", False)],
)
def test_key_usages_of_makers(maker: Maker, usage: str, good: bool) -> None:
    by = maker.pki.issued("maker", extension("2.5.29.15", bytes.fromhex(usage), True))
    assert failed(inspect(maker, maker.seal(4, certificate=by))) == ([] if good else ["SEAL_MAKER_CERT"])


def test_an_odd_certificate_is_not_trusted_for_being_odd(
    maker: Maker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger: SealPki = make_pki(tmp_path_factory.mktemp("stranger"))
    by = stranger.issued("maker", ODD["ca-explicit-false"])
    seal = Maker(stranger, AT).seal(4, certificate=by, signer=maker.pki.certificate("signer"))
    assert failed(inspect(maker, seal)) == ["SEAL_MAKER_CERT"]
