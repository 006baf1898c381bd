"""the life of licenses: acts, entries of status lists, requests"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Numbers that were given up before have their entries from the beginning."""
    op.create_table(
        "status_changes",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("approver", sa.String(length=80), nullable=True),
        sa.Column("successor", sa.String(length=140), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_status_changes_identifier")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_status_changes")),
    )
    op.create_index("ix_status_changes_identifier", "status_changes", ["identifier"], unique=False)
    op.create_table(
        "status_entries",
        sa.Column("list", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["list"], ["status_lists.n"], name=op.f("fk_status_entries_list")),
        sa.PrimaryKeyConstraint("list", "place", name=op.f("pk_status_entries")),
    )
    op.create_index("ix_status_entries_change", "status_entries", ["list", "change"], unique=False)
    op.create_table(
        "status_due",
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("list", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_status_due_identifier")),
        sa.PrimaryKeyConstraint("effective_at", "identifier", name=op.f("pk_status_due")),
    )
    op.create_index("ix_status_due_list", "status_due", ["list", "effective_at"], unique=False)
    op.create_table(
        "status_requests",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_status_requests_identifier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_requests")),
    )
    op.create_index("ix_status_requests_identifier", "status_requests", ["identifier"], unique=False)
    op.execute(
        "INSERT INTO status_entries (list, place, value, change) "
        "SELECT status_list, status_index, 1, 0 FROM licenses WHERE state = 'VOID'"
    )
    _forbid_changes("status_changes")


def downgrade() -> None:
    """The acts are lost: the schema before has no place for them."""
    _allow_changes("status_changes")
    for table in ("status_requests", "status_due", "status_entries", "status_changes"):
        op.drop_table(table)
    op.execute("DELETE FROM counters WHERE name = 'status-change'")


def _forbid_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION certvault_append_only()"
    )


def _allow_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {table}_no_{verb}")
        return
    op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
