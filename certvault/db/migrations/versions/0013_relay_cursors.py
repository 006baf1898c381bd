"""relay: how far the notices and agreements of regions and hubs were read"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing was read before: it begins with the first."""
    op.create_table(
        "relay_cursors",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_relay_cursors")),
    )


def downgrade() -> None:
    """The next reading begins with the first again, and keeps nothing twice."""
    op.drop_table("relay_cursors")
