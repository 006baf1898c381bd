"""SignedData of GB/T 35275: written in one form, read in the two that circulate, alone and inside a PDF."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asn1crypto import cms as asn1_cms

from signing.errors import MechanismError, PurposeError, SigningError
from signing.formats import cms, der
from signing.formats.pades import Baseline, seal_pdf
from signing.keys import KeyPurpose
from signing.tbs import ToBeSigned
from tests.support.signing_pdf import empty_pdf
from tests.support.signing_pki import AT, Pki, shared_pki
from tests.unit.test_signing_cms import is_canonical
from verify import Evidence, TrustStore, Verdict, verify_document
from verify.checks.byterange import covered_bytes
from verify.formats.cms import CmsAttributeError, CmsDigestError, check_signature, unverified_cms
from verify.formats.publickeys import BadSignatureError
from verify.formats.sm2 import raw_of, sm3

DATA = b"<?xml version='1.0'?><ofd:Signature/>"


@pytest.fixture(scope="module")
def pki() -> Pki:
    return shared_pki("sm2")


def _sign(pki: Pki, digest: bytes = sm3(DATA), **options: object) -> bytes:
    return cms.sign_national(
        digest,
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        **options,  # type: ignore[arg-type]
    )


def _second_variant(
    pki: Pki,
    data: bytes = DATA,
    form: Callable[[bytes], bytes] = bytes,
    content: bytes | None = None,
    names: tuple[str, str] = (cms.ID_NATIONAL_SIGNED_DATA, cms.ID_NATIONAL_DATA),
) -> bytes:
    """No attributes: the content is the digest of the data, and it is signed as it stands."""
    signer, certificate = pki.signer(KeyPurpose.SEAL), pki.certificate(KeyPurpose.SEAL)
    digest = sm3(data) if content is None else content
    identity = cms.SignerIdentity.of(certificate)
    algorithm = der.sequence(der.oid("1.2.156.10197.1.401"))
    info = der.sequence(
        der.integer(1),
        der.sequence(identity.issuer, der.integer(identity.serial)),
        algorithm,
        der.sequence(der.oid("1.2.156.10197.1.301.1")),
        der.octets(form(signer.sign(ToBeSigned(digest, KeyPurpose.SEAL)))),
    )
    body = der.sequence(
        der.integer(1),
        der.set_of([algorithm]),
        der.sequence(der.oid(names[1]), der.tagged(0xA0, der.octets(digest))),
        der.retagged(0xA0, der.set_of([certificate])),
        der.set_of([info]),
    )
    return der.sequence(der.oid(names[0]), der.tagged(0xA0, body))


@pytest.mark.parametrize("content", [None, DATA])
def test_what_is_written_is_canonical_and_bears_the_national_names(pki: Pki, content: bytes | None) -> None:
    made = _sign(pki, content=content, signing_time=AT, chain=(pki.issuing.certificate,))
    assert is_canonical(made)
    info = asn1_cms.ContentInfo.load(made, strict=True)
    assert info["content_type"].dotted == "1.2.156.10197.6.1.4.2.2"
    value = unverified_cms(made)
    data, signer = value.signed_data, value.signer_info
    assert data["version"].native == signer["version"].native == "v1"
    assert data["encap_content_info"]["content_type"].dotted == "1.2.156.10197.6.1.4.2.1"
    assert signer["digest_algorithm"].dump() == der.sequence(der.oid("1.2.156.10197.1.401"))
    assert signer["signature_algorithm"].dump() == der.sequence(der.oid("1.2.156.10197.1.301.1"))
    assert value.attributes["message_digest"][0].native == sm3(DATA)
    assert (value.national, value.content, value.claimed_time) == (True, content, AT)
    assert check_signature(value, DATA, "data").signer.dump() == pki.certificate(KeyPurpose.SEAL)


def test_a_signature_is_over_its_own_data_alone(pki: Pki) -> None:
    for made in (_sign(pki), _sign(pki, content=DATA), _second_variant(pki), _second_variant(pki, content=DATA)):
        value = unverified_cms(made)
        check_signature(value, DATA, value.content_type)
        with pytest.raises(CmsDigestError):
            check_signature(value, DATA + b".", value.content_type)


@pytest.mark.parametrize("form", [bytes, raw_of], ids=["DER", "raw"])
def test_a_digest_as_content_without_attributes_is_read(pki: Pki, form: Callable[[bytes], bytes]) -> None:
    value = unverified_cms(_second_variant(pki, form=form))
    assert (len(value.content or b""), len(value.signature) == 64) == (32, form is raw_of)
    check_signature(value, DATA, "gm_data")


def test_the_digest_as_content_is_plain_without_the_identity(pki: Pki) -> None:
    from verify.formats.sm2 import message_digest, point_of_spki

    mixed = message_digest(point_of_spki(pki.signer(KeyPurpose.SEAL).handle.spki), DATA)
    with pytest.raises(CmsDigestError):
        check_signature(unverified_cms(_second_variant(pki, content=mixed)), DATA, "gm_data")


def test_only_a_national_value_may_sign_the_digest_of_the_data(pki: Pki) -> None:
    """Under RFC 5652 content that is a digest is content like any other."""
    value = unverified_cms(_second_variant(pki, names=(cms.ID_SIGNED_DATA, cms.ID_DATA)))
    check_signature(value, sm3(DATA), "data")
    with pytest.raises(BadSignatureError):
        check_signature(value, DATA, "data")


def test_a_changed_attribute_is_seen(pki: Pki) -> None:
    made = _sign(pki, signing_time=AT)
    for old, fault in ((sm3(DATA), CmsDigestError), (AT.strftime("%y%m%d%H%M%SZ").encode(), BadSignatureError)):
        value = unverified_cms(made.replace(old, old[:-2] + bytes((old[-2] ^ 1,)) + old[-1:]))
        with pytest.raises(fault):
            check_signature(value, DATA, "gm_data")
    certificate_digest = sm3(pki.certificate(KeyPurpose.SEAL))
    value = unverified_cms(made.replace(certificate_digest, bytes(32)))
    with pytest.raises(CmsAttributeError):
        check_signature(value, DATA, "gm_data")


def test_other_keys_contents_and_purposes_are_refused(pki: Pki) -> None:
    other = shared_pki()
    with pytest.raises(MechanismError, match="GB/T 35275"):
        _sign(other)
    with pytest.raises(SigningError, match="no SM3 digest of the content"):
        _sign(pki, content=b"other")
    with pytest.raises(SigningError, match="no SM3 digest"):
        _sign(pki, digest=bytes(20))
    with pytest.raises(PurposeError):
        _sign(pki, purpose=KeyPurpose.RECORD)


def _pdf(pki: Pki, make: Callable[[bytes], bytes]) -> bytes:
    """A sealed page whose signature value is taken out for another over the same bytes."""
    sealed = seal_pdf(
        empty_pdf(),
        field="Seal1",
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=AT,
        baseline=Baseline.B_T,
        stamp=pki.tsa().at(AT),
        validation=None,
        permission=None,
    ).replace(b"/SubFilter /ETSI.CAdES.detached", b"/SubFilter /adbe.pkcs7.detached")
    start = sealed.index(b"/Contents <") + 10
    end = sealed.index(b">", start) + 1
    value = make(covered_bytes(sealed, (0, start, end, len(sealed) - end)))
    return sealed[:start] + b"<" + value.hex().encode().ljust(end - start - 2, b"0") + b">" + sealed[end:]


def _judge(pki: Pki, pdf: bytes) -> Verdict:
    trust = TrustStore((pki.root.certificate,), (pki.issuing.certificate,), allow_example=True)
    evidence = Evidence(crls=(pki.root_crl(),), ocsps=(pki.ocsp(KeyPurpose.SEAL, KeyPurpose.TSA),))
    return verify_document(pdf, trust=trust, at=AT, evidence=evidence)


def _first_in_pdf(pki: Pki, covered: bytes) -> bytes:
    def stamp(value: bytes) -> bytes:
        return pki.tsa().stamp(sm3(value), "sm3", AT)

    return _sign(pki, sm3(covered), stamp=stamp)


@pytest.mark.parametrize("variant", [1, 2, 3])
def test_a_pdf_with_a_national_value_is_judged(pki: Pki, variant: int) -> None:
    """The third is the second with the raw value that devices give."""

    def make(covered: bytes) -> bytes:
        if variant == 1:
            return _first_in_pdf(pki, covered)
        return _second_variant(pki, covered, raw_of if variant == 3 else bytes)

    pdf = _pdf(pki, make)
    verdict = _judge(pki, pdf)
    assert (verdict.integrity.value, verdict.conclusion.value) == ("INTACT", "VALID"), verdict.findings
    (report,) = verdict.signatures
    assert report.format == "gbt-35275"
    assert report.time_source == ("timestamp" if variant == 1 else "claimed")
    changed = pdf.replace(b"0 0 1 rg", b"1 0 1 rg", 1)
    assert "DIGEST_MISMATCH" in _judge(pki, changed).codes()


def test_every_bit_of_the_value_matters(pki: Pki) -> None:
    made = _sign(pki)
    value = unverified_cms(made).signature
    place = made.rindex(value)
    for bit in range(8 * len(value)):
        changed = bytearray(made)
        changed[place + bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadSignatureError):
            check_signature(unverified_cms(bytes(changed)), DATA, "gm_data")
