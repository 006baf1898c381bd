"""Adopting anchors and trust lists: which of what a region, or somebody between, hands over counts.

A state machine after the rules of python-tuf's TrustedMetadataSet. :class:`Adopted` is what is held of one region; an
offer gives the next state or raises :class:`AdoptionError`, and then nothing has changed. No network, no clock: one
reference time ``at`` is handed in for a whole run. In order:

1. The anchor comes first. A later one has the next number and is vouched for by as many of the old roots as the old
   threshold says, as many of the new as the new one says, and by every root that is new in it, so that nobody's root
   is put into an anchor without its leave. A chain of several is walked one by one.
2. A list names the anchor that is held, and a key for trust lists under one of that anchor's roots signed it. Nothing
   but the anchor's roots is trusted in this; a key that a revocation list at hand names does not count.
3. Its number is not below that of the list that is held; the same number means the same content.
4. It is not from the future, its next update has not passed, and lies not absurdly far ahead.

What was held stays when an offer is refused. Two refusals say something about the region itself, and the caller keeps
them with :func:`with_fault`: an older list of its own (until the newest is seen again), and two lists with one number
(until a person adopts anew).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from verify.checks.chain import Chains, display_name, load_lenient
from verify.checks.token import TokenError, check_token
from verify.evidence import Evidence
from verify.formats import purposes
from verify.formats.anchor import JWS_TYPE, Anchor, AnchorError, anchor_from_json
from verify.formats.cms import as_utc
from verify.formats.jose import JoseError, encode_base64url, strict_object, unverified_jws
from verify.formats.members import MemberError, Members
from verify.formats.trustlist import MAX_BYTES, TrustList, TrustListError, unverified_trust_list
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.trust.regions import KnownRegion

MAX_ANCHORS = 100
"""Steps of one walk from the anchor held to the newest."""
LONGEST_LIFE = timedelta(days=190)
"""From a list's issue to its next update: half a year, as ETSI TS 119 612 5.3.15 has it, and some days."""
_MAX_VOUCHER = 200_000
FAULTS = ("TRUST_LIST_ROLLBACK", "TRUST_LIST_EQUIVOCATED")
"""Refusals that are kept as faults of the region."""


class AdoptionError(Exception):
    """Why an offer does not count. ``code`` is a finding's, ``params`` fill its message."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(f"{code} {params}")
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in one run. ``crls`` are revocation lists (DER) at hand beside those that lists bring along.

    ``taken`` are roots (SHA-256, hex) that others have (:func:`roots_taken`): no list takes them. ``samples``: lists
    of example vaults count, which nobody holds to a territory. ``limit`` is the size that a list may have, in bytes.
    """

    at: datetime
    allow_example: bool = False
    samples: bool = False
    crls: tuple[bytes, ...] = ()
    taken: frozenset[str] = frozenset()
    limit: int = MAX_BYTES
    policy: Policy = DEFAULT_POLICY


@dataclass(frozen=True, slots=True)
class Adopted:
    """What is held of a region: its anchor, and its newest list with the token as it was signed, once there is one.

    ``content`` is SHA-256 (hex) of the list's payload. ``adopted`` is when this list came, ``confirmed`` when it was
    last seen to be the newest.
    """

    anchor: Anchor
    list: TrustList | None = None
    token: bytes = b""
    content: str = ""
    adopted: datetime | None = None
    confirmed: datetime | None = None
    faults: tuple[str, ...] = ()

    @property
    def region(self) -> str:
        """The region's code."""
        return self.anchor.region

    @property
    def sequence(self) -> int:
        """The number of the list that is held; 0 without one."""
        return 0 if self.list is None else self.list.sequence

    def known(self) -> KnownRegion | None:
        """The region as trust; None without a list."""
        if self.list is None or self.adopted is None or self.confirmed is None:
            return None
        anchor, content = self.anchor.digests(), self.content
        return KnownRegion(self.region, self.list, self.adopted, self.confirmed, self.faults, anchor, content)


def adopted_from(
    anchor: Anchor, token: bytes, adopted: datetime | None, confirmed: datetime | None, faults: Sequence[str] = ()
) -> Adopted:
    """The state that was kept: nothing is verified again. Raises TrustListError for a token that is none."""
    if not token:
        return Adopted(anchor, faults=tuple(faults))
    held, jws = unverified_trust_list(token)
    return Adopted(anchor, held, token, _digest(jws.payload), adopted, confirmed, tuple(faults))


def anchors_served(body: bytes) -> list[Anchor]:
    """The anchors that a region or a hub serves, ``{"anchors": […]}``. Raises AdoptionError (ANCHOR_BROKEN)."""
    try:
        items = Members(strict_object(body, "document")).items("anchors", limit=MAX_ANCHORS)
        return [anchor_from_json(a) for a in items]
    except (JoseError, MemberError, AnchorError) as error:
        raise AdoptionError("ANCHOR_BROKEN", reason=str(error)) from error


def offer_anchors(held: Adopted, anchors: Iterable[Anchor], rules: Rules) -> Adopted:
    """The state under the newest of ``anchors``, each reached from the one before. Raises AdoptionError.

    Those that are older than the one held are passed over: a region serves all it ever had.
    """
    offered = sorted(anchors, key=lambda a: a.sequence)
    for anchor in offered:
        if anchor.region != held.region:
            raise AdoptionError("ANCHOR_REGION_DIFFERS", expected=held.region, actual=anchor.region)
    later = [a for a in offered if a.sequence >= held.anchor.sequence]
    if offered and not later:
        raise AdoptionError("ANCHOR_ROLLBACK", offered=offered[-1].sequence, held=held.anchor.sequence)
    if len(later) > MAX_ANCHORS:
        raise AdoptionError("ANCHOR_BROKEN", reason="too many anchors at once")
    for anchor in later:
        held = offer_anchor(held, anchor, rules)
    return held


def offer_anchor(held: Adopted, anchor: Anchor, rules: Rules) -> Adopted:
    """The state under ``anchor``, the same one when it is the anchor held. Raises AdoptionError."""
    before = held.anchor
    if anchor.region != before.region:
        raise AdoptionError("ANCHOR_REGION_DIFFERS", expected=before.region, actual=anchor.region)
    if anchor.sequence < before.sequence:
        raise AdoptionError("ANCHOR_ROLLBACK", offered=anchor.sequence, held=before.sequence)
    if anchor.sequence == before.sequence:
        if anchor.statement() != before.statement():
            raise AdoptionError("ANCHOR_EQUIVOCATED", sequence=anchor.sequence)
        return held
    if anchor.sequence != before.sequence + 1:
        raise AdoptionError("ANCHOR_SKIPPED", offered=anchor.sequence, held=before.sequence)
    vouching = vouchers(anchor, before.certificates, rules)
    if before.admits and anchor.admits != before.admits:  # a hub's other roots do not take the admission over
        vouching = tuple(r for r in vouching if hashlib.sha256(r).hexdigest() in before.admits)
    old = len(_keys(vouching))
    if old < before.threshold:
        raise AdoptionError("ANCHOR_NOT_VOUCHED", count=old, threshold=before.threshold)
    new = vouchers(anchor, anchor.certificates, rules)
    if len(_keys(new)) < anchor.threshold:
        raise AdoptionError("ANCHOR_THRESHOLD", count=len(_keys(new)), threshold=anchor.threshold)
    silent = [c for c in anchor.certificates if c not in before.certificates and c not in new]
    if silent:
        raise AdoptionError("ANCHOR_ROOT_SILENT", subject=_name(silent[0]))
    return replace(held, anchor=anchor)


def vouchers(anchor: Anchor, roots: Sequence[bytes], rules: Rules) -> tuple[bytes, ...]:
    """Those of ``roots`` (DER) that vouch for ``anchor``: a key for trust lists under each signed its statement.

    A signer whose certificate has ended since counts as long as nothing says that it was revoked, so that who comes
    late can still walk the chain.
    """
    found = []
    statement = encode_base64url(anchor.statement())
    for signature in anchor.signatures:
        head, _, rest = signature.partition(".")
        try:
            jws = unverified_jws(f"{head}.{statement}.{rest.removeprefix('.')}", _MAX_VOUCHER + len(statement))
            if jws.header.get("typ") != JWS_TYPE or not rest.startswith(".") or not jws.chain:
                continue
            ends = as_utc(jws.certificates()[0].not_valid_after)
            path = _checked(jws, roots, min(rules.at, ends), (), rules, "ANCHOR_NOT_VOUCHED")
        except (JoseError, TokenError, ValueError):
            continue
        found.append(path)
    return tuple(r for r in roots if r in found)


def offer_list(held: Adopted, token: bytes, rules: Rules, *, by_hand: bool = False) -> Adopted:
    """The state with the list of ``token``; with the one held confirmed when it is that. Raises AdoptionError.

    ``by_hand``: a person adopts it, which ends a fault that the region had.
    """
    if len(token) > rules.limit:
        raise AdoptionError("TRUST_LIST_TOO_LARGE", size=len(token), limit=rules.limit)
    try:
        offered, jws = unverified_trust_list(token)
    except TrustListError as error:
        raise AdoptionError("TRUST_LIST_BROKEN", reason=str(error)) from error
    if offered.region != held.region:
        raise AdoptionError("TRUST_LIST_REGION_DIFFERS", expected=held.region, actual=offered.region)
    if offered.anchor_sequence != held.anchor.sequence:
        raise AdoptionError("TRUST_LIST_ANCHOR_OLD", listed=offered.anchor_sequence, held=held.anchor.sequence)
    former = () if held.list is None else held.list.crls
    try:
        _checked(jws, held.anchor.certificates, rules.at, (*offered.crls, *former), rules, "TRUST_LIST_UNTRUSTED")
    except TokenError as error:
        raise AdoptionError(error.code, **error.params) from error
    content = _digest(jws.payload)
    _check_order(held, offered, content)
    _check_time(offered, rules)
    if offered.example and not rules.samples:
        raise AdoptionError("TRUST_LIST_SAMPLE")
    foreign = [r for r in offered.roots if hashlib.sha256(r).hexdigest() in rules.taken]
    if foreign:
        raise AdoptionError("TRUST_LIST_ROOT_TAKEN", subject=_name(foreign[0]))
    faults = () if by_hand else tuple(f for f in held.faults if f != "TRUST_LIST_ROLLBACK")
    if content == held.content:
        return replace(held, confirmed=rules.at, faults=faults)
    return Adopted(held.anchor, offered, token, content, rules.at, rules.at, faults)


def roots_taken(anchor: Anchor, others: Iterable[KnownRegion], own: Iterable[bytes] = ()) -> frozenset[str]:
    """The roots that a list under ``anchor`` may not name: ``own`` ones (DER), and what other regions list.

    A region that lists a root has it, unless that root is in this anchor and not in the other region's.
    """
    mine = anchor.digests()
    theirs = {d for k in others if k.region != anchor.region for d in k.digests() if d in k.anchor or d not in mine}
    return frozenset(theirs | {hashlib.sha256(r).hexdigest() for r in own})


def confirmed(held: Adopted, at: datetime) -> Adopted:
    """The list held is still the newest: its own address says so. Nothing changes once its time is over."""
    if held.list is None or at >= held.list.next_update:
        return held
    return replace(held, confirmed=at, faults=tuple(f for f in held.faults if f != "TRUST_LIST_ROLLBACK"))


def with_fault(held: Adopted, code: str) -> Adopted:
    """The state with a refusal that says something about the region; any other leaves it as it is."""
    if code not in FAULTS or code in held.faults:
        return held
    return replace(held, faults=(*held.faults, code))


def _check_order(held: Adopted, offered: TrustList, content: str) -> None:
    if offered.sequence < held.sequence:
        raise AdoptionError("TRUST_LIST_ROLLBACK", offered=offered.sequence, held=held.sequence)
    if offered.sequence == held.sequence and content != held.content:
        raise AdoptionError("TRUST_LIST_EQUIVOCATED", sequence=offered.sequence)
    if held.list is not None and offered.sequence > held.sequence and offered.issued < held.list.issued:
        raise AdoptionError("TRUST_LIST_BROKEN", reason="it was issued before the list that it follows")


def _check_time(offered: TrustList, rules: Rules) -> None:
    if offered.issued > rules.at + rules.policy.clock_skew:
        raise AdoptionError("TRUST_LIST_FUTURE", issued=_told(offered.issued))
    if rules.at >= offered.next_update:
        raise AdoptionError("TRUST_LIST_EXPIRED", next_update=_told(offered.next_update))
    if offered.next_update - offered.issued > LONGEST_LIFE:
        raise AdoptionError("TRUST_LIST_BROKEN", reason="its next update is too far ahead")


def _checked(
    jws: Any, roots: Sequence[bytes], moment: datetime, crls: Sequence[bytes], rules: Rules, code: str
) -> bytes:
    """The root (DER) under which a key for trust lists signed. Raises TokenError."""
    inquiry = Inquiry(
        "trust list",
        trust=TrustStore(anchors=tuple(roots), allow_example=rules.allow_example),
        at=rules.at,
        policy=rules.policy,
        evidence=Evidence(crls=rules.crls),
    )
    chains = Chains(inquiry, jws.certificates(), crls)
    path = check_token(inquiry, chains, jws, usage=purposes.TRUST_LIST, made=moment, code=code)
    return bytes(path.certificates[0].dump())


def _keys(roots: Iterable[bytes]) -> set[bytes]:
    """The keys of roots: two certificates of one key vouch as one."""
    read = (load_lenient(r) for r in roots)
    return {r.public_key.dump() for r in read if r is not None}


def _name(der: bytes) -> str:

    read = load_lenient(der)
    return "" if read is None else str(display_name(read))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _told(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
