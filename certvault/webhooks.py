"""Subscriptions to the feed of changes: who is told, of what, and where each stands. Delivering: :mod:`.deliveries`.

A secret is shown once, when it is made, and is kept encrypted. A subscription that is paused keeps its place.
"""

from __future__ import annotations

import builtins
import datetime
import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from certvault.catalog import Catalog
from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database, UnitOfWork
from certvault.errors import conflict, forbidden, not_found
from certvault.feed import Feed
from certvault.model.actor import Actor, Role
from certvault.model.feed import KINDS
from certvault.model.keys import event
from certvault.model.webhook import SECRET_BYTES, Attempt, Webhook, WebhookState, written
from certvault.web import Web, WebError
from verify.formats.refusal import Refusal, RefusedError, Text, refuse

MOST = 50
"""So many subscriptions a vault has: each is delivered to by a thread of its own."""
OVERLAP, LONGEST_OVERLAP = 24, 720
"""Hours for which the secret before a new one signs as well."""
LOG_MOST = 500


@dataclass(frozen=True, slots=True)
class Made:
    """A subscription with a secret that nobody is shown again."""

    webhook: Webhook
    secret: str


class Webhooks:
    """Adds, lists, changes and removes subscriptions. Operators only."""

    def __init__(
        self, database: Database, cipher: Cipher, catalog: Catalog, feed: Feed, web: Web, clock: Clock
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._catalog = catalog
        self._feed = feed
        self._web = web
        self._clock = clock

    def add(
        self,
        url: str,
        *,
        actor: Actor,
        kinds: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        name: str = "",
        after: str | None = None,
    ) -> Made:
        """Tell ``url`` of changes behind the cursor ``after`` (None: those to come).

        Raises RefusedError (WEB_…: the address; KIND_UNKNOWN, TYPE_UNKNOWN, NAME, CURSOR_UNKNOWN, WEBHOOKS_MOST).
        """
        _operator(actor)
        self._check_url(url)
        _check_kinds(kinds)
        self._check_types(types)
        mark = self._feed.mark()
        now = self._clock.now()
        webhook_id, secret = secrets.token_hex(8), secrets.token_bytes(SECRET_BYTES)
        made = Webhook(
            id=webhook_id,
            name=_name(name),
            url=url,
            kinds=json.dumps(None if kinds is None else sorted(set(kinds))),
            types=json.dumps(None if types is None else sorted(set(types))),
            secret=self._cipher.seal(context(webhook_id), secret),
            created_by=actor.subject,
            created_at=now,
            cursor=mark if after is None else self._feed.number(after, mark),
            next_at=now,
        )
        with self._database.writing() as uow:
            if len(uow.webhooks.all()) >= MOST:
                raise _too_many()
            saved = uow.webhooks.save(
                made, event("WEBHOOK_ADDED", f"webhook:{webhook_id}", actor.subject, host=urlsplit(url).netloc)
            )
        return Made(saved, written(secret))

    def list(self, actor: Actor) -> builtins.list[Webhook]:
        """All subscriptions, oldest first."""
        _operator(actor)
        with self._database.reading() as view:
            return sorted(view.webhooks.all(), key=lambda w: (w.created_at, w.id))

    def get(self, webhook_id: str, actor: Actor) -> Webhook:
        """One of them; NotFoundError."""
        _operator(actor)
        with self._database.reading() as view:
            return _found(view.webhooks.get(webhook_id), webhook_id)

    def log(self, webhook_id: str, actor: Actor, limit: int = 100) -> builtins.list[Attempt]:
        """What became of its newest attempts, newest first."""
        self.get(webhook_id, actor)
        with self._database.reading() as view:
            return view.webhooks.log(webhook_id, max(1, min(limit, LOG_MOST)))

    def remove(self, webhook_id: str, actor: Actor) -> None:
        """It is told nothing any more."""
        _operator(actor)
        with self._database.writing() as uow:
            found = self._locked(uow, webhook_id)
            uow.webhooks.drop(found, event("WEBHOOK_REMOVED", f"webhook:{webhook_id}", actor.subject))

    def pause(self, webhook_id: str, actor: Actor) -> Webhook:
        """Nothing is delivered until it is resumed. Idempotent."""
        _operator(actor)
        with self._database.writing() as uow:
            found = self._locked(uow, webhook_id)
            if found.state is WebhookState.PAUSED:
                return found
            said = event("WEBHOOK_PAUSED", f"webhook:{webhook_id}", actor.subject)
            return uow.webhooks.save(found.put_on_hold(), said)

    def resume(self, webhook_id: str, actor: Actor) -> Webhook:
        """It goes on where it stopped; whoever failed is tried again at once."""
        _operator(actor)
        with self._database.writing() as uow:
            found = self._locked(uow, webhook_id)
            said = event("WEBHOOK_RESUMED", f"webhook:{webhook_id}", actor.subject)
            return uow.webhooks.save(found.resumed(self._clock.now()), said)

    def replay(self, webhook_id: str, after: str, actor: Actor) -> Webhook:
        """Everything behind the cursor once more, as new messages, in order. A paused one stays paused."""
        _operator(actor)
        cursor = self._feed.number(after, self._feed.mark())
        with self._database.writing() as uow:
            found = self._locked(uow, webhook_id)
            said = event("WEBHOOK_REPLAYED", f"webhook:{webhook_id}", actor.subject, cursor=str(cursor))
            return uow.webhooks.save(found.replayed(cursor, self._clock.now()), said)

    def rotate(self, webhook_id: str, actor: Actor, hours: int = OVERLAP) -> Made:
        """A new secret; for ``hours`` both sign, so that the receiver may change over in between."""
        _operator(actor)
        if not 0 <= hours <= LONGEST_OVERLAP:
            raise _overlap()
        now, secret = self._clock.now(), secrets.token_bytes(SECRET_BYTES)
        with self._database.writing() as uow:
            found = self._locked(uow, webhook_id)
            sealed = self._cipher.seal(context(webhook_id), secret)
            said = event("WEBHOOK_ROTATED", f"webhook:{webhook_id}", actor.subject, hours=hours)
            saved = uow.webhooks.save(found.rotated(sealed, now + datetime.timedelta(hours=hours)), said)
        return Made(saved, written(secret))

    def _locked(self, uow: UnitOfWork, webhook_id: str) -> Webhook:
        return _found(uow.webhooks.get(webhook_id, lock=True), webhook_id)

    def _check_url(self, url: str) -> None:
        try:
            self._web.check(url)
        except WebError as error:
            remedy = Text("请给出该系统的 https 地址。", "Give the system's https address.")
            raise RefusedError(Refusal(error.code, "url", error.reason, remedy)) from error

    def _check_types(self, types: Sequence[str] | None) -> None:
        unknown = _unknown(types, {t.name for t in self._catalog.list()})
        if unknown is not None:
            raise refuse(
                "TYPE_UNKNOWN",
                "types",
                f"没有证照类型 {unknown!r}",
                f"there is no license type {unknown!r}",
                remedy_zh="见 certvault types list。",
                remedy_en="See certvault types list.",
            )


def context(webhook_id: str) -> str:
    """What a secret is sealed as."""
    return f"webhook-secret:{webhook_id}"


def _operator(actor: Actor) -> None:
    if not actor.has(Role.OPERATOR):
        raise forbidden(Role.OPERATOR)


def _found(found: Webhook | None, webhook_id: str) -> Webhook:
    if found is None:
        raise not_found("订阅", "webhook", webhook_id[:40])
    return found


def _name(name: str) -> str:
    if len(name) > 80 or not name.isprintable():
        raise refuse(
            "NAME",
            "name",
            "名称超过 80 字符或含有控制字符",
            "the name has more than 80 characters or holds control characters",
            remedy_zh="请换一个名称。",
            remedy_en="Choose another name.",
        )
    return name


def _unknown(given: Sequence[str] | None, known: Collection[str]) -> str | None:
    """The first of ``given`` that is not known; an empty list names nothing that is."""
    if given is None:
        return None
    return next((one[:40] for one in given if one not in known), None) if given else ""


def _check_kinds(kinds: Sequence[str] | None) -> None:
    unknown = _unknown(kinds, KINDS)
    if unknown is not None:
        raise refuse(
            "KIND_UNKNOWN",
            "events",
            f"没有这类变更 {unknown!r}",
            f"there is no change of the kind {unknown!r}",
            remedy_zh="可选：" + "、".join(KINDS),
            remedy_en="Use some of: " + ", ".join(KINDS),
        )


def _too_many() -> Exception:
    return conflict(
        "WEBHOOKS_MOST",
        "",
        f"订阅不能超过 {MOST} 个",
        f"a vault has at most {MOST} webhooks",
        remedy_zh="请移除不再使用的订阅；更多系统可自行读取变更。",
        remedy_en="Remove what is not used any more; further systems may read /v1/feed.",
    )


def _overlap() -> Exception:
    return refuse(
        "OVERLAP",
        "hours",
        f"新旧密钥并用的时间须为 0 至 {LONGEST_OVERLAP} 小时",
        f"both secrets sign for 0 to {LONGEST_OVERLAP} hours",
        remedy_zh="请另选时间。",
        remedy_en="Choose another time.",
    )
