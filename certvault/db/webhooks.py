"""Subscriptions, and what became of attempts to deliver to them."""

from __future__ import annotations

import datetime

from sqlalchemy import Connection, delete, insert, or_

from certvault.db.repository import Journal, Reader, Repository
from certvault.db.tables import webhook_attempts, webhooks
from certvault.model.keys import Event
from certvault.model.webhook import Attempt, Webhook, WebhookState

KEPT = 500
"""So many attempts of one subscription are kept."""


class WebhookReader(Reader[Webhook]):
    """Subscriptions by what they are looked for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, webhooks, Webhook)
        self._attempts = Reader(connection, webhook_attempts, Attempt)

    def any(self) -> bool:
        """Whether there is a subscription at all."""
        return bool(self.all(self.query().limit(1)))

    def due(self, now: datetime.datetime, mark: int) -> list[str]:
        """Those to which something may be delivered now."""
        table = webhooks
        query = self.query().where(
            table.c.state == WebhookState.ACTIVE,
            table.c.next_at <= now,
            table.c.cursor < mark,
            or_(table.c.leased_until.is_(None), table.c.leased_until <= now),
        )
        return [found.id for found in self.all(query.order_by(table.c.next_at))]

    def log(self, webhook: str, limit: int) -> list[Attempt]:
        """The newest attempts, newest first."""
        table = webhook_attempts
        query = self._attempts.query().where(table.c.webhook == webhook)
        return self._attempts.all(query.order_by(table.c.number.desc()).limit(limit))


class WebhookRepository(Repository[Webhook]):
    """Saves subscriptions; where one stands in the feed is bookkeeping and has no line in the audit."""

    def __init__(self, connection: Connection, journal: Journal) -> None:
        super().__init__(connection, webhooks, Webhook, journal)

    def keep_place(self, record: Webhook, *events: Event) -> Webhook:
        """Where it stands; with lines only for what its people should know."""
        return self.save_all([record], events)[0]

    def note(self, attempt: Attempt) -> None:
        """Keep an attempt; the oldest are forgotten."""
        table = webhook_attempts
        self.connection.execute(
            insert(table),
            [{c.name: getattr(attempt, c.name) for c in table.c if c.name != "revision"} | {"revision": 1}],
        )
        self.connection.execute(
            delete(table).where(table.c.webhook == attempt.webhook, table.c.number <= attempt.number - KEPT)
        )

    def drop(self, record: Webhook, event: Event) -> None:
        """The subscription and its attempts are gone."""
        table = webhook_attempts
        self.connection.execute(delete(table).where(table.c.webhook == record.id))
        self.remove(record, event)
