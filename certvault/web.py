"""The vault as a client: the one module of ``certvault`` that speaks HTTP.

Whom it asks is decided elsewhere (adopted lists, subscriptions of an operator); how far an answer may go is decided
here. https, or plain HTTP to a loopback address and to what ``[web] plain_http`` names; no redirections, no cookies,
no credentials in addresses, no proxy but ``[web] proxy``; bytes are counted after decompression, and the time is that
of the whole request, name look-up included, so that one who drips gains nothing. Nothing but WebError comes out.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from certvault.errors import VaultError
from verify.formats.refusal import Text

if TYPE_CHECKING:
    import httpx

    from certvault.settings import Settings

log = logging.getLogger("certvault.web")

T = TypeVar("T")

LONGEST_URL = 500
SECONDS = 10.0
_SLACK = 65_536  # what a compressed answer may be longer than what it unfolds to
# One reading only, whoever parses it: nothing that two parsers of addresses are known to take differently.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)",
    re.ASCII,
)
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"', re.ASCII)
_KEPT = ("content-type", "date", "age", "cache-control", "last-modified")
_USER_AGENT = "certvault"


class WebError(VaultError):
    """The other side was not asked, did not answer, or not in a way that counts.

    ``code`` is stable, ``reason`` says it in both languages and never quotes more of the address than its host.
    ``status`` is the answer's where there was one. ``retry`` is false where asking again changes nothing.
    """

    def __init__(self, code: str, reason: Text, *, status: int | None = None, retry: bool = True) -> None:
        super().__init__(f"{code}: {reason.en}")
        self.code = code
        self.reason = reason
        self.status = status
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: 200 with its body, or 304 without. ``headers`` are a chosen few, names in lower case."""

    status: int
    body: bytes
    etag: str | None
    headers: Mapping[str, str]


class Web:
    """Asks other systems. May be used by several threads at once; each request has a connection of its own."""

    def __init__(
        self,
        *,
        plain_http: tuple[str, ...] = (),
        ca_file: Path | None = None,
        proxy: str | None = None,
        inward: bool = True,
    ) -> None:
        """``plain_http``: ``host:port`` that need no TLS. ``ca_file``: PEM; its authorities count, and only they.

        ``inward``: whether things are fetched from this machine too. Foreign lists name what is fetched, so a service
        that others reach does not, but for what ``plain_http`` names.
        """
        self._inward = inward
        self._plain = frozenset(p.lower() for p in plain_http)
        self._ca_file = ca_file
        self._proxy = proxy
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Raise the WebError that asking ``url`` would raise before anything is sent."""
        self._checked(url)

    def get(
        self, url: str, *, limit: int, etag: str | None = None, seconds: float = SECONDS, accept: str = "*/*"
    ) -> Fetched:
        """What is at ``url``: at most ``limit`` bytes, within ``seconds``. 304 comes only when ``etag`` was given."""
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        self._check_outward(url)
        if etag is not None and _ETAG.fullmatch(etag):
            headers["If-None-Match"] = etag

        def read(response: httpx.Response) -> Fetched:
            if response.status_code == 304 and "If-None-Match" in headers:
                return Fetched(304, b"", etag, _few(response))
            if response.status_code != 200:
                raise _status(response.status_code)
            return Fetched(200, _body(response, limit), _etag(response), _few(response))

        return self._ask("GET", url, None, headers, seconds, read)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> int:
        """Send ``body``; the answer's status, unless it is a redirection. What else it says is not read."""
        return self._ask("POST", url, body, headers, seconds, lambda response: response.status_code)

    def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
        read: Callable[[httpx.Response], T],
    ) -> T:
        direct = self._checked(url)
        return _Bounded(lambda seen: self._exchange(method, url, body, headers, seconds, read, direct, seen)).result(
            seconds
        )

    def _exchange(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float,
        read: Callable[[httpx.Response], T],
        direct: bool,
        seen: Callable[[str, Mapping[str, Any]], None],
    ) -> T:
        import httpx

        with (
            _translated(),
            httpx.Client(
                verify=self._tls(),
                trust_env=False,
                follow_redirects=False,
                timeout=seconds,
                proxy=None if direct else self._proxy,
                limits=httpx.Limits(max_keepalive_connections=0),
            ) as client,
            client.stream(
                method,
                url,
                content=body,
                headers={"User-Agent": _USER_AGENT, "Connection": "close", **headers},
                extensions={"trace": seen},
            ) as response,
        ):
            if 300 <= response.status_code < 400 and response.status_code != 304:
                raise _redirect(response.status_code)
            return read(response)

    def _checked(self, url: str) -> bool:
        """Whether ``url`` is asked without the proxy; WebError for one that is not asked at all."""
        found = _URL.fullmatch(url) if len(url) <= LONGEST_URL else None
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            raise _address()
        host = found["host"].lower()
        loopback = _is_loopback(host)
        if found["scheme"] == "http" and not loopback and f"{host}:{found['port'] or 80}" not in self._plain:
            raise _plain(host)
        return loopback

    def _check_outward(self, url: str) -> None:
        found = None if self._inward else _URL.fullmatch(url)
        if found is None or not _is_this_machine(found["host"]):
            return
        port = found["port"] or (443 if found["scheme"] == "https" else 80)
        if f"{found['host'].lower()}:{port}" not in self._plain:
            raise _inward(found["host"])

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                try:
                    self._context = ssl.create_default_context(cafile=self._ca_file)
                except (OSError, ssl.SSLError) as error:
                    raise _authorities() from error
                self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            return self._context


def web_of(settings: Settings) -> Web:
    """The client that the vault's settings describe."""
    ca_file = None if settings.web_ca_file is None else settings.folder / settings.web_ca_file
    own = _URL.fullmatch(settings.base_url)
    return Web(
        plain_http=settings.web_plain_http,
        ca_file=ca_file,
        proxy=settings.web_proxy,
        inward=own is not None and _is_loopback(own["host"]),  # tried out on one machine, all regions are on it
    )


class _Bounded(Generic[T]):
    """One exchange in a thread of its own, left when its time is over.

    The library's timeouts start anew with each byte, and a name look-up has none. Who is left has its connection shut
    down, so that its thread ends soon.
    """

    def __init__(self, work: Callable[[Callable[[str, Mapping[str, Any]], None]], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._late = False
        self._done: list[T] = []
        self._error: BaseException | None = None

    def result(self, seconds: float) -> T:
        thread = threading.Thread(target=self._run, daemon=True, name="certvault-web")
        thread.start()
        thread.join(seconds)
        with self._lock:
            self._late = True
            over = not self._done and self._error is None
            for one in self._sockets if over else ():
                _shut(one)
        if over:
            raise _late()
        if self._error is not None:
            raise self._error
        return self._done[0]

    def _run(self) -> None:
        try:
            found = self._work(self._seen)
        except WebError as error:
            with self._lock:
                self._error = error
        except Exception:
            if not self._late:  # what a connection that was shut down meets is nobody's business
                log.exception("a request to another system failed in an unforeseen way")
            with self._lock:
                self._error = _answer()
        else:
            with self._lock:
                self._done = [found]

    def _seen(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep each socket, as the library tells of it. TLS replaces the first, so both are told."""
        if event not in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            return
        found = info["return_value"].get_extra_info("socket")
        with self._lock:
            self._sockets.append(found)
            if self._late:
                _shut(found)


def _shut(found: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(found, socket.SHUT_RDWR)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's errors into ours; their words may quote addresses, so none of them is passed on."""
    import httpx

    try:
        yield
    except httpx.TimeoutException as error:
        raise _late() from error
    except httpx.ConnectError as error:
        raise _tls_failed() if _is_tls(error) else _unreachable() from error
    except (httpx.NetworkError, httpx.ProxyError) as error:
        raise _unreachable() from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise _answer() from error


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_loopback(host: str) -> bool:
    """Whether ``host`` is an address (no name) of this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_this_machine(host: str) -> bool:
    """Whether ``host`` leads to this machine, or to what only neighbours on its wire are told, such as credentials."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return _is_number(name)
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = inner or found
    return found.is_loopback or found.is_link_local or found.is_unspecified


def _is_number(name: str) -> bool:
    """Whether this is an address in a form that only the resolver knows: 127.1, 2130706433, 0x7f000001."""
    return re.fullmatch(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}", name) is not None


def _body(response: httpx.Response, limit: int) -> bytes:
    """The body, unpacked by ourselves: the library would unfold a whole packet before anybody could count."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"identity", "gzip"}:
        raise _answer()
    unpack = zlib.decompressobj(31) if coding == "gzip" else None
    found, packed = bytearray(), 0
    for part in response.iter_raw():
        packed += len(part)
        room = limit - len(found) + 1
        try:
            found += part if unpack is None else unpack.decompress(part, room)
        except zlib.error as error:
            raise _answer() from error
        if len(found) > limit or packed > limit + _SLACK:
            raise _large(limit)
    if unpack is not None and (not unpack.eof or unpack.unused_data):
        raise _answer()
    return bytes(found)


def _few(response: httpx.Response) -> dict[str, str]:
    return {name: response.headers[name][:200] for name in _KEPT if name in response.headers}


def _etag(response: httpx.Response) -> str | None:
    found = response.headers.get("etag", "")
    return found if _ETAG.fullmatch(found) else None


def _address() -> WebError:
    return WebError(
        "WEB_ADDRESS",
        Text(
            "地址须为不超过 500 字符的 https 地址，不含凭据、片段与控制字符",
            "the address is not https, or has more than 500 characters, credentials, a fragment or control characters",
        ),
        retry=False,
    )


def _plain(host: str) -> WebError:
    return WebError(
        "WEB_PLAIN_HTTP",
        Text(
            f"{host} 须使用 https；确需明文时请写入 [web] plain_http",
            f"{host} needs https; what may do without is named in [web] plain_http",
        ),
        retry=False,
    )


def _inward(host: str) -> WebError:
    return WebError(
        "WEB_INWARD",
        Text(
            f"{host} 指向本机或本网段，不按他人所列的地址取用；确需时请将 host:port 写入 [web] plain_http",
            f"{host} is this machine or its wire, where nothing is fetched that others list; what may be is named as "
            "host:port in [web] plain_http",
        ),
        retry=False,
    )


def _authorities() -> WebError:
    return WebError(
        "WEB_CA_FILE",
        Text("[web] ca_file 无法读取或不是 PEM 证书", "[web] ca_file cannot be read or holds no PEM certificates"),
        retry=False,
    )


def _tls_failed() -> WebError:
    return WebError(
        "WEB_TLS",
        Text("对方的服务器证书不可信或名称不符", "the other side's TLS certificate is not trusted or names another"),
    )


def _unreachable() -> WebError:
    return WebError(
        "WEB_UNREACHABLE", Text("无法连接对方，或连接中断", "the other side cannot be reached, or broke off")
    )


def _late() -> WebError:
    return WebError("WEB_TIMEOUT", Text("对方未在时限内答完", "the other side did not finish in time"))


def _large(limit: int) -> WebError:
    return WebError("WEB_TOO_LARGE", Text(f"答复超过 {limit} 字节", f"the answer has more than {limit} bytes"))


def _redirect(status: int) -> WebError:
    return WebError(
        "WEB_REDIRECT",
        Text("对方要求转到别处，不予跟随", "the other side points elsewhere, which is not followed"),
        status=status,
    )


def _status(status: int) -> WebError:
    return WebError("WEB_STATUS", Text(f"对方答复状态 {status}", f"the other side answered {status}"), status=status)


def _answer() -> WebError:
    return WebError("WEB_ANSWER", Text("对方的答复不合 HTTP 规则", "the answer is no HTTP that can be used"))
