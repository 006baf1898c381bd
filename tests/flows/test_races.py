"""Several processes at one vault at one moment: nothing is lost, nothing done twice, and the doctor finds nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from certvault.bootstrap import open_vault, restore_backup
from certvault.errors import StorageUnavailableError
from certvault.model.actor import LOCAL_OPERATOR
from certvault.settings import read_pin
from templates.registry import read_folder

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import LicenseView

ROWS = 8
CHILD = """
import json, sys, time
from pathlib import Path
from certvault.bootstrap import open_vault
from certvault.model.actor import LOCAL_OPERATOR as WHO
from verify.formats.refusal import RefusedError

folder, task, start, given = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), json.loads(sys.argv[4])
done = []
with open_vault(folder) as vault:
    time.sleep(max(0, start - time.time()))
    try:
        if task == "issue":
            for type_name, data in given:
                try:
                    done.append(vault.issuing.issue(type_name, data, actor=WHO).identifier)
                except RefusedError as error:
                    done.append(error.first.code)
        elif task == "mint":
            told = vault.minting.mint("food-business-license", Path(given[0]), Path(given[1]), actor=WHO)
            done.append(f"{told.state} {told.issued}")
        elif task == "keys":
            vault.backup(Path(given[0]))
            for purpose in ("seal", "record", "code", "tsa", "status", "issuing"):
                vault.pki.rollover(purpose, WHO)
            vault.catalog.add({p.name: p.read_bytes() for p in Path(given[1]).iterdir()}, WHO)
            vault.backup(Path(given[2]))
    except RefusedError as error:
        done.append(error.first.code)
print(json.dumps(done))
"""


def new_version(folder: Path) -> Path:
    """A second version of a shipped type."""
    shipped = Path(__file__).resolve().parents[2] / "templates" / "types" / "food-business-license"
    folder.mkdir()
    for name, data in read_folder(shipped).items():
        (folder / name).write_bytes(data)
    head = json.loads((folder / "type.json").read_text("utf-8"))
    (folder / "type.json").write_text(json.dumps(head | {"version": head["version"] + 1}))
    return folder


def everything(vault: Vault) -> list[LicenseView]:
    """All licenses of a vault."""
    found: list[LicenseView] = []
    cursor = None
    while True:
        page = vault.licenses.list(LOCAL_OPERATOR, cursor=cursor, limit=200)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found


def test_issuing_minting_rollover_types_and_backup_at_one_moment(
    make_vault: Callable[..., Vault], database_url: str, example: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    vault = make_vault(database_url=database_url)
    folder = vault.settings.folder
    food, business = example("food-business-license"), example("business-license")
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        "".join(json.dumps(food | {"operator_name": f"批量{i}店"}, ensure_ascii=False) + "\n" for i in range(ROWS))
    )
    one = [
        ["business-license", business],
        *(["food-business-license", food | {"operator_name": f"甲{i}"}] for i in range(5)),
    ]
    other = [
        ["business-license", business],
        *(["food-business-license", food | {"operator_name": f"乙{i}"}] for i in range(5)),
    ]
    saved = [tmp_path / "first.backup", tmp_path / "second.backup"]
    tasks: list[tuple[str, list[Any]]] = [
        ("issue", one),
        ("issue", other),
        ("mint", [str(rows), str(tmp_path / "out")]),
        ("mint", [str(rows), str(tmp_path / "out")]),
        ("keys", [str(saved[0]), str(new_version(tmp_path / "type")), str(saved[1])]),
    ]
    start = str(time.time() + 5)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), task, start, json.dumps(given)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for task, given in tasks
    ]
    told = [json.loads(child.communicate()[0]) for child in children]
    assert [child.returncode for child in children] == [0] * len(tasks)
    issued = [i for i in (*told[0], *told[1]) if i != "DUPLICATE_LICENSE"]
    assert len(issued) == len(set(issued)) == 11  # the same business license once
    assert sorted(told[2] + told[3])[0] == f"DONE {ROWS}"
    assert set(told[2] + told[3]) <= {f"DONE {ROWS}", "JOB_BUSY"}
    again = vault.minting.mint("food-business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR)
    assert (again.state, again.issued) == ("DONE", ROWS)
    report = [json.loads(line) for line in (tmp_path / "out" / "report.jsonl").read_text().splitlines()]
    assert [line["row"] for line in report] == list(range(1, ROWS + 1))
    licenses = everything(vault)
    assert len(licenses) == 11 + ROWS
    assert len({(v.type, v.number, v.version, v.copy_number) for v in licenses}) == 11 + ROWS
    for view in licenses:
        pdf = vault.licenses.pdf(view.identifier, LOCAL_OPERATOR)
        assert hashlib.sha256(pdf).hexdigest() == view.sha256
    assert vault.doctor().problems == ()
    pin = read_pin(folder, vault.settings.pin_source)
    for archive in saved:
        restore_backup(archive, tmp_path / archive.stem, pin=pin)
        with open_vault(tmp_path / archive.stem) as restored:
            assert restored.doctor().problems == ()


LIMITED = """
import json, resource, signal, sys
from pathlib import Path
from certvault.bootstrap import open_vault
from certvault.errors import VaultError
from certvault.model.actor import LOCAL_OPERATOR as WHO

with open_vault(Path(sys.argv[1])) as vault:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for _ in range(2):
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
        try:
            vault.issuing.issue("food-business-license", json.loads(sys.argv[2]), actor=WHO)
            print("issued")
        except VaultError as error:
            print(error.code)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
"""


def test_files_that_may_not_grow_are_named_and_nothing_is_half_done(
    make_vault: Callable[..., Vault], example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(keys="file")
    vault.close()
    food = example("food-business-license")
    tried = subprocess.run(
        [sys.executable, "-c", LIMITED, str(vault.settings.folder), json.dumps(food)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert tried.returncode == 0, tried.stderr
    assert tried.stdout.split() == ["DATABASE_UNAVAILABLE"] * 2
    whole_again(vault.settings.folder, food)


def test_a_store_that_is_gone_is_named_and_nothing_is_half_done(
    make_vault: Callable[..., Vault], example: Callable[[str], dict[str, Any]]
) -> None:
    vault = make_vault(keys="file")
    food = example("food-business-license")
    store = vault.settings.folder / "store"
    store.mkdir(exist_ok=True)
    store.rename(store.with_name("away"))
    store.write_bytes(b"no folder")
    with pytest.raises(StorageUnavailableError):
        vault.issuing.issue("food-business-license", food, actor=LOCAL_OPERATOR)
    assert vault.ready() != []
    store.unlink()
    store.with_name("away").rename(store)
    assert vault.ready() == []
    vault.close()
    whole_again(vault.settings.folder, food)


def whole_again(folder: Path, data: dict[str, Any]) -> None:
    """After the trouble: no license, every number a void with its reason, and issuing goes on."""
    with open_vault(folder) as vault:
        assert vault.doctor().problems == ()
        made = vault.issuing.issue("food-business-license", data, actor=LOCAL_OPERATOR)
        assert vault.licenses.pdf(made.identifier, LOCAL_OPERATOR) == made.pdf
        for view in everything(vault):
            assert view.identifier == made.identifier or (view.state == "VOID" and view.reason)
        assert len([p for p in (folder / "store").rglob("*") if p.is_file()]) == 1
        assert vault.doctor().problems == ()


def test_the_files_of_a_vault_are_its_owners_alone(
    make_vault: Callable[..., Vault], example: Callable[[str], dict[str, Any]], tmp_path: Path
) -> None:
    vault = make_vault(keys="file")
    vault.issuing.issue("food-business-license", example("food-business-license"), actor=LOCAL_OPERATOR)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(example("food-business-license")))
    vault.minting.mint("food-business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR)
    folder = vault.settings.folder
    paths = (folder, *folder.rglob("*"), tmp_path / "out", tmp_path / "out" / "pdf")
    assert len(paths) > 10
    assert [(p.name, oct(p.stat().st_mode)) for p in paths if p.stat().st_mode & 0o077] == []


def test_nothing_personal_is_left_anywhere_by_jobs_answers_and_failures(
    make_vault: Callable[..., Vault],
    example: Callable[[str], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from fastapi.testclient import TestClient

    from api.app import create_app

    number, name, shop = "410204198804123516", "欧阳测试名", "独一无二测试店"
    food = example("food-business-license") | {
        "credit_code": number, "legal_representative": name, "operator_name": shop,
    }  # fmt: skip
    vault = make_vault(keys="file")
    token = vault.tokens.create("issuer", actor=LOCAL_OPERATOR)
    headers = {"Authorization": f"Bearer {token}"}
    caplog.set_level("DEBUG")
    with TestClient(create_app(vault), raise_server_exceptions=False) as client:
        keyed = {**headers, "Idempotency-Key": number}
        for data in (food, food, food | {"operator_name": shop + "\x00"}):
            client.post("/v1/licenses", json={"type": "food-business-license", "data": data}, headers=keyed)
        dirty = [
            food | {"operator_name": shop + "二"},
            food | {"issue_date": number},
            food | {"credit_code": number + "9"},
        ]
        table = "\n".join(json.dumps(r, ensure_ascii=False) for r in dirty).encode()
        files = {"file": (f"{number}.jsonl", table)}
        started = client.post("/v1/mintings", files=files, data={"type": "food-business-license"}, headers=headers)
        assert started.status_code == 202, started.text
        vault.minting.wait()

        def broken(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as trouble:
            trouble.setattr("certvault.pipeline.Pipeline.check", broken)
            assert (
                client.post(
                    "/v1/licenses", json={"type": "food-business-license", "data": food}, headers=headers
                ).status_code
                == 500
            )
            client.post("/v1/mintings", files=files, data={"type": "food-business-license"}, headers=headers)
        client.get(f"/v1/licenses/{number}", headers=headers)
        client.post("/v1/verifications", json={"code": number})
        client.get(f"/{name}?q={number}")
    secrets = [s.encode(e) for s in (number, name, shop) for e in ("utf-8", "utf-16-le", "gb18030")]
    secrets += [json.dumps(s)[1:-1].encode() for s in (name, shop)]
    secrets += [token.encode(), (vault.settings.folder / "pin").read_bytes()]
    for path in vault.settings.folder.rglob("*"):
        if path.is_file() and path.name != "pin":
            content = path.read_bytes()
            for secret in secrets:
                assert secret not in content, path
    logged = "\n".join(caplog.handler.format(r) for r in caplog.records if not r.name.startswith("http"))
    assert "ZeroDivisionError" in logged
    for text in (number, name, shop, token):
        assert text not in logged
    assert not list(vault.settings.folder.glob(".upload-*"))
