"""Small regions with trust lists and anchors, made without a vault, honest or otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from signing.backends import open_backend
from signing.formats.crl import RevokedEntry, make_crl
from signing.formats.jose import signed_payload
from signing.formats.trustlist import make_trust_list, vouch_for
from signing.keys import KeyPurpose
from tests.support.signing_pki import AT, Pki, build_pki, serial_of
from verify.formats.anchor import Anchor
from verify.formats.trustlist import JWS_TYPE, Endpoints, ListedIssuer, TrustList

DAY = timedelta(days=1)
NOW = AT + timedelta(hours=1)


@cache
def region_pki(name: str) -> Pki:
    """The PKI of that name, the same one each time in this process."""
    return build_pki(open_backend("memory:"), prefix=name, region=name)


@dataclass
class FakeRegion:
    """A region: ``pkis`` are its roots with what is below them, the newest last."""

    code: str
    pkis: list[Pki]
    anchors: list[Anchor] = field(default_factory=list)
    base: str = ""

    def __post_init__(self) -> None:
        if not self.anchors:
            self.anchors = [Anchor(self.code, (self.pkis[0].root.certificate,), name=f"区域 {self.code}")]
        self.base = self.base or f"https://{self.code}.example"

    @property
    def anchor(self) -> Anchor:
        return self.anchors[-1]

    def listed(self, sequence: int = 1, *, issued: datetime = NOW, **changes: Any) -> TrustList:
        """A list with one issuer."""
        issuer = ListedIssuer("11410200MB1234567C", "开封市局", None, None, AT)
        made = TrustList(
            region=self.code,
            name=f"区域 {self.code}",
            sequence=sequence,
            issued=issued.replace(microsecond=0),
            next_update=issued.replace(microsecond=0) + 7 * DAY,
            roots=tuple(p.root.certificate for p in self.pkis),
            authorities=tuple(p.issuing.certificate for p in self.pkis),
            endpoints=Endpoints(self.base, f"{self.base}/v1/trust-list", (f"{self.base}/status-lists/1",)),
            issuers=(issuer,),
            types=(),
            anchor_sequence=self.anchor.sequence,
        )
        return replace(made, **changes)

    def token(self, sequence: int = 1, *, by: Pki | None = None, **changes: Any) -> bytes:
        """A list, signed by the newest root's key for trust lists."""
        return signed_list(self.listed(sequence, **changes), by or self.pkis[-1])

    def next_anchor(self, *pkis: Pki, by: Sequence[Pki], threshold: int = 1, **changes: Any) -> Anchor:
        """The anchor that follows, with the roots of ``pkis``, vouched for by ``by``; it is not taken over."""
        made = Anchor(
            self.code, tuple(p.root.certificate for p in pkis), threshold, self.anchor.sequence + 1, self.anchor.name
        )
        return vouched(replace(made, **changes), *by)

    def roll(self, pki: Pki) -> Anchor:
        """Take a new root in place of the old ones, as an honest region does."""
        made = self.next_anchor(pki, by=(self.pkis[-1], pki))
        self.anchors.append(made)
        self.pkis.append(pki)
        return made


def fake_region(code: str = "410000", name: str = "") -> FakeRegion:
    """A region with one root of its own."""
    return FakeRegion(code, [region_pki(name or f"Region {code}")])


def signed_list(listed: TrustList, by: Pki) -> bytes:
    """The list signed by that PKI's key for trust lists."""
    return make_trust_list(listed, signer=by.signer(KeyPurpose.TRUST_LIST), chain=chain_of(by)).encode()


def signed_by_another_purpose(listed: TrustList, by: Pki, purpose: KeyPurpose) -> bytes:
    """The list signed by a key that is not for lists."""
    signer = by.signer(purpose)
    token = signed_payload({"typ": JWS_TYPE}, listed.payload(), signer=signer, chain=chain_of(by, purpose))
    return token.encode()


def chain_of(pki: Pki, purpose: KeyPurpose = KeyPurpose.TRUST_LIST) -> tuple[bytes, ...]:
    return (pki.certificate(purpose), pki.issuing.certificate)


def vouched(anchor: Anchor, *by: Pki) -> Anchor:
    """The anchor with a signature of each of those PKIs more."""
    signatures = tuple(vouch_for(anchor, signer=p.signer(KeyPurpose.TRUST_LIST), chain=chain_of(p)) for p in by)
    return replace(anchor, signatures=(*anchor.signatures, *signatures))


def crl_against_trust_list_key(pki: Pki, since: datetime, *, at: datetime) -> bytes:
    """The revocation list that names the key for trust lists."""
    entry = RevokedEntry(serial_of(pki.certificate(KeyPurpose.TRUST_LIST)), since, "key_compromise")
    return make_crl(pki.issuing, number=9, this_update=at, next_update=at + 7 * DAY, revoked=[entry])
