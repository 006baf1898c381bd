"""Does a chain lead from a certificate to an anchor that the caller chose, and was no link revoked? (RFC 5280 6)

Paths are built and validated by pyHanko's certvalidator, never with anybody's anchors but the caller's and never with
the network. Without anchors nothing is asked of it: its own default would be the system's roots.
"""

from __future__ import annotations

import enum
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from verify.findings import Severity
from verify.formats import purposes
from verify.formats.purposes import EXAMPLE_PREFIX
from verify.inquiry import Inquiry

_T = TypeVar("_T")
MAX_ISSUERS = 50


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
    """Why a path does not hold: a finding's code and parameters."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)
    sub_indication: str = ""
    revoked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """The outcome for one certificate: ``certificates`` from anchor to leaf when a path was found."""

    certificates: tuple[Any, ...] = ()
    problem: Problem | None = None

    @property
    def good(self) -> bool:
        """Whether a valid path leads to an anchor."""
        return self.problem is None


class Chains:
    """Validates certificates of one run against one pool of intermediates and revocation data."""

    def __init__(
        self, inquiry: Inquiry, certificates: Iterable[Any], crls: Iterable[bytes] = (), ocsps: Iterable[bytes] = ()
    ) -> None:
        self.inquiry = inquiry
        self.anchors = [a for a in map(load_lenient, inquiry.trust.anchors) if a is not None]
        given = [c for c in map(load_lenient, inquiry.trust.certificates) if c is not None]
        self._certificates = [*certificates, *given]
        self._crls = [*crls, *inquiry.evidence.crls]
        self._ocsps = [*ocsps, *inquiry.evidence.ocsps]

    @cached_property
    def pool(self) -> list[Any]:
        """Certificates that may stand between signer and anchor: those whose names and keys can be read."""
        return [c for c in self._certificates if _is_readable(c)]

    @cached_property
    def crls(self) -> list[Any]:
        """The revocation lists that may be by one of these authorities."""
        keys = {c.key_identifier for c in [*self.pool, *self.anchors]} if self._crls else set()
        return [c for c in _loaded(self._crls, _load_crl) if _of_keys(c, keys)]

    @cached_property
    def ocsps(self) -> list[Any]:
        """The OCSP responses."""
        return _loaded(self._ocsps, _load_ocsp)

    def validate(self, certificate: Any, moment: datetime, revocation: Revocation = Revocation.REQUIRED) -> Path:
        """Validate at ``moment``."""
        path = self._validated(certificate, moment, revocation)
        unknown = path.problem is not None and path.problem.code == "REVOCATION_UNKNOWN"
        if unknown and revocation is Revocation.KNOWN:
            return self._validated(certificate, moment, Revocation.IGNORED)
        return path

    def _validated(self, certificate: Any, moment: datetime, revocation: Revocation) -> Path:
        subject = display_name(certificate)
        if not self.anchors:
            return Path(problem=Problem("NO_TRUSTED_PATH", {"subject": subject}, "NO_CERTIFICATE_CHAIN_FOUND"))
        try:
            found = run_without_io(self._validate(certificate, moment, revocation))
        except (RecursionError, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - broken foreign certificates make it throw many types
            problem = _problem(error, subject, moment)
            if problem.code in ("PATH_WRONG", "ALGORITHM_WEAK") and not self._names_an_anchor(certificate):
                problem = Problem("NO_TRUSTED_PATH", {"subject": subject}, "NO_CERTIFICATE_CHAIN_FOUND")
            return Path(problem=problem)
        chain = tuple(found.iter_certs(include_root=True))
        return Path(chain)

    def _answers_for(self, certificate: Any) -> list[Any]:
        """OCSP responses about this certificate or an authority: one about another counts as a failed check."""
        serials = {c.serial_number for c in [certificate, *self.pool] if c is certificate or c.ca}
        return [o for o in self.ocsps if _asked_about(o) & serials]

    def _names_an_anchor(self, certificate: Any) -> bool:
        """Whether issuers, by name and key identifier (RFC 5280 4.2.1.1), lead up to an anchor.

        Without it, the file of another vault whose root merely has the same name would be called forged.
        """
        todo, seen = [certificate], set[bytes]()
        while todo and len(seen) < MAX_ISSUERS:
            current = todo.pop()
            if any(_issued_by(current, anchor) for anchor in self.anchors):
                return True
            seen.add(current.dump())
            todo += [c for c in self.pool if c.dump() not in seen and _issued_by(current, c)]
        return False

    async def _validate(self, certificate: Any, moment: datetime, revocation: Revocation) -> Any:
        from pyhanko_certvalidator import CertificateValidator, ValidationContext
        from pyhanko_certvalidator.policy_decl import (
            CertRevTrustPolicy,
            RevocationCheckingPolicy,
            RevocationCheckingRule,
        )

        from verify.formats.gm import SignatureValidator

        rule = {
            Revocation.REQUIRED: RevocationCheckingRule.CRL_OR_OCSP_REQUIRED,
            Revocation.KNOWN: RevocationCheckingRule.CHECK_IF_DECLARED_SOFT,
            Revocation.IGNORED: RevocationCheckingRule.NO_CHECK,
        }[revocation]
        context = ValidationContext(
            trust_roots=self.anchors,
            moment=moment,
            allow_fetching=False,
            crls=self.crls,
            ocsps=self._answers_for(certificate),
            revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule), retroactive_revinfo=True),
            weak_hash_algos=set(self.inquiry.policy.weak_hashes),
            signature_validator=SignatureValidator(),
        )
        validator = CertificateValidator(certificate, intermediate_certs=self.pool, validation_context=context)
        return await validator.async_validate_path()


def run_without_io(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never waits for anything; so it works inside a running event loop too."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("path validation wanted to wait for something")


def _issued_by(certificate: Any, issuer: Any) -> bool:
    if certificate.issuer.hashable != issuer.subject.hashable:
        return False
    named, own = certificate.authority_key_identifier, issuer.key_identifier
    if named is None and certificate.issuer.hashable == certificate.subject.hashable:
        named = certificate.key_identifier  # a root need not name its own key as its issuer's
    return named is None or own is None or bool(named == own)


def load_lenient(der: bytes) -> Any | None:
    """A certificate as asn1crypto reads it, or None."""
    from asn1crypto import x509

    try:
        certificate = x509.Certificate.load(der)
    except Exception:  # noqa: BLE001 - the caller's own broken file must not stop the rest
        return None
    return certificate if _is_readable(certificate) else None


def _is_readable(certificate: Any) -> bool:
    """Whether the names, key and extensions that building a path asks for can be read."""
    try:
        _ = certificate.subject.hashable, certificate.issuer.hashable
        _ = certificate.public_key.algorithm, certificate.key_identifier
    except Exception:  # noqa: BLE001 - a broken certificate proves nothing
        return False
    return True


def _loaded(values: Iterable[bytes], load: Any) -> list[Any]:
    found = []
    for value in values:
        try:
            found.append(load(value))
        except Exception:  # noqa: BLE001, S112 - evidence that cannot be read proves nothing
            continue
    return found


def _load_crl(der: bytes) -> Any:
    from asn1crypto import crl

    return crl.CertificateList.load(der)


def _of_keys(crl: Any, keys: set[bytes | None]) -> bool:
    """Whether a list may be by one of these authorities: one of another key under the same name proves nothing here."""
    try:
        named = crl.authority_key_identifier
        return named is None or bool(named in keys)
    except Exception:  # noqa: BLE001 - a broken list proves nothing
        return False


def _load_ocsp(der: bytes) -> Any:
    from asn1crypto import ocsp

    response = ocsp.OCSPResponse.load(der)
    _asked_about(response)
    return response


def _asked_about(response: Any) -> set[int]:
    """Serial numbers that an OCSP response answers for."""
    return {r["cert_id"]["serial_number"].native for r in response.response_data["responses"]}


def _problem(error: Exception, subject: str, moment: datetime) -> Problem:
    from pyhanko_certvalidator import errors

    at = moment.strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(error, errors.RevokedError):
        when = error.revocation_dt.strftime("%Y-%m-%d %H:%M:%SZ")
        return Problem("CERTIFICATE_REVOKED", {"subject": subject, "at": when}, "REVOKED", error.revocation_dt)
    if isinstance(error, errors.ExpiredError):
        return Problem("CERTIFICATE_EXPIRED", {"subject": subject, "at": at}, "EXPIRED")
    if isinstance(error, errors.NotYetValidError):
        return Problem("CERTIFICATE_NOT_YET_VALID", {"subject": subject, "at": at}, "NOT_YET_VALID")
    if isinstance(error, errors.InsufficientRevinfoError):
        return Problem("REVOCATION_UNKNOWN", {"subject": subject, "reason": str(error)}, "TRY_LATER")
    if isinstance(error, errors.DisallowedAlgorithmError):
        return Problem("ALGORITHM_WEAK", {"algorithm": str(error)}, "CRYPTO_CONSTRAINTS_FAILURE_NO_POE")
    if isinstance(error, errors.PathBuildingError) or "self-signed" in str(error):
        return Problem("NO_TRUSTED_PATH", {"subject": subject}, "NO_CERTIFICATE_CHAIN_FOUND")
    return Problem("PATH_WRONG", {"subject": subject, "reason": str(error)}, "CERTIFICATE_CHAIN_GENERAL_FAILURE")


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


def has_usage(certificate: Any, oid: str) -> bool:
    """Whether the certificate's extended key usages name ``oid``. Absence of the extension is no leave."""
    value = certificate.extended_key_usage_value
    return value is not None and oid in {u.dotted for u in value}


def other_duty(certificate: Any) -> str | None:
    """The usage of a certificate that is for something else than documents alone, such as timestamps; else None."""
    value = certificate.extended_key_usage_value
    usages: set[str] = {u.dotted for u in value} if value is not None else set()
    if not usages or not usages <= set(purposes.NAMES) - {purposes.SEAL}:
        return None
    return min(usages)


def may_sign(certificate: Any) -> bool:
    """Whether the key usage, where stated, lets the key sign (RFC 5280 4.2.1.3)."""
    value = certificate.key_usage_value
    return value is None or bool({"digital_signature", "non_repudiation"} & value.native)
