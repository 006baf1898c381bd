"""Acts on licenses as JSON: what goes in, and how what they led to comes out, over HTTP and as ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import issued_json, license_links, utc
from certvault.licenselife import Waiting
from certvault.model.standing import REASONS
from certvault.standing import Done, HistoryEntry
from certvault.versions import Renewed


class StatusActIn(BaseModel):
    """An act. ``approve`` names a request of somebody else that is approved by this; all else is in that request."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(None, max_length=40, description="A reason code; docs/status.md lists them by act")
    basis: str = Field("", max_length=2000, description="The legal basis, in words")
    effective: str | None = Field(None, max_length=40, description="RFC 3339 or a date; past or future; now if absent")
    approve: str | None = Field(None, max_length=40)


class RenewIn(StatusActIn):
    """A new period, and other data that changes with it."""

    valid_to: str | None = Field(None, max_length=40)
    valid_from: str | None = Field(None, max_length=40)
    data: dict[str, Any] = {}


class AmendIn(StatusActIn):
    """The data that changes; null takes a member away."""

    data: dict[str, Any] = {}


class StatusOut(BaseModel):
    """Where a license stood; ``answer`` is a JWS under the vault's key for answers."""

    identifier: str
    at: str
    standing: str
    answer: str


def act_json(done: Done | Renewed | Waiting, base_url: str) -> dict[str, Any]:
    """What an act led to."""
    match done:
        case Waiting():
            return {
                "identifier": done.identifier,
                **waiting_json(done),
                "links": license_links(done.identifier, base_url),
            }
        case Renewed():
            return {
                **issued_json(done.issued, base_url),
                "act": str(done.act),
                "supersedes": done.supersedes,
                "effective_at": utc(done.effective_at),
                "changed": done.changed,
            }
        case Done():
            return {
                "identifier": done.identifier,
                "act": str(done.act),
                "standing": str(done.standing),
                "reason": done.reason,
                "basis": done.basis,
                "effective_at": utc(done.effective_at),
                "recorded_at": utc(done.recorded_at),
                "changed": done.changed,
                "links": license_links(done.identifier, base_url),
            }


def waiting_json(waiting: Waiting) -> dict[str, Any]:
    """A request that waits for a second person."""
    return {
        "act": str(waiting.act),
        "pending": waiting.id,
        "requested_by": waiting.requested_by,
        "requested_at": utc(waiting.requested_at),
        "expires_at": utc(waiting.expires_at),
    }


def history_json(history: Sequence[HistoryEntry]) -> list[dict[str, Any]]:
    """The acts on a license, with the reason in words."""
    return [
        {
            "act": str(entry.act),
            "reason": entry.reason,
            "reason_text": dict(zip(("zh", "en"), REASONS[entry.act].get(entry.reason, ("", "")), strict=True)),
            "basis": entry.basis,
            "effective_at": utc(entry.effective_at),
            "recorded_at": utc(entry.recorded_at),
            "by": entry.actor,
            "approved_by": entry.approver,
            "successor": entry.successor,
        }
        for entry in history
    ]
