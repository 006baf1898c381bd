"""The feed of changes, for those who follow many licenses: ``GET /v1/feed``, ``certvault feed``, webhooks.

Entries are numbered by the counter that numbers acts. Whoever takes a number holds the counter until the commit, so
numbers become visible in their order and none appears behind a reader's back; a number whose transaction came to
nothing is taken by the next. A cursor is the number up to which a reader has read.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from certvault.clock import Clock, legal_date
from certvault.db.unit_of_work import Database
from certvault.errors import cursor_unknown, forbidden
from certvault.model.actor import Actor, Role
from certvault.model.feed import Change, Told, standing_after
from certvault.model.standing import StatusChange
from certvault.standing import day_begins
from certvault.statuslists import StatusLists, list_uri
from verify.formats.refusal import refuse

BEGINNING = -(1 << 62)
"""Before every number there is."""
LATEST = "latest"
"""Instead of a cursor: nothing of what there is."""
USUAL, MOST = 100, 1000
_CURSOR = re.compile(r"-?[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the feed. ``cursor`` is where the next one begins; ``more`` tells that there is one already."""

    changes: Sequence[Change]
    cursor: str
    more: bool


class Feed:
    """Reads the feed. A page costs what it holds."""

    def __init__(self, database: Database, status_lists: StatusLists, clock: Clock) -> None:
        self._database = database
        self._status_lists = status_lists
        self._clock = clock

    def page(self, after: str | None, limit: int, actor: Actor) -> Page:
        """The entries behind the cursor ``after`` (None: from the beginning), at most ``limit``.

        Raises ForbiddenError, RefusedError (CURSOR_UNKNOWN, LIMIT).
        """
        if not actor.has(Role.VERIFIER):
            raise forbidden(Role.VERIFIER)
        if not 1 <= limit <= MOST:
            raise _limit()
        mark = self.mark()
        number = self.number(after, mark)
        changes = self.between(number, mark, limit + 1)
        more = len(changes) > limit
        last = changes[limit - 1].told.number if more else max(mark, number)
        return Page(changes[:limit], "" if last == BEGINNING else str(last), more)

    def mark(self) -> int:
        """The number of the newest entry. What was due by now has its own."""
        now = self._clock.now()
        with self._database.reading() as view:
            due, mark = view.statuses.first_due(), view.statuses.mark()
        if due is None or due > now:
            return mark
        self._status_lists.take_effect(now)
        with self._database.reading() as view:
            return view.statuses.mark()

    def number(self, cursor: str | None, mark: int) -> int:
        """What a cursor says; CURSOR_UNKNOWN for none of ours, or one ahead of the vault (restored from a backup)."""
        if not cursor:
            return BEGINNING
        if cursor == LATEST:
            return mark
        if not _CURSOR.fullmatch(cursor) or int(cursor) > mark:
            raise cursor_unknown()
        return int(cursor)

    def between(self, number: int, mark: int, limit: int) -> list[Change]:
        """The first ``limit`` entries behind ``number`` up to ``mark``, which was read before."""
        with self._database.reading() as view:
            told = view.feed.after(number, mark, limit)
            acted = list(dict.fromkeys(t.subject.identifier for t in told if t.effective_at is not None))
            histories = view.statuses.histories(acted)
        return [_change(t, histories.get(t.subject.identifier, ())) for t in told]


def entry_json(change: Change, base_url: str) -> dict[str, Any]:
    """An entry as readers get it. It tells no holder, no number on a face, no reason and nobody who acted."""
    told, subject = change.told, change.told.subject
    return {
        "number": told.number,
        "identifier": subject.identifier,
        "type": subject.type,
        "version": subject.version,
        "issuer": subject.issuer_code,
        "status": {"uri": list_uri(base_url, subject.status_list), "idx": subject.status_index},
        "valid_from": subject.valid_from.isoformat(),
        "valid_to": None if subject.valid_to is None else subject.valid_to.isoformat(),
        "act": told.act,
        "stage": told.stage.value,
        "of": told.of,
        "successor": told.successor,
        "standing": change.standing.value,
        "effective_at": _utc(change.effective_at),
        "recorded_at": _utc(told.recorded_at),
    }


def _utc(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _change(told: Told, history: Sequence[StatusChange]) -> Change:
    effective = told.effective_at or day_begins(told.subject.valid_from)
    return Change(told, effective, standing_after(told, history, legal_date(told.recorded_at)))


def _limit() -> Exception:
    return refuse(
        "LIMIT",
        "limit",
        f"每页须为 1 至 {MOST} 条",
        f"a page has 1 to {MOST} entries",
        remedy_zh="请改用较小的数目，按游标继续读取。",
        remedy_en="Ask for fewer and go on by the cursor.",
    )
