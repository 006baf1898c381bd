"""Sealing any file beside itself: a detached CMS signature, or a seal signature over the file's digest.

The file is hashed piece by piece, whatever its size, and is not touched. CMS is SignedData of GB/T 35275 for SM2, of
RFC 5652 for every other key; the seal signature is SES_Signature of GB/T 38540-2020.
"""

from __future__ import annotations

import enum
import os
from datetime import datetime
from functools import partial
from pathlib import Path

from signing.errors import SigningError
from signing.formats.cms import SignerIdentity, require_own_certificate, sign_detached, sign_national
from signing.formats.pdf_body import FileBody, MemoryBody, Progress, silent
from signing.formats.pdf_signature import Stamp, stamp_of
from signing.formats.seal_document import Instrument
from signing.formats.ses_value import check_seal, ses_value
from verify.formats.algorithms import Algorithm

WHOLE_FILE = "file"
"""What the property of a seal signature over a file says is protected: all of it."""


class DetachedForm(enum.Enum):
    """What stands beside the file."""

    CMS = "cms"
    SES = "ses"


def seal_detached(
    file: bytes | Path,
    instrument: Instrument,
    *,
    at: datetime,
    form: DetachedForm = DetachedForm.CMS,
    stamp: Stamp | None = None,
    progress: Progress = silent,
) -> bytes:
    """The signature (DER) over a file's bytes; ``stamp`` adds a timestamp over its value.

    Refused (RefusedError): a seal that may not be used. Raises SigningError for a time without a zone, a certificate of
    another key or a file that changes meanwhile, OSError for one that cannot be read.
    """
    digest = _digest(file, instrument.signer.handle.algorithm.hash, progress)
    return seal_digest(digest, instrument, at=at, form=form, stamp=stamp)


def seal_digest(
    digest: bytes,
    instrument: Instrument,
    *,
    at: datetime,
    form: DetachedForm = DetachedForm.CMS,
    stamp: Stamp | None = None,
    protects: str = WHOLE_FILE,
) -> bytes:
    """The same over a digest by the signer's hash, for those who have it already.

    ``protects`` names what is protected in a seal signature, in ASCII.
    """
    check_instrument(instrument, at=at, form=form)
    signer = instrument.signer
    if form is DetachedForm.SES and instrument.seal is not None:
        value = ses_value(signer, instrument.certificate, instrument.seal, at=at, stamp=stamp, protects=protects)
        return value.make(digest)
    sign = sign_national if signer.handle.algorithm is Algorithm.SM2_SM3 else sign_detached
    return sign(
        digest,
        signer=signer,
        certificate=instrument.certificate,
        chain=instrument.chain,
        signing_time=at,
        stamp=None if stamp is None else partial(_stamped, stamp, signer.handle.algorithm.hash),
    )


def check_instrument(instrument: Instrument, *, at: datetime, form: DetachedForm) -> None:
    """All that can be refused before the key is used: a seal that cannot be read, that does not list the certificate or
    does not hold at that time. Raises SigningError for what the caller got wrong."""
    if at.tzinfo is None:
        raise SigningError("the time of signing is aware")
    signer = instrument.signer
    require_own_certificate(SignerIdentity.of(instrument.certificate), signer)
    if form is DetachedForm.SES:
        if instrument.seal is None:
            raise SigningError("a seal signature needs a seal structure", uri=signer.handle.uri)
        check_seal(instrument.seal, instrument.certificate, at)


def _stamped(stamp: Stamp, hash_name: str, value: bytes) -> bytes:
    return stamp_of(stamp, value, hash_name)


def _digest(file: bytes | Path, hash_name: str, progress: Progress) -> bytes:
    if isinstance(file, bytes):
        return bytes(MemoryBody(file, progress).hasher(hash_name).digest())
    with file.open("rb") as opened:
        before = os.fstat(opened.fileno())
        found = bytes(FileBody(opened, progress).hasher(hash_name).digest())
        after = os.fstat(opened.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SigningError("the file was changed while it was read")
    return found
