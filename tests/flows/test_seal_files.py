"""A seal that a vault's maker signed is judged by that vault: trusted, not revoked, and no document."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from signing.formats.eseal import SealData, SealPicture, make_seal
from signing.keys import KeyPurpose

if TYPE_CHECKING:
    from certvault.bootstrap import Vault


def test_a_vaults_own_seal_is_valid_there_and_unknown_elsewhere(sm2_vault: Vault, embedded_vault: Vault) -> None:
    from certvault.clock import SystemClock

    keyring, at = sm2_vault._keyring, SystemClock().now().replace(microsecond=0)
    maker = next(k for k in keyring.all() if k.purpose is KeyPurpose.SEAL_MAKER)
    seal = next(k for k in keyring.all() if k.purpose is KeyPurpose.SEAL)
    picture = SealPicture("PNG", b"\x89PNG", 42, 42)
    listed = (keyring.certificate_der(seal),)
    data = SealData("41020000000001", "印章", 1, "certvault", listed, at, at, at + timedelta(days=100), picture)
    made = make_seal(data, keyring.signer(maker), keyring.certificate_der(maker))
    own, other = (vault.verification.verify(made) for vault in (sm2_vault, embedded_vault))
    assert (own.kind, own.integrity.value, own.conclusion.value) == ("seal", "INTACT", "VALID"), own.findings
    assert own.codes() == {"SEAL_ALONE"}
    assert (other.integrity.value, other.conclusion.value) == ("INTACT", "INDETERMINATE")
    assert "NO_TRUSTED_PATH" in other.codes()
