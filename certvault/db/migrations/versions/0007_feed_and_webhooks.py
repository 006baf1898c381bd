"""the feed of changes: numbers of issues, moments that came; webhooks"""

from __future__ import annotations

import datetime

import sqlalchemy as sa
from alembic import op

from certvault.clock import SystemClock

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

_COUNTER = "status-change"


def upgrade() -> None:
    """What was issued before comes first in the feed; moments that came before come last."""
    op.add_column("licenses", sa.Column("feed_number", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE licenses SET feed_number = numbered.n FROM (SELECT identifier, "
        "row_number() OVER (ORDER BY issued_at, identifier) - count(*) OVER () AS n "
        "FROM licenses WHERE state = 'ISSUED') AS numbered WHERE numbered.identifier = licenses.identifier"
    )
    op.create_index("ix_licenses_feed", "licenses", ["feed_number"], unique=True)
    effects = op.create_table(
        "status_effects",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["change"], ["status_changes.number"], name=op.f("fk_status_effects_change")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_status_effects")),
    )
    _number_what_came(effects)
    _forbid_changes("status_effects")
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("former", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("paused", sa.String(length=32), nullable=True),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_table(
        "webhook_attempts",
        sa.Column("webhook", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["webhook"], ["webhooks.id"], name=op.f("fk_webhook_attempts_webhook")),
        sa.PrimaryKeyConstraint("webhook", "number", name=op.f("pk_webhook_attempts")),
    )


def downgrade() -> None:
    """The numbers are lost: whoever follows the feed begins anew after the next upgrade. So are subscriptions."""
    op.drop_table("webhook_attempts")
    op.drop_table("webhooks")
    _allow_changes("status_effects")
    op.drop_table("status_effects")
    op.drop_index("ix_licenses_feed", table_name="licenses")
    op.drop_column("licenses", "feed_number")


def _number_what_came(effects: sa.Table) -> None:
    connection = op.get_bind()
    changes = connection.execute(
        sa.text(
            "SELECT c.number FROM status_changes c WHERE c.effective_at > c.recorded_at AND NOT EXISTS (SELECT 1 FROM "
            "status_due d WHERE d.identifier = c.identifier AND d.effective_at = c.effective_at) "
            "ORDER BY c.effective_at, c.number"
        )
    ).scalars()
    numbers = list(changes)
    if not numbers:
        return
    last = connection.execute(
        sa.text("UPDATE counters SET value = value + :n WHERE name = :name RETURNING value"),
        {"n": len(numbers), "name": _COUNTER},
    ).scalar_one()
    at: datetime.datetime = SystemClock().now()
    if connection.dialect.name == "sqlite":
        at = at.replace(tzinfo=None)
    op.bulk_insert(
        effects,
        [{"number": last - len(numbers) + 1 + i, "change": n, "recorded_at": at} for i, n in enumerate(numbers)],
    )


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
