"""Two regions that recognize each other's licenses, made without a vault: one issues, the other asks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

from signing.keys import KeyPurpose
from tests.support.regions import FakeRegion, region_pki
from tests.support.sealed import ISSUER_CODE, NOW, STATUS_URI, Sealed, build
from tests.support.signing_pki import AT, Pki
from verify import verify_code, verify_document, verify_record
from verify.evidence import Evidence
from verify.formats.agreement import Agreement
from verify.formats.trustlist import Endpoints, ListedIssuer, ListedType, TrustList
from verify.trust.anchors import TrustStore
from verify.trust.regions import KnownAgreement, KnownRegion, Regions, with_regions
from verify.verdict import Verdict

HOME, THEIRS = "110000", "410000"
TYPE = "road-transport-license"
OUR_FIELDS = ("operator_name", "unified_social_credit_code", "business_scope", "valid_to", "remarks")
REQUIRED = ("operator_name", "business_scope")
DAY = timedelta(days=1)


@lru_cache(maxsize=4)
def region(code: str) -> FakeRegion:
    """The region of that code, the same one each time in this process."""
    return FakeRegion(code, [region_pki(f"Region {code}")])


def pki_of(code: str) -> Pki:
    return region(code).pkis[0]


@lru_cache(maxsize=8)
def license_of(code: str = THEIRS, stamped_by: str = "") -> Sealed:
    """A license that the region's issuer has sealed, perhaps with another region's timestamp."""
    stamper = pki_of(stamped_by) if stamped_by else None
    return build(pki_of(code), TYPE, sample=False, data={"issuing_authority": "开封市示例局"}, stamped_by=stamper)


def listed(code: str = THEIRS, **changes: Any) -> TrustList:
    """The region's list, with the issuer of :func:`license_of`."""
    pki, base = pki_of(code), "http://127.0.0.1:8000"
    issuer = ListedIssuer(
        ISSUER_CODE,
        "开封市示例局",
        None,
        None,
        AT - DAY,
        level=3,
        records=(pki.certificate(KeyPurpose.RECORD),),
        codes=(pki.certificate(KeyPurpose.CODE),),
    )
    properties = {"operator_name": {"type": "string"}, "business_scope": {"type": "string"}}
    made = region(code).listed(
        3,
        issued=NOW - timedelta(minutes=30),
        endpoints=Endpoints(base, f"{base}/v1/trust-list", (STATUS_URI,)),
        issuers=(issuer,),
        types=(ListedType(TYPE, 1, "11100000000019713D008", "证", "Type", {"properties": properties}),),
    )
    return replace(made, **changes)


def agreement(**changes: Any) -> Agreement:
    made = Agreement("a0000001", 1, HOME, THEIRS, TYPE, "our-transport", AT - DAY, AT - DAY)
    return replace(made, **changes)


@dataclass(frozen=True)
class World:
    """What the home region knows. ``lists`` are those of others, ``agreements`` with whether they are good."""

    lists: tuple[TrustList, ...] = ()
    agreements: tuple[KnownAgreement, ...] = ()
    home: Pki | None = None
    changes: tuple[tuple[str, Any], ...] = ()

    def trust(self, **changes: Any) -> TrustStore:
        home = self.home or pki_of(HOME)
        own = TrustStore(
            anchors=(home.root.certificate,),
            certificates=(home.issuing.certificate, home.certificate(KeyPurpose.CODE)),
            remits=(),
        )
        known = tuple(
            KnownRegion(t.region, t, NOW - DAY, NOW - timedelta(minutes=5), anchor=region(t.region).anchor.digests())
            for t in self.lists
        )
        regions = Regions(
            HOME,
            known,
            self.agreements,
            types=(("our-transport", REQUIRED),),
            fields=(("our-transport", OUR_FIELDS),),
        )
        return with_regions(replace(own, **changes), replace(regions, **dict(self.changes)))

    def verdict(self, sealed: Sealed, kind: str = "record", evidence: Evidence | None = None, **more: Any) -> Verdict:
        given: dict[str, Any] = {"trust": self.trust(), "at": NOW, "evidence": evidence or sealed.evidence(), **more}
        if kind == "record":
            return verify_record(sealed.sd_jwt, **given)
        return verify_code(sealed.code, **given) if kind == "code" else verify_document(sealed.pdf, **given)


def world(*agreements: Agreement, lists: tuple[TrustList, ...] | None = None, **changes: Any) -> World:
    """The issuing region is known; ``agreements`` are approved and countersigned, by default one without conditions."""
    made = agreements or (agreement(),)
    held = tuple(KnownAgreement(a, approved=True, countersigned=True) for a in made)
    return World(lists if lists is not None else (listed(),), held, changes=tuple(changes.items()))


def severities(verdict: Verdict, code: str) -> list[str]:
    return [f.severity.value for f in verdict.findings if f.code == code]
