"""The vault as a client, against real servers on loopback that drip, flood, unfold, point elsewhere or lie."""

from __future__ import annotations

import datetime
import gzip
import ipaddress
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from certvault.web import Web, WebError

Handler = Callable[[socket.socket, bytes], None]


class Server:
    """Answers each connection with ``handler``, after it read the request's head. Keeps the heads."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._context = context
        self.heads: list[bytes] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}/list"

    def close(self) -> None:
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        try:
            with peer if self._context is None else self._context.wrap_socket(peer, server_side=True) as found:
                head = b""
                while b"\r\n\r\n" not in head:
                    got = found.recv(65536)
                    if not got:
                        return
                    head += got
                self.heads.append(head)
                self._handler(found, head)
        except OSError:
            pass
        finally:
            self.ended.set()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def start(handler: Handler, context: ssl.SSLContext | None = None) -> Server:
        made.append(Server(handler, context))
        return made[-1]

    yield start
    for one in made:
        one.close()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> Handler:
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
    ]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return lambda found, _head: found.sendall(head + body)


def refused(web: Web, url: str, *, limit: int = 1000, seconds: float = 5) -> WebError:
    with pytest.raises(WebError) as told:
        web.get(url, limit=limit, seconds=seconds)
    assert told.value.reason.zh
    assert told.value.reason.en
    return told.value


def test_what_is_there_comes_with_its_etag_and_a_304_is_a_result(serve: Callable[..., Server]) -> None:
    def handler(found: socket.socket, head: bytes) -> None:
        known = b'If-None-Match: "v1"' in head
        (answer(b"", "304 Not Modified") if known else answer(b"hello", ETag='"v1"', Content_Type="text/plain"))(
            found, head
        )

    server = serve(handler)
    first = Web().get(server.url, limit=5)
    assert (first.status, first.body, first.etag, first.headers["content-type"]) == (
        200,
        b"hello",
        '"v1"',
        "text/plain",
    )
    again = Web().get(server.url, limit=5, etag=first.etag)
    assert (again.status, again.body, again.etag) == (304, b"", '"v1"')


def test_a_304_that_nobody_asked_for_is_no_result(serve: Callable[..., Server]) -> None:
    assert refused(Web(), serve(answer(b"", "304 Not Modified")).url).code == "WEB_STATUS"


@pytest.mark.parametrize("kind", ["head", "body", "handshake"])
def test_a_server_that_drips_ends_when_the_time_is_over(
    serve: Callable[..., Server], kind: str, identity: Identity
) -> None:
    def drip(found: socket.socket, _head: bytes) -> None:
        if kind == "body":
            found.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        else:
            found.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        for _ in range(200):
            found.sendall(b"a")
            time.sleep(0.02)

    if kind == "handshake":
        door = socket.create_server(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{door.getsockname()[1]}/"
    else:
        server = serve(drip)
        url = server.url
    began = time.monotonic()
    assert refused(Web(ca_file=identity.ca), url, seconds=0.4).code == "WEB_TIMEOUT"
    assert time.monotonic() - began < 1.5
    if kind == "handshake":
        door.close()
    else:
        assert server.ended.wait(1.5), "the connection of a request that was given up stays open"


def test_a_body_is_cut_at_the_limit(serve: Callable[..., Server]) -> None:
    sent = []

    def flood(found: socket.socket, _head: bytes) -> None:
        found.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(10_000):
            found.sendall(b"x" * 10_000)
            sent.append(1)

    server = serve(flood)
    assert refused(Web(), server.url, limit=50_000).code == "WEB_TOO_LARGE"
    assert server.ended.wait(2)
    assert len(sent) < 5_000
    assert Web().get(serve(answer(b"x" * 1000)).url, limit=1000).body == b"x" * 1000
    assert refused(Web(), serve(answer(b"x" * 1001)).url, limit=1000).code == "WEB_TOO_LARGE"


def test_a_gzip_bomb_is_counted_as_it_unfolds(serve: Callable[..., Server]) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(100)) + packer.flush()
    assert len(bomb) < 200_000
    assert refused(Web(), serve(answer(bomb, Content_Encoding="gzip")).url, limit=1_000_000).code == "WEB_TOO_LARGE"
    packed = gzip.compress(b"x" * 5000)
    assert Web().get(serve(answer(packed, Content_Encoding="gzip")).url, limit=5000).body == b"x" * 5000
    for wrong in (packed[:-4], packed + b"more", b"no gzip"):
        assert refused(Web(), serve(answer(wrong, Content_Encoding="gzip")).url, limit=9000).code == "WEB_ANSWER"
    assert refused(Web(), serve(answer(b"", Content_Encoding="br")).url).code == "WEB_ANSWER"


def test_an_endless_gzip_stream_that_unfolds_to_nothing_ends(serve: Callable[..., Server]) -> None:
    def nothing(found: socket.socket, _head: bytes) -> None:
        packer = zlib.compressobj(wbits=31)
        found.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n")
        while True:
            found.sendall(b"".join(packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2000)))

    assert refused(Web(), serve(nothing).url, limit=1000).code == "WEB_TOO_LARGE"


def test_a_redirection_is_an_error_and_its_target_is_not_asked(serve: Callable[..., Server]) -> None:
    target = serve(answer(b"secret"))
    for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
        server = serve(answer(b"", status, Location=target.url))
        told = refused(Web(), server.url)
        assert (told.code, told.status) == ("WEB_REDIRECT", int(status[:3]))
        with pytest.raises(WebError, match="WEB_REDIRECT"):
            Web().post(server.url, b"{}", {})
    assert target.heads == []


@pytest.mark.parametrize("status", ["404 Not Found", "500 Oops", "206 Partial Content", "204 No Content"])
def test_another_status_is_an_error_that_names_it(serve: Callable[..., Server], status: str) -> None:
    told = refused(Web(), serve(answer(b"", status)).url)
    assert (told.code, told.status) == ("WEB_STATUS", int(status[:3]))


def test_what_is_no_http_or_breaks_off_is_an_error(serve: Callable[..., Server]) -> None:
    assert refused(Web(), serve(lambda f, _h: f.sendall(b"SSH-2.0-x\r\n")).url).code == "WEB_ANSWER"
    short = serve(lambda f, _h: f.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
    assert refused(Web(), short.url).code in {"WEB_ANSWER", "WEB_UNREACHABLE"}
    many = serve(lambda f, _h: f.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000))
    assert refused(Web(), many.url).code in {"WEB_ANSWER", "WEB_UNREACHABLE"}
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    assert refused(Web(), f"http://127.0.0.1:{port}/").code == "WEB_UNREACHABLE"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "http://localhost/", "http://127.1/", "http://2130706433/", "http://0.0.0.0/", "http://10.0.0.1:8000/",
    ],
)  # fmt: skip
def test_plain_http_is_for_loopback_addresses_and_what_the_settings_name(url: str) -> None:
    with pytest.raises(WebError, match="WEB_PLAIN_HTTP"):
        Web(plain_http=("example.org:8080",)).check(url)
    for good in (
        "http://127.0.0.1:9/",
        "http://[::1]/",
        "http://127.8.9.1/",
        "http://Example.org:8080/a",
        "https://example.org/",
    ):
        Web(plain_http=("example.org:8080", "h:80")).check(good)
    Web(plain_http=("h:80",)).check("http://h/")


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://127.0.0.1/", "file:///etc/passwd", "https://", "https:///x", "//127.0.0.1/", "https://user@example.org/",
        "https://user:word@example.org/", "https://example.org/#part", "https://example.org\\@127.0.0.1/",
        "https://example.org/a b",
        "https://example.org/a\nb", "https://example.org/\x00", "https://example.org/\x7f", " https://example.org/",
        "https://example.org:0/", "https://example.org:65536/", "https://example.org:x/", "https://例子.org/",
        "https://example.org/é", "HTTPS://example.org/", "https://example.org/" + "a" * 481, "https://[::1/", "https://exa%6dple.org/",
    ],
)  # fmt: skip
def test_addresses_that_could_be_read_in_two_ways_are_not_asked(url: str) -> None:
    with pytest.raises(WebError) as told:
        Web().post(url, b"", {})
    assert told.value.code == "WEB_ADDRESS"
    assert not told.value.retry
    assert "word" not in str(told.value)


def test_an_address_of_500_characters_is_short_enough() -> None:
    Web().check("https://example.org/" + "a" * 480)


def test_a_post_sends_body_and_headers_and_tells_the_status(serve: Callable[..., Server]) -> None:
    server = serve(answer(b"ignored" * 100, "503 Busy"))
    assert Web().post(server.url, b"{}", {"webhook-id": "m1", "Content-Type": "application/json"}) == 503
    assert b"webhook-id: m1\r\n" in server.heads[0]
    assert server.heads[0].startswith(b"POST /list HTTP/1.1\r\n")


def test_the_environment_names_no_proxy_and_no_password(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = serve(answer(b"from the proxy"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.port}")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve(answer(b"itself"))
    assert Web().get(server.url, limit=100).body == b"itself"
    assert b"uthorization" not in server.heads[0]
    named = Web(proxy=f"http://127.0.0.1:{other.port}", plain_http=("example.org:80",))
    assert named.get("http://example.org/x", limit=100).body == b"from the proxy"
    assert named.get(server.url, limit=100).body == b"itself"


# --- TLS -------------------------------------------------------------------------------------------------------


class Identity:
    """A private authority, and a server's certificate for one name or address under it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name.from_rfc4514_string("CN=Private test authority")
        self.ca = self._write("ca", self._make(self._name, self._key, None), None)

    def server(self, name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        path = self._write(name, self._make(x509.Name.from_rfc4514_string(f"CN={name}"), key, name), key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _make(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, name: str | None) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=name is None, path_length=None), critical=True)
        )
        if name is not None:
            is_address = name[0].isdigit()
            known = x509.IPAddress(ipaddress.ip_address(name)) if is_address else x509.DNSName(name)
            builder = builder.add_extension(x509.SubjectAlternativeName([known]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey | None) -> Path:
        path = self._folder / f"{name}.pem"
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        if key is not None:
            pem += key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        path.write_bytes(pem)
        return path


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("identity"))


def test_a_server_under_the_private_authority_is_believed(serve: Callable[..., Server], identity: Identity) -> None:
    server = serve(answer(b"hello"), identity.server("127.0.0.1"))
    assert Web(ca_file=identity.ca).get(server.url, limit=10).body == b"hello"


def test_a_certificate_that_names_another_host_is_refused(serve: Callable[..., Server], identity: Identity) -> None:
    server = serve(answer(b"hello"), identity.server("example.org"))
    assert refused(Web(ca_file=identity.ca), server.url).code == "WEB_TLS"
    assert server.heads == []


def test_an_authority_that_nobody_named_is_refused(
    serve: Callable[..., Server], identity: Identity, tmp_path: Path
) -> None:
    server = serve(answer(b"hello"), identity.server("127.0.0.1"))
    assert refused(Web(), server.url).code == "WEB_TLS"
    assert refused(Web(ca_file=Identity(tmp_path).ca), server.url).code == "WEB_TLS"
    assert refused(Web(ca_file=tmp_path / "none.pem"), server.url).code == "WEB_CA_FILE"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_1_is_refused(serve: Callable[..., Server], identity: Identity) -> None:
    context = identity.server("127.0.0.1")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    assert refused(Web(ca_file=identity.ca), serve(answer(b"hello"), context).url).code == "WEB_TLS"
