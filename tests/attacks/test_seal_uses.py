"""Seals used without leave: each attempt is refused before a key is touched, and none leaves a use behind."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from reportlab.pdfgen import canvas

import verify
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault, open_vault
from certvault.clock import FixedClock
from certvault.errors import ConflictError, ForbiddenError, NotFoundError
from certvault.hands import Hand
from certvault.model.actor import Actor
from certvault.model.merkle import MerkleTree, leaf_hash
from certvault.model.sealrules import SealRules
from certvault.seals import Wanted
from certvault.sealuses import Row
from signing.formats.pades import Baseline
from signing.formats.seal_document import Instrument, SealOrder, seal_document
from tests.conftest import NOW
from tests.support.rows import business, credit_code
from verify.formats.refusal import RefusedError

OP = LOCAL_OPERATOR
OTHER = Actor("token:other", frozenset({"custodian"}))
CLERK = Actor("token:clerk", frozenset({"issuer"}))
LETTER = hashlib.sha256(b"letter").hexdigest()
ANOTHER = hashlib.sha256(b"another").hexdigest()
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, clock: FixedClock) -> Iterator[Vault]:
    """One vault for the module: each test has seals of its own."""
    options = InitOptions(folder=tmp_path_factory.mktemp("seals") / "vault", keys="file")
    with create_vault(options, clock=clock) as made:
        yield made


def active(vault: Vault, rules: SealRules | None = None) -> str:
    """A finance seal in use."""
    seal_id = vault.seals.apply("finance", actor=OP, wanted=Wanted(rules=rules)).seal.id
    for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
        step(seal_id, OP)
    return seal_id


def official_of(vault: Vault) -> str:
    """The seal that licenses bear."""
    return next(known.seal.id for known in vault.seals.list(OP) if known.seal.kind == "official")


def permitted(vault: Vault, seal_id: str, digest: str = LETTER, **given: object) -> str:
    return vault.seal_uses.permit(seal_id, [digest], purpose="letter", actor=OP, **given)[0].id  # type: ignore[arg-type]


def used(vault: Vault, seal_id: str) -> int:
    return len(vault.seal_uses.uses(seal_id, OP))


def test_a_seal_without_leave(vault: Vault) -> None:
    seal_id = active(vault)
    for permit in ("0" * 32, "", "x" * 500, seal_id):
        with pytest.raises(NotFoundError):
            vault.seal_uses.use(permit, LETTER, actor=OP)
    assert used(vault, seal_id) == 0


def test_one_permit_twice(vault: Vault) -> None:
    seal_id = active(vault)
    permit = permitted(vault, seal_id)
    use, hand = vault.seal_uses.use(permit, LETTER, actor=OP)
    assert (use.key_id, use.digest, use.seal_id) == (hand.key.id, LETTER, seal_id)
    with pytest.raises(ConflictError, match="PERMIT_USED"):
        vault.seal_uses.use(permit, LETTER, actor=OP)
    assert used(vault, seal_id) == 1


def test_a_permit_on_other_bytes(vault: Vault) -> None:
    seal_id = active(vault)
    permit = permitted(vault, seal_id)
    for digest in (ANOTHER, LETTER.upper(), LETTER[:-1], "", LETTER + "0"):
        with pytest.raises(ConflictError, match="PERMIT_DIGEST"):
            vault.seal_uses.use(permit, digest, actor=OP)
    assert used(vault, seal_id) == 0
    vault.seal_uses.use(permit, LETTER, actor=OP)  # the attempts did not spend it


def test_a_permit_after_its_time(vault: Vault, clock: FixedClock) -> None:
    seal_id = active(vault)
    permit = permitted(vault, seal_id, until=clock.now() + datetime.timedelta(minutes=1))
    clock.sleep(60)
    with pytest.raises(ConflictError, match="PERMIT_EXPIRED"):
        vault.seal_uses.use(permit, LETTER, actor=OP)
    assert used(vault, seal_id) == 0


@pytest.mark.parametrize("days", [-1, 0, 32, 4000])
def test_a_permit_for_longer_than_may_be(vault: Vault, clock: FixedClock, days: int) -> None:
    seal_id = active(vault)
    with pytest.raises(RefusedError, match="SEAL_OPTION until"):
        permitted(vault, seal_id, until=clock.now() + datetime.timedelta(days=days))


def test_a_permit_that_was_cancelled(vault: Vault) -> None:
    seal_id = active(vault)
    permit = permitted(vault, seal_id)
    vault.seal_uses.cancel(permit, OP)
    with pytest.raises(ConflictError, match="PERMIT_CANCELLED"):
        vault.seal_uses.use(permit, LETTER, actor=OP)
    assert used(vault, seal_id) == 0


def test_another_persons_permit(vault: Vault) -> None:
    seal_id = active(vault)
    permit = permitted(vault, seal_id, user=CLERK.subject)
    for thief in (OP, OTHER, replace(CLERK, subject="token:clerk2")):
        with pytest.raises(ConflictError, match="PERMIT_USER"):
            vault.seal_uses.use(permit, LETTER, actor=thief)
    assert used(vault, seal_id) == 0
    assert vault.seal_uses.use(permit, LETTER, actor=CLERK)[0].used_by == CLERK.subject


def test_leave_from_somebody_who_gives_none(vault: Vault) -> None:
    seal_id = active(vault)
    for role in ("issuer", "auditor", "holder", "verifier"):
        with pytest.raises(ForbiddenError):
            vault.seal_uses.permit(seal_id, [LETTER], purpose="letter", actor=Actor("x", frozenset({role})))
    elsewhere = Actor("x", frozenset({"custodian"}), issuer_code=credit_code(5))
    with pytest.raises(NotFoundError):
        vault.seal_uses.permit(seal_id, [LETTER], purpose="letter", actor=elsewhere)


def test_a_seal_after_its_suspension_and_after_its_end(vault: Vault) -> None:
    seal_id = active(vault)
    before = permitted(vault, seal_id)
    vault.seals.suspend(seal_id, OP, "lost")
    for attempt in (lambda: vault.seal_uses.use(before, LETTER, actor=OP), lambda: permitted(vault, seal_id)):
        with pytest.raises(ConflictError, match="SEAL_SUSPENDED"):
            attempt()
    with pytest.raises(ConflictError, match="SEAL_SUSPENDED"):
        vault.seal_uses.hand(seal_id)
    vault.seals.retire(seal_id, OP, "found by nobody")
    with pytest.raises(ConflictError, match="SEAL_NOT_ACTIVE"):
        vault.seal_uses.use(before, LETTER, actor=OP)
    vault.seals.destroy(seal_id, OP)
    with pytest.raises(ConflictError, match="SEAL_NOT_ACTIVE"):
        vault.seal_uses.use(before, LETTER, actor=OP)
    assert used(vault, seal_id) == 0


def test_a_seal_that_is_not_yet(vault: Vault) -> None:
    seal_id = vault.seals.apply("contract", actor=OP, wanted=Wanted()).seal.id
    for step in (vault.seals.approve, vault.seals.make, None):
        with pytest.raises(ConflictError, match="SEAL_NOT_ACTIVE"):
            permitted(vault, seal_id)
        if step is not None:
            step(seal_id, OP)


def test_over_the_count(vault: Vault) -> None:
    seal_id = active(vault, SealRules(max_uses=2))
    permits = [permitted(vault, seal_id) for _ in range(3)]
    for permit in permits[:2]:
        vault.seal_uses.use(permit, LETTER, actor=OP)
    with pytest.raises(RefusedError, match="max_uses"):
        vault.seal_uses.use(permits[2], LETTER, actor=OP)
    vault.pki.rollover(vault.seals.get(seal_id, OP).at_work.key_id, OP)  # type: ignore[union-attr,arg-type]
    with pytest.raises(RefusedError, match="max_uses"):  # another key is no other seal
        vault.seal_uses.use(permits[2], LETTER, actor=OP)
    assert used(vault, seal_id) == 2


def test_outside_the_rules(vault: Vault, clock: FixedClock) -> None:
    soon = clock.now() + datetime.timedelta(seconds=5)
    seal_id = active(vault, SealRules(actors=(CLERK.subject,), purposes=("invoice",), until=soon))
    with pytest.raises(RefusedError) as caught:
        permitted(vault, seal_id)
    assert {r.field for r in caught.value.refusals} == {"actor", "purpose"}
    permit = vault.seal_uses.permit(seal_id, [LETTER], purpose="invoice", actor=OP, user=CLERK.subject)[0]
    other = vault.seal_uses.permit(seal_id, [LETTER], purpose="invoice", actor=OP, user=OTHER.subject)[0]
    with pytest.raises(RefusedError, match="SEAL_RULE actor"):
        vault.seal_uses.use(other.id, LETTER, actor=OTHER)
    clock.sleep(10)
    with pytest.raises(RefusedError, match="SEAL_RULE until"):
        vault.seal_uses.use(permit.id, LETTER, actor=CLERK)
    assert used(vault, seal_id) == 0


def test_one_approver_where_two_are_needed(vault: Vault) -> None:
    seal_id = active(vault, SealRules(approvers=2))
    permit = permitted(vault, seal_id)
    with pytest.raises(ConflictError, match="PERMIT_PENDING"):
        vault.seal_uses.use(permit, LETTER, actor=OP)
    with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
        vault.seal_uses.confirm(permit, OP)  # even an operator is one person
    vault.seal_uses.confirm(permit, OTHER)
    with pytest.raises(ConflictError, match="PERMIT_APPROVED"):
        vault.seal_uses.confirm(permit, OTHER)
    assert vault.seal_uses.use(permit, LETTER, actor=OP)[0].digest == LETTER


def test_an_applicant_who_approves_or_activates_himself(vault: Vault) -> None:
    seal_id = vault.seals.apply("contract", actor=OTHER, wanted=Wanted()).seal.id
    with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
        vault.seals.approve(seal_id, OTHER)
    vault.seals.approve(seal_id, OP)
    vault.seals.make(seal_id, OTHER)
    with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
        vault.seals.activate(seal_id, OTHER)
    vault.seals.activate(seal_id, OP)
    with pytest.raises(ForbiddenError):
        vault.seals.suspend(seal_id, CLERK, "x")


def test_four_eyes_bind_an_operator_as_well(vault: Vault) -> None:
    strict = vault.seals._settings
    vault.seals._settings = vault.seal_uses._settings = replace(strict, four_eyes=True)
    try:
        seal_id = vault.seals.apply("contract", actor=OP, wanted=Wanted()).seal.id
        with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
            vault.seals.approve(seal_id, OP)
        vault.seals.approve(seal_id, OTHER)
        vault.seals.make(seal_id, OP)
        vault.seals.activate(seal_id, OTHER)
        with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
            permitted(vault, seal_id)
        permit = permitted(vault, seal_id, user=CLERK.subject)
        assert vault.seal_uses.use(permit, LETTER, actor=CLERK)[0].used_by == CLERK.subject
    finally:
        vault.seals._settings = vault.seal_uses._settings = strict


def test_a_row_that_was_not_approved(vault: Vault, tmp_path: Path) -> None:
    """The batch's permit covers its rows, each in its place, once; not another row, nor the same one again."""
    official = official_of(vault)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(business(77), ensure_ascii=False) + "\n")
    job = vault.minting.start("business-license", rows, None, actor=OP).job
    leaves = [leaf_hash(n, bytes([n]) * 32) for n in range(3)]
    tree = MerkleTree(leaves)
    permit = vault.seal_uses.permit_batch(official, tree.root, 3, actor=OP, job=job)
    database = vault._database
    with database.reading() as view:
        known = view.licenses.all()
    identifier = (
        known[0].identifier if known else vault.issuing.issue("business-license", business(1), actor=OP).identifier
    )
    good = Row(identifier, LETTER, 1, leaves[1], tuple(tree.proof(1)))
    forged = [
        replace(good, leaf=leaf_hash(1, b"other" * 6 + b"xx")),
        replace(good, index=2),
        replace(good, index=3),
        replace(good, index=-1),
        replace(good, proof=()),
        replace(good, proof=tuple(tree.proof(0))),
    ]
    for row in forged:
        with pytest.raises(ConflictError, match="PERMIT_DIGEST"), database.writing() as uow:
            vault.seal_uses.redeem_rows(uow, job, [good, row], actor=OP, at=vault.clock.now())
    with pytest.raises(ConflictError, match="PERMIT_USER"), database.writing() as uow:
        vault.seal_uses.redeem_rows(uow, job, [good], actor=OTHER, at=vault.clock.now())
    with database.reading() as view:
        assert view.seal_uses.where(permit_id=permit.id) == []
    with database.writing() as uow:
        vault.seal_uses.redeem_rows(uow, job, [good], actor=OP, at=vault.clock.now())
    from certvault.errors import DuplicateRowError

    with pytest.raises(DuplicateRowError), database.writing() as uow:
        vault.seal_uses.redeem_rows(uow, job, [good], actor=OP, at=vault.clock.now())
    with pytest.raises(NotFoundError):  # a batch's permit is no permit for a letter
        vault.seal_uses.use(permit.id, LETTER, actor=OP)
    vault.seal_uses.cancel(permit.id, OP)
    with pytest.raises(ConflictError, match="PERMIT_MISSING"), database.writing() as uow:
        vault.seal_uses.redeem_rows(uow, job, [good], actor=OP, at=vault.clock.now())


def test_a_license_whose_row_was_changed_in_the_database(vault: Vault, tmp_path: Path) -> None:
    """Approved is what stood in the file: a row exchanged afterwards does not get under the seal."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(business(n), ensure_ascii=False) + "\n" for n in (81, 82)))
    job = vault.minting.start("business-license", rows, None, actor=OP).job
    other = json.dumps(business(83) | {"name": "不曾批准的公司"}).encode()
    with vault._database.writing() as uow:
        row = uow.job_rows.where(job=job, row=2)[0]
        uow.job_rows.save_all([replace(row, sealed=vault.minting.batches._cipher.seal(f"row:{job}:2", other))], ())
    with pytest.raises(ConflictError, match="PERMIT_DIGEST"):
        vault.minting.run(job, out=None, actor=OP)
    with vault._database.reading() as view:
        assert [x for x in view.licenses.all() if x.job == job and x.state.value == "ISSUED"] == []


def test_a_suspended_seal_numbers_nothing(vault: Vault) -> None:
    official = official_of(vault)
    with vault._database.reading() as view:
        before = view.licenses.counts()
    vault.seals.suspend(official, OP, "inspection")
    try:
        with pytest.raises(ConflictError, match="SEAL_SUSPENDED"):
            vault.issuing.issue("business-license", business(40), actor=OP)
    finally:
        vault.seals.resume(official, OP)
    with vault._database.reading() as view:
        assert view.licenses.counts() == before
    assert vault.issuing.issue("business-license", business(40), actor=OP).identifier


def sealed_by(vault: Vault, hand: Hand, *, baseline: Baseline = Baseline.B_T) -> bytes:
    """A PDF sealed with a key at hand, whatever the vault thinks of it."""
    made = io.BytesIO()
    drawn = canvas.Canvas(made)
    drawn.drawString(100, 100, "a letter")
    drawn.save()
    at = vault.clock.now()
    stamp = None if baseline is Baseline.B_B else vault.pki.authority().at(at)
    instrument = Instrument(hand.signer, hand.certificate, hand.chain)
    return seal_document(made.getvalue(), SealOrder(instrument, at, baseline=baseline, stamp=stamp))


def test_a_stolen_key_of_a_seal_that_was_suspended(vault: Vault, clock: FixedClock) -> None:
    """Its certificate is not revoked; but the vault knows that the seal could not be used at that moment."""
    seal_id = active(vault)
    hand = vault.seal_uses.hand(seal_id)
    good = [sealed_by(vault, hand), sealed_by(vault, hand, baseline=Baseline.B_B)]
    clock.sleep(600)
    vault.seals.suspend(seal_id, OP, "stolen")
    clock.sleep(600)
    forged = [sealed_by(vault, hand), sealed_by(vault, hand, baseline=Baseline.B_B)]
    for pdf in forged:
        verdict = vault.verification.verify(pdf)
        assert verdict.conclusion.value == "INVALID"
        (found,) = [f for f in verdict.findings if f.code == "SEAL_NOT_GOOD_THEN"]
        assert found.params == {"seal": seal_id, "status": "SUSPENDED"}
    proven, claimed = (vault.verification.verify(pdf) for pdf in good)
    assert proven.conclusion.value == "VALID"
    assert claimed.conclusion.value == "INDETERMINATE"  # whoever has the key writes any time
    vault.seals.resume(seal_id, OP)
    assert vault.verification.verify(good[1]).conclusion.value == "VALID"
    vault.seals.retire(seal_id, OP, "old")
    clock.sleep(600)
    assert vault.verification.verify(good[0]).conclusion.value == "VALID"  # retired today, yesterday's stays good
    assert vault.verification.verify(sealed_by(vault, hand)).conclusion.value == "INVALID"


def test_a_stolen_key_of_a_seal_that_another_process_made(vault: Vault, clock: FixedClock) -> None:
    """Who judges knows the certificates it has seen; one that was made since is looked for, and found."""
    with open_vault(vault.settings.folder, clock=clock) as judging:
        assert (
            judging.verification.verify(sealed_by(vault, vault.seal_uses.hand(active(vault)))).conclusion.value
            == "VALID"
        )
        seal_id = active(vault)
        hand = vault.seal_uses.hand(seal_id)
        clock.sleep(600)
        vault.seals.suspend(seal_id, OP, "stolen")
        clock.sleep(600)
        verdict = judging.verification.verify(sealed_by(vault, hand))
    assert verdict.conclusion.value == "INVALID"
    assert "SEAL_NOT_GOOD_THEN" in {f.code for f in verdict.findings}


def test_a_vault_that_does_not_answer_is_no_pass_for_seals(vault: Vault) -> None:
    hand = vault.seal_uses.hand(active(vault))
    evidence = replace(vault.verification.evidence(), seal_at=lambda *_: 1 // 0)
    verdict = verify.verify_any(
        sealed_by(vault, hand), trust=vault.verification.trust(), at=vault.clock.now(), evidence=evidence
    )
    assert "VAULT_UNREACHABLE" in {f.code for f in verdict.findings}
    assert verdict.conclusion.value == "INDETERMINATE"


def test_a_key_that_was_compromised_since_a_moment(vault: Vault, clock: FixedClock) -> None:
    """What it sealed since then is listed and in doubt; what it sealed before, with a timestamp, stands."""
    seal_id = active(vault)
    key = vault.seal_uses.hand(seal_id).key.id
    before = sealed_by(vault, vault.seal_uses.hand(seal_id))
    vault.seal_uses.use(permitted(vault, seal_id), LETTER, actor=OP)
    clock.sleep(3600)
    since = clock.now()
    clock.sleep(3600)
    vault.seal_uses.use(permitted(vault, seal_id, ANOTHER), ANOTHER, actor=OP)
    moment = clock.now()
    after = sealed_by(vault, vault.seal_uses.hand(seal_id))
    clock.sleep(3600)
    drill = vault.compromise.report(key, since, OP, dry_run=True)
    assert ([u.digest for u in drill.uses], drill.done) == ([ANOTHER], False)
    assert vault.seal_standings.as_of(seal_id, moment).good
    done = vault.compromise.report(key, since, OP)
    assert [u.digest for u in done.uses] == [ANOTHER]
    assert vault.seal_standings.as_of(seal_id, moment).then.value == "KEY_COMPROMISED"
    assert vault.seal_standings.as_of(seal_id, since - datetime.timedelta(seconds=1)).good
    assert "SEAL_NOT_GOOD_THEN" in {f.code for f in vault.verification.verify(after).findings}
    assert vault.verification.verify(after).conclusion.value != "VALID"
    assert "SEAL_NOT_GOOD_THEN" not in {f.code for f in vault.verification.verify(before).findings}
    with pytest.raises(ConflictError, match="SEAL_WITHOUT_KEY"):
        vault.seal_uses.hand(seal_id)
    vault.pki.rollover(key, OP)
    assert vault.seal_uses.hand(seal_id).key.id != key
    with pytest.raises(RefusedError, match="since"):
        vault.compromise.report(key, clock.now() + datetime.timedelta(days=1), OP)
    with pytest.raises(ForbiddenError):
        vault.compromise.report(key, since, OTHER)


def test_a_stolen_key_gets_no_minute_of_grace(vault: Vault, clock: FixedClock) -> None:
    """Between a leave and its timestamp a minute is allowed; who stole the key waits for no leave."""
    seal_id = active(vault)
    key = vault.seal_uses.hand(seal_id).key.id
    clock.sleep(3600)
    since = clock.now()
    clock.sleep(20)
    forged = sealed_by(vault, vault.seal_uses.hand(seal_id))
    clock.sleep(3600)
    vault.compromise.report(key, since, OP)
    verdict = vault.verification.verify(forged)
    assert "SEAL_NOT_GOOD_THEN" in {f.code for f in verdict.findings}
    assert verdict.conclusion.value == "INDETERMINATE"


RACER = """
import sys, time
from pathlib import Path
from certvault.bootstrap import LOCAL_OPERATOR, open_vault
from verify.formats.refusal import RefusedError

with open_vault(Path(sys.argv[1])) as vault:
    time.sleep(max(0, float(sys.argv[4]) - time.time()))
    for permit in sys.argv[2].split(","):
        try:
            vault.seal_uses.use(permit, sys.argv[3], actor=LOCAL_OPERATOR)
            print("used")
        except RefusedError as error:
            print(error.first.code)
"""


def test_two_processes_redeem_the_same_permits_at_one_moment(database_url: str, tmp_path: Path) -> None:
    with create_vault(InitOptions(folder=tmp_path / "vault", keys="file", database_url=database_url)) as vault:
        seal_id = active(vault)
        until = vault.clock.now() + datetime.timedelta(hours=1)
        permits = [permitted(vault, seal_id, until=until) for _ in range(12)]
        arguments = [str(tmp_path / "vault"), ",".join(permits), LETTER, str(time.time() + 4)]
        racers = [
            subprocess.Popen([sys.executable, "-c", RACER, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT)
            for _ in range(2)
        ]
        told = [r.communicate()[0].split() for r in racers]
        assert [r.returncode for r in racers] == [0, 0]
        for mine, theirs in zip(*told, strict=True):
            assert sorted((mine, theirs)) == ["PERMIT_USED", "used"]
        assert used(vault, seal_id) == len(permits)
        assert vault.doctor().problems == ()


KILLED = """
import os, signal, sys
from pathlib import Path
from certvault.bootstrap import LOCAL_OPERATOR, open_vault
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from signing.tbs import ToBeSigned

BackendSigner.sign = lambda self, tbs: os.kill(os.getpid(), signal.SIGKILL)
vault = open_vault(Path(sys.argv[1]))
use, hand = vault.seal_uses.use(sys.argv[2], sys.argv[3], actor=LOCAL_OPERATOR)
hand.signer.sign(ToBeSigned(b"x", KeyPurpose.SEAL))
"""


def test_killed_between_record_and_signature(tmp_path: Path) -> None:
    """What may have been sealed is on record; nothing is sealed that is not."""
    with create_vault(InitOptions(folder=tmp_path / "vault", keys="file")) as vault:
        seal_id = active(vault)
        permit = permitted(vault, seal_id, until=vault.clock.now() + datetime.timedelta(hours=1))
    child = [sys.executable, "-c", KILLED, str(tmp_path / "vault"), permit, LETTER]
    assert subprocess.run(child, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    from certvault.bootstrap import open_vault

    with open_vault(tmp_path / "vault") as again:
        (use,) = again.seal_uses.uses(seal_id, OP)
        assert (use.permit_id, use.digest) == (permit, LETTER)
        with pytest.raises(ConflictError, match="PERMIT_USED"):
            again.seal_uses.use(permit, LETTER, actor=OP)
        assert again.doctor().problems == ()
