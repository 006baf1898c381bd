"""pyHanko's own validators, used as its documentation says, with our root and no network."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import crl, ocsp, pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.ades import ades_lta_validation, ades_with_time_validation
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from tests.interop.conftest import TYPES, Sealed

OURS = Callable[[str, str], Sealed]


def _roots(root_pem: Path) -> list[x509.Certificate]:
    return [x509.Certificate.load(der) for _, _, der in pem.unarmor(root_pem.read_bytes(), multiple=True)]


def _signature(path: Path) -> EmbeddedPdfSignature:
    (signature,) = PdfFileReader(io.BytesIO(path.read_bytes())).embedded_regular_signatures
    return signature


@pytest.mark.parametrize("type_name", TYPES)
@pytest.mark.parametrize("baseline", ["B-B", "B-T", "B-LT", "B-LTA"])
def test_signature_and_permitted_changes(sealed: OURS, root_pem: Path, type_name: str, baseline: str) -> None:
    context = ValidationContext(trust_roots=_roots(root_pem), allow_fetching=False)
    status = validate_pdf_signature(_signature(sealed(type_name, baseline).pdf), context, context)
    assert status.bottom_line, status.pretty_print_details()
    assert status.docmdp_ok
    assert (status.timestamp_validity is None) == (baseline == "B-B")
    expected = ModificationLevel.NONE if baseline in ("B-B", "B-T") else ModificationLevel.LTA_UPDATES
    assert status.modification_level is expected


def _spec(root_pem: Path, knowledge: LocalKnowledge) -> SignatureValidationSpec:
    """Our root alone, revocation data for every certificate, and nobody asked for it."""
    return SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build(_roots(root_pem)),
            revinfo_policy=CertRevTrustPolicy(REQUIRE_REVINFO),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
        ),
        local_knowledge=knowledge,
    )


def _stored(signature: EmbeddedPdfSignature) -> LocalKnowledge:
    """What the file's own security store holds."""
    store = DocumentSecurityStore.read_dss(signature.reader)
    return LocalKnowledge(
        known_crls=[CRLContainer(crl.CertificateList.load(c.get_object().data)) for c in store.crls],
        known_ocsps=[OCSPContainer(ocsp.OCSPResponse.load(o.get_object().data)) for o in store.ocsps],
        known_certs=list(store.load_certs()),
    )


@pytest.mark.parametrize("type_name", TYPES)
def test_long_term(sealed: OURS, root_pem: Path, type_name: str) -> None:
    """ETSI EN 319 102-1, 5.5, with the file's security store as the only source of revocation data."""
    signature = _signature(sealed(type_name, "B-LT").pdf)
    signature.compute_integrity_info()
    found = ades_with_time_validation(
        signature.signed_data, _spec(root_pem, _stored(signature)), raw_digest=signature.compute_digest()
    )
    result = asyncio.run(found)
    assert result.ades_subindic is AdESPassed.OK, (result.ades_subindic, result.failure_msg)


def test_long_term_without_the_store(sealed: OURS, root_pem: Path) -> None:
    """The counterpart: at B-T nothing says whether the certificate was revoked, and the same demand is not met."""
    signature = _signature(sealed("business-license", "B-T").pdf)
    signature.compute_integrity_info()
    found = ades_with_time_validation(
        signature.signed_data, _spec(root_pem, LocalKnowledge()), raw_digest=signature.compute_digest()
    )
    assert asyncio.run(found).ades_subindic is not AdESPassed.OK


@pytest.mark.parametrize("type_name", TYPES)
def test_archive(sealed: OURS, root_pem: Path, type_name: str) -> None:
    """ETSI EN 319 102-1, 5.6.3: nothing but the file is asked, the document timestamp is the evidence record."""
    spec = PdfSignatureValidationSpec(_spec(root_pem, LocalKnowledge()))
    result = asyncio.run(ades_lta_validation(_signature(sealed(type_name, "B-LTA").pdf), spec))
    assert result.ades_subindic is AdESPassed.OK, (result.ades_subindic, result.failure_msg)
    assert result.oldest_evidence_record_timestamp is not None
