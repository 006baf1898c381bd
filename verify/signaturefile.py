"""Judge a signature that stands in a file of its own: SignedData of RFC 5652 or GB/T 35275, beside or around its data.

The steps: 1 limits; 2 structure: the value is read; 3 signatures: value, digest and timestamps; 4 chain: a path to a
chosen anchor, revocation, purpose. Data that lie elsewhere are handed in; without them nobody can say what was signed.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

from verify.checks.chain import Chains, display_name
from verify.checks.facts import timestamp_facts
from verify.checks.indication import indication_of
from verify.checks.sealsthen import check_seal_then
from verify.checks.signature import SignatureView
from verify.checks.stamps import check_cms, check_embedded
from verify.checks.trusttime import SignerOutcome, judge_signer
from verify.errors import UnreadableError
from verify.evidence import NO_EVIDENCE, Evidence
from verify.facts import SignatureFacts
from verify.formats.cms import CmsError, UnverifiedCms, unverified_cms
from verify.formats.cmsvalues import carried_values
from verify.formats.pdfsignatures import UnverifiedPdfSignature
from verify.inquiry import Inquiry
from verify.policy import DEFAULT_POLICY, Policy
from verify.trust.anchors import TrustStore
from verify.verdict import Integrity, SignatureReport, Verdict

_SIGNED_DATA = (bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("060a2a811ccf550601040202"))
_PEM = (b"-----BEGIN PKCS7-----", b"-----BEGIN CMS-----")


def begins_as_signature(data: bytes) -> bool:
    """Whether these bytes begin as SignedData does, in DER, BER or PEM, right or wrong as they may be."""
    if data[:1] == b"\x30":
        return any(oid in data[:20] for oid in _SIGNED_DATA)
    return data.lstrip()[:40].startswith(_PEM)


def verify_signature(
    data: bytes,
    *,
    trust: TrustStore,
    at: datetime,
    policy: Policy = DEFAULT_POLICY,
    evidence: Evidence = NO_EVIDENCE,
    document: bytes | None = None,
) -> Verdict:
    """Judge a signature in a file of its own, over ``document`` where that is at hand. Nothing raises."""
    inquiry = Inquiry("seal", trust=trust, at=at, policy=policy, evidence=evidence)
    inquiry.about(data)
    cms = _read(inquiry, data)
    if cms is not None:
        _judge(inquiry, cms, document)
    return inquiry.conclude(policy.signature_checks)


def _read(inquiry: Inquiry, data: bytes) -> UnverifiedCms | None:
    # 1
    if not inquiry.fits(data, inquiry.policy.limits.pdf_bytes):
        return None
    # 2
    with inquiry.check("structure"):
        try:
            return unverified_cms(_der(data))
        except CmsError as error:
            raise UnreadableError("CMS_BROKEN", reason=str(error)) from error
    return None


def _der(data: bytes) -> bytes:
    if data[:1] == b"\x30":
        return data
    from asn1crypto import pem

    try:
        return bytes(pem.unarmor(data)[2])
    except (ValueError, TypeError) as error:
        raise CmsError("no ASN.1 value") from error


def _judge(inquiry: Inquiry, cms: UnverifiedCms, document: bytes | None) -> None:
    view = _view(cms)
    # 3
    with inquiry.check("signatures"):
        content = _content(inquiry, cms, document)
        view.cms = check_cms(inquiry, cms, content, cms.content_type, view.where)
        for number, der in enumerate(cms.tokens, 1):
            where = f"{view.where}/timestamp {number}"
            token = check_embedded(inquiry, der, cms.signature, where, False, lambda: cms.certificates)
            if token is not None:
                view.tokens.append(token)
    if "signatures" in inquiry.ran:
        view.integrity = inquiry.integrity
    outcome: SignerOutcome | None = None
    # 4
    with inquiry.check("chain"):
        carried = carried_values(cms)
        chains = Chains(inquiry, cms.certificates, carried.crls, carried.ocsps)
        outcome = judge_signer(inquiry, chains, view, inquiry.at, None)
        if outcome is not None:
            check_seal_then(inquiry, cms.signer.dump(), outcome.signed_at, view.where, proven=outcome.proven)
    _report(inquiry, view, outcome)


def _view(cms: UnverifiedCms) -> SignatureView:
    """The signature as the checks know those of PDFs."""
    raw = UnverifiedPdfSignature("", "", "", (), b"", None, "")
    return SignatureView(raw, cms=cms)


def _content(inquiry: Inquiry, cms: UnverifiedCms, document: bytes | None) -> bytes | None:
    """What the signature must be over: the data handed in, else what stands inside."""
    if cms.content is None or cms.national:
        if document is not None:
            return document
        if cms.content is None or len(cms.content) == 32:  # nothing, or it may be the digest of data elsewhere
            inquiry.report("SEAL_DATA_ABSENT")
        if cms.content is None and not cms.attributes_der:
            raise UnreadableError("CMS_BROKEN", reason="it has no attributes, and its data are not at hand")
    elif document is not None and document != cms.content:
        inquiry.report("DIGEST_MISMATCH", where="signature")
    return cms.content


def _report(inquiry: Inquiry, view: SignatureView, outcome: SignerOutcome | None) -> None:
    cms = view.cms
    assert cms is not None  # noqa: S101 - it was read
    name = "gbt-35275" if cms.national else "cms"
    indication, sub = indication_of(inquiry, view, outcome)
    inquiry.signatures.append(
        SignatureReport(
            field="",
            signer=display_name(cms.signer),
            format=name,
            integrity=view.integrity,
            indication=indication,
            sub_indication=sub,
            signed_at=outcome.signed_at if outcome else cms.claimed_time,
            time_source="timestamp" if outcome is not None and outcome.proven else "claimed",
            covers_whole_file=view.integrity is Integrity.INTACT,
        )
    )
    with contextlib.suppress(Exception):
        inquiry.facts.signatures.append(_facts(cms, view, outcome, name))


def _facts(cms: UnverifiedCms, view: SignatureView, outcome: SignerOutcome | None, name: str) -> SignatureFacts:
    """What was read, for the third depth of report."""
    attribute = cms.attributes.get("message_digest")
    return SignatureFacts(
        field="",
        subfilter=name,
        digest=cms.digest_name,
        message_digest=bytes(attribute[0].native) if attribute is not None else b"",
        algorithm=str(cms.signer_info["signature_algorithm"]["algorithm"].native),
        value_bytes=len(cms.signature),
        signer=cms.signer.dump(),
        certificates=tuple(c.dump() for c in cms.certificates),
        path=tuple(c.dump() for c in outcome.path.certificates) if outcome else (),
        timestamps=tuple(timestamp_facts(token) for token in view.tokens),
        claimed_time=cms.claimed_time,
    )
