"""Does a license hold at the moment of checking? Its dates, and its entry in the issuer's status list.

Days are days of Asia/Shanghai. A list that is missing, broken, stale or signed by nobody trusted leaves the standing
unknown: a check that could not run is a doubt, never a pass. So does the list of another authority, even one that was
chosen too: each tells of its own licenses only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from verify.checks.chain import Chains, display_name, same_region, subject_value
from verify.checks.token import TokenError, check_token
from verify.formats import licensestatus, purposes, statuslist
from verify.formats.jose import JoseError, unverified_jws
from verify.formats.license import LicenseRecord
from verify.inquiry import Inquiry
from verify.trust.regions import KnownRegion
from verify.verdict import Conclusion, conclusion_from

SHANGHAI = timezone(timedelta(hours=8))
SECOND = timedelta(seconds=1)  # a NumericDate has no parts of one
_FINDINGS = {
    statuslist.INVALID: "STATUS_REVOKED",
    statuslist.SUSPENDED: "STATUS_SUSPENDED",
    statuslist.SUPERSEDED: "STATUS_SUPERSEDED",
}


@dataclass(frozen=True, slots=True)
class Term:
    """When a license holds, and where its status stands. Days are inclusive; ``valid_to`` None is without end."""

    valid_from: date | None
    valid_to: date | None
    uri: str
    index: int
    identifier: str


def check_standing(inquiry: Inquiry, record: LicenseRecord, anchor: Any | None) -> None:
    """Judge a record's dates and status. ``anchor`` is the one under which it was sealed, where that is known."""
    status = (record.status_uri, record.status_index)
    check_term(inquiry, Term(record.valid_from, record.valid_to, *status, record.identifier), anchor)


def check_term(inquiry: Inquiry, term: Term, anchor: Any | None) -> None:
    """Judge dates and status, by a list of the authority whose ``anchor`` this is."""
    today = inquiry.at.astimezone(SHANGHAI).date()
    if term.valid_from is not None and today < term.valid_from:
        inquiry.report("NOT_YET_IN_FORCE", from_day=term.valid_from.isoformat())
    if term.valid_to is not None and today > term.valid_to:
        inquiry.report("EXPIRED", to_day=term.valid_to.isoformat())
    value, fault = None, TokenError("STATUS_UNAVAILABLE")
    foreign = anchor is not None and inquiry.trust.region_of(anchor.dump()) is not None
    passed = ("STATUS_STALE", "STATUS_UNTRUSTED") if foreign else ("STATUS_STALE",)
    for token in _tokens(inquiry, term, anchor):
        try:
            value = _value(inquiry, term, token, anchor)
            break
        except TokenError as error:
            fault = error
            if error.code not in passed or isinstance(error, _LaterError):
                break
    if value is None and isinstance(fault, _LaterError):
        value = _answered(inquiry, term, anchor)
    if value is None:
        inquiry.report(fault.code, uri=term.uri, **fault.params)
        return
    if value in _FINDINGS:
        inquiry.report(_FINDINGS[value])
    elif value != statuslist.VALID:
        inquiry.report("STATUS_BROKEN", uri=term.uri, reason=f"its value {value} has no meaning here")


def _tokens(inquiry: Inquiry, term: Term, anchor: Any | None) -> Iterator[bytes]:
    """Lists that may tell, one after another until one does that is not stale: the one at hand, then a fetched one.

    For a license of another region that is the one kept of that region: the address may be ours as well by chance.
    """
    region = inquiry.trust.region_of(anchor.dump()) if anchor is not None else None
    if region is not None:
        kept = inquiry.evidence.region_lists.get((region.region, term.uri))
        if kept is not None:
            yield kept
        asked = _asked(inquiry, region, term.uri)
        if asked is not None:
            yield asked
    own = inquiry.evidence.status_lists.get(term.uri)
    # A vault that does not know the license has no list for it, though an address may be the same by chance.
    unknown = any(f.code == "VAULT_UNKNOWN_IDENTIFIER" for f in inquiry.findings)
    if own is not None and not unknown:
        yield own
    if own is None or not unknown:
        fetched = _fetched(inquiry, term.uri)
        if fetched is not None:
            yield fetched


class _LaterError(TokenError):
    """The list was made after the moment of checking: it cannot tell of that moment."""


def _answered(inquiry: Inquiry, term: Term, anchor: Any | None) -> int | None:
    """The value at a past moment by the vault's signed answer; None, with a finding, where that does not count."""
    ask = inquiry.evidence.standing_at
    if ask is None or any(f.code == "VAULT_UNKNOWN_IDENTIFIER" for f in inquiry.findings):
        return None
    try:
        token = ask(term.identifier, inquiry.at)
    except Exception:  # noqa: BLE001 - the caller's own code
        return None
    if token is None:
        return None
    try:
        jws = unverified_jws(token, licensestatus.MAX_BYTES)
        found = licensestatus.unverified_license_status(jws)
        if found.identifier != term.identifier or found.at != inquiry.at or found.made + SECOND < found.at:
            raise licensestatus.LicenseStatusError("it is about another license or moment")
        chains = Chains(inquiry, jws.certificates(), under=anchor)
        path = check_token(inquiry, chains, jws, usage=purposes.ANSWER, made=found.made, code="STANDING_ANSWER_WRONG")
        if anchor is not None and not _is_same_authority(inquiry, path.certificates[0], anchor):
            raise licensestatus.LicenseStatusError("it is not of the authority of this license")
    except (JoseError, licensestatus.LicenseStatusError) as error:
        inquiry.report("STANDING_ANSWER_WRONG", reason=str(error))
        return None
    except TokenError as error:
        inquiry.report(error.code, **error.params)
        return None
    inquiry.origin.status_made, inquiry.origin.status_uri = found.made, term.uri
    inquiry.report("STANDING_FROM_HISTORY", made=found.made.strftime("%Y-%m-%d %H:%M:%SZ"))
    return found.status


def _asked(inquiry: Inquiry, region: KnownRegion, uri: str) -> bytes | None:
    """The list from the region itself, by an address below its own, once nothing stands against the license."""
    source, base = inquiry.evidence.region_source, region.list.endpoints.base
    if source is None or not uri.startswith(base + "/"):
        return None
    if conclusion_from(inquiry.integrity, inquiry.findings) is not Conclusion.VALID:
        return None
    inquiry.spend()
    try:
        return source(region.region, uri)
    except Exception:  # noqa: BLE001 - the caller's own code
        return None


def _fetched(inquiry: Inquiry, uri: str) -> bytes | None:
    """The list from the caller's source, once nothing stands against the license: else a stranger wrote the address."""
    source = inquiry.evidence.source
    if source is None or conclusion_from(inquiry.integrity, inquiry.findings) is not Conclusion.VALID:
        return None
    from verify.checks.fetching import fetch_status_list

    inquiry.spend()
    return fetch_status_list(source, uri)


def _value(inquiry: Inquiry, term: Term, token: bytes, anchor: Any | None) -> int:
    """The status value, after everything about the list was checked. Raises TokenError."""
    try:
        jws = unverified_jws(token, inquiry.policy.limits.status_list_bytes)
        listed = statuslist.unverified_status_list(jws, inquiry.policy.limits.status_list_bytes)
    except (JoseError, statuslist.StatusListError) as error:
        raise TokenError("STATUS_BROKEN", reason=str(error)) from error
    if listed.uri != term.uri:
        raise TokenError("STATUS_BROKEN", reason="it is another list")
    _check_fresh(listed, inquiry.at, inquiry.policy.clock_skew)
    chains = Chains(inquiry, jws.certificates(), under=anchor)
    path = check_token(inquiry, chains, jws, usage=purposes.STATUS, made=listed.issued, code="STATUS_UNTRUSTED")
    if anchor is not None and not _is_same_authority(inquiry, path.certificates[0], anchor):
        name = display_name(path.certificates[0])
        raise TokenError("STATUS_UNTRUSTED", reason=f"{name} is not the authority of this license")
    inquiry.origin.status_made, inquiry.origin.status_uri = listed.issued, term.uri
    try:
        return listed[term.index]
    except IndexError as error:
        raise TokenError("STATUS_INDEX_OUTSIDE", index=term.index) from error


def _is_same_authority(inquiry: Inquiry, one: Any, other: Any) -> bool:
    """Whether two chosen anchors are one, or both of one organization, as before and after a change of its root.

    Which roots are one region's its trust list says, whatever names they bear.
    """
    if not same_region(inquiry.trust, one, other):
        return False
    if inquiry.trust.region_of(one.dump()) is not None:
        return True
    names = [(subject_value(a, "country_name"), subject_value(a, "organization_name")) for a in (one, other)]
    return one.dump() == other.dump() or (names[0][1] is not None and names[0] == names[1])


def _check_fresh(listed: statuslist.UnverifiedStatusList, at: datetime, skew: timedelta) -> None:
    """Fresh means: made before ``at``, and neither its expiry nor its time to live is over."""
    made = listed.issued.strftime("%Y-%m-%d %H:%M:%SZ")
    ends = [listed.expires] if listed.expires is not None else []
    if listed.ttl is not None:
        ends.append(listed.issued + timedelta(seconds=listed.ttl))
    if listed.issued > at + skew:
        raise _LaterError("STATUS_STALE", made=made, age=age_text(at - listed.issued))
    if not ends or min(ends) + skew < at:
        raise TokenError("STATUS_STALE", made=made, age=age_text(at - listed.issued))


def age_text(span: timedelta) -> str:
    """How old, in units that every language reads; with a minus when it is younger than the moment asked about."""
    minutes = abs(int(span.total_seconds())) // 60
    days, rest = divmod(minutes, 1440)
    parts = [f"{days} d"] * (days > 0) + [f"{rest // 60} h"] * (rest >= 60) + [f"{rest % 60} min"] * (days == 0)
    return ("-" if span < timedelta() else "") + " ".join(parts)
