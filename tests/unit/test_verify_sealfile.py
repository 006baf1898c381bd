"""Seals and seal signatures as files: one verdict, on the command line, over HTTP and in the library."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from signing.formats.eseal import SealData, SealPicture, make_seal, make_seal_signature
from signing.keys import KeyPurpose
from tests.support.seals import RSA_WITH_SHA1, Maker, make_pki
from tests.support.signing_pki import AT as PKI_AT
from tests.support.signing_pki import shared_pki
from verify import Evidence, TrustStore, Verdict, verify_any, verify_seal
from verify.formats.sm2 import sm3

AT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def maker(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(make_pki(tmp_path_factory.mktemp("seals")), AT)


@pytest.fixture(scope="module")
def unrevoked(maker: Maker) -> Evidence:
    return Evidence(crls=(maker.pki.revocations(),))


def judge(maker: Maker, data: bytes, evidence: Evidence, at: datetime = AT, document: bytes | None = None) -> Verdict:
    trust = TrustStore((maker.pki.root,))
    if document is None:
        return verify_any(data, trust=trust, at=at, evidence=evidence)
    return verify_seal(data, trust=trust, at=at, evidence=evidence, document=document)


def answers(verdict: Verdict) -> tuple[str, str, str]:
    assert verdict.standing is verdict.license is None
    return verdict.kind, verdict.integrity.value, verdict.conclusion.value


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_good_seal_is_valid_and_said_to_seal_nothing(maker: Maker, unrevoked: Evidence, version: int) -> None:
    verdict = judge(maker, maker.seal(version), unrevoked)
    assert answers(verdict) == ("seal", "INTACT", "VALID")
    assert verdict.codes() == {"SEAL_ALONE"}
    (signature,) = verdict.signatures
    assert (signature.signer, signature.format, signature.indication) == ("maker", f"ses-v{version}", "TOTAL_PASSED")
    for depth in ("conclusion", "checks", "facts"):
        assert verdict.to_json("en", depth=depth)


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_signature_is_valid_with_its_document_alone(maker: Maker, unrevoked: Evidence, version: int) -> None:
    data = maker.signature(version, b"doc")
    assert answers(judge(maker, data, unrevoked, document=b"doc")) == ("seal", "INTACT", "VALID")
    assert answers(judge(maker, data, unrevoked, document=b"dog")) == ("seal", "ALTERED", "INVALID")
    alone = judge(maker, data, unrevoked)
    assert answers(alone) == ("seal", "INTACT", "INDETERMINATE")
    assert alone.codes() == {"SEAL_DATA_ABSENT", "TIME_NOT_PROVEN"}


def test_a_timestamp_proves_the_time(maker: Maker, unrevoked: Evidence) -> None:
    present = Maker(maker.pki, datetime.now(UTC).replace(microsecond=0))
    data = present.signature(4, b"doc", stamp=maker.pki.token)
    verdict = judge(maker, data, unrevoked, document=b"doc")
    assert answers(verdict) == ("seal", "INTACT", "VALID")
    assert (verdict.codes(), verdict.signatures[0].time_source) == (set(), "timestamp")


def test_a_token_of_an_authority_below_the_root_brings_its_own_way() -> None:
    """Tokens carry the certificates between; whom no anchor knows leaves it open and proves no time."""
    pki, day = shared_pki("sm2"), timedelta(days=1)
    maker, signer, tsa = KeyPurpose.SEAL_MAKER, KeyPurpose.SEAL, KeyPurpose.TSA
    picture = SealPicture("PNG", b"\x89PNG", 42, 42)
    times = (PKI_AT - day / 2, PKI_AT - day / 2, PKI_AT + 300 * day)
    data = SealData("37030000001721", "印章", 1, "certvault", (pki.certificate(signer),), *times, picture)
    value = make_seal_signature(
        make_seal(data, pki.signer(maker), pki.certificate(maker)),
        data_hash=sm3(b"doc"),
        at=PKI_AT,
        property_info="/",
        signer=pki.signer(signer),
        certificate=pki.certificate(signer),
        stamp=lambda value: pki.tsa().stamp(sm3(value), "sm3", PKI_AT),
    )
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(maker, signer, tsa),))
    known = TrustStore((pki.root.certificate,), certificates=(pki.issuing.certificate,), allow_example=True)
    alone = TrustStore((pki.root.certificate,), allow_example=True)
    other = TrustStore((shared_pki("p256").root.certificate,), allow_example=True)
    verdicts = [
        verify_seal(value, trust=trust, at=PKI_AT + day, evidence=evidence, document=b"doc")
        for trust in (known, alone, other, TrustStore())
    ]
    assert [v.conclusion.value for v in verdicts] == ["VALID"] + ["INDETERMINATE"] * 3
    assert [v.signatures[0].time_source for v in verdicts] == ["timestamp", "timestamp", "claimed", "claimed"]
    for verdict in verdicts[2:]:
        (found,) = [f for f in verdict.findings if f.code == "TIMESTAMP_UNTRUSTED"]
        assert "tsa" in found.message("en")


def test_a_time_that_is_only_claimed_does_not_help_a_certificate_that_lapsed(maker: Maker) -> None:
    later, evidence = AT + 500 * DAY, Evidence()
    verdict = judge(maker, maker.signature(4, b"doc", until=later), evidence, at=later, document=b"doc")
    assert verdict.conclusion.value == "INDETERMINATE"
    assert "CERTIFICATE_EXPIRED_NO_POE" in verdict.codes()


def test_what_failed_is_named(maker: Maker, unrevoked: Evidence) -> None:
    other = maker.pki.sign("maker", b"other")
    stranger = maker.signature(4, b"doc", signer="stranger")
    cases: list[tuple[bytes, str, str]] = [
        (maker.seal(4, value=lambda _: other), "SEAL_SIG", "ALTERED"),
        (maker.seal(4, until=AT - timedelta(minutes=1)), "SEAL_VALIDITY", "INTACT"),
        (maker.seal(4, maker="exchange"), "SEAL_MAKER_CERT", "INTACT"),
        (maker.seal(5, created=AT + DAY), "SEAL_CREATE_DATE", "INTACT"),
        (maker.seal(5, stamp=lambda _: maker.pki.token(b"x")), "SEAL_TIMESTAMP", "INTACT"),
        (stranger, "SIGNER_NOT_IN_SEAL", "INTACT"),
        (maker.signature(1, b"doc", signer="stranger"), "SIGNER_NOT_IN_SEAL", "INTACT"),
        (maker.signature(4, b"doc", value=lambda _: other), "SIGNATURE_WRONG", "ALTERED"),
        (maker.signature(4, b"doc", at=AT - 900 * DAY), "SIGN_TIME_OUTSIDE_CERT", "INTACT"),
        (maker.seal(4)[:-1], "SEAL_FORMAT", "UNREADABLE"),
    ]
    for data, code, integrity in cases:
        verdict = judge(maker, data, unrevoked)
        assert code in verdict.codes(), (code, verdict.codes())
        assert answers(verdict) == ("seal", integrity, "INVALID"), code


def test_a_maker_who_is_not_trusted_or_not_known_unrevoked_leaves_it_open(maker: Maker) -> None:
    rogue = judge(maker, maker.seal(4, maker="rogue"), Evidence())
    assert answers(rogue) == ("seal", "INTACT", "INDETERMINATE")
    assert "NO_TRUSTED_PATH" in rogue.codes()
    unknown = judge(maker, maker.seal(4), Evidence())
    assert answers(unknown) == ("seal", "INTACT", "INDETERMINATE")
    assert "REVOCATION_UNKNOWN" in unknown.codes()
    untrusted = verify_any(maker.seal(4), trust=TrustStore(), at=AT)
    assert answers(untrusted) == ("seal", "INTACT", "INDETERMINATE")
    assert "NO_TRUSTED_PATH" in untrusted.codes()


def test_a_seal_under_a_hash_that_no_longer_counts_is_open_not_altered(maker: Maker, unrevoked: Evidence) -> None:
    verdict = judge(maker, maker.seal(1, maker="rsa", algorithm=RSA_WITH_SHA1), unrevoked)
    assert answers(verdict) == ("seal", "INTACT", "INDETERMINATE")
    assert "ALGORITHM_WEAK" in verdict.codes()


def test_a_version_5_whose_maker_lapsed_since_is_noted(maker: Maker) -> None:
    evidence = Evidence(crls=(maker.pki.revocations(maker=AT - DAY / 96),))
    verdict = judge(maker, maker.seal(5), evidence)
    assert answers(verdict) == ("seal", "INTACT", "VALID")
    assert "SEAL_MAKER_LAPSED" in verdict.codes()
    assert judge(maker, maker.seal(4), evidence).conclusion.value == "INVALID"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_command_verify_takes_seals(maker: Maker, tmp_path: Path, lang: str, capsys: Any) -> None:
    from verify.__main__ import main

    (tmp_path / "root.der").write_bytes(maker.pki.root)
    (tmp_path / "crl.der").write_bytes(maker.pki.revocations())
    (tmp_path / "good.esl").write_bytes(maker.seal(4))
    (tmp_path / "bad.esl").write_bytes(maker.seal(4).replace(b"test seal", b"best seal"))
    (tmp_path / "value.dat").write_bytes(maker.signature(4, b"doc"))
    more = ["--trust", str(tmp_path / "root.der"), "--crl", str(tmp_path / "crl.der"), "--at", AT.isoformat(), "--json"]
    for name, status in (("good.esl", 0), ("bad.esl", 10), ("value.dat", 11)):
        assert main([str(tmp_path / name), *more, "--lang", lang]) == status, name
        (only,) = json.loads(capsys.readouterr().out)["files"]
        assert only["kind"] == "seal"
        assert all(f["message"] for f in only["findings"])


def test_certvault_verify_takes_seals(maker: Maker, tmp_path: Path, capsys: Any) -> None:
    from api.cli import run

    (tmp_path / "root.der").write_bytes(maker.pki.root)
    (tmp_path / "seal.esl").write_bytes(maker.seal(4))
    (tmp_path / "bad.esl").write_bytes(maker.seal(4).replace(b"test seal", b"best seal"))
    more = ["--trust", str(tmp_path / "root.der"), "--at", f"{AT:%Y-%m-%dT%H:%M:%SZ}", "--offline", "--json"]
    for name, status in (("seal.esl", 11), ("bad.esl", 10)):
        assert run(["verify", str(tmp_path / name), *more]) == status
        (only,) = json.loads(capsys.readouterr().out)["files"]
        assert (only["kind"], only["signatures"][0]["format"], only["standing"]) == ("seal", "ses-v4", None)
