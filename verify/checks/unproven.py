"""Chains of what carries no timestamp: structured records and codes.

Their time is only their issuer's word. A certificate that has lapsed or was revoked since may have been used before or
after; without the vault's word for this very license that stays open (ETSI EN 319 102-1 5.3, REVOKED_NO_POE).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Path, Problem, Revocation, display_name, report_path
from verify.checks.trusttime import report_namesake
from verify.evidence import VaultFacts
from verify.formats.cms import as_utc
from verify.inquiry import Inquiry


def judge_unproven(
    inquiry: Inquiry,
    chains: Chains,
    leaf: Any,
    claimed: datetime,
    *,
    identifier: str,
    same: Callable[[VaultFacts], bool],
    where: str,
) -> Path:
    """Judge ``leaf`` at the moment its owner claims; then ask what has become of it since.

    ``same`` says whether the vault's facts are of these very bytes. A digest that the bytes merely claim will not do:
    whoever holds a stolen key copies it.
    """
    path = chains.validate(leaf, claimed, Revocation.IGNORED)
    report_path(inquiry, path, where, claimed=claimed)
    report_namesake(inquiry, chains, path, leaf, where)
    if not path.good:
        return path
    since = _since(inquiry, chains, path, leaf, claimed)
    if since is None:
        return path
    if vouched(inquiry, identifier, same):
        inquiry.report("VAULT_VOUCHES", where=where, what=since.code)
        return path
    outcome = Path(path.certificates, since)
    report_path(inquiry, outcome, where, proven=False, claimed=claimed)
    return outcome


def _since(inquiry: Inquiry, chains: Chains, path: Path, leaf: Any, claimed: datetime) -> Problem | None:
    """What has become of the chain since. A certificate that the caller gave needs no proof that it was not revoked."""
    lapsed = [c for c in path.certificates[1:] if as_utc(c.not_valid_after) < inquiry.at]
    if lapsed:
        return Problem("CERTIFICATE_EXPIRED", {"subject": display_name(lapsed[0])}, "EXPIRED")
    given = leaf.dump() in inquiry.trust.certificates or _is_listed(inquiry, path, leaf)
    asked = Revocation.KNOWN if given else Revocation.REQUIRED
    later = chains.validate(leaf, max(inquiry.at, claimed), asked).problem
    return later if later is not None and later.code in ("CERTIFICATE_REVOKED", "REVOCATION_UNKNOWN") else None


def _is_listed(inquiry: Inquiry, path: Path, leaf: Any) -> bool:
    """Whether the region whose root that is lists the certificate."""
    region = inquiry.trust.region_of(path.anchor.dump()) if path.anchor is not None else None
    regions = inquiry.trust.regions
    return region is not None and regions is not None and regions.lists_certificate(region.region, leaf.dump())


def vouched(inquiry: Inquiry, identifier: str, same: Callable[[VaultFacts], bool]) -> bool:
    """Whether the vault made these very bytes: then it does not matter that nothing proves the time."""
    if inquiry.evidence.lookup is None:
        return False
    try:
        facts = inquiry.evidence.lookup(identifier)
    except Exception:  # noqa: BLE001 - the caller's own code
        return False
    return facts is not None and facts.state != "VOID" and same(facts)
