"""Killed, refused by the token, out of disk: every number is a license or a void with a reason."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, Vault
from certvault.errors import DatabaseBusyError, StorageFullError
from certvault.jobrunner import WorkersDiedError
from certvault.model.license import LicenseState
from certvault.model.views import MintProgress
from signing.errors import BackendUnavailableError
from tests.support.rows import as_csv, business

Example = Callable[[str], dict[str, Any]]
CHILD = Path(__file__).with_name("dying_child.py")
ROOT = Path(__file__).resolve().parents[2]


def run_children(folder: Path, points: Sequence[int], *arguments: str | Path) -> list[tuple[int, int]]:
    """Signal and steps of each process."""
    done = subprocess.run(
        [sys.executable, str(CHILD), str(folder), ",".join(map(str, points)), *map(str, arguments)],
        capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [(killed, steps) for killed, steps in json.loads(done.stdout)]


def shifted(orders: Path) -> Path:
    """The same orders without the first two."""
    rest = orders.with_name("rest.json")
    rest.write_text(json.dumps(json.loads(orders.read_text("utf-8"))[2:]))
    return rest


def every_number_is_accounted_for(vault: Vault) -> None:
    report = vault.doctor()
    assert report.problems == ()
    with vault._database.reading() as view:
        everything = view.licenses.all()
    assert all(f.state in (LicenseState.ISSUED, LicenseState.VOID) for f in everything)
    assert all(f.reason for f in everything if f.state is LicenseState.VOID)
    assert len({(f.status_list, f.status_index) for f in everything}) == len(everything)
    stored = {p.name for p in (vault.settings.folder / "store").rglob("*") if p.is_file()}
    assert stored == {f.document for f in everything if f.state is LicenseState.ISSUED}


def test_killed_at_twenty_random_points(
    make_vault: Callable[..., Vault], database_url: str, example: Example, tmp_path: Path
) -> None:
    vault = make_vault(database_url=database_url)
    orders = tmp_path / "orders.json"
    transport = ("road-transport-license", example("road-transport-license"))
    orders.write_text(json.dumps([[("business-license", business(n)), transport] for n in range(30)]))
    # the first process makes revocation lists and serials as well; later ones have fewer steps
    _, (_, steps) = run_children(vault.settings.folder, [0, 0], "issue", orders)
    points = sorted(random.Random(1).sample(range(1, steps), 20))
    killed = run_children(vault.settings.folder, points, "issue", shifted(orders))
    assert [signal for signal, _ in killed] == [9] * 20
    every_number_is_accounted_for(vault)
    with vault._database.reading() as view:
        counts = view.licenses.counts()
    assert counts["VOID"] > 0
    for n in range(2, 22):  # the business still gets its license, under its own number
        with vault._database.reading() as view:
            index = vault.issuing._pipeline.index_of("business-license", business(n)["unified_social_credit_code"])
            known = view.licenses.by_number("business-license", [index])
        if not known:
            vault.issuing.issue("business-license", business(n), actor=LOCAL_OPERATOR)
    every_number_is_accounted_for(vault)


def test_a_killed_bulk_job_resumes_under_the_same_numbers(
    make_vault: Callable[..., Vault], example: Example, tmp_path: Path
) -> None:
    vault = make_vault()
    rows = tmp_path / "rows.jsonl"
    data = [example("road-transport-license") | {"operator_name": f"样例{n}号运输有限公司"} for n in range(50)]
    rows.write_text("".join(json.dumps(d, ensure_ascii=False) + "\n" for d in data))
    out = tmp_path / "out"
    seen: dict[int, str] = {}
    for point in (5, 25, 60, 130, 260, 320):
        run_children(vault.settings.folder, [point], "mint", "road-transport-license", rows, out)
        with vault._database.reading() as view:
            now = {r.row: r.identifier for r in view.job_rows.all() if r.identifier is not None}
        assert all(now[row] == identifier for row, identifier in seen.items())
        seen = {k: v for k, v in now.items() if v is not None}
    done = vault.minting.mint("road-transport-license", rows, out, actor=LOCAL_OPERATOR)
    assert (done.state, done.issued, done.failed, done.refused) == ("DONE", 50, 0, 0)
    lines = [json.loads(line) for line in (out / "report.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(1, 51))
    assert all(seen.get(line["row"], line["identifier"]) == line["identifier"] for line in lines)
    numbers = [vault.licenses.get(line["identifier"], LOCAL_OPERATOR).number for line in lines]
    assert numbers == sorted(numbers)
    assert [int(number[-9:-1]) for number in numbers] == list(range(1, 51))
    assert all((out / line["pdf"]).is_file() for line in lines)
    with vault._database.reading() as view:
        assert view.licenses.counts() == {"ISSUED": 50}
    every_number_is_accounted_for(vault)


def test_the_token_goes_away_and_comes_back(make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch) -> None:
    vault = make_vault()
    backend = vault._keyring.backend
    calls = 0

    def gone(handle: object, data: bytes) -> bytes:
        nonlocal calls
        calls += 1
        raise BackendUnavailableError("the token went away", uri=backend.uri)

    with monkeypatch.context() as patch:
        patch.setattr(backend, "sign", gone)
        with pytest.raises(BackendUnavailableError):
            vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    assert calls
    with vault._database.reading() as view:
        counts = view.licenses.counts()
    assert set(counts) <= {"VOID"}
    issued = vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    assert vault.verification.verify(issued.pdf).conclusion.value == "VALID"
    every_number_is_accounted_for(vault)


GONE = """
import os, sys
from pathlib import Path
from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, create_vault
from signing.errors import BackendUnavailableError
from tests.support.rows import business
vault = create_vault(InitOptions(folder=Path(sys.argv[1]), keys="pkcs11"))
tokens = vault.settings.folder / "token" / "tokens"
vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
tokens.rename(tokens.with_name("away"))
try:
    vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
except BackendUnavailableError:
    print("gone")
tokens.with_name("away").rename(tokens)
vault.issuing.issue("business-license", business(2), actor=LOCAL_OPERATOR)
print(vault.doctor().problems)
vault.close()
"""


def test_a_real_token_is_pulled_and_put_back(tmp_path: Path) -> None:
    from signing.backends import softhsm_available

    if not softhsm_available():
        pytest.skip("SoftHSM is not installed")
    environment = {k: v for k, v in os.environ.items() if k not in ("SOFTHSM2_CONF", "CERTVAULT_PIN")}
    done = subprocess.run(
        [sys.executable, "-c", GONE, str(tmp_path / "own")], capture_output=True, text=True, cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["gone", "()"], done.stderr


def test_a_killed_worker_leaves_a_job_to_resume(
    make_vault: Callable[..., Vault], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault()
    rows = tmp_path / "rows.csv"
    rows.write_bytes(as_csv([business(n) for n in range(90)]))
    killed: list[int] = []

    def kill_one(told: MintProgress) -> None:
        if not killed:
            children = multiprocessing.active_children()
            killed.append(children[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)

    with pytest.raises(WorkersDiedError):
        vault.minting.mint(
            "business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR, workers=2, progress=kill_one
        )
    assert vault.minting.list(LOCAL_OPERATOR)[0].state == "PAUSED"
    done = vault.minting.mint("business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR, workers=2)
    assert (done.state, done.issued) == ("DONE", 90)
    assert len((tmp_path / "out" / "report.jsonl").read_text().splitlines()) == 90
    every_number_is_accounted_for(vault)


def test_a_bulk_job_waits_for_the_token(
    make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vault = make_vault()
    rows = tmp_path / "rows.csv"
    rows.write_bytes(as_csv([business(n) for n in range(5)]))
    backend = vault._keyring.backend
    plain, left = backend.sign, 9

    def failing(handle: Any, data: bytes) -> bytes:
        nonlocal left
        left -= 1
        if left < 0:
            raise BackendUnavailableError("the token went away", uri=backend.uri)
        return plain(handle, data)

    with monkeypatch.context() as patch:
        patch.setattr(backend, "sign", failing)
        with pytest.raises(BackendUnavailableError):
            vault.minting.mint("business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR)
    with vault._database.reading() as view:
        before = {r.row: r.identifier for r in view.job_rows.all()}
    done = vault.minting.mint("business-license", rows, tmp_path / "out", actor=LOCAL_OPERATOR)
    assert (done.state, done.issued) == ("DONE", 5)
    with vault._database.reading() as view:
        assert {r.row: r.identifier for r in view.job_rows.all()} == before
        permits = sorted(view.permits.all(), key=lambda p: p.given_at)
        assert [(p.count, p.cancelled_at is None) for p in permits] == [(5, False), (5, True)]  # one for each run
        assert len({(u.identifier, u.permit_id) for u in view.seal_uses.all() if u.permit_id == permits[1].id}) == 5
    every_number_is_accounted_for(vault)


def test_a_full_disk_voids_the_number_and_nothing_else(
    make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault()
    store = vault.licenses._store
    with monkeypatch.context() as patch:
        patch.setattr(store, "put", lambda *_: (_ for _ in ()).throw(StorageFullError("no space left for documents")))
        with pytest.raises(StorageFullError):
            vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    with vault._database.reading() as view:
        voided = view.licenses.in_state(LicenseState.VOID)
    assert [v.reason for v in voided] == ["STORAGE_FULL"]
    vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    every_number_is_accounted_for(vault)


def test_a_locked_database_is_named_and_the_number_voided_later(
    make_vault: Callable[..., Vault], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = make_vault()
    vault.issuing.issue("business-license", business(0), actor=LOCAL_OPERATOR)
    plain, left = vault._database.writing, 1

    def busy() -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise DatabaseBusyError("another process holds the database")
        return plain()

    with monkeypatch.context() as patch:
        patch.setattr(vault._database, "writing", busy)
        with pytest.raises(DatabaseBusyError):
            vault.issuing.issue("business-license", business(1), actor=LOCAL_OPERATOR)
    with vault._database.reading() as view:
        assert view.licenses.counts() == {"ALLOTTED": 1, "ISSUED": 1}
    every_number_is_accounted_for(vault)
    with vault._database.reading() as view:
        assert [v.reason for v in view.licenses.in_state(LicenseState.VOID)] == ["DATABASE_BUSY"]
