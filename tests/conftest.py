"""What every test may lean on: a real token, a real database server, a browser, a fixed clock, a closed network.

What a machine lacks is skipped aloud (the summary names it), never failed.
"""

from __future__ import annotations

import datetime
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import judges
from tests.support.postgres import PostgresMissingError, PostgresServer
from tests.support.sockets import close_network

if TYPE_CHECKING:
    from certvault.bootstrap import Vault
    from certvault.clock import FixedClock

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime.datetime(2026, 11, 23, 2, 0, tzinfo=datetime.UTC)
"""The moment at which tests with a fixed clock stand."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--acceptance", action="store_true", help="run the long measurements whole")


def pytest_configure(config: pytest.Config) -> None:
    close_network()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--acceptance"):
        return
    for item in items:
        if item.get_closest_marker("acceptance"):
            item.add_marker(pytest.mark.skip(reason="a long measurement: make acceptance"))


@pytest.fixture(scope="session")
def scale(pytestconfig: pytest.Config) -> Callable[[int, int], int]:
    """``scale(sample, whole)``: how many cases to run, the whole number only with ``--acceptance``."""
    whole = bool(pytestconfig.getoption("--acceptance"))
    return lambda sample, all_of_them: all_of_them if whole else sample


# --- keys ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """A fresh SoftHSM token: its ``pkcs11:`` URI (module path inside) and its PIN."""

    uri: str
    pin: str


@pytest.fixture(scope="session", autouse=True)
def softhsm_conf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one SoftHSM configuration of this process, in the environment for it and its children."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir(mode=0o700)
    conf = folder / "softhsm2.conf"
    conf.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
        "slots.removable = false\nlibrary.reset_on_fork = true\n"
    )
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(conf)
    yield conf
    if before is None:
        os.environ.pop("SOFTHSM2_CONF", None)
    else:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture(scope="session")
def new_token(softhsm_conf: Path) -> Callable[[], Token]:
    """Makes fresh tokens in a real SoftHSM."""
    from signing.backends import create_softhsm_token, softhsm_available

    if not softhsm_available():
        pytest.skip("SoftHSM is not installed")
    numbers = itertools.count(1)

    def make() -> Token:
        pin = "987654"
        return Token(create_softhsm_token(softhsm_conf.parent, f"test-{os.getpid()}-{next(numbers)}", pin), pin)

    return make


# --- databases -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of this session's own."""
    try:
        server = PostgresServer()
    except PostgresMissingError as error:
        pytest.skip(f"PostgreSQL: {error}")
    yield server
    server.stop()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database for one test."""
    url = postgres_server.new_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The same test on both databases: a URL of an empty one."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'vault.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


# --- time, browser, corpus, vault ------------------------------------------------------------------------------


@pytest.fixture
def now() -> datetime.datetime:
    """The fixed moment of the tests."""
    return NOW


@pytest.fixture
def fixed_clock() -> FixedClock:
    """A clock that stands at :data:`NOW` until it is moved."""
    from certvault.clock import FixedClock

    return FixedClock(NOW)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser's program."""
    named = os.environ.get("CERTVAULT_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("Chromium is not installed")
    return found


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared samples and corpora, beside the checkout or where CERTVAULT_SHARED says."""
    folder = Path(os.environ.get("CERTVAULT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the shared corpus is absent (CERTVAULT_SHARED)")
    return folder


@pytest.fixture(scope="session")
def corpus(shared: Path) -> Path:
    """The corpus of foreign files: ``manifest.json`` and ``files/``."""
    if not (shared / "corpus" / "manifest.json").is_file():
        pytest.skip("the shared corpus is absent (CERTVAULT_SHARED)")
    return shared / "corpus"


@pytest.fixture(scope="session")
def java_judges() -> None:
    """veraPDF and EU DSS, ready to be asked through :mod:`tests.support.judges`."""
    try:
        judges.build()
    except judges.JudgesMissingError as error:
        pytest.skip(f"veraPDF and EU DSS: {error}")


@pytest.fixture(scope="session")
def seal_judges() -> None:
    """ofdrw, ready to be asked through :mod:`tests.support.judges`."""
    try:
        judges.build(judges.SEALS)
    except judges.JudgesMissingError as error:
        pytest.skip(f"ofdrw: {error}")


@pytest.fixture(scope="session")
def embedded_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """One example vault as ``init`` makes it, keys in SoftHSM where that is. Shared: add, end nothing."""
    from certvault.bootstrap import InitOptions, create_vault

    vault = create_vault(InitOptions(folder=tmp_path_factory.mktemp("vault") / "var"))
    yield vault
    vault.close()


@pytest.fixture(scope="session")
def sm2_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """One vault of the suite ``sm2`` as ``init`` makes it: keys in encrypted files. Shared: add, end nothing."""
    from certvault.bootstrap import InitOptions, create_vault

    vault = create_vault(InitOptions(folder=tmp_path_factory.mktemp("sm2") / "var", suite="sm2"))
    yield vault
    vault.close()
