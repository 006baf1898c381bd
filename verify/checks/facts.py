"""Gathering what was read of a PDF for the report's third depth. Nothing here decides."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from verify.checks.chain import Path
from verify.checks.sealed import SealedDocument
from verify.checks.signature import SignatureView, Token
from verify.facts import RevisionFacts, SignatureFacts, TimestampFacts
from verify.inquiry import Inquiry

MAX_VALUES = 2_000
"""So many certificates, lists and answers are told of one file at most."""


def gather(inquiry: Inquiry, document: SealedDocument) -> None:
    """Put what is known of ``document`` into the inquiry's facts. What cannot be read is left out; nothing raises."""
    facts = inquiry.facts
    for view in document.signatures:
        with contextlib.suppress(Exception):
            facts.signatures.append(_signature(document, view))
    with contextlib.suppress(Exception):
        _validation_data(inquiry, document)
    with contextlib.suppress(Exception):
        facts.revisions = _revisions(inquiry, document)
    ends = [v.end for v in document.seals if v.end]
    facts.signed_end = max(ends, default=0)
    facts.spent |= {"signatures": len(document.signatures), "revisions": len(facts.revisions)}
    with contextlib.suppress(Exception):
        facts.spent["objects"] = document.graph.object_count()


def gather_token(
    inquiry: Inquiry, algorithm: str, certificates: Sequence[Any], path: Path, made: datetime | None
) -> None:
    """The same for the one signature of a structured record; ``algorithm`` is JOSE's name."""
    with contextlib.suppress(Exception):
        inquiry.facts.signatures.append(
            SignatureFacts(
                field="",
                subfilter="JWS",
                algorithm=algorithm,
                signer=certificates[0].dump() if certificates else b"",
                certificates=tuple(c.dump() for c in certificates[:MAX_VALUES]),
                path=tuple(c.dump() for c in path.certificates),
                claimed_time=made,
            )
        )


def _signature(document: SealedDocument, view: SignatureView) -> SignatureFacts:
    raw, cms = view.raw, view.cms
    known: dict[str, Any] = {
        "field": raw.field,
        "subfilter": raw.subfilter.lstrip("/"),
        "byte_range": tuple(raw.byte_range),
        "end": view.end,
        "permission": raw.permission,
        "claimed_time": raw.claimed_time,
        "timestamps": tuple(timestamp_facts(t) for t in view.tokens),
    }
    if cms is not None:
        outcome = document.outcomes.get(id(view))
        attribute = cms.attributes.get("message_digest")
        known |= {
            "digest": cms.digest_name,
            "message_digest": bytes(attribute[0].native) if attribute is not None else b"",
            "algorithm": str(cms.signer_info["signature_algorithm"]["algorithm"].native),
            "value_bytes": len(cms.signature),
            "signer": cms.signer.dump(),
            "certificates": tuple(c.dump() for c in cms.certificates[:MAX_VALUES]),
            "path": tuple(c.dump() for c in outcome.path.certificates) if outcome else (),
            "claimed_time": cms.claimed_time or raw.claimed_time,
        }
    return SignatureFacts(**known)


def timestamp_facts(token: Token) -> TimestampFacts:
    """What one timestamp says. Raises whatever its parts do that cannot be read."""
    from asn1crypto import tsp

    info = tsp.TSTInfo.load(token.cms.content or b"")
    return TimestampFacts(
        time=token.time,
        authority=token.cms.signer.dump(),
        hash=str(info["message_imprint"]["hash_algorithm"]["algorithm"].native),
        serial=str(info["serial_number"].native),
    )


def _validation_data(inquiry: Inquiry, document: SealedDocument) -> None:
    facts = inquiry.facts
    if document.strict:
        updates = document.updates
        certificates, crls, ocsps = updates.certificates, updates.crls, updates.ocsps
        kinds = ["validation data"] if certificates or crls or ocsps else []
        kinds += ["a document timestamp"] if updates.timestamps else []
        facts.later |= {v.end: tuple(kinds) for v in document.seals if v.end and kinds}
    else:
        extra = document.graph.validation_data()
        certificates, crls, ocsps = [c.dump() for c in extra.certificates], extra.crls, extra.ocsps
    facts.certificates += certificates[:MAX_VALUES]
    facts.crls += [*crls[:MAX_VALUES], *inquiry.evidence.crls]
    facts.ocsps += [*ocsps[:MAX_VALUES], *inquiry.evidence.ocsps]


def _revisions(inquiry: Inquiry, document: SealedDocument) -> list[RevisionFacts]:
    made, start = [], 0
    for number, revision in enumerate(document.graph.file.revisions[:MAX_VALUES], 1):
        signed = tuple(v.raw.field for v in document.signatures if start < v.end <= revision.end)
        later = next((inquiry.facts.later[end] for end in inquiry.facts.later if start < end <= revision.end), ())
        objects = sum(len(section.entries) for section in revision.sections)
        made.append(RevisionFacts(number, start, revision.end, signed, later, objects))
        start = revision.end
    return made
