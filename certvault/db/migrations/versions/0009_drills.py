"""compromise drills with their licenses, notices to other regions, rows of bulk jobs that supersede"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three tables and one column; what is there stays as it is."""
    op.create_table(
        "drills",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suspends", sa.Boolean(), nullable=False),
        sa.Column("reissues", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.String(length=80), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("phase", sa.String(length=32), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("approver", sa.String(length=80), nullable=True),
        sa.Column("new_key_id", sa.String(length=16), nullable=True),
        sa.Column("notice", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timings", sa.Text(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_drills_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drills")),
    )
    op.create_index("ix_drills_key_id", "drills", ["key_id"], unique=False)
    op.create_table(
        "drill_items",
        sa.Column("drill", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("job", sa.String(length=32), nullable=True),
        sa.Column("successor", sa.String(length=140), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["drill"], ["drills.id"], name=op.f("fk_drill_items_drill")),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_drill_items_identifier")),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_drill_items_job")),
        sa.PrimaryKeyConstraint("drill", "identifier", name=op.f("pk_drill_items")),
    )
    op.create_index("ix_drill_items_identifier", "drill_items", ["identifier"], unique=False)
    op.create_index("ix_drill_items_state", "drill_items", ["drill", "state"], unique=False)
    op.create_table(
        "notices",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_notices")),
    )
    op.add_column("job_rows", sa.Column("supersedes", sa.String(length=140), nullable=True))
    _forbid_changes("notices")


def downgrade() -> None:
    """Drills and notices are lost: the schema before has no place for them."""
    _allow_changes("notices")
    for table in ("notices", "drill_items", "drills"):
        op.drop_table(table)
    op.drop_column("job_rows", "supersedes")
    op.execute("DELETE FROM counters WHERE name = 'notice'")


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
