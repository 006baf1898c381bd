"""Delivering the feed to those who subscribed: at least once, in order for each, none waiting for another.

Nothing is queued when a license is issued or changed: a subscription is a place in the feed. One message at a time is
made of what lies behind that place, its end is written down, it is sent, and what became of it is written down. Who
is killed in between leaves the end of the message: after its lease the same message is sent again, under the same id.

A receiver that fails is tried again later and later (:func:`certvault.model.webhook.backoff`), after three days no
more. Each subscription at work has a thread of its own, so that a slow or dead one keeps nobody waiting; claims are
rows of the database, so that several processes may deliver.
"""

from __future__ import annotations

import datetime
import json
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from random import SystemRandom
from typing import Any

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConcurrentChangeError, VaultError
from certvault.feed import Feed, entry_json
from certvault.model.actor import Actor
from certvault.model.feed import Change
from certvault.model.keys import VAULT_OWNER, event
from certvault.model.webhook import Attempt, Webhook, WebhookState, message_id, signed_headers, taken
from certvault.settings import Settings
from certvault.web import Web, WebError
from certvault.webhooks import MOST, Webhooks, context

log = logging.getLogger("certvault.webhooks")

CHANGES = 100
"""Of one message, at most."""
SCAN = 1000
"""Entries looked through for those of one message."""
SECONDS = 10.0
LEASE = datetime.timedelta(seconds=60)
"""So long a claim is believed; longer than a message may take."""
CHANGED, TESTED = "licenses.changed", "webhook.test"
_dice = SystemRandom()


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sent, and by whose claim."""

    webhook: Webhook
    until: int
    id: str
    body: bytes
    changes: int


class Deliveries:
    """Sends what is due. Thread-safe."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        feed: Feed,
        webhooks: Webhooks,
        web: Web,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._feed = feed
        self._webhooks = webhooks
        self._web = web
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None
        self._at_work: dict[str, Future[Counter[str]]] = {}
        self._closed = False

    def begin(self) -> list[Future[Counter[str]]]:
        """Begin with what is due and not at work here, and return at once."""
        with self._database.reading() as view:
            if not view.webhooks.any():
                return []
        mark = self._feed.mark()
        with self._database.reading() as view:
            due = view.webhooks.due(self._clock.now(), mark)
        with self._lock:
            return [self._submitted(i) for i in due if i not in self._at_work and not self._closed]

    def deliver(self) -> dict[str, int]:
        """Send everything that is due, and wait for it. How many messages were delivered, and how many failed."""
        done: Counter[str] = Counter(delivered=0, failed=0)
        begun = self.begin()
        wait(begun)
        for one in begun:
            done.update(one.result())
        return dict(done)

    def test(self, webhook_id: str, actor: Actor) -> Attempt:
        """Send a message that says nothing but that it is a test, paused or not; the subscription stays where it is."""
        found = self._webhooks.get(webhook_id, actor)
        now = self._clock.now()
        body = _body(TESTED, now, {"webhook": webhook_id})
        message = _Message(found, found.cursor, f"msg_{secrets.token_hex(16)}", body, 0)
        status, code, milliseconds = self._send(message, now)
        with self._database.writing() as uow:
            again = uow.webhooks.get(webhook_id, lock=True)
            if again is None:
                raise ConcurrentChangeError("the webhook was removed meanwhile")
            counted = uow.webhooks.keep_place(_counted(again))
            attempt = Attempt(webhook_id, counted.attempts, now, message.id, 0, status, code, milliseconds)
            uow.webhooks.note(attempt)
            uow.record([event("WEBHOOK_TESTED", f"webhook:{webhook_id}", actor.subject, outcome=code or str(status))])
        return attempt

    def close(self) -> None:
        """Begin nothing more and wait for what is at work: a message takes ten seconds at most."""
        with self._lock:
            self._closed = True
            pool = self._pool
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    def _submitted(self, webhook_id: str) -> Future[Counter[str]]:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST, thread_name_prefix="certvault-webhook")
        future = self._pool.submit(self._work, webhook_id)
        self._at_work[webhook_id] = future
        return future

    def _work(self, webhook_id: str) -> Counter[str]:
        """Message after message of one subscription, until it has all, one fails, or somebody else delivers."""
        done: Counter[str] = Counter()
        try:
            while not self._closed and (message := self._claim(webhook_id)) is not None:
                if message.changes == 0:
                    continue
                at = self._clock.now()
                status, code, milliseconds = self._send(message, at)
                done["delivered" if taken(status) else "failed"] += 1
                if not self._record(message, at, status, code, milliseconds):
                    break
        except VaultError:
            log.exception("delivering to webhook %s was cut off; it goes on when its lease is over", webhook_id)
        finally:
            with self._lock:
                self._at_work.pop(webhook_id, None)
        return done

    def _claim(self, webhook_id: str) -> _Message | None:
        """The next message, claimed; one without changes where only the place moved on. None when there is none."""
        mark = self._feed.mark()
        with self._database.reading() as view:
            found = view.webhooks.get(webhook_id)
        now = self._clock.now()
        if found is None or not found.due(now) or (found.until is None and found.cursor >= mark):
            return None
        until, changes = self._part(found, mark)
        claimed = found.leased(until, secrets.token_hex(16), now + LEASE) if changes else found.moved(until, now)
        try:
            with self._database.writing() as uow:
                saved = uow.webhooks.keep_place(claimed)
        except ConcurrentChangeError:  # somebody else delivers, or the subscription was changed
            return None
        name = message_id(self._settings.vault_id, found, until)
        return _Message(saved, until, name, self._told(changes, until), len(changes))

    def _part(self, found: Webhook, mark: int) -> tuple[int, list[Change]]:
        """Where the next message ends, and its changes. One that was at work before ends where it ended then."""
        upto = mark if found.until is None else found.until
        seen = self._feed.between(found.cursor, upto, SCAN)
        wanted = [c for c in seen if found.wants(c.told)]
        if len(wanted) >= CHANGES:
            return wanted[CHANGES - 1].told.number, wanted[:CHANGES]
        return (seen[-1].told.number if len(seen) == SCAN else upto), wanted

    def _told(self, changes: Sequence[Change], until: int) -> bytes:
        if not changes:
            return b""
        entries = [entry_json(change, self._settings.base_url) for change in changes]
        return _body(CHANGED, changes[-1].told.recorded_at, {"changes": entries, "cursor": str(until)})

    def _send(self, message: _Message, at: datetime.datetime) -> tuple[int | None, str, int]:
        """The receiver's status, or a code for what went wrong, and the milliseconds it took."""
        headers = {
            "Content-Type": "application/json",
            **signed_headers(message.id, at, message.body, self._secrets(message.webhook, at)),
        }
        began = time.monotonic()
        status: int | None = None
        code = ""
        try:
            status = self._web.post(message.webhook.url, message.body, headers, seconds=SECONDS)
        except WebError as error:
            status, code = error.status, error.code
        return status, code, round((time.monotonic() - began) * 1000)

    def _secrets(self, found: Webhook, at: datetime.datetime) -> list[bytes]:
        sealed = [found.secret]
        if found.former is not None and found.former_until is not None and at < found.former_until:
            sealed.append(found.former)
        return [self._cipher.open(context(found.id), one) for one in sealed]

    def _record(
        self, message: _Message, at: datetime.datetime, status: int | None, code: str, milliseconds: int
    ) -> bool:
        """Write down what became of it; False when this subscription is done for now."""
        webhook_id = message.webhook.id
        with self._database.writing() as uow:
            now_there = uow.webhooks.get(webhook_id, lock=True)
            if now_there is None or now_there.lease != message.webhook.lease:
                return False  # removed, or replayed: what was sent belongs to the turn before
            counted = _counted(now_there)
            if taken(status):
                uow.webhooks.keep_place(counted.moved(message.until, self._clock.now()))
            else:
                changed = counted.failed(self._clock.now(), status, _dice.random())
                gave_up = changed.state is WebhookState.PAUSED and now_there.state is WebhookState.ACTIVE
                said = event("WEBHOOK_GIVEN_UP", f"webhook:{webhook_id}", VAULT_OWNER, why=changed.paused or "")
                uow.webhooks.keep_place(changed, *([said] if gave_up else []))
            uow.webhooks.note(
                Attempt(webhook_id, counted.attempts, at, message.id, message.changes, status, code, milliseconds)
            )
        return taken(status)


def _counted(found: Webhook) -> Webhook:
    return replace(found, attempts=found.attempts + 1)


def _body(kind: str, at: datetime.datetime, data: dict[str, Any]) -> bytes:
    """The same bytes for the same content: an attempt repeats the one before."""
    stamp = at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    value = {"type": kind, "timestamp": stamp, "data": data}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
