"""The schema, one for SQLite and PostgreSQL. Migrations in ``certvault/db/migrations`` lead to exactly this.

Column names equal the field names of the frozen records in :mod:`certvault.model`. ``revision`` counts changes and
guards every update. Text columns hold nothing personal: what is personal is in the ``LargeBinary`` columns, encrypted.
"""

from __future__ import annotations

import datetime
import enum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

from certvault.model.agreement import AgreementStep
from certvault.model.drill import DrillPhase, DrillState, ItemState
from certvault.model.keys import CertificateState, KeyState
from certvault.model.license import LicenseState
from certvault.model.seal import SealState, Step, VersionState
from certvault.model.standing import Act
from certvault.model.statuswork import RequestState
from certvault.model.webhook import WebhookState
from certvault.model.work import JobState, RowState
from signing.keys import KeyPurpose
from verify.formats.algorithms import Algorithm

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime.datetime]):
    """An aware UTC datetime. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without zone must not reach the database")
        value = value.astimezone(datetime.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime.datetime | None, dialect: Dialect) -> datetime.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=datetime.UTC) if value.tzinfo is None else value.astimezone(datetime.UTC)


class Named(TypeDecorator[Any]):
    """An enum member kept by its name in a text column."""

    impl = String(32)
    cache_ok = True

    def __init__(self, kind: type[enum.Enum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(value.name)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else self.kind[value]


def _revision() -> Column[int]:
    return Column("revision", Integer, nullable=False)


vault_facts = Table(
    "vault_facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("use", String(16), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("wrapping_uri", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    _revision(),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("owner", String(18), nullable=False),
    Column("purpose", Named(KeyPurpose), nullable=False),
    Column("algorithm", Named(Algorithm), nullable=False),
    Column("uri", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", Named(KeyState), nullable=False),
    Column("retired_at", Instant),
    _revision(),
    UniqueConstraint("owner", "name"),
)

certificates = Table(
    "certificates",
    metadata,
    Column("ca", String(64), nullable=False),
    Column("serial", String(50), nullable=False),
    Column("key_id", String(16), ForeignKey("keys.id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("purpose", Named(KeyPurpose), nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("signs_until", Instant),
    Column("der", LargeBinary),
    Column("state", Named(CertificateState), nullable=False),
    Column("revoked_at", Instant),
    Column("reason", String(40), nullable=False),
    Column("doubtful_since", Instant),
    _revision(),
    PrimaryKeyConstraint("ca", "serial"),
    Index("ix_certificates_key_id", "key_id"),
)

crls = Table(
    "crls",
    metadata,
    Column("ca", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("this_update", Instant, nullable=False),
    Column("next_update", Instant, nullable=False),
    _revision(),
)

serial_blocks = Table(
    "serial_blocks",
    metadata,
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("session", String(32), nullable=False),
    Column("reserved_at", Instant, nullable=False),
    _revision(),
)

issuers = Table(
    "issuers",
    metadata,
    Column("code", String(18), primary_key=True),
    Column("name", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("places", Text, nullable=False),
    Column("seal_name", Text, nullable=False),
    Column("seal_kind", String(20), nullable=False),
    Column("seal_code", String(32), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    _revision(),
)

license_types = Table(
    "license_types",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("type_code", String(21), nullable=False),
    Column("code_is_example", Boolean, nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("files", LargeBinary, nullable=False),
    Column("published_at", Instant, nullable=False),
    _revision(),
)

status_lists = Table(
    "status_lists",
    metadata,
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    _revision(),
)

licenses = Table(
    "licenses",
    metadata,
    Column("identifier", String(140), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("type_version", Integer, nullable=False),
    Column("number_index", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("copy_number", Integer, nullable=False),
    Column("status_list", Integer, ForeignKey("status_lists.n"), nullable=False),
    Column("status_index", Integer, nullable=False),
    Column("issuer_code", String(18), ForeignKey("issuers.code"), nullable=False),
    Column("region", String(6), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("session", String(32), nullable=False),
    Column("allotted_at", Instant, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("job", String(32)),
    Column("job_row", Integer),
    Column("request_index", String(64)),
    Column("state", Named(LicenseState), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("issued_at", Instant),
    Column("document", String(80)),
    Column("document_sha256", String(64)),
    Column("record", LargeBinary),
    Column("record_sha256", String(64)),
    Column("code_sha256", String(64)),
    Column("evidence_until", Instant),
    Column("feed_number", BigInteger),
    _revision(),
    UniqueConstraint("status_list", "status_index"),
    UniqueConstraint("job", "job_row"),
    # A number given up may be allotted anew under another identifier: the business keeps its credit code.
    Index(
        "uq_licenses_number",
        "type",
        "number_index",
        "version",
        "copy_number",
        unique=True,
        sqlite_where=text("state <> 'VOID'"),
        postgresql_where=text("state <> 'VOID'"),
    ),
    Index("ix_licenses_state", "state"),
    Index("ix_licenses_document", "document"),
    Index("ix_licenses_request", "request_index"),
    Index("ix_licenses_listing", "allotted_at", "identifier"),
    Index("ix_licenses_evidence", "evidence_until"),
    Index("ix_licenses_feed", "feed_number", unique=True),
)

status_changes = Table(
    "status_changes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("identifier", String(140), ForeignKey("licenses.identifier"), nullable=False),
    Column("act", Named(Act), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("effective_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("approver", String(80)),
    Column("successor", String(140)),
    _revision(),
    Index("ix_status_changes_identifier", "identifier"),
)

status_entries = Table(
    "status_entries",
    metadata,
    Column("list", Integer, ForeignKey("status_lists.n"), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("value", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Index("ix_status_entries_change", "list", "change"),
)

status_due = Table(
    "status_due",
    metadata,
    Column("effective_at", Instant, primary_key=True),
    Column("identifier", String(140), ForeignKey("licenses.identifier"), primary_key=True),
    Column("list", Integer, nullable=False),
    Index("ix_status_due_list", "list", "effective_at"),
)

status_effects = Table(
    "status_effects",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("change", BigInteger, ForeignKey("status_changes.number"), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

status_requests = Table(
    "status_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("identifier", String(140), ForeignKey("licenses.identifier"), nullable=False),
    Column("act", Named(Act), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("requested_by", String(80), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("state", Named(RequestState), nullable=False),
    Column("decided_by", String(80)),
    Column("decided_at", Instant),
    _revision(),
    Index("ix_status_requests_identifier", "identifier"),
)

license_holders = Table(
    "license_holders",
    metadata,
    Column("identifier", String(140), ForeignKey("licenses.identifier"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("holder_index", String(64), nullable=False),
    _revision(),
    Index("ix_license_holders_index", "holder_index"),
)

seals = Table(
    "seals",
    metadata,
    Column("id", String(14), primary_key=True),
    Column("owner", String(18), ForeignKey("issuers.code"), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("stem", String(32), nullable=False),
    Column("state", Named(SealState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    _revision(),
    UniqueConstraint("owner", "stem"),
)

seal_versions = Table(
    "seal_versions",
    metadata,
    Column("seal_id", String(14), ForeignKey("seals.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", Named(VersionState), nullable=False),
    Column("name", Text, nullable=False),
    Column("diameter_mm", Integer, nullable=False),
    Column("rules", Text, nullable=False),
    Column("face", LargeBinary),
    Column("applied_by", String(80), nullable=False),
    Column("applied_at", Instant, nullable=False),
    Column("approved_by", String(80), nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("activated_by", String(80), nullable=False),
    Column("key_id", String(16), ForeignKey("keys.id")),
    Column("structure", LargeBinary),
    _revision(),
)

seal_events = Table(
    "seal_events",
    metadata,
    Column("seal_id", String(14), ForeignKey("seals.id"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("step", Named(Step), nullable=False),
    Column("state", Named(SealState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("reason", String(200), nullable=False),
    _revision(),
)

seal_permits = Table(
    "seal_permits",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("seal_id", String(14), ForeignKey("seals.id"), nullable=False),
    Column("purpose", String(80), nullable=False),
    Column("digest", String(64)),
    Column("root", String(64)),
    Column("count", Integer, nullable=False),
    Column("given_by", String(80), nullable=False),
    Column("user", String(80), nullable=False),
    Column("given_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("identifier", String(140), ForeignKey("licenses.identifier")),
    Column("job", String(32), ForeignKey("jobs.id")),
    Column("approvers", Integer, nullable=False),
    Column("approved_by", String(80), nullable=False),
    Column("cancelled_at", Instant),
    _revision(),
    Index("ix_seal_permits_identifier", "identifier"),
    Index("ix_seal_permits_job", "job"),
    Index("ix_seal_permits_seal", "seal_id", "given_at"),
)

seal_uses = Table(
    "seal_uses",
    metadata,
    Column("permit_id", String(32), ForeignKey("seal_permits.id"), primary_key=True),
    Column("leaf", String(64), primary_key=True),
    Column("seal_id", String(14), ForeignKey("seals.id"), nullable=False),
    Column("seal_version", Integer, nullable=False),
    Column("key_id", String(16), ForeignKey("keys.id"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("used_by", String(80), nullable=False),
    Column("used_at", Instant, nullable=False),
    Column("identifier", String(140), ForeignKey("licenses.identifier")),
    _revision(),
    Index("ix_seal_uses_identifier", "identifier"),
    Index("ix_seal_uses_seal", "seal_id", "used_at"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("type_version", Integer, nullable=False),
    Column("input_sha256", String(64), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("issuer_code", String(18), nullable=False),
    Column("session", String(32), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("baseline", String(8), nullable=False),
    Column("state", Named(JobState), nullable=False),
    Column("total", Integer, nullable=False),
    _revision(),
)

job_rows = Table(
    "job_rows",
    metadata,
    Column("job", String(32), ForeignKey("jobs.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("row_index", String(64), nullable=False),
    Column("state", Named(RowState), nullable=False),
    Column("identifier", String(140), ForeignKey("licenses.identifier")),
    Column("code", String(64), nullable=False),
    Column("answer", LargeBinary),
    Column("sha256", String(64)),
    Column("leaf", String(64)),
    Column("supersedes", String(140)),
    _revision(),
    Index("ix_job_rows_state", "job", "state"),
)

drills = Table(
    "drills",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key_id", String(16), ForeignKey("keys.id"), nullable=False),
    Column("since", Instant, nullable=False),
    Column("suspends", Boolean, nullable=False),
    Column("reissues", Boolean, nullable=False),
    Column("requested_by", String(80), nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("session", String(32), nullable=False),
    Column("state", Named(DrillState), nullable=False),
    Column("phase", Named(DrillPhase), nullable=False),
    Column("plan", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column("approver", String(80)),
    Column("new_key_id", String(16)),
    Column("notice", BigInteger),
    Column("finished_at", Instant),
    Column("timings", Text, nullable=False),
    Column("report", LargeBinary),
    _revision(),
    Index("ix_drills_key_id", "key_id"),
)

drill_items = Table(
    "drill_items",
    metadata,
    Column("drill", String(32), ForeignKey("drills.id"), primary_key=True),
    Column("identifier", String(140), ForeignKey("licenses.identifier"), primary_key=True),
    Column("state", Named(ItemState), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("job", String(32), ForeignKey("jobs.id")),
    Column("successor", String(140)),
    _revision(),
    Index("ix_drill_items_identifier", "identifier"),
    Index("ix_drill_items_state", "drill", "state"),
)

notices = Table(
    "notices",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Column("token", LargeBinary, nullable=False),
    _revision(),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    Column("label", String(80), nullable=False),
    Column("holder_index", String(64)),
    Column("issuer_code", String(18)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    _revision(),
)

cached_answers = Table(
    "cached_answers",
    metadata,
    Column("subject", String(80), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("body_sha256", String(64), nullable=False),
    Column("session", String(32), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("sealed", LargeBinary),
    _revision(),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("url", String(500), nullable=False),
    Column("kinds", Text, nullable=False),
    Column("types", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("former", LargeBinary),
    Column("former_until", Instant),
    Column("created_by", String(80), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", Named(WebhookState), nullable=False),
    Column("paused", String(32)),
    Column("cursor", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("turn", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("next_at", Instant, nullable=False),
    Column("lease", String(32)),
    Column("leased_until", Instant),
    Column("attempts", Integer, nullable=False),
    _revision(),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("webhook", String(16), ForeignKey("webhooks.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("message", String(40), nullable=False),
    Column("changes", Integer, nullable=False),
    Column("status", Integer),
    Column("code", String(32), nullable=False),
    Column("milliseconds", Integer, nullable=False),
    _revision(),
)

region_lists = Table(
    "region_lists",
    metadata,
    Column("region", String(6), primary_key=True),
    Column("uri", String(500), primary_key=True),
    Column("token", LargeBinary, nullable=False),
    Column("etag", String(210), nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("fetched_at", Instant, nullable=False),
)

hub_entries = Table(
    "hub_entries",
    metadata,
    Column("hub", String(6), primary_key=True),
    Column("region", String(6), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("token", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("listed", BigInteger, nullable=False),
    Column("anchors", Text, nullable=False),
    _revision(),
)

hubs = Table(
    "hubs",
    metadata,
    Column("hub", String(6), primary_key=True),
    Column("anchor", Text, nullable=False),
    Column("address", String(500), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("above", String(6), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("next_update", Instant),
    Column("confirmed_at", Instant),
    Column("etag", String(210), nullable=False),
    Column("faults", String(200), nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Instant),
    _revision(),
)

hub_lists = Table(
    "hub_lists",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("content", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("next_update", Instant, nullable=False),
    Column("token", Text),
    _revision(),
)

hub_documents = Table(
    "hub_documents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("region", String(6), nullable=False),
    Column("name", String(140), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    _revision(),
    UniqueConstraint("number"),
    Index("ix_hub_documents_kind", "kind", "number"),
    Index("ix_hub_documents_region", "region", "kind"),
)

relay_cursors = Table(
    "relay_cursors",
    metadata,
    Column("source", String(40), primary_key=True),
    Column("mark", String(64), nullable=False),
    Column("position", BigInteger, nullable=False),
    _revision(),
)

seen_lists = Table(
    "seen_lists",
    metadata,
    Column("region", String(6), primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("content", String(64), primary_key=True),
    Column("token", LargeBinary, nullable=False),
    Column("source", String(20), nullable=False),
    Column("seen_at", Instant, nullable=False),
    _revision(),
)

audit = Table(
    "audit",
    metadata,
    Column("writer", String(40), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("object", String(140), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_object_kind", "object", "kind"),
)

audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("heads", Text, nullable=False),
    Column("key_id", String(16), ForeignKey("keys.id"), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

own_anchors = Table(
    "own_anchors",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("anchor", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("complete_at", Instant),
    _revision(),
)

own_lists = Table(
    "own_lists",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("anchor_sequence", Integer, nullable=False),
    Column("content", String(64), nullable=False),
    Column("packed", LargeBinary, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("next_update", Instant, nullable=False),
    Column("token", Text),
    _revision(),
)

regions = Table(
    "regions",
    metadata,
    Column("region", String(6), primary_key=True),
    Column("anchor", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("adopted_at", Instant),
    Column("faults", String(200), nullable=False),
    Column("address", String(500), nullable=False),
    _revision(),
)

region_contacts = Table(
    "region_contacts",
    metadata,
    Column("region", String(6), ForeignKey("regions.region"), primary_key=True),
    Column("confirmed_at", Instant),
    Column("etag", String(210), nullable=False),
    Column("anchor_etag", String(210), nullable=False),
    Column("synced_at", Instant),
    Column("outcome", String(40), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("retry_at", Instant),
    _revision(),
)

agreement_events = Table(
    "agreement_events",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("agreement", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("step", Named(AgreementStep), nullable=False),
    Column("region", String(6), nullable=False),
    Column("accepting", Boolean, nullable=False),
    Column("theirs", String(100), nullable=False),
    Column("ours", String(100), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("signed", LargeBinary, nullable=False),
    _revision(),
    UniqueConstraint("agreement", "version", "step"),
)

APPEND_ONLY = (
    "audit",
    "audit_anchors",
    "seal_uses",
    "seal_events",
    "status_changes",
    "status_effects",
    "notices",
    "agreement_events",
)
"""Tables whose rows no statement may change or delete; triggers of the migrations hold it."""
