"""The page shows what a license of another region counts for here, in both languages."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn

from api.app import create_app
from tests.api.conftest import GENEROUS
from tests.api.test_recognitions import TYPE, World, world

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["world"]
VERDICT = "article.verdict"


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    door = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(world.here, limits=GENEROUS), log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{door.getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("lang", "says", "counts"),
    [("zh", "予以承认", "道路运输经营许可证"), ("en", "Recognized", "Counts as")],
)
def test_a_license_of_another_region(
    page: Page, address: str, world: World, tmp_path: Path, lang: str, says: str, counts: str
) -> None:
    file = tmp_path / "theirs.pdf"
    file.write_bytes(world.pdf)
    page.goto(f"{address}/verify?lang={lang}")
    page.set_input_files("#files", [file])
    page.wait_for_selector(VERDICT)
    shown = page.locator(VERDICT)
    assert shown.get_attribute("data-recognition") == "RECOGNIZED"
    text = shown.inner_text()
    for expected in (says, counts, world.there.settings.region, "开封市通达物流有限公司"):
        assert expected in text
    assert TYPE not in text, "the type is told by its title"
    page.screenshot(path=tmp_path / f"{lang}.png", full_page=True)
