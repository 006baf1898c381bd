"""``/verify``: drop a file, take a picture, scan or paste a code.

The page's script sends what it is given to ``/v1/verifications``. A code's address has it in the fragment, which a
browser does not send: only the script reads it, and sends it as a body.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.pages.view import render

router = APIRouter(include_in_schema=False)


@router.get("/verify")
def verify(request: Request) -> Response:
    """The page; verdicts come by script."""
    return render(request, "verify.html")
