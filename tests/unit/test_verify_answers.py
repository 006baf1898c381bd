"""The separate answers: what findings do to them, how they are shown, and that every code can be said."""

from __future__ import annotations

import json
import re
import string
from datetime import UTC, datetime

import pytest

from verify import CATALOG, About, Conclusion, Integrity, Severity, Standing, TrustStore, Verdict, all_codes
from verify.evidence import NO_EVIDENCE
from verify.findings import Finding, finding
from verify.inquiry import Inquiry
from verify.messages import en, zh
from verify.policy import DEFAULT_POLICY
from verify.verdict import LicenseView, SignatureReport, conclusion_from, integrity_from, standing_from

AT = datetime(2026, 1, 1, tzinfo=UTC)


def inquiry() -> Inquiry:
    return Inquiry("pdf", trust=TrustStore(), at=AT, policy=DEFAULT_POLICY, evidence=NO_EVIDENCE)


def test_every_code_is_worded_in_both_languages() -> None:
    assert set(zh.TEXTS) == set(CATALOG) == set(en.TEXTS)


@pytest.mark.parametrize("code", sorted(CATALOG))
def test_both_languages_use_the_same_parameters(code: str) -> None:
    slots = [set(re.findall(r"\{([a-z_]+)\}", table[code])) for table in (zh.TEXTS, en.TEXTS)]
    assert slots[0] == slots[1]


def test_the_list_of_codes_names_meaning_and_answer() -> None:
    listed = all_codes("en")
    assert {c["code"] for c in listed} == set(CATALOG)
    for row in listed:
        assert row["about"] in {"integrity", "conclusion", "standing", "recognition"}
        assert row["zh"]
        assert row["en"] == row["message"]
        assert "{" not in row["en"]


def test_a_message_shows_no_control_characters_and_has_an_end() -> None:
    found = finding("PDF_BROKEN", reason="a\x1b[31m\n" + "x" * 1000)
    message = found.message("en")
    assert all(c.isprintable() for c in message)
    assert len(message) < 400


@pytest.mark.parametrize(
    ("codes", "integrity"),
    [
        ([], Integrity.INTACT),
        (["CHANGE_PERMITTED"], Integrity.INTACT),
        (["UNSIGNED"], Integrity.UNSIGNED),
        (["PDF_BROKEN"], Integrity.UNREADABLE),
        (["PDF_BROKEN", "UNSIGNED"], Integrity.UNREADABLE),
        (["PDF_BROKEN", "DIGEST_MISMATCH"], Integrity.ALTERED),
        (["CERTIFICATE_REVOKED", "STATUS_REVOKED"], Integrity.INTACT),
    ],
)
def test_integrity_follows_from_findings_about_integrity(codes: list[str], integrity: Integrity) -> None:
    assert integrity_from([finding(c) for c in codes]) is integrity


@pytest.mark.parametrize(
    ("integrity", "codes", "conclusion"),
    [
        (Integrity.INTACT, [], Conclusion.VALID),
        (Integrity.INTACT, ["TIME_NOT_PROVEN"], Conclusion.VALID),
        (Integrity.INTACT, ["NO_TRUSTED_PATH"], Conclusion.INDETERMINATE),
        (Integrity.INTACT, ["NO_TRUSTED_PATH", "CERTIFICATE_REVOKED"], Conclusion.INVALID),
        (Integrity.INTACT, ["STATUS_REVOKED", "EXPIRED"], Conclusion.VALID),
        (Integrity.ALTERED, [], Conclusion.INVALID),
        (Integrity.UNREADABLE, [], Conclusion.INVALID),
        (Integrity.UNSIGNED, [], Conclusion.INDETERMINATE),
        (Integrity.UNSIGNED, ["PAGE_TEXT_DIFFERS"], Conclusion.INVALID),
    ],
)
def test_the_conclusion_follows_from_integrity_and_findings_about_it(
    integrity: Integrity, codes: list[str], conclusion: Conclusion
) -> None:
    assert conclusion_from(integrity, [finding(c) for c in codes]) is conclusion


@pytest.mark.parametrize(
    ("codes", "standing"),
    [
        ([], Standing.IN_FORCE),
        (["STATUS_UNAVAILABLE"], Standing.UNKNOWN),
        (["STATUS_STALE", "EXPIRED"], Standing.EXPIRED),
        (["EXPIRED", "STATUS_REVOKED"], Standing.REVOKED),
        (["STATUS_SUSPENDED"], Standing.SUSPENDED),
        (["NOT_YET_IN_FORCE", "STATUS_UNAVAILABLE"], Standing.NOT_YET),
        (["STATUS_SUPERSEDED", "EXPIRED"], Standing.SUPERSEDED),
        (["NO_TRUSTED_PATH"], Standing.IN_FORCE),
    ],
)
def test_the_weightiest_fact_decides_the_standing(codes: list[str], standing: Standing) -> None:
    assert standing_from([finding(c) for c in codes]) is standing


def test_nothing_is_valid_while_a_demanded_check_did_not_run() -> None:
    run = inquiry()
    run.signatures.append(SignatureReport("f", "s", "x", Integrity.INTACT, "TOTAL_PASSED"))
    run.license = LicenseView("i", "t", "n", 1, (), "o")
    verdict = run.conclude(("signatures",))
    assert verdict.conclusion is Conclusion.INDETERMINATE
    assert verdict.license is None
    assert "CHECK_NOT_RUN" in verdict.codes()


def test_nothing_is_valid_without_a_signature() -> None:
    assert inquiry().conclude(()).conclusion is Conclusion.INDETERMINATE


def test_whatever_a_check_raises_becomes_a_finding() -> None:
    run = inquiry()
    for error in (ValueError("x"), KeyError("y"), RecursionError(), MemoryError(), AssertionError()):
        with run.check("one"):
            raise error
    assert run.ran == []
    assert {f.code for f in run.findings} == {"INTERNAL", "LIMIT_EXCEEDED"}


def test_an_interrupt_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt), inquiry().check("one"):
        raise KeyboardInterrupt


def test_a_verdict_is_shown_as_interfaces_say() -> None:
    verdict = Verdict(
        kind="pdf",
        integrity=Integrity.INTACT,
        conclusion=Conclusion.VALID,
        standing=Standing.IN_FORCE,
        at=AT,
        signatures=(
            SignatureReport("Seal1", "S", "PAdES-B-LT", Integrity.INTACT, "TOTAL_PASSED", "", AT, "timestamp", True),
        ),
        license=LicenseView("1.2", "t", "n", 1, (), "issuer", {"name": "甲"}),
        findings=(Finding("SAMPLE", About.CONCLUSION, Severity.NOTE),),
        elapsed_ms=1.23,
    )
    shown = json.loads(json.dumps(verdict.to_json("en")))
    assert list(shown) == [
        "kind", "integrity", "conclusion", "standing", "recognition", "at", "signatures", "license", "findings",
        "elapsed_ms",
    ]  # fmt: skip
    assert shown["at"] == "2026-01-01T00:00:00Z"
    assert set(shown["signatures"][0]) == {
        "field", "signer", "format", "integrity", "indication", "sub_indication", "signed_at", "time_source",
        "covers_whole_file",
    }  # fmt: skip
    assert set(shown["license"]) == {"identifier", "type", "number", "version", "holders", "issuer", "fields"}
    assert {"code", "about", "severity", "message", "where", "place", "clause"} <= set(shown["findings"][0])
    assert set(shown["findings"][0]["code"]) <= set(string.ascii_uppercase + "_")
