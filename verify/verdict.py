"""The separate answers about one file, and the rule that derives them from findings."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from verify.facts import Facts
from verify.findings import About, Finding, Severity
from verify.formats.license import Holder
from verify.policy import Policy
from verify.trust.anchors import TrustStore

if TYPE_CHECKING:
    from verify.checks.sealsteps import Step
    from verify.formats.seal import Seal


class Integrity(enum.Enum):
    """Are these the bytes that were signed, and are they all that is shown?"""

    INTACT = "INTACT"
    ALTERED = "ALTERED"
    UNSIGNED = "UNSIGNED"
    UNREADABLE = "UNREADABLE"


class Conclusion(enum.Enum):
    """Is it what it says it is? (ETSI EN 319 102-1)"""

    VALID = "VALID"
    INVALID = "INVALID"
    INDETERMINATE = "INDETERMINATE"


class Standing(enum.Enum):
    """Does the license hold at that moment?"""

    IN_FORCE = "IN_FORCE"
    NOT_YET = "NOT_YET"
    EXPIRED = "EXPIRED"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    SUPERSEDED = "SUPERSEDED"
    UNKNOWN = "UNKNOWN"


class Outcome(enum.Enum):
    """Does it count here?"""

    RECOGNIZED = "RECOGNIZED"
    NOT_RECOGNIZED = "NOT_RECOGNIZED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Recognition:
    """The outcome for a license of another region, with the equivalent type."""

    outcome: Outcome
    region: str = ""
    as_type: str = ""
    license: Mapping[str, Any] = field(default_factory=dict)
    basis: Mapping[str, Any] = field(default_factory=dict)
    """What it rests on, by which it can be checked years later: ``list``, ``agreement``, ``status_list``."""

    def to_json(self) -> dict[str, Any]:
        """The answer as interfaces show it."""
        return {
            "outcome": self.outcome.value,
            "region": self.region,
            "as_type": self.as_type,
            "license": dict(self.license),
            "basis": dict(self.basis),
        }


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """What was seen of one signature. ``signed_at`` is proven when ``time_source`` is ``timestamp``."""

    field: str
    signer: str
    format: str
    integrity: Integrity
    indication: str  # TOTAL_PASSED, TOTAL_FAILED, INDETERMINATE
    sub_indication: str = ""
    signed_at: datetime | None = None
    time_source: str = "claimed"
    covers_whole_file: bool = False
    seal: Seal | None = None
    """The electronic seal inside, of a seal signature; not yet believed where ``indication`` is not TOTAL_PASSED."""
    steps: tuple[Step, ...] = ()
    """The standard's own steps of a seal signature, in its order."""

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        """The signature as interfaces show it; ``seal`` and ``steps`` only of a seal signature."""
        shown = self._plain_json()
        if self.seal is not None:
            shown |= {"seal": seal_json(self.seal), "steps": [s.to_json(lang) for s in self.steps]}
        return shown

    def _plain_json(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "signer": self.signer,
            "format": self.format,
            "integrity": self.integrity.value,
            "indication": self.indication,
            "sub_indication": self.sub_indication or None,
            "signed_at": utc_text(self.signed_at) if self.signed_at else None,
            "time_source": self.time_source,
            "covers_whole_file": self.covers_whole_file,
        }


@dataclass(frozen=True, slots=True)
class LicenseView:
    """A license's data, verified. A code carries only part of it: then ``fields`` is empty and codes are blank."""

    identifier: str
    type: str
    number: str
    version: int | None
    holders: tuple[Holder, ...]
    issuer: str
    fields: Mapping[str, str] = field(default_factory=dict)
    record_sha256: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The license as interfaces show it."""
        return {
            "identifier": self.identifier,
            "type": self.type,
            "number": self.number,
            "version": self.version,
            "holders": [{"name": h.name, "code": h.code} for h in self.holders],
            "issuer": self.issuer,
            "fields": dict(self.fields),
        }


RECEIPT_MEMBERS = ("iss", "iat", "file", "verdict")
"""What is shown of a receipt; its evidence is for machines."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings and the answers they lead to. ``license`` is None unless the conclusion is VALID."""

    kind: str  # pdf, record, code, seal
    integrity: Integrity
    conclusion: Conclusion
    standing: Standing | None
    at: datetime
    signatures: tuple[SignatureReport, ...] = ()
    license: LicenseView | None = None
    findings: tuple[Finding, ...] = ()
    recognition: Recognition | None = None
    elapsed_ms: float = 0.0
    checks: tuple[str, ...] = ()
    """Names of the steps that ran to their end."""
    receipt: Mapping[str, Any] | None = None
    """What a receipt tells, once it is VALID: the verdict of then and its evidence."""
    demanded: tuple[str, ...] = ()
    """Names of the steps that VALID needs."""
    facts: Facts | None = field(default=None, compare=False, repr=False)
    """What was read, for the third depth of report; with ``policy`` and ``trust`` what it was judged by."""
    policy: Policy | None = field(default=None, compare=False, repr=False)
    trust: TrustStore | None = field(default=None, compare=False, repr=False)

    def codes(self) -> frozenset[str]:
        """The codes of all findings."""
        return frozenset(f.code for f in self.findings)

    def to_json(self, lang: str = "zh", *, depth: str | None = None) -> dict[str, Any]:
        """The verdict as the command line and HTTP show it, but for the name of the file.

        ``depth`` asks for a report instead (:mod:`verify.report`): ``conclusion``, ``checks`` or ``facts``, each with
        all that the one before has. ValueError for another name.
        """
        if depth is not None:
            from verify.report import report_json

            return report_json(self, lang, depth)
        told = {} if self.receipt is None else {"receipt": {n: self.receipt.get(n) for n in RECEIPT_MEMBERS}}
        return {
            "kind": self.kind,
            "integrity": self.integrity.value,
            "conclusion": self.conclusion.value,
            "standing": self.standing.value if self.standing else None,
            "recognition": self.recognition.to_json() if self.recognition else None,
            "at": utc_text(self.at),
            "signatures": [s.to_json(lang) for s in self.signatures],
            "license": self.license.to_json() if self.license else None,
            "findings": [f.to_json(lang) for f in self.findings],
            "elapsed_ms": round(self.elapsed_ms, 1),
            **told,
        }


def seal_json(seal: Seal) -> dict[str, Any]:
    """What a person wants to know of a seal that was used."""
    return {
        "id": seal.seal_id,
        "name": seal.name,
        "type": seal.kind,
        "valid_from": utc_text(seal.valid_from),
        "valid_to": utc_text(seal.valid_to),
        "width_mm": seal.picture.width_mm,
        "height_mm": seal.picture.height_mm,
    }


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def integrity_from(findings: Sequence[Finding]) -> Integrity:
    """ALTERED beats UNREADABLE beats UNSIGNED beats INTACT."""
    about = [f for f in findings if f.about is About.INTEGRITY]
    if any(f.severity is Severity.FATAL for f in about):
        return Integrity.ALTERED
    doubts = {f.code for f in about if f.severity is Severity.DOUBT}
    if doubts - {"UNSIGNED", "CODE_NOT_CHECKABLE"}:
        return Integrity.UNREADABLE
    return Integrity.UNSIGNED if doubts else Integrity.INTACT


def conclusion_from(integrity: Integrity, findings: Sequence[Finding]) -> Conclusion:
    """ALTERED and UNREADABLE are INVALID; UNSIGNED or any doubt is INDETERMINATE."""
    severities = {f.severity for f in findings if f.about is About.CONCLUSION}
    if integrity in (Integrity.ALTERED, Integrity.UNREADABLE) or Severity.FATAL in severities:
        return Conclusion.INVALID
    if integrity is Integrity.UNSIGNED or Severity.DOUBT in severities:
        return Conclusion.INDETERMINATE
    return Conclusion.VALID


_STANDING_ORDER = (
    ("STATUS_REVOKED", Standing.REVOKED),
    ("STATUS_SUPERSEDED", Standing.SUPERSEDED),
    ("EXPIRED", Standing.EXPIRED),
    ("STATUS_SUSPENDED", Standing.SUSPENDED),
    ("NOT_YET_IN_FORCE", Standing.NOT_YET),
)


def standings_of(findings: Sequence[Finding]) -> frozenset[Standing]:
    """All that is known to stand against a license, of which :func:`standing_from` tells the weightiest."""
    codes = {f.code for f in findings if f.about is About.STANDING}
    return frozenset(standing for code, standing in _STANDING_ORDER if code in codes)


def standing_from(findings: Sequence[Finding]) -> Standing:
    """The weightiest fact wins; a doubt without any fact is UNKNOWN."""
    about = [f for f in findings if f.about is About.STANDING]
    codes = {f.code for f in about}
    for code, standing in _STANDING_ORDER:
        if code in codes:
            return standing
    return Standing.UNKNOWN if any(f.severity is not Severity.NOTE for f in about) else Standing.IN_FORCE
