"""Timestamps inside seals and seal signatures (GB/T 20520, a profile of RFC 3161)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from verify.checks.chain import Chains, Revocation, display_name, has_usage
from verify.checks.sealsteps import Step, failed, passed, warned
from verify.formats import purposes
from verify.formats.cms import CmsError, UnverifiedCms, hash_by_name, unverified_cms
from verify.formats.publickeys import BadSignatureError, UnsupportedKeyError
from verify.formats.schemes import hash_name


def token_time(der: bytes) -> datetime | None:
    """The time that a token states; None when it cannot be read."""
    try:
        time: datetime = _info(unverified_cms(der))["gen_time"].native
    except (CmsError, ValueError, TypeError, KeyError):
        return None
    return time


def check_token(
    chains: Chains, code: str, der: bytes, stamped: bytes, not_before: datetime | None, early: str = "timestamp-early"
) -> Step:
    """Judge a token over ``stamped``, whose time must not lie before ``not_before``; ``early`` says what that was."""
    from verify.formats.cms import CmsAttributeError, CmsDigestError, check_signature

    try:
        cms = unverified_cms(der)
        info = _info(cms)
        imprint, time = info["message_imprint"], info["gen_time"].native
        if hash_by_name(hash_name(imprint["hash_algorithm"]), stamped) != imprint["hashed_message"].native:
            return failed(code, "timestamp-other")
        cms = check_signature(cms, cms.content or b"", "tst_info")
    except (CmsDigestError, CmsAttributeError, BadSignatureError):
        return failed(code, "timestamp-wrong")
    except (CmsError, UnsupportedKeyError, ValueError, TypeError, KeyError):
        return failed(code, "timestamp-broken")
    if not_before is not None and time < not_before:
        return failed(code, early, time=time.isoformat(), created=not_before.isoformat())
    return _authority(chains.with_certificates(cms.certificates), code, cms.signer, time)


def _authority(chains: Chains, code: str, authority: Any, time: datetime) -> Step:
    refused = failed(code, "timestamp-authority", subject=display_name(authority))
    if not has_usage(authority, purposes.TSA):
        return refused
    if not chains.anchors:
        return replace(warned(code, "timestamp-untrusted", time=time.isoformat()), unknown=display_name(authority))
    problem = chains.validate(authority, time, Revocation.KNOWN).problem
    if problem is not None:
        return replace(refused, unknown=display_name(authority) if problem.code == "NO_TRUSTED_PATH" else "")
    return passed(code, "timestamp-good", time=time.isoformat())


def _info(cms: UnverifiedCms) -> Any:
    from asn1crypto import tsp

    if cms.content is None or cms.content_type != "tst_info":
        raise CmsError("it is no timestamp token")
    info = tsp.TSTInfo.load(cms.content)
    _ = info["gen_time"].native, info["message_imprint"]["hashed_message"].native
    return info
