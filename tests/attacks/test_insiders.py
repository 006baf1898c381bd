"""People of the house who go around a rule: each attempt is refused, or shows."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from bench.data import examples
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault, open_vault
from certvault.clock import FixedClock
from certvault.errors import ConflictError, ForbiddenError
from certvault.model.actor import Actor
from certvault.model.sealrules import SealRules
from certvault.model.views import AuditFilter
from certvault.remote import PURPOSE
from certvault.seals import Wanted
from signing.backends import software
from signing.backends.shares import split
from signing.formats.detached import DetachedForm, seal_digest
from signing.formats.seal_document import Instrument
from tests.conftest import NOW
from verify.formats.refusal import RefusedError

OP = LOCAL_OPERATOR
ANN = Actor("token:ann", frozenset({"custodian"}))
BOB = Actor("token:bob", frozenset({"custodian"}))
LETTER = hashlib.sha256(b"letter").hexdigest()


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory, clock: FixedClock) -> Iterator[Vault]:
    """One vault for the module, with SM2: each test has seals of its own."""
    options = InitOptions(folder=tmp_path_factory.mktemp("insiders") / "vault", keys="file", suite="sm2")
    with create_vault(options, clock=clock) as made:
        yield made


def active(vault: Vault, rules: SealRules | None = None) -> str:
    """A finance seal in use."""
    seal_id = vault.seals.apply("finance", actor=OP, wanted=Wanted(rules=rules)).seal.id
    _finish(vault, seal_id)
    return seal_id


def _finish(vault: Vault, seal_id: str) -> None:
    for step in (vault.seals.approve, vault.seals.make, vault.seals.activate):
        step(seal_id, OP)


def used(vault: Vault, seal_id: str) -> int:
    return len(vault.seal_uses.uses(seal_id, OP))


def test_the_user_as_second_approver(vault: Vault) -> None:
    """Two give leave, and who uses the seal on leave of others is neither."""
    seal_id = active(vault, SealRules(approvers=2))
    permit = vault.seal_uses.permit(seal_id, [LETTER], purpose="letter", actor=ANN, user=BOB.subject)[0].id
    with pytest.raises(ConflictError, match="SEAL_FOUR_EYES"):
        vault.seal_uses.confirm(permit, BOB)
    with pytest.raises(ConflictError, match="PERMIT_PENDING"):
        vault.seal_uses.use(permit, LETTER, actor=BOB)
    vault.seal_uses.confirm(permit, OP)
    assert vault.seal_uses.use(permit, LETTER, actor=BOB)[0].used_by == BOB.subject


def test_permits_laid_up_before_two_had_to_approve(vault: Vault, clock: FixedClock) -> None:
    """A month's worth, given alone the day before the rule came; by every door."""
    seal_id, until = active(vault), clock.now() + datetime.timedelta(days=30)
    permit = vault.seal_uses.permit(seal_id, [LETTER], purpose="letter", actor=ANN, until=until)[0].id
    vault.seal_uses.permit(seal_id, [LETTER], purpose=PURPOSE, actor=ANN, user=BOB.subject, until=until)
    vault.seals.change(seal_id, actor=OP, wanted=Wanted(rules=SealRules(approvers=2)))
    _finish(vault, seal_id)
    with pytest.raises(ConflictError, match="PERMIT_APPROVERS"):
        vault.seal_uses.use(permit, LETTER, actor=ANN)
    found = vault.remote.authorize(f"{seal_id}-2", [bytes.fromhex(LETTER)], 1, BOB)
    assert (found.sad, found.handle is not None) == (None, True)  # it waits for a second approver
    assert used(vault, seal_id) == 0


def test_a_key_that_another_process_reported_as_compromised(vault: Vault, clock: FixedClock) -> None:
    """A server that has read its keys before does not seal on with it, and the permit is not spent."""
    seal_id = active(vault)
    permit = vault.seal_uses.permit(seal_id, [LETTER], purpose="letter", actor=ANN)[0].id
    key = vault.seal_uses.hand(seal_id).key.id
    with open_vault(vault.settings.folder, clock=clock) as other:
        other.compromise.report(key, clock.now(), OP)
    with pytest.raises(ConflictError, match="SEAL_WITHOUT_KEY"):
        vault.seal_uses.use(permit, LETTER, actor=ANN)
    assert used(vault, seal_id) == 0


@pytest.mark.parametrize("form", list(DetachedForm))
def test_a_stolen_key_of_a_suspended_seal_signs_beside_a_file(
    vault: Vault, clock: FixedClock, form: DetachedForm
) -> None:
    """Not on a PDF, where the vault's word counts anyway, but in a file of its own."""
    seal_id = active(vault)
    hand, structure = vault.seal_uses.hand(seal_id), vault.seal_standings.structure(seal_id)

    def signed() -> bytes:
        digest = hashlib.new(hand.signer.handle.algorithm.hash, b"letter").digest()
        instrument = Instrument(hand.signer, hand.certificate, hand.chain, structure)
        at = clock.now()
        return seal_digest(digest, instrument, at=at, form=form, stamp=vault.pki.authority().at(at))

    good = signed()
    clock.sleep(600)
    vault.seals.suspend(seal_id, OP, "stolen")
    clock.sleep(600)
    verdict = vault.verification.verify(signed(), document=b"letter")
    assert verdict.conclusion.value == "INVALID"
    (found,) = [f for f in verdict.findings if f.code == "SEAL_NOT_GOOD_THEN"]
    assert found.params == {"seal": seal_id, "status": "SUSPENDED"}
    assert vault.verification.verify(good, document=b"letter").conclusion.value == "VALID"


def test_many_uses_do_not_hide_the_steps_of_a_life(vault: Vault, clock: FixedClock) -> None:
    """The signed answer shows strangers the steps it follows from, and nothing of the uses."""
    seal_id = active(vault)
    for _ in range(3):
        digests = [hashlib.sha256(bytes([n])).digest() for n in range(70)]
        credential = f"{seal_id}-1"
        leave = vault.remote.authorize(credential, digests, 70, ANN)
        for digest in digests:
            vault.remote.sign(credential, leave.sad or "", [digest], ANN)
    clock.sleep(60)
    payload = vault.seal_standings.answer(seal_id, clock.now()).split(".")[1]
    evidence = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["evidence"]
    kinds = [line["kind"] for line in evidence["lines"] if line["kind"].startswith(("SEAL_", "REMOTE_"))]
    assert kinds == ["SEAL_APPLY", "SEAL_APPROVE", "SEAL_MAKE", "SEAL_ACTIVATE"]


def test_an_auditor_of_one_organization_reads_the_steps_of_all(vault: Vault) -> None:
    """The audit tells of every organization's seals and licenses: it is for those who are bound to none."""
    code = vault.issuers.list(OP)[0].code
    for role in ("auditor", "operator"):
        bound = Actor("token:bound", frozenset({role}), issuer_code=code)
        for read in (vault.audit.entries, vault.audit.anchors):
            with pytest.raises(ForbiddenError):
                read(bound)
        with pytest.raises(ForbiddenError):
            vault.audit.find(bound, AuditFilter())
    assert vault.audit.entries(Actor("token:free", frozenset({"auditor"}))).items


def test_shares_of_a_backup_key_that_a_keeper_made_up(vault: Vault) -> None:
    """They open no backup of the vault, and later backups are not made under the key they give."""
    vault.keycare.new_backup_key(2, 3, OP, lambda shares: None)
    seal_id = vault.seals.apply("contract", actor=OP, wanted=Wanted()).seal.id
    vault.seals.approve(seal_id, OP)
    vault.seals.make(seal_id, OP, exportable=True)
    vault.seals.activate(seal_id, OP)
    key = vault.seal_uses.hand(seal_id).key
    backup = vault.keycare.back_up(key.id, OP)
    vault._keyring.backend.destroy(key.handle)  # as if the device had lost it
    forged = [share.to_text() for share in split(bytes(range(32)), 2, 3, "key backup")[:2]]
    with pytest.raises(RefusedError):
        vault.keycare.restore(backup, ANN, forged)
    vault.keycare.restore(backup, ANN)
    again = json.loads(vault.keycare.back_up(key.id, OP))
    assert again["under"] == json.loads(backup)["under"]


@pytest.mark.parametrize("noted", [True, False], ids=["by its check value", "by a license"])
def test_data_keys_that_a_keeper_made_up(vault: Vault, noted: bool) -> None:
    """Taken in, they would leave what is stored unreadable, and what comes later readable to the forger."""
    issued = vault.issuing.issue("road-transport-license", next(examples("road-transport-license")), actor=OP)
    vault.keycare.new_backup_key(2, 3, OP, lambda shares: None)
    honest = vault.keycare.back_up("data", OP)
    secret = bytes(range(32))
    named = [part.rsplit(":", 1)[0] for part in json.loads(honest)["wrapped"].split()]
    wrapped = base64.b64encode(software.wrap_key(secret, b"A" * 32)).decode()
    forged = json.loads(honest) | {"under": "file:x", "wrapped": " ".join(f"{name}:{wrapped}" for name in named)}
    shares = [share.to_text() for share in split(secret, 2, 3, "key backup")[:2]]
    with vault._database.writing() as uow:
        before = uow.data_keys.all()
        if not noted:
            uow.connection.execute(text("DELETE FROM vault_facts WHERE name LIKE 'data-key-check:%'"))
    with pytest.raises(RefusedError, match="NOT_A_KEY_BACKUP"):
        vault.keycare.restore(json.dumps(forged).encode(), ANN, shares)
    with vault._database.reading() as view:
        assert view.data_keys.all() == before
    assert vault.licenses.record(issued.identifier, OP)
    vault.keycare.restore(honest, ANN)
    assert vault.licenses.record(issued.identifier, OP)
