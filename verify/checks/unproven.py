"""Chains of what carries no timestamp: structured records and codes.

Their time is only their issuer's word. A certificate that has lapsed or was revoked since may have been used before or
after; without the vault's word for this very license that stays open (ETSI EN 319 102-1 5.3, REVOKED_NO_POE).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Path, Revocation, display_name, report_path
from verify.evidence import VaultFacts
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
    if not path.good or _vouched(inquiry, identifier, same):
        return path
    lapsed = [c for c in path.certificates[1:] if c.not_valid_after < inquiry.at]
    if lapsed:
        inquiry.report("CERTIFICATE_EXPIRED_NO_POE", where=where, subject=display_name(lapsed[0]))
        return path
    since = chains.validate(leaf, max(inquiry.at, claimed), Revocation.KNOWN)
    if since.problem is not None and since.problem.code == "CERTIFICATE_REVOKED":
        report_path(inquiry, since, where, proven=False, claimed=claimed)
        return since
    return path


def _vouched(inquiry: Inquiry, identifier: str, same: Callable[[VaultFacts], bool]) -> bool:
    """Whether the vault made these very bytes: then it does not matter that nothing proves the time."""
    if inquiry.evidence.lookup is None:
        return False
    try:
        facts = inquiry.evidence.lookup(identifier)
    except Exception:  # noqa: BLE001 - the caller's own code
        return False
    return facts is not None and facts.state != "VOID" and same(facts)
