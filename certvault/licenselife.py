"""Acts that need a second person: asked for by one, approved by another, done then.

With the setting ``[status] second_approver`` nothing changes when an act is asked for; the request waits a week for
somebody else who may act on the license. Without it acts are done at once.
"""

from __future__ import annotations

import datetime
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import conflict, not_found
from certvault.model.actor import Actor
from certvault.model.keys import event
from certvault.model.license import License
from certvault.model.standing import Act
from certvault.model.statuswork import RequestState, StatusRequest
from certvault.settings import Settings
from certvault.standing import Asked, Done, Standings
from certvault.versions import Content, Renewed, Versions

WAITS = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a second person."""

    id: str
    identifier: str
    act: Act
    requested_by: str
    requested_at: datetime.datetime
    expires_at: datetime.datetime


class LicenseLife:
    """The door to all acts on licenses: done at once, or asked for and approved."""

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        standings: Standings,
        versions: Versions,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._standings = standings
        self._versions = versions
        self._settings = settings
        self._clock = clock

    def act(
        self, identifier: str, act: Act, *, actor: Actor, asked: Asked | None = None, content: Content | None = None
    ) -> Done | Renewed | Waiting:
        """Do it, or with a second approver ask for it. The errors of :class:`Standings` and :class:`Versions`."""
        asked, content = asked or Asked(), content or Content({})
        if not self._settings.second_approver:
            return self._do(identifier, act, actor, asked, content, None)
        if act.supersedes:
            step = self._versions.checked(identifier, act, content, asked)
            self._versions.possible(identifier, step, content, actor)
        else:
            step = self._standings.checked(identifier, act, asked)
            self._standings.possible(identifier, step, actor)
        return self._ask(identifier, act, step.digest, actor, {"asked": asdict(asked), "content": _plain(content)})

    def approve(self, identifier: str, act: Act, request_id: str, actor: Actor) -> Done | Renewed:
        """Do what somebody else asked for. ConflictError: SAME_PERSON, REQUEST_OVER; NotFoundError."""
        with self._database.reading() as view:
            self._standings.mine(view, identifier, actor)
            request = view.status_requests.get(request_id)
        if request is None or request.identifier != identifier or request.act is not act:
            raise not_found("待批事项", "request", request_id[:40])
        if request.requested_by == actor.subject:
            raise conflict(
                "SAME_PERSON",
                "approve",
                "申请人不能批准自己的申请",
                "who asked for it cannot approve it",
                remedy_zh="请由另一人批准。",
                remedy_en="Let somebody else approve it.",
            )
        if request.state is not RequestState.WAITING or request.expires_at <= self._clock.now():
            raise conflict(
                "REQUEST_OVER",
                "approve",
                "该申请已办结或过期",
                "the request was done already, or waited too long",
                remedy_zh="如仍需办理，请重新申请。",
                remedy_en="Ask for it again if it is still needed.",
            )
        self._close(request, actor)
        value = json.loads(self._cipher.open(_context(request), request.sealed))
        who = replace(actor, subject=request.requested_by)
        return self._do(identifier, act, who, Asked(**value["asked"]), Content(**value["content"]), actor.subject)

    def waiting(self, found: License) -> list[Waiting]:
        """What waits for a second person."""
        now = self._clock.now()
        with self._database.reading() as view:
            requests = view.status_requests.where(identifier=found.identifier, state=RequestState.WAITING)
        return [_waiting(r) for r in sorted(requests, key=lambda r: r.requested_at) if r.expires_at > now]

    def _do(
        self, identifier: str, act: Act, actor: Actor, asked: Asked, content: Content, approver: str | None
    ) -> Done | Renewed:
        if act.supersedes:
            return self._versions.change(identifier, act, content=content, actor=actor, asked=asked, approver=approver)
        return self._standings.change(identifier, act, actor=actor, asked=asked, approver=approver)

    def _ask(self, identifier: str, act: Act, digest: str, actor: Actor, value: Mapping[str, Any]) -> Waiting:
        """Store the request; the same one is not stored twice."""
        now = self._clock.now()
        with self._database.writing() as uow:
            known = [
                r
                for r in uow.status_requests.where(identifier=identifier, digest=digest)
                if r.state is RequestState.WAITING and r.expires_at > now and r.requested_by == actor.subject
            ]
            if known:
                return _waiting(known[0])
            fresh = StatusRequest(secrets.token_hex(16), identifier, act, b"", digest, actor.subject, now, now + WAITS)
            sealed = self._cipher.seal(_context(fresh), json.dumps(value, ensure_ascii=False).encode())
            request = StatusRequest(fresh.id, identifier, act, sealed, digest, actor.subject, now, now + WAITS)
            saved = uow.status_requests.save(
                request, event("LICENSE_ACT_REQUESTED", identifier, actor.subject, act=act.value, request=request.id)
            )
        return _waiting(saved)

    def _close(self, request: StatusRequest, actor: Actor) -> None:
        """The request is done by this approval, whatever comes of it; of two approvals at one moment one gets it."""
        with self._database.writing() as uow:
            uow.status_requests.save(
                request.done(actor.subject, self._clock.now()),
                event(
                    "LICENSE_ACT_APPROVED", request.identifier, actor.subject, act=request.act.value, request=request.id
                ),
            )


def _context(request: StatusRequest) -> str:
    return f"status-request:{request.id}"


def _plain(content: Content) -> dict[str, Any]:
    return {"data": dict(content.data), "valid_to": content.valid_to, "valid_from": content.valid_from}


def _waiting(request: StatusRequest) -> Waiting:
    return Waiting(
        request.id,
        request.identifier,
        request.act,
        request.requested_by,
        request.requested_at,
        request.expires_at,
    )
