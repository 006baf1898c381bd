"""lines of the audit by object and kind: answers about a seal do not read all its uses"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The new index does what the old one did, and more."""
    op.create_index("ix_audit_object_kind", "audit", ["object", "kind"], unique=False)
    op.drop_index("ix_audit_object", table_name="audit")


def downgrade() -> None:
    """The old index again."""
    op.create_index("ix_audit_object", "audit", ["object"], unique=False)
    op.drop_index("ix_audit_object_kind", table_name="audit")
