"""One transaction over all repositories."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, insert, select, text, update

from certvault.db import tables as t
from certvault.db.audit_log import AuditReader
from certvault.db.drills import DrillItemReader, NoticeReader
from certvault.db.engine import copy_sqlite, open_engine, snapshot, transaction
from certvault.db.feed import FeedReader
from certvault.db.jobs import JobRowReader
from certvault.db.journal import TransactionJournal, Writers
from certvault.db.licenses import HolderReader, LicenseReader
from certvault.db.migrate import current_revision, downgrade, upgrade
from certvault.db.region_lists import RegionListReader, RegionListWriter
from certvault.db.regions import RegionReader
from certvault.db.repository import Reader, Repository
from certvault.db.statuses import StatusReader, StatusWriter
from certvault.db.webhooks import WebhookReader, WebhookRepository
from certvault.errors import DeadlockError, DuplicateRowError, SettingsError
from certvault.model import drill as d
from certvault.model import hub as h
from certvault.model import keys as k
from certvault.model import region as r
from certvault.model import seal as s
from certvault.model import statuswork as sw
from certvault.model import work as w
from certvault.model.agreement import AgreementEvent
from certvault.model.license import HolderLink, License, LicenseState

T = TypeVar("T")

# One statement on both databases, so that two writers who begin a counter together do not collide.
_TAKE = text(
    "INSERT INTO counters (name, value) VALUES (:name, :count) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value"
)


class View:
    """Everything that can be read, at one moment."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.licenses = LicenseReader(connection)
        self.holders = HolderReader(connection)
        self.job_rows = JobRowReader(connection)
        self.audit = AuditReader(connection)
        self.keys = Reader(connection, t.keys, k.KeyRecord)
        self.certificates = Reader(connection, t.certificates, k.CertificateRecord)
        self.crls = Reader(connection, t.crls, k.CrlRecord)
        self.data_keys = Reader(connection, t.data_keys, k.DataKey)
        self.issuers = Reader(connection, t.issuers, k.Issuer)
        self.types = Reader(connection, t.license_types, w.PublishedType)
        self.status_lists = Reader(connection, t.status_lists, w.StatusListRecord)
        self.seals = Reader(connection, t.seals, s.Seal)
        self.seal_versions = Reader(connection, t.seal_versions, s.SealVersion)
        self.seal_events = Reader(connection, t.seal_events, s.SealEvent)
        self.statuses = StatusReader(connection)
        self.feed = FeedReader(connection)
        self.webhooks = WebhookReader(connection)
        self.status_requests = Reader(connection, t.status_requests, sw.StatusRequest)
        self.agreements = Reader(connection, t.agreement_events, AgreementEvent)
        self.permits = Reader(connection, t.seal_permits, w.SealPermit)
        self.seal_uses = Reader(connection, t.seal_uses, w.SealUse)
        self.jobs = Reader(connection, t.jobs, w.Job)
        self.drills = Reader(connection, t.drills, d.Drill)
        self.drill_items = DrillItemReader(connection)
        self.notices = NoticeReader(connection)
        self.tokens = Reader(connection, t.tokens, w.Token)
        self.answers = Reader(connection, t.cached_answers, w.CachedAnswer)
        self.own_anchors = Reader(connection, t.own_anchors, r.OwnAnchor)
        self.own_lists = Reader(connection, t.own_lists, r.OwnList)
        self.regions = RegionReader(connection)
        self.region_contacts = Reader(connection, t.region_contacts, r.RegionContact)
        self.region_lists = RegionListReader(connection)
        self.hub_entries = Reader(connection, t.hub_entries, h.EntryRecord)
        self.hubs = Reader(connection, t.hubs, h.HubRecord)
        self.hub_lists = Reader(connection, t.hub_lists, h.PublishedHubList)
        self.hub_documents = Reader(connection, t.hub_documents, h.RelayedDocument)
        self.relay_cursors = Reader(connection, t.relay_cursors, h.RelayCursor)
        self.seen_lists = Reader(connection, t.seen_lists, h.SeenList)

    def fact(self, name: str) -> str | None:
        """A fact about the vault as a whole, such as its id."""
        return self.connection.execute(
            select(t.vault_facts.c.value).where(t.vault_facts.c.name == name)
        ).scalar_one_or_none()

    def region_mark(self) -> tuple[int, ...]:
        """While it stays, nothing that this region's trust list tells has changed. Counts rows, and their changes."""
        found: list[int] = []
        for table in (t.issuers, t.seals, t.certificates, t.license_types, t.own_anchors, t.own_lists):
            query = select(func.count(), func.coalesce(func.sum(table.c.revision), 0)).select_from(table)
            found += map(int, self.connection.execute(query).one())
        found.append(int(self.connection.execute(select(func.count()).select_from(t.status_lists)).scalar_one()))
        return tuple(found)

    def hub_mark(self) -> tuple[int, ...]:
        """The same for the list of lists of a hub."""
        found: list[int] = []
        for table in (t.hub_entries, t.hubs, t.regions, t.seen_lists, t.own_anchors, t.certificates):
            query = select(func.count(), func.coalesce(func.sum(table.c.revision), 0)).select_from(table)
            found += map(int, self.connection.execute(query).one())
        return tuple(found)

    def counter(self, name: str) -> int:
        """The last number taken from a counter; 0 when none was."""
        query = select(t.counters.c.value).where(t.counters.c.name == name)
        return int(self.connection.execute(query).scalar_one_or_none() or 0)


class UnitOfWork:
    """Everything that can be saved, in one transaction that holds wholly or not at all."""

    def __init__(self, connection: Connection, journal: TransactionJournal) -> None:
        self.connection = connection
        self.view = View(connection)
        self._journal = journal
        self.licenses = Repository(connection, t.licenses, License, journal)
        self.holders = Repository(connection, t.license_holders, HolderLink, journal)
        self.keys = Repository(connection, t.keys, k.KeyRecord, journal)
        self.certificates = Repository(connection, t.certificates, k.CertificateRecord, journal)
        self.crls = Repository(connection, t.crls, k.CrlRecord, journal)
        self.serial_blocks = Repository(connection, t.serial_blocks, k.SerialBlock, journal)
        self.data_keys = Repository(connection, t.data_keys, k.DataKey, journal)
        self.issuers = Repository(connection, t.issuers, k.Issuer, journal)
        self.types = Repository(connection, t.license_types, w.PublishedType, journal)
        self.status_lists = Repository(connection, t.status_lists, w.StatusListRecord, journal)
        self.seals = Repository(connection, t.seals, s.Seal, journal)
        self.seal_versions = Repository(connection, t.seal_versions, s.SealVersion, journal)
        self.seal_events = Repository(connection, t.seal_events, s.SealEvent, journal)
        self.statuses = StatusWriter(connection, journal)
        self.status_requests = Repository(connection, t.status_requests, sw.StatusRequest, journal)
        self.agreements = Repository(connection, t.agreement_events, AgreementEvent, journal)
        self.permits = Repository(connection, t.seal_permits, w.SealPermit, journal)
        self.seal_uses = Repository(connection, t.seal_uses, w.SealUse, journal)
        self.jobs = Repository(connection, t.jobs, w.Job, journal)
        self.job_rows = Repository(connection, t.job_rows, w.JobRow, journal)
        self.drills = Repository(connection, t.drills, d.Drill, journal)
        self.drill_items = Repository(connection, t.drill_items, d.DrillItem, journal)
        self.notices = Repository(connection, t.notices, d.Notice, journal)
        self.tokens = Repository(connection, t.tokens, w.Token, journal)
        self.webhooks = WebhookRepository(connection, journal)
        self.answers = Repository(connection, t.cached_answers, w.CachedAnswer, journal)
        self.own_anchors = Repository(connection, t.own_anchors, r.OwnAnchor, journal)
        self.own_lists = Repository(connection, t.own_lists, r.OwnList, journal)
        self.regions = Repository(connection, t.regions, r.RegionRecord, journal)
        self.region_contacts = Repository(connection, t.region_contacts, r.RegionContact, journal)
        self.region_lists = RegionListWriter(connection)
        self.hub_entries = Repository(connection, t.hub_entries, h.EntryRecord, journal)
        self.hubs = Repository(connection, t.hubs, h.HubRecord, journal)
        self.hub_lists = Repository(connection, t.hub_lists, h.PublishedHubList, journal)
        self.hub_documents = Repository(connection, t.hub_documents, h.RelayedDocument, journal)
        self.relay_cursors = Repository(connection, t.relay_cursors, h.RelayCursor, journal)
        self.seen_lists = Repository(connection, t.seen_lists, h.SeenList, journal)

    def record(self, events: Iterable[k.Event]) -> None:
        """Audit lines about something that is no record here, such as a backup taken."""
        self._journal.append(events)

    def set_fact(self, name: str, value: str, event: k.Event) -> None:
        """State a fact about the vault as a whole."""
        known = self.view.fact(name) is not None
        statement = (
            update(t.vault_facts).where(t.vault_facts.c.name == name).values(value=value)
            if known
            else insert(t.vault_facts).values(name=name, value=value)
        )
        self.connection.execute(statement)
        self._journal.append([event])

    def next_numbers(self, counter: str, count: int = 1) -> int:
        """Take ``count`` consecutive numbers from ``counter`` and return the first; a new counter begins at 1.

        The counter's row is locked until the transaction ends: nobody else gets these numbers. The records that use
        them carry the audit line.
        """
        taken = self.connection.execute(_TAKE, {"name": counter, "count": count}).scalar_one()
        return int(taken) - count + 1

    def add_anchor(self, heads: str, key_id: str, signature: bytes, at: datetime.datetime, event: k.Event) -> None:
        """Store a signed anchor over the heads of all chains."""
        n = self.next_numbers("audit-anchor")
        self.connection.execute(
            insert(t.audit_anchors).values(n=n, at=at, heads=heads, key_id=key_id, signature=signature)
        )
        self._journal.append([event])


class Database:
    """The vault's database. ``now`` is the vault's clock; ``session`` names this process in chains and claims."""

    def __init__(self, url: str, *, vault_id: str, session: str, now: Callable[[], datetime.datetime]) -> None:
        self.url = url
        self.engine: Engine = open_engine(url)
        self.session = session
        self._now = now
        self._writers = Writers(vault_id, session)
        self.wrote = False  # whether this process has added lines to the audit

    def migrate(self) -> None:
        """Bring the schema to this version; nothing happens when it is there already."""
        upgrade(self.engine)

    def clear(self) -> None:
        """Empty the database of an unfinished vault: down and up again."""
        downgrade(self.engine, "base")
        upgrade(self.engine)

    @contextlib.contextmanager
    def reading(self) -> Iterator[View]:
        """A consistent look; nothing can be changed through it."""
        with transaction(self.engine, writing=False) as connection:
            yield View(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """One writing transaction with its audit lines."""
        head = self._writers.lease()
        try:
            with transaction(self.engine, writing=True) as connection:
                journal = TransactionJournal(connection, head, self._now)
                yield UnitOfWork(connection, journal)
            self.wrote = self.wrote or journal.head != head
            head = journal.head
        finally:
            self._writers.give_back(head)

    def retrying(self, work: Callable[[UnitOfWork], T], *, attempts: int = 8) -> T:
        """Run ``work`` in a writing transaction, again when a random index or counter collided with another writer."""
        for _ in range(attempts - 1):
            try:
                with self.writing() as uow:
                    return work(uow)
            except (DuplicateRowError, DeadlockError):
                continue
        with self.writing() as uow:
            return work(uow)

    def copy_to(self, path: Path) -> None:
        """A consistent copy as an SQLite file; of PostgreSQL from one snapshot."""
        if self.is_sqlite:
            copy_sqlite(self.engine, path)
        else:
            copy_rows(self.engine, f"sqlite:///{path}")

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of the vault's folder."""
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def copy_database(source: str, target: str) -> None:
    """Copy every row of the database at ``source`` into the empty one at ``target``, which gets the schema first."""
    engine = open_engine(source)
    try:
        upgrade(engine)
        copy_rows(engine, target)
    finally:
        engine.dispose()


def copy_rows(source: Engine, target: str) -> None:
    """Copy every row, tables in the order of their references. The target has to be empty (SettingsError)."""
    engine = open_engine(target)
    try:
        if current_revision(engine) is not None:
            raise SettingsError("目标数据库不是空的", "the target database is not empty")
        upgrade(engine)
        with snapshot(source) as reading, transaction(engine, writing=True) as writing:
            for table in t.metadata.sorted_tables:
                for rows in reading.execute(select(table)).mappings().partitions(500):
                    writing.execute(insert(table), [dict(r) for r in rows])
    finally:
        engine.dispose()


def documents_in(path: Path) -> list[str]:
    """Store names of the documents of issued licenses in a copy of a database."""
    engine = open_engine(f"sqlite:///{path}")
    try:
        with transaction(engine, writing=False) as connection:
            table = t.licenses
            query = select(table.c.document).where(table.c.state == LicenseState.ISSUED)
            return [row[0] for row in connection.execute(query)]
    finally:
        engine.dispose()
