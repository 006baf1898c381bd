"""Timestamp tokens (RFC 3161): do they stamp these bytes, and is their own signature right? Trust comes later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verify.errors import UnreadableError
from verify.formats.cms import (
    CmsAttributeError,
    CmsDigestError,
    CmsError,
    UnverifiedCms,
    as_utc,
    check_signature,
    hash_by_name,
    unverified_cms,
)
from verify.formats.cmsform import canonical_fault
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
from verify.formats.schemes import hash_name
from verify.inquiry import Inquiry


@dataclass(slots=True)
class Token:
    """One timestamp: its CMS, what it says of the time, and the hash it stamps with."""

    cms: UnverifiedCms
    time: datetime
    where: str
    hash: str = ""


def check_token(inquiry: Inquiry, cms: UnverifiedCms, stamped: bytes, where: str) -> Token:
    """Check a token against what it stamps; findings say what is wrong. Raises UnreadableError."""
    info = _token_info(cms)
    imprint = info["message_imprint"]
    name = hash_name(imprint["hash_algorithm"])
    try:
        matches = hash_by_name(name, stamped) == imprint["hashed_message"].native
    except CmsError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=name) from error
    if not matches:
        inquiry.report("TIMESTAMP_WRONG", where=where, reason="it stamps other bytes")
    time = as_utc(info["gen_time"].native)
    return Token(check_cms(inquiry, cms, cms.content or b"", "tst_info", where), time, where, name)


def check_embedded(
    inquiry: Inquiry, der: bytes, stamped: bytes, where: str, strict: bool, known: Callable[[], Iterable[Any]]
) -> Token | None:
    """Check a timestamp inside a signature. It is no part of what was signed: one that nobody can check proves nothing.

    So for a foreign file it leaves the signature as good as without it; in ours each must hold.
    """
    try:
        try:
            cms = unverified_cms(der, known)
        except CmsError as error:
            raise UnreadableError("TIMESTAMP_WRONG", where=where, reason=str(error)) from error
        fault = canonical_fault(cms, is_token=True) if strict else None
        if fault is not None:
            inquiry.report("CMS_NOT_CANONICAL", where=where, reason=fault)
        return check_token(inquiry, cms, stamped, where)
    except UnreadableError as error:
        if strict:
            raise
        reason = error.params.get("reason") or error.params.get("algorithm") or error.code
        inquiry.report("TIMESTAMP_UNTRUSTED", where=where, subject="?", reason=str(reason))
        return None


def check_cms(
    inquiry: Inquiry, cms: UnverifiedCms, content: bytes | None, expected_type: str, where: str
) -> UnverifiedCms:
    """Check a CMS value over ``content``; the value with the signer whose key made it. Raises UnreadableError."""
    try:
        return check_signature(cms, content, expected_type)
    except CmsError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=cms.digest_name) from error
    except UnsupportedKeyError as error:
        raise UnreadableError("ALGORITHM_UNSUPPORTED", algorithm=str(error)) from error
    except CmsDigestError:
        inquiry.report("DIGEST_MISMATCH", where=where)
    except CmsAttributeError as error:
        inquiry.report("SIGNED_ATTRIBUTES_WRONG", where=where, reason=str(error))
    except BadSignatureError:
        inquiry.report("SIGNATURE_WRONG", where=where)
    except (ValueError, TypeError, KeyError) as error:  # asn1crypto's lazy parsing
        raise UnreadableError("CMS_BROKEN", reason=f"{type(error).__name__} while checking it") from error
    return cms


def _token_info(cms: UnverifiedCms) -> Any:
    from asn1crypto import tsp

    if cms.content_type != "tst_info" or cms.content is None:
        raise UnreadableError("TIMESTAMP_WRONG", reason="it is no timestamp token")
    try:
        info = tsp.TSTInfo.load(cms.content)
        _ = info["gen_time"].native.year, info["message_imprint"]["hashed_message"].native
        _ = info["message_imprint"]["hash_algorithm"]["algorithm"].dotted
    except Exception as error:
        raise UnreadableError("TIMESTAMP_WRONG", reason="its content cannot be read") from error
    return info
