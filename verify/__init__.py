"""Verify sealed license documents, structured records and printed codes.

The library knows no database, no web, no clock and no network: the moment and the trust are arguments, evidence is
handed in. Any bytes give a :class:`Verdict`; nothing raises. Import is cheap; the judging itself and the parsers load
at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from verify.evidence import NO_EVIDENCE, Evidence, VaultFacts
from verify.findings import CATALOG, About, Finding, Severity, all_codes
from verify.place import Place
from verify.policy import DEFAULT_POLICY, Limits, Policy
from verify.trust.anchors import Remit, TrustStore
from verify.verdict import (
    Conclusion,
    Integrity,
    LicenseView,
    Outcome,
    Recognition,
    SignatureReport,
    Standing,
    Verdict,
)

if TYPE_CHECKING:
    from verify.code import verify_code, verify_picture
    from verify.document import verify_document
    from verify.media import verify_any
    from verify.record import verify_record
    from verify.sealfile import verify_seal
    from verify.signaturefile import verify_signature

__all__ = [
    "CATALOG",
    "DEFAULT_POLICY",
    "NO_EVIDENCE",
    "About",
    "Conclusion",
    "Evidence",
    "Finding",
    "Integrity",
    "LicenseView",
    "Limits",
    "Outcome",
    "Place",
    "Policy",
    "Recognition",
    "Remit",
    "Severity",
    "SignatureReport",
    "Standing",
    "TrustStore",
    "VaultFacts",
    "Verdict",
    "all_codes",
    "verify_any",
    "verify_code",
    "verify_document",
    "verify_picture",
    "verify_record",
    "verify_seal",
    "verify_signature",
]

_JUDGES = {
    "verify_any": "verify.media",
    "verify_code": "verify.code",
    "verify_document": "verify.document",
    "verify_picture": "verify.code",
    "verify_record": "verify.record",
    "verify_seal": "verify.sealfile",
    "verify_signature": "verify.signaturefile",
}


def __getattr__(name: str) -> Any:
    """The judging functions, imported when first asked for: commands that judge nothing need not wait for them."""
    if name not in _JUDGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_JUDGES[name]), name)
    return found
