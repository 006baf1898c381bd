"""Single keys: backed up when made for it, put back, destroyed when they sign no more."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from certvault.bootstrap import Vault, open_vault
from certvault.errors import ConflictError, ForbiddenError
from certvault.keytests import probe_text
from certvault.model.actor import LOCAL_OPERATOR, Actor
from signing.errors import KeyNotFoundError
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned
from tests.support.rows import business
from verify.formats.refusal import RefusedError


@pytest.mark.parametrize("keys", ["file", "pkcs11"])
def test_a_key_made_for_it_is_backed_up_destroyed_and_put_back(make_vault: Callable[..., Vault], keys: str) -> None:
    vault = make_vault(keys=keys)
    first = next(k for k in vault.pki.keys(LOCAL_OPERATOR) if k.purpose == "seal")
    with pytest.raises(ConflictError, match="KEY_NOT_EXPORTABLE"):
        vault.keycare.back_up(first.id, LOCAL_OPERATOR)
    key = vault.pki.rollover("seal", LOCAL_OPERATOR, exportable=True)
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    backup = vault.keycare.back_up(key.id, LOCAL_OPERATOR)
    with pytest.raises(ConflictError, match="KEY_PRESENT"):
        vault.keycare.restore(backup, LOCAL_OPERATOR)
    with pytest.raises(ConflictError, match="KEY_ACTIVE"):
        vault.keycare.destroy(key.id, LOCAL_OPERATOR)
    vault.pki.rollover("seal", LOCAL_OPERATOR)
    assert vault.keycare.destroy(key.id, LOCAL_OPERATOR).state.value == "DESTROYED"
    assert vault.keycare.destroy(key.id, LOCAL_OPERATOR).state.value == "DESTROYED"
    with pytest.raises(KeyNotFoundError):
        vault._keyring.backend.sign(vault._keyring.by_id(key.id).handle, b"x")  # type: ignore[union-attr]
    assert vault.verification.verify(issued.pdf).conclusion.value == "VALID"
    assert vault.doctor().clean
    longer, other = backup.replace(b'"wrapped": "', b'"wrapped": "AAAA'), backup.replace(b"certvault-key/1", b"x")
    for bad in (b"", b"{}", longer, other):
        with pytest.raises(RefusedError, match="NOT_A_KEY_BACKUP"):
            vault.keycare.restore(bad, LOCAL_OPERATOR)
    assert vault.keycare.restore(backup, LOCAL_OPERATOR).state.value == "RETIRED"
    told = [e.kind for e in vault.audit.entries(LOCAL_OPERATOR, about=f"key:{key.id}").items]
    assert told == ["KEY_CREATED", "KEY_BACKED_UP", "KEY_RETIRED", "KEY_DESTROYED", "KEY_RESTORED"]
    assert vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)


def test_doctor_has_every_key_sign_and_names_each_that_fails(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault(keys="file")
    backend = vault._keyring.backend
    keys = {k.name: k for k in vault._keyring.all()}
    report = vault.doctor()
    assert report.clean
    assert dict(report.checks)["key tests"] == f"{len(keys)} sign"
    lost, changed = keys["tsa-1"], keys["seal-1"]
    backend.destroy(lost.handle)
    backend.destroy(changed.handle)
    backend.generate(changed.uri.removeprefix("file:"), changed.algorithm, changed.purpose)
    problems = [p for p in vault.doctor().problems if p.startswith("key tests:")]
    assert len(problems) == 2
    assert any(lost.uri in p and "key restore" in p and "tsa-1" in p for p in problems)
    assert any(changed.uri in p and "another key" in p for p in problems)
    told = [e for e in vault.audit.entries(LOCAL_OPERATOR, about="keys").items if e.kind == "KEYS_TESTED"]
    assert [e.details["failed"] for e in told] == [0, 2]


def test_what_a_key_signs_to_be_tested_is_nothing_else() -> None:
    one, other = (probe_text("vault", "key") for _ in range(2))
    assert one != other
    assert "不具任何含义" in one.decode()
    assert one[:1] not in {b"\x30", b"\x31", b"\x84", b"e", b"%"}  # DER, attributes, COSE, JOSE, PDF


def test_a_backup_holds_no_key_in_the_clear(make_vault: Callable[..., Vault]) -> None:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    vault = make_vault(keys="file")
    key = vault.pki.rollover("code", LOCAL_OPERATOR, exportable=True)
    value: dict[str, Any] = json.loads(vault.keycare.back_up(key.id, LOCAL_OPERATOR))
    with pytest.raises(ValueError, match=r"."):
        load_der_private_key(base64.b64decode(value["wrapped"]), None)
    other = json.dumps({**value, "vault": "0" * 16}).encode()
    with pytest.raises(RefusedError, match="another vault"):
        vault.keycare.restore(other, LOCAL_OPERATOR)


def test_a_cas_key_is_kept_and_others_may_not(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault(keys="file")
    old = next(k for k in vault.pki.keys(LOCAL_OPERATOR) if k.purpose == "issuing")
    vault.pki.rollover("issuing", LOCAL_OPERATOR)
    with pytest.raises(ConflictError, match="KEY_NEEDED"):
        vault.keycare.destroy(old.id, LOCAL_OPERATOR)
    with pytest.raises(ForbiddenError):
        vault.keycare.destroy(old.id, Actor("x", frozenset({"issuer"})))
    with pytest.raises(RefusedError, match="NOT_FOUND"):
        vault.keycare.back_up("none", LOCAL_OPERATOR)


def test_a_vault_moves_to_another_token_by_backups_and_shares(
    make_vault: Callable[..., Vault], new_token: Callable[[], Any]
) -> None:
    """Token A is lost; what was backed up comes to token B by two of three shares, signs, and licenses are read."""
    first, second = new_token(), new_token()
    vault = make_vault(keys=first.uri, pin=first.pin)
    folder = vault.settings.folder
    seal = vault.pki.rollover("seal", LOCAL_OPERATOR, exportable=True)
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    shares: list[str] = []
    key_id = vault.keycare.new_backup_key(2, 3, LOCAL_OPERATOR, lambda made: shares.extend(text for _, text in made))
    files = [vault.keycare.back_up(k, LOCAL_OPERATOR) for k in ("data", seal.id)]
    told = vault.audit.entries(LOCAL_OPERATOR, about="key-backup").items
    assert [(e.kind, e.details) for e in told] == [("BACKUP_KEY_CREATED", {"key": key_id, "shares": 3, "any": 2})]
    vault.close()

    dataclasses.replace(vault.settings, keys_uri=second.uri).write()
    with open_vault(folder) as moved:
        with pytest.raises(KeyNotFoundError):
            moved.licenses.pdf(issued.identifier, LOCAL_OPERATOR)
        for few, words in (([], "the backup key is not in this device"), (shares[:1], "2 shares are needed")):
            with pytest.raises(RefusedError, match=words):
                moved.keycare.restore(files[1], LOCAL_OPERATOR, few)
        assert moved.keycare.restore(files[0], LOCAL_OPERATOR, shares[1:]) is None
        assert moved.licenses.pdf(issued.identifier, LOCAL_OPERATOR) == issued.pdf
        back = moved.keycare.restore(files[1], LOCAL_OPERATOR)  # the backup key is here by now
        assert back is not None
        assert back.state.value == "ACTIVE"
        assert parse_token(back.uri) == parse_token(second.uri)
        with pytest.raises(ConflictError, match="KEY_PRESENT"):
            moved.keycare.restore(files[1], LOCAL_OPERATOR)
        missing = [p for p in moved.doctor().problems if p.startswith("key tests:")]
        assert not [p for p in missing if "/seal-2:" in p]
        assert [p for p in missing if "/seal-1:" in p]
        signer = moved._keyring.signer(back)
        assert moved._keyring.verifies(back.id, b"x", signer.sign(ToBeSigned(b"x", KeyPurpose.SEAL)))
    with open_vault(folder) as again:
        assert again.licenses.pdf(issued.identifier, LOCAL_OPERATOR) == issued.pdf


def parse_token(uri: str) -> str:
    return uri.partition("token=")[2].partition(";")[0].partition("?")[0]
