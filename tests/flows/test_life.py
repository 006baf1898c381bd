"""The life of licenses through the vault: acts, their moments, versions, remits, a second approver."""

from __future__ import annotations

import base64
import copy
import dataclasses
import datetime
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import verify
from certvault.bootstrap import InitOptions, Vault, create_vault
from certvault.clock import FixedClock
from certvault.errors import ConflictError, ForbiddenError, NotFoundError
from certvault.licenselife import LicenseLife, Waiting
from certvault.model.actor import LOCAL_OPERATOR, Actor
from certvault.model.license import LicenseState
from certvault.model.standing import Act
from certvault.model.views import IssuedLicense
from certvault.standing import Asked, Done
from certvault.versions import Content, Renewed
from templates.registry import read_folder
from verify.formats.refusal import RefusedError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES, TYPES = ROOT / "examples", ROOT / "templates" / "types"
FOOD = "food-business-license"
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC))


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, clock: FixedClock) -> Iterator[Vault]:
    opened = create_vault(InitOptions(folder=tmp_path_factory.mktemp("life") / "v", keys="file"), clock=clock)
    yield opened
    opened.close()


def data(name: str = FOOD) -> dict[str, Any]:
    value: dict[str, Any] = copy.deepcopy(json.loads((EXAMPLES / f"{name}.json").read_text("utf-8")))
    return value


@pytest.fixture
def license_(vault: Vault) -> IssuedLicense:
    return vault.issuing.issue(FOOD, data(), actor=LOCAL_OPERATOR)


def act(vault: Vault, identifier: str, name: Act, actor: Actor = LOCAL_OPERATOR, **asked: Any) -> Done:
    done = vault.life.act(identifier, name, actor=actor, asked=Asked(**asked))
    assert isinstance(done, Done)
    return done


def renew(vault: Vault, identifier: str, *, actor: Actor = LOCAL_OPERATOR, **content: Any) -> Renewed:
    done = vault.life.act(identifier, Act.RENEW, actor=actor, content=Content(content.pop("data", {}), **content))
    assert isinstance(done, Renewed)
    return done


def value_in_list(vault: Vault, identifier: str) -> int:
    """What the signed list says, read without our reader."""
    with vault._database.reading() as view:
        found = view.licenses.get(identifier)
    assert found is not None
    payload = vault.status_lists.token(found.status_list)[0].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert claims["status_list"]["bits"] == 2
    values = zlib.decompress(base64.urlsafe_b64decode(claims["status_list"]["lst"] + "=="))
    return values[found.status_index // 4] >> found.status_index % 4 * 2 & 3


def seen(vault: Vault, *files: bytes | str) -> set[tuple[str, str | None]]:
    verdicts = [vault.verification.verify(file) for file in files]
    return {(v.conclusion.value, v.standing.value if v.standing else None) for v in verdicts}


def code_of(found: IssuedLicense) -> str:
    """The code's text, read off the page."""
    import io

    import pypdfium2
    import zxingcpp

    page = pypdfium2.PdfDocument(io.BytesIO(found.pdf))[0]
    return str(zxingcpp.read_barcodes(page.render(scale=4).to_pil())[0].text)


def refusal(error: pytest.ExceptionInfo[RefusedError]) -> tuple[str, str]:
    return error.value.first.code, error.value.first.field


def test_pdf_record_and_code_follow_together_and_stay_genuine(vault: Vault, license_: IssuedLicense) -> None:
    carriers = (license_.pdf, license_.record, code_of(license_))
    assert seen(vault, *carriers) == {("VALID", "IN_FORCE")}
    for name, standing, value in (
        (Act.SUSPEND, "SUSPENDED", 2), (Act.REINSTATE, "IN_FORCE", 0), (Act.SUSPEND, "SUSPENDED", 2),
        (Act.REVOKE, "REVOKED", 1),
    ):  # fmt: skip
        done = act(vault, license_.identifier, name)
        assert (done.standing.value, done.changed) == (standing, True)
        assert value_in_list(vault, license_.identifier) == value
        assert seen(vault, *carriers) == {("VALID", standing)}
        assert vault.licenses.get(license_.identifier, LOCAL_OPERATOR).standing == standing


def test_a_repeated_act_changes_nothing_and_an_impossible_one_says_where_it_stands(
    vault: Vault, license_: IssuedLicense
) -> None:
    first = act(vault, license_.identifier, Act.SUSPEND, reason="investigation", basis="食品安全法")
    again = act(vault, license_.identifier, Act.SUSPEND, reason="investigation", basis="食品安全法")
    assert (again.changed, again.number, again.effective_at) == (False, first.number, first.effective_at)
    for name, reason in ((Act.SUSPEND, "withheld"), (Act.RENEW, None)):
        with pytest.raises(ConflictError) as caught:
            vault.life.act(
                license_.identifier, name, actor=LOCAL_OPERATOR, asked=Asked(reason), content=Content({}, "2030-01-01")
            )
        assert caught.value.first.code == "LICENSE_SUSPENDED"
    act(vault, license_.identifier, Act.REVOKE)
    for name in (Act.SUSPEND, Act.REINSTATE):
        with pytest.raises(ConflictError) as caught:
            act(vault, license_.identifier, name)
        assert caught.value.first.code == "LICENSE_REVOKED"
    kinds = [e.kind for e in vault.audit.entries(LOCAL_OPERATOR, about=license_.identifier).items]
    assert kinds[-2:] == ["LICENSE_SUSPENDED", "LICENSE_REVOKED"]
    history = vault.standings.history(vault.licenses.readable(license_.identifier, LOCAL_OPERATOR))
    assert [(h.act, h.reason, h.basis) for h in history] == [
        (Act.SUSPEND, "investigation", "食品安全法"),
        (Act.REVOKE, "other", ""),
    ]


def test_the_legal_basis_is_encrypted_at_rest(vault: Vault, license_: IssuedLicense) -> None:
    act(vault, license_.identifier, Act.SUSPEND, basis="案号 2026-4711")
    with vault._database.reading() as view:
        (stored,) = view.statuses.of(license_.identifier)
        lines = view.audit.about(license_.identifier)
    assert b"4711" not in stored.sealed
    assert not any("4711" in line.details for line in lines)


def test_an_act_may_count_from_a_past_or_a_future_moment(
    vault: Vault, clock: FixedClock, license_: IssuedLicense
) -> None:
    found = vault.licenses.readable(license_.identifier, LOCAL_OPERATOR)
    start = clock.now()
    clock.sleep(5 * 3600)
    act(vault, license_.identifier, Act.SUSPEND, effective=(start + HOUR).isoformat())
    assert vault.standings.standing(found, start + 2 * HOUR).value == "SUSPENDED"
    assert vault.standings.standing(found, start + HOUR / 2).value == "IN_FORCE"
    assert vault.standings.standing(found, start + 2 * HOUR, known=start + 3 * HOUR).value == "IN_FORCE"
    ahead = clock.now() + datetime.timedelta(minutes=1)
    done = act(vault, license_.identifier, Act.REINSTATE, effective=ahead.isoformat())
    assert done.standing.value == "SUSPENDED"
    assert value_in_list(vault, license_.identifier) == 2
    token = vault.status_lists.token(found.status_list)[0]
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["ttl"] <= 60  # nobody keeps the list beyond that moment
    clock.sleep(61)
    assert value_in_list(vault, license_.identifier) == 0
    assert seen(vault, license_.pdf) == {("VALID", "IN_FORCE")}
    kinds = [e.kind for e in vault.audit.entries(LOCAL_OPERATOR, about=license_.identifier).items]
    assert kinds[-1] == "STATUS_TOOK_EFFECT"
    assert vault.status_lists.take_effect(clock.now()) == 0


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"reason": "nothing"}, ("REASON_UNKNOWN", "reason")),
        ({"basis": "x" * 501}, ("BASIS", "basis")),
        ({"basis": "a\x00b"}, ("BASIS", "basis")),
        ({"effective": "soon"}, ("TIME_MALFORMED", "effective")),
        ({"effective": "2026-11-23T10:00:00"}, ("TIME_MALFORMED", "effective")),
        ({"effective": "2001-01-01"}, ("EFFECTIVE_TIME", "effective")),
        ({"effective": "2090-01-01"}, ("EFFECTIVE_TIME", "effective")),
    ],
)
def test_what_is_asked_is_looked_at(
    vault: Vault, license_: IssuedLicense, asked: dict[str, str], expected: tuple[str, str]
) -> None:
    with pytest.raises(RefusedError) as caught:
        act(vault, license_.identifier, Act.REVOKE, **asked)
    assert refusal(caught) == expected
    assert value_in_list(vault, license_.identifier) == 0


def test_only_an_entitled_issuer_acts(vault: Vault, license_: IssuedLicense) -> None:
    owner = vault.licenses.get(license_.identifier, LOCAL_OPERATOR).issuer_code
    roles = frozenset({"issuer"})
    with pytest.raises(ForbiddenError):
        act(vault, license_.identifier, Act.SUSPEND, Actor("x", frozenset({"auditor"})))
    with pytest.raises(NotFoundError):  # another issuer's license looks as if it were not there
        act(vault, license_.identifier, Act.SUSPEND, Actor("x", roles, None, "91110000600037341L"))
    with pytest.raises(NotFoundError):
        act(vault, license_.identifier[:-1] + "-", Act.SUSPEND)
    with vault._database.writing() as uow:
        issuer = uow.issuers.get(owner)
        assert issuer is not None
        narrowed = uow.issuers.save(
            dataclasses.replace(issuer, types='["marriage-certificate"]'), _event("ISSUER_CHANGED")
        )
    try:
        for name in (Act.REVOKE, Act.AMEND):
            with pytest.raises(RefusedError) as caught:
                vault.life.act(
                    license_.identifier, name, actor=Actor("x", roles, None, owner),
                    content=Content({"operator_name": "新"}),
                )  # fmt: skip
            assert refusal(caught) == ("OUTSIDE_REMIT", "type")
    finally:
        with vault._database.writing() as uow:
            uow.issuers.save(dataclasses.replace(narrowed, types="null"), _event("ISSUER_CHANGED"))
    assert act(vault, license_.identifier, Act.SUSPEND, Actor("x", roles, None, owner)).changed


def _event(kind: str) -> Any:
    from certvault.model.keys import event

    return event(kind, "issuer", "tester")


def test_a_renewed_license_keeps_its_number_and_takes_the_place_of_the_old(
    vault: Vault, license_: IssuedLicense
) -> None:
    made = renew(vault, license_.identifier, valid_to="2030-06-30")
    new = made.issued
    assert (new.number, new.version, made.supersedes) == (license_.number, 2, license_.identifier)
    assert new.identifier.rsplit(".", 2)[0] == license_.identifier.rsplit(".", 2)[0]
    assert vault.licenses.get(new.identifier, LOCAL_OPERATOR).valid_to == datetime.date(2030, 6, 30)
    assert value_in_list(vault, license_.identifier) == 3
    assert seen(vault, license_.pdf, license_.record, code_of(license_)) == {("VALID", "SUPERSEDED")}
    assert seen(vault, new.pdf, new.record, code_of(new)) == {("VALID", "IN_FORCE")}
    again = renew(vault, license_.identifier, valid_to="2030-06-30")
    assert (again.changed, again.issued.identifier, again.issued.pdf) == (False, new.identifier, new.pdf)
    with pytest.raises(ConflictError) as caught:
        renew(vault, license_.identifier, valid_to="2031-06-30")
    assert caught.value.first.code == "LICENSE_SUPERSEDED"
    act(vault, license_.identifier, Act.SUSPEND)  # an older identifier names the same license
    assert seen(vault, new.pdf) == {("VALID", "SUSPENDED")}
    assert seen(vault, license_.pdf) == {("VALID", "SUPERSEDED")}
    act(vault, new.identifier, Act.REVOKE)
    assert seen(vault, license_.pdf, license_.record, new.pdf, new.record) == {("VALID", "REVOKED")}


def test_an_amended_license_has_the_new_data_and_a_binding_to_the_same_holder(vault: Vault) -> None:
    jwk = {
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }  # fmt: skip
    old = vault.issuing.issue(FOOD, data(), actor=LOCAL_OPERATOR, holder_key=jwk)
    done = vault.life.act(
        old.identifier, Act.AMEND, actor=LOCAL_OPERATOR, content=Content({"经营者名称": "开封新名店"})
    )
    assert isinstance(done, Renewed)
    view = vault.licenses.get(done.issued.identifier, LOCAL_OPERATOR)
    assert view.fields["operator_name"] == "开封新名店"
    assert view.holders[0].name == "开封新名店"
    claims = json.loads(base64.urlsafe_b64decode(done.issued.record.split(".")[1] + "=="))
    assert claims["cnf"]["jwk"] == jwk
    assert [h.act for h in vault.standings.history(vault.licenses.readable(old.identifier, LOCAL_OPERATOR))] == [
        Act.AMEND
    ]


def test_a_version_keeps_number_and_period_rules(vault: Vault, license_: IssuedLicense) -> None:
    business = vault.issuing.issue("business-license", data("business-license"), actor=LOCAL_OPERATOR)
    with pytest.raises(RefusedError) as caught:
        vault.life.act(
            business.identifier, Act.AMEND, actor=LOCAL_OPERATOR,
            content=Content({"unified_social_credit_code": "91110000600037341L", "region_code": "110000"}),
        )  # fmt: skip
    assert refusal(caught) == ("NUMBER_FIXED", "unified_social_credit_code")
    with pytest.raises(RefusedError) as caught:
        renew(vault, business.identifier, valid_to="2030-01-01")
    assert refusal(caught) == ("NO_PERIOD", "valid_to")
    assert renew(vault, business.identifier).issued.version == 2  # 换发 of a license without end
    with pytest.raises(RefusedError) as caught:
        renew(vault, license_.identifier)
    assert refusal(caught) == ("REQUIRED", "valid_to")
    with pytest.raises(RefusedError):
        renew(vault, license_.identifier, valid_to="1999-01-01")
    assert seen(vault, license_.pdf) == {("VALID", "IN_FORCE")}


def test_a_number_comes_back_only_after_its_license_was_revoked(vault: Vault) -> None:
    """A business keeps its credit code: struck off, it may be licensed again, under an identifier of its own."""
    duplicate = data("business-license-duplicate") | {"copy_number": "77"}
    old = vault.issuing.issue("business-license-duplicate", duplicate, actor=LOCAL_OPERATOR)
    for name in (None, Act.SUSPEND):
        if name is not None:
            act(vault, old.identifier, name)
        with pytest.raises(ConflictError) as caught:
            vault.issuing.issue("business-license-duplicate", duplicate, actor=LOCAL_OPERATOR)
        assert caught.value.first.code == "DUPLICATE_LICENSE"
    act(vault, old.identifier, Act.REVOKE)
    new = vault.issuing.issue("business-license-duplicate", duplicate, actor=LOCAL_OPERATOR)
    assert new.number == old.number
    assert new.identifier.rsplit(".", 2)[0] != old.identifier.rsplit(".", 2)[0]
    assert seen(vault, old.pdf, old.record) == {("VALID", "REVOKED")}
    assert seen(vault, new.pdf, new.record) == {("VALID", "IN_FORCE")}
    with pytest.raises(ConflictError):
        vault.issuing.issue("business-license-duplicate", duplicate, actor=LOCAL_OPERATOR)
    act(vault, new.identifier, Act.SUSPEND)
    assert seen(vault, old.pdf) == {("VALID", "REVOKED")}


def test_a_new_version_that_comes_to_nothing_leaves_the_old_in_force(
    vault: Vault, license_: IssuedLicense, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Suspended by another hand while the new version is being signed: the new one is void, the next gets 003."""
    keep = vault.life._versions._pipeline.keep

    def suspended_meanwhile(*args: Any, **kwargs: Any) -> Any:
        act(vault, license_.identifier, Act.SUSPEND)
        return keep(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(vault.issuing._pipeline, "keep", suspended_meanwhile)
        with pytest.raises(ConflictError) as caught:
            renew(vault, license_.identifier, valid_to="2030-06-30")
    assert caught.value.first.code == "LICENSE_SUSPENDED"
    assert seen(vault, license_.pdf) == {("VALID", "SUSPENDED")}
    with vault._database.reading() as view:
        void = [f for f in view.licenses.in_state(LicenseState.VOID) if f.stem == license_.identifier.rsplit(".", 2)[0]]
    assert [value_in_list(vault, f.identifier) for f in void] == [1]
    act(vault, license_.identifier, Act.REINSTATE)
    made = renew(vault, license_.identifier, valid_to="2030-06-30")
    assert made.issued.version == 3
    assert seen(vault, made.issued.pdf) == {("VALID", "IN_FORCE")}


def test_no_new_version_escapes_an_act_that_waits_for_its_moment(
    vault: Vault, clock: FixedClock, license_: IssuedLicense
) -> None:
    act(vault, license_.identifier, Act.REVOKE, effective=(clock.now() + 24 * HOUR).isoformat())
    with pytest.raises(ConflictError) as caught:
        renew(vault, license_.identifier, valid_to="2030-06-30")
    assert caught.value.first.code == "ACTS_AHEAD"
    assert seen(vault, license_.pdf) == {("VALID", "IN_FORCE")}


def test_a_renewal_that_begins_later_leaves_the_old_in_force_until_then(vault: Vault, clock: FixedClock) -> None:
    """Under a type whose licenses may begin on a day to come."""
    files = dict(read_folder(TYPES / "road-transport-license"))
    head, schema = json.loads(files["type.json"]), json.loads(files["schema.json"])
    schema["properties"]["valid_from"]["x-format"] = "date"
    files["type.json"] = json.dumps(head | {"version": head["version"] + 1}).encode()
    files["schema.json"] = json.dumps(schema).encode()
    vault.catalog.add(files, LOCAL_OPERATOR)
    old = vault.issuing.issue("road-transport-license", data("road-transport-license"), actor=LOCAL_OPERATOR)
    begins = (clock.now() + 48 * HOUR).date().isoformat()
    with pytest.raises(RefusedError) as caught:
        vault.life.act(
            old.identifier, Act.RENEW, actor=LOCAL_OPERATOR, asked=Asked(effective="2027-06-01"),
            content=Content({}, "2030-06-30", begins),
        )  # fmt: skip
    assert refusal(caught) == ("EFFECTIVE_TIME", "effective")
    made = renew(vault, old.identifier, valid_to="2030-06-30", valid_from=begins)
    assert seen(vault, old.pdf) == {("VALID", "IN_FORCE")}
    assert seen(vault, made.issued.pdf) == {("VALID", "NOT_YET")}
    act(vault, made.issued.identifier, Act.SUSPEND)
    assert seen(vault, old.pdf) == {("VALID", "SUSPENDED")}  # both are the license
    act(vault, made.issued.identifier, Act.REINSTATE)
    clock.sleep(48 * 3600)
    assert seen(vault, old.pdf) == {("VALID", "SUPERSEDED")}
    assert seen(vault, made.issued.pdf) == {("VALID", "IN_FORCE")}


def test_expiry_comes_by_date_alone(vault: Vault, clock: FixedClock, license_: IssuedLicense) -> None:
    end = vault.licenses.get(license_.identifier, LOCAL_OPERATOR).valid_to
    assert end is not None
    later = datetime.datetime.combine(end + datetime.timedelta(days=2), datetime.time(), datetime.UTC)
    found = vault.licenses.readable(license_.identifier, LOCAL_OPERATOR)
    assert vault.standings.standing(found, later).value == "EXPIRED"
    assert value_in_list(vault, license_.identifier) == 0


def claims_of(answer: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(answer.split(".")[1] + "=="))
    return value


def test_a_past_moment_is_judged_by_the_signed_history(
    vault: Vault, clock: FixedClock, license_: IssuedLicense
) -> None:
    """Verified as of before, during and after a suspension, and as of before a revocation that counts from the past."""
    found = vault.licenses.readable(license_.identifier, LOCAL_OPERATOR)
    moments = []
    for name in (None, Act.SUSPEND, Act.REINSTATE):
        if name is not None:
            act(vault, license_.identifier, name)
        clock.sleep(3600)
        moments.append(clock.now())
        clock.sleep(3600)
    expected = ["IN_FORCE", "SUSPENDED", "IN_FORCE"]
    for moment, standing in zip(moments, expected, strict=True):
        for file in (license_.pdf, license_.record, code_of(license_)):
            verdict = vault.verification.verify(file, at=moment)
            assert (verdict.conclusion.value, verdict.standing and verdict.standing.value) == ("VALID", standing)
            assert "STANDING_FROM_HISTORY" in verdict.codes()
        claims = claims_of(vault.standing_answers.answer(found, moment))
        assert (claims["standing"], claims["identifier"]) == (standing, license_.identifier)
    assert [h["act"] for h in claims["history"]] == ["suspend", "reinstate"]
    before = claims_of(vault.standing_answers.answer(found, moments[1]))
    act(vault, license_.identifier, Act.REVOKE, effective=(moments[1] - HOUR / 4).isoformat())
    verdict = vault.verification.verify(license_.pdf, at=moments[1])
    assert verdict.standing is not None
    assert verdict.standing.value == "REVOKED"
    after = claims_of(vault.standing_answers.answer(found, moments[1]))
    assert [h["act"] for h in before["history"]] == ["suspend"]
    assert after["history"][-1]["recorded_at"] > after["history"][-1]["effective_at"]  # the court sees both
    assert "holder" not in str(after)
    with pytest.raises(RefusedError) as caught:
        vault.standing_answers.answer(found, clock.now() + HOUR)
    assert refusal(caught) == ("TIME_AHEAD", "at")
    ahead = vault.verification.verify(license_.pdf, at=clock.now() + 24 * HOUR)
    assert ahead.standing is not None
    assert ahead.standing.value == "REVOKED" or "STATUS_STALE" in ahead.codes()


@pytest.mark.parametrize("forgery", ["another license", "another moment", "another purpose", "changed", "no token"])
def test_an_answer_that_is_not_about_this_license_and_moment_leaves_the_standing_unknown(
    vault: Vault, clock: FixedClock, license_: IssuedLicense, forgery: str
) -> None:
    other = vault.issuing.issue(FOOD, data(), actor=LOCAL_OPERATOR)
    clock.sleep(7200)
    moment = clock.now() - HOUR
    found = vault.licenses.readable(license_.identifier, LOCAL_OPERATOR)

    def forged(identifier: str, at: datetime.datetime) -> bytes:
        answers = vault.standing_answers
        match forgery:
            case "another license":
                return answers.answer(vault.licenses.readable(other.identifier, LOCAL_OPERATOR), at).encode()
            case "another moment":
                return answers.answer(found, at - HOUR / 2).encode()
            case "another purpose":
                return vault.status_lists.token(found.status_list)[0].encode()
            case "changed":
                head, body, value = answers.answer(found, at).split(".")
                changed = json.dumps(claims_of(f".{body}.") | {"status": 0, "standing": "IN_FORCE", "version": 9})
                return f"{head}.{base64.urlsafe_b64encode(changed.encode()).decode().rstrip('=')}.{value}".encode()
            case _:
                return b"\xff" * 10

    evidence = dataclasses.replace(vault.verification.evidence(), standing_at=forged)
    verdict = verify.verify_any(
        license_.record.encode(), trust=vault.verification.trust(), at=moment, evidence=evidence
    )
    assert verdict.conclusion.value == "VALID"
    assert verdict.standing is not None
    assert verdict.standing.value == "UNKNOWN"
    assert {"STANDING_ANSWER_WRONG", "STATUS_STALE"} <= verdict.codes()


@pytest.fixture
def careful(vault: Vault) -> LicenseLife:
    """The same vault under the setting that demands a second approver."""
    life = vault.life
    settings = dataclasses.replace(vault.settings, second_approver=True)
    return LicenseLife(life._database, life._cipher, life._standings, life._versions, settings, life._clock)


def test_a_second_person_approves(vault: Vault, careful: LicenseLife, license_: IssuedLicense) -> None:
    first, second = Actor("token:a", frozenset({"issuer"})), Actor("token:b", frozenset({"issuer"}))
    waiting = careful.act(license_.identifier, Act.REVOKE, actor=first, asked=Asked("cancelled", "持证人申请"))
    assert isinstance(waiting, Waiting)
    assert careful.act(license_.identifier, Act.REVOKE, actor=first, asked=Asked("cancelled", "持证人申请")) == waiting
    assert value_in_list(vault, license_.identifier) == 0
    assert careful.waiting(vault.licenses.readable(license_.identifier, LOCAL_OPERATOR)) == [waiting]
    with pytest.raises(ConflictError) as caught:
        careful.approve(license_.identifier, Act.REVOKE, waiting.id, first)
    assert caught.value.first.code == "SAME_PERSON"
    with pytest.raises(NotFoundError):
        careful.approve(license_.identifier, Act.SUSPEND, waiting.id, second)
    careful.approve(license_.identifier, Act.REVOKE, waiting.id, second)
    assert value_in_list(vault, license_.identifier) == 1
    (entry,) = vault.standings.history(vault.licenses.readable(license_.identifier, LOCAL_OPERATOR))
    assert (entry.actor, entry.approver, entry.basis) == ("token:a", "token:b", "持证人申请")
    with pytest.raises(ConflictError) as caught:
        careful.approve(license_.identifier, Act.REVOKE, waiting.id, second)
    assert caught.value.first.code == "REQUEST_OVER"


def test_a_request_for_a_new_version_is_checked_when_asked_and_ends_after_a_week(
    vault: Vault, clock: FixedClock, careful: LicenseLife, license_: IssuedLicense
) -> None:
    first, second = Actor("token:a", frozenset({"issuer"})), Actor("token:b", frozenset({"issuer"}))
    with pytest.raises(RefusedError) as caught:
        careful.act(license_.identifier, Act.RENEW, actor=first)
    assert refusal(caught) == ("REQUIRED", "valid_to")
    waiting = careful.act(license_.identifier, Act.RENEW, actor=first, content=Content({}, "2030-06-30"))
    late = careful.act(license_.identifier, Act.RENEW, actor=first, content=Content({}, "2031-01-01"))
    assert isinstance(waiting, Waiting)
    assert isinstance(late, Waiting)
    made = careful.approve(license_.identifier, Act.RENEW, waiting.id, second)
    assert isinstance(made, Renewed)
    assert made.issued.version == 2
    clock.sleep(8 * 86400)
    with pytest.raises(ConflictError) as over:
        careful.approve(license_.identifier, Act.RENEW, late.id, second)
    assert over.value.first.code == "REQUEST_OVER"


def test_a_production_vault_demands_reason_and_basis(vault: Vault, license_: IssuedLicense) -> None:
    strict = dataclasses.replace(vault.settings, production=True)
    standings = type(vault.standings)(vault._database, vault.life._cipher, strict, vault.clock)
    for asked, code in ((Asked(), "REASON_UNKNOWN"), (Asked("punished"), "BASIS")):
        with pytest.raises(RefusedError) as caught:
            standings.change(license_.identifier, Act.REVOKE, actor=LOCAL_OPERATOR, asked=asked)
        assert caught.value.first.code == code


def test_the_doctor_finds_nothing_and_the_audit_is_whole(vault: Vault) -> None:
    assert vault.doctor().problems == ()


def test_an_act_looks_nothing_up_without_an_index(vault: Vault, license_: IssuedLicense) -> None:
    """However many licenses there are: no statement of an act scans a table, as the database itself plans it."""
    from sqlalchemy import event as events

    seen_: list[tuple[str, Any]] = []
    engine = vault._database.engine
    hook = lambda conn, cursor, statement, parameters, context, many: seen_.append((statement, parameters))  # noqa: E731
    events.listen(engine, "before_cursor_execute", hook)
    try:
        act(vault, license_.identifier, Act.SUSPEND)
        value_in_list(vault, license_.identifier)
    finally:
        events.remove(engine, "before_cursor_execute", hook)
    small = ("issuers", "keys", "certificates", "status_lists", "status_due")
    with vault._database.reading() as view:
        for statement, parameters in seen_:
            if statement.startswith("SELECT") and parameters is not None:
                plan = view.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                scans = [row[3] for row in plan if row[3].startswith("SCAN")]
                assert not [s for s in scans if s.split()[1] not in small], (statement, scans)
                assert not [row[3] for row in plan if "ix_licenses_state" in row[3]], statement
