"""hubs: entries, hubs that are followed, lists of lists, what is relayed, evidence of two lists with one number"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No vault was a hub or followed one before."""
    op.create_table(
        "hub_entries",
        sa.Column("hub", sa.String(length=6), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed", sa.BigInteger(), nullable=False),
        sa.Column("anchors", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hub", "region", name=op.f("pk_hub_entries")),
    )
    op.create_table(
        "hubs",
        sa.Column("hub", sa.String(length=6), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("above", sa.String(length=6), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("etag", sa.String(length=210), nullable=False),
        sa.Column("faults", sa.String(length=200), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hub", name=op.f("pk_hubs")),
    )
    op.create_table(
        "hub_lists",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_hub_lists")),
    )
    op.create_table(
        "hub_documents",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=140), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_hub_documents")),
        sa.UniqueConstraint("number", name=op.f("uq_hub_documents_number")),
    )
    op.create_table(
        "seen_lists",
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("content", sa.String(length=64), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("region", "sequence", "content", name=op.f("pk_seen_lists")),
    )
    op.create_index("ix_hub_documents_kind", "hub_documents", ["kind", "number"], unique=False)
    op.create_index("ix_hub_documents_region", "hub_documents", ["region", "kind"], unique=False)


def downgrade() -> None:
    """What was admitted and followed is lost; adopted regions stay."""
    for table in ("seen_lists", "hub_documents", "hub_lists", "hubs", "hub_entries"):
        op.drop_table(table)
