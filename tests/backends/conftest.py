"""One backend of each kind; the token is a real one in SoftHSM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from signing.backends import Backend, open_backend


@pytest.fixture(scope="module", params=["memory", "file", "pkcs11"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    if request.param == "memory":
        made = open_backend("memory:")
    elif request.param == "file":
        made = open_backend(f"file:{tmp_path_factory.mktemp('keys') / 'folder'}", pin=lambda: "open sesame")
    else:
        token = request.getfixturevalue("new_token")()
        made = open_backend(token.uri, pin=lambda: token.pin)
    yield made
    made.close()


@pytest.fixture
def token(new_token: Callable[[], Any]) -> Any:
    return new_token()


@pytest.fixture
def tokens_folder(softhsm_conf: Path) -> Path:
    return softhsm_conf.parent / "tokens"
