"""A region's server on loopback, honest or otherwise: what it answers is set by the test."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.regions import FakeRegion, region_pki

Answer = tuple[int, dict[str, str], bytes]


class RegionServer:
    """Serves ``region``. ``answers`` replaces an answer by path (without query); ``asked`` are paths with query.

    ``tags``: answers of 200 have entity tags, and who has them is told so.
    """

    def __init__(self, code: str) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, Callable[[str], Answer]] = {}
        self.token = b""
        self.tags = False
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        base = f"http://127.0.0.1:{self._http.server_address[1]}"
        self.region = FakeRegion(code, [region_pki(f"Region {code}")], base=base)
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.region.base}/v1/trust-list"

    def answer(self, path: str, query: str) -> Answer:
        if path in self.answers:
            return self.answers[path](query)
        if path == "/v1/trust-list/anchors":
            body = json.dumps({"anchors": [a.to_json() for a in self.region.anchors]}).encode()
            return 200, {"Content-Type": "application/json"}, body
        if path == "/v1/trust-list":
            return 200, {"Content-Type": "application/jose"}, self.token
        return 404, {}, b""

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                server.asked.append(self.path)
                status, headers, body = server.answer(path, query)
                if server.tags and status == 200:
                    headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
                    if self.headers.get("If-None-Match") == headers["ETag"]:
                        status, body = 304, b""
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:  # the asker had enough
                    return

            def log_message(self, *_args: object) -> None:
                return

        return Handler


@contextmanager
def serving(*codes: str) -> Iterator[list[RegionServer]]:
    """Servers of regions, each with its first list."""
    servers = [RegionServer(code) for code in codes]
    for server in servers:
        server.token = server.region.token()
    try:
        yield servers
    finally:
        for server in servers:
            server.close()
