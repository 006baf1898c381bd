"""A key was compromised: what it made since is suspended, made anew under the next key, told, and proven; once."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509

from api import cli
from bench.data import examples
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault, open_vault
from certvault.clock import FixedClock
from certvault.db.unit_of_work import Database
from certvault.drill import Outcome, Wanted
from certvault.errors import ConflictError, ForbiddenError, NotFoundError
from certvault.model.actor import Actor
from certvault.model.drill import DrillState, ItemState
from certvault.model.license import LicenseState
from certvault.model.sealrules import SealRules
from certvault.model.standing import Act
from certvault.model.views import IssuedLicense
from certvault.seals import Wanted as WantedSeal
from certvault.standing import Asked
from certvault.versions import Content
from signing.formats.pades import Baseline
from signing.keys import KeyPurpose
from tests.conftest import NOW
from tests.flows.test_crash import every_number_is_accounted_for, run_children
from tests.support.rows import as_csv, business
from verify.formats.notice import JWS_TYPE, MAX_BYTES, NoticeError, unverified_notice
from verify.formats.publickeys import verify_named
from verify.formats.refusal import RefusedError

FOOD = "food-business-license"
HOUR = datetime.timedelta(hours=1)
ANN = Actor("token:ann", frozenset({"operator"}))
BOB = Actor("token:bob", frozenset({"operator"}))
DATA = examples(FOOD)


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, clock: FixedClock) -> Iterator[Vault]:
    """One vault for the module; each test has its own span of time, and rolls over what it reports."""
    made = create_vault(InitOptions(folder=tmp_path_factory.mktemp("drill") / "v", keys="file"), clock=clock)
    yield made
    made.close()


@pytest.fixture
def since(clock: FixedClock) -> datetime.datetime:
    """The moment of the theft: an hour after whatever came before, an hour before what comes now."""
    clock.sleep(7200)
    return clock.now() - HOUR


def issued(vault: Vault, **more: Any) -> IssuedLicense:
    return vault.issuing.issue(FOOD, dict(next(DATA)), actor=LOCAL_OPERATOR, **more)


def key_of(vault: Vault, purpose: KeyPurpose = KeyPurpose.SEAL) -> str:
    vault._keyring.refresh()
    keys = [k for k in vault._keyring.all(purpose) if k.retired_at is None and k.owner != "vault"]
    return keys[-1].id


def drilled(vault: Vault, key: str, since: datetime.datetime, **more: Any) -> Outcome:
    return vault.drills.run(key, since, LOCAL_OPERATOR, **more)


def standings(vault: Vault, *identifiers: str) -> list[str]:
    return [vault.licenses.get(i, LOCAL_OPERATOR).standing for i in identifiers]


def verdict(vault: Vault, identifier: str) -> tuple[str, str | None]:
    found = vault.verification.verify(vault.licenses.pdf(identifier, LOCAL_OPERATOR))
    return found.conclusion.value, found.standing.value if found.standing else None


def items(vault: Vault, done: Outcome) -> dict[str, tuple[str, str, str | None]]:
    """State, reason and successor of each license of a drill."""
    assert done.drill is not None
    with vault._database.reading() as view:
        found = view.drill_items.where(drill=done.drill.id)
    return {i.identifier: (i.state.value, i.reason, i.successor) for i in found}


def sealed_by(pdf: bytes, der: bytes) -> bool:
    """Whether the certificate is in the file: the signer's stands in each CMS value."""
    return der.hex().encode() in pdf.lower()


# --- the whole of it ----------------------------------------------------------------------------------------------


PHASES = ("revoke", "plan", "suspend", "new_key", "reissue", "reissue", "notice", "report")
POINTS = (2, 2, 2, 4, 30, 250, 2, 3)


def test_killed_in_each_phase_and_resumed(make_vault: Callable[..., Vault], database_url: str, tmp_path: Path) -> None:
    """Each license has one new version in force, the old one is superseded, and nothing was done twice."""
    count = 60 if database_url.startswith("sqlite") else 16
    rows = tmp_path / "rows.csv"
    rows.write_bytes(as_csv([business(n) for n in range(count)]))
    vault = make_vault(database_url=database_url, keys="file")
    made = vault.minting.mint("business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR)
    assert made.issued == count
    with vault._database.reading() as view:
        old = [f.identifier for f in view.licenses.all()]
    key, since = key_of(vault), vault.clock.now() - HOUR
    deaths = [*zip(PHASES, POINTS, strict=True)]
    if count < 60:  # one death in each phase is enough there
        deaths = [d for i, d in enumerate(deaths) if d[0] not in PHASES[:i]]
    points, phases = [p for _, p in deaths], [p for p, _ in deaths]
    killed = run_children(vault.settings.folder, points, "drill", key, since.isoformat(), ",".join(phases))
    assert [signal for signal, _ in killed] == [9] * len(deaths)
    done = drilled(vault, key, since)
    assert done.drill is not None
    assert done.report is not None
    assert (done.drill.state, done.counts["reissued"], done.counts["left"]) == (DrillState.DONE, count, 0)
    with vault._database.reading() as view:
        everything = view.licenses.all()
        histories = view.statuses.histories(old)
        notices, drills = view.notices.all(), view.drills.all()
        uses = view.seal_uses.all()
    assert len(everything) == 2 * count
    assert all(f.state is LicenseState.ISSUED for f in everything)
    successors = [i[2] for i in items(vault, done).values()]
    assert sorted(f.identifier for f in everything if f.identifier not in old) == sorted(s or "" for s in successors)
    assert {tuple(c.act for c in h) for h in histories.values()} == {(Act.SUSPEND, Act.RENEW)}
    assert (len(notices), len(drills)) == (1, 1)
    assert len({u.identifier for u in uses if u.key_id != key}) == count
    assert set(standings(vault, *old)) == {"SUPERSEDED"}
    assert set(standings(vault, *(s for s in successors if s))) == {"IN_FORCE"}
    assert verdict(vault, old[0])[1] == "SUPERSEDED"
    assert verdict(vault, successors[0] or "") == ("VALID", "IN_FORCE")
    new = vault._keyring.by_id(done.drill.new_key_id or "")
    assert new is not None
    assert sealed_by(vault.licenses.pdf(successors[0] or "", LOCAL_OPERATOR), vault._keyring.certificate_der(new))
    assert {p["phase"] for p in done.report["phases"]} == {*PHASES} - {"report"}
    every_number_is_accounted_for(vault)


def test_a_dry_run_changes_nothing_and_tells_the_same(vault: Vault, since: datetime.datetime) -> None:
    made = [issued(vault).identifier for _ in range(2)]
    key, file = key_of(vault), vault.settings.folder / "vault.db"

    def everything() -> list[str]:
        with sqlite3.connect(file) as connection:
            return list(connection.iterdump())

    before = everything()
    dry = vault.drills.rehearse(key, since, LOCAL_OPERATOR)
    assert everything() == before
    assert standings(vault, *made) == ["IN_FORCE"] * 2
    assert dry.estimate is not None
    assert (dry.counts["planned"], dry.found.done, dry.estimate["basis"]) == (2, False, "assumed")
    done = drilled(vault, key, since)
    assert (done.plan, done.counts["reissued"]) == (dry.plan, 2)
    assert set(items(vault, done)) == set(made)


def test_only_what_the_key_made_since_then(vault: Vault, clock: FixedClock, since: datetime.datetime) -> None:
    """Earlier licenses stay as they are; a repeated command changes nothing more and gives the same report."""
    early = issued(vault).identifier
    clock.sleep(3600)
    stolen = clock.now()
    late = issued(vault).identifier
    key = key_of(vault)
    done = drilled(vault, key, stolen)
    assert list(items(vault, done)) == [late]
    assert standings(vault, early, late) == ["IN_FORCE", "SUPERSEDED"]
    assert verdict(vault, early) == ("VALID", "IN_FORCE")
    again = drilled(vault, key, stolen)
    assert (again.drill, again.report) == (done.drill, done.report)
    wider = drilled(vault, key, since)  # reaches further back
    assert items(vault, wider)[early][0] == "REISSUED"
    assert items(vault, wider)[late] == ("LEFT", "SUPERSEDED", None)


@pytest.mark.parametrize("purpose", [KeyPurpose.RECORD, KeyPurpose.CODE])
def test_keys_of_records_and_codes(
    vault: Vault, clock: FixedClock, since: datetime.datetime, purpose: KeyPurpose
) -> None:
    """What each generation signed is told apart, also after it was rolled over."""
    first = issued(vault).identifier
    key = key_of(vault, purpose)
    clock.sleep(600)
    vault.pki.rollover(key, LOCAL_OPERATOR)
    clock.sleep(600)
    second = issued(vault).identifier
    done = drilled(vault, key, since)
    assert {i: v[0] for i, v in items(vault, done).items()} == {first: "REISSUED"}
    assert standings(vault, first, second) == ["SUPERSEDED", "IN_FORCE"]
    successor = items(vault, done)[first][2] or ""
    assert verdict(vault, successor) == ("VALID", "IN_FORCE")
    assert vault.verification.verify(vault.licenses.record(successor, LOCAL_OPERATOR)).conclusion.value == "VALID"


def test_what_is_not_in_force_is_left_with_its_reason(
    vault: Vault, clock: FixedClock, since: datetime.datetime
) -> None:
    """A license that was suspended for another reason stays so; when that is lifted, the repeated command has it."""
    made = [issued(vault).identifier for _ in range(4)]
    revoked, suspended, amended, ahead = made
    for identifier, act in ((revoked, Act.REVOKE), (suspended, Act.SUSPEND)):
        vault.life.act(identifier, act, actor=LOCAL_OPERATOR, asked=Asked())
    done_before: Any = vault.life.act(amended, Act.AMEND, actor=LOCAL_OPERATOR, content=Content({}))
    vault.life.act(ahead, Act.REVOKE, actor=LOCAL_OPERATOR, asked=Asked(effective="2026-12-31"))
    key = key_of(vault)
    found = items(vault, drilled(vault, key, since))
    assert found[revoked] == ("LEFT", "REVOKED", None)
    assert found[suspended] == ("LEFT", "ALREADY_SUSPENDED", None)
    assert found[amended] == ("LEFT", "SUPERSEDED", None)
    assert found[done_before.issued.identifier][0] == "REISSUED"
    assert found[ahead] == ("SUSPENDED", "ACTS_AHEAD", None)  # what is to come would be lost with a new version
    assert standings(vault, *made) == ["REVOKED", "SUSPENDED", "SUPERSEDED", "SUSPENDED"]
    vault.life.act(suspended, Act.REINSTATE, actor=LOCAL_OPERATOR, asked=Asked())
    again = items(vault, drilled(vault, key, since))
    assert again[suspended][0] == "REISSUED"
    every_number_is_accounted_for(vault)


def test_suspending_alone_and_making_anew_later(vault: Vault, since: datetime.datetime) -> None:
    holder = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "B" * 42 + "A"}
    made = issued(vault, holder_key=holder).identifier
    key = key_of(vault)
    first = drilled(vault, key, since, wanted=Wanted(reissue=False))
    assert items(vault, first)[made] == ("SUSPENDED", "", None)
    assert first.drill is not None
    assert first.drill.new_key_id == key_of(vault)
    second = drilled(vault, key, since)
    successor = items(vault, second)[made][2] or ""
    assert standings(vault, made, successor) == ["SUPERSEDED", "IN_FORCE"]
    payload = vault.licenses.record(successor, LOCAL_OPERATOR).split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["cnf"]["jwk"] == holder


def test_making_anew_without_suspending(vault: Vault, since: datetime.datetime) -> None:
    made = issued(vault).identifier
    done = drilled(vault, key_of(vault), since, wanted=Wanted(suspend=False))
    assert items(vault, done)[made][0] == "REISSUED"
    assert [c.act for c in vault.standings.changes([made])[made]] == [Act.RENEW]


def test_one_license_that_no_longer_passes_does_not_stop_the_others(
    vault: Vault, since: datetime.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays suspended, the report says why, its number is void; repeated, it is tried again."""
    good, bad = issued(vault).identifier, issued(vault).identifier
    pipeline, key = vault.minting.batches._pipeline, key_of(vault)
    plain = pipeline.build
    refused = RefusedError(next(iter(_refusal())))

    def build(allotted: Any, tools: Any) -> Any:
        if allotted.license.identifier.rsplit(".", 2)[0] == bad.rsplit(".", 2)[0]:
            raise refused
        return plain(allotted, tools)

    monkeypatch.setattr(pipeline, "build", build)
    done = drilled(vault, key, since)
    assert items(vault, done)[good][0] == "REISSUED"
    assert items(vault, done)[bad] == ("SUSPENDED", "LACKS_SOMETHING", None)
    assert done.counts["not_reissued_because"] == {"LACKS_SOMETHING": 1}
    every_number_is_accounted_for(vault)
    monkeypatch.undo()
    again = items(vault, drilled(vault, key, since))
    assert again[bad][0] == "REISSUED"
    assert verdict(vault, again[bad][2] or "") == ("VALID", "IN_FORCE")


def test_a_license_that_is_revoked_while_its_new_version_is_made(
    vault: Vault, since: datetime.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The revocation counts: the batch is undone and made again without it."""
    good, revoked = issued(vault).identifier, issued(vault).identifier
    pipeline, key = vault.minting.batches._pipeline, key_of(vault)
    plain, calls = pipeline.seal, []

    def seal(*args: Any, **kwargs: Any) -> Any:
        if not calls:
            vault.life.act(revoked, Act.REVOKE, actor=LOCAL_OPERATOR, asked=Asked())
        calls.append(1)
        return plain(*args, **kwargs)

    monkeypatch.setattr(pipeline, "seal", seal)
    found = items(vault, drilled(vault, key, since))
    assert (found[good][0], found[revoked]) == ("REISSUED", ("SUSPENDED", "LICENSE_REVOKED", None))
    assert standings(vault, revoked) == ["REVOKED"]
    every_number_is_accounted_for(vault)


def _refusal() -> Iterator[Any]:
    from verify.formats.refusal import refuse

    yield from refuse("LACKS_SOMETHING", "x", "缺", "lacks", remedy_zh="补", remedy_en="add").refusals


# --- who may -----------------------------------------------------------------------------------------------------


@pytest.fixture
def two_needed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting ``[status] second_approver``."""
    settings = dataclasses.replace(vault.settings, second_approver=True)
    monkeypatch.setattr(vault.drills, "_settings", settings)


def test_a_second_person_approves_the_plan_once(
    vault: Vault, clock: FixedClock, since: datetime.datetime, two_needed: None
) -> None:
    """The certificate is revoked at once; nothing else happens until somebody else has approved just this plan."""
    made = [issued(vault).identifier for _ in range(2)]
    key = key_of(vault)
    dry = vault.drills.rehearse(key, since, ANN)
    with pytest.raises(NotFoundError):
        vault.drills.run(key, since, BOB, approve=dry.plan)  # nobody has asked for it
    waits = vault.drills.run(key, since, ANN)
    assert (waits.pending, waits.plan) == (True, dry.plan)
    assert standings(vault, *made) == ["IN_FORCE"] * 2
    with pytest.raises(ConflictError, match="SEAL_WITHOUT_KEY"):
        issued(vault)
    with pytest.raises(NotFoundError):  # of another moment there is no plan, and this one stays
        vault.drills.run(key, since - HOUR, BOB, approve=dry.plan)
    for actor, plan, code in ((ANN, dry.plan, "SAME_PERSON"), (BOB, "0" * 64, "PLAN_DIFFERS")):
        with pytest.raises(ConflictError, match=code):
            vault.drills.run(key, since, actor, approve=plan)
    assert vault.drills.run(key, since, BOB).pending
    done = vault.drills.run(key, since, BOB, approve=dry.plan)
    assert (done.pending, done.counts["reissued"]) == (False, 2)
    act = vault.standings.changes(made)[made[0]][0]
    assert (act.actor, act.approver) == (ANN.subject, BOB.subject)
    assert done.report is not None
    assert (done.report["requested_by"], done.report["approver"]) == (ANN.subject, BOB.subject)


def test_a_plan_that_nobody_approves_ends(
    vault: Vault, clock: FixedClock, since: datetime.datetime, two_needed: None
) -> None:
    made = issued(vault).identifier
    key = key_of(vault)
    waits = vault.drills.run(key, since, ANN)
    clock.sleep(8 * 86400)
    with pytest.raises(ConflictError, match="REQUEST_OVER"):
        vault.drills.run(key, since, BOB, approve=waits.plan)
    assert standings(vault, made) == ["IN_FORCE"]
    again = vault.drills.run(key, since, ANN)
    assert vault.drills.run(key, since, BOB, approve=again.plan).counts["reissued"] == 1


def test_what_was_made_after_the_plan_with_the_key_in_hand(
    vault: Vault, clock: FixedClock, since: datetime.datetime, two_needed: None
) -> None:
    """A process that had read its keys before the revocation finishes what it is at; that is found before the end."""
    listed = issued(vault).identifier
    key = key_of(vault)
    with vault._database.reading() as view:
        issuer = view.issuers.all()[0]
    pipeline, tools = vault.issuing._pipeline, vault.issuing._sealing.tools(issuer, LOCAL_OPERATOR)
    waits = vault.drills.run(key, since, ANN)
    checked = pipeline.check(vault.catalog.get(FOOD), dict(next(DATA)), issuer)
    draft = pipeline.draft(vault.catalog.get(FOOD), checked, tools)
    allotted, _ = pipeline.allot([draft], tools, "x")
    built = pipeline.permit([pipeline.build(allotted[0], tools)], tools, LOCAL_OPERATOR)
    sealed = pipeline.seal(built[0], tools, baseline=Baseline.B_LT)
    late = pipeline.keep([sealed], tools, "x", baseline=Baseline.B_LT)[0].identifier
    found = items(vault, vault.drills.run(key, since, BOB, approve=waits.plan))
    assert {i: v[0] for i, v in found.items()} == {listed: "REISSUED", late: "REISSUED"}


def test_a_seal_that_asks_for_two_approvers(vault: Vault, since: datetime.datetime) -> None:
    """Its permit for the whole batch waits for the second; then the repeated command goes on."""
    made = issued(vault).identifier
    with vault._database.reading() as view:
        seal_id = view.seals.all()[0].id

    def with_rules(rules: SealRules) -> None:
        vault.seals.change(seal_id, actor=LOCAL_OPERATOR, wanted=WantedSeal(rules=rules))
        for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
            step(seal_id, LOCAL_OPERATOR)

    key = key_of(vault)
    with_rules(SealRules(approvers=2))
    with pytest.raises(ConflictError, match="PERMIT_PENDING"):
        drilled(vault, key, since)
    assert standings(vault, made) == ["SUSPENDED"]
    with vault._database.reading() as view:
        permit = next(p for p in view.permits.all() if p.approvers == 2 and not p.approved)
    vault.seal_uses.confirm(permit.id, Actor("token:carl", frozenset({"custodian"})))
    assert items(vault, drilled(vault, key, since))[made][0] == "REISSUED"
    with_rules(SealRules())


def test_only_an_operator_and_no_moment_to_come(vault: Vault, clock: FixedClock, since: datetime.datetime) -> None:
    key = key_of(vault)
    for work in (vault.drills.run, vault.drills.rehearse):
        with pytest.raises(ForbiddenError):
            work(key, since, Actor("token:eve", frozenset({"issuer", "custodian"})))
        with pytest.raises(RefusedError, match="since"):
            work(key, clock.now() + HOUR, LOCAL_OPERATOR)
        with pytest.raises(NotFoundError):
            work("0" * 16, since, LOCAL_OPERATOR)
    assert verdict(vault, issued(vault).identifier)[0] == "VALID"


def test_two_processes_do_not_work_on_one_drill(
    vault: Vault, clock: FixedClock, since: datetime.datetime, two_needed: None
) -> None:
    issued(vault)
    key = key_of(vault)
    waits = vault.drills.run(key, since, ANN)
    with open_vault(vault.settings.folder, clock=clock) as other, pytest.raises(ConflictError, match="DRILL_BUSY"):
        other.drills.run(key, since, BOB, approve=waits.plan)
    narrowed = vault.drills.run(key, since, ANN, Wanted(reissue=False))
    assert narrowed.plan == vault.drills.rehearse(key, since, BOB, Wanted(reissue=False)).plan != waits.plan
    with pytest.raises(ConflictError, match="DRILL_OPEN"):  # more than was planned
        vault.drills.run(key, since, ANN)
    done = vault.drills.run(key, since, BOB, Wanted(reissue=False), approve=narrowed.plan)
    assert (done.counts["suspended"], done.counts["reissued"]) == (1, 0)


# --- what others see ---------------------------------------------------------------------------------------------


def test_a_seal_forged_with_the_stolen_key_is_not_valid(
    vault: Vault, clock: FixedClock, since: datetime.datetime
) -> None:
    """Another document, sealed after the theft with the key itself and a timestamp of the vault's own."""
    from tests.attacks.test_seal_uses import sealed_by as forged_with

    issued(vault)
    with vault._database.reading() as view:
        hand = vault.seal_uses.hand(view.seals.all()[0].id)
    forged = forged_with(vault, hand)
    clock.sleep(600)
    drilled(vault, hand.key.id, since)
    found = vault.verification.verify(forged)
    assert found.conclusion.value != "VALID"
    assert {"SEAL_NOT_GOOD_THEN"} <= {f.code for f in found.findings}


def signature_stands(token: str, typ: str) -> dict[str, Any]:
    """The payload of a JWS whose signature its own certificate verifies."""
    from verify.formats.jose import unverified_jws

    jws = unverified_jws(token, 10_000_000)
    assert jws.header["typ"] == typ
    verify_named(jws.signature, jws.signed, x509.Certificate.load(jws.chain[0]).public_key.dump(), jws.algorithm)
    return jws.claims()


def test_report_plan_and_notice_prove_what_was_done(vault: Vault, since: datetime.datetime, tmp_path: Path) -> None:
    made = sorted(issued(vault).identifier for _ in range(3))
    key = key_of(vault)
    done = drilled(vault, key, since)
    assert done.drill is not None
    assert [p.name for p in vault.drills.write(done, tmp_path / "o")] == [
        "plan.jsonl", "report.json", "report.jws", "notice.jws",
    ]  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "o" / "plan.jsonl").read_text().splitlines()]
    report = json.loads((tmp_path / "o" / "report.json").read_text())
    assert signature_stands((tmp_path / "o" / "report.jws").read_text(), "certvault-drill+jwt") == report
    assert sorted(line["identifier"] for line in lines) == made
    digest = hashlib.sha256("".join(f"{i}\n" for i in made).encode()).hexdigest()
    assert report["identifiers"] == {"count": 3, "first": made[0], "last": made[-1], "sha256": digest}
    assert all(line["suspended_at"] <= line["reissued_at"] for line in lines)
    assert (report["counts"]["reissued"], report["plan"]) == (3, done.plan)
    record = vault._keyring.by_id(key)
    assert record is not None
    claims = signature_stands((tmp_path / "o" / "notice.jws").read_text(), JWS_TYPE)
    assert claims["key"]["certificate_sha256"] == hashlib.sha256(vault._keyring.certificate_der(record)).hexdigest()
    assert claims["counts"] == {"licenses": 3, "suspended": 0, "reissued": 3, "left": 0}
    notice = unverified_notice((tmp_path / "o" / "notice.jws").read_text())
    assert (notice.kind, notice.number) == ("KEY_COMPROMISED", done.drill.notice)
    kinds = [line.kind for line in vault.audit.entries(LOCAL_OPERATOR, about=f"drill:{done.drill.id}").items]
    assert kinds[0] == "DRILL_BEGUN"
    assert vault.audit.verify_chain() == []


def test_notices_are_numbered_without_gaps_and_never_changed(vault: Vault) -> None:
    before = [n.number for n in vault.notices.after(0)]
    number = vault.notices.add("EXERCISE", {"about": "x"}).number
    with pytest.raises(ZeroDivisionError):
        vault.notices.add("EXERCISE", {}, also=lambda *_: 1 // 0)
    assert vault.notices.add("EXERCISE", {}).number == number + 1
    assert before + [number, number + 1] == list(range(1, number + 2))
    assert [n.number for n in vault.notices.after(number - 1, 1)] == [number]
    with sqlite3.connect(vault.settings.folder / "vault.db") as connection:
        for statement in ("DELETE FROM notices", "UPDATE notices SET kind = 'X'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


@pytest.mark.parametrize(
    "change",
    [
        {"typ": "JWT"}, {"number": 0}, {"number": True}, {"number": 2**53}, {"kind": ""}, {"kind": "K" * 41},
        {"iss": 1}, {"iat": "x"}, {"iat": True},
    ],
)  # fmt: skip
def test_what_is_no_notice_is_refused(vault: Vault, change: dict[str, Any]) -> None:
    head, body, signature = vault.notices.add("EXERCISE", {}).token.decode().split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    (header if "typ" in change else payload).update(change)

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    with pytest.raises(NoticeError):
        unverified_notice(f"{part(header)}.{part(payload)}.{signature}")


def test_a_notice_that_is_too_large_or_broken_is_refused() -> None:
    for token in (b"x" * (MAX_BYTES + 1), b"", b"a.b", b"\xff.a.b"):
        with pytest.raises(NoticeError):
            unverified_notice(token)


@pytest.mark.parametrize(
    "purpose",
    [
        KeyPurpose.STATUS, KeyPurpose.OCSP, KeyPurpose.TSA, KeyPurpose.SEAL_MAKER, KeyPurpose.TRUST_LIST,
        KeyPurpose.LOG, KeyPurpose.ANSWER, KeyPurpose.CA,
    ],
)  # fmt: skip
def test_keys_of_the_vault_itself(vault: Vault, since: datetime.datetime, purpose: KeyPurpose) -> None:
    """Revoked, rolled over, told under a key that still stands; licenses are counted and left alone."""
    made = issued(vault).identifier
    vault._keyring.refresh()
    key = next(k for k in reversed(vault._keyring.all(purpose)) if not k.name.startswith("root"))
    done = drilled(vault, key.id, since)
    assert done.drill is not None
    assert done.counts["licenses"] == 0
    new = vault._keyring.by_id(done.drill.new_key_id or "")
    assert new is not None
    assert (new.purpose, new.id != key.id) == (purpose, True)
    assert vault._keyring.certificate(key).reason == "key_compromise"
    notice = vault.notices.after((done.drill.notice or 0) - 1)[0]
    signer = hashlib.sha256(unverified_notice(notice.token).jws.chain[0]).hexdigest()
    assert signer != hashlib.sha256(vault._keyring.certificate_der(key)).hexdigest()
    signature_stands(notice.token.decode(), JWS_TYPE)
    assert standings(vault, made) == ["IN_FORCE"]
    if purpose is KeyPurpose.TSA:
        assert done.facts["licenses"] == 1
    if purpose is KeyPurpose.CA:
        assert len(unverified_notice(notice.token).jws.chain) == 2
        assert unverified_notice(notice.token).jws.chain[1] == vault._keyring.certificate_der(new)


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command(tmp_path: Path, make_vault: Callable[..., Vault], capsys: pytest.CaptureFixture[str]) -> None:
    """One command; JSON on stdout, phases on stderr, files in DIR."""
    vault = make_vault(keys="file")
    made = issued(vault).identifier
    key, since = key_of(vault), (vault.clock.now() - HOUR).isoformat()
    said = ["key", "compromised", key, "--since", since, "--vault", str(vault.settings.folder), "--json"]

    def run(*more: str) -> tuple[dict[str, Any], str]:
        capsys.readouterr()
        assert cli.run([*said, *more]) == 0
        told = capsys.readouterr()
        return json.loads(told.out), told.err

    dry, _ = run("--dry-run", "--out", str(tmp_path / "dry"))
    line = json.loads((tmp_path / "dry" / "plan.jsonl").read_text())
    assert (line["identifier"], line["state"], line["successor"]) == (made, "PLANNED", None)
    assert (dry["done"], dry["counts"]["planned"], [u["license"] for u in dry["uses"]]) == (False, 1, [made])
    done, told = run("--out", str(tmp_path / "o"), "--lang", "en")
    assert {"key", "since", "done", "uses"} <= set(done)
    assert (done["done"], done["plan"], done["counts"]["reissued"]) == (True, dry["plan"], 1)
    assert told.splitlines() == ["revoke", "plan", "suspend", "new key", "re-issue", "notice", "report"]
    assert [Path(f).name for f in done["files"]] == ["plan.jsonl", "report.json", "report.jws", "notice.jws"]
    assert done["report"] == json.loads((tmp_path / "o" / "report.json").read_text())


def test_items_of_a_drill_are_read_in_portions(vault: Vault, since: datetime.datetime) -> None:
    made = sorted(issued(vault).identifier for _ in range(3))
    done = drilled(vault, key_of(vault), since)
    assert done.drill is not None
    database: Database = vault._database
    with database.reading() as view:
        first = view.drill_items.portion(done.drill.id, "", 2, (ItemState.REISSUED,))
        rest = view.drill_items.portion(done.drill.id, first[-1].identifier, 2)
    assert [i.identifier for i in (*first, *rest)] == made
