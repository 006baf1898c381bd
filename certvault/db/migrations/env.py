"""Alembic's entry: works on the connection it is handed, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from certvault.db.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=False)
context.run_migrations()
