"""``/v1/types``: the catalog."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from api.deps import Given, limited
from api.schemas import TypeDetail, TypeList, type_json
from certvault.errors import not_found
from certvault.statuslists import MEANINGS

router = APIRouter(prefix="/v1/types", tags=["types"], dependencies=[Depends(limited("reading"))])


@router.get("", response_model=TypeList, summary="List license types")
def listed(services: Given) -> dict[str, Any]:
    """Every published version of every type."""
    return {"items": [type_json(t, services.base_url) for t in services.vault.catalog.list()], "next_cursor": None}


@router.get("/{code}", response_model=TypeDetail, summary="A license type with its schema")
def read(code: str, services: Given, version: Annotated[int | None, Query(ge=1, le=999)] = None) -> dict[str, Any]:
    """A type by its name or by its code of GB/T 36904; the newest version unless one is named."""
    found = [t for t in services.vault.catalog.list() if code in (t.name, t.type_code) and version in (None, t.version)]
    if not found:
        raise not_found("证照类型", "license type", code)
    info = max(found, key=lambda t: t.version)
    schema = services.vault.catalog.get(info.name, info.version).schema
    values = {str(value): {"name": name, "zh": zh, "en": en} for value, (name, zh, en) in MEANINGS.items()}
    return {**type_json(info, services.base_url), "schema": dict(schema), "status_values": values}
