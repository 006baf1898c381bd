"""Judge whatever it is: the kind is told from the content, never from a name."""

from __future__ import annotations

import re
from datetime import datetime

from verify.code import verify_code, verify_picture
from verify.document import verify_document
from verify.evidence import NO_EVIDENCE, Evidence
from verify.formats.receipt import begins_as_receipt
from verify.formats.seal import begins_as_seal
from verify.policy import DEFAULT_POLICY, Policy
from verify.receipt import verify_receipt
from verify.record import verify_record
from verify.sealfile import verify_seal
from verify.signaturefile import begins_as_signature, verify_signature
from verify.trust.anchors import TrustStore
from verify.verdict import Verdict

_PICTURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff"  # these two are read; the others are known, and said to be unreadable
    rb"|RIFF....WEBP|II\*\x00|MM\x00\*|GIF8[79]a|BM.{4}\x00{4}|....ftyp(?:heic|heix|heif|mif1|avif)",
    re.DOTALL,
)
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
    document: bytes | None = None,
) -> Verdict:
    """Judge a PDF, a picture with a code, a structured record, a code's text, a receipt, a seal, or a signature beside
    its data.

    ``document`` are those data, for a seal signature or CMS value in a file of its own. Nothing raises.
    """
    if _PICTURE.match(data):
        return verify_picture(data, trust=trust, at=at, policy=policy, evidence=evidence)
    if begins_as_seal(data):
        return verify_seal(data, trust=trust, at=at, policy=policy, evidence=evidence, document=document)
    # a viewer may open what begins otherwise as a PDF, and show what no signature around it covers
    if begins_as_signature(data) and (document is not None or b"%PDF" not in data[:1024]):
        return verify_signature(data, trust=trust, at=at, policy=policy, evidence=evidence, document=document)
    if begins_as_receipt(data) and b"%PDF" not in data[:1024]:
        return verify_receipt(data, trust=trust, at=at, policy=policy, evidence=evidence)
    if b"%PDF" not in data[:1024] and len(data) <= policy.limits.text_bytes:
        if _COMPACT.fullmatch(data):
            return verify_record(data, trust=trust, at=at, policy=policy, evidence=evidence)
        if _CODE.fullmatch(data):
            return verify_code(data.decode("ascii").strip(), trust=trust, at=at, policy=policy, evidence=evidence)
    return verify_document(data, trust=trust, at=at, policy=policy, evidence=evidence, password=password)
