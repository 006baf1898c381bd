"""One run of the verifier: it gathers findings, remembers which checks ran to their end, and draws the conclusion."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from verify.errors import LimitError, UnreadableError
from verify.evidence import Evidence
from verify.facts import Facts
from verify.findings import Finding, Severity, finding
from verify.formats.pdflimits import PdfError, PdfLimitError
from verify.place import Place
from verify.policy import Policy
from verify.trust.anchors import TrustStore
from verify.verdict import (
    Conclusion,
    Integrity,
    LicenseView,
    Outcome,
    Recognition,
    SignatureReport,
    Standing,
    Verdict,
    conclusion_from,
    integrity_from,
    standing_from,
)

_ABOUT_INTEGRITY = frozenset(("limits", "structure", "signatures", "revisions"))
"""Checks without which nothing is called intact."""


_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)


def _reachable(at: datetime) -> datetime:
    """The moment in UTC, kept far enough from the ends of the calendar that days can be added to it."""
    try:
        moment = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        moment = _FIRST if at.year == 1 else _LAST
    return min(max(moment, _FIRST), _LAST)


class Check:
    """One check in a ``with`` block: the verifier is total, whatever a parser throws ends here."""

    def __init__(self, inquiry: Inquiry, name: str) -> None:
        self._inquiry = inquiry
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            self._inquiry.ran.append(self._name)
            return True
        if isinstance(error, Exception):
            self._inquiry.failed(self._name, error)
            return True
        return False


@dataclass(slots=True)
class Origin:
    """Where a license is from, as its checks see it, for recognition. Claims count once the conclusion is VALID.

    ``anchor``: the root (DER) to which its way leads, whether or not it holds. ``proven``: a timestamp proves when it
    was signed. ``structures``: versions of seal structures on it. ``whole``: the file carries all of the license's
    fields. ``status_made``, ``status_uri``: of the status list that was used.
    """

    anchor: bytes | None = None
    issuer_code: str = ""
    issued: date | None = None
    proven: bool = False
    structures: tuple[int, ...] = ()
    whole: bool = True
    status_made: datetime | None = None
    status_uri: str = ""


class Inquiry:
    """Collects what checks see. Only :meth:`conclude` makes a verdict, VALID only when every demanded check ran."""

    def __init__(self, kind: str, *, trust: TrustStore, at: datetime, policy: Policy, evidence: Evidence) -> None:
        self.kind = kind
        self.trust = trust
        self.at = _reachable(at)
        self.policy = policy
        self.evidence = evidence
        self.findings: list[Finding] = []
        self.signatures: list[SignatureReport] = []
        self.license: LicenseView | None = None
        self.is_license = False
        self.genuine_code = False
        """Whether the code on the page is its issuer's own; what it says is compared with the record elsewhere."""
        self.ran: list[str] = []
        self.facts = Facts()
        self.origin = Origin()
        self._started = time.perf_counter()

    def about(self, data: bytes) -> None:
        """Name the file that is judged."""
        self.facts.sha256 = hashlib.sha256(data).hexdigest()
        self.facts.size = len(data)

    def report(
        self, code: str, *, where: str = "", place: Place | None = None, severity: Severity | None = None, **params: Any
    ) -> None:
        """Add a finding, once."""
        found = finding(code, where=where, place=place, severity=severity, **params)
        if found not in self.findings:
            self.findings.append(found)

    def spend(self) -> None:
        """Raise LimitError when the time allowed is over. Long checks call it between their parts."""
        if time.perf_counter() - self._started > self.policy.limits.seconds:
            raise LimitError("TIME_EXCEEDED", seconds=self.policy.limits.seconds)

    def fits(
        self, data: bytes | str, limit: int, *, blank: bool = False, then: Callable[[], object] | None = None
    ) -> bool:
        """Run the check ``limits``, with which each run begins: there is something to read, and not too much of it.

        ``limit`` in bytes, or characters of a text; ``blank``: white space alone is nothing to read. ``then`` says
        what else must hold first of all, by raising UnreadableError.
        """
        with self.check("limits"):
            if not (data.strip() if blank else data):
                raise UnreadableError("FILE_EMPTY")
            if len(data) > limit:
                raise UnreadableError("FILE_TOO_LARGE", size=len(data), limit=limit)
            if then is not None:
                then()
        return "limits" in self.ran

    def check(self, name: str) -> Check:
        """Run one named check. What it raises becomes a finding, and the check counts as not run."""
        return Check(self, name)

    def failed(self, name: str, error: Exception) -> None:
        """Turn what a check raised into a finding."""
        if isinstance(error, UnreadableError):
            self.report(error.code, where=error.where, place=error.place, **error.params)
        elif isinstance(error, PdfLimitError) and name in _ABOUT_INTEGRITY:
            self.report("LIMIT_EXCEEDED", what=error.what, limit=error.limit)
        elif isinstance(error, PdfError) and name in _ABOUT_INTEGRITY:
            self.report("PDF_BROKEN", reason=str(error))
        elif isinstance(error, RecursionError):
            self.report("LIMIT_EXCEEDED", what="nesting", limit=sys.getrecursionlimit())
        elif isinstance(error, MemoryError):
            self.report("LIMIT_EXCEEDED", what="memory", limit=self.policy.limits.decompressed_bytes)
        else:
            self.report("INTERNAL", check=name, error=type(error).__name__)
            if name in _ABOUT_INTEGRITY:  # whatever it was: what was not looked at is not called intact
                params: dict[str, Any] = {"reason": type(error).__name__} if self.kind == "pdf" else {}
                self.report("PDF_BROKEN" if self.kind == "pdf" else "NOT_READABLE", **params)

    @property
    def integrity(self) -> Integrity:
        """The answer about integrity as it stands so far."""
        return integrity_from(self.findings)

    @property
    def elapsed_ms(self) -> float:
        """Milliseconds since the run began."""
        return (time.perf_counter() - self._started) * 1000

    def conclude(self, demanded: tuple[str, ...]) -> Verdict:
        """Turn findings into answers. Each demanded check that did not run is a doubt."""
        self._tell_source()
        integrity = self.integrity
        if integrity is Integrity.INTACT:
            for name in demanded:
                if name not in self.ran:
                    self.report("CHECK_NOT_RUN", check=name)
        conclusion = conclusion_from(integrity, self.findings)
        if conclusion is Conclusion.VALID and not self.signatures:
            self.report("INTERNAL", check="signatures", error="no signature report")
            conclusion = Conclusion.INDETERMINATE
        standing = self._standing(conclusion)
        recognition = self._recognition(conclusion, standing)
        if recognition is not None and "recognition" not in self.ran:
            conclusion = conclusion_from(integrity, self.findings)  # what failed there is a doubt like any other
        return Verdict(
            kind=self.kind,
            integrity=integrity,
            conclusion=conclusion,
            standing=standing,
            at=self.at,
            signatures=tuple(self.signatures),
            license=self.license if conclusion is Conclusion.VALID else None,
            findings=tuple(self.findings),
            recognition=recognition,
            elapsed_ms=self.elapsed_ms,
            checks=tuple(self.ran),
            demanded=demanded,
            facts=self.facts,
            policy=self.policy,
            trust=self.trust,
        )

    def _tell_source(self) -> None:
        """How old the knowledge is, where all of it is from an offline kit."""
        kit = self.trust.kit
        if kit is None:
            return
        from verify.checks.standing import age_text

        made = kit.made.strftime("%Y-%m-%d %H:%M:%SZ")
        self.report("KIT_KNOWLEDGE", region=kit.region, made=made, age=age_text(self.at - kit.made))

    def _recognition(self, conclusion: Conclusion, standing: Standing | None) -> Recognition | None:
        """Whether the license counts here, where there is a home region and it is not that one's own."""
        if self.trust.regions is None or not self.trust.regions.home or not self.is_license or standing is None:
            return None
        from verify.recognition import recognize

        with self.check("recognition"):
            return recognize(self, self.trust.regions, conclusion, standing)
        return Recognition(Outcome.UNKNOWN)

    def _standing(self, conclusion: Conclusion) -> Standing | None:
        if not self.is_license:
            return None
        if conclusion is Conclusion.INVALID or self.integrity is not Integrity.INTACT or "standing" not in self.ran:
            return Standing.UNKNOWN
        return standing_from(self.findings)
