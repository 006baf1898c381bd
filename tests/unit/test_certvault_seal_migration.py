"""A database of the release before seals had a life: up with all its rows, and down again."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, text

from certvault.db.engine import open_engine, transaction
from certvault.db.migrate import downgrade, upgrade
from certvault.db.unit_of_work import Database
from certvault.errors import VaultError
from certvault.model.keys import event
from certvault.model.seal import SealState, Step, VersionState
from certvault.model.work import SealPermit, SealUse

AT = datetime.datetime(2026, 5, 4, 2, 0, 0, 250_000, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
FIRST, SECOND = "11410200MB0A00018X", "11410000MB0A00019X"
INSTANTS = {
    "created_at", "not_before", "not_after", "since", "opened_at", "allotted_at", "given_at", "expires_at",
    "cancelled_at", "used_at",
}  # fmt: skip


def put(connection: Connection, table: str, **row: Any) -> None:
    """One row, by the names of its columns."""
    columns: list[Any] = [sa.column(n, sa.DateTime(timezone=True)) if n in INSTANTS else sa.column(n) for n in row]
    connection.execute(sa.insert(sa.table(table, *columns)).values(row | {"revision": 1} if "revision" in row else row))


def key(connection: Connection, key_id: str, owner: str, name: str, at: datetime.datetime, *, certified: bool) -> None:
    put(
        connection, "keys", id=key_id, name=name, owner=owner, purpose="SEAL", algorithm="ECDSA_P256_SHA256",
        uri="file:x", spki=b"", generation=int(name[-1]), created_at=at, state="ACTIVE", revision=1,
    )  # fmt: skip
    if certified:
        put(
            connection, "certificates", ca="issuing-1", serial=key_id, key_id=key_id, subject="x", purpose="SEAL",
            not_before=at, not_after=at + 1000 * HOUR, der=b"x", state="ISSUED", reason="", revision=1,
        )  # fmt: skip


def issuer(connection: Connection, code: str, seal_code: str) -> None:
    put(
        connection, "issuers", code=code, name="局", types="null", places="null", seal_name="某局",
        seal_kind="official", seal_code=seal_code, since=AT, revision=1,
    )  # fmt: skip


def fill(connection: Connection) -> None:
    """Two issuers, one with a rolled-over key and one that a crash left; licenses with permits and uses."""
    issuer(connection, FIRST, "410200ABCDEF0")
    issuer(connection, SECOND, "x")
    key(connection, "a" * 16, FIRST, "seal-1", AT, certified=True)
    key(connection, "b" * 16, FIRST, "seal-2", AT + 5 * HOUR, certified=True)
    key(connection, "c" * 16, FIRST, "seal-3", AT + 6 * HOUR, certified=False)
    put(connection, "status_lists", n=0, size=8, used=2, opened_at=AT, revision=1)
    for n, key_id, later in ((1, "a" * 16, HOUR), (2, "b" * 16, 7 * HOUR)):
        put(
            connection, "licenses", identifier=f"L{n}", type="t", type_version=1, number_index=str(n), version=1,
            copy_number=0, status_list=0, status_index=n, issuer_code=FIRST, region="410200", sealed=b"", session="s",
            allotted_at=AT, valid_from=AT.date().isoformat() if connection.dialect.name == "sqlite" else AT.date(),
            state="ISSUED", reason="", revision=1,
        )  # fmt: skip
        for part in ("x", "y"):
            put(
                connection, "seal_permits", id=f"p{n}{part}", identifier=f"L{n}", key_id=key_id, digest=f"d{n}{part}",
                given_by="token:q", given_at=AT + later, expires_at=AT + later + HOUR,
                cancelled_at=AT + 9 * HOUR if part == "x" else None, revision=1,
            )  # fmt: skip
        put(
            connection, "seal_uses", permit_id=f"p{n}y", identifier=f"L{n}", key_id=key_id, digest=f"d{n}y",
            used_at=AT + later, revision=1,
        )  # fmt: skip


def rows(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(r) for r in connection.execute(text(f"SELECT * FROM {table}")))


def test_a_database_of_the_release_before_goes_up_and_down(database_url: str) -> None:
    engine = open_engine(database_url)
    upgrade(engine)
    downgrade(engine, "0001")
    with transaction(engine, writing=True) as connection:
        fill(connection)
        before = {t: rows(connection, t) for t in ("seal_permits", "seal_uses", "keys", "certificates", "licenses")}
    upgrade(engine)
    look(database_url)
    downgrade(engine, "0001")
    with transaction(engine, writing=False) as connection:
        after = {t: rows(connection, t) for t in before}
    assert after == before
    with pytest.raises(VaultError), transaction(engine, writing=True) as connection:
        connection.execute(text("DELETE FROM seal_uses"))
    upgrade(engine)
    look(database_url)
    engine.dispose()


def look(url: str) -> None:
    """Everything that was there is there, under the seals' ids."""
    database = Database(url, vault_id="0" * 16, session="s" * 16, now=lambda: AT)
    with database.reading() as view:
        first, second = (view.seals.where(owner=o)[0] for o in (FIRST, SECOND))
        assert first.id[:6] == "410200"
        assert second.id[:6] == "000000"
        assert all(len(s.id) == 14 and s.id.isdigit() for s in (first, second))
        assert (first.state, first.version, second.state, second.version) == (SealState.ACTIVE, 2, SealState.ACTIVE, 1)
        editions = sorted(view.seal_versions.where(seal_id=first.id), key=lambda v: v.version)
        assert [(v.state, v.key_id, v.name) for v in editions] == [
            (VersionState.SUPERSEDED, "a" * 16, "某局"),
            (VersionState.ACTIVE, "b" * 16, "某局"),
        ]
        assert editions[0].rule.approvers == 1
        events = sorted(view.seal_events.where(seal_id=first.id), key=lambda e: e.seq)
        assert [(e.step, e.at, e.version) for e in events] == [(Step.ACTIVATE, AT, 1), (Step.RENEW, AT + 5 * HOUR, 2)]
        permits = sorted(view.permits.all(), key=lambda p: p.id)
        assert [(p.id, p.seal_id, p.digest, p.user, p.identifier) for p in permits] == [
            (f"p{n}{part}", first.id, f"d{n}{part}", "token:q", f"L{n}") for n in (1, 2) for part in ("x", "y")
        ]
        assert [p.cancelled_at for p in permits] == [AT + 9 * HOUR, None] * 2
        uses = sorted(view.seal_uses.all(), key=lambda u: u.permit_id)
        assert [(u.permit_id, u.seal_version, u.key_id, u.used_at, u.identifier) for u in uses] == [
            ("p1y", 1, "a" * 16, AT + HOUR, "L1"),
            ("p2y", 2, "b" * 16, AT + 7 * HOUR, "L2"),
        ]
    with pytest.raises(VaultError), transaction(database.engine, writing=True) as connection:
        connection.execute(text("UPDATE seal_events SET reason = 'x'"))
    database.close()


def test_batches_and_documents_go_down_as_far_as_there_is_a_place_for_them(database_url: str) -> None:
    engine = open_engine(database_url)
    upgrade(engine)
    downgrade(engine, "0001")
    with transaction(engine, writing=True) as connection:
        fill(connection)
    upgrade(engine)
    database = Database(database_url, vault_id="0" * 16, session="s" * 16, now=lambda: AT)
    with database.writing() as uow:
        seal = uow.seals.where(owner=FIRST)[0]
        batch = SealPermit("q1", seal.id, "license", None, "0" * 64, 2, "me", "me", AT, AT + HOUR)
        letter = SealPermit("q2", seal.id, "letter", "e" * 64, None, 1, "me", "me", AT, AT + HOUR)
        uow.permits.save_all([batch, letter], [event("SEAL_PERMITTED", "seal:x", "me")])
        used = [
            SealUse("q1", "1" * 64, seal.id, 2, "b" * 16, "f" * 64, "me", AT, "L1"),
            SealUse("q1", "2" * 64, seal.id, 2, "b" * 16, "e" * 64, "me", AT, "L2"),
            SealUse("q2", "", seal.id, 2, "b" * 16, "e" * 64, "me", AT),
        ]
        uow.seal_uses.save_all(used, [event("SEAL_USED", "seal:x", "me")])
    database.close()
    downgrade(engine, "0001")
    with transaction(engine, writing=False) as connection:
        found = connection.execute(
            text("SELECT permit_id, identifier, digest FROM seal_uses WHERE key_id = :k"), {"k": "b" * 16}
        )
        assert {(r.identifier, r.digest) for r in found} == {("L2", "d2y"), ("L1", "f" * 64), ("L2", "e" * 64)}
        orphans = "SELECT count(*) FROM seal_uses WHERE permit_id NOT IN (SELECT id FROM seal_permits)"
        assert connection.execute(text(orphans)).scalar_one() == 0
    upgrade(engine)
    engine.dispose()
