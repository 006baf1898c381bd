"""Opening a database, and the translation of its troubles.

SQLite runs in WAL mode; transactions that write begin with BEGIN IMMEDIATE, so that what was read is still so when it
is written. PostgreSQL runs writers at READ COMMITTED: every update is guarded by ``revision``, every allotment by a
unique constraint.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from certvault.errors import (
    DatabaseBusyError,
    DatabaseUnavailableError,
    DeadlockError,
    DuplicateRowError,
    StorageFullError,
    VaultError,
)
from verify.formats.refusal import RefusedError, refuse

BUSY_TIMEOUT_MS = 60_000


def open_engine(url: str) -> Engine:
    """An engine for ``sqlite:///…`` or ``postgresql+psycopg://…``. Its errors quote no values: they reach the log."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        _make_private(parsed.database)
        engine = create_engine(
            parsed,
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=32,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_size=8, max_overflow=32, pool_pre_ping=True, hide_parameters=True)
    raise DatabaseUnavailableError(f"no support for databases of the kind {parsed.get_backend_name()}")


def _make_private(path: str | None) -> None:
    """Create the file for its owner alone, whatever the umask; its journal and index take the mode from it."""
    if path and path != ":memory:":
        with contextlib.suppress(OSError):  # SQLite says itself what is wrong with the place
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours, see _begin_sqlite
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("certvault_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextlib.contextmanager
def transaction(engine: Engine, *, writing: bool) -> Iterator[Connection]:
    """One transaction; committed when the block ends, rolled back when it raises. Raises the errors of the vault."""
    with translated(), engine.connect() as opened:
        connection = opened.execution_options(certvault_writing=writing)
        with connection.begin():
            yield connection


@contextlib.contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment of the whole database, however long it reads."""
    with translated(), engine.connect() as opened:
        repeatable = engine.dialect.name == "postgresql"
        connection = opened.execution_options(isolation_level="REPEATABLE READ") if repeatable else opened
        with connection.begin():
            yield connection


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn the database library's errors into the vault's."""
    try:
        yield
    except IntegrityError as error:
        raise DuplicateRowError("a unique row is there already", _constraint(error)) from error
    except (DataError, UnicodeEncodeError, OverflowError) as error:
        raise _no_value() from error
    except DBAPIError as error:
        raise _failure(error) from error
    except SQLAlchemyError as error:
        raise DatabaseUnavailableError(f"the database failed: {type(error).__name__}") from error


def _no_value() -> RefusedError:
    """NUL, half a character, a number out of range: what no database keeps cannot be in it either."""
    return refuse(
        "BAD_VALUE",
        "",
        "含有无法存储的字符或数值",
        "a value holds a character or a number that cannot be stored",
        remedy_zh="请去掉控制字符后重试。",
        remedy_en="Remove control characters and try again.",
    )


def _constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None and diagnosis.constraint_name:
        return str(diagnosis.constraint_name)
    return str(error.orig)


def _failure(error: DBAPIError) -> VaultError:
    text = str(error.orig).lower()
    if "deadlock" in text:
        return DeadlockError("two writers waited for each other")
    if "locked" in text or "busy" in text or "lock timeout" in text:
        return DatabaseBusyError("another process holds the database")
    if "disk is full" in text or "no space left" in text or "could not extend file" in text:
        return StorageFullError("no space left for the database")
    if "readonly" in text or "read-only" in text:
        return DatabaseUnavailableError("the database is read-only")
    # the driver's words may quote row values, so they go to the log's traceback alone
    return DatabaseUnavailableError(f"the database does not answer ({type(error.orig).__name__})")


def copy_sqlite(engine: Engine, path: Path) -> None:
    """A consistent copy of an open SQLite database, made with the library's own backup interface."""
    with translated(), engine.connect() as connection:
        source = connection.connection.driver_connection
        if not isinstance(source, sqlite3.Connection):
            raise DatabaseUnavailableError("only an SQLite database is copied as a file")
        with contextlib.closing(sqlite3.connect(path)) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")
