"""One vault for all tests of the doors, and clients that ask it as somebody."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.limits import Limits, Rate
from certvault.model.actor import LOCAL_OPERATOR

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
GENEROUS = dataclasses.replace(
    Limits(),
    rates={kind: Rate(10_000, 100_000) for kind in Limits().rates},
    everyone={},
    judges=1,
)


def example(type_name: str) -> dict[str, Any]:
    """The example data of a type."""
    value: dict[str, Any] = json.loads((EXAMPLES / f"{type_name}.json").read_text("utf-8"))
    return value


@dataclass(frozen=True)
class Door:
    """A client of the vault's application, and tokens by role."""

    client: TestClient
    tokens: dict[str, str]

    def as_(self, role: str) -> dict[str, str]:
        """The header that says who asks."""
        return {"Authorization": f"Bearer {self.tokens[role]}"}


@pytest.fixture(scope="session")
def issued(embedded_vault: Vault) -> IssuedLicense:
    """One food business license."""
    return embedded_vault.issuing.issue("food-business-license", example("food-business-license"), actor=LOCAL_OPERATOR)


@pytest.fixture(scope="session")
def holder_code(embedded_vault: Vault, issued: IssuedLicense) -> str:
    """The code of that license's holder."""
    return embedded_vault.licenses.get(issued.identifier, LOCAL_OPERATOR).holders[0].code


@pytest.fixture(scope="session")
def tokens(embedded_vault: Vault, holder_code: str) -> dict[str, str]:
    """A token of each role; ``stranger`` is a holder of nothing."""
    made = {
        role: embedded_vault.tokens.create(role, actor=LOCAL_OPERATOR)
        for role in ("operator", "issuer", "auditor", "verifier", "custodian")
    }
    made["holder"] = embedded_vault.tokens.create("holder", actor=LOCAL_OPERATOR, holder_code=holder_code)
    made["stranger"] = embedded_vault.tokens.create("holder", actor=LOCAL_OPERATOR, holder_code="110101199003074477")
    return made


@pytest.fixture(scope="session")
def door(embedded_vault: Vault, tokens: dict[str, str]) -> Iterator[Door]:
    """The application with limits that no test meets."""
    with TestClient(create_app(embedded_vault, limits=GENEROUS), raise_server_exceptions=False) as client:
        yield Door(client, tokens)


@pytest.fixture
def new_client(embedded_vault: Vault) -> Iterator[Callable[..., TestClient]]:
    """Applications of their own, for limits of their own."""
    opened: list[TestClient] = []

    def make(**changes: Any) -> TestClient:
        client = TestClient(
            create_app(embedded_vault, limits=dataclasses.replace(GENEROUS, **changes)), raise_server_exceptions=False
        )
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)
