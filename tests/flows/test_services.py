"""Tokens, repeated requests, the audit, the catalog, backups, and two processes on one vault."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, Vault, create_vault, open_vault, restore_backup
from certvault.clock import FixedClock
from certvault.db.engine import transaction
from certvault.errors import ConflictError, CorruptDataError, ForbiddenError, SettingsError
from certvault.idempotency import Cached
from certvault.model.actor import Actor
from signing.errors import PinError
from templates.registry import shipped_types
from tests.support.rows import business
from verify.formats.refusal import RefusedError

AT = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(AT)


def test_tokens(make_vault: Callable[..., Vault], clock: FixedClock) -> None:
    vault = make_vault(clock=clock)
    token = vault.tokens.create("issuer", actor=LOCAL_OPERATOR, lifetime=datetime.timedelta(days=1), label="counter 3")
    actor = vault.tokens.authenticate(token)
    assert actor is not None
    assert actor.roles == {"issuer"}
    for wrong in ("", "cv_", token[:-1], token + "x", token.replace("cv_", "xx_"), "cv_" + "0" * 16 + "_x", "cv_é_x"):
        assert vault.tokens.authenticate(wrong) is None
    secret = token.rpartition("_")[2]
    database = (vault.settings.folder / "vault.db").read_bytes() + (vault.settings.folder / "vault.db-wal").read_bytes()
    assert secret.encode() not in database
    clock.sleep(86_401)
    assert vault.tokens.authenticate(token) is None
    second = vault.tokens.create("auditor", actor=LOCAL_OPERATOR)
    holder = vault.tokens.authenticate(second)
    assert holder is not None
    info = next(t for t in vault.tokens.list(LOCAL_OPERATOR) if t.role == "auditor")
    vault.tokens.revoke(info.id, LOCAL_OPERATOR)
    assert vault.tokens.authenticate(second) is None
    with pytest.raises(ForbiddenError):
        vault.tokens.create("operator", actor=actor)
    for role, code in (("king", None), ("holder", None), ("issuer", "x")):
        with pytest.raises(RefusedError):
            vault.tokens.create(role, holder_code=code, actor=LOCAL_OPERATOR)


def test_repeated_requests(make_vault: Callable[..., Vault], clock: FixedClock) -> None:
    vault = make_vault(clock=clock)
    answer = Cached(201, b'{"a": 1}', {"location": "/x"})
    assert vault.idempotency.begin("alice", "k", b"body") is None
    with pytest.raises(ConflictError, match="IDEMPOTENCY_BUSY"):
        vault.idempotency.begin("alice", "k", b"body")
    vault.idempotency.store("alice", "k", answer)
    assert vault.idempotency.begin("alice", "k", b"body") == answer
    with pytest.raises(ConflictError, match="IDEMPOTENCY_MISMATCH"):
        vault.idempotency.begin("alice", "k", b"other")
    assert vault.idempotency.begin("bob", "k", b"other") is None
    vault.idempotency.release("bob", "k")
    assert vault.idempotency.begin("bob", "k", b"third") is None
    clock.sleep(86_401)
    assert vault.idempotency.begin("alice", "k", b"other") is None
    assert vault.idempotency.purge() == 1


def unanchored(folder: Path) -> list[str]:
    """Kinds of the audit's lines that no anchor covers."""
    with open_vault(folder) as vault, vault._database.reading() as view:
        last = view.audit.last_anchor()
        covered = {writer: seq for writer, seq, _ in json.loads(last.heads)} if last else {}
        heads = view.audit.heads()
        return [ln.kind for h in heads for ln in view.audit.chain(h.writer) if ln.seq > covered.get(h.writer, 0)]


def test_a_vault_that_closes_leaves_no_line_without_an_anchor(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault()
    vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    vault.close()
    assert set(unanchored(vault.settings.folder)) <= {"AUDIT_ANCHORED"}
    with open_vault(vault.settings.folder) as again:
        again.tokens.create("issuer", actor=LOCAL_OPERATOR)
        assert again.doctor().clean
        with again._database.reading() as view:
            assert view.audit.newest(1)[0].kind == "AUDIT_ANCHORED"


def test_the_audit_is_whole_and_notices_a_change(make_vault: Callable[..., Vault], database_url: str) -> None:
    vault = make_vault(database_url=database_url)
    vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    assert vault.audit.anchor(vault.clock.now())
    assert not vault.audit.anchor(vault.clock.now())
    assert vault.audit.verify_chain() == []
    sqlite = vault._database.is_sqlite
    with transaction(vault._database.engine, writing=True) as connection:  # as the database's owner could
        if sqlite:
            connection.execute(text("DROP TRIGGER audit_no_update"))
        else:
            connection.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE audit SET actor = 'nobody' WHERE kind = 'LICENSE_ISSUED'"))
    assert any("was changed" in fault for fault in vault.audit.verify_chain())
    with transaction(vault._database.engine, writing=True) as connection:
        if sqlite:
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        connection.execute(text("DELETE FROM audit"))
    assert any("not what was anchored" in fault for fault in vault.audit.verify_chain())
    assert vault.doctor().problems
    with pytest.raises(ForbiddenError):
        vault.audit.entries(Actor("x", frozenset({"issuer"})))


def test_versions_of_a_type_stand_side_by_side(make_vault: Callable[..., Vault]) -> None:
    vault = make_vault()
    old = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    files = dict(next(t for t in shipped_types() if t.name == "business-license").files)
    head = json.loads(files["type.json"])
    head["title"]["en"] = "Business license, newer"
    with pytest.raises(ConflictError, match="TYPE_VERSION"):
        vault.catalog.add(files | {"type.json": json.dumps(head).encode()}, LOCAL_OPERATOR)
    head["version"] = 2
    changed = files | {"type.json": json.dumps(head).encode()}
    assert vault.catalog.add(changed, LOCAL_OPERATOR).version == 2
    assert vault.catalog.add(changed, LOCAL_OPERATOR).version == 2
    assert vault.catalog.get("business-license").version == 2
    new = vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    assert vault.licenses.get(old.identifier, LOCAL_OPERATOR).type_version == 1
    assert vault.licenses.get(new.identifier, LOCAL_OPERATOR).type_version == 2
    for issued in (old, new):
        assert vault.verification.verify(issued.pdf).conclusion.value == "VALID"
    assert [(t.name, t.version) for t in vault.catalog.list() if t.name == "business-license"] == [
        ("business-license", 1),
        ("business-license", 2),
    ]
    with pytest.raises(RefusedError, match="BAD_LICENSE_TYPE"):
        vault.catalog.add(files | {"type.json": b"{"}, LOCAL_OPERATOR)
    with pytest.raises(ForbiddenError):
        vault.catalog.add(files, Actor("x", frozenset({"issuer"})))


@pytest.mark.parametrize("keys", ["file", "pkcs11"])
def test_backup_and_restore(
    make_vault: Callable[..., Vault], database_url: str, tmp_path: Path, keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CERTVAULT_PIN", raising=False)
    vault = make_vault(database_url=database_url, keys=keys)
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    pin = (vault.settings.folder / "pin").read_text()
    archive = tmp_path / "vault.backup"
    vault.backup(archive)
    after = vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
    assert archive.stat().st_mode & 0o077 == 0
    content = archive.read_bytes()
    assert issued.number.encode() not in content
    with pytest.raises(PinError):
        restore_backup(archive, tmp_path / "none")
    (tmp_path / "changed").write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    (tmp_path / "cut").write_bytes(content[:-2000])
    (tmp_path / "other").write_bytes(b"%PDF-1.7\n")
    for bad, error in (("changed", CorruptDataError), ("cut", CorruptDataError), ("other", RefusedError)):
        with pytest.raises(error):
            restore_backup(tmp_path / bad, tmp_path / "never", pin=pin)
        assert not list((tmp_path / "never").iterdir())
    with pytest.raises(ConflictError):
        restore_backup(archive, vault.settings.folder, pin=pin)
    restore_backup(archive, tmp_path / "again", pin=pin)
    with open_vault(tmp_path / "again") as restored:
        assert restored.licenses.pdf(issued.identifier, LOCAL_OPERATOR) == issued.pdf
        assert restored.doctor().problems == ()
        third = restored.issuing.issue("business-license", business(3), actor=LOCAL_OPERATOR)
        assert restored.verification.verify(third.pdf).conclusion.value == "VALID"
        with pytest.raises(RefusedError):
            restored.licenses.get(after.identifier, LOCAL_OPERATOR)


def test_a_backup_goes_into_postgresql(make_vault: Callable[..., Vault], tmp_path: Path, postgres_url: str) -> None:
    vault = make_vault(keys="file")
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    vault.backup(tmp_path / "b")
    pin = (vault.settings.folder / "pin").read_text()
    restore_backup(tmp_path / "b", tmp_path / "pg", pin=pin, database_url=postgres_url)
    with open_vault(tmp_path / "pg") as restored:
        assert not restored._database.is_sqlite
        assert restored.licenses.record(issued.identifier, LOCAL_OPERATOR) == issued.record
        assert restored.doctor().problems == ()
        restored.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)


def test_many_threads_one_vault(
    make_vault: Callable[..., Vault], database_url: str, example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(database_url=database_url)
    data = example("road-transport-license")
    numbers: list[str] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(5):
                issued = vault.issuing.issue("road-transport-license", data, actor=LOCAL_OPERATOR)
                numbers.append(issued.number)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(int(n[-9:-1]) for n in numbers) == list(range(1, 21))
    assert vault.doctor().problems == ()


def test_one_number_asked_for_by_many_threads_is_issued_once(
    make_vault: Callable[..., Vault], database_url: str
) -> None:
    vault = make_vault(database_url=database_url)
    outcomes: list[str] = []

    def work() -> None:
        try:
            outcomes.append(vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR).identifier)
        except ConflictError as error:
            outcomes.append(error.first.code)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("DUPLICATE_LICENSE") == 5


CHILD = """
import sys, json
from pathlib import Path
from certvault.bootstrap import LOCAL_OPERATOR, open_vault
with open_vault(Path(sys.argv[1])) as vault:
    for _ in range(8):
        print(vault.issuing.issue("road-transport-license", json.loads(sys.argv[2]), actor=LOCAL_OPERATOR).number)
"""


def test_three_processes_one_vault(
    make_vault: Callable[..., Vault], database_url: str, example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(database_url=database_url)
    data = json.dumps(example("road-transport-license"))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(vault.settings.folder), data], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    numbers = [line for child in children for line in child.communicate()[0].split()]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sorted(int(n[-9:-1]) for n in numbers) == list(range(1, 25))
    assert vault.doctor().problems == ()


def test_a_vault_is_made_once_and_a_failed_one_leaves_nothing(
    make_vault: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault(keys="file")
    with pytest.raises(ConflictError, match="VAULT_EXISTS"):
        create_vault(InitOptions(folder=vault.settings.folder))
    for wrong in (
        {"suite": "sm9"},
        {"suite": "sm2", "keys": "pkcs11"},
        {"issuer_code": "91"},
        {"region": "x"},
        {"base_url": "ftp://x"},
        {"name": ""},
    ):
        with pytest.raises(RefusedError):
            create_vault(InitOptions(folder=tmp_path / "new", **wrong))  # type: ignore[arg-type]
    monkeypatch.setattr(
        "certvault.bootstrap.shipped_types", lambda: (_ for _ in ()).throw(SettingsError("坏", "broken"))
    )
    with pytest.raises(SettingsError):
        create_vault(InitOptions(folder=tmp_path / "new", keys="file"))
    assert list((tmp_path / "new").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
import certvault.bootstrap as bootstrap
bootstrap.shipped_types = lambda: os.kill(os.getpid(), signal.SIGKILL)
bootstrap.create_vault(bootstrap.InitOptions(folder=Path(sys.argv[1]), keys="file", database_url=sys.argv[2]))
"""


def test_a_killed_init_is_repeated(
    make_vault: Callable[..., Vault], tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "vault"), database_url], check=False)
    assert done.returncode == -9
    assert any((tmp_path / "vault").iterdir())
    vault = make_vault(keys="file", database_url=database_url)
    assert vault.doctor().problems == ()
    with pytest.raises(SettingsError, match="another vault"):
        make_vault(name="second", keys="file", database_url=database_url)


def test_a_wrong_pin_is_named(make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch) -> None:
    vault = make_vault(keys="file")
    vault.close()
    monkeypatch.setenv("CERTVAULT_PIN", "wrong-pin")
    with open_vault(vault.settings.folder) as again:
        assert any("PIN" in problem or "passphrase" in problem for problem in again.ready())
        with pytest.raises(PinError):
            again.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)


def test_an_s3_store(make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        import boto3

        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1").create_bucket(Bucket="bucket")
        vault = make_vault(store_url=f"s3://bucket/licenses?endpoint={endpoint}")
        issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
        assert vault.licenses.pdf(issued.identifier, LOCAL_OPERATOR) == issued.pdf
        assert vault.doctor().problems == ()
    finally:
        server.stop()
