"""Status lists that somebody keeps for later: is one genuine? Whether it is fresh is asked when it is used."""

from __future__ import annotations

from datetime import datetime

from verify.checks.chain import Chains
from verify.checks.token import TokenError, check_token
from verify.evidence import Evidence
from verify.formats import purposes, statuslist
from verify.formats.jose import JoseError, unverified_jws
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.trust.regions import KnownRegion


def list_made(token: bytes, uri: str, region: KnownRegion, at: datetime, policy: Policy = DEFAULT_POLICY) -> datetime:
    """When the status list was made that a key for status lists under the region's own roots signed, for that address.

    Raises TokenError, also for one that is not from before ``at``.
    """
    trust = TrustStore(region.list.roots, region.list.authorities, allow_example=True)
    inquiry = Inquiry("status list", trust=trust, at=at, policy=policy, evidence=Evidence(crls=region.list.crls))
    try:
        jws = unverified_jws(token, policy.limits.status_list_bytes)
        listed = statuslist.unverified_status_list(jws, policy.limits.status_list_bytes)
    except (JoseError, statuslist.StatusListError) as error:
        raise TokenError("STATUS_BROKEN", reason=str(error)) from error
    if listed.uri != uri:
        raise TokenError("STATUS_BROKEN", reason="it is another list")
    if listed.issued > at + policy.clock_skew:
        raise TokenError("STATUS_BROKEN", reason="made after the time of checking")
    chains = Chains(inquiry, jws.certificates())
    check_token(inquiry, chains, jws, usage=purposes.STATUS, made=listed.issued, code="STATUS_UNTRUSTED")
    return listed.issued
