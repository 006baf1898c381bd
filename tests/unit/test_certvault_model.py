"""The pure part: transitions of a license, chains of audit lines, issuers' remits, random choices."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

import pytest

from certvault.model.actor import LOCAL_OPERATOR, Actor, Role
from certvault.model.chain import Line, chained, faults, genesis, heads_text
from certvault.model.keys import Issuer
from certvault.model.license import License, LicenseState, Standing, TransitionError
from certvault.model.randomness import distinct_below, identifier_serial
from certvault.model.views import RowReport

AT = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)
DAY = datetime.date(2026, 11, 23)


def license_(**changes: object) -> License:
    found = License(
        identifier="1.2.156.3005.2.X", type="t", type_version=1, number_index="i", version=1, copy_number=0,
        status_list=1, status_index=7, issuer_code="c", region="410200", sealed=b"", session="s", allotted_at=AT,
        valid_from=DAY, valid_to=DAY + datetime.timedelta(days=10),
    )  # fmt: skip
    return replace(found, **changes)  # type: ignore[arg-type]


def issued() -> License:
    return license_().issued(
        at=AT, document="d", document_sha256="1", record=b"r", record_sha256="2", code_sha256="3", evidence_until=AT
    )


def test_a_number_becomes_a_license_or_a_void_and_nothing_after() -> None:
    assert issued().state is LicenseState.ISSUED
    assert license_().voided("INTERRUPTED").state is LicenseState.VOID
    for ended in (issued(), license_().voided("X")):
        with pytest.raises(TransitionError):
            ended.voided("Y")
        with pytest.raises(TransitionError):
            ended.adopted("other")
    with pytest.raises(TransitionError):
        license_().voided("")
    with pytest.raises(TransitionError):
        license_().rewritten(document="d", document_sha256="1", evidence_until=AT)


@pytest.mark.parametrize(
    ("days", "standing"),
    [(-1, Standing.NOT_YET), (0, Standing.IN_FORCE), (10, Standing.IN_FORCE), (11, Standing.EXPIRED)],
)
def test_both_ends_of_the_validity_count_in(days: int, standing: Standing) -> None:
    assert issued().standing(DAY + datetime.timedelta(days=days)) is standing


def test_what_is_not_issued_has_no_standing() -> None:
    assert license_().standing(DAY) is Standing.UNKNOWN
    assert license_().voided("X").status == 1
    assert issued().status == 0


def chain(count: int) -> list[Line]:
    head = genesis("vault", "w")
    lines = []
    for n in range(count):
        line = chained(head, AT, f"KIND_{n}", "object", "actor", "{}")
        lines.append(line)
        head = type(head)("w", line.seq, line.hash)
    return lines


def test_a_whole_chain_has_no_fault() -> None:
    assert faults(genesis("vault", "w"), chain(5)) == []


@pytest.mark.parametrize("member", ["kind", "object", "actor", "details", "previous", "hash"])
def test_a_changed_line_is_found(member: str) -> None:
    lines = chain(5)
    lines[2] = replace(lines[2], **{member: "changed"})
    assert faults(genesis("vault", "w"), lines)


def test_a_missing_or_moved_line_is_found() -> None:
    lines = chain(5)
    assert faults(genesis("vault", "w"), lines[:2] + lines[3:])
    assert faults(genesis("vault", "w"), lines[1:])
    assert faults(genesis("another vault", "w"), lines)
    assert faults(genesis("vault", "w"), [lines[1], lines[0], *lines[2:]])


def test_heads_are_signed_in_one_order() -> None:
    heads = [genesis("v", "b"), genesis("v", "a")]
    assert heads_text(heads) == heads_text(reversed(heads))


def test_remits() -> None:
    narrow = Issuer("c", "n", '["a"]', '["41","430100"]', "s", "official", "1", AT)
    assert narrow.may_issue("a")
    assert not narrow.may_issue("b")
    assert narrow.may_issue_for("410202")
    assert not narrow.may_issue_for("430200")
    wide = replace(narrow, types="null", places="null")
    assert wide.may_issue("b")
    assert wide.may_issue_for("999999")


def test_roles() -> None:
    assert LOCAL_OPERATOR.has(Role.ISSUER)
    assert not Actor("x", frozenset({"holder"})).has(Role.ISSUER, Role.AUDITOR)


def test_serials_and_places_are_random_and_distinct() -> None:
    serials = {identifier_serial() for _ in range(1000)}
    assert len(serials) == 1000
    assert all(re.fullmatch(r"[0-9A-Z]{16}", s) for s in serials)
    assert len(set(distinct_below(100, 60))) == 60
    assert sorted(distinct_below(5, 50)) == [0, 1, 2, 3, 4]


def test_a_report_line_has_only_what_it_has() -> None:
    assert RowReport(3, "refused", code="X", reason="r").to_json() == {
        "row": 3,
        "outcome": "refused",
        "code": "X",
        "reason": "r",
    }
