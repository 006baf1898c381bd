"""the first schema"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit", "audit_anchors", "seal_uses")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("writer", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object", sa.String(length=140), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("writer", "seq", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_index("ix_audit_object", "audit", ["object"], unique=False)
    op.create_table(
        "cached_answers",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("body_sha256", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "key", name=op.f("pk_cached_answers")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "crls",
        sa.Column("ca", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("this_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("ca", "number", name=op.f("pk_crls")),
    )
    op.create_table(
        "data_keys",
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("wrapping_uri", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("use", "generation", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "issuers",
        sa.Column("code", sa.String(length=18), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("places", sa.Text(), nullable=False),
        sa.Column("seal_name", sa.Text(), nullable=False),
        sa.Column("seal_kind", sa.String(length=20), nullable=False),
        sa.Column("seal_code", sa.String(length=32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_issuers")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("type_version", sa.Integer(), nullable=False),
        sa.Column("input_sha256", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("baseline", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("algorithm", sa.String(length=32), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_keys_owner_name")),
    )
    op.create_table(
        "license_types",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("code_is_example", sa.Boolean(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("files", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_license_types")),
    )
    op.create_table(
        "serial_blocks",
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("first", name=op.f("pk_serial_blocks")),
    )
    op.create_table(
        "status_lists",
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_status_lists")),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("holder_index", sa.String(length=64), nullable=True),
        sa.Column("issuer_code", sa.String(length=18), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )
    op.create_table(
        "vault_facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_vault_facts")),
    )
    op.create_table(
        "audit_anchors",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_audit_anchors_key_id")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit_anchors")),
    )
    op.create_table(
        "certificates",
        sa.Column("ca", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=50), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_certificates_key_id")),
        sa.PrimaryKeyConstraint("ca", "serial", name=op.f("pk_certificates")),
    )
    op.create_index("ix_certificates_key_id", "certificates", ["key_id"], unique=False)
    op.create_table(
        "licenses",
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("type_version", sa.Integer(), nullable=False),
        sa.Column("number_index", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("copy_number", sa.Integer(), nullable=False),
        sa.Column("status_list", sa.Integer(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("allotted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("job", sa.String(length=32), nullable=True),
        sa.Column("job_row", sa.Integer(), nullable=True),
        sa.Column("request_index", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.String(length=80), nullable=True),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=True),
        sa.Column("record_sha256", sa.String(length=64), nullable=True),
        sa.Column("code_sha256", sa.String(length=64), nullable=True),
        sa.Column("evidence_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issuer_code"], ["issuers.code"], name=op.f("fk_licenses_issuer_code")),
        sa.ForeignKeyConstraint(["status_list"], ["status_lists.n"], name=op.f("fk_licenses_status_list")),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_licenses")),
        sa.UniqueConstraint("job", "job_row", name=op.f("uq_licenses_job_job_row")),
        sa.UniqueConstraint("status_list", "status_index", name=op.f("uq_licenses_status_list_status_index")),
    )
    op.create_index("ix_licenses_document", "licenses", ["document"], unique=False)
    op.create_index("ix_licenses_evidence", "licenses", ["evidence_until"], unique=False)
    op.create_index("ix_licenses_listing", "licenses", ["allotted_at", "identifier"], unique=False)
    op.create_index("ix_licenses_request", "licenses", ["request_index"], unique=False)
    op.create_index("ix_licenses_state", "licenses", ["state"], unique=False)
    op.create_index(
        "uq_licenses_number",
        "licenses",
        ["type", "number_index", "version", "copy_number"],
        unique=True,
        sqlite_where=sa.text("state <> 'VOID'"),
        postgresql_where=sa.text("state <> 'VOID'"),
    )
    op.create_table(
        "job_rows",
        sa.Column("job", sa.String(length=32), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("row_index", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=140), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_job_rows_identifier")),
        sa.ForeignKeyConstraint(["job"], ["jobs.id"], name=op.f("fk_job_rows_job")),
        sa.PrimaryKeyConstraint("job", "row", name=op.f("pk_job_rows")),
    )
    op.create_index("ix_job_rows_state", "job_rows", ["job", "state"], unique=False)
    op.create_table(
        "license_holders",
        sa.Column("identifier", sa.String(length=140), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("holder_index", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["identifier"], ["licenses.identifier"], name=op.f("fk_license_holders_identifier")),
        sa.PrimaryKeyConstraint("identifier", "position", name=op.f("pk_license_holders")),
    )
    op.create_index("ix_license_holders_index", "license_holders", ["holder_index"], unique=False)
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
    _forbid_changes()


def downgrade() -> None:
    _allow_changes()
    op.drop_table("seal_uses")
    op.drop_index("ix_seal_permits_identifier", table_name="seal_permits")
    op.drop_table("seal_permits")
    op.drop_index("ix_license_holders_index", table_name="license_holders")
    op.drop_table("license_holders")
    op.drop_index("ix_job_rows_state", table_name="job_rows")
    op.drop_table("job_rows")
    op.drop_index(
        "uq_licenses_number",
        table_name="licenses",
        sqlite_where=sa.text("state <> 'VOID'"),
        postgresql_where=sa.text("state <> 'VOID'"),
    )
    op.drop_index("ix_licenses_state", table_name="licenses")
    op.drop_index("ix_licenses_request", table_name="licenses")
    op.drop_index("ix_licenses_listing", table_name="licenses")
    op.drop_index("ix_licenses_evidence", table_name="licenses")
    op.drop_index("ix_licenses_document", table_name="licenses")
    op.drop_table("licenses")
    op.drop_index("ix_certificates_key_id", table_name="certificates")
    op.drop_table("certificates")
    op.drop_table("audit_anchors")
    op.drop_table("vault_facts")
    op.drop_table("tokens")
    op.drop_table("status_lists")
    op.drop_table("serial_blocks")
    op.drop_table("license_types")
    op.drop_table("keys")
    op.drop_table("jobs")
    op.drop_table("issuers")
    op.drop_table("data_keys")
    op.drop_table("crls")
    op.drop_table("counters")
    op.drop_table("cached_answers")
    op.drop_index("ix_audit_object", table_name="audit")
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_table("audit")


def _forbid_changes() -> None:
    """Rows of these tables refuse UPDATE and DELETE, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION certvault_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION certvault_append_only()"
        )


def _allow_changes() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in APPEND_ONLY:
            for verb in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_no_{verb}")
        return
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_no_change ON {table}")
    op.execute("DROP FUNCTION certvault_append_only()")
