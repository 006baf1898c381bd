"""Signing what a decent signer refuses to: without leave of the certification, the forger's own look kept."""

from __future__ import annotations

from signing.formats.pades import Baseline, seal_pdf
from signing.keys import KeyPurpose
from tests.support.signing_pki import AT, shared_pki


def sign_without_leave(pdf: bytes, field: str) -> bytes:
    """An approval signature whatever the certification says; our writer never touches an appearance."""
    pki = shared_pki("p256")
    return seal_pdf(
        pdf,
        field=field,
        signer=pki.signer(KeyPurpose.SEAL),
        certificate=pki.certificate(KeyPurpose.SEAL),
        chain=(pki.issuing.certificate,),
        at=AT,
        baseline=Baseline.B_B,
        stamp=None,
        validation=None,
        permission=None,
    )
