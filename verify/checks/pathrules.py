"""Is one way from an anchor down to a certificate a valid path? (RFC 5280 6.1, RFC 5937)

pyHanko's certvalidator applies the rules; signatures, strength of algorithms and revocation are asked elsewhere. An
anchor binds by what its own certificate says: whether it is an authority at all, how long paths below it may be, which
names they may bear. Its dates do not: whoever chose it decides how long he trusts it.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

_T = TypeVar("_T")
CONSTRAINED = "CHAIN_CONSTRAINTS_FAILURE"
_OIDS_READ = {
    "2.5.29.15", "2.5.29.17", "2.5.29.18", "2.5.29.19", "2.5.29.30", "2.5.29.31", "2.5.29.32", "2.5.29.33",
    "2.5.29.35", "2.5.29.36", "2.5.29.37", "2.5.29.46", "2.5.29.54", "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.3",
    "1.3.6.1.5.5.7.1.11", "1.3.6.1.5.5.7.48.1.5", "2.5.29.9", "2.5.29.14",
}  # fmt: skip
"""Extensions that a signer's certificate may mark as critical: those that are looked at, or bind nothing here."""

_NO_AUTHORITY = "one of its issuers is no authority"
_NO_LEAVE = "one of its issuers may not sign certificates"
_REASONS = (
    ("in the permitted namespace", "a name in it lies outside what an authority above may certify"),
    ("excluded from the namespace", "a name in it lies outside what an authority above may certify"),
    ("valid set of policies", "it does not meet the policies that an authority above demands"),
    ("size limit on the policy graph", "its policies are too many to follow"),
    ("maximum path length", "more authorities stand in between than one above allows"),
    ("is not a CA", _NO_AUTHORITY),
    ("is not allowed to sign certificates", _NO_LEAVE),
    ("issuer name could not be matched", "the names of issuer and subject do not match"),
)
"""What certvalidator says when a rule is broken, and how that is told here."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a way is no valid path: the finding's code; of PATH_WRONG the reason."""

    code: str
    sub_indication: str
    reason: str = ""


def fault_of(way: tuple[Any, ...], moment: datetime) -> Fault | None:
    """Validate ``way`` (anchor first, at least one certificate below it) at ``moment``; None when it holds."""
    unread = _unread_extension(way[-1])
    if unread:
        return _wrong(f"the critical extension {unread} is not known")
    try:
        reason = _anchor_fault(way[0])
        if reason:
            return _wrong(reason)
        run_without_io(_validate(way, moment))
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - broken foreign certificates make it throw many types
        return _told(error)
    return None


def _anchor_fault(anchor: Any) -> str:
    """Why what the caller trusts may not certify others: an anchor can be a signer's own certificate too."""
    constraints, usage = anchor.basic_constraints_value, anchor.key_usage_value
    if usage is not None and "key_cert_sign" not in usage.native:
        return _NO_LEAVE
    if constraints is not None:
        return "" if constraints["ca"].native else _NO_AUTHORITY
    old = anchor["tbs_certificate"]["version"].native == "v1"
    return "" if old or usage is not None else _NO_AUTHORITY


async def _validate(way: tuple[Any, ...], moment: datetime) -> None:
    from pyhanko_certvalidator import ValidationContext
    from pyhanko_certvalidator.authority import CertTrustAnchor, TrustQualifiers
    from pyhanko_certvalidator.path import ValidationPath
    from pyhanko_certvalidator.policy_decl import (
        AcceptAllAlgorithms,
        CertRevTrustPolicy,
        RevocationCheckingPolicy,
        RevocationCheckingRule,
    )
    from pyhanko_certvalidator.validate import async_validate_path

    from verify.checks.signing import CheckedHere

    rule = RevocationCheckingRule.NO_CHECK
    context = ValidationContext(
        trust_roots=[way[0]],
        moment=moment,
        best_signature_time=moment,
        allow_fetching=False,
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
        algorithm_usage_policy=AcceptAllAlgorithms(),
        signature_validator=CheckedHere(),
    )
    most = way[0].max_path_length
    # certvalidator 0.33 counts down the second limit, which is for attribute authorities, whenever there is the first
    binding = TrustQualifiers(_names(way[0]), max_path_length=most, max_aa_path_length=most)
    anchor = CertTrustAnchor(way[0], quals=binding)
    await async_validate_path(context, ValidationPath(anchor, way[1:-1], way[-1]))


def _names(anchor: Any) -> Any:
    """The names that paths below an anchor may bear (RFC 5937 3.2); None when it does not say."""
    from asn1crypto import x509
    from pyhanko_certvalidator import name_trees
    from pyhanko_certvalidator.policy_decl import PKIXValidationParams

    stated = anchor.name_constraints_value
    if stated is None:
        return None
    permitted, excluded = name_trees.default_permitted_subtrees(), name_trees.default_excluded_subtrees()
    for trees, kind in ((permitted, "permitted_subtrees"), (excluded, "excluded_subtrees")):
        if isinstance(stated[kind], x509.GeneralSubtrees):
            trees.update(name_trees.process_general_subtrees(stated[kind]))  # of other kinds of names it says nothing
    return PKIXValidationParams(initial_permitted_subtrees=permitted, initial_excluded_subtrees=excluded)


def _told(error: Exception) -> Fault:
    from pyhanko_certvalidator import errors

    if isinstance(error, errors.ExpiredError):
        return Fault("CERTIFICATE_EXPIRED", "EXPIRED")
    if isinstance(error, errors.NotYetValidError):
        return Fault("CERTIFICATE_NOT_YET_VALID", "NOT_YET_VALID")
    text = str(error)
    for said, reason in _REASONS:
        if said in text:
            return _wrong(reason)
    _, found, extension = text.partition("unsupported critical extension: ")
    if found and " " not in extension:
        return _wrong(f"the critical extension {extension} is not known")
    if isinstance(error, (errors.PathError, errors.ValidationError)):
        return _wrong("a rule for paths is broken")
    return Fault("PATH_WRONG", "CERTIFICATE_CHAIN_GENERAL_FAILURE", f"{type(error).__name__} while reading it")


def _wrong(reason: str) -> Fault:
    return Fault("PATH_WRONG", CONSTRAINED, reason)


def _unread_extension(certificate: Any) -> str:
    """A critical extension of a signer's certificate that nobody here looks at; certvalidator asks only the others."""
    for extension in certificate["tbs_certificate"]["extensions"] or ():
        if extension["critical"].native and extension["extn_id"].dotted not in _OIDS_READ:
            return str(extension["extn_id"].dotted)
    return ""


def run_without_io(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never waits for anything; so it works inside a running event loop too."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("path validation wanted to wait for something")
