"""Verify sealed license documents, structured records and printed codes.

The library knows no database, no web, no clock and no network: the moment and the trust are arguments, evidence is
handed in. Any bytes give a :class:`Verdict`; nothing raises. Import is cheap; parsers load at first use.
"""

from __future__ import annotations

from verify.code import verify_code, verify_picture
from verify.document import verify_document
from verify.evidence import NO_EVIDENCE, Evidence, VaultFacts
from verify.findings import CATALOG, About, Finding, Severity, all_codes
from verify.media import verify_any
from verify.place import Place
from verify.policy import DEFAULT_POLICY, Limits, Policy
from verify.record import verify_record
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
]
