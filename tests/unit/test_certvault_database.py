"""The schema goes up and down on both databases, equals the tables, and keeps what must not change."""

from __future__ import annotations

import datetime
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from certvault.db.engine import open_engine, transaction
from certvault.db.migrate import current_revision, downgrade, head_revision, upgrade
from certvault.db.statuses import StatusReader
from certvault.db.tables import APPEND_ONLY, metadata
from certvault.db.unit_of_work import Database
from certvault.errors import (
    ConcurrentChangeError,
    DatabaseBusyError,
    DatabaseUnavailableError,
    DuplicateRowError,
    SettingsError,
    StorageFullError,
    VaultError,
)
from certvault.model.keys import Issuer, event
from certvault.model.license import License, LicenseState
from certvault.model.standing import Act, StatusChange
from certvault.model.work import StatusListRecord, Token

AT = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)


def token(token_id: str = "a" * 16) -> Token:
    return Token(token_id, "0" * 64, "operator", "", None, None, AT, AT + datetime.timedelta(days=1))


@pytest.fixture
def database(database_url: str) -> Database:
    opened = Database(database_url, vault_id="0" * 16, session="s" * 16, now=lambda: AT)
    opened.migrate()
    yield opened
    opened.close()


def test_up_and_down_and_up(database_url: str) -> None:
    engine = open_engine(database_url)
    assert current_revision(engine) is None
    upgrade(engine)
    assert current_revision(engine) == head_revision()
    upgrade(engine)
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade(engine)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    engine.dispose()


def test_migrations_lead_to_the_tables(database_url: str) -> None:
    engine = open_engine(database_url)
    upgrade(engine)
    with transaction(engine, writing=False) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_newer_schema_is_refused_and_left_alone(database_url: str) -> None:
    engine = open_engine(database_url)
    upgrade(engine)
    with transaction(engine, writing=True) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingsError):
        upgrade(engine)
    assert current_revision(engine) == "9999"
    engine.dispose()


@pytest.mark.parametrize("verb", ["UPDATE audit SET kind = 'X'", "DELETE FROM audit"])
def test_audit_rows_refuse_change(database: Database, verb: str) -> None:
    with database.writing() as uow:
        uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))
    with pytest.raises(VaultError), transaction(database.engine, writing=True) as connection:
        connection.execute(text(verb))
    with database.reading() as view:
        assert [line.kind for line in view.audit.newest(10)] == ["TOKEN_CREATED"]


def test_every_append_only_table_has_its_triggers(database: Database) -> None:
    sqlite = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
    postgres = "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"
    with transaction(database.engine, writing=False) as connection:
        found = connection.execute(text(sqlite if database.is_sqlite else postgres)).scalar_one()
    assert found == len(APPEND_ONLY) * (2 if database.is_sqlite else 1)


def test_a_record_is_saved_with_its_line_or_not_at_all(database: Database) -> None:
    with database.writing() as uow:
        saved = uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))
    with pytest.raises(DuplicateRowError), database.writing() as uow:
        uow.tokens.save_all([saved.revoked(AT), token()], [event("TOKEN_REVOKED", "token:a", "tester")])
    with database.writing() as uow:
        uow.tokens.save(saved.revoked(AT), event("TOKEN_REVOKED", "token:a", "tester"))
    with database.reading() as view:
        lines = view.audit.newest(10)
        assert [(line.seq, line.kind) for line in lines] == [(2, "TOKEN_REVOKED"), (1, "TOKEN_CREATED")]
        assert lines[0].previous == lines[1].hash


def test_a_stale_record_is_not_saved(database: Database) -> None:
    with database.writing() as uow:
        saved = uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))
    with database.writing() as uow:
        uow.tokens.save(saved.revoked(AT), event("TOKEN_REVOKED", "token:a", "tester"))
    with pytest.raises(ConcurrentChangeError), database.writing() as uow:
        uow.tokens.save(saved, event("TOKEN_CREATED", "token:a", "tester"))


def test_a_second_row_is_refused(database: Database) -> None:
    with database.writing() as uow:
        uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))
    with pytest.raises(DuplicateRowError), database.writing() as uow:
        uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))


def test_counters_give_each_number_once(database: Database) -> None:
    with database.writing() as uow:
        assert uow.next_numbers("n", 3) == 1
    with database.writing() as uow:
        assert uow.next_numbers("n") == 4
        assert uow.next_numbers("m") == 1


def test_instants_come_back_in_utc(database: Database) -> None:
    with database.writing() as uow:
        uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))
    with database.reading() as view:
        found = view.tokens.get("a" * 16)
    assert found is not None
    assert found.created_at == AT
    assert found.created_at.tzinfo is datetime.UTC


def fill(database: Database) -> None:
    """More rows than SQLite is allowed pages for."""
    with database.writing() as uow:
        uow.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        for n in range(3000):
            uow.next_numbers(f"{n:0200d}")


def test_a_locked_or_full_sqlite_is_named_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("certvault.db.engine.BUSY_TIMEOUT_MS", 50)
    database = Database(f"sqlite:///{tmp_path / 'v.db'}", vault_id="0" * 16, session="s", now=lambda: AT)
    database.migrate()
    with database.writing() as uow:
        uow.tokens.save(token(), event("TOKEN_CREATED", "token:a", "tester"))
    with sqlite3.connect(tmp_path / "v.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusyError), database.writing() as uow:
            uow.next_numbers("n")
        other.execute("ROLLBACK")
    with pytest.raises(StorageFullError):
        fill(database)
    with database.reading() as view:
        assert [line.kind for line in view.audit.newest(10)] == ["TOKEN_CREATED"]
    database.close()


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(DatabaseUnavailableError):
        open_engine("mysql://localhost/x")


def test_numbers_given_up_before_have_their_place_in_the_lists(database_url: str) -> None:
    """A vault of the schema before licenses had a life: what was void is revoked in its list, what was issued is 0."""
    engine = open_engine(database_url)
    upgrade(engine)
    downgrade(engine, "0002")
    day = AT.date().isoformat() if engine.dialect.name == "sqlite" else AT.date()
    with transaction(engine, writing=True) as connection:
        stamp = AT.replace(tzinfo=None).isoformat(" ") if engine.dialect.name == "sqlite" else AT
        connection.execute(
            text(
                "INSERT INTO issuers (code, name, types, places, seal_name, seal_kind, seal_code, since, revision) "
                "VALUES ('c', 'x', 'null', 'null', 'x', 'official', 's', :at, 1)"
            ),
            {"at": stamp},
        )
        connection.execute(
            text("INSERT INTO status_lists (n, size, used, opened_at, revision) VALUES (1, 8, 2, :at, 1)"),
            {"at": stamp},
        )
        for place, state in ((3, "VOID"), (5, "ISSUED")):
            connection.execute(
                text(
                    "INSERT INTO licenses (identifier, type, type_version, number_index, version, copy_number, "
                    "status_list, status_index, issuer_code, region, sealed, session, allotted_at, valid_from, state, "
                    "reason, revision) VALUES (:id, 't', 1, :id, 1, 0, 1, :place, 'c', '410200', :none, 's', :at, "
                    ":day, :state, 'x', 1)"
                ),
                {"id": f"L{place}", "place": place, "none": b"", "at": stamp, "day": day, "state": state},
            )
    upgrade(engine)
    with transaction(engine, writing=False) as connection:
        assert [(e.list, e.place, e.value, e.change) for e in StatusReader(connection).entries(1)] == [(1, 3, 1, 0)]
        numbered = connection.execute(text("SELECT identifier, feed_number FROM licenses ORDER BY identifier")).all()
        assert [tuple(row) for row in numbered] == [("L3", None), ("L5", 0)], "issued before: first in the feed"
    engine.dispose()


def add_history(database: Database) -> None:
    """One license that was suspended from a moment that came, and revoked afterwards."""
    none = event("TEST", "x", "test")
    with database.writing() as uow:
        uow.issuers.save(Issuer("c", "x", "null", "null", "x", "official", "s", AT), none)
        uow.status_lists.save(StatusListRecord(1, 8, 1, AT), none)
        made = License("L", "t", 1, "L", 1, 0, 1, 3, "c", "410200", b"", "s", AT, AT.date(), None, issued_at=AT)
        uow.licenses.save(replace(made, state=LicenseState.ISSUED), none)
        later = AT + datetime.timedelta(days=1)
        acts = ((1, Act.SUSPEND, later, AT), (2, Act.REVOKE, later, later))
        assert uow.statuses.take(len(acts)) == 1
        changes = [StatusChange(n, "L", act, "other", when, at, "a", "0" * 64, b"") for n, act, when, at in acts]
        uow.statuses.record(changes, [], [], [none])


def test_moments_that_came_before_there_was_a_feed_are_told_last(database: Database) -> None:
    """Down to the schema without a feed and up again: the act whose moment came is numbered behind all others."""
    add_history(database)
    downgrade(database.engine, "0004")
    upgrade(database.engine)
    with database.reading() as view:
        told = view.feed.after(-10, view.statuses.mark(), 100)
    acts = [(1, "suspend", None), (2, "revoke", None), (3, "suspend", 1)]
    assert [(t.number, t.act, t.of) for t in told] == [(0, "issue", None), *acts]
