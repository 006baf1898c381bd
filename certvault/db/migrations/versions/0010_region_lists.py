"""region lists: status lists of other regions, kept for when those cannot be asked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty: it fills as lists are fetched."""
    op.create_table(
        "region_lists",
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("uri", sa.String(length=500), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(length=210), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("region", "uri", name=op.f("pk_region_lists")),
    )


def downgrade() -> None:
    """What was kept can be fetched again."""
    op.drop_table("region_lists")
