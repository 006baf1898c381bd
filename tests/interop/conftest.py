"""Licenses of every type at every baseline, made once a process, for the tools that judge them from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.data import examples

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

TYPES = (
    "business-license",
    "business-license-duplicate",
    "food-business-license",
    "road-transport-license",
    "driving-license",
    "marriage-certificate",
)
BASELINES = ("B-B", "B-T", "B-LT", "B-LTA")
EVERY = [(t, b) for t in TYPES for b in BASELINES]


@dataclass(frozen=True)
class Sealed:
    """One issued license in a folder: the PDF, the same before signing, and the structured record."""

    pdf: Path
    unsigned: Path
    record: str
    identifier: str
    number: str


def before_signing(pdf: bytes) -> bytes:
    """The first revision of a sealed file: what was there before the signature was written after it."""
    return pdf[: pdf.index(b"%%EOF") + len(b"%%EOF\n")]


def example(type_name: str) -> dict[str, object]:
    """The example's data under a code that no other call gets: a number that is a datum is licensed once."""
    return next(_DATA.setdefault(type_name, examples(type_name)))


_DATA: dict[str, Iterator[dict[str, object]]] = {}


@pytest.fixture(scope="session")
def sealed(embedded_vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Sealed]:
    """``sealed(type, baseline)``: issued when first asked for."""
    from certvault.bootstrap import LOCAL_OPERATOR

    folder = tmp_path_factory.mktemp("sealed")
    made: dict[tuple[str, str], Sealed] = {}

    def make(type_name: str, baseline: str) -> Sealed:
        if (type_name, baseline) not in made:
            issued = embedded_vault.issuing.issue(
                type_name, example(type_name), actor=LOCAL_OPERATOR, baseline=baseline
            )
            pdf = folder / f"{type_name}.{baseline}.pdf"
            pdf.write_bytes(issued.pdf)
            unsigned = folder / f"{type_name}.{baseline}.unsigned.pdf"
            unsigned.write_bytes(before_signing(issued.pdf))
            made[type_name, baseline] = Sealed(pdf, unsigned, issued.record, issued.identifier, issued.number)
        return made[type_name, baseline]

    return make


@pytest.fixture(scope="session")
def root_pem(embedded_vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The vault's root, as a file."""
    path = tmp_path_factory.mktemp("root") / "root.pem"
    path.write_text(embedded_vault.pki.root_pem)
    return path


@pytest.fixture(scope="session")
def rsa_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """A second vault, whose seals are RSA-3072 keys in encrypted files."""
    from certvault.bootstrap import InitOptions, create_vault

    vault = create_vault(InitOptions(folder=tmp_path_factory.mktemp("rsa") / "var", suite="rsa3072", keys="file"))
    yield vault
    vault.close()
