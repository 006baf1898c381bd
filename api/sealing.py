"""Seals as JSON, and what callers write about them: rules, places on a page, ways to seal."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping, Sequence
from typing import Any

from api.moments import moment
from api.schemas import utc
from certvault.model.seal import Life, SealEvent, SealVersion
from certvault.model.sealrules import SealRules
from certvault.model.work import SealPermit, SealUse
from certvault.sealfiles import Way
from signing.formats.pades import Baseline
from signing.formats.placement import AcrossEdges, AtKeyword, AtPosition, Corner, Edge, Placement
from signing.formats.seal_document import Profile
from verify.formats.refusal import RefusedError, refuse

MAX_LISTED = 200


def seal_json(known: Life, base_url: str) -> dict[str, Any]:
    """A seal with its editions; what is kept encrypted is not in it."""
    seal = known.seal
    own = f"{base_url}/v1/seals/{seal.id}"
    return {
        "id": seal.id,
        "owner": seal.owner,
        "kind": seal.kind,
        "state": seal.state.value,
        "version": seal.version or None,
        "since": utc(seal.since),
        "created_at": utc(seal.created_at),
        "versions": [version_json(v) for v in known.versions],
        "links": {"self": own, "status": f"{own}/status", "log": f"{own}/log"},
    }


def version_json(edition: SealVersion) -> dict[str, Any]:
    """One edition of a seal."""
    return {
        "version": edition.version,
        "state": edition.state.value,
        "name": edition.name,
        "diameter_mm": edition.diameter_mm,
        "rules": json.loads(edition.rules),
        "key": edition.key_id,
        "applied_by": edition.applied_by,
        "applied_at": utc(edition.applied_at),
        "approved_by": edition.approved_by or None,
        "made_by": edition.made_by or None,
        "activated_by": edition.activated_by or None,
    }


def event_json(event: SealEvent) -> dict[str, Any]:
    """One step of a seal's life."""
    return {
        "n": event.seq,
        "at": utc(event.at),
        "step": event.step.value,
        "state": event.state.value,
        "version": event.version or None,
        "edition": event.edition,
        "actor": event.actor,
        "reason": event.reason,
    }


def permit_json(permit: SealPermit) -> dict[str, Any]:
    """A permit."""
    return {
        "permit": permit.id,
        "seal": permit.seal_id,
        "purpose": permit.purpose,
        "digest": permit.digest,
        "root": permit.root,
        "count": permit.count,
        "given_by": permit.given_by,
        "user": permit.user,
        "given_at": utc(permit.given_at),
        "expires_at": utc(permit.expires_at),
        "approvers": permit.approvers,
        "approved": permit.approved,
        "approved_by": permit.approved_by or None,
        "cancelled_at": None if permit.cancelled_at is None else utc(permit.cancelled_at),
    }


def use_json(use: SealUse) -> dict[str, Any]:
    """One use."""
    return {
        "permit": use.permit_id,
        "seal": use.seal_id,
        "version": use.seal_version,
        "key": use.key_id,
        "digest": use.digest,
        "used_by": use.used_by,
        "used_at": utc(use.used_at),
        "license": use.identifier,
    }


def payload_of(jws: str) -> dict[str, Any]:
    """What an answer of our own says."""
    middle = jws.split(".")[1]
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return value


def rules_of(value: Mapping[str, Any] | None) -> SealRules | None:
    """Rules as a caller writes them; None when nothing is said."""
    if not value or all(v is None for v in value.values()):
        return None
    until = value.get("until")
    return SealRules(
        actors=_listed(value.get("actors")),
        types=_listed(value.get("types")),
        regions=_listed(value.get("regions")),
        purposes=_listed(value.get("purposes")),
        max_uses=value.get("max_uses"),
        until=until if isinstance(until, datetime.datetime | None) else moment(until),
        approvers=value.get("approvers") or 1,
    )


def way_of(options: Mapping[str, Any]) -> Way:
    """How to seal, from options: profile, detached, page and at_mm (and corner), keyword, across, baseline, field, …"""
    permission = options.get("certify")
    return Way(
        profile=_member(Profile, options.get("profile") or "pades", "profile"),
        detached=bool(options.get("detached")),
        placements=tuple(_placements(options)),
        baseline=_member(Baseline, options.get("baseline") or "B-LT", "baseline"),
        field=options.get("field") or "",
        permission=None if permission is None else _whole(permission, "certify"),
        lock=bool(options.get("lock")),
        reason=options.get("reason") or "",
    )


def _placements(options: Mapping[str, Any]) -> list[Placement]:
    found: list[Placement] = []
    if options.get("at_mm") or options.get("page") is not None:
        x, y = _pair(options.get("at_mm") or "20,20")
        corner = _member(Corner, options.get("corner") or "bottom-right", "corner")
        page = options.get("page")
        found.append(AtPosition(-1 if page is None else _whole(page, "page"), x, y, corner))
    if options.get("keyword"):
        found.append(AtKeyword(str(options["keyword"])[:200], _whole(options.get("occurrence") or 1, "occurrence")))
    if options.get("across"):
        found.append(AcrossEdges(edge=_member(Edge, options["across"], "across")))
    return found


def _pair(text: str) -> tuple[float, float]:
    x, _, y = str(text).partition(",")
    try:
        return float(x), float(y)
    except ValueError:
        raise _wrong("at_mm", "位置须为 X,Y（毫米）", "a position is X,Y in mm", "20,20") from None


def _whole(value: Any, field: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise _wrong(field, "须为整数", "it is a whole number", "1, -1") from None


def _member(kind: Any, value: str, field: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(m.value for m in kind)
        raise _wrong(field, f"没有 {value[:20]}", f"there is no {value[:20]}", known) from None


def _listed(values: Sequence[str] | str | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    parts = values.split(",") if isinstance(values, str) else values
    found = tuple(dict.fromkeys(p.strip() for p in parts if p.strip()))
    if len(found) > MAX_LISTED or any(len(p) > 100 for p in found):
        raise _wrong("rules", "列表过长", "the list is too long", f"1–{MAX_LISTED}")
    return found


def _wrong(field: str, zh: str, en: str, allowed: str) -> RefusedError:
    return refuse("SEAL_OPTION", field, zh, en, remedy_zh=f"可用：{allowed}", remedy_en=f"Use: {allowed}")
