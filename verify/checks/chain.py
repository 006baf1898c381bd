"""Does a chain lead from a certificate to an anchor that the caller chose, and was no link revoked? (RFC 5280 6)

Ways are found by :mod:`verify.checks.pathsearch` and validated by pyHanko's certvalidator, never with anybody's anchors
but the caller's and never with the network; revocation is asked of :mod:`verify.checks.revocation`. Without anchors
nothing is asked at all.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from verify.checks.pathrules import fault_of
from verify.checks.pathsearch import PathSearch, signed_by
from verify.checks.revocation import Answer, Records, Status
from verify.checks.strength import weak_key, weak_link
from verify.errors import LimitError
from verify.findings import Severity
from verify.formats import purposes
from verify.formats.certificates import name_key
from verify.formats.cms import as_utc
from verify.formats.purposes import EXAMPLE_PREFIX
from verify.inquiry import Inquiry
from verify.trust.anchors import TrustStore

_MOST_FETCHED = 6
"""Authorities above one certificate."""


class Revocation(enum.Enum):
    """What to ask about revocation.

    REQUIRED: each link below the anchor needs proof that it was good. KNOWN: a link that is known to be revoked fails.
    IGNORED: nothing, since something else asks.
    """

    REQUIRED = "required"
    KNOWN = "known"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a path does not hold: a finding's code and parameters; when and why a certificate was revoked."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    sub_indication: str = ""
    revoked: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """The outcome for one certificate: ``certificates`` from anchor to leaf when a path was found.

    ``toward``: the anchor to which a way leads that does not hold; it tells where a file is from, and proves nothing.
    """

    certificates: tuple[Any, ...] = ()
    problem: Problem | None = None
    toward: Any | None = None

    @property
    def good(self) -> bool:
        """Whether a valid path leads to an anchor."""
        return self.problem is None

    @property
    def anchor(self) -> Any | None:
        """The anchor to which it leads, None when it leads to none."""
        return self.certificates[0] if self.certificates else None


class Chains:
    """Validates certificates of one run against one pool of intermediates and revocation data."""

    def __init__(
        self,
        inquiry: Inquiry,
        certificates: Iterable[Any],
        crls: Iterable[bytes] = (),
        ocsps: Iterable[bytes] = (),
        *,
        under: Any | None = None,
    ) -> None:
        """``under``: where several regions are trusted, only anchors of the same one as this anchor's count."""
        self.inquiry = inquiry
        self.anchors = [a for a in map(load_lenient, inquiry.trust.anchors) if a is not None]
        if under is not None and inquiry.trust.regions is not None:
            self.anchors = [a for a in self.anchors if same_region(inquiry.trust, a, under)]
        given = [c for c in map(load_lenient, inquiry.trust.certificates) if c is not None]
        self.pool = [c for c in [*certificates, *given] if _is_readable(c)] if self.anchors else []
        self.records = Records([*crls, *inquiry.evidence.crls], [*ocsps, *inquiry.evidence.ocsps])
        self.search = PathSearch(self.anchors, self.pool, inquiry.spend)
        self.home: Any | None = None
        """The anchor of a license's issuer, where several regions are trusted. Then the time, the seal's maker and
        further seals may be of that region or of ours: another might say what a thief of keys likes."""

    def with_certificates(self, certificates: Iterable[Any]) -> Chains:
        """The same with further certificates that may stand in between, such as those inside a timestamp token."""
        wider = Chains(self.inquiry, [*self.pool, *certificates])
        wider.records, wider.home = self.records, self.home
        return wider

    def anchor_of(self, certificate: Any) -> Any | None:
        """The anchor to which ways lead from a certificate, whether or not they hold; None where none does."""
        try:
            return next((way[0] for way in self._ways(certificate)), None)
        except (RecursionError, MemoryError, LimitError):
            raise
        except Exception:  # noqa: BLE001 - broken foreign certificates make the readers throw many types
            return None

    def validate(self, certificate: Any, moment: datetime, revocation: Revocation = Revocation.REQUIRED) -> Path:
        """Validate at ``moment``: the first way that holds, else why the most hopeful one does not."""
        subject = display_name(certificate)
        if not self.anchors:
            return Path(problem=Problem("NO_TRUSTED_PATH", {"subject": subject}, "NO_CERTIFICATE_CHAIN_FOUND"))
        found: list[Problem] = []
        toward = None
        try:
            for way in self._ways(certificate):
                self.inquiry.spend()
                problem = self._problem(way, moment, revocation)
                if problem is None:
                    return Path(way)
                found.append(problem)
                toward = toward or way[0]
            if not found:
                found.append(self._no_way(certificate, subject))
        except (RecursionError, MemoryError, LimitError):
            raise
        except Exception as error:  # noqa: BLE001 - broken foreign certificates make the readers throw many types
            found.append(_wrong(subject, f"{type(error).__name__} while reading it"))
        return Path(problem=min(found, key=_hopelessness), toward=toward)

    def _ways(self, certificate: Any) -> Iterator[tuple[Any, ...]]:
        """Ways to an anchor; where there is none and the caller allows it, with authorities that are fetched."""
        none = True
        for way in self._rightful_first(certificate):
            none = False
            yield way
        if none and self.inquiry.evidence.issuers is not None and self._fetch_issuers(certificate):
            yield from self.search.ways(certificate)

    def _rightful_first(self, certificate: Any) -> Iterator[tuple[Any, ...]]:
        """Ways as they are found; where several regions are trusted, first those to the region that lists the owner.

        A region may certify the authority of another: that makes nobody's licenses its own.
        """
        ways, trust = self.search.ways(certificate), self.inquiry.trust
        if trust.regions is None:
            yield from ways
            return
        ways = (w for w in ways if self.home is None or _may_speak(trust, self.home, w[0]))
        owner = subject_value(certificate, "organization_identifier") or ""
        remits = trust.remits_of(owner) or ()
        listed = frozenset(d for r in remits for d in r.anchors or ())
        yield from sorted(ways, key=lambda way: hashlib.sha256(way[0].dump()).hexdigest() not in listed)

    def _fetch_issuers(self, certificate: Any) -> bool:
        """Climb by the addresses that certificates give. Only what really signed the one below is taken."""
        from verify.checks.fetching import fetch_issuers

        source, current, added = self.inquiry.evidence.issuers, certificate, False
        for _ in range(_MOST_FETCHED):
            self.inquiry.spend()
            known = [c for c in self.search.issuers(current) if signed_by(current, c)]
            if not known and source is not None:
                came = map(load_lenient, fetch_issuers(source, current))
                known = [c for c in came if c is not None and signed_by(current, c)][:1]
                for authority in known:
                    self.search.add(authority)
                    added = True
            if not known or known[0].dump() == current.dump():
                break
            current = known[0]
        return added

    def _no_way(self, certificate: Any, subject: str) -> Problem:
        """Without a way: forged where an anchor's name and key number are claimed and the signature does not match.

        Names alone do not count, or the file of another vault whose root has the same name would be called forged.
        """
        if self.search.names_an_anchor(certificate):
            return _wrong(subject, "a signature in the chain does not match")
        return Problem("NO_TRUSTED_PATH", {"subject": subject}, "NO_CERTIFICATE_CHAIN_FOUND")

    def namesake(self, certificate: Any) -> Any | None:
        """A chosen anchor whose name the chain claims though another key signed; None when there is none."""
        try:
            return self.search.namesake(certificate) if self.anchors else None
        except Exception:  # noqa: BLE001 - broken foreign certificates make the readers throw many types
            return None

    def _problem(self, way: tuple[Any, ...], moment: datetime, revocation: Revocation) -> Problem | None:
        leaf = way[-1]
        subject = display_name(leaf)
        if len(way) == 1:
            return _outside(leaf, subject, moment)
        fault = fault_of(way, moment)
        if fault is not None:
            told = {"reason": fault.reason} if fault.reason else {"at": moment.strftime("%Y-%m-%d %H:%M:%SZ")}
            return Problem(fault.code, {"subject": subject, **told}, fault.sub_indication)
        return self._weakness(way, moment) or self._revocation(way, moment, revocation)

    def _weakness(self, way: tuple[Any, ...], moment: datetime) -> Problem | None:
        policy = self.inquiry.policy
        for issuer, certificate in pairwise(way):
            weak = weak_link(policy, certificate, moment) or weak_key(policy, issuer.public_key.dump(), moment)
            if weak:
                return Problem("ALGORITHM_WEAK", {"algorithm": weak}, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
        return None

    def _revocation(self, way: tuple[Any, ...], moment: datetime, revocation: Revocation) -> Problem | None:
        if revocation is Revocation.IGNORED:
            return None
        region = self.inquiry.trust.region_of(way[0].dump())
        if region is not None:
            self.records.add(region.list.crls, ())
        unknown = None
        for number in range(len(way) - 1, 0, -1):
            certificate, issuer = way[number], way[number - 1]
            answer = self.ask(certificate, issuer, moment)
            params: dict[str, Any] = {"subject": display_name(certificate)}
            if answer.status is Status.REVOKED and answer.since is not None:
                params["at"] = answer.since.strftime("%Y-%m-%d %H:%M:%SZ")
                sub = "REVOKED" if number == len(way) - 1 else "REVOKED_CA"
                return Problem("CERTIFICATE_REVOKED", params, sub, answer.since, answer.reason)
            if answer.status is Status.UNKNOWN and revocation is Revocation.REQUIRED and unknown is None:
                unknown = Problem("REVOCATION_UNKNOWN", params | {"reason": answer.reason}, "TRY_LATER")
        return unknown

    def ask(self, certificate: Any, issuer: Any, moment: datetime) -> Answer:
        """Whether a certificate was good at ``moment``; ``issuer`` is the one above it on a way to an anchor.

        Where nothing at hand tells, and the caller gave a source, that is asked: the addresses are those of this
        certificate, whose signature leads to a chosen anchor.
        """
        inquiry = self.inquiry
        policy = inquiry.policy

        def asked() -> Answer:
            return self.records.ask(
                certificate,
                self._issuers(certificate, issuer),
                moment,
                now=inquiry.at,
                skew=policy.clock_skew,
                most_age=policy.revocation_age,
            )

        answer = asked()
        if answer.status is Status.UNKNOWN and inquiry.evidence.source is not None:
            from verify.checks.fetching import fetch_revocation

            inquiry.spend()
            crls, ocsps = fetch_revocation(inquiry.evidence.source, certificate, issuer)
            self.records.add(crls, ocsps)
            answer = asked() if crls or ocsps else answer
        return answer

    def _issuers(self, certificate: Any, issuer: Any) -> list[Any]:
        """The issuer of the path, and its other certificates under the same authority, as after a change of keys."""
        same = self.search.named(certificate.issuer)
        return [issuer, *(c for c in same if c.dump() != issuer.dump() and self.search.beside(c, issuer))]


def same_region(trust: TrustStore, one: Any, other: Any) -> bool:
    """Whether two anchors are of one region, be it another or our own."""
    regions = [trust.region_of(a.dump()) for a in (one, other)]
    return regions[0] is regions[1]


def _may_speak(trust: TrustStore, home: Any, anchor: Any) -> bool:
    return trust.region_of(anchor.dump()) is None or same_region(trust, home, anchor)


def _outside(anchor: Any, subject: str, moment: datetime) -> Problem | None:
    """The certificate is itself an anchor: all that can be wrong is the time."""
    at = moment.strftime("%Y-%m-%d %H:%M:%SZ")
    if moment < as_utc(anchor.not_valid_before):
        return Problem("CERTIFICATE_NOT_YET_VALID", {"subject": subject, "at": at}, "NOT_YET_VALID")
    if moment > as_utc(anchor.not_valid_after):
        return Problem("CERTIFICATE_EXPIRED", {"subject": subject, "at": at}, "EXPIRED")
    return None


def _wrong(subject: str, reason: str, sub: str = "CERTIFICATE_CHAIN_GENERAL_FAILURE") -> Problem:
    return Problem("PATH_WRONG", {"subject": subject, "reason": reason}, sub)


_HOPE = (
    "REVOCATION_UNKNOWN",
    "ALGORITHM_WEAK",
    "CERTIFICATE_NOT_YET_VALID",
    "CERTIFICATE_EXPIRED",
    "NO_TRUSTED_PATH",
    "CERTIFICATE_REVOKED",
    "PATH_WRONG",
)


def _hopelessness(problem: Problem) -> int:
    """Of several ways the least bad one speaks; but the signer's own revocation is a fact on every way."""
    return -1 if problem.sub_indication == "REVOKED" else _HOPE.index(problem.code)


@lru_cache(maxsize=1024)
def load_lenient(der: bytes) -> Any | None:
    """A certificate as asn1crypto reads it, or None when its names, key or times cannot be read."""
    from asn1crypto import x509

    try:
        certificate = x509.Certificate.load(der)
    except Exception:  # noqa: BLE001 - the caller's own broken file must not stop the rest
        return None
    return certificate if _is_readable(certificate) else None


def _is_readable(certificate: Any) -> bool:
    """Whether the names, key and extensions that building a path asks for can be read."""
    try:
        _ = name_key(certificate.subject), name_key(certificate.issuer), certificate.key_identifier
        _ = certificate.public_key.dump(), certificate.not_valid_after.year, certificate.not_valid_before.year
        _ = certificate.serial_number, certificate.authority_key_identifier, certificate["signature_algorithm"].native
    except Exception:  # noqa: BLE001 - a broken certificate proves nothing
        return False
    return True


def report_path(
    inquiry: Inquiry, path: Path, where: str, *, proven: bool = True, claimed: datetime | None = None
) -> bool:
    """Put a path's outcome into findings; whether it is good.

    ``proven``: the moment was proven, so that a lapsed or revoked certificate is fatal. Else it was used before or
    after, who knows; but a signer who himself ``claimed`` a time after the revocation is taken at his word.
    """
    if path.problem is not None:
        code, params = path.problem.code, path.problem.params
        if code == "CERTIFICATE_EXPIRED" and not proven:
            code, params = "CERTIFICATE_EXPIRED_NO_POE", {"subject": params["subject"]}
        if code == "CERTIFICATE_REVOKED" and not proven and not _claimed_after(claimed, path.problem.revoked):
            code = "CERTIFICATE_REVOKED_NO_POE"
        severity = Severity.DOUBT if code == "CERTIFICATE_NOT_YET_VALID" and not proven else None
        inquiry.report(code, where=where, severity=severity, **params)
        return False
    anchor = path.certificates[0]
    if is_example(anchor):
        severity = Severity.NOTE if inquiry.trust.allow_example else Severity.DOUBT
        inquiry.report("EXAMPLE_KEYS", where=where, severity=severity, subject=display_name(anchor))
        return inquiry.trust.allow_example
    return True


def _claimed_after(claimed: datetime | None, revoked: datetime | None) -> bool:
    return claimed is not None and revoked is not None and claimed >= revoked


def is_example(certificate: Any) -> bool:
    """Whether an authority's common name marks it as an example whose keys are public."""
    return str(subject_value(certificate, "common_name") or "").upper().startswith(EXAMPLE_PREFIX)


def subject_value(certificate: Any, name: str) -> str | None:
    """One attribute of the subject by asn1crypto's name; None when absent or repeated."""
    try:
        value = certificate.subject.native.get(name)
    except Exception:  # noqa: BLE001 - broken names in foreign certificates
        return None
    return value if isinstance(value, str) else None


def display_name(certificate: Any) -> str:
    """What to call a certificate's owner in a message."""
    return subject_value(certificate, "common_name") or subject_value(certificate, "organization_name") or "?"


def _usages(certificate: Any) -> set[str] | None:
    """The extended key usages; None when the extension is absent. One that cannot be read names none."""
    try:
        value = certificate.extended_key_usage_value
        return {u.dotted for u in value} if value is not None else None
    except Exception:  # noqa: BLE001 - asn1crypto's lazy parsing raises a dozen types
        return set()


def has_usage(certificate: Any, oid: str) -> bool:
    """Whether the certificate's extended key usages name ``oid``. Absence of the extension is no leave."""
    return oid in (_usages(certificate) or ())


_SERVER, _CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
_OTHER_DUTIES = set(purposes.NAMES) - {purposes.SEAL} | {_SERVER}


def other_duty(certificate: Any) -> str | None:
    """The usage of a certificate that is for something else than documents alone, such as timestamps; else None.

    A web server's is: who holds its key is a machine, not a person. Signing in alone says nothing, as identity cards
    have that too.
    """
    usages = _usages(certificate) or set()
    found = usages & _OTHER_DUTIES
    return min(found) if found and usages <= _OTHER_DUTIES | {_CLIENT} else None


def may_make_seals(certificate: Any) -> bool:
    """Whether nothing in the certificate speaks against its making seals.

    Real makers have usages of any kind or none. But who was given one of the usages of this system, such as to use a
    seal or to sign records, and not that of a maker, was not meant to make one: else every holder could make any seal.
    """
    usages = _usages(certificate) or set()
    return purposes.SEAL_MAKER in usages or not usages & (purposes.NAMES.keys() - {purposes.TSA, purposes.OCSP})


def may_sign(certificate: Any) -> bool:
    """Whether the key usage, where stated, lets the key sign (RFC 5280 4.2.1.3). One that cannot be read does not."""
    try:
        value = certificate.key_usage_value
        return value is None or bool({"digital_signature", "non_repudiation"} & value.native)
    except Exception:  # noqa: BLE001 - asn1crypto's lazy parsing raises a dozen types
        return False
