"""``/healthz``, ``/readyz``, ``/metrics``.

Anyone may ask whether the service lives and is ready, since whoever balances load has no token, and learns no more
than that; what is wrong, and the metrics, are for an operator.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from api import metrics
from api.auth import Caller
from api.deps import Given, OperatorActor, caller_of, limited

router = APIRouter(tags=["health"])

READING = [Depends(limited("reading"))]


@router.get("/healthz", dependencies=READING, summary="Does the process live")
def healthz() -> dict[str, str]:
    """It does, if this is answered."""
    return {"status": "ok"}


@router.get("/readyz", dependencies=READING, summary="Can the vault do its work")
def readyz(services: Given, caller: Annotated[Caller | None, Depends(caller_of)]) -> JSONResponse:
    """200 when database, store and keys answer, else 503; an operator is told what is wrong."""
    problems = services.vault.ready()
    body: dict[str, object] = {"status": "unavailable" if problems else "ready"}
    if caller is not None and caller.actor.has():
        body["problems"] = problems
    return JSONResponse(body, 503 if problems else 200)


@router.get("/metrics", response_class=Response, summary="Prometheus metrics")
def measured(services: Given, actor: OperatorActor) -> Response:
    """Counters since the start, in Prometheus' text form."""
    del actor
    gauges = {"ready": 0.0 if services.vault.ready() else 1.0}
    return Response(services.metrics.text(gauges), media_type=metrics.MEDIA_TYPE)
