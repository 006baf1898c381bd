"""Errors in the API's own form (section 10): ``{"error": …, "error_description": …}``."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse

from api.problems import Problem
from verify.formats.refusal import Refusal, RefusedError, Text

_REMEDY = Text("请对照 CSC API 规范检查请求。", "Check the request against the CSC API specification.")
CODE = "CSC_REQUEST"


class CscError(RefusedError):
    """The request is wrong in the specification's own words. ``error`` is one of its codes."""

    def __init__(self, description: str, error: str = "invalid_request", status: int = 400) -> None:
        super().__init__(Refusal(CODE, "", Text(description, description), _REMEDY))
        self.error = error
        self.description = description
        self.status = status


_OF_VAULT: Mapping[str, tuple[int, str, str | None]] = {
    "NOT_SIGNED_IN": (401, "invalid_token", "The access token is not valid"),
    "TOKEN_UNKNOWN": (401, "invalid_token", "The access token is not valid"),
    "FORBIDDEN": (403, "access_denied", None),
    "NOT_FOUND": (400, "invalid_request", "Invalid parameter credentialID"),
    "FIELD_WRONG": (404, "invalid_request", "There is no such version: v1 and v2 are"),
    "BODY_MALFORMED": (400, "invalid_request", "The body is not a JSON object"),
    "METHOD_NOT_ALLOWED": (405, "invalid_request", "The method is POST"),
    "SEAL_SUSPENDED": (400, "invalid_request", "The credential identified by credentialID is disabled"),
    "SEAL_NOT_ACTIVE": (400, "invalid_request", "The credential identified by credentialID is disabled"),
    "SEAL_WITHOUT_KEY": (400, "invalid_request", "The credential identified by credentialID is disabled"),
    "SEAL_RULE": (403, "access_denied", None),
    "SEAL_FOUR_EYES": (403, "access_denied", None),
    "PERMIT_USED": (400, "invalid_request", "Hash is not authorized by the SAD"),
    "PERMIT_EXPIRED": (400, "invalid_request", "SAD expired"),
    "PERMIT_CANCELLED": (400, "invalid_request", "Hash is not authorized by the SAD"),
    "REMOTE_SAD": (400, "invalid_request", "Invalid parameter SAD"),
    "REMOTE_ENDED": (400, "invalid_request", "SAD expired"),
    "REMOTE_DIGEST": (400, "invalid_request", "Hash is not authorized by the SAD"),
    "REMOTE_COUNT": (400, "invalid_request", "Numbers of signatures is too high"),
    "REMOTE_EXPIRED": (400, "invalid_request", "Signing certificate is expired"),
    "REMOTE_CREDENTIAL": (400, "invalid_request", "Invalid parameter credentialID"),
    "REMOTE_QUOTA": (429, "access_denied", None),
    "REMOTE_OFF": (501, "access_denied", None),
    "TOO_MANY_REQUESTS": (429, "temporarily_unavailable", None),
}
"""Status, code and description of the vault's refusals; None: the refusal's own words."""


def answer(problem: Problem, lang: str, error: Exception) -> JSONResponse:
    """The answer to an error on one of these routes; what is unforeseen keeps its reference number."""
    if isinstance(error, CscError):
        return JSONResponse({"error": error.error, "error_description": error.description}, error.status)
    first = problem.refusals[0]
    own = first.reason.in_language(lang)
    status, code, words = _OF_VAULT.get(problem.code, (problem.status, _of_status(problem.status), None))
    return JSONResponse(
        {"error": code, "error_description": words or own},
        status,
        headers=dict(problem.headers) if status == 401 or status >= 429 else {},
    )


def _of_status(status: int) -> str:
    return "server_error" if status == 500 else "temporarily_unavailable" if status > 500 else "invalid_request"
