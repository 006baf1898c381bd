"""The XML form of a trust list says what the JSON form says, and is signed as XMLDSig and XAdES want it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import load_der_x509_certificate
from lxml import etree

from signing.errors import MechanismError, PurposeError, SigningError
from signing.formats.crl import RevokedEntry, make_crl
from signing.formats.trustlistxml import Operator, make_trust_list_xml
from signing.keys import KeyPurpose
from tests.support.signing_pki import AT, Pki, serial_of, shared_pki
from verify.formats.trustlist import Endpoints, TrustList

NS = {
    "t": "http://uri.etsi.org/02231/v2#",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xades": "http://uri.etsi.org/01903/v1.3.2#",
}
SVC = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"


def listing(pki: Pki, **changes: Any) -> TrustList:
    found = TrustList(
        region="410000",
        name="河南省",
        sequence=7,
        issued=AT,
        next_update=AT + timedelta(days=7),
        roots=(pki.root.certificate,),
        authorities=(pki.issuing.certificate,),
        endpoints=Endpoints("https://a.example", "https://a.example/v1/trust-list"),
        issuers=(),
        types=(),
        crls=(pki.root_crl(),),
        timestamps=(pki.certificate(KeyPurpose.TSA),),
    )
    return replace(found, **changes)


def made(pki: Pki, listed: TrustList | None = None, purpose: KeyPurpose = KeyPurpose.TRUST_LIST, **more: Any) -> bytes:
    given = {"signer": pki.signer(purpose), "certificate": pki.certificate(purpose), "at": AT, **more}
    return make_trust_list_xml(listed or listing(pki), **given)


def texts(data: bytes, path: str) -> list[str]:
    return [str(e.text) for e in etree.fromstring(data).iterfind(path, NS)]


def canonical(element: Any) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


@pytest.mark.parametrize("suite", ["p256", "rsa3072"])
def test_digests_and_signature_value_agree_with_the_written_document(suite: str) -> None:
    """XMLDSig 3.2, with nothing of ours."""
    pki = shared_pki(suite)
    root = etree.fromstring(made(pki))
    signature = root[-1]
    assert signature.tag == f"{{{NS['ds']}}}Signature"
    info = signature.find("ds:SignedInfo", NS)
    of_content, of_properties = info.findall("ds:Reference", NS)
    properties = signature.find(".//xades:SignedProperties", NS)
    assert of_properties.get("URI") == f"#{properties.get('Id')}"
    signed, told = canonical(info), of_properties.findtext("ds:DigestValue", namespaces=NS)
    assert base64.b64decode(told) == hashlib.sha256(canonical(properties)).digest()
    key = load_der_x509_certificate(pki.certificate(KeyPurpose.TRUST_LIST)).public_key()
    value = base64.b64decode(signature.findtext("ds:SignatureValue", namespaces=NS))
    if isinstance(key, ec.EllipticCurvePublicKey):
        assert len(value) == 64  # r and s, not DER
        pair = encode_dss_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:]))
        key.verify(pair, signed, ec.ECDSA(hashes.SHA256()))
    else:
        key.verify(value, signed, padding.PKCS1v15(), hashes.SHA256())
    root.remove(signature)
    assert of_content.get("URI") == ""
    told = of_content.findtext("ds:DigestValue", namespaces=NS)
    assert base64.b64decode(told) == hashlib.sha256(canonical(root)).digest()


def test_the_signature_is_enveloped_exclusive_and_names_the_certificate_that_signed() -> None:
    """TS 119 612 annex B and 5.7.1."""
    pki = shared_pki()
    data = made(pki)
    root = etree.fromstring(data)
    content = root.findall(".//ds:Reference", NS)[0]
    assert [t.get("Algorithm") for t in content.iterfind(".//ds:Transform", NS)] == [
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    ]
    certificate = pki.certificate(KeyPurpose.TRUST_LIST)
    assert [base64.b64decode(t) for t in texts(data, ".//ds:X509Certificate")] == [certificate]
    (digest,) = texts(data, ".//xades:SigningCertificateV2/xades:Cert/xades:CertDigest/ds:DigestValue")
    assert base64.b64decode(digest) == hashlib.sha256(certificate).digest()
    assert texts(data, ".//xades:SigningTime") == ["2026-11-23T08:00:00Z"]
    loaded = x509.Certificate.load(certificate)
    assert "0.4.0.2231.3.0" in [u.dotted for u in loaded.extended_key_usage_value]


def test_number_times_and_authorities_are_those_of_the_json_form() -> None:
    pki = shared_pki()
    listed = listing(pki, example=True)
    data = made(pki, listed)
    scheme = listed.to_json()["LoTE"]["ListAndSchemeInformation"]
    assert texts(data, ".//t:TSLSequenceNumber") == [str(scheme["LoTESequenceNumber"])]
    assert texts(data, ".//t:ListIssueDateTime") == [scheme["ListIssueDateTime"]]
    assert texts(data, ".//t:NextUpdate/t:dateTime") == [scheme["NextUpdate"]]
    assert texts(data, ".//t:SchemeTerritory") == [scheme["SchemeTerritory"]]
    assert texts(data, ".//t:DistributionPoints/t:URI") == ["https://a.example/v1/trust-list.xml"]
    certificates = [base64.b64decode(t) for t in texts(data, ".//t:X509Certificate")]
    assert certificates == [*listed.roots, *listed.authorities, *listed.timestamps]
    assert set(texts(data, ".//t:ServiceStatus")) == {f"{SVC}granted"}
    notices = texts(data, ".//t:TSLLegalNotice")
    assert any("EXAMPLE" in n for n in notices)
    assert any("样本" in n for n in notices)


def test_a_revoked_authority_is_withdrawn_from_when_its_key_was_in_doubt() -> None:
    pki = shared_pki()
    doubted, revoked = AT - timedelta(hours=5), AT - timedelta(hours=1)
    entry = RevokedEntry(serial_of(pki.issuing.certificate), revoked, "ca_compromise", doubted)
    crl = make_crl(pki.root, number=2, this_update=AT, next_update=AT + timedelta(days=30), revoked=[entry])
    data = made(pki, listing(pki, crls=(crl,)))
    assert texts(data, ".//t:ServiceInformation/t:ServiceStatus") == [
        f"{SVC}{s}" for s in ("granted", "withdrawn", "granted")
    ]
    (since,) = etree.fromstring(data).xpath(
        f"//t:ServiceInformation[t:ServiceStatus='{SVC}withdrawn']/t:StatusStartingTime/text()", namespaces=NS
    )
    assert since == "2026-11-23T03:00:00Z"
    (before,) = etree.fromstring(data).iterfind(".//t:ServiceHistoryInstance", NS)
    assert before.findtext("t:ServiceStatus", namespaces=NS) == f"{SVC}granted"
    assert before.find(".//t:X509Certificate", NS) is None
    identifier = base64.b64decode(before.findtext(".//t:X509SKI", namespaces=NS))
    assert identifier == x509.Certificate.load(pki.issuing.certificate).key_identifier


def test_a_key_stands_once_however_often_it_is_listed() -> None:
    pki = shared_pki()
    data = made(pki, listing(pki, authorities=(pki.issuing.certificate,) * 2))
    assert len(texts(data, ".//t:TSPService/t:ServiceInformation/t:ServiceTypeIdentifier")) == 3


def test_what_the_operator_says_of_itself_is_written() -> None:
    operator = Operator("郑东新区 1 号", "郑州市", "450000", "help@a.example", "11410000MB1234567C")
    data = made(shared_pki(), operator=operator)
    assert set(texts(data, ".//t:StreetAddress")) == {"郑东新区 1 号"}
    assert "mailto:help@a.example" in texts(data, ".//t:ElectronicAddress/t:URI")
    assert set(texts(data, ".//t:TSPTradeName/t:Name")) == {"NTRCN-11410000MB1234567C"}


def test_markup_in_a_name_stays_text_and_no_document_type_is_written() -> None:
    name = '<!DOCTYPE x [<!ENTITY e "y">]>&e;河南\t省'
    data = made(shared_pki(), listing(shared_pki(), name=name))
    assert b"<!" not in data
    assert name.replace("\t", " ") in texts(data, ".//t:SchemeOperatorName/t:Name")


def test_characters_that_xml_cannot_hold_are_refused() -> None:
    with pytest.raises(SigningError, match="XML"):
        made(shared_pki(), listing(shared_pki(), name="河南\x00省"))


def test_sm2_has_no_xml_signature() -> None:
    with pytest.raises(MechanismError, match="SM2"):
        made(shared_pki("sm2"))


def test_only_a_key_for_trust_lists_signs() -> None:
    with pytest.raises(PurposeError):
        made(shared_pki(), purpose=KeyPurpose.ANSWER)


def test_a_certificate_of_another_key_is_refused() -> None:
    with pytest.raises(SigningError, match="another key"):
        made(shared_pki(), certificate=shared_pki().certificate(KeyPurpose.ANSWER))


def test_a_list_for_more_than_six_months_is_refused() -> None:
    """TS 119 612 5.3.15."""
    with pytest.raises(SigningError, match="six months"):
        made(shared_pki(), listing(shared_pki(), next_update=AT + timedelta(days=200)))
