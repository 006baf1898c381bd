"""The one table from an error to what a caller is told: RFC 9457 problem documents, and the page of a browser.

A rule's refusal carries its own code, field, reason and remedy; here it only gets its HTTP status. What nobody
foresaw becomes a reference number, and its detail goes to the log alone.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from certvault.errors import ConflictError, ForbiddenError, NotFoundError, VaultError
from signing.errors import BackendUnavailableError, SigningError
from verify.formats.refusal import Refusal, RefusedError, Text, refuse

log = logging.getLogger("certvault.problems")

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[str, int] = {
    "BODY_MALFORMED": 400,
    "NOT_SIGNED_IN": 401,
    "TOKEN_UNKNOWN": 401,
    "FORBIDDEN": 403,
    "CSRF": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_SLOW": 408,
    "IDEMPOTENCY_BUSY": 409,
    "BODY_TOO_LARGE": 413,
    "TOO_MANY_FILES": 413,
    "MEDIA_TYPE": 415,
    "IDEMPOTENCY_MISMATCH": 422,
    "TOO_MANY_REQUESTS": 429,
    "REQUEST_TOO_LONG": 503,
}
"""HTTP status of a refusal by its code. One of no code here and no family of the vault's is about the data: 422."""

FAMILIES: tuple[tuple[type[RefusedError], int], ...] = (
    (NotFoundError, 404),
    (ForbiddenError, 403),
    (ConflictError, 409),
)
"""HTTP status of the vault's families of refusals."""

TROUBLE: Mapping[str, Text] = {
    "DATABASE_BUSY": Text("数据库正忙。", "The database is busy."),
    "DATABASE_UNAVAILABLE": Text("数据库无法连接。", "The database does not answer."),
    "STORAGE_FULL": Text("存储空间已满。", "No space is left in the store."),
    "STORAGE_UNAVAILABLE": Text("文件存储无法连接。", "The document store does not answer."),
    "CONCURRENT_CHANGE": Text("数据刚被其他操作更改。", "The data was changed by somebody else just now."),
    "DATA_CORRUPT": Text("存储的数据已损坏。", "Stored data is damaged."),
    "SETTINGS_WRONG": Text("保管库设置有误。", "The vault's settings are wrong."),
    "KEY_NOT_FOUND": Text("签名密钥不存在。", "The signing key is not there."),
    "PIN_REFUSED": Text("密码设备的口令缺失或不正确。", "The PIN of the key device is missing or wrong."),
    "BACKEND_UNAVAILABLE": Text("密码设备暂时无法使用。", "The key device cannot be used now."),
}
"""What a caller learns of the vault's own trouble: its kind, never its detail."""

TITLES: Mapping[int, Text] = {
    400: Text("请求格式有误", "The request could not be read"),
    401: Text("需要登录", "Sign in first"),
    403: Text("无权进行此操作", "Not permitted"),
    404: Text("未找到", "Not found"),
    405: Text("不支持此方法", "Method not allowed"),
    408: Text("请求接收超时", "The request took too long to arrive"),
    409: Text("与已有数据或正在进行的操作冲突", "In conflict with what is there or under way"),
    413: Text("内容过大", "Too large"),
    415: Text("不支持的内容类型", "Media type not supported"),
    422: Text("数据不符合规则", "The data breaks a rule"),
    429: Text("请求过于频繁", "Too many requests"),
    500: Text("系统内部错误", "Internal error"),
    503: Text("服务暂时不可用", "Temporarily unavailable"),
}

_AGAIN = Text("请稍后重试。", "Try again later.")
_TELL = Text("请将该编号告知系统管理员。", "Give the reference to the administrator.")
_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="certvault"'},
    408: {"Connection": "close"},
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What a caller is told: status, every refusal, a reference number for the unforeseen, headers to add."""

    status: int
    refusals: tuple[Refusal, ...]
    reference: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The stable code of the first refusal."""
        return self.refusals[0].code

    def title(self, lang: str) -> str:
        """The status in words."""
        known = TITLES.get(self.status)
        return known.in_language(lang) if known else HTTPStatus(self.status).phrase

    def to_json(self, lang: str) -> dict[str, Any]:
        """The problem document of RFC 9457; the members after ``detail`` are extensions (3.2)."""
        first = self.refusals[0]
        document: dict[str, Any] = {
            "type": f"urn:certvault:problem:{first.code.lower().replace('_', '-')}",
            "title": self.title(lang),
            "status": self.status,
            "detail": first.reason.in_language(lang),
            **refusal_json(first, lang),
            "refusals": [refusal_json(r, lang) for r in self.refusals],
        }
        if self.reference:
            document["reference"] = self.reference
        return document


class LimitedError(RefusedError):
    """Too many requests. ``retry_after`` is whole seconds, as text."""

    def __init__(self, retry_after: str) -> None:
        super().__init__(
            Refusal(
                "TOO_MANY_REQUESTS",
                "",
                Text("请求次数超过限制。", "More requests than the limit allows."),
                Text(f"请在 {retry_after} 秒后重试。", f"Try again in {retry_after} seconds."),
            )
        )
        self.retry_after = retry_after


class BusyError(RefusedError):
    """The service has no room or no time for this now, whoever asks. ``retry_after`` is whole seconds, as text."""

    def __init__(self, retry_after: str, zh: str = "服务繁忙。", en: str = "The service is busy.") -> None:
        remedy = Text(f"请在 {retry_after} 秒后重试。", f"Try again in {retry_after} seconds.")
        super().__init__(Refusal("SERVICE_BUSY", "", Text(zh, en), remedy))
        self.retry_after = retry_after


def refusal_json(refusal: Refusal, lang: str) -> dict[str, str]:
    """One refusal as ``{code, field, reason, remedy}`` in one language."""
    return {
        "code": refusal.code,
        "field": refusal.field,
        "reason": refusal.reason.in_language(lang),
        "remedy": refusal.remedy.in_language(lang),
    }


def problem_of(error: Exception) -> Problem:
    """What to tell about ``error``. The unforeseen is logged here, with the reference number that the caller gets."""
    match error:
        case LimitedError():
            return Problem(429, error.refusals, headers={"Retry-After": error.retry_after})
        case BusyError():
            return Problem(503, error.refusals, headers={"Retry-After": error.retry_after})
        case RefusedError():
            status = _status(error)
            return Problem(status, error.refusals, headers=_HEADERS.get(status, {}))
        case BackendUnavailableError():
            return _trouble(error, error.code, retry=True)
        case VaultError():
            return _trouble(error, error.code, retry=error.retry)
        case SigningError():
            return _trouble(error, error.code, retry=False)
        case _:
            return unforeseen(error)


def _status(error: RefusedError) -> int:
    family = next((status for kind, status in FAMILIES if isinstance(error, kind)), 422)
    return STATUS.get(error.first.code, family)


def _trouble(error: Exception, code: str, *, retry: bool) -> Problem:
    reference = _logged(error)
    known = TROUBLE.get(code, Text("保管库未能完成请求。", "The vault could not do this."))
    reason = Text(f"{known.zh}（编号 {reference}）", f"{known.en} (reference {reference})")
    return Problem(
        503 if retry else 500,
        (Refusal(code, "", reason, _AGAIN if retry else _TELL),),
        reference,
        {"Retry-After": "5"} if retry else {},
    )


def unforeseen(error: Exception) -> Problem:
    """The answer to an error that nobody foresaw: a reference number, and nothing of its detail."""
    reference = _logged(error)
    reason = Text(f"系统内部错误，编号 {reference}。", f"Internal error, reference {reference}.")
    return Problem(500, (Refusal("INTERNAL", "", reason, _TELL),), reference)


def _logged(error: Exception) -> str:
    reference = secrets.token_hex(5).upper()
    log.error("reference %s", reference, exc_info=error)
    return reference


def of_status(status: int) -> Problem:
    """The problem for an HTTP status that the framework itself chose (no such route, wrong method)."""
    codes = {400: "BODY_MALFORMED", 401: "NOT_SIGNED_IN", 403: "FORBIDDEN", 404: "NOT_FOUND"}
    codes |= {405: "METHOD_NOT_ALLOWED", 413: "BODY_TOO_LARGE", 415: "MEDIA_TYPE", 422: "BODY_MALFORMED"}
    title = TITLES.get(status, Text("请求未能完成", "The request was not completed"))
    remedy = Text("请对照接口说明检查请求。", "Check the request against the interface description.")
    return Problem(status, (Refusal(codes.get(status, "HTTP_ERROR"), "", title, remedy),))


# ---- the refusals that the web itself makes


def not_signed_in() -> RefusedError:
    """401: no token, or one that is not known, has ended or was withdrawn."""
    return refuse(
        "NOT_SIGNED_IN", "", "请求未携带有效令牌。", "The request carries no valid token.",
        remedy_zh="请以 Authorization: Bearer 携带令牌，或在登录页登录。",
        remedy_en="Send a token as Authorization: Bearer, or sign in on the sign-in page.",
    )  # fmt: skip


def not_permitted(roles: str) -> RefusedError:
    """403: signed in, but without the role."""
    return refuse(
        "FORBIDDEN", "", "当前身份无权进行此操作。", "Your role does not allow this.",
        remedy_zh=f"请使用具有以下角色之一的令牌：{roles}。",
        remedy_en=f"Use a token with one of these roles: {roles}.",
    )  # fmt: skip


def csrf_failed() -> RefusedError:
    """403: a form that does not come from a page this session was shown."""
    return refuse(
        "CSRF", "", "表单已失效。", "The form is no longer valid.",
        remedy_zh="请刷新页面后重新提交。", remedy_en="Reload the page and submit it again.",
    )  # fmt: skip


def malformed(field_name: str, zh: str, en: str) -> RefusedError:
    """400: the request itself cannot be read."""
    return refuse(
        "BODY_MALFORMED", field_name, zh, en,
        remedy_zh="请对照 /openapi.json 检查请求。", remedy_en="Check the request against /openapi.json.",
    )  # fmt: skip


def too_large(limit: int) -> RefusedError:
    """413: the body is larger than ``limit`` bytes."""
    return refuse(
        "BODY_TOO_LARGE", "", f"内容超过 {limit} 字节。", f"The body is larger than {limit} bytes.",
        remedy_zh="请减小或分批提交。", remedy_en="Send less, or in several requests.",
    )  # fmt: skip


def too_many_files(limit: int) -> RefusedError:
    """413: more files than one request may hold."""
    return refuse(
        "TOO_MANY_FILES", "file", f"一次最多提交 {limit} 个文件。", f"One request holds at most {limit} files.",
        remedy_zh="请分批提交。", remedy_en="Send them in several requests.",
    )  # fmt: skip


def body_too_slow() -> RefusedError:
    """408: the body did not come within its time."""
    return refuse(
        "BODY_TOO_SLOW", "", "内容传送过慢，已中止。", "The body came too slowly; the request was given up.",
        remedy_zh="请检查网络，或减小后重新提交。", remedy_en="Check the connection, or send less at once.",
    )  # fmt: skip


def takes_too_long(seconds: float) -> RefusedError:
    """503: the files of one request need more time together than a request is given."""
    return refuse(
        "REQUEST_TOO_LONG", "file", f"这些文件在 {seconds:g} 秒内未能全部检查完，没有给出结论。",
        f"These files could not all be checked within {seconds:g} seconds; no verdict was given.",
        remedy_zh="请分批提交，每次少几个文件。", remedy_en="Send fewer files in one request.",
    )  # fmt: skip


def wrong_media_type(expected: str) -> RefusedError:
    """415: the body is of a kind that this address does not read."""
    return refuse(
        "MEDIA_TYPE", "Content-Type", "请求内容的类型不受支持。", "The media type of the body is not supported.",
        remedy_zh=f"请使用 {expected}。", remedy_en=f"Use {expected}.",
    )  # fmt: skip


def unknown_language() -> RefusedError:
    """422: a language that nothing here is written in."""
    return refuse(
        "LANG_UNKNOWN", "lang", "没有这种语言的文字。", "Nothing here is written in this language.",
        remedy_zh="请使用 zh 或 en。", remedy_en="Use zh or en.",
    )  # fmt: skip
