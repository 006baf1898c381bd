"""``/v1/notices``: what the vault tells whoever relies on it, such as that a key was compromised."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.deps import Given, limited
from api.schemas import utc
from certvault.notices import MAX_PAGE

router = APIRouter(tags=["pki"])
LAST = 2**53 - 1


class NoticeOut(BaseModel):
    """One notice: its number, its kind, when it was given, and the signed document (JWS)."""

    number: int
    kind: str
    at: str
    notice: str


class NoticesOut(BaseModel):
    """Notices in order; ``next`` is the number to ask behind for more, null when these are all."""

    notices: list[NoticeOut]
    next: int | None


@router.get(
    "/v1/notices",
    response_model=NoticesOut,
    dependencies=[Depends(limited("reading"))],
    summary="Signed notices to whoever relies on this vault",
)
def notices(
    services: Given,
    after: Annotated[int, Query(ge=0, le=LAST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> dict[str, Any]:
    """Notices behind number ``after``, in order. Numbers have no gaps."""
    found = services.vault.notices.after(after, min(limit + 1, MAX_PAGE))
    shown, more = found[:limit], len(found) > limit or len(found) == MAX_PAGE
    return {
        "notices": [{"number": n.number, "kind": n.kind, "at": utc(n.at), "notice": n.token.decode()} for n in shown],
        "next": shown[-1].number if more and shown else None,
    }
