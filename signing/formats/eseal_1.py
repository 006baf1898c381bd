"""Electronic seals and seal signatures in the old structure, version 1 (GM/T 0031-2014 6.1.1 and 6.2.1), strict DER.

For regions whose readers know no other; GB/T 38540-2020 took its place (:mod:`signing.formats.eseal`). Here the seal
maker's key signs ``SES_SealInfo`` together with its certificate and algorithm, and what a signer's key signs holds
the certificate and algorithm as well. The time is that of the signer's clock: the structure has no place for a token
over the signature value.
"""

from __future__ import annotations

from datetime import UTC, datetime

from signing.errors import SigningError
from signing.formats import der
from signing.formats.eseal import SealData, algorithm_of, bits, check_data, ia5, picture_of
from signing.keys import KeyPurpose
from signing.signer import Signer
from signing.tbs import ToBeSigned

VERSION = 1
_UNIT, _PERSON = 1, 2
_PERSONAL = frozenset({5})
"""Kinds (:attr:`signing.formats.eseal.SealData.kind`) that are a person's: a legal representative's name seal."""


def make_seal_1(data: SealData, signer: Signer, certificate: bytes) -> bytes:
    """SES_Seal (DER) of version 1. ``data.kind`` is told as unit or personal seal, ``by_digest`` is not there.

    Raises SigningError for data that the structure cannot hold.
    """
    check_data(data, signer)
    if data.by_digest:
        raise SigningError("a seal of version 1 lists certificates", uri=signer.handle.uri)
    info = der.sequence(
        der.sequence(ia5("ES"), der.integer(VERSION), ia5(data.vendor)),
        ia5(data.seal_id),
        der.sequence(
            der.integer(_PERSON if data.kind in _PERSONAL else _UNIT),
            der.tagged(0x0C, data.name.encode()),
            der.sequence(*(der.octets(c) for c in data.signers)),
            *(_utc_time(moment) for moment in (data.created, data.valid_from, data.valid_to)),
        ),
        picture_of(data.picture),
    )
    held, algorithm = der.octets(certificate), algorithm_of(signer)
    value = signer.sign(ToBeSigned(der.sequence(info, held, algorithm), KeyPurpose.SEAL_MAKER))
    return der.sequence(info, der.sequence(held, algorithm, bits(value)))


def make_seal_signature_1(
    seal: bytes, *, data_hash: bytes, at: datetime, property_info: str, signer: Signer, certificate: bytes
) -> bytes:
    """SES_Signature (DER) of version 1 over data whose digest, by the signer's hash, is ``data_hash``."""
    signed = der.sequence(
        der.integer(VERSION),
        seal,
        bits(_utc_time(at)),
        bits(data_hash),
        ia5(property_info),
        der.octets(certificate),
        algorithm_of(signer),
    )
    return der.sequence(signed, bits(signer.sign(ToBeSigned(signed, KeyPurpose.SEAL))))


def _utc_time(at: datetime) -> bytes:
    moment = at.astimezone(UTC)
    if not 1950 <= moment.year < 2050:
        raise SigningError("times of version 1 lie between 1950 and 2049")
    return der.tagged(0x17, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))
