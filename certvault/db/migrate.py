"""Bringing a database to this version's schema, and back."""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from certvault.db.engine import transaction
from certvault.errors import SettingsError

_ADVISORY_LOCK = 0x63657274  # any fixed number: one migration at a time


def head_revision() -> str:
    """The schema version this code works with."""
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def current_revision(engine: Engine) -> str | None:
    """The schema version of the database; None for an empty one."""
    with transaction(engine, writing=False) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Migrate up to :func:`head_revision`, all in one transaction.

    A database of a newer version than the code is refused with SettingsError, and left as it is.
    """
    current = current_revision(engine)
    if current == head_revision():
        return
    if current is not None and current not in _known():
        raise SettingsError(
            f"数据库的结构版本为 {current}，当前程序无法识别",
            f"the database has schema {current}, which this version of certvault does not know",
        )
    with transaction(engine, writing=True) as connection:
        _one_at_a_time(connection)
        command.upgrade(_config(connection), "head")


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate down to ``revision`` (``base``: nothing left)."""
    with transaction(engine, writing=True) as connection:
        _one_at_a_time(connection)
        command.downgrade(_config(connection), revision)


def _known() -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()}


def _one_at_a_time(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _ADVISORY_LOCK})


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("certvault.db") / "migrations"))
    config.attributes["connection"] = connection
    return config
