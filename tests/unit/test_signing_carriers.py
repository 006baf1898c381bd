"""What carries a license beside the PDF: structured record, code on the page, status list."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import zlib
from datetime import date, timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from signing.errors import PurposeError, SigningError
from signing.formats.qr import MAX_URL, code_claims, code_url, longest_base_url, longest_url, make_code
from signing.formats.sdjwt import VISIBLE, make_record
from signing.formats.statuslist import make_status_list
from signing.keys import KeyPurpose
from tests.support.signing_pki import AT, BASE_URL, Pki, shared_pki
from verify.formats.license import FaceMap, Holder, LicenseRecord
from verify.formats.qr import holder_digest, unverified_code

RECORD = LicenseRecord(
    identifier="1.2.156.3005.2.11100000MB0143028R001.91110000600037341L.0000000000000017.001.X",
    type="business-license",
    type_version=1,
    type_code="11100000MB0143028R001",
    type_name="营业执照",
    number="91110000600037341L",
    version=1,
    copy_number=None,
    issuer_name="开封市市场监督管理局",
    issuer_code="91110000600037341L",
    issued=date(2026, 11, 23),
    valid_from=date(2026, 11, 23),
    valid_to=date(2031, 11, 22),
    region="410200",
    holders=(Holder("示例有限公司", "91110000600037341L", "001"),),
    fields={"name": "示例有限公司", "scope": "销售：日用品"},
    status_uri=f"{BASE_URL}/status-lists/1",
    status_index=4242,
    sample=True,
    face=FaceMap(((595.0, 842.0),), (), (), 1, (0.0, 0.0, 90.0, 90.0), 1, (0.0, 0.0, 110.0, 110.0)),
)
PEOPLE = (Holder("张三", "11010519491231002X", "111"), Holder("李四", "360426199101010071", "111"))


@pytest.fixture(scope="module", params=["p256", "rsa3072"])
def pki(request: pytest.FixtureRequest) -> Pki:
    return shared_pki(request.param)


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _checked(token: str, pki: Pki, purpose: KeyPurpose) -> tuple[dict[str, Any], dict[str, Any]]:
    head, body, value = token.split(".")
    header = json.loads(_unpad(head))
    leaf, above = (base64.b64decode(c) for c in header["x5c"])
    assert (leaf, above) == (pki.certificate(purpose), pki.issuing.certificate)
    public, signed, raw = x509.load_der_x509_certificate(leaf).public_key(), f"{head}.{body}".encode(), _unpad(value)
    if isinstance(public, ec.EllipticCurvePublicKey):
        assert (header["alg"], len(raw)) == ("ES256", 64)
        pair = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(pair, signed, ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(public, rsa.RSAPublicKey)
        assert header["alg"] == "RS256"
        public.verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())
    return header, json.loads(_unpad(body))


def _record(pki: Pki, record: LicenseRecord = RECORD, **options: Any) -> list[str]:
    chain = (pki.certificate(KeyPurpose.RECORD), pki.issuing.certificate)
    made = make_record(record, signer=pki.signer(KeyPurpose.RECORD), chain=chain, base_url=BASE_URL, at=AT, **options)
    return made.split("~")


def test_a_record_says_what_must_be_seen(pki: Pki) -> None:
    token, *disclosures, end = _record(pki)
    header, payload = _checked(token, pki, KeyPurpose.RECORD)
    assert header["typ"] == "dc+sd-jwt"
    assert end == ""
    facts = RECORD.to_json()
    assert {name: payload[name] for name in VISIBLE} == {name: facts[name] for name in VISIBLE}
    assert _unpad(payload["recordDigest"]) == RECORD.sha256()
    assert payload["vct"] == f"{BASE_URL}/v1/types/business-license"
    assert payload["status"] == {"status_list": {"idx": 4242, "uri": f"{BASE_URL}/status-lists/1"}}
    assert payload["exp"] - payload["nbf"] == 5 * 365 * 86400 + 86400  # one leap day
    assert "cnf" not in payload
    assert "certificateNumber" not in payload


def test_each_datum_can_be_withheld_alone(pki: Pki) -> None:
    token, *disclosures, _ = _record(pki, dataclasses.replace(RECORD, holders=PEOPLE))
    _, payload = _checked(token, pki, KeyPurpose.RECORD)
    digests = {base64.urlsafe_b64encode(hashlib.sha256(d.encode()).digest()).rstrip(b"=").decode() for d in disclosures}
    placed = {h["..."] for h in payload["holders"]} | set(payload["fields"]["_sd"]) | set(payload["_sd"])
    assert digests == placed
    opened = [json.loads(_unpad(d)) for d in disclosures]
    assert sorted(o[1] for o in opened if len(o) == 3) == ["certificateNumber", "name", "scope"]
    assert [o[1]["certificateHolderName"] for o in opened if len(o) == 2] == ["张三", "李四"]
    assert len({o[0] for o in opened}) == len(opened)
    assert all(len(_unpad(o[0])) == 16 for o in opened)
    for secret in ("张三", "11010519491231002X", "示例有限公司"):
        assert secret not in _unpad(token.split(".")[1]).decode()


def test_a_holder_s_key_is_bound_by_its_public_half(pki: Pki) -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ", "d": "never"}
    _, payload = _checked(_record(pki, holder_jwk=jwk)[0], pki, KeyPurpose.RECORD)
    assert payload["cnf"] == {"jwk": {"kty": "EC", "crv": "P-256", "x": "eA", "y": "eQ"}}


def test_an_unlimited_license_has_no_end(pki: Pki) -> None:
    _, payload = _checked(_record(pki, dataclasses.replace(RECORD, valid_to=None))[0], pki, KeyPurpose.RECORD)
    assert "exp" not in payload


def test_other_keys_sign_no_records(pki: Pki) -> None:
    with pytest.raises(PurposeError):
        make_record(
            RECORD, signer=pki.signer(KeyPurpose.SEAL), chain=(pki.certificate(KeyPurpose.SEAL),), base_url="", at=AT
        )
    with pytest.raises(SigningError, match="another key"):
        make_record(
            RECORD, signer=pki.signer(KeyPurpose.RECORD), chain=(pki.certificate(KeyPurpose.SEAL),), base_url="", at=AT
        )


def _code(pki: Pki, record: LicenseRecord, base: str = BASE_URL) -> bytes:
    return make_code(code_claims(record, base), pki.signer(KeyPurpose.CODE), pki.certificate(KeyPurpose.CODE))


def test_a_code_verifies_and_reads_back(pki: Pki) -> None:
    cose = _code(pki, RECORD)
    tag = cbor2.loads(cose)
    protected, unprotected, payload, value = tag.value
    certificate = pki.certificate(KeyPurpose.CODE)
    assert (tag.tag, unprotected) == (18, {})
    assert cbor2.loads(protected) == {1: -7, 4: hashlib.sha256(certificate).digest()[:8]}
    public = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    pair = encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    public.verify(pair, cbor2.dumps(["Signature1", protected, b"", payload]), ec.ECDSA(hashes.SHA256()))
    claims = cbor2.loads(payload)
    assert claims[2] == RECORD.identifier
    assert claims[-70003] == "示例有限公司"
    assert claims[-70004] == RECORD.sha256()
    assert (claims[5] + 8 * 3600) % 86400 == (claims[4] + 8 * 3600) % 86400 == 0
    read = unverified_code(code_url(BASE_URL, cose))
    assert read.differs_from(RECORD) is None


def test_people_are_named_by_digest_only(pki: Pki) -> None:
    record = dataclasses.replace(RECORD, holders=PEOPLE)
    cose = _code(pki, record)
    assert "张三".encode() not in cose
    read = unverified_code(code_url(BASE_URL, cose))
    assert read.holders == tuple(holder_digest(RECORD.identifier, h.name) for h in PEOPLE)
    assert read.differs_from(record) is None


LONGEST_BASE = longest_base_url("marriage-certificate", "J410200-2026-000001", 2)


@pytest.mark.parametrize("base", [BASE_URL, "https://" + "d" * (LONGEST_BASE - 8)])
def test_the_longest_code_still_fits(pki: Pki, base: str) -> None:
    worst = dataclasses.replace(
        RECORD,
        identifier=f"1.2.156.3005.2.11100000MB0143028R001.91110000600037341L.{'Z' * 16}.999.X",
        type="business-license-duplicate",
        number="91110000600037341L-999",
        holders=(Holder("中" * 120, "91110000600037341L", "001"),),
        status_uri=f"{base}/status-lists/9999",
        status_index=2**31 - 1,
    )
    couple = dataclasses.replace(worst, type="marriage-certificate", number="J410200-2026-000001", holders=PEOPLE)
    for record in (worst, couple):
        url = code_url(base, _code(pki, record, base))
        assert len(url) <= MAX_URL
        assert len(url) <= longest_url(base, record.type, record.number, len(record.holders))
        assert unverified_code(url).differs_from(record) is None
    assert longest_url(base + "d", couple.type, couple.number, 2) > MAX_URL or base == BASE_URL


def test_a_code_too_long_is_refused() -> None:
    with pytest.raises(SigningError, match="shorten"):
        code_url("https://example.org/" + "x" * 300, bytes(300))


def test_other_keys_sign_no_codes(pki: Pki) -> None:
    with pytest.raises(PurposeError):
        make_code(code_claims(RECORD, BASE_URL), pki.signer(KeyPurpose.SEAL), pki.certificate(KeyPurpose.SEAL))


def test_a_status_list_is_signed_and_compressed(pki: Pki) -> None:
    values = bytes(1000) + b"\x1b" + bytes(1000)
    uri = f"{BASE_URL}/status-lists/1"
    chain = (pki.certificate(KeyPurpose.STATUS), pki.issuing.certificate)
    token = make_status_list(
        uri, values, signer=pki.signer(KeyPurpose.STATUS), chain=chain, at=AT, ttl=300, expires=AT + timedelta(hours=1)
    )
    header, payload = _checked(token, pki, KeyPurpose.STATUS)
    assert header["typ"] == "statuslist+jwt"
    assert (payload["sub"], payload["ttl"], payload["exp"] - payload["iat"]) == (uri, 300, 3600)
    assert payload["status_list"]["bits"] == 2
    assert zlib.decompress(_unpad(payload["status_list"]["lst"])) == values
    with pytest.raises(PurposeError):
        make_status_list(
            uri, values, signer=pki.signer(KeyPurpose.SEAL), chain=chain, at=AT, ttl=1, expires=AT + timedelta(1)
        )
