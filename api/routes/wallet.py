"""``/v1/wallet``: what a holder has, to read and to take along."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.deps import Given, HolderActor
from api.routes.licenses import attachment
from api.schemas import LicenseList, license_json

router = APIRouter(prefix="/v1/wallet", tags=["wallet"])

SELF = ""
"""The vault reads this as: the holder to whom the token is bound."""


@router.get("", response_model=LicenseList, summary="One's own licenses")
def entries(services: Given, actor: HolderActor) -> dict[str, Any]:
    """The licenses of the holder to whom the token is bound."""
    found = services.vault.wallet.entries(SELF, actor)
    return {"items": [license_json(view, services.base_url) for view in found], "next_cursor": None}


@router.get("/archive", response_class=Response, summary="All of one's own licenses in one ZIP")
def archive(services: Given, actor: HolderActor) -> Response:
    """A ZIP of PDFs and records, with an index that a person can open."""
    data = services.vault.wallet.archive(SELF, actor)
    return Response(data, media_type="application/zip", headers=attachment("wallet.zip"))
