"""Judge whatever it is: the kind is told from the content, never from a name."""

from __future__ import annotations

import re
from datetime import datetime

from verify.code import verify_code, verify_picture
from verify.document import verify_document
from verify.evidence import NO_EVIDENCE, Evidence
from verify.policy import DEFAULT_POLICY, Policy
from verify.record import verify_record
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict

_PICTURE = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_COMPACT = re.compile(rb"\s*[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(~[A-Za-z0-9_.~-]*)?\s*")
_CODE = re.compile(rb"\s*(https?://[\x21-\x7e]*#c=[A-Za-z0-9_-]+|[A-Za-z0-9_-]{40,4000})\s*")


def verify_any(
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
    password: str | None = None,
) -> Verdict:
    """Judge a PDF, a picture with a code, a structured record or a code's text. Nothing raises."""
    if data.startswith(_PICTURE):
        return verify_picture(data, trust=trust, at=at, policy=policy, evidence=evidence)
    if b"%PDF" not in data[:1024] and len(data) <= policy.limits.text_bytes:
        if _COMPACT.fullmatch(data):
            return verify_record(data, trust=trust, at=at, policy=policy, evidence=evidence)
        if _CODE.fullmatch(data):
            return verify_code(data.decode("ascii").strip(), trust=trust, at=at, policy=policy, evidence=evidence)
    return verify_document(data, trust=trust, at=at, policy=policy, evidence=evidence, password=password)
