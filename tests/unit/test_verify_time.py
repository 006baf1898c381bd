"""When was it signed, and did the certificates hold then? Timestamps, expiry, revocation, purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from signing.backends import open_backend
from signing.formats.ocsp import CertificateStatus
from signing.formats.pades import Baseline, extend_archive
from signing.formats.x509 import CertificateRequestData, Subject, issue_certificate, random_serial
from signing.keys import KeyPurpose
from tests.support.sealed import ISSUER_CODE, ISSUER_NAME, Sealed, build, validation_data
from tests.support.signing_pki import AT, BASE_URL, Pki, build_pki, serial_of
from verify import Conclusion, Evidence, Integrity, Standing, Verdict, verify_document

TYPE = "driving-license"
DAY = timedelta(days=1)


@pytest.fixture
def pki() -> Pki:
    return build_pki(open_backend("memory:"))


def recertify(pki: Pki, purpose: KeyPurpose, *, days: int, as_purpose: KeyPurpose | None = None) -> None:
    """Give a leaf another certificate over the same key: other life, or other purpose."""
    _, signer = pki.leafs[purpose]
    certificate = issue_certificate(
        pki.issuing,
        CertificateRequestData(
            Subject(f"{ISSUER_NAME} seal", ISSUER_NAME, ISSUER_CODE),
            replace(signer.handle, purpose=as_purpose or purpose),
            random_serial(),
            AT - DAY,
            AT + days * DAY,
            ca_name="issuing-1",
            base_url=BASE_URL,
        ),
    )
    pki.leafs[purpose] = (certificate, signer)
    pki.statuses[serial_of(certificate)] = CertificateStatus("good")


def judge(sealed: Sealed, at: datetime, pdf: bytes | None = None, evidence: Evidence | None = None) -> Verdict:
    return verify_document(
        sealed.pdf if pdf is None else pdf, trust=sealed.trust(), at=at, evidence=evidence or Evidence()
    )


def test_a_timestamp_proves_the_seal_after_its_certificate_has_expired(pki: Pki) -> None:
    recertify(pki, KeyPurpose.SEAL, days=30)
    sealed = build(pki, TYPE)
    verdict = judge(sealed, AT + 60 * DAY)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.signatures[0].time_source == "timestamp"
    assert verdict.signatures[0].signed_at == AT


def test_without_a_timestamp_an_expired_certificate_leaves_doubt(pki: Pki) -> None:
    recertify(pki, KeyPurpose.SEAL, days=30)
    sealed = build(pki, TYPE, baseline=Baseline.B_B)
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(KeyPurpose.SEAL),))
    before = judge(sealed, AT + DAY, evidence=evidence)
    assert before.conclusion is Conclusion.VALID, before.findings
    assert before.signatures[0].time_source == "claimed"
    assert before.signatures[0].format == "PAdES-B-B"
    after = judge(sealed, AT + 60 * DAY, evidence=evidence)
    assert after.conclusion is Conclusion.INDETERMINATE
    assert "CERTIFICATE_EXPIRED_NO_POE" in after.codes()
    assert after.integrity is Integrity.INTACT


def test_an_expired_timestamp_certificate_leaves_doubt_unless_archived(pki: Pki) -> None:
    recertify(pki, KeyPurpose.SEAL, days=30)
    recertify_tsa(pki, days=40)
    sealed = build(pki, TYPE)
    assert judge(sealed, AT + 60 * DAY).conclusion is Conclusion.INDETERMINATE
    assert "TIMESTAMP_UNTRUSTED" in judge(sealed, AT + 60 * DAY).codes()
    later = AT + 35 * DAY
    recertify_tsa(pki, days=400)
    archived = extend_archive(sealed.pdf, stamp=pki.tsa().at(later), validation=validation_data(pki, later), at=later)
    verdict = judge(sealed, AT + 60 * DAY, archived)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert verdict.signatures[0].signed_at == AT
    assert verdict.signatures[0].format == "PAdES-B-LTA"


def recertify_tsa(pki: Pki, *, days: int) -> None:
    handle = pki.backend.generate(f"tsa-{days}", pki.signer(KeyPurpose.TSA).handle.algorithm, KeyPurpose.TSA)
    signer = type(pki.signer(KeyPurpose.TSA))(pki.backend, handle)
    pki.leafs[KeyPurpose.TSA] = (pki.certificate(KeyPurpose.TSA), signer)
    recertify(pki, KeyPurpose.TSA, days=days)


@pytest.mark.parametrize(("days", "conclusion"), [(-0.5, Conclusion.INVALID), (5, Conclusion.VALID)])
def test_a_seal_revoked_before_it_was_used_is_invalid_and_revoked_later_is_not(
    pki: Pki, days: float, conclusion: Conclusion
) -> None:
    sealed = build(pki, TYPE)
    pki.statuses[serial_of(pki.certificate(KeyPurpose.SEAL))] = CertificateStatus("revoked", AT + days * DAY)
    when = AT + 10 * DAY
    evidence = Evidence(ocsps=(pki.ocsp(KeyPurpose.SEAL, at=when),))
    revoked = build(pki, TYPE) if days < 0 else sealed
    verdict = judge(revoked, when, evidence=evidence)
    assert verdict.conclusion is conclusion, verdict.findings
    assert ("CERTIFICATE_REVOKED" in verdict.codes()) is (conclusion is Conclusion.INVALID)
    assert verdict.integrity is Integrity.INTACT


def test_without_revocation_data_there_is_doubt(pki: Pki) -> None:
    sealed = build(pki, TYPE, baseline=Baseline.B_T)
    verdict = judge(sealed, AT + DAY)
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "REVOCATION_UNKNOWN" in verdict.codes()
    assert verdict.signatures[0].format == "PAdES-B-T"


def test_checked_before_it_was_signed(pki: Pki) -> None:
    verdict = judge(build(pki, TYPE), AT - timedelta(hours=2))
    assert verdict.integrity is Integrity.INTACT
    assert verdict.conclusion is Conclusion.INDETERMINATE, verdict.findings


def test_a_certificate_for_records_seals_no_document(pki: Pki) -> None:
    recertify(pki, KeyPurpose.SEAL, days=400, as_purpose=KeyPurpose.RECORD)
    verdict = judge(build(pki, TYPE), AT + DAY)
    assert verdict.conclusion is Conclusion.INVALID
    assert "CERTIFICATE_PURPOSE" in verdict.codes()


def _dates(**changes: Any) -> Any:
    return lambda record: replace(record, **changes)


@pytest.mark.parametrize(
    ("at", "standing"),
    [
        (datetime.fromisoformat("2026-12-31T23:59:59+08:00"), Standing.NOT_YET),
        (datetime.fromisoformat("2027-01-01T00:00:00+08:00"), Standing.IN_FORCE),
        (datetime.fromisoformat("2027-06-30T23:59:59+08:00"), Standing.IN_FORCE),
        (datetime.fromisoformat("2027-07-01T00:00:00+08:00"), Standing.EXPIRED),
    ],
)
def test_days_begin_and_end_in_china(pki: Pki, at: datetime, standing: Standing) -> None:
    from datetime import date

    from tests.support.sealed import STATUS_URI, status_list

    sealed = build(pki, TYPE, change_record=_dates(valid_from=date(2027, 1, 1), valid_to=date(2027, 6, 30)))
    evidence = Evidence(status_lists={STATUS_URI: status_list(pki, at=at)})
    verdict = judge(sealed, at, evidence=evidence)
    assert verdict.standing is standing, verdict.findings
    assert verdict.conclusion is Conclusion.VALID


def test_one_version_has_been_followed_by_another(pki: Pki) -> None:
    sealed = build(pki, TYPE)
    verdict = judge(sealed, AT + DAY, evidence=sealed.evidence(lookup=lambda _: sealed.facts(current_version=2)))
    assert verdict.standing is Standing.SUPERSEDED
    assert verdict.conclusion is Conclusion.VALID


@pytest.mark.parametrize("kind", ["record", "code"])
def test_a_record_or_code_of_a_revoked_key_is_open_unless_the_vault_vouches(pki: Pki, kind: str) -> None:
    """Nothing proves when it was made: whoever stole the key can date it back."""
    from verify import verify_code, verify_record

    purpose = KeyPurpose.RECORD if kind == "record" else KeyPurpose.CODE
    sealed = build(pki, TYPE)
    when = AT + 10 * DAY
    pki.statuses[serial_of(pki.certificate(purpose))] = CertificateStatus("revoked", AT + 5 * DAY)
    evidence = Evidence(ocsps=(pki.ocsp(purpose, at=when),))

    def verdict(given: Evidence) -> Verdict:
        if kind == "record":
            return verify_record(sealed.sd_jwt, trust=sealed.trust(), at=when, evidence=given)
        return verify_code(sealed.code, trust=sealed.trust(), at=when, evidence=given)

    alone = verdict(evidence)
    assert alone.conclusion is Conclusion.INDETERMINATE, alone.findings
    assert "CERTIFICATE_REVOKED_NO_POE" in alone.codes()
    vouched = verdict(replace(evidence, lookup=lambda _: sealed.facts()))
    assert vouched.conclusion is Conclusion.VALID, vouched.findings
    # a thief copies every digest that bytes claim of themselves: only the very bytes are vouched for
    copied = verdict(replace(evidence, lookup=lambda _: sealed.facts(token_sha256="0" * 64, code_sha256="0" * 64)))
    assert copied.conclusion is Conclusion.INVALID, copied.findings
    assert {"CERTIFICATE_REVOKED_NO_POE", "VAULT_RECORD_DIFFERS"} <= copied.codes()


def test_a_seal_without_timestamp_whose_certificate_was_revoked_since_is_open(pki: Pki) -> None:
    sealed = build(pki, TYPE, baseline=Baseline.B_B)
    pki.statuses[serial_of(pki.certificate(KeyPurpose.SEAL))] = CertificateStatus("revoked", AT + 5 * DAY)
    when = AT + 10 * DAY
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(KeyPurpose.SEAL, at=when),))
    verdict = judge(sealed, when, evidence=evidence)
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert "CERTIFICATE_REVOKED_NO_POE" in verdict.codes()
    assert verdict.signatures[0].sub_indication == "REVOKED_NO_POE"


# --- proofs of existence ---------------------------------------------------------------------------------------------


def test_an_archive_timestamp_proves_nothing_of_what_came_after_it() -> None:
    """The signature of a later revision has not existed since the earlier timestamp (ETSI EN 319 102-1 5.6.2.3)."""
    from verify.checks.trusttime import Proofs

    proofs = Proofs(AT, [(1000, AT - 5 * DAY), (3000, AT - 2 * DAY)])
    assert [proofs.moment(end) for end in (500, 1000, 2000, 3000)] == [AT - 5 * DAY, AT - 2 * DAY, AT - 2 * DAY, AT]


@pytest.mark.parametrize(("reason", "conclusion"), [("key_compromise", "open"), ("superseded", "valid")])
def test_a_timestamp_authority_revoked_since(pki: Pki, reason: str, conclusion: str) -> None:
    """A leaked key can write any time, so its tokens lose their worth; not those of one given up (RFC 3161 4)."""
    sealed = build(pki, TYPE)
    pki.statuses[serial_of(pki.certificate(KeyPurpose.TSA))] = CertificateStatus("revoked", AT + DAY, reason)
    later = AT + 3 * DAY
    evidence = Evidence(ocsps=(pki.ocsp(KeyPurpose.TSA, at=later),))
    verdict = judge(sealed, later, evidence=evidence)
    assert verdict.integrity is Integrity.INTACT
    assert ("TIMESTAMP_UNTRUSTED" in verdict.codes()) is (conclusion == "open"), verdict.findings


@pytest.mark.parametrize(
    "at",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-timedelta(hours=12))),
        datetime(1970, 1, 1),  # noqa: DTZ001 - what a careless caller gives
    ],
)
def test_moments_at_the_ends_of_the_calendar(at: datetime) -> None:
    """Nothing raises, no check is skipped, and the moment is written with four digits for the year."""
    from tests.support.sealed import genuine
    from verify import verify_code, verify_record

    one = genuine(type_name="business-license-duplicate")
    given: dict[str, Any] = {"trust": one.trust(), "at": at, "evidence": one.evidence()}
    for verdict in (
        verify_document(one.pdf, **given),
        verify_record(one.sd_jwt, **given),
        verify_code(one.code, **given),
    ):
        assert not verdict.codes() & {"INTERNAL", "CHECK_NOT_RUN"}, verdict.findings
        assert verdict.conclusion is not Conclusion.VALID
        assert len(verdict.to_json()["at"]) == len("0001-01-01T00:00:00Z")


def test_the_time_of_a_document_timestamp_that_nobody_trusts_is_only_claimed(pki: Pki) -> None:
    sealed = build(pki, TYPE, baseline=Baseline.B_LTA)
    for trust, source in ((sealed.trust(), "timestamp"), (sealed.trust(anchors=()), "claimed")):
        stamp = verify_document(sealed.pdf, trust=trust, at=AT + DAY).signatures[-1]
        assert (stamp.format, stamp.signed_at, stamp.time_source) == ("ETSI.RFC3161", AT, source)
