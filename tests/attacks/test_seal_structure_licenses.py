"""Licenses that bear seal signatures instead of CMS: good, and no bit of the value can be changed unseen."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from certvault.bootstrap import LOCAL_OPERATOR, InitOptions, create_vault, open_vault
from certvault.settings import read_settings
from tests.support.flips import integrity, outside_the_digest, random_flips, survivors
from tests.support.forging import seal_range
from verify import Integrity, TrustStore, Verdict
from verify.formats.der import wrap
from verify.formats.seal import unverified_seal_signature

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "food-business-license.json"


@dataclasses.dataclass(frozen=True)
class Sealed:
    """A license with the trust under which it is good."""

    pdf: bytes
    trust: TrustStore
    verdict: Verdict

    def value(self) -> bytes:
        """The SES_Signature in /Contents."""
        start, second, _ = seal_range(self.pdf)
        padded = bytes.fromhex(self.pdf[start + 1 : second - 1].decode("ascii"))
        return padded[: 4 + int.from_bytes(padded[2:4], "big")] if padded[1] == 0x82 else padded[: 5 + _long(padded)]

    def with_value(self, value: bytes) -> bytes:
        """The same file with another value."""
        start, second, _ = seal_range(self.pdf)
        room = second - start - 2
        return self.pdf[: start + 1] + value.hex().encode().ljust(room, b"0") + self.pdf[second - 1 :]


def _long(padded: bytes) -> int:
    return int.from_bytes(padded[2:5], "big")


@pytest.fixture(scope="module", params=[("p256", "ses-1"), ("p256", "ses-4"), ("sm2", "ses-1")], ids="-".join)
def sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sealed]:
    suite, structure = request.param
    folder = tmp_path_factory.mktemp("ses") / "vault"
    create_vault(InitOptions(folder=folder, keys="file", suite=suite)).close()
    dataclasses.replace(read_settings(folder), seal_structure=structure).write()
    with open_vault(folder) as vault:
        made = vault.issuing.issue("food-business-license", json.loads(EXAMPLE.read_text()), actor=LOCAL_OPERATOR)
        pdf = vault.licenses.pdf(made.identifier, LOCAL_OPERATOR)
        yield Sealed(pdf, vault.verification.trust(), vault.verification.verify(pdf))


def test_the_license_is_good_and_says_which_structure_it_bears(sealed: Sealed) -> None:
    found = sealed.verdict
    assert (found.integrity, found.conclusion.name) == (Integrity.INTACT, "VALID"), [f.code for f in found.findings]
    version = unverified_seal_signature(sealed.value()).version
    assert found.signatures[0].format == f"ses-v{version}"
    assert sealed.with_value(sealed.value()) == sealed.pdf


def test_no_flipped_bit_of_the_value_leaves_it_intact(sealed: Sealed) -> None:
    start, second, _ = seal_range(sealed.pdf)
    digits = len(sealed.value()) * 2
    places = [p for p in outside_the_digest(sealed.pdf) if p < start + digits + 1 or p >= second - 40]
    unsigned = range(start + 1 + digits - 3_000, start + 1 + digits)  # certificate, algorithm and value of version 4
    flips = random_flips(places, 150, 1) + random_flips(unsigned, 250, 2)
    assert survivors(sealed.pdf, sealed.trust, flips) == []


def test_the_value_cannot_be_written_otherwise(sealed: Sealed) -> None:
    """Lengths in a longer form say the same to a lenient reader."""
    value = sealed.value()
    body = value[4:] if value[1] == 0x82 else value[5:]
    longer = bytes((0x30, 0x84)) + len(body).to_bytes(4, "big") + body
    assert wrap(0x30, body) == value
    assert integrity(sealed.with_value(longer), sealed.trust) is not Integrity.INTACT
