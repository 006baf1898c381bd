"""seals: their life, permits for files and batches"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_OLD = "_0001"
_FIRST_DIAMETER = 40  # millimetres: what every seal was drawn at


def upgrade() -> None:
    """Every issuer's seal becomes a row with an edition for each of its keys; permits and uses are carried over."""
    op.add_column("job_rows", sa.Column("leaf", sa.String(length=64), nullable=True))
    op.add_column("certificates", sa.Column("doubtful_since", sa.DateTime(timezone=True), nullable=True))
    _create_seals()
    _found_seals()
    _allow_changes("seal_uses")
    _set_aside()
    _create_permits_and_uses()
    _carry_over()
    op.drop_table(f"seal_uses{_OLD}")
    op.drop_table(f"seal_permits{_OLD}")
    for table in ("seal_uses", "seal_events"):
        _forbid_changes(table)


def downgrade() -> None:
    """Uses of licenses are kept, each under a permit of its own; what sealed no license has no place there."""
    for table in ("seal_uses", "seal_events"):
        _allow_changes(table)
    connection = op.get_bind()
    permits = {row.id: row for row in connection.execute(sa.text("SELECT * FROM seal_permits"))}
    uses = list(connection.execute(sa.text("SELECT * FROM seal_uses WHERE identifier IS NOT NULL")))
    keys = _keys_of_seals(connection)
    times = _typed("seal_permits", "id", "given_at", "expires_at", "cancelled_at")
    instants = {row.id: row for row in connection.execute(sa.select(times))}
    used = {
        (row.permit_id, row.leaf): row.used_at
        for row in connection.execute(sa.select(_typed("seal_uses", "permit_id", "leaf", "used_at")))
    }
    op.drop_table("seal_uses")
    op.drop_index("ix_seal_permits_identifier", table_name="seal_permits")
    op.drop_table("seal_permits")
    _create_old()
    old_permits, old_uses = [], []
    for permit in permits.values():
        if permit.identifier is not None:
            of_use = next((u.key_id for u in uses if u.permit_id == permit.id), None)
            key = of_use or _key_at(keys.get(permit.seal_id, []), instants[permit.id].given_at)
            if key is not None:
                old_permits.append(_old_permit(permit, instants[permit.id], permit.id, permit.identifier, key))
    known = {p["id"] for p in old_permits}
    for use in uses:
        permit = permits[use.permit_id]
        name = permit.id if not use.leaf else hashlib.sha256(f"{permit.id}{use.leaf}".encode()).hexdigest()[:32]
        if name not in known:
            made = _old_permit(permit, instants[permit.id], name, use.identifier, use.key_id)
            old_permits.append(made | {"digest": use.digest})
            known.add(name)
        old_uses.append(
            {
                "permit_id": name,
                "identifier": use.identifier,
                "key_id": use.key_id,
                "digest": use.digest,
                "used_at": used[use.permit_id, use.leaf],
                "revision": 1,
            }
        )
    _insert("seal_permits", old_permits)
    _insert("seal_uses", old_uses)
    _forbid_changes("seal_uses")
    for table in ("seal_events", "seal_versions", "seals"):
        op.drop_table(table)
    op.drop_column("certificates", "doubtful_since")
    op.drop_column("job_rows", "leaf")


def _create_seals() -> None:
    op.create_table(
        "seals",
        sa.Column("id", sa.String(length=14), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("stem", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["issuers.code"], name=op.f("fk_seals_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seals")),
        sa.UniqueConstraint("owner", "stem", name=op.f("uq_seals_owner_stem")),
    )
    op.create_table(
        "seal_versions",
        sa.Column("seal_id", sa.String(length=14), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("diameter_mm", sa.Integer(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("face", sa.LargeBinary(), nullable=True),
        sa.Column("applied_by", sa.String(length=80), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("made_by", sa.String(length=80), nullable=False),
        sa.Column("activated_by", sa.String(length=80), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=True),
        sa.Column("structure", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_seal_versions_key_id")),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name=op.f("fk_seal_versions_seal_id")),
        sa.PrimaryKeyConstraint("seal_id", "version", name=op.f("pk_seal_versions")),
    )
    op.create_table(
        "seal_events",
        sa.Column("seal_id", sa.String(length=14), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name=op.f("fk_seal_events_seal_id")),
        sa.PrimaryKeyConstraint("seal_id", "seq", name=op.f("pk_seal_events")),
    )


def _create_permits_and_uses() -> None:
    op.create_table(
        "seal_permits",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("seal_id", sa.String(length=14), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("root", sa.String(length=64), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("given_by", sa.String(length=80), nullable=False),
        sa.Column("user", sa.String(length=80), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=True),
        sa.Column("job", sa.String(length=32), nullable=True),
        sa.Column("approvers", sa.Integer(), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_seal_permits_identifier")),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_seal_permits_job")),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name=op.f("fk_seal_permits_seal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_permits")),
    )
    op.create_index("ix_seal_permits_identifier", "seal_permits", ["identifier"], unique=False)
    op.create_index("ix_seal_permits_job", "seal_permits", ["job"], unique=False)
    op.create_index("ix_seal_permits_seal", "seal_permits", ["seal_id", "given_at"], unique=False)
    op.create_table(
        "seal_uses",
        sa.Column("permit_id", sa.String(length=32), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("seal_id", sa.String(length=14), nullable=False),
        sa.Column("seal_version", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_by", sa.String(length=80), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_seal_uses_identifier")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_seal_uses_key_id")),
        sa.ForeignKeyConstraint(["permit_id"], ["seal_permits.id"], name=op.f("fk_seal_uses_permit_id")),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.id"], name=op.f("fk_seal_uses_seal_id")),
        sa.PrimaryKeyConstraint("permit_id", "leaf", name=op.f("pk_seal_uses")),
    )
    op.create_index("ix_seal_uses_identifier", "seal_uses", ["identifier"], unique=False)
    op.create_index("ix_seal_uses_seal", "seal_uses", ["seal_id", "used_at"], unique=False)


def _create_old() -> None:
    op.create_table(
        "seal_permits",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("given_by", sa.String(length=80), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_seal_permits_identifier")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_seal_permits_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_permits")),
    )
    op.create_index("ix_seal_permits_identifier", "seal_permits", ["identifier"], unique=False)
    op.create_table(
        "seal_uses",
        sa.Column("permit_id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_seal_uses_identifier")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_seal_uses_key_id")),
        sa.ForeignKeyConstraint(["permit_id"], ["seal_permits.id"], name=op.f("fk_seal_uses_permit_id")),
        sa.PrimaryKeyConstraint("permit_id", name=op.f("pk_seal_uses")),
    )


def _found_seals() -> None:
    connection = op.get_bind()
    issuers = connection.execute(sa.select(_typed("issuers", "code", "seal_name", "seal_kind", "seal_code", "since")))
    for issuer in list(issuers):
        keys = _seal_keys(connection, issuer.code)
        region = issuer.seal_code[:6] if issuer.seal_code[:6].isdigit() else "000000"
        seal_id = f"{region}{secrets.randbelow(10**8):08d}"
        seal = {
            "id": seal_id,
            "owner": issuer.code,
            "kind": issuer.seal_kind,
            "stem": "seal",
            "state": "ACTIVE",
            "version": max(1, len(keys)),
            "created_at": issuer.since,
            "since": issuer.since,
            "revision": 1,
        }
        _insert("seals", [seal])
        versions, events = [], []
        for number, key in enumerate(keys or [None], 1):
            at = issuer.since if key is None or number == 1 else key.created_at
            last = number == seal["version"]
            versions.append(
                {
                    "seal_id": seal_id,
                    "version": number,
                    "state": "ACTIVE" if last else "SUPERSEDED",
                    "name": issuer.seal_name,
                    "diameter_mm": _FIRST_DIAMETER,
                    "rules": '{"approvers": 1}',
                    "face": None,
                    "applied_by": "vault",
                    "applied_at": issuer.since,
                    "approved_by": "vault",
                    "made_by": "vault",
                    "activated_by": "vault",
                    "key_id": None if key is None else key.id,
                    "structure": None,
                    "revision": 1,
                }
            )
            events.append(
                {
                    "seal_id": seal_id,
                    "seq": number,
                    "at": at,
                    "step": "ACTIVATE" if number == 1 else "RENEW",
                    "state": "ACTIVE",
                    "version": number,
                    "edition": number,
                    "actor": "vault",
                    "reason": "schema 0002",
                    "revision": 1,
                }
            )
        _insert("seal_versions", versions)
        _insert("seal_events", events)


def _seal_keys(connection: sa.Connection, owner: str) -> list[Any]:
    """The keys that have a certificate, oldest first; those without were left by a crash and sealed nothing."""
    keys = _typed("keys", "id", "owner", "purpose", "generation", "created_at")
    certificates = _typed("certificates", "key_id", "state")
    certified = sa.select(certificates.c.key_id).where(certificates.c.state.in_(["ISSUED", "REVOKED"]))
    query = sa.select(keys).where(keys.c.owner == owner, keys.c.purpose == "SEAL", keys.c.id.in_(certified))
    return list(connection.execute(query.order_by(keys.c.generation)))


def _set_aside() -> None:
    """Put permits and uses under other names, with nothing of theirs in the way of the new tables."""
    op.drop_index("ix_seal_permits_identifier", table_name="seal_permits")
    if op.get_bind().dialect.name != "sqlite":
        for table, keys in (("seal_uses", ("permit_id", "key_id", "identifier")), ("seal_permits", ("key_id",))):
            for key in keys:
                op.drop_constraint(f"fk_{table}_{key}", table, type_="foreignkey")
            op.drop_constraint(f"pk_{table}", table, type_="primary")
        op.drop_constraint("fk_seal_permits_identifier", "seal_permits", type_="foreignkey")
    for table in ("seal_uses", "seal_permits"):
        op.rename_table(table, f"{table}{_OLD}")


def _carry_over() -> None:
    op.execute(
        'INSERT INTO seal_permits (id, seal_id, purpose, digest, root, count, given_by, "user", given_at, expires_at, '
        "identifier, job, approvers, approved_by, cancelled_at, revision) "
        "SELECT p.id, s.id, 'license', p.digest, NULL, 1, p.given_by, p.given_by, p.given_at, p.expires_at, "
        "p.identifier, NULL, 1, '', p.cancelled_at, p.revision "
        "FROM seal_permits_0001 p JOIN keys k ON k.id = p.key_id JOIN seals s ON s.owner = k.owner"
    )
    op.execute(
        "INSERT INTO seal_uses (permit_id, leaf, seal_id, seal_version, key_id, digest, used_by, used_at, identifier, "
        "revision) SELECT u.permit_id, '', s.id, v.version, u.key_id, u.digest, p.given_by, u.used_at, u.identifier, "
        "u.revision FROM seal_uses_0001 u JOIN seal_permits_0001 p ON p.id = u.permit_id "
        "JOIN seal_versions v ON v.key_id = u.key_id JOIN seals s ON s.id = v.seal_id"
    )


def _keys_of_seals(connection: sa.Connection) -> dict[str, list[tuple[Any, str]]]:
    """Of each seal, from when on it worked with which key."""
    steps = _typed("seal_events", "seal_id", "seq", "at", "version")
    editions = _typed("seal_versions", "seal_id", "version", "key_id")
    keys = {(row.seal_id, row.version): row.key_id for row in connection.execute(sa.select(editions))}
    found: dict[str, list[tuple[Any, str]]] = {}
    for row in connection.execute(sa.select(steps).order_by(steps.c.seal_id, steps.c.seq)):
        key = keys.get((row.seal_id, row.version))
        if key is not None:
            found.setdefault(row.seal_id, []).append((row.at, key))
    return found


def _key_at(keys: list[tuple[Any, str]], at: Any) -> str | None:
    before = [key for since, key in keys if since <= at]
    return before[-1] if before else next((key for _, key in keys), None)


def _old_permit(permit: Any, instants: Any, name: str, identifier: str, key: str) -> dict[str, Any]:
    return {
        "id": name,
        "identifier": identifier,
        "key_id": key,
        "digest": permit.digest or "",
        "given_by": permit.given_by,
        "given_at": instants.given_at,
        "expires_at": instants.expires_at,
        "cancelled_at": instants.cancelled_at,
        "revision": 1,
    }


_INSTANTS = ("since", "created_at", "at", "given_at", "expires_at", "cancelled_at", "used_at", "applied_at")


def _typed(table: str, *columns: str) -> Any:
    """A table as far as it is needed here; instants are read and written as such, whatever the database."""
    kinds: list[Any] = [sa.column(c, sa.DateTime(timezone=True)) if c in _INSTANTS else sa.column(c) for c in columns]
    return sa.table(table, *kinds)


def _insert(table: str, rows: list[dict[str, Any]]) -> None:
    for i in range(0, len(rows), 500):
        op.get_bind().execute(sa.insert(_typed(table, *rows[0])), rows[i : i + 500])


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
