"""Two regions with everything that an offline kit holds, made once a process, and the hands to make a kit of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from signing.backends import open_backend
from signing.formats.jose import signed_payload
from signing.formats.kit import make_kit
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose
from tests.support.signing_pki import AT, Pki, build_pki
from verify.formats.agreement import JWS_TYPE as AGREEMENT_TYPE
from verify.formats.agreement import Agreement
from verify.formats.anchor import Anchor
from verify.formats.kit import JWS_TYPE as KIT_TYPE
from verify.formats.kit import KINDS, MANIFEST, KitManifest, KitMember, KitRegion, packed, unpacked
from verify.formats.trustlist import JWS_TYPE, Endpoints, ListedIssuer, TrustList

HOME, OTHER, THIRD = "410000", "110000", "320000"
HOUR = datetime.timedelta(hours=1)
MADE = AT + HOUR


@lru_cache(maxsize=4)
def pki_of(region: str) -> Pki:
    """The PKI of a region; each has its own keys."""
    return build_pki(open_backend("memory:"), prefix=f"Region {region}", region=f"Region {region}")


def base_of(region: str) -> str:
    return f"https://{region}.example"


def anchor_of(region: str) -> Anchor:
    return Anchor(region, (pki_of(region).root.certificate,), name=f"Region {region}")


def list_of(region: str, sequence: int = 3, issued: datetime.datetime = AT) -> TrustList:
    pki, base = pki_of(region), base_of(region)
    issuer = ListedIssuer(
        "91110000600037341L", "开封市示例局", None, None, AT - HOUR, codes=(pki.certificate(KeyPurpose.CODE),),
        records=(pki.certificate(KeyPurpose.RECORD),),
    )  # fmt: skip
    return TrustList(
        region, f"Region {region}", sequence, issued, issued + 24 * HOUR, (pki.root.certificate,),
        (pki.issuing.certificate,), Endpoints(base, f"{base}/v1/trust-list", (f"{base}/status-lists/",)), (issuer,), (),
    )  # fmt: skip


def _chain(pki: Pki, purpose: KeyPurpose) -> tuple[bytes, bytes]:
    return pki.certificate(purpose), pki.issuing.certificate


def signed_list(listed: TrustList, by: str | None = None) -> bytes:
    pki = pki_of(by or listed.region)
    signer, chain = pki.signer(KeyPurpose.TRUST_LIST), _chain(pki, KeyPurpose.TRUST_LIST)
    return signed_payload({"typ": JWS_TYPE}, listed.payload(), signer=signer, chain=chain).encode()


def status_list(region: str, at: datetime.datetime = MADE, hours: int = 24) -> bytes:
    pki, chain = pki_of(region), _chain(pki_of(region), KeyPurpose.STATUS)
    ttl = hours * HOUR
    return make_status_list(
        f"{base_of(region)}/status-lists/1", bytes(64), signer=pki.signer(KeyPurpose.STATUS), chain=chain, at=at,
        ttl=ttl, expires=at + ttl,
    ).encode()  # fmt: skip


def agreement_of(accepting: str, issuing: str, signers: tuple[str, ...] | None = None) -> bytes:
    """An agreement signed by both, or by ``signers``."""
    agreement = Agreement("agreement-1", 1, accepting, issuing, "a-type", "a-type", AT, AT)
    signatures, payload = [], ""
    for region in signers or (accepting, issuing):
        pki = pki_of(region)
        signer, chain = pki.signer(KeyPurpose.TRUST_LIST), _chain(pki, KeyPurpose.TRUST_LIST)
        token = signed_payload({"typ": AGREEMENT_TYPE}, agreement.payload(), signer=signer, chain=chain)
        head, payload, signature = token.split(".")
        signatures.append({"protected": head, "signature": signature})
    return json.dumps({"payload": payload, "signatures": signatures}).encode()


@dataclass
class Parts:
    """What a kit is made of, to be changed before it is made. ``members``: entry and bytes."""

    members: list[tuple[KitMember, bytes]] = field(default_factory=list)
    regions: tuple[KitRegion, ...] = (KitRegion(OTHER, AT, AT),)
    home: str = HOME
    by: str = HOME
    made: datetime.datetime = MADE
    until: datetime.datetime = MADE + 24 * HOUR

    def add(self, kind: str, region: str, data: bytes, name: str | None = None, **more: object) -> None:
        named = f"{KINDS[kind]}/{name or region}{'.json' if kind == 'anchor' else '.jws'}"
        self.members.append((KitMember.of(named, kind, region, data, **more), data))  # type: ignore[arg-type]

    def drop(self, kind: str, region: str) -> None:
        self.members = [(m, d) for m, d in self.members if (m.kind, m.region) != (kind, region)]

    def manifest(self) -> KitManifest:
        return KitManifest(self.home, self.made, self.until, tuple(m for m, _ in self.members), self.regions)

    def made_kit(self, purpose: KeyPurpose = KeyPurpose.TRUST_LIST) -> bytes:
        """The kit; ``purpose`` is that of the key that signs it, which ours would refuse unless it is for lists."""
        pki = pki_of(self.by)
        signer, chain = pki.signer(purpose), _chain(pki, purpose)
        if purpose is KeyPurpose.TRUST_LIST:
            return make_kit(self.manifest(), {m.name: d for m, d in self.members}, signer=signer, chain=chain)
        token = signed_payload({"typ": KIT_TYPE}, self.manifest().payload(), signer=signer, chain=chain)
        return packed([(MANIFEST, token.encode()), *((m.name, d) for m, d in self.members)])


def good_parts() -> Parts:
    """Anchors, lists and status lists of two regions."""
    parts = Parts()
    for region in (HOME, OTHER):
        parts.add("anchor", region, json.dumps(anchor_of(region).to_json()).encode())
        parts.add("list", region, signed_list(list_of(region)))
        parts.add("status", region, status_list(region), uri=f"{base_of(region)}/status-lists/1")
    return parts


def repacked(kit: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The same manifest over members that were changed."""
    members = unpacked(kit)
    change(members)
    return packed(members.items())
