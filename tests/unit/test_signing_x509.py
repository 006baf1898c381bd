"""Certificates, revocation lists and OCSP answers, read by other parsers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signing.backends import open_backend
from signing.errors import PurposeError, SigningError
from signing.formats.crl import RevokedEntry, make_crl
from signing.formats.ocsp import MAX_QUESTIONS, answer_ocsp, ocsp_for
from signing.formats.x509 import Ca, CertificateRequestData, Subject, issue_certificate, self_signed_root
from signing.keys import KeyPurpose
from signing.signer import BackendSigner
from tests.support.signing_pki import AT, Pki, serial_of, shared_pki
from verify.formats import purposes
from verify.formats.algorithms import Algorithm


@pytest.fixture(scope="module")
def pki() -> Pki:
    return shared_pki()


def _load(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def test_each_leaf_says_what_it_is_for_and_nothing_else(pki: Pki) -> None:
    for purpose, (der, _) in pki.leafs.items():
        certificate = _load(der)
        certificate.verify_directly_issued_by(_load(pki.issuing.certificate))
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert usage.critical
        assert usage.value.digital_signature
        assert usage.value.content_commitment is (purpose is KeyPurpose.SEAL)
        assert not usage.value.key_cert_sign
        extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        own, *further = [o.dotted_string for o in extended.value]
        assert purposes.NAMES[own] == purpose.value
        assert further == ([purposes.TSL_SIGNING] if purpose is KeyPurpose.TRUST_LIST else [])
        assert extended.critical is (purpose is KeyPurpose.TSA)


def test_the_chain_is_bound_by_key_identifiers(pki: Pki) -> None:
    issuing, root = _load(pki.issuing.certificate), _load(pki.root.certificate)
    issuing.verify_directly_issued_by(root)
    own = issuing.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert own == x509.SubjectKeyIdentifier.from_public_key(issuing.public_key()).digest
    leaf = _load(pki.certificate(KeyPurpose.SEAL))
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == own
    assert issuing.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


def test_the_subject_names_the_issuer(pki: Pki) -> None:
    subject = _load(pki.certificate(KeyPurpose.SEAL)).subject
    assert [a.oid.dotted_string for a in subject] == ["2.5.4.6", "2.5.4.10", "2.5.4.97", "2.5.4.3"]
    assert [a.value for a in subject][:3] == ["CN", "开封市示例局", "91110000600037341L"]


def test_the_responder_is_not_asked_about(pki: Pki) -> None:
    certificate = _load(pki.certificate(KeyPurpose.OCSP))
    certificate.extensions.get_extension_for_oid(ExtensionOID.OCSP_NO_CHECK)
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    access = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [a.access_method.dotted_string for a in access] == ["1.3.6.1.5.5.7.48.2"]


def test_the_timestamp_key_stops_signing_before_its_certificate_ends(pki: Pki) -> None:
    period = _load(pki.certificate(KeyPurpose.TSA)).extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod)
    assert period.value.not_after is not None
    assert period.value.not_after.year == 2027


@pytest.mark.parametrize("algorithm", list(Algorithm)[:4])
def test_every_algorithm_signs_certificates(algorithm: Algorithm) -> None:
    backend = open_backend("memory:")
    signer = BackendSigner(backend, backend.generate("root", algorithm, KeyPurpose.CA))
    made = self_signed_root(signer, Subject("EXAMPLE"), serial=1, not_before=AT, not_after=AT + timedelta(days=9999))
    _load(made).verify_directly_issued_by(_load(made))


def _request(pki: Pki, **changes: object) -> CertificateRequestData:
    values: dict[str, object] = {
        "subject": Subject("x"),
        "key": pki.signer(KeyPurpose.SEAL).handle,
        "serial": 5,
        "not_before": AT,
        "not_after": AT + timedelta(days=1),
    }
    return CertificateRequestData(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"not_after": AT + timedelta(days=9000)}, "outside the time"),
        ({"not_after": AT}, "in order"),
        ({"serial": 0}, "serial number"),
        ({"serial": 2**160}, "serial number"),
        ({"subject": Subject("名" * 65)}, "64 characters"),
    ],
)
def test_impossible_certificates_are_refused(pki: Pki, changes: dict[str, object], words: str) -> None:
    with pytest.raises(SigningError, match=words):
        issue_certificate(pki.issuing, _request(pki, **changes))


def test_a_ca_is_its_own_key(pki: Pki) -> None:
    with pytest.raises(SigningError, match="another key"):
        issue_certificate(Ca(pki.root.certificate, pki.issuing.signer), _request(pki))
    with pytest.raises(SigningError, match="another key"):
        make_crl(Ca(pki.root.certificate, pki.issuing.signer), number=1, this_update=AT, next_update=AT)


def test_a_seal_key_issues_nothing(pki: Pki) -> None:
    with pytest.raises(PurposeError):
        issue_certificate(Ca(pki.certificate(KeyPurpose.SEAL), pki.signer(KeyPurpose.SEAL)), _request(pki))


def test_a_revocation_list_reads_back(pki: Pki) -> None:
    entries = [RevokedEntry(99, AT, "certificate_hold"), RevokedEntry(3, AT, "key_compromise", AT - timedelta(days=2))]
    made = make_crl(pki.issuing, number=7, this_update=AT, next_update=AT + timedelta(days=1), revoked=entries)
    crl = x509.load_der_x509_crl(made)
    assert crl.is_signature_valid(_load(pki.issuing.certificate).public_key())  # type: ignore[arg-type]
    assert [e.serial_number for e in crl] == [3, 99]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    revoked = crl.get_revoked_certificate_by_serial_number(3)
    assert revoked is not None
    assert revoked.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc.day == 21


def _ask(pki: Pki, *purposes_: KeyPurpose, nonce: bytes | None = b"n" * 16) -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        _load(pki.certificate(purposes_[0])), _load(pki.issuing.certificate), hashes.SHA256()
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), False)
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.build().public_bytes(Encoding.DER)


def test_an_answer_is_signed_and_echoes_the_nonce(pki: Pki) -> None:
    answer = ocsp.load_der_ocsp_response(answer_ocsp(_ask(pki, KeyPurpose.SEAL), responders=[pki.responder], at=AT))
    assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == b"n" * 16
    (delegate,) = answer.certificates
    assert ExtendedKeyUsageOID.OCSP_SIGNING in delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    from cryptography.hazmat.primitives.asymmetric import ec

    key = delegate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(answer.signature, answer.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))


def test_no_nonce_none_back(pki: Pki) -> None:
    request = _ask(pki, KeyPurpose.SEAL, nonce=None)
    answer = ocsp.load_der_ocsp_response(answer_ocsp(request, responders=[pki.responder], at=AT))
    assert list(answer.extensions) == []


def _many(request: bytes, count: int) -> bytes:
    parsed = asn1_ocsp.OCSPRequest.load(request)
    one = parsed["tbs_request"]["request_list"][0]
    return asn1_ocsp.OCSPRequest({"tbs_request": {"request_list": [one] * count}}).dump()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda r: b"",
        lambda r: b"nonsense",
        lambda r: r[:-1],
        lambda r: r + b"\x00",
        lambda r: b"\x30\x80\x00\x00",
        lambda r: _many(r, MAX_QUESTIONS + 1),
        lambda r: r + b"x" * 20_000,
    ],
)
def test_a_malformed_request_is_called_so(pki: Pki, spoil: object) -> None:
    request = spoil(_ask(pki, KeyPurpose.SEAL))  # type: ignore[operator]
    answer = answer_ocsp(request, responders=[pki.responder], at=AT)
    assert ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


@pytest.mark.parametrize("length", [33, 100])
def test_a_nonce_out_of_bounds_is_malformed(pki: Pki, length: int) -> None:
    answer = answer_ocsp(_ask(pki, KeyPurpose.SEAL, nonce=b"n" * length), responders=[pki.responder], at=AT)
    assert ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_strangers_certificates_are_not_ours_to_answer_for(pki: Pki) -> None:
    other = shared_pki("rsa3072")
    answer = answer_ocsp(_ask(other, KeyPurpose.SEAL), responders=[pki.responder], at=AT)
    assert ocsp.load_der_ocsp_response(answer).response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED


def test_many_questions_many_answers(pki: Pki) -> None:
    made = ocsp_for([serial_of(pki.certificate(p)) for p in pki.leafs] + [4242], responder=pki.responder, at=AT)
    states = [r.certificate_status for r in ocsp.load_der_ocsp_response(made).responses]
    assert states == [ocsp.OCSPCertStatus.GOOD] * len(pki.leafs) + [ocsp.OCSPCertStatus.UNKNOWN]
