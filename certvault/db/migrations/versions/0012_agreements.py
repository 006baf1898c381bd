"""agreements on recognition: each step of each version"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = "agreement_events"


def upgrade() -> None:
    """Nothing was agreed before."""
    op.create_table(
        TABLE,
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("agreement", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("accepting", sa.Boolean(), nullable=False),
        sa.Column("theirs", sa.String(length=100), nullable=False),
        sa.Column("ours", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_agreement_events")),
        sa.UniqueConstraint("agreement", "version", "step", name=op.f("uq_agreement_events_agreement_version_step")),
    )
    _forbid_changes()


def downgrade() -> None:
    """The agreements are lost: the schema before has no place for them."""
    _allow_changes()
    op.drop_table(TABLE)
    op.execute("DELETE FROM counters WHERE name = 'agreement-event'")


def _forbid_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
                f"BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION certvault_append_only()"
    )


def _allow_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(f"DROP TRIGGER {TABLE}_no_{verb}")
        return
    op.execute(f"DROP TRIGGER {TABLE}_no_change ON {TABLE}")
