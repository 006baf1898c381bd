"""Vaults that serve on loopback inside the test's own process, each with what it answers instead of the truth."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from api.app import create_app
from certvault.bootstrap import InitOptions, Vault, create_vault, open_vault
from certvault.clock import Clock

Answer = tuple[int, bytes]


@dataclass
class Node:
    """A vault and its server. ``canned`` answers take the place of its own, by path without query; ``asked`` are the
    paths with query that were asked."""

    vault: Vault
    url: str
    canned: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.vault.settings.folder

    def token(self) -> bytes:
        """The vault's newest trust list."""
        return self.vault.trust_lists.newest().token.encode()


class _Stage:
    """The application behind the answers that stand in for its own."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._app = create_app(node.vault)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = scope.get("query_string", b"").decode()
        self._node.asked.append(scope["path"] + (f"?{query}" if query else ""))
        found = self._node.canned.get(scope["path"])
        if found is None:
            await self._app(scope, receive, send)
            return
        status, body = found
        head = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})


class Nodes:
    """Makes vaults that serve, and copies of them that do not."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._ends: list[Callable[[], None]] = []
        self._copies = 0

    def make(self, folder: str, region: str, **options: Any) -> Node:
        """A new vault that serves on a port of its own."""
        listening = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        wanted = InitOptions(folder=self._folder / folder, region=region, keys="file", base_url=url, **options)
        node = Node(create_vault(wanted, clock=self._clock), url)
        self._serve(node, listening)
        return node

    def copy(self, node: Node | Vault) -> Vault:
        """A vault with the same keys and the same past, which goes its own way from here. It does not serve."""
        source = node.vault if isinstance(node, Node) else node
        self._copies += 1
        folder = self._folder / f"copy-{self._copies}"
        shutil.copytree(source.settings.folder, folder)
        opened = open_vault(folder, clock=self._clock)
        self._ends.append(opened.close)
        return opened

    def close(self) -> None:
        for end in reversed(self._ends):
            end()

    def _serve(self, node: Node, listening: socket.socket) -> None:
        config = uvicorn.Config(_Stage(node), lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)

        def end() -> None:
            server.should_exit = True
            thread.join(10)
            listening.close()
            node.vault.close()

        self._ends.append(end)


@contextlib.contextmanager
def nodes(folder: Path, clock: Clock) -> Iterator[Nodes]:
    """Vaults that serve while the block runs."""
    made = Nodes(folder, clock)
    try:
        yield made
    finally:
        made.close()
