"""Answers kept for a day, so that a request sent twice is done once.

    cached = idempotency.begin(subject, key, body)
    if cached is not None: answer it
    else: do the work, then ``store`` the answer, or ``release`` the key when the work failed

The first request claims the key in the database; a claim left by a process that died may be taken over.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from certvault.cipher import Cipher
from certvault.clock import Clock
from certvault.db.unit_of_work import Database
from certvault.errors import ConflictError, DuplicateRowError, conflict
from certvault.model.keys import event
from certvault.model.work import CachedAnswer
from certvault.sessions import Session
from verify.formats.refusal import refuse

KEPT = datetime.timedelta(days=1)
MAX_KEY_CHARS = 255


@dataclass(frozen=True, slots=True)
class Cached:
    """An answer as it was given."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class Idempotency:
    """Claims keys and keeps answers, encrypted."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock, session: Session) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._session = session

    def begin(self, subject: str, key: str, body: bytes) -> Cached | None:
        """None when the request is new and now claimed; else the answer given before.

        Raises ConflictError: IDEMPOTENCY_MISMATCH when the key came with another body, IDEMPOTENCY_BUSY while the
        first request is still at work.
        """
        if not key or len(key) > MAX_KEY_CHARS:
            raise refuse(
                "IDEMPOTENCY_KEY",
                "Idempotency-Key",
                "幂等键为空或过长",
                "the idempotency key is empty or too long",
                remedy_zh=f"请使用不超过 {MAX_KEY_CHARS} 个字符的键。",
                remedy_en=f"Use 1 to {MAX_KEY_CHARS} characters.",
            )
        digest = hashlib.sha256(body).hexdigest()
        try:
            return self._claim(subject, _name(key), digest)
        except DuplicateRowError:  # another request came first between our look and our claim
            return self._claim(subject, _name(key), digest)

    def store(self, subject: str, key: str, answer: Cached) -> None:
        """Keep the answer of a claimed key."""
        name = _name(key)
        text = json.dumps([answer.status, base64.b64encode(answer.body).decode(), dict(answer.headers)])
        sealed = self._cipher.seal(f"answer:{subject}|{name}", text.encode())
        with self._database.writing() as uow:
            found = uow.answers.get(subject, name)
            if found is not None:
                uow.answers.save(
                    replace(found, sealed=sealed), event("ANSWER_KEPT", name, subject, status=answer.status)
                )

    def release(self, subject: str, key: str) -> None:
        """Give a claim up: the work failed and may be asked for again."""
        name = _name(key)
        with self._database.writing() as uow:
            found = uow.answers.get(subject, name)
            if found is not None and found.sealed is None:
                uow.answers.remove(found, event("ANSWER_RELEASED", name, subject))

    def purge(self) -> int:
        """Forget answers older than a day; returns how many."""
        now = self._clock.now()
        with self._database.writing() as uow:
            old = [a for a in uow.answers.all() if a.expires_at <= now]
            for answer in old:
                uow.answers.remove(answer, event("ANSWER_EXPIRED", answer.key, answer.subject))
        return len(old)

    def _claim(self, subject: str, name: str, digest: str) -> Cached | None:
        now = self._clock.now()
        with self._database.writing() as uow:
            found = uow.answers.get(subject, name, lock=True)
            if found is not None and found.expires_at > now:
                if found.body_sha256 != digest:
                    raise _mismatch()
                if found.sealed is not None:
                    return self._opened(found)
                if self._session.is_alive(found.session):
                    raise _busy()
            if found is not None:
                uow.answers.remove(found, event("ANSWER_EXPIRED", name, subject))
            uow.answers.save(
                CachedAnswer(subject, name, digest, self._session.id, now + KEPT),
                event("ANSWER_CLAIMED", name, subject),
            )
        return None

    def _opened(self, found: CachedAnswer) -> Cached:
        value = json.loads(self._cipher.open(f"answer:{found.subject}|{found.key}", found.sealed or b""))
        return Cached(value[0], base64.b64decode(value[1]), value[2])


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _mismatch() -> ConflictError:
    return conflict(
        "IDEMPOTENCY_MISMATCH",
        "Idempotency-Key",
        "同一幂等键用于不同的请求内容",
        "the idempotency key was used with another body",
        remedy_zh="请为新的请求使用新的幂等键。",
        remedy_en="Use a new key for a new request.",
    )


def _busy() -> ConflictError:
    return conflict(
        "IDEMPOTENCY_BUSY",
        "Idempotency-Key",
        "同一幂等键的请求仍在处理",
        "the first request with this key is still at work",
        remedy_zh="请稍后用同一键重试。",
        remedy_en="Repeat the request with the same key a little later.",
    )
