"""Real sealed licenses for tests of the verifier: drawn by ``templates``, signed by ``signing``, no vault between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from signing.formats.pades import Baseline, ValidationData, seal_pdf
from signing.formats.qr import code_claims, code_url, make_code
from signing.formats.sdjwt import make_record
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose
from templates.assembly import assemble
from templates.registry import LicenseType, shipped_types
from templates.render import FaceFacts, compose
from templates.schema import check
from templates.seals import SealArt
from tests.support.signing_pki import AT, BASE_URL, Pki, shared_pki
from verify import Evidence, TrustStore, VaultFacts
from verify.formats.codes import Identifier
from verify.formats.license import LicenseRecord
from verify.formats.qr import unverified_code

ISSUER_CODE = "91110000600037341L"
ISSUER_NAME = "开封市示例局"
STATUS_URI = f"{BASE_URL}/status-lists/1"
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOW = AT + timedelta(minutes=1)
"""When the tests look at what was sealed at ``AT``."""


@dataclass
class Sealed:
    """One issued license with everything that belongs to it."""

    pdf: bytes
    record: LicenseRecord
    code: str
    sd_jwt: str
    pki: Pki

    def trust(self, **changes: Any) -> TrustStore:
        store = TrustStore(
            anchors=(self.pki.root.certificate,),
            certificates=(self.pki.issuing.certificate, self.pki.certificate(KeyPurpose.CODE)),
            allow_example=True,
        )
        return replace(store, **changes)

    def evidence(self, value: int = 0, **changes: Any) -> Evidence:
        """The vault's status list, with ``value`` for this license, and its revocation data."""
        lists = {STATUS_URI: status_list(self.pki, value)}
        ocsp = self.pki.ocsp(KeyPurpose.RECORD, KeyPurpose.CODE, at=AT)
        return replace(Evidence(lists, crls=(self.pki.root_crl(),), ocsps=(ocsp,)), **changes)

    def facts(self, **changes: Any) -> VaultFacts:
        return replace(
            VaultFacts(
                self.record.identifier,
                "ISSUED",
                record_sha256=self.record.sha256().hex(),
                current_version=self.record.version,
                code_sha256=unverified_code(self.code).sha256,
                token_sha256=hashlib.sha256(self.sd_jwt.partition("~")[0].rpartition(".")[0].encode()).hexdigest(),
            ),
            **changes,
        )


def status_list(pki: Pki, value: int = 0, *, at: datetime = AT, signer: KeyPurpose = KeyPurpose.STATUS) -> bytes:
    values = bytearray(64)
    values[1] = value << 2  # index 5
    return make_status_list(
        STATUS_URI,
        bytes(values),
        signer=pki.signer(signer),
        chain=(pki.certificate(signer), pki.issuing.certificate),
        at=at,
        ttl=3600,
        expires=at + timedelta(days=1),
    ).encode()


@lru_cache(maxsize=1)
def _types() -> dict[str, LicenseType]:
    return {t.name: t for t in shipped_types()}


def validation_data(pki: Pki, at: datetime = AT) -> ValidationData:
    purposes = (KeyPurpose.SEAL, KeyPurpose.TSA)
    return ValidationData(
        certificates=(pki.root.certificate, pki.issuing.certificate),
        crls=(pki.root_crl(at),),
        ocsps=tuple(pki.ocsp(p, at=at) for p in purposes),
    )


def build(
    pki: Pki,
    type_name: str = "business-license",
    *,
    baseline: Baseline = Baseline.B_LT,
    data: Mapping[str, Any] | None = None,
    serial: str = "00000001",
    sample: bool = True,
    change_record: Callable[[LicenseRecord], LicenseRecord] = lambda r: r,
    change_code: Callable[[str], str] = lambda c: c,
    change_pdf: Callable[[bytes], bytes] = lambda p: p,
    seal_purpose: KeyPurpose = KeyPurpose.SEAL,
    at: datetime = AT,
    stamped_by: Pki | None = None,
) -> Sealed:
    """Issue one license; the ``change_`` arguments let an issuer of forgeries have its way before sealing.

    ``stamped_by``: whose timestamp it bears, where not that of its own PKI.
    """
    license_type = _types()[type_name]
    example = json.loads((EXAMPLES / f"{type_name}.json").read_text())
    checked = check(license_type, {**example, **(data or {})}, today=date(2026, 11, 23))
    identifier = str(Identifier(license_type.type_code, ISSUER_CODE, serial, 1))
    number = checked.number or "豫示字第00000001号"
    facts = FaceFacts(identifier, number, 1, checked.copy_number)
    art = SealArt(ISSUER_NAME, "official", "", 42.0)
    composition = compose(license_type, checked, facts, sample=sample, seal=art)
    record = change_record(
        LicenseRecord(
            identifier=identifier,
            type=license_type.name,
            type_version=license_type.version,
            type_code=license_type.type_code,
            type_name=license_type.title.zh,
            number=number,
            version=1,
            copy_number=checked.copy_number,
            issuer_name=checked.authority,
            issuer_code=ISSUER_CODE,
            issued=checked.issued,
            valid_from=checked.valid_from,
            valid_to=checked.valid_to,
            region=checked.region,
            holders=checked.holders,
            fields=checked.fields,
            status_uri=STATUS_URI,
            status_index=5,
            sample=sample,
            face=composition.face,
        )
    )
    claims = code_claims(record, BASE_URL)
    cose = make_code(claims, pki.signer(KeyPurpose.CODE), pki.certificate(KeyPurpose.CODE))
    code = change_code(code_url(BASE_URL, cose))
    unsigned = change_pdf(
        assemble(
            composition,
            record=record.canonical(),
            code_text=code,
            title=record.type_name,
            created=at,
            identifier=identifier,
            issuer=checked.authority,
        )
    )
    pdf = seal_pdf(
        unsigned,
        field="Seal1",
        signer=pki.signer(seal_purpose),
        certificate=pki.certificate(seal_purpose),
        chain=(pki.issuing.certificate,),
        at=at,
        baseline=baseline,
        stamp=None if baseline is Baseline.B_B else (stamped_by or pki).tsa().at(at),
        validation=validation_data(pki, at) if baseline in (Baseline.B_LT, Baseline.B_LTA) else None,
    )
    sd_jwt = make_record(
        record,
        signer=pki.signer(KeyPurpose.RECORD),
        chain=(pki.certificate(KeyPurpose.RECORD), pki.issuing.certificate),
        base_url=BASE_URL,
        at=at,
    )
    return Sealed(pdf, record, code, sd_jwt, pki)


@lru_cache(maxsize=8)
def genuine(baseline: Baseline = Baseline.B_LT, type_name: str = "business-license", suite: str = "p256") -> Sealed:
    """A genuine license, made once a process."""
    return build(shared_pki(suite), type_name, baseline=baseline)
