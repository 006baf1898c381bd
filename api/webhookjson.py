"""Webhooks as the command line and HTTP show them: never a secret, but where one was just made."""

from __future__ import annotations

import datetime
from typing import Any

from api.schemas import utc
from certvault.model.webhook import Attempt, Webhook
from certvault.webhooks import Made


def webhook_json(found: Webhook) -> dict[str, Any]:
    """A subscription and where it stands."""
    return {
        "id": found.id,
        "name": found.name,
        "url": found.url,
        "events": found.kind_names,
        "types": found.type_names,
        "state": found.state.value,
        "paused": found.paused,
        "cursor": str(found.cursor),
        "failures": found.failures,
        "failing_since": _when(found.failing_since),
        "next_at": utc(found.next_at),
        "former_secret_until": _when(found.former_until),
        "created_at": utc(found.created_at),
    }


def made_json(made: Made) -> dict[str, Any]:
    """A subscription whose secret was just made: the only time that it is shown."""
    return {**webhook_json(made.webhook), "secret": made.secret}


def attempt_json(found: Attempt) -> dict[str, Any]:
    """What became of one attempt."""
    return {
        "number": found.number,
        "at": utc(found.at),
        "message": found.message,
        "changes": found.changes,
        "delivered": found.delivered,
        "status": found.status,
        "code": found.code or None,
        "milliseconds": found.milliseconds,
    }


def _when(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else utc(moment)
