"""Recognition: each condition of an agreement, each doubt about what is known, and the data in our schema."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.recognition import DAY, HOME, THEIRS, TYPE, World, agreement, license_of, listed, severities, world
from tests.support.sealed import ISSUER_CODE, NOW
from tests.support.signing_pki import AT
from verify.formats.agreement import Conditions, FieldRule
from verify.formats.refusal import Text
from verify.trust.regions import KnownAgreement
from verify.verdict import Conclusion, Outcome, Standing, Verdict

RULES = (
    FieldRule("operator_name", "operator_name"),
    FieldRule("business_scope", "business_scope"),
    FieldRule("remarks", "economic_nature", values={"有限责任公司": "公司"}),
    FieldRule("valid_to", value="见原件"),
)


def outcome(verdict: Verdict) -> Outcome:
    assert verdict.recognition is not None, verdict.findings
    return verdict.recognition.outcome


def conditions(**changes: Any) -> Any:
    return agreement(conditions=Conditions(**changes))


@pytest.mark.parametrize("kind", ["pdf", "record", "code"])
def test_a_license_counts_whatever_carries_it(kind: str) -> None:
    verdict = world().verdict(license_of(), kind)
    assert verdict.conclusion is Conclusion.VALID, verdict.findings
    assert outcome(verdict) is Outcome.RECOGNIZED, verdict.findings
    assert verdict.recognition is not None
    assert (verdict.recognition.region, verdict.recognition.as_type) == (THEIRS, "our-transport")
    assert severities(verdict, "RECOGNITION_KNOWLEDGE") == ["NOTE"]
    assert "recognition" in verdict.checks
    basis = verdict.recognition.to_json()["basis"]
    assert basis["list"]["sequence"] == 3
    assert len(basis["list"]["sha256"]) == 64
    assert basis["agreement"] == {"id": "a0000001", "version": 1}
    assert basis["status_list"]["issued"] == "2026-11-23T08:00:00Z"


def test_fields_of_the_same_name_are_taken_over_where_there_are_no_rules() -> None:
    verdict = world().verdict(license_of())
    assert verdict.recognition is not None
    assert set(verdict.recognition.license) == {
        "operator_name", "unified_social_credit_code", "business_scope", "valid_to"
    }  # fmt: skip
    assert verdict.recognition.license["operator_name"] == license_of().record.fields["operator_name"]
    assert severities(verdict, "FIELD_DROPPED") == ["NOTE"]


def test_fields_are_mapped_and_values_translated_by_rule() -> None:
    verdict = world(agreement(fields=RULES)).verdict(license_of())
    assert verdict.recognition is not None
    assert verdict.recognition.license == {
        "operator_name": "开封市通达物流有限公司",
        "business_scope": "道路普通货物运输；货物专用运输（集装箱）",
        "remarks": "公司",
        "valid_to": "见原件",
    }
    assert severities(verdict, "FIELD_NAMES_DIFFER") == ["NOTE"]
    told = next(f for f in verdict.findings if f.code == "FIELD_NAMES_DIFFER")
    assert "economic_nature → remarks" in told.message("en")


def test_a_code_yields_what_it_has() -> None:
    rules = (*RULES[1:], FieldRule("operator_name", "certificateHolderName"))
    verdict = world(agreement(fields=rules)).verdict(license_of(), "code")
    assert outcome(verdict) is Outcome.RECOGNIZED
    assert verdict.recognition is not None
    assert verdict.recognition.license == {"operator_name": "开封市通达物流有限公司", "valid_to": "见原件"}
    assert severities(verdict, "FIELD_UNMAPPED") == ["NOTE"]


@pytest.mark.parametrize("kind", ["record", "code"])
def test_a_field_that_nothing_can_fill_stands_against_every_carrier(kind: str) -> None:
    verdict = world(agreement(fields=RULES[:1])).verdict(license_of(), kind)
    assert outcome(verdict) is Outcome.NOT_RECOGNIZED
    assert severities(verdict, "FIELD_UNMAPPED")[0] == "FATAL"
    assert verdict.conclusion is Conclusion.VALID, "the license itself is as genuine as before"
    assert verdict.recognition is not None
    assert verdict.recognition.license == {}


@pytest.mark.parametrize(("ours", "severity"), [("business_scope", "FATAL"), ("remarks", "NOTE")])
def test_a_value_that_the_rule_does_not_translate(ours: str, severity: str) -> None:
    rules = (*(r for r in RULES if r.ours != ours), FieldRule(ours, "economic_nature", values={"国有": "A"}))
    verdict = world(agreement(fields=rules)).verdict(license_of())
    assert severities(verdict, "FIELD_VALUE_UNMAPPED") == [severity]
    assert outcome(verdict) is (Outcome.NOT_RECOGNIZED if severity == "FATAL" else Outcome.RECOGNIZED)


@pytest.mark.parametrize(
    "schema",
    [{"maxLength": 1}, {"minLength": 90}, {"enum": ["A", "B"]}, {"x-format": "date"}, {"x-format": "uscc"}],
    ids=lambda schema: next(iter(schema)),
)
def test_a_value_that_our_schema_does_not_allow_is_not_put_there(schema: dict[str, Any]) -> None:
    """Another region's issuer decides what its license says, not what stands in our fields."""
    known = world(agreement(fields=RULES), schemas=(("our-transport", json.dumps({"remarks": schema})),))
    verdict = known.verdict(license_of())
    assert severities(verdict, "FIELD_VALUE_UNMAPPED") == ["NOTE"]
    assert verdict.recognition is not None
    assert "remarks" not in verdict.recognition.license
    must = world(agreement(fields=RULES), schemas=(("our-transport", json.dumps({"business_scope": schema})),))
    assert outcome(must.verdict(license_of())) is Outcome.NOT_RECOGNIZED


def test_a_value_that_our_schema_allows_is_taken_over() -> None:
    schema = {"remarks": {"minLength": 1, "maxLength": 60, "enum": ["国有", "公司"], "x-format": "text"}}
    known = world(agreement(fields=RULES), schemas=(("our-transport", json.dumps(schema)),))
    assert outcome(known.verdict(license_of())) is Outcome.RECOGNIZED


@pytest.mark.parametrize(
    ("changed", "code", "severity"),
    [
        (agreement(theirs="another-type"), "NO_AGREEMENT", "FATAL"),
        (agreement(accepting="120000"), "NO_AGREEMENT", "FATAL"),
        (agreement(starts=NOW + DAY), "AGREEMENT_NOT_YET", "FATAL"),
        (agreement(ends=NOW), "AGREEMENT_OVER", "FATAL"),
        (agreement(revoked=True), "AGREEMENT_REVOKED", "FATAL"),
        (conditions(issuer_level=2), "ISSUER_LEVEL_LOW", "FATAL"),
        (conditions(issued_from=date(2026, 1, 1)), "ISSUED_OUTSIDE_AGREEMENT", "FATAL"),
        (conditions(issued_until=date(2023, 7, 31)), "ISSUED_OUTSIDE_AGREEMENT", "FATAL"),
        (conditions(carriers=("pdf",)), "CARRIER_NOT_ACCEPTED", "FATAL"),
        (conditions(only={"economic_nature": ("国有企业",)}), "TYPE_NARROWED", "FATAL"),
        (conditions(only={"no_such_field": ("x",)}), "TYPE_NARROWED", "FATAL"),
        (conditions(standings=("SUSPENDED",)), "RECOGNITION_STANDING", "FATAL"),
        (conditions(standing_age=30), "RECOGNITION_STANDING_OLD", "DOUBT"),
    ],
)
def test_each_condition_has_its_finding(changed: Any, code: str, severity: str) -> None:
    verdict = world(changed).verdict(license_of())
    assert severities(verdict, code) == [severity], verdict.findings
    assert outcome(verdict) is (Outcome.NOT_RECOGNIZED if severity == "FATAL" else Outcome.UNKNOWN)
    assert verdict.conclusion is Conclusion.VALID
    assert verdict.recognition is not None
    assert (verdict.recognition.as_type, verdict.recognition.license) == ("", {})


@pytest.mark.parametrize(
    "met",
    [
        conditions(issuer_level=3),
        conditions(issued_from=date(2023, 8, 1), issued_until=date(2023, 8, 1)),
        conditions(carriers=("record",), standing_age=90),
        conditions(only={"economic_nature": ("有限责任公司", "国有企业")}),
        agreement(ends=NOW + timedelta(seconds=1)),
    ],
)
def test_conditions_that_are_met(met: Any) -> None:
    assert outcome(world(met).verdict(license_of())) is Outcome.RECOGNIZED


@pytest.mark.parametrize("kind", ["record", "code"])
def test_an_issuers_word_is_no_proof_of_the_time(kind: str) -> None:
    verdict = world(conditions(assurance="timestamped")).verdict(license_of(), kind)
    assert severities(verdict, "ASSURANCE_LOW") == ["FATAL"]


def test_a_timestamp_is_proof_of_the_time() -> None:
    verdict = world(conditions(assurance="timestamped", carriers=("pdf",))).verdict(license_of(), "pdf")
    assert outcome(verdict) is Outcome.RECOGNIZED


def test_what_a_code_does_not_say_leaves_a_narrowing_open() -> None:
    verdict = world(conditions(only={"economic_nature": ("有限责任公司",)})).verdict(license_of(), "code")
    assert severities(verdict, "TYPE_NARROWED") == ["DOUBT"]
    assert outcome(verdict) is Outcome.UNKNOWN


def test_the_agreement_says_in_both_languages_that_the_license_counts_for_less() -> None:
    verdict = world(agreement(note_zh="仅限货运", note_en="freight only")).verdict(license_of())
    assert outcome(verdict) is Outcome.RECOGNIZED
    (told,) = [f for f in verdict.findings if f.code == "TYPE_NARROWED"]
    assert isinstance(told.params["reason"], Text)
    assert "仅限货运" in told.message("zh")
    assert "freight only" in told.message("en")


@pytest.mark.parametrize(("value", "standing"), [(1, "REVOKED"), (2, "SUSPENDED"), (3, "SUPERSEDED")])
def test_a_license_that_does_not_hold_there_does_not_count_here(value: int, standing: str) -> None:
    sealed = license_of()
    verdict = world().verdict(sealed, evidence=sealed.evidence(value))
    assert severities(verdict, "RECOGNITION_STANDING") == ["FATAL"]
    assert verdict.standing is not None
    assert verdict.standing.value == standing
    accepting = world(conditions(standings=("IN_FORCE", standing))).verdict(sealed, evidence=sealed.evidence(value))
    assert outcome(accepting) is Outcome.RECOGNIZED


def test_without_a_status_list_the_answer_is_open_even_where_the_expired_count() -> None:
    """A license that has expired may have been revoked before."""
    sealed, late = license_of(), AT + timedelta(days=400)
    lists = (listed(next_update=late + DAY),)
    asked = world(conditions(standings=("IN_FORCE", "EXPIRED")), lists=lists)
    verdict = asked.verdict(sealed, evidence=replace(sealed.evidence(), status_lists={}), at=late)
    assert verdict.standing in (Standing.EXPIRED, Standing.UNKNOWN)
    assert severities(verdict, "RECOGNITION_STANDING_UNKNOWN") == ["DOUBT"]


def test_every_reason_is_told_at_once() -> None:
    changed = replace(conditions(issuer_level=1, standings=("EXPIRED",), carriers=("code",)), ends=NOW - DAY)
    verdict = world(changed, lists=(listed(next_update=NOW - DAY),)).verdict(license_of())
    expected = {"ISSUER_LEVEL_LOW", "RECOGNITION_STANDING", "CARRIER_NOT_ACCEPTED", "AGREEMENT_OVER"}
    assert expected | {"TRUST_LIST_STALE"} <= verdict.codes()


def test_a_list_that_ran_out_leaves_the_answer_open_and_says_its_age() -> None:
    verdict = world(lists=(listed(next_update=NOW - DAY),)).verdict(license_of())
    assert outcome(verdict) is Outcome.UNKNOWN
    (told,) = [f for f in verdict.findings if f.code == "TRUST_LIST_STALE"]
    assert told.params["age"] == "1 d"


@pytest.mark.parametrize("fault", ["TRUST_LIST_ROLLBACK", "TRUST_LIST_EQUIVOCATED"])
def test_a_fault_of_the_region_leaves_the_answer_open(fault: str) -> None:
    trust = world().trust()
    assert trust.regions is not None
    known = tuple(replace(k, faults=(fault,)) for k in trust.regions.known)
    doubted = replace(trust, regions=replace(trust.regions, known=known))
    verdict = world().verdict(license_of(), trust=doubted)
    assert severities(verdict, fault) == ["DOUBT"]
    assert outcome(verdict) is Outcome.UNKNOWN


def test_a_license_of_a_region_nobody_adopted() -> None:
    verdict = world(lists=()).verdict(license_of())
    assert severities(verdict, "REGION_UNKNOWN") == ["DOUBT"]
    assert outcome(verdict) is Outcome.UNKNOWN
    assert verdict.license is None


def test_our_own_licenses_are_not_asked_about() -> None:
    verdict = world().verdict(license_of(HOME))
    assert verdict.recognition is None
    assert "RECOGNITION_KNOWLEDGE" not in verdict.codes()


def test_without_regions_nothing_is_asked() -> None:
    sealed = license_of()
    assert world().verdict(sealed, trust=replace(sealed.trust(), regions=None)).recognition is None


def test_an_altered_license_is_not_recognized_and_yields_no_data() -> None:
    sealed = license_of()
    broken = replace(sealed, pdf=sealed.pdf.replace(b"/Type /Page", b"/Type /Pagf", 1))
    verdict = world().verdict(broken, "pdf")
    assert verdict.conclusion is Conclusion.INVALID
    assert outcome(verdict) is Outcome.NOT_RECOGNIZED
    assert verdict.recognition is not None
    assert verdict.recognition.license == {}


def test_versions_of_an_agreement() -> None:
    """A later version counts once it is approved; one that revokes counts at once."""
    first = KnownAgreement(agreement(), approved=True, countersigned=True)
    second = replace(agreement(version=2), ours="another")
    waiting = KnownAgreement(second, approved=False, countersigned=False)
    lists = (listed(),)
    held = World(lists, (first, waiting)).verdict(license_of())
    assert held.recognition is not None
    assert held.recognition.as_type == "our-transport"
    approved = replace(waiting, approved=True)
    held = World(lists, (first, approved)).verdict(license_of())
    assert held.recognition is not None
    assert held.recognition.as_type == "another"
    ended = KnownAgreement(replace(second, revoked=True), approved=False, countersigned=False)
    verdict = World(lists, (first, ended)).verdict(license_of())
    assert severities(verdict, "AGREEMENT_REVOKED") == ["FATAL"]
    third = KnownAgreement(replace(agreement(), version=3), approved=False, countersigned=False)
    verdict = World(lists, (first, ended, third)).verdict(license_of())
    assert outcome(verdict) is Outcome.NOT_RECOGNIZED, "what was revoked does not come back by an unapproved version"
    alone = World(lists, (replace(first, approved=False),)).verdict(license_of())
    assert severities(alone, "AGREEMENT_NOT_APPROVED") == ["FATAL"]


@pytest.mark.parametrize(("needed", "severity"), [(True, "FATAL"), (False, "NOTE")])
def test_a_missing_countersignature(needed: bool, severity: str) -> None:
    one = KnownAgreement(agreement(), approved=True, countersigned=False)
    verdict = World((listed(),), (one,), changes=(("countersigned", needed),)).verdict(license_of())
    assert severities(verdict, "AGREEMENT_NOT_COUNTERSIGNED") == [severity]
    assert outcome(verdict) is (Outcome.NOT_RECOGNIZED if needed else Outcome.RECOGNIZED)


def test_of_two_agreements_the_one_that_gets_further_counts() -> None:
    strict = replace(conditions(issuer_level=1), id="b0000001", ours="better")
    verdict = world(strict, agreement()).verdict(license_of())
    assert verdict.recognition is not None
    assert verdict.recognition.as_type == "our-transport"
    assert "ISSUER_LEVEL_LOW" not in verdict.codes()


def test_a_list_of_an_example_counts_among_examples_only() -> None:
    lists = (listed(example=True),)
    verdict = world(lists=lists).verdict(license_of())
    assert "FATAL" in severities(verdict, "RECOGNITION_NOT_VALID")
    assert outcome(world(lists=lists, example=True).verdict(license_of())) is Outcome.RECOGNIZED


def test_the_report_has_recognition_as_a_check_of_its_own() -> None:
    report = world(conditions(issuer_level=1)).verdict(license_of()).to_json("en", depth="checks")
    (shown,) = [c for c in report["checks"] if c["name"] == "recognition"]
    assert shown["outcome"] == "FAILED"
    assert report["answers"]["recognition"]["codes"] == ["ISSUER_LEVEL_LOW"]


def test_an_issuer_whose_level_is_not_said_leaves_that_open() -> None:
    issuer = replace(listed().issuers[0], level=0)
    verdict = world(conditions(issuer_level=2), lists=(listed(issuers=(issuer,)),)).verdict(license_of())
    assert issuer.code == ISSUER_CODE
    assert severities(verdict, "ISSUER_LEVEL_LOW") == ["DOUBT"]
    assert TYPE in verdict.license.type if verdict.license else False
