"""A served vault, and a browser that looks at it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
import uvicorn

from api.app import create_app
from certvault.model.actor import LOCAL_OPERATOR
from tests.api.conftest import GENEROUS, example

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from certvault.bootstrap import Vault
    from certvault.model.views import IssuedLicense

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def issued(embedded_vault: Vault) -> IssuedLicense:
    """One food business license; it ends in 2029."""
    return embedded_vault.issuing.issue("food-business-license", example("food-business-license"), actor=LOCAL_OPERATOR)


@pytest.fixture(scope="session")
def address(embedded_vault: Vault) -> Iterator[str]:
    """The service, on a port of its own."""
    door = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(embedded_vault, limits=GENEROUS), log_config=None, access_log=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """Headless Chromium. Ends with its file: its event loop would stand in the way of other tests' own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile. Every error of a script, and every request that leaves the service, fails the test."""
    opened = browser.new_context(locale="en-US", accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    """A page that notes what went wrong in it and where it went."""
    shown = context.new_page()
    wrong: list[str] = []
    shown.on("pageerror", lambda error: wrong.append(str(error)))
    shown.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    shown.on("request", lambda r: None if r.url.startswith((address, "blob:", "data:")) else wrong.append(r.url))
    yield shown
    assert not wrong


@pytest.fixture
def link(embedded_vault: Vault, address: str, issued: IssuedLicense) -> Callable[[str], str]:
    """Sign-in links by role."""

    def make(role: str) -> str:
        holder = embedded_vault.licenses.get(issued.identifier, LOCAL_OPERATOR).holders[0].code
        token = embedded_vault.tokens.create(
            role, actor=LOCAL_OPERATOR, holder_code=holder if role == "holder" else None
        )
        return f"{address}/sign-in#t={token}"

    return make
