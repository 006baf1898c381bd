"""``serve`` and ``demo``: the service, and everything ``make run`` shows."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli import output
from api.cli.options import Invocation, JsonOption, LangOption, VaultOption, given
from verify.formats.refusal import Refusal, RefusedError, Text

if TYPE_CHECKING:
    from certvault.bootstrap import Vault

log = logging.getLogger("certvault.service")

HOST, PORT = "127.0.0.1", 8000
CONNECTIONS = 500
UPKEEP_FIRST, UPKEEP_SECONDS = 60.0, 6 * 3600.0
ANCHOR_SECONDS = 300.0
"""So long may lines of the audit stand without an anchor while the service runs."""
DELIVER_SECONDS = 1.0
SYNC_SECONDS = 20.0
"""Between looks at which regions are due to be asked; how often each is asked is ``[region] sync_minutes``."""
HostOption = Annotated[str, typer.Option(help="Address to listen on")]
PortOption = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 means any free one")]


def register(app: typer.Typer) -> None:
    """Hang the commands on ``app``."""
    app.command()(serve)
    app.command()(worker)
    app.command()(demo)


def serve(
    *,
    host: HostOption = HOST,
    port: PortOption = PORT,
    proxy: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Trust X-Forwarded-For from this proxy", show_default=False),
    ] = None,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Serve HTTP and the pages until interrupted."""
    invocation = given(vault, as_json, lang)
    with listening(host, port) as door, invocation.open_vault() as opened:
        address = address_of(door)
        _announce(invocation, {"url": address}, [f"certvault {address}"])
        run(opened, door, proxy=proxy)


def worker(
    *,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end")] = False,
    hours: Annotated[float, typer.Option(min=0.01, max=168, help="Time between two rounds")] = 6,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Do what is due: webhooks and regions at once; timestamps, rollovers, revocation lists, anchors at times."""
    invocation = given(vault, as_json, lang)
    with invocation.open_vault() as opened, contextlib.ExitStack() as background:
        if not once:
            background.enter_context(_beside(opened))
        while True:
            done = dict(opened.maintenance().done)
            if once:
                done["webhooks"] = opened.deliveries.deliver()["delivered"]
                done["regions_asked"] = len(opened.gathering.due())
            _announce(invocation, {"done": done}, [f"{k}: {v}" for k, v in done.items()])
            if once:
                return
            opened.clock.sleep(hours * 3600)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Stop after the first request to /readyz was answered")] = False,
    examples: Annotated[Path, typer.Option(metavar="DIR", help="Folder of example data, TYPE.json")] = Path("examples"),
    host: HostOption = HOST,
    port: PortOption = PORT,
    vault: VaultOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Make an example vault if there is none, issue and verify the examples, print sign-in links, serve."""
    invocation = given(vault, as_json, lang)
    from api.cli.example import holder_of, issue_examples, links, open_or_make

    with listening(host, port) as door, open_or_make(invocation, address_of(door)) as opened:
        shown = issue_examples(opened, examples)
        address = address_of(door)
        value = {"url": address, "examples": shown, "links": links(opened, address, holder_of(opened, shown))}
        _announce(invocation, value, _told(invocation, value))
        failed = [s for s in shown if s["conclusion"] != "VALID"]
        run(opened, door, after=_ask_readiness(door) if once else None)
    if failed:
        raise typer.Exit(1)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; RefusedError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(1024)
    except OSError as error:
        door.close()
        raise _taken(host, port, error) from error
    return door


def address_of(door: socket.socket) -> str:
    """The URL of a listening socket."""
    host, port = door.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    vault: Vault, door: socket.socket, *, proxy: str | None = None, after: Callable[[], None] | None = None
) -> None:
    """Serve on ``door`` until interrupted; with ``after``, until that returned."""
    import uvicorn

    from api.app import create_app
    from api.cli.failures import log_to_terminal
    from api.connections import protocol

    log_to_terminal()
    resumed = vault.minting.resume_uploads()
    if resumed:
        log.info("bulk jobs resumed: %d", resumed)
    server = uvicorn.Server(
        uvicorn.Config(
            _behind(proxy, create_app(vault)),
            log_config=None,
            access_log=False,  # it would log whole addresses; the application logs routes
            server_header=False,
            proxy_headers=False,  # see _behind
            timeout_graceful_shutdown=10,
            http=protocol(proxy),
            ws="none",
            limit_concurrency=CONNECTIONS,
        )
    )
    trouble: list[Exception] = []
    ended = threading.Event()
    background = [threading.Thread(target=work, args=(vault, ended), daemon=True) for work in _BACKGROUND]
    if after is not None:
        background = [threading.Thread(target=_then_stop, args=(server, after, trouble), daemon=True)]
    for thread in background:
        thread.start()
    # so that both ways of stopping lead past the vault's own end; the server hands the signal on when it is done
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[door])
    ended.set()
    for thread in background:
        thread.join()
    if trouble:
        raise trouble[0]


def _behind(proxy: str | None, app: Any) -> Any:
    """``app`` as it sees requests: the client's address as the proxy says it, certificates from the proxy alone.

    The second has to look at the peer itself, so it stands outside of the first.
    """
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    from api.csc.clients import ProxyOnly

    inner: Any = app if proxy is None else ProxyHeadersMiddleware(app, trusted_hosts=proxy)
    return ProxyOnly(inner, proxy)


def _keep_up(vault: Vault, ended: threading.Event) -> None:
    """Do what is due, a while after the start and every few hours, until the service ended."""
    wait = UPKEEP_FIRST
    while not ended.wait(wait):
        wait = UPKEEP_SECONDS
        try:
            log.info("upkeep: %s", dict(vault.maintenance().done))
        except Exception:
            log.exception("upkeep failed; it is tried again at the next round")


def _anchor(vault: Vault, ended: threading.Event) -> None:
    """Sign the heads of the audit chains every few minutes, until the service ended."""
    while not ended.wait(ANCHOR_SECONDS):
        try:
            vault.audit.anchor(vault.clock.now())
        except Exception:
            log.exception("the audit was not anchored; it is tried again at the next round")


def _deliver(vault: Vault, ended: threading.Event) -> None:
    """Tell those who subscribed, every second, until the service ended."""
    while not ended.wait(DELIVER_SECONDS):
        try:
            vault.deliveries.begin()
        except Exception:
            log.exception("webhooks were not delivered; it is tried again at the next round")


def _sync(vault: Vault, ended: threading.Event) -> None:
    """Ask the adopted regions whose time has come, until the service ended."""
    while not ended.wait(SYNC_SECONDS):
        try:
            for region, code in vault.gathering.due():
                if code:
                    log.warning("region %s: %s", region, code)
        except Exception:
            log.exception("regions were not asked; it is tried again at the next round")


_BACKGROUND = (_keep_up, _anchor, _deliver, _sync)
"""What the service does beside answering."""


@contextlib.contextmanager
def _beside(vault: Vault) -> Iterator[None]:
    """What a worker does beside its rounds."""
    ended = threading.Event()
    threads = [threading.Thread(target=work, args=(vault, ended), daemon=True) for work in (_deliver, _sync)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _then_stop(server: Any, after: Callable[[], None], trouble: list[Exception]) -> None:
    try:
        after()
    except Exception as error:  # noqa: BLE001 - raised again in the main thread
        trouble.append(error)
    finally:
        server.should_exit = True


def _ask_readiness(door: socket.socket) -> Callable[[], None]:
    """Ask ``/readyz`` once, from outside; the socket listens already, so the request waits until it is served."""
    host, port = door.getsockname()[:2]

    def ask() -> None:
        from http.client import HTTPConnection

        connection = HTTPConnection(host, port, timeout=60)
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        output.say(f"GET /readyz {answer.status} {answer.read().decode()}")
        connection.close()
        if answer.status != 200:
            raise ChildProcessError("the service is not ready")

    return ask


def _announce(invocation: Invocation, value: dict[str, Any], lines: list[str]) -> None:
    import sys

    if invocation.as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    else:
        for line in lines:
            output.line(line)
    sys.stdout.flush()


def _told(invocation: Invocation, value: dict[str, Any]) -> list[str]:
    zh = invocation.zh
    lines = [f"  {s['type']:<28} {s['identifier']}  {s['conclusion']} {s['standing']}" for s in value["examples"]]
    links = value["links"]
    return [
        "示例证照：" if zh else "Example licenses:",
        *lines,
        "",
        f"{'首页' if zh else 'Pages':<10} {value['url']}/",
        f"{'操作员登录' if zh else 'Operator'}  {links['operator']}",
        *([f"{'持证人登录' if zh else 'Holder'}  {links['holder']}"] if links.get("holder") else []),
        "按 Ctrl-C 停止。" if zh else "Ctrl-C stops.",
    ]


def _taken(host: str, port: int, error: OSError) -> RefusedError:
    causes = {errno.EADDRINUSE: "已被占用", errno.EACCES: "无权使用", errno.EADDRNOTAVAIL: "本机没有该地址"}
    cause = causes.get(error.errno or 0, "地址无法使用")
    reason = Text(f"无法在 {host}:{port} 监听：{cause}", f"cannot listen on {host}:{port}: {error.strerror}")
    remedy = Text(
        "请停止占用该端口的程序，或以 --port 另选端口。", "Stop what uses the port, or choose another with --port."
    )
    return RefusedError(Refusal("PORT_TAKEN", "--port", reason, remedy))
