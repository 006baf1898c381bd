"""pyHanko's own validators on PDFs that are sealed with SM2, with our arithmetic plugged in and nothing else."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from asn1crypto import cms, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import async_validate_pdf_signature, validate_pdf_signature
from pyhanko.sign.validation.ades import AdESLTAValidationResult, ades_lta_validation
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext, context
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.errors import AlgorithmNotSupported
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.sig_validate import SignatureValidationContext

from signing.formats.crl import make_crl
from signing.formats.pades import Baseline, ValidationData, seal_pdf
from signing.keys import KeyPurpose
from tests.support.sealed import validation_data
from tests.support.signing_pdf import empty_pdf
from tests.support.signing_pki import AT, Pki, build_pki, shared_pki
from verify.formats.gm import SignatureValidator

BASELINES = list(Baseline)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def pki() -> Pki:
    return shared_pki("sm2")


@pytest.fixture(scope="module")
def sealed(pki: Pki) -> Callable[[Baseline], bytes]:
    made: dict[Baseline, bytes] = {}

    def get(baseline: Baseline) -> bytes:
        if baseline not in made:
            made[baseline] = _seal(pki, baseline, validation_data(pki))
        return made[baseline]

    return get


def _seal(pki: Pki, baseline: Baseline, validation: ValidationData) -> bytes:
    return seal_pdf(
        empty_pdf(),
        field="Seal1",
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=AT,
        baseline=baseline,
        stamp=pki.tsa().at(AT),
        validation=validation,
    )


def _signature(pdf: bytes) -> EmbeddedPdfSignature:
    (signature,) = PdfFileReader(io.BytesIO(pdf)).embedded_regular_signatures
    return signature


def _context(pki: Pki) -> ValidationContext:
    root = x509.Certificate.load(pki.root.certificate)
    return ValidationContext(
        trust_roots=[root], moment=AT, allow_fetching=False, signature_validator=SignatureValidator()
    )


def _status(pki: Pki, pdf: bytes) -> PdfSignatureStatus:
    return validate_pdf_signature(_signature(pdf), _context(pki), _context(pki))


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_sealed_page_is_intact_valid_and_trusted(
    pki: Pki, sealed: Callable[[Baseline], bytes], baseline: Baseline
) -> None:
    status = _status(pki, sealed(baseline))
    assert (status.intact, status.valid, status.trusted, status.docmdp_ok) == (True, True, True, True)
    assert status.bottom_line, status.pretty_print_details()
    assert (status.md_algorithm, status.pkcs7_signature_mechanism) == ("sm3", "sm2_sm3")
    stamped = status.timestamp_validity
    assert (stamped is None) == (baseline is Baseline.B_B)
    assert stamped is None or (stamped.intact, stamped.valid, stamped.trusted) == (True, True, True)
    updated = baseline in (Baseline.B_LT, Baseline.B_LTA)
    assert status.modification_level is (ModificationLevel.LTA_UPDATES if updated else ModificationLevel.NONE)


def test_the_asynchronous_form_says_the_same(pki: Pki, sealed: Callable[[Baseline], bytes]) -> None:
    found = async_validate_pdf_signature(_signature(sealed(Baseline.B_T)), _context(pki), _context(pki))
    status = asyncio.run(found)
    assert status.bottom_line


def _archive_result(pki: Pki, pdf: bytes) -> AdESLTAValidationResult:
    """ETSI EN 319 102-1, 5.6.3: revocation data for every certificate, all of it from the file."""
    spec = SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build([x509.Certificate.load(pki.root.certificate)]),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
            signature_validator=SignatureValidator(),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
        local_knowledge=LocalKnowledge(),
    )
    then = ValidationTimingInfo(AT, AT, point_in_time_validation=False)
    return asyncio.run(ades_lta_validation(_signature(pdf), PdfSignatureValidationSpec(spec), then))


def test_an_archive_stands_on_the_lists_inside(pki: Pki) -> None:
    lists = tuple(make_crl(ca, number=1, this_update=AT, next_update=AT + DAY) for ca in (pki.root, pki.issuing))
    validation = replace(validation_data(pki), crls=lists, ocsps=())
    result = _archive_result(pki, _seal(pki, Baseline.B_LTA, validation))
    assert result.ades_subindic is AdESPassed.OK, (result.ades_subindic, result.failure_msg)


def test_an_archive_stands_on_the_answers_inside(
    pki: Pki, sealed: Callable[[Baseline], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a delegated responder's certificate certvalidator 0.33 takes its default, whatever was plugged in."""
    monkeypatch.setattr(context, "DefaultSignatureValidator", SignatureValidator)
    result = _archive_result(pki, sealed(Baseline.B_LTA))
    assert result.ades_subindic is AdESPassed.OK, (result.ades_subindic, result.failure_msg)


def test_a_changed_page_is_not_intact(pki: Pki, sealed: Callable[[Baseline], bytes]) -> None:
    status = _status(pki, sealed(Baseline.B_T).replace(b"0 0 1 rg", b"1 0 1 rg"))
    assert (status.intact, status.bottom_line) == (False, False)


def test_a_changed_value_is_not_valid(pki: Pki, sealed: Callable[[Baseline], bytes]) -> None:
    pdf = sealed(Baseline.B_B)
    value = cms.ContentInfo.load(_signature(pdf).pkcs7_content)["content"]["signer_infos"][0]["signature"].native
    changed = bytes((*value[:-1], value[-1] ^ 1))
    status = _status(pki, pdf.replace(value.hex().encode(), changed.hex().encode()))
    assert (status.intact, status.valid, status.bottom_line) == (True, False, False)


def test_another_region_s_root_is_not_trusted(sealed: Callable[[Baseline], bytes]) -> None:
    from signing.backends import open_backend

    status = _status(build_pki(open_backend("memory:"), "sm2", "ANOTHER"), sealed(Baseline.B_B))
    assert (status.intact, status.valid, status.trusted) == (True, True, False)


def test_a_mere_digest_is_not_checked(pki: Pki) -> None:
    """A value over M is one over ZA || M when plain digests are taken for those that SM2 signs."""
    key = x509.Certificate.load(pki.certificate(KeyPurpose.SEAL)).public_key
    algorithm = x509.Certificate.load(pki.certificate(KeyPurpose.SEAL))["signature_algorithm"]
    with pytest.raises(AlgorithmNotSupported):
        SignatureValidator().validate_signature(
            bytes(64), bytes(32), key, algorithm, SignatureValidationContext("sm3", prehashed=True)
        )
