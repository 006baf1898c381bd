"""The data attached to a verification report of ours, by which the judge knows one."""

from __future__ import annotations

import json
import re
from typing import Any

ATTACHMENT_NAME = "certvault-report.json"
SCHEMA = "certvault-report/1"
MAX_BYTES = 16_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ReportError(ValueError):
    """The bytes are no data of a verification report."""


def report_content(reports: dict[str, Any], sha256: str, made_at: str) -> bytes:
    """What is attached: which file (SHA-256, hex), when, and the reports by language. One line of JSON."""
    content = {"schema": SCHEMA, "file_sha256": sha256, "made_at": made_at, "reports": reports}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def unverified_report_subject(data: bytes) -> str:
    """The SHA-256 (hex) of the file that a report tells of. ReportError."""
    if len(data) > MAX_BYTES:
        raise ReportError("the data are too large")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReportError("the data are no JSON") from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise ReportError("the data are of another schema")
    subject = value.get("file_sha256")
    if not isinstance(subject, str) or not _SHA256.fullmatch(subject):
        raise ReportError("the data name no file")
    return subject
