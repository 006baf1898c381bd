"""Subscriptions of registered systems to the feed of changes, and how a message is signed and retried. Pure.

Messages follow the Standard Webhooks specification: ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``
(``v1,`` and the Base64 of HMAC-SHA-256 over ``id.timestamp.body``), secrets ``whsec_`` and Base64.
"""

from __future__ import annotations

import base64
import datetime
import enum
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from certvault.model.feed import Told

SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
FIRST_RETRY = datetime.timedelta(seconds=5)
LONGEST_RETRY = datetime.timedelta(hours=12)
GIVE_UP = datetime.timedelta(days=3)
"""So long may a receiver fail before its subscription is paused."""
GONE = 410
"""The receiver says that it wants nothing any more (Standard Webhooks)."""


class WebhookState(enum.StrEnum):
    """A PAUSED subscription is kept with its place in the feed, and goes on from there."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class Pause(enum.StrEnum):
    """Why a subscription is paused."""

    OPERATOR = "OPERATOR"
    GIVEN_UP = "GIVEN_UP"
    GONE = "GONE"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One subscription. ``kinds`` and ``types`` are JSON (``null``: all); ``secret`` and ``former`` are ciphertext.

    ``cursor`` is the number up to which everything was delivered, ``until`` the end of the message at work: it is
    fixed before the first attempt, so that each attempt sends the same. ``turn`` counts replays. ``lease`` is who
    delivers now, and until when that is believed.
    """

    id: str
    name: str
    url: str
    kinds: str
    types: str
    secret: bytes
    created_by: str
    created_at: datetime.datetime
    cursor: int
    next_at: datetime.datetime
    former: bytes | None = None
    former_until: datetime.datetime | None = None
    state: WebhookState = WebhookState.ACTIVE
    paused: str | None = None
    until: int | None = None
    turn: int = 0
    failures: int = 0
    failing_since: datetime.datetime | None = None
    lease: str | None = None
    leased_until: datetime.datetime | None = None
    attempts: int = 0
    revision: int = 0

    @property
    def kind_names(self) -> list[str] | None:
        """The kinds it wants; None for all."""
        found: list[str] | None = json.loads(self.kinds)
        return found

    @property
    def type_names(self) -> list[str] | None:
        """The license types it wants; None for all."""
        found: list[str] | None = json.loads(self.types)
        return found

    def due(self, now: datetime.datetime) -> bool:
        """Whether somebody may deliver now."""
        free = self.leased_until is None or self.leased_until <= now
        return self.state is WebhookState.ACTIVE and self.next_at <= now and free

    def wants(self, told: Told) -> bool:
        """Whether the entry is one of those it subscribed to."""
        kinds, types = self.kind_names, self.type_names
        return (kinds is None or told.act in kinds) and (types is None or told.subject.type in types)

    def leased(self, until: int, lease: str, leased_until: datetime.datetime) -> Webhook:
        """Somebody delivers what lies up to ``until``."""
        return replace(self, until=until, lease=lease, leased_until=leased_until)

    def moved(self, cursor: int, at: datetime.datetime) -> Webhook:
        """Everything up to ``cursor`` is delivered, or was not wanted."""
        return replace(
            self,
            cursor=cursor,
            until=None,
            failures=0,
            failing_since=None,
            next_at=at,
            lease=None,
            leased_until=None,
        )

    def failed(self, at: datetime.datetime, status: int | None, jitter: float) -> Webhook:
        """An attempt failed: the next one later, or none."""
        since = self.failing_since or at
        changed = replace(self, failures=self.failures + 1, failing_since=since, lease=None, leased_until=None)
        if status == GONE or at - since >= GIVE_UP:
            why = Pause.GONE if status == GONE else Pause.GIVEN_UP
            return replace(changed, state=WebhookState.PAUSED, paused=why.value)
        return replace(changed, next_at=at + backoff(self.failures, jitter))

    def put_on_hold(self) -> Webhook:
        """Nothing is delivered until it goes on."""
        return replace(self, state=WebhookState.PAUSED, paused=Pause.OPERATOR.value)

    def resumed(self, at: datetime.datetime) -> Webhook:
        """It goes on where it stopped, at once."""
        return replace(self, state=WebhookState.ACTIVE, paused=None, failures=0, failing_since=None, next_at=at)

    def replayed(self, cursor: int, at: datetime.datetime) -> Webhook:
        """Everything behind ``cursor`` once more, as new messages; one at work belongs to the turn before."""
        return replace(self.moved(cursor, at), turn=self.turn + 1)

    def rotated(self, secret: bytes, until: datetime.datetime) -> Webhook:
        """A new secret; the one before signs as well until ``until``."""
        return replace(self, secret=secret, former=self.secret, former_until=until)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver one message. ``status`` is the receiver's, ``code`` says what went wrong otherwise."""

    webhook: str
    number: int
    at: datetime.datetime
    message: str
    changes: int
    status: int | None
    code: str
    milliseconds: int
    revision: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return taken(self.status)


def taken(status: int | None) -> bool:
    """Whether a status says that the receiver has it."""
    return status is not None and 200 <= status < 300


def backoff(failures: int, jitter: float) -> datetime.timedelta:
    """How long to wait after a failure before which there were ``failures``: doubled each time, up to 12 hours.

    ``jitter`` (0 to 1, random) spreads it from three quarters to five quarters, so that receivers that came back are
    not all met at once. Some 18 attempts fill the three days.
    """
    plain = min(FIRST_RETRY * (1 << min(failures, 20)), LONGEST_RETRY)
    return plain * (0.75 + jitter / 2)


def signed_headers(message: str, at: datetime.datetime, body: bytes, secrets: Sequence[bytes]) -> Mapping[str, str]:
    """The three headers of the specification, with one signature for each secret that counts."""
    stamp = str(int(at.timestamp()))
    signatures = [sign(secret, message, stamp, body) for secret in secrets]
    return {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def sign(secret: bytes, message: str, stamp: str, body: bytes) -> str:
    """``v1,`` and the Base64 of the HMAC-SHA-256."""
    mac = hmac.new(secret, f"{message}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


def written(secret: bytes) -> str:
    """A secret as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def message_id(vault: str, webhook: Webhook, until: int) -> str:
    """The same for every attempt of one message, and for no other message."""
    text = f"{vault}|{webhook.id}|{webhook.turn}|{webhook.cursor}|{until}"
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]
