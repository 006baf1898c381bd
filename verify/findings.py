"""What one check saw, as data.

A finding says which answer it is *about* and moves only that one. FATAL makes it negative, DOUBT makes it open, NOTE
changes nothing. The closed list of codes is :data:`CATALOG`; their wording is in :mod:`verify.messages`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify.place import Place

if TYPE_CHECKING:
    from verify.messages.advice import Advice

__all__ = ["CATALOG", "About", "Finding", "Meaning", "Place", "Severity", "all_codes", "finding"]


class About(enum.Enum):
    """The answer that a finding moves."""

    INTEGRITY = "integrity"
    CONCLUSION = "conclusion"
    STANDING = "standing"
    RECOGNITION = "recognition"


class Severity(enum.Enum):
    """How far a finding moves its answer."""

    FATAL = "FATAL"
    DOUBT = "DOUBT"
    NOTE = "NOTE"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A code's fixed part: its answer, its usual severity, the clause it rests on."""

    about: About
    severity: Severity
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation. ``params`` fill the message; ``where`` names the place in words, ``place`` as data."""

    code: str
    about: About
    severity: Severity
    params: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    clause: str = ""
    place: Place | None = None

    def message(self, lang: str = "zh") -> str:
        """The sentence for a person, in ``zh`` or ``en``."""
        from verify.messages import sentence

        return sentence(self.code, lang, self.params)

    def advice(self) -> Advice:
        """Why it matters, and what to do."""
        from verify.messages.advice import advice_for

        return advice_for(self.code, CATALOG.get(self.code) or Meaning(self.about, self.severity))

    def to_json(self, lang: str = "zh") -> dict[str, Any]:
        """The finding as the command line and HTTP show it; ``place`` is null or as :meth:`Place.to_json` gives it."""
        advice = self.advice()
        return {
            "code": self.code,
            "about": self.about.value,
            "severity": self.severity.value,
            "message": self.message(lang),
            "why": advice.why.in_language(lang),
            "action": advice.action.in_language(lang),
            "where": self.where or (self.place.words() if self.place else ""),
            "place": self.place.to_json() if self.place else None,
            "clause": self.clause,
        }


def finding(
    code: str, *, where: str = "", place: Place | None = None, severity: Severity | None = None, **params: Any
) -> Finding:
    """Make the finding ``code``; ``severity`` overrides the usual one where the code's text says so."""
    meaning = CATALOG[code]
    return Finding(code, meaning.about, severity or meaning.severity, params, where, meaning.clause, place)


def all_codes(lang: str = "zh") -> list[dict[str, str]]:
    """Every code: ``code, about, severity, message, zh, en, clause``, and why it matters and what to do as ``why``,
    ``action`` (in ``lang``) and ``why_zh``, ``why_en``, ``action_zh``, ``action_en``."""
    from verify.messages import meaning_of
    from verify.messages.advice import advice_for

    return [
        {
            "code": code,
            "about": m.about.value,
            "severity": m.severity.value,
            "message": meaning_of(code, lang),
            "zh": meaning_of(code, "zh"),
            "en": meaning_of(code, "en"),
            "clause": m.clause,
            "why": advice_for(code, m).why.in_language(lang),
            "action": advice_for(code, m).action.in_language(lang),
            "why_zh": advice_for(code, m).why.zh,
            "why_en": advice_for(code, m).why.en,
            "action_zh": advice_for(code, m).action.zh,
            "action_en": advice_for(code, m).action.en,
        }
        for code, m in CATALOG.items()
    ]


_I, _C, _S, _R = About.INTEGRITY, About.CONCLUSION, About.STANDING, About.RECOGNITION
_FATAL, _DOUBT, _NOTE = Severity.FATAL, Severity.DOUBT, Severity.NOTE

_SIGNED_UPDATE = "ETSI EN 319 142-1 5.4; ISO 32000-2 12.8.2.2"
_INPUT = "certvault-policy/1 limits"
_BYTE_RANGE = "ISO 32000-2 12.8.1"
_FACE = "certvault-license/1 face"
_SHADOW = "Mainka et al., Shadow Attacks, NDSS 2021"
_SEAL, _SEALED = "GB/T 38540 6.3", "GB/T 38540 7.3"
_REGIONS, _AGREED = "certvault-regions/1", "certvault-agreement/1"
_STATUS = "draft-ietf-oauth-status-list 8.3"
_KIT = "certvault-kit/1"
_LIST, _ADOPT = "ETSI TS 119 602; certvault-regions/1", "TUF 5.3, 5.4; certvault-regions/1"

CATALOG: Mapping[str, Meaning] = {
    # A DOUBT about integrity means: cannot be read as a signed document at all.
    "FILE_EMPTY": Meaning(_I, _DOUBT, _INPUT),
    "FILE_TOO_LARGE": Meaning(_I, _DOUBT, _INPUT),
    "LIMIT_EXCEEDED": Meaning(_I, _DOUBT, _INPUT),
    "TIME_EXCEEDED": Meaning(_I, _DOUBT, _INPUT),
    "NOT_READABLE": Meaning(_I, _DOUBT, "ETSI EN 319 102-1 5.2.2"),
    "PDF_BROKEN": Meaning(_I, _DOUBT, "ISO 32000-2 7"),
    "PDF_ENCRYPTED": Meaning(_I, _DOUBT, "ISO 32000-2 7.6"),
    "CMS_BROKEN": Meaning(_I, _DOUBT, "RFC 5652 5"),
    "ALGORITHM_UNSUPPORTED": Meaning(_I, _DOUBT, "ETSI EN 319 102-1 5.2.7"),
    "SIGNATURE_EMPTY": Meaning(_I, _DOUBT, "ISO 32000-2 12.8.1"),
    "UNSIGNED": Meaning(_I, _DOUBT, "ETSI EN 319 102-1 5.2.2"),
    "BYTE_RANGE_WRONG": Meaning(_I, _FATAL, _BYTE_RANGE),
    "CONTENTS_NOT_CANONICAL": Meaning(_I, _FATAL, _BYTE_RANGE),
    "CMS_NOT_CANONICAL": Meaning(_I, _FATAL, "X.690 10; ETSI EN 319 142-1 4.1"),
    "DIGEST_MISMATCH": Meaning(_I, _FATAL, "RFC 5652 5.6"),
    "SIGNATURE_WRONG": Meaning(_I, _FATAL, "RFC 5652 5.6"),
    "SIGNED_ATTRIBUTES_WRONG": Meaning(_I, _FATAL, "ETSI EN 319 122-1 5.2.2"),
    "TIMESTAMP_WRONG": Meaning(_I, _FATAL, "RFC 3161 2.4.2"),
    "BYTES_UNACCOUNTED": Meaning(_I, _FATAL, _SIGNED_UPDATE),
    "CHANGE_NOT_PERMITTED": Meaning(_I, _FATAL, _SIGNED_UPDATE),
    "CHANGE_PERMITTED": Meaning(_I, _NOTE, "ISO 32000-2 12.8.2.2"),
    "RENDERED_CHANGE": Meaning(_I, _FATAL, "ISO 32000-2 12.8.2.2"),
    "RENDERED_TEXT_CHANGE": Meaning(_I, _FATAL, "ISO 32000-2 12.8.2.2, 9.10"),
    "CHANGE_NOT_UNDERSTOOD": Meaning(_I, _FATAL, "ISO 32000-2 12.8.2.2"),
    "DSS_VALUE_WRONG": Meaning(_I, _FATAL, "ETSI EN 319 142-1 5.4.2"),
    "DSS_VALUE_UNUSED": Meaning(_I, _FATAL, "ETSI EN 319 142-1 5.4.2"),
    "UPDATE_WITHOUT_EFFECT": Meaning(_I, _NOTE, _SIGNED_UPDATE),
    "SIGNATURE_OTHER_FORM": Meaning(_I, _NOTE, "RFC 9053 2.1; FIPS 186-5 6.4"),
    "SECOND_SIGNATURE": Meaning(_I, _FATAL, "ISO 32000-2 12.8.2.2"),
    # Is it what it says it is?
    "NO_TRUSTED_PATH": Meaning(_C, _DOUBT, "RFC 5280 6; ETSI EN 319 102-1 5.2.6"),
    "AUTHORITY_LOOKALIKE": Meaning(_C, _DOUBT, "RFC 5280 6.1.3"),
    "EXAMPLE_KEYS": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.2.4"),
    "PATH_WRONG": Meaning(_C, _FATAL, "RFC 5280 6"),
    "CERTIFICATE_EXPIRED": Meaning(_C, _FATAL, "RFC 5280 4.1.2.5"),
    "CERTIFICATE_EXPIRED_NO_POE": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.2.6"),
    "CERTIFICATE_NOT_YET_VALID": Meaning(_C, _FATAL, "RFC 5280 4.1.2.5"),
    "CERTIFICATE_REVOKED": Meaning(_C, _FATAL, "RFC 5280 5; RFC 6960"),
    "CERTIFICATE_REVOKED_NO_POE": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.3"),
    "CERTIFICATE_PURPOSE": Meaning(_C, _FATAL, "RFC 5280 4.2.1.12; RFC 9336"),
    "REVOCATION_UNKNOWN": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.2.6"),
    "ALGORITHM_WEAK": Meaning(_C, _DOUBT, "ETSI TS 119 312"),
    "HASHES_DIFFER": Meaning(_C, _NOTE, "RFC 8933 3; RFC 8419 3"),
    "TIMESTAMP_UNTRUSTED": Meaning(_C, _DOUBT, "RFC 3161; ETSI EN 319 102-1 5.4"),
    "TIME_NOT_PROVEN": Meaning(_C, _NOTE, "ETSI EN 319 142-1 6.1"),
    "SIGNED_IN_FUTURE": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.2.6"),
    "VERIFICATION_REPORT": Meaning(_C, _NOTE, "certvault-report/1"),
    "NOT_A_LICENSE": Meaning(_C, _NOTE, "certvault-license/1"),
    "LATER_ADDITION": Meaning(_C, _DOUBT, "ISO 32000-2 12.8.2.2"),
    "HIDDEN_CONTENT": Meaning(_C, _DOUBT, "ISO 32000-2 8.11"),
    "SHADOW_TEXT": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_UNUSED_OBJECT": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_LAYER": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_ANNOTATION": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_SCRIPT": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_FIELD_VALUE": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_FIELD_UNPLACED": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_BUTTON": Meaning(_C, _DOUBT, _SHADOW),
    "SHADOW_ELSEWHERE": Meaning(_C, _DOUBT, "ISO 32000-2 7.3.8.1, 8.9.5.4, 8.10.4"),
    "CHECK_NOT_RUN": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.1.3"),
    "INTERNAL": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.1.3"),
    # The license inside
    "RECORD_AMBIGUOUS": Meaning(_C, _FATAL, "certvault-license/1"),
    "RECORD_NOT_SIGNED": Meaning(_C, _FATAL, "certvault-license/1"),
    "RECORD_NOT_ASSOCIATED": Meaning(_C, _FATAL, "ISO 19005-3 6.8"),
    "RECORD_BROKEN": Meaning(_C, _FATAL, "RFC 8785"),
    "DATES_IMPOSSIBLE": Meaning(_C, _FATAL, "GB/T 36903"),
    "PAGE_COUNT_DIFFERS": Meaning(_C, _FATAL, _FACE),
    "PAGE_SIZE_DIFFERS": Meaning(_C, _FATAL, _FACE),
    "PAGE_TEXT_DIFFERS": Meaning(_C, _FATAL, _FACE),
    "PAGE_TEXT_EXTRA": Meaning(_C, _FATAL, _FACE),
    "PAGE_TEXT_HIDDEN": Meaning(_C, _FATAL, _FACE),
    "PAGE_TEXT_COVERED": Meaning(_C, _FATAL, _FACE),
    "PAGE_TEXT_SHAPES": Meaning(_C, _FATAL, _FACE),
    "PAGE_STATIC_HIDDEN": Meaning(_C, _FATAL, _FACE),
    "PAGE_NOT_DRAWN": Meaning(_C, _DOUBT, _FACE),
    "PAGE_STATIC_DIFFERS": Meaning(_C, _FATAL, _FACE),
    "PAGE_CODE_UNREADABLE": Meaning(_C, _DOUBT, "ISO/IEC 18004"),
    "PAGE_CODE_DIFFERS": Meaning(_C, _FATAL, _FACE),
    "CODE_CONTRADICTS_PAGE": Meaning(_C, _FATAL, _FACE),
    "PAGE_CODE_EXTRA": Meaning(_C, _FATAL, _FACE),
    "IDENTIFIER_WRONG": Meaning(_C, _FATAL, "GB/T 36904"),
    "IDENTIFIER_CHECK_VARIANT": Meaning(_C, _NOTE, "GB/T 36904; GB/T 17710"),
    "ISSUER_CODE_DIFFERS": Meaning(_C, _FATAL, "ETSI EN 319 412-3 4.2.1"),
    "ISSUER_NAME_DIFFERS": Meaning(_C, _FATAL, "ETSI EN 319 412-3 4.2.1"),
    "ISSUED_DATE_IMPLAUSIBLE": Meaning(_C, _DOUBT, "GB/T 36903"),
    "REMIT_UNKNOWN": Meaning(_C, _NOTE, "GB/T 36901"),
    "REMIT_EXCEEDED": Meaning(_C, _FATAL, "GB/T 36901"),
    "ISSUER_OTHER_REGION": Meaning(_C, _FATAL, "GB/T 36901; RFC 5280 6"),
    "ISSUER_NOT_SIGNER": Meaning(_C, _FATAL, "certvault-license/1"),
    "SAMPLE": Meaning(_C, _NOTE, "certvault-license/1"),
    "VAULT_UNKNOWN_IDENTIFIER": Meaning(_C, _NOTE, "GB/T 36906"),
    "VAULT_NUMBER_VOID": Meaning(_C, _FATAL, "GB/T 36906"),
    "VAULT_RECORD_DIFFERS": Meaning(_C, _FATAL, "GB/T 36906"),
    "VAULT_FINGERPRINT_DIFFERS": Meaning(_C, _NOTE, "GB/T 36906"),
    "VAULT_VOUCHES": Meaning(_C, _NOTE, "GB/T 36906; ETSI EN 319 102-1 5.6.2.3"),
    "SEALS_DIFFER": Meaning(_C, _FATAL, "certvault-license/1"),
    "SEAL_OWNER_DIFFERS": Meaning(_C, _FATAL, "ETSI EN 319 412-3 4.2.1"),
    "SEAL_NOT_GOOD_THEN": Meaning(_C, _FATAL, "GB/T 38540 7.3"),
    "VAULT_UNREACHABLE": Meaning(_C, _NOTE, "GB/T 36906"),
    # Structured records and codes
    "RECORD_TOKEN_BROKEN": Meaning(_I, _DOUBT, "RFC 9901 4"),
    "RECEIPT_BROKEN": Meaning(_I, _DOUBT, "RFC 7515; ETSI TS 119 182-1"),
    "RECORD_DISCLOSURE_UNREFERENCED": Meaning(_I, _FATAL, "RFC 9901 7.1"),
    "RECORD_DISCLOSURE_REPEATED": Meaning(_I, _FATAL, "RFC 9901 7.1"),
    "RECORD_CLAIMS_WRONG": Meaning(_C, _FATAL, "draft-ietf-oauth-sd-jwt-vc 3.2"),
    "RECORD_NOT_IN_TIME": Meaning(_C, _FATAL, "RFC 7519 4.1"),
    "RECORD_WITHHELD": Meaning(_C, _NOTE, "RFC 9901 7"),
    "RECORD_HOLDER_WRONG": Meaning(_C, _FATAL, "RFC 9901 4.3"),
    "RECORD_HOLDER_NOT_PROVEN": Meaning(_C, _NOTE, "RFC 9901 4.3"),
    "CODE_MISSING": Meaning(_I, _DOUBT, "ISO/IEC 18004"),
    "CODE_BROKEN": Meaning(_I, _DOUBT, "RFC 9052; RFC 8392"),
    "CODE_KEY_UNKNOWN": Meaning(_C, _DOUBT, "RFC 9052 3.1"),
    "CODE_AMBIGUOUS": Meaning(_C, _DOUBT, "ISO/IEC 18004"),
    "CODE_NOT_CHECKABLE": Meaning(_I, _DOUBT, "RFC 9052 3.1"),
    # Electronic seals
    "SEAL_FORMAT": Meaning(_I, _DOUBT, _SEAL),
    "SEAL_SIG": Meaning(_I, _FATAL, _SEAL),
    "SEAL_CREATE_DATE": Meaning(_C, _FATAL, "GM/T 0031-2025"),
    "SEAL_MAKER_CERT": Meaning(_C, _FATAL, _SEAL),
    "SEAL_MAKER_LAPSED": Meaning(_C, _NOTE, "GM/T 0031-2025"),
    "SEAL_VALIDITY": Meaning(_C, _FATAL, _SEAL),
    "SEAL_VALIDITY_NO_POE": Meaning(_C, _DOUBT, "ETSI EN 319 102-1 5.2.6; GB/T 38540 7.3"),
    "SEAL_TIMESTAMP": Meaning(_C, _FATAL, "GB/T 20520"),
    "SEAL_PENDING": Meaning(_C, _DOUBT, "ISO 32000-2 12.8.2.2; certvault-license/1"),
    "SEAL_ALONE": Meaning(_C, _NOTE, _SEAL),
    "SEAL_DATA_ABSENT": Meaning(_C, _DOUBT, _SEALED),
    "SIGNER_NOT_IN_SEAL": Meaning(_C, _FATAL, _SEALED),
    "SIGNER_CERT_USAGE": Meaning(_C, _FATAL, _SEALED),
    "SIGN_TIME_OUTSIDE_CERT": Meaning(_C, _FATAL, _SEALED),
    "REVOKED_BEFORE_SIGNING": Meaning(_C, _FATAL, _SEALED),
    # Does it hold now?
    "NOT_YET_IN_FORCE": Meaning(_S, _FATAL, "GB/T 36903"),
    "EXPIRED": Meaning(_S, _FATAL, "GB/T 36903"),
    "STATUS_SUSPENDED": Meaning(_S, _FATAL, _STATUS),
    "STATUS_REVOKED": Meaning(_S, _FATAL, _STATUS),
    "STATUS_SUPERSEDED": Meaning(_S, _FATAL, _STATUS),
    "STATUS_UNAVAILABLE": Meaning(_S, _DOUBT, _STATUS),
    "STATUS_BROKEN": Meaning(_S, _DOUBT, _STATUS),
    "STATUS_STALE": Meaning(_S, _DOUBT, _STATUS),
    "STATUS_UNTRUSTED": Meaning(_S, _DOUBT, _STATUS),
    "STATUS_INDEX_OUTSIDE": Meaning(_S, _DOUBT, _STATUS),
    "STANDING_FROM_HISTORY": Meaning(_S, _NOTE, "GB/T 36903"),
    "STANDING_ANSWER_WRONG": Meaning(_S, _DOUBT, "GB/T 36903"),
    "STANDING_NOT_KNOWN": Meaning(_S, _DOUBT, _STATUS),
    # Adopting anchors and trust lists of regions
    "ANCHOR_BROKEN": Meaning(_R, _DOUBT, _LIST),
    "ANCHOR_REGION_DIFFERS": Meaning(_R, _DOUBT, _LIST),
    "ANCHOR_ROLLBACK": Meaning(_R, _DOUBT, _ADOPT),
    "ANCHOR_EQUIVOCATED": Meaning(_R, _DOUBT, _ADOPT),
    "ANCHOR_SKIPPED": Meaning(_R, _DOUBT, _ADOPT),
    "ANCHOR_NOT_VOUCHED": Meaning(_R, _DOUBT, _ADOPT),
    "ANCHOR_THRESHOLD": Meaning(_R, _DOUBT, _ADOPT),
    "ANCHOR_ROOT_SILENT": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_BROKEN": Meaning(_R, _DOUBT, _LIST),
    "TRUST_LIST_UNTRUSTED": Meaning(_R, _DOUBT, _LIST),
    "TRUST_LIST_REGION_DIFFERS": Meaning(_R, _DOUBT, _LIST),
    "TRUST_LIST_ANCHOR_OLD": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_ROLLBACK": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_EQUIVOCATED": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_EXPIRED": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_FUTURE": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_TOO_LARGE": Meaning(_R, _DOUBT, _ADOPT),
    "TRUST_LIST_ROOT_TAKEN": Meaning(_R, _DOUBT, _ADOPT),
    # Offline kits and anchors that are handed in
    "ANCHOR_MISSING": Meaning(_R, _DOUBT, _LIST),
    "KIT_BROKEN": Meaning(_R, _DOUBT, _KIT),
    "KIT_TOO_LARGE": Meaning(_R, _DOUBT, _KIT),
    "KIT_COMPRESSED": Meaning(_R, _DOUBT, _KIT),
    "KIT_MEMBER_NAME": Meaning(_R, _DOUBT, _KIT),
    "KIT_MEMBER_TWICE": Meaning(_R, _DOUBT, _KIT),
    "KIT_MEMBER_EXTRA": Meaning(_R, _DOUBT, _KIT),
    "KIT_MEMBER_MISSING": Meaning(_R, _DOUBT, _KIT),
    "KIT_MEMBER_DIFFERS": Meaning(_R, _DOUBT, _KIT),
    "KIT_UNTRUSTED": Meaning(_R, _DOUBT, _KIT),
    "KIT_AGREEMENT_UNTRUSTED": Meaning(_R, _DOUBT, _KIT),
    "KIT_REGION_DIFFERS": Meaning(_R, _DOUBT, _KIT),
    "KIT_REGION_UNKNOWN": Meaning(_R, _DOUBT, _KIT),
    "KIT_FUTURE": Meaning(_R, _DOUBT, _KIT),
    "KIT_SECOND": Meaning(_R, _DOUBT, _KIT),
    "KIT_STALE": Meaning(_R, _DOUBT, _KIT),
    "KIT_KNOWLEDGE": Meaning(_C, _NOTE, _KIT),
    # Does it count here?
    "REGION_UNKNOWN": Meaning(_R, _DOUBT, _REGIONS),
    "TRUST_LIST_STALE": Meaning(_R, _DOUBT, _LIST),
    "NO_AGREEMENT": Meaning(_R, _FATAL, _AGREED),
    "AGREEMENT_NOT_YET": Meaning(_R, _FATAL, _AGREED),
    "AGREEMENT_OVER": Meaning(_R, _FATAL, _AGREED),
    "AGREEMENT_REVOKED": Meaning(_R, _FATAL, _AGREED),
    "AGREEMENT_NOT_COUNTERSIGNED": Meaning(_R, _FATAL, _AGREED),
    "AGREEMENT_NOT_APPROVED": Meaning(_R, _FATAL, _AGREED),
    "ISSUER_OUTSIDE_REMIT": Meaning(_R, _FATAL, _REGIONS),
    "ISSUER_LEVEL_LOW": Meaning(_R, _FATAL, _AGREED),
    "ISSUED_OUTSIDE_AGREEMENT": Meaning(_R, _FATAL, _AGREED),
    "TYPE_NARROWED": Meaning(_R, _FATAL, _AGREED),
    "CARRIER_NOT_ACCEPTED": Meaning(_R, _FATAL, _AGREED),
    "ASSURANCE_LOW": Meaning(_R, _FATAL, _AGREED),
    "RECOGNITION_NOT_VALID": Meaning(_R, _FATAL, _REGIONS),
    "RECOGNITION_STANDING": Meaning(_R, _FATAL, _AGREED),
    "RECOGNITION_STANDING_UNKNOWN": Meaning(_R, _DOUBT, _AGREED),
    "RECOGNITION_STANDING_OLD": Meaning(_R, _DOUBT, _AGREED),
    "RECOGNITION_KNOWLEDGE": Meaning(_R, _NOTE, _REGIONS),
    "FIELD_UNMAPPED": Meaning(_R, _FATAL, _AGREED),
    "FIELD_VALUE_UNMAPPED": Meaning(_R, _FATAL, _AGREED),
    "FIELD_DROPPED": Meaning(_R, _NOTE, _AGREED),
    "FIELD_NAMES_DIFFER": Meaning(_R, _NOTE, _AGREED),
    "SEAL_STRUCTURE_OLD": Meaning(_R, _NOTE, "GM/T 0031-2014; GB/T 38540"),
    "TRUST_LIST_SAMPLE": Meaning(_R, _DOUBT, _LIST),
    "TRUST_LIST_UNREACHABLE": Meaning(_R, _DOUBT, _LIST),
}
