"""``Idempotency-Key``: a request sent twice is done once, and answered alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from certvault.idempotency import Cached
from certvault.idempotency import Idempotency as Store


def answer_once(
    store: Store,
    subject: str,
    key: str | None,
    fingerprint: bytes,
    work: Callable[[], tuple[int, dict[str, Any], Mapping[str, str]]],
) -> Response:
    """Do ``work`` (status, JSON body, headers) unless ``key`` was answered before; then give that answer again.

    ``fingerprint`` is what must not differ between requests with one key. A request that failed lets its key go.
    """
    if key is None:
        return _response(_cached(*work()))
    cached = store.begin(subject, key, fingerprint)
    if cached is not None:
        return _response(cached, replayed=True)
    try:
        answer = _cached(*work())
    except BaseException:
        store.release(subject, key)
        raise
    store.store(subject, key, answer)
    return _response(answer)


def _cached(status: int, body: dict[str, Any], headers: Mapping[str, str]) -> Cached:
    return Cached(status, json.dumps(body, ensure_ascii=False).encode(), headers)


def _response(answer: Cached, *, replayed: bool = False) -> Response:
    headers = dict(answer.headers)
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers=headers, media_type="application/json")
